// SPDX-License-Identifier: GPL-2.0

//! ioctl(2) on files and directories.
//!
//! C headers: [`include/uapi/linux/fsmap.h`](srctree/include/uapi/linux/fsmap.h),
//! include/uapi/daxrmap.h
//!
//! # Locking
//!
//! The VFS holds no lock.

use super::{
    answer::from_result,
    fs_ioctl,
    Inode,
    Whole, //
};
use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*,
    transmute::{
        AsBytes,
        FromBytes, //
    },
    uaccess::UserPtr, //
};

pub(crate) use crate::bindings::{
    daxrmap_clear as ClearArg,
    daxrmap_lost as Lost,
    daxrmap_lost_head as LostHead,
    daxrmap_status as Status,
    fsmap as FsMap,
    fsmap_head as FsMapHead,
    DAXRMAP_LOST_END as LOST_END,
    DAXRMAP_STATUS_INCONSISTENT as STATUS_INCONSISTENT,
    DAXRMAP_STATUS_READ_ONLY as STATUS_READ_ONLY,
    DAXRMAP_STATUS_SHUTDOWN as STATUS_SHUTDOWN, //
};

/// Makes a type of the C headers one that can be copied from and to user space. It does not compile
/// unless these are all fields of it, in these types, and there are no bytes between or behind them. What
/// an array at the end (`; name`) has room for is not part of it.
macro_rules! plain {
    ($type:ident { $($field:ident: $kind:ty),* $(; $array:ident)? }) => {
        const _: () = {
            assert!(
                0 $(+ size_of::<$kind>())* == size_of::<$type>(),
                "there is padding",
            );
            fn _fields(it: $type) -> ($($kind,)*) {
                let $type { $($field,)* $($array: _)? } = it;
                ($($field,)*)
            }
        };
        // SAFETY: All bytes belong to fields, which are numbers: checked above.
        unsafe impl AsBytes for $type {}
        // SAFETY: All fields are numbers, which may be any: checked above.
        unsafe impl FromBytes for $type {}
    };
}

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
    /// `fmr_flags`: no more records.
    pub(crate) const LAST: u32 = bindings::FMR_OF_LAST;
    /// `fmh_oflags`: device numbers are such.
    pub(crate) const OF_DEV_T: u32 = bindings::FMH_OF_DEV_T;
}

/// The ioctls of a filesystem. Arguments are the user's addresses of what the C headers say.
pub(crate) trait Ioctl: Whole {
    /// FS_IOC_GETFSMAP: what is where on the device.
    fn getfsmap(inode: &Inode<Self>, arg: UserPtr) -> Result;
    /// DAXRMAP_IOC_LOST: which pages of which files are lost.
    fn lost(inode: &Inode<Self>, arg: UserPtr) -> Result;
    /// DAXRMAP_IOC_STATUS: how the mount is.
    fn status(inode: &Inode<Self>, arg: UserPtr) -> Result;
    /// DAXRMAP_IOC_CLEAR: blocks that failed, and may be good again. The mount is writable.
    fn clear(inode: &Inode<Self>, arg: UserPtr) -> Result;
}

/// Runs `f` while the mount that the file was opened through cannot become read-only, and is not
/// frozen.
///
/// # Errors
///
/// `EROFS` if it is read-only; what `f` says.
///
/// # Safety
///
/// `file`: an open file.
pub(super) unsafe fn while_writable(
    file: *mut bindings::file,
    f: impl FnOnce() -> Result,
) -> Result {
    // SAFETY: The file is open: clause `file`; paired with the drop below.
    to_result(unsafe { bindings::mnt_want_write_file(file) })?;
    let result = f();
    // SAFETY: The file is open: clause `file`. Write access was got above.
    unsafe { bindings::mnt_drop_write_file(file) };
    result
}

/// # Safety
///
/// Called by the VFS. `file`: an open file of an `F`.
pub(crate) unsafe extern "C" fn unlocked_ioctl<F: Ioctl>(
    file: *mut bindings::file,
    cmd: c_uint,
    arg: c_ulong,
) -> c_long {
    let result = from_result(|| {
        // SAFETY: The file is open, and an `F`'s: clause `file`.
        let inode = unsafe { Inode::<F>::of_file(file) };
        let arg = UserPtr::from_addr(arg);
        // SAFETY: The file is open: clause `file`; the inode is its.
        if let Some(result) = unsafe { fs_ioctl::answer(file, inode, cmd, arg) } {
            return result.map(|()| 0);
        }
        match cmd {
            bindings::FS_IOC_GETFSMAP => F::getfsmap(inode, arg)?,
            bindings::DAXRMAP_IOC_LOST => F::lost(inode, arg)?,
            bindings::DAXRMAP_IOC_STATUS => F::status(inode, arg)?,
            bindings::DAXRMAP_IOC_CLEAR => {
                // SAFETY: The file is open: clause `file`.
                unsafe { while_writable(file, || F::clear(inode, arg)) }?
            }
            _ => return Err(ENOTTY),
        }
        Ok(0)
    });
    result as c_long
}
