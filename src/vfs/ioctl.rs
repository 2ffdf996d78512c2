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
    fs_ioctl,
    Inode,
    Whole, //
};
use crate::bindings;
use kernel::{
    error::{
        from_result,
        to_result, //
    },
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

// The types of the C headers are plain numbers without padding. What an array at the end has room
// for is not part of them.

// SAFETY: As above.
unsafe impl AsBytes for FsMap {}
// SAFETY: As above.
unsafe impl AsBytes for FsMapHead {}
// SAFETY: As above.
unsafe impl FromBytes for FsMapHead {}
// SAFETY: As above.
unsafe impl AsBytes for Lost {}
// SAFETY: As above.
unsafe impl AsBytes for LostHead {}
// SAFETY: As above.
unsafe impl FromBytes for LostHead {}

// SAFETY: As above.
unsafe impl AsBytes for Status {}
// SAFETY: As above.
unsafe impl FromBytes for Status {}
// SAFETY: As above.
unsafe impl AsBytes for ClearArg {}
// SAFETY: As above.
unsafe impl FromBytes for ClearArg {}

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

/// Whether the caller has `CAP_SYS_ADMIN`. `audit`: it counts as the use of it, and is logged if it
/// is missing.
pub(crate) fn is_admin(audit: bool) -> bool {
    const CAP: c_int = bindings::CAP_SYS_ADMIN as c_int;
    if audit {
        // SAFETY: Asks about the current task.
        unsafe { bindings::capable(CAP) }
    } else {
        // SAFETY: A static of the kernel; its address is all that is taken.
        let init_user_ns = &raw mut bindings::init_user_ns;
        // SAFETY: Asks about the current task.
        unsafe { bindings::ns_capable_noaudit(init_user_ns, CAP) }
    }
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
/// `file` is an open file.
pub(super) unsafe fn while_writable(
    file: *mut bindings::file,
    f: impl FnOnce() -> Result,
) -> Result {
    // SAFETY: By the caller's promise; paired with the drop below.
    to_result(unsafe { bindings::mnt_want_write_file(file) })?;
    let result = f();
    // SAFETY: As above.
    unsafe { bindings::mnt_drop_write_file(file) };
    result
}

/// # Safety
///
/// Called by the VFS with an open file of an `F`.
pub(super) unsafe extern "C" fn unlocked_ioctl<F: Ioctl>(
    file: *mut bindings::file,
    cmd: c_uint,
    arg: c_ulong,
) -> c_long {
    let result = from_result(|| {
        // SAFETY: By the caller's promise.
        let inode = unsafe { Inode::<F>::of_file(file) };
        let arg = UserPtr::from_addr(arg);
        // SAFETY: By the caller's promise.
        if let Some(result) = unsafe { fs_ioctl::answer(file, inode, cmd, arg) } {
            return result.map(|()| 0);
        }
        match cmd {
            bindings::FS_IOC_GETFSMAP => F::getfsmap(inode, arg)?,
            bindings::DAXRMAP_IOC_LOST => F::lost(inode, arg)?,
            bindings::DAXRMAP_IOC_STATUS => F::status(inode, arg)?,
            bindings::DAXRMAP_IOC_CLEAR => {
                // SAFETY: By the caller's promise.
                unsafe { while_writable(file, || F::clear(inode, arg)) }?
            }
            _ => return Err(ENOTTY),
        }
        Ok(0)
    });
    result as c_long
}
