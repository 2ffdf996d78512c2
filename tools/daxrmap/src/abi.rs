// SPDX-License-Identifier: GPL-2.0

//! The kernel's structs: those of include/uapi/daxrmap.h, linux/fsmap.h and linux/fiemap.h, field by
//! field. `tests/abi.rs` holds them against what a C compiler makes of these headers.
//!
//! All are plain numbers without padding, so any bytes are a value of them.

use rustix::ioctl::{
    opcode::read_write,
    Opcode, //
};
use zerocopy::{
    FromBytes,
    Immutable,
    IntoBytes,
    KnownLayout, //
};

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

/// `f_type` of statfs(2).
pub const DAXRMAP_MAGIC: u32 = 0x4458_524d;

/// `oflags` of [`LostHead`]: there are no more records.
pub const DAXRMAP_LOST_END: u32 = 1;
/// `oflags` of [`Status`]: the device is gone.
pub const DAXRMAP_STATUS_SHUTDOWN: u32 = 1;
/// `oflags` of [`Status`]: the metadata is inconsistent.
pub const DAXRMAP_STATUS_INCONSISTENT: u32 = 2;
/// `oflags` of [`Status`]: no changes are made.
pub const DAXRMAP_STATUS_READ_ONLY: u32 = 4;

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
}
