// SPDX-License-Identifier: GPL-2.0

//! The kernel's structs: those of include/uapi/daxrmap.h, linux/fsmap.h, linux/fiemap.h and
//! linux/dm-ioctl.h, field by field. `tests/abi.rs` holds them against what a C compiler makes of these headers.
//!
//! All are plain numbers without padding, so any bytes are a value of them.

use rustix::ioctl::{
    opcode::{
        read,
        read_write,
        write, //
    },
    Opcode, //
};
use zerocopy::{
    FromBytes,
    Immutable,
    IntoBytes,
    KnownLayout, //
};

/// Bytes of a sector, in which the kernel counts, whatever the device has.
pub const SECTOR: u64 = 512;

/// Which pages of which files are at bad blocks.
pub const DAXRMAP_IOC_LOST: Opcode = read_write::<LostHead>(0xda, 1);
/// How the mount is.
pub const DAXRMAP_IOC_STATUS: Opcode = read_write::<Status>(0xda, 2);
/// Has bad blocks cleared, and returns them to use.
pub const DAXRMAP_IOC_CLEAR: Opcode = read_write::<Clear>(0xda, 3);
/// What is where on the device.
pub const FS_IOC_GETFSMAP: Opcode = read_write::<FsMapHead>(b'X', 59);
/// Which blocks a file has.
pub const FS_IOC_FIEMAP: Opcode = read_write::<Fiemap>(b'f', 11);

/// Watch, or not.
pub const DAXRMAP_IOC_GUARD_SET: Opcode = write::<u32>(0xda, 16);
/// How the guard is.
pub const DAXRMAP_IOC_GUARD_STATUS: Opcode = read::<Guard>(0xda, 17);
/// The next device that the guard knows of.
pub const DAXRMAP_IOC_GUARD_DEVICE: Opcode = read_write::<GuardDevice>(0xda, 18);
/// Become the holder of a device.
pub const DAXRMAP_IOC_GUARD_HOLD: Opcode = write::<GuardHold>(0xda, 19);
/// Be it no more.
pub const DAXRMAP_IOC_GUARD_RELEASE: Opcode = write::<GuardHold>(0xda, 20);
/// Pages that are not on the driver's list.
pub const DAXRMAP_IOC_GUARD_UNCOVERED: Opcode = read_write::<GuardUncovered>(0xda, 21);
/// The driver's list.
pub const DAXRMAP_IOC_GUARD_BAD: Opcode = read_write::<GuardBad>(0xda, 22);
/// A file descriptor that delivers events.
pub const DAXRMAP_IOC_EVENTS: Opcode = write::<Events>(0xda, 32);
/// Reads pages, to find those that cannot be read.
pub const DAXRMAP_IOC_SCRUB: Opcode = read_write::<Scrub>(0xda, 33);
/// A file's generation.
pub const FS_IOC_GETVERSION: Opcode = read::<u64>(b'v', 1);
/// How an XFS is laid out, in its first version. `XFS_IOC_FSGEOMETRY_V1`.
pub const XFS_IOC_FSGEOMETRY_V1: Opcode = read::<XfsGeometry>(b'X', 100);
/// The table of a device-mapper device.
pub const DM_TABLE_STATUS: Opcode = read_write::<DmIoctl>(0xfd, 12);

/// `f_type` of statfs(2).
pub const DAXRMAP_MAGIC: u32 = 0x4458_524d;
/// `f_type` of ext2, ext3 and ext4.
pub const EXT4_SUPER_MAGIC: u32 = 0xef53;
/// `f_type` of XFS.
pub const XFS_SUPER_MAGIC: u32 = 0x5846_5342;

/// `flags` of [`Guard`]: memory failures are watched.
pub const DAXRMAP_GUARD_WATCH: u32 = 1;
/// What CXL memory devices say is heard.
pub const DAXRMAP_GUARD_CXL: u32 = 2;
/// `flags` of [`GuardDevice`]: the guard is its holder.
pub const DAXRMAP_GUARD_HELD: u32 = 1;
/// `flags` of [`GuardDevice`]: a daxrmap filesystem is mounted there.
pub const DAXRMAP_GUARD_OWN: u32 = 2;
/// `flags` of [`GuardHold`]: hold it though nothing is known of what is on it.
pub const DAXRMAP_GUARD_FORCE: u32 = 1;

/// `version` of [`Events`].
pub const DAXRMAP_EVENTS_VERSION: u32 = 1;
/// `records` of [`Events`]: the most.
pub const DAXRMAP_EVENTS_MAX: u32 = 65536;
/// `flags` of [`Event`]: `told` is known.
pub const DAXRMAP_EVENT_F_TOLD: u32 = 0x1;
/// `flags` of [`Event`]: it is the metadata log that is full.
pub const DAXRMAP_EVENT_F_LOG: u32 = 0x2;
/// `flags` of [`Event`]: the guard tells it.
pub const DAXRMAP_EVENT_F_GUARD: u32 = 0x4;
/// `flags` of [`Event`]: the file was mapped.
pub const DAXRMAP_EVENT_F_MAPPED: u32 = 0x8;
/// `flags` of [`Event`]: the file was not in core.
pub const DAXRMAP_EVENT_F_ABSENT: u32 = 0x10;
/// `flags` of [`Event`]: an owner may not have been told.
pub const DAXRMAP_EVENT_F_ERROR: u32 = 0x20;

