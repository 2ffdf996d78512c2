// SPDX-License-Identifier: GPL-2.0

//! Write access to a mount, by a file that was opened through it.
//!
//! C header: [`include/linux/mount.h`](srctree/include/linux/mount.h)
//!
//! # Locking
//!
//! [`while_writable`] waits for the end of a freeze, so its caller may hold no lock of an inode.

use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*, //
};

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
