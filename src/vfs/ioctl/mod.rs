// SPDX-License-Identifier: GPL-2.0

//! ioctl(2) on files and directories.
//!
//! What many filesystems have is answered here; all else goes to the filesystem, unread.
//!
//! # Locking
//!
//! The VFS holds no lock.

pub(super) mod whole;

use self::whole::Whole;
use crate::{
    bindings,
    vfs::{
        answer::from_result,
        write_access::while_writable,
        Inode, //
    },
};
use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

/// An ioctl that is being answered.
///
/// # Invariants
///
/// - "open": `file` is open while this value lives.
pub(crate) struct IoctlCall<'a, F: Whole> {
    file: *mut bindings::file,
    /// What the file is open on.
    pub(crate) inode: &'a Inode<F>,
    /// The number.
    pub(crate) cmd: u32,
    /// The user's argument, which may be anything.
    pub(crate) arg: UserPtr,
}

impl<F: Whole> IoctlCall<'_, F> {
    /// Runs `f` while the mount that the file was opened through cannot become read-only, and is not
    /// frozen.
    ///
    /// # Errors
    ///
    /// `EROFS` if it is read-only; what `f` says.
    pub(crate) fn while_writable(&self, f: impl FnOnce() -> Result) -> Result {
        // SAFETY: The file is open: invariant "open".
        unsafe { while_writable(self.file, f) }
    }
}

/// The ioctls of a filesystem.
pub(crate) trait Ioctl: Whole {
    /// Answers one; returns what the call returns.
    ///
    /// # Errors
    ///
    /// `ENOTTY` if there is none of that number; what its documentation says.
    fn ioctl(call: &IoctlCall<'_, Self>) -> Result<c_int>;
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
        // SAFETY: The file is open on the inode: clause `file`.
        if let Some(result) = unsafe { whole::answer(file, inode, cmd, arg) } {
            return result.map(|()| 0);
        }
        // INVARIANT: "open": clause `file`.
        let call = IoctlCall {
            file,
            inode,
            cmd,
            arg,
        };
        F::ioctl(&call)
    });
    result as c_long
}