/// `flags` of [`DmIoctl`]: tell the table, not the status.
pub const DM_STATUS_TABLE_FLAG: u32 = 1 << 4;
/// `flags` of [`DmIoctl`]: there was not room for all.
pub const DM_BUFFER_FULL_FLAG: u32 = 1 << 8;

/// `oflags` of [`LostHead`]: there are no more records.
pub const DAXRMAP_LOST_END: u32 = 1;
/// `oflags` of [`Status`]: the device is gone.
pub const DAXRMAP_STATUS_SHUTDOWN: u32 = 1;
/// `oflags` of [`Status`]: the metadata is inconsistent.
pub const DAXRMAP_STATUS_INCONSISTENT: u32 = 2;
/// `oflags` of [`Status`]: no changes are made.
pub const DAXRMAP_STATUS_READ_ONLY: u32 = 4;

/// `flags` of [`FsMap`]: allocated, and never written.
pub const FMR_OF_PREALLOC: u32 = 0x1;
/// `flags` of [`FsMap`]: extended attributes.
pub const FMR_OF_ATTR_FORK: u32 = 0x2;
/// `flags` of [`FsMap`]: where the inode's blocks are.
pub const FMR_OF_EXTENT_MAP: u32 = 0x4;
/// `flags` of [`FsMap`]: the owner is none of the inodes.
pub const FMR_OF_SPECIAL_OWNER: u32 = 0x10;
/// `flags` of [`FsMap`]: no more records.
pub const FMR_OF_LAST: u32 = 0x20;
/// `owner` of [`FsMap`]: free blocks.
pub const FMR_OWN_FREE: u64 = 1;
/// `owner` of [`FsMap`]: used by something.
pub const FMR_OWN_UNKNOWN: u64 = 2;
/// `owner` of [`FsMap`]: metadata at a fixed place, a superblock. `FMR_OWNER('X', 1)`.
pub const FMR_OWN_FS: u64 = ((b'X' as u64) << 32) | 1;
/// `owner` of [`FsMap`]: the metadata log. `FMR_OWNER('X', 2)`.
pub const FMR_OWN_LOG: u64 = ((b'X' as u64) << 32) | 2;
/// `owner` of [`FsMap`]: bad blocks. `FMR_OWNER('X', 8)`.
pub const FMR_OWN_DEFECTIVE: u64 = ((b'X' as u64) << 32) | 8;

/// `flags` of [`Fiemap`]: write what has no place yet.
pub const FIEMAP_FLAG_SYNC: u32 = 0x1;
/// `flags` of [`Fiemap`]: the extended attributes, instead of the data.
pub const FIEMAP_FLAG_XATTR: u32 = 0x2;
/// `flags` of [`FiemapExtent`]: there are no more.
pub const FIEMAP_EXTENT_LAST: u32 = 0x1;
/// `flags` of [`FiemapExtent`]: it is a part of a block of metadata.
pub const FIEMAP_EXTENT_DATA_INLINE: u32 = 0x200;
/// `flags` of [`FiemapExtent`]: allocated, and never written.
pub const FIEMAP_EXTENT_UNWRITTEN: u32 = 0x800;
/// Flags of [`FiemapExtent`] with which `physical` is not the place of the data.
pub const FIEMAP_EXTENT_NOT_PLACED: u32 = 0x2 | 0x4 | 0x8; // UNKNOWN, DELALLOC, ENCODED

macro_rules! abi {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(
                Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
            )]
            #[repr(C)]
            #[allow(missing_docs, reason = "the headers have it")]
            pub struct $name {
                $(pub $field: $type,)*
            }

            impl $name {
                /// Names of the fields, and where they are.
                pub const FIELDS: &[(&'static str, usize)] =
                    &[$((stringify!($field), core::mem::offset_of!($name, $field)),)*];
            }
        )*
    };
}

