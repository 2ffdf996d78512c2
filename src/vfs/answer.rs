// SPDX-License-Identifier: GPL-2.0

//! What a callback answers the VFS, and so a system call its caller.
//!
//! All that goes out of here by number goes through [`outside`]: what the layers below tell each other is
//! not for user space.
//!
//! # Locking
//!
//! None.

use crate::errno;
use kernel::prelude::*;

/// The answer of a callback that does `f`: as the function of the kernel crate, but for what
/// [`outside`] says.
pub(crate) fn from_result<T: From<i16>>(f: impl FnOnce() -> Result<T>) -> T {
    kernel::error::from_result(|| f().map_err(outside))
}

/// What an error is called outside of the filesystem.
pub(crate) fn outside(e: Error) -> Error {
    errno::for_system_call(e)
}
