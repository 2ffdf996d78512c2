// SPDX-License-Identifier: GPL-2.0

//! Numbers and structs of our ioctls, and of those that we answer as others do.
//!
//! C headers: include/uapi/daxrmap.h,
//! [`include/uapi/linux/fsmap.h`](srctree/include/uapi/linux/fsmap.h). Nothing to lock.

use crate::{
    bindings,
    support::plain, //
};

pub(super) use crate::bindings::{
    daxrmap_clear as ClearArg,
    daxrmap_lost as Lost,
    daxrmap_lost_head as LostHead,
    daxrmap_status as Status,
    fsmap as FsMap,
    fsmap_head as FsMapHead,
    DAXRMAP_IOC_CLEAR,
    DAXRMAP_IOC_EVENTS,
    DAXRMAP_IOC_LOST,
    DAXRMAP_IOC_STATUS,
    DAXRMAP_LOST_END as LOST_END,
    DAXRMAP_STATUS_INCONSISTENT as STATUS_INCONSISTENT,
    DAXRMAP_STATUS_READ_ONLY as STATUS_READ_ONLY,
    DAXRMAP_STATUS_SHUTDOWN as STATUS_SHUTDOWN, //
    FS_IOC_GETFSMAP,
};

plain!(FsMap {
    fmr_device: u32,
    fmr_flags: u32,
    fmr_physical: u64,
    fmr_owner: u64,
    fmr_offset: u64,
    fmr_length: u64,
    fmr_reserved: [u64; 3]
});
plain!(FsMapHead {
    fmh_iflags: u32,
    fmh_oflags: u32,
    fmh_count: u32,
    fmh_entries: u32,
    fmh_reserved: [u64; 6],
    fmh_keys: [FsMap; 2];
    fmh_recs
});
plain!(Lost {
    ino: u64,
    offset: u64,
    length: u64,
    physical: u64,
    generation: u32,
    handle_bytes: u32,
    handle_type: i32,
    handle: [u8; 32],
    reserved: u32
});
plain!(LostHead {
    cursor: [u64; 6],
    count: u32,
    entries: u32,
    iflags: u32,
    oflags: u32;
    recs
});
plain!(Status {
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
    reserved: [u64; 12]
});
plain!(ClearArg {
    block: u64,
    count: u64,
    busy: u64,
    refused: u64,
    failed: u64,
    flags: u32,
    reserved: u32
});

/// What a record of FS_IOC_GETFSMAP is about, if not a file's blocks.
pub(crate) struct FsMapKind;

impl FsMapKind {
    /// Free blocks.
    pub(crate) const FREE: u64 = bindings::FMR_OWN_FREE;
    /// Used by something or other.
    pub(crate) const UNKNOWN: u64 = bindings::FMR_OWN_UNKNOWN;
    /// What has a fixed place: superblocks. The generic header has no name for it, so it is the one
    /// of XFS and ext4, as is the next.
    pub(crate) const FS: u64 = bindings::FMR_OWN_FS;
    /// The metadata log.
    pub(crate) const LOG: u64 = bindings::FMR_OWN_LOG;
    /// Bad blocks. The name is XFS's.
    pub(crate) const DEFECTIVE: u64 = bindings::FMR_OWN_DEFECTIVE;
    /// `fmr_flags`: the owner is one of these.
    pub(crate) const SPECIAL: u32 = bindings::FMR_OF_SPECIAL_OWNER;
    /// `fmr_flags`: a block has other owners.
    pub(crate) const SHARED: u32 = bindings::FMR_OF_SHARED;
    /// `fmr_flags`: a file has the blocks, and nothing is written there yet.
    pub(crate) const UNWRITTEN: u32 = bindings::FMR_OF_PREALLOC;
    /// `fmr_flags`: no more records.
    pub(crate) const LAST: u32 = bindings::FMR_OF_LAST;
    /// `fmh_oflags`: device numbers are such.
    pub(crate) const OF_DEV_T: u32 = bindings::FMH_OF_DEV_T;
}