abi! {
    /// `struct daxrmap_lost`.
    Lost {
        ino: u64,
        offset: u64,
        length: u64,
        physical: u64,
        generation: u32,
        handle_bytes: u32,
        handle_type: i32,
        handle: [u8; 32],
        reserved: u32,
    }

    /// `struct daxrmap_lost_head`, without the records.
    LostHead {
        cursor: [u64; 6],
        count: u32,
        entries: u32,
        iflags: u32,
        oflags: u32,
    }

    /// `struct daxrmap_status`.
    Status {
        iflags: u32,
        oflags: u32,
        block_size: u32,
        block_shift: u32,
        blocks: u64,
        free_blocks: u64,
        bad_blocks: u64,
        first_pfn: u64,
        inodes: u64,
        owner_records: u64,
        owner_bytes: u64,
        notifies: u64,
        failed_blocks: u64,
        owners: u64,
        owners_mapped: u64,
        late_faults: u64,
        late_io: u64,
        discovered: u64,
        healed: u64,
        cleared: u64,
        log_used: u64,
        log_size: u64,
        reserved: [u64; 12],
    }

    /// `struct daxrmap_clear`.
    Clear {
        block: u64,
        count: u64,
        busy: u64,
        refused: u64,
        failed: u64,
        flags: u32,
        reserved: u32,
    }

    /// `struct fsmap`.
    FsMap {
        fmr_device: u32,
        fmr_flags: u32,
        fmr_physical: u64,
        fmr_owner: u64,
        fmr_offset: u64,
        fmr_length: u64,
        fmr_reserved: [u64; 3],
    }

    /// `struct fsmap_head`, without the records.
    FsMapHead {
        fmh_iflags: u32,
        fmh_oflags: u32,
        fmh_count: u32,
        fmh_entries: u32,
        fmh_reserved: [u64; 6],
        fmh_keys: [FsMap; 2],
    }

    /// `struct fiemap`, without the extents.
    Fiemap {
        fm_start: u64,
        fm_length: u64,
        fm_flags: u32,
        fm_mapped_extents: u32,
        fm_extent_count: u32,
        fm_reserved: u32,
    }

    /// `struct fiemap_extent`.
    FiemapExtent {
        fe_logical: u64,
        fe_physical: u64,
        fe_length: u64,
        fe_reserved64: [u64; 2],
        fe_flags: u32,
        fe_reserved: [u32; 3],
    }

    /// `struct file_handle`, with the room for a handle that [`Lost`] has.
    FileHandle {
        handle_bytes: u32,
        handle_type: i32,
        f_handle: [u8; 32],
    }

    /// `struct daxrmap_guard`.
    Guard {
        flags: u32,
        devices: u32,
        events: u64,
        dropped: u64,
        cxl_records: u64,
        cxl_losses: u64,
        cxl_overflows: u64,
        reserved: [u64; 2],
    }

    /// `struct daxrmap_guard_device`.
    GuardDevice {
        major: u32,
        minor: u32,
        flags: u32,
        reserved0: u32,
        name: [u8; 32],
        first_pfn: u64,
        pages: u64,
        events: u64,
        failed_pages: u64,
        owners: u64,
        owners_mapped: u64,
        signalled: u64,
        joined: u64,
        uncovered: u64,
        cxl: u64,
        reserved: [u64; 6],
    }

    /// `struct daxrmap_guard_hold`.
    GuardHold {
        major: u32,
        minor: u32,
        flags: u32,
        reserved: u32,
    }

    /// `struct daxrmap_guard_uncovered`.
    GuardUncovered {
        major: u32,
        minor: u32,
        index: u64,
        page: u64,
        count: u64,
        reserved: [u64; 2],
    }

    /// `struct daxrmap_guard_bad`.
    GuardBad {
        major: u32,
        minor: u32,
        index: u64,
        sector: u64,
        count: u64,
        reserved: [u64; 2],
    }

    /// `struct daxrmap_scrub`.
    Scrub {
        major: u32,
        minor: u32,
        flags: u32,
        found: u32,
        page: u64,
        count: u64,
        read: u64,
        known: u64,
        untold: u64,
        bad: [u64; 16],
        reserved: [u64; 4],
    }

    /// `struct daxrmap_events`.
    Events {
        version: u32,
        flags: u32,
        major: u32,
        minor: u32,
        records: u32,
        reserved: [u32; 7],
    }

    /// `struct daxrmap_event`. `kind` is its `type`.
    Event {
        size: u16,
        kind: u16,
        flags: u32,
        sequence: u64,
        time: u64,
        major: u32,
        minor: u32,
        physical: u64,
        length: u64,
        ino: u64,
        offset: u64,
        count: u64,
        generation: u32,
        told: u32,
        cause: u32,
        handle_bytes: u32,
        handle_type: i32,
        handle: [u8; 32],
        fs_major: u32,
        fs_minor: u32,
        reserved: [u32; 3],
    }

    /// `struct dm_ioctl`; the uuid, and what pads it, in words.
    DmIoctl {
        version: [u32; 3],
        data_size: u32,
        data_start: u32,
        target_count: u32,
        open_count: i32,
        flags: u32,
        event_nr: u32,
        padding: u32,
        dev: u64,
        name: [u64; 16],
        uuid: [u64; 17],
    }

    /// `struct dm_target_spec`.
    DmTargetSpec {
        sector_start: u64,
        length: u64,
        status: i32,
        next: u32,
        target_type: [u8; 16],
    }

    /// `struct xfs_fsop_geom_v1`, of fs/xfs/libxfs/xfs_fs.h, which is not among the kernel's headers.
    XfsGeometry {
        blocksize: u32,
        rtextsize: u32,
        agblocks: u32,
        agcount: u32,
        logblocks: u32,
        sectsize: u32,
        inodesize: u32,
        imaxpct: u32,
        datablocks: u64,
        rtblocks: u64,
        rtextents: u64,
        logstart: u64,
        uuid: [u64; 2],
        sunit: u32,
        swidth: u32,
        version: i32,
        flags: u32,
        logsectsize: u32,
        rtsectsize: u32,
        dirblocksize: u32,
        padding: u32,
    }
}
