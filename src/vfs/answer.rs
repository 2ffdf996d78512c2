// SPDX-License-Identifier: GPL-2.0

//! What a callback answers the VFS, and so a system call its caller.
//!
//! Every error that leaves the filesystem goes through [`outside`]: some numbers are for the layers here
//! alone, and user space must not see them.
//!
//! # Locking
//!
//! None: these are plain functions.

use crate::errno;
use kernel::prelude::*;

/// The answer of a callback that does `f`: as `kernel::error::from_result`, with the error that
/// [`outside`] makes of it.
pub(crate) fn from_result<T: From<i16>>(f: impl FnOnce() -> Result<T>) -> T {
    kernel::error::from_result(|| f().map_err(outside))
}

/// What an error is called outside of the filesystem.
pub(crate) fn outside(e: Error) -> Error {
    errno::for_system_call(e)
}
