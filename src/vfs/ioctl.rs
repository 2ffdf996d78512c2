// SPDX-License-Identifier: GPL-2.0

//! ioctl(2) on files and directories.
//!
//! C headers: [`include/uapi/linux/fsmap.h`](srctree/include/uapi/linux/fsmap.h)
//!
//! # Locking
//!
//! The VFS holds no lock.

use super::{
    FileSystem,
    Inode, //
};
use crate::bindings;
use kernel::{
    error::from_result,
    prelude::*,
    transmute::{
        AsBytes,
        FromBytes, //
    },
    uaccess::UserPtr, //
};

pub(crate) use crate::bindings::{
    fsmap as FsMap,
    fsmap_head as FsMapHead, //
};

// The types of the C headers are plain numbers without padding. What an array at the end has room
// for is not part of them.

// SAFETY: As above.
unsafe impl AsBytes for FsMap {}
// SAFETY: As above.
unsafe impl AsBytes for FsMapHead {}
// SAFETY: As above.
unsafe impl FromBytes for FsMapHead {}

/// What a record of FS_IOC_GETFSMAP is about, if not a file's blocks.
pub(crate) struct FsMapKind;

impl FsMapKind {
    /// Free blocks.
    pub(crate) const FREE: u64 = bindings::FMR_OWN_FREE;
    /// Used by something or other.
    pub(crate) const UNKNOWN: u64 = bindings::FMR_OWN_UNKNOWN;
    /// Bad blocks. The generic header has no name for them, so it is XFS's.
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
pub(crate) trait Ioctl: FileSystem {
    /// FS_IOC_GETFSMAP: what is where on the device.
    fn getfsmap(inode: &Inode<Self>, arg: UserPtr) -> Result;
}

/// Whether the caller has `CAP_SYS_ADMIN`. It does not count as the use of it.
pub(crate) fn is_admin() -> bool {
    const CAP: c_int = bindings::CAP_SYS_ADMIN as c_int;
    // SAFETY: The current task is alive.
    unsafe { bindings::has_capability_noaudit(kernel::current!().as_ptr(), CAP) }
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
        match cmd {
            bindings::FS_IOC_GETFSMAP => F::getfsmap(inode, arg)?,
            _ => return Err(ENOTTY),
        }
        Ok(0)
    });
    result as c_long
}
