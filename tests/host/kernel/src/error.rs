// SPDX-License-Identifier: GPL-2.0

//! Stands in for `kernel::error`.

use crate::alloc::AllocError;
use std::{
    fmt,
    num::NonZeroI32, //
};

/// Error codes, as the kernel crate declares them: it does not have all of errno.h.
pub mod code {
    macro_rules! declare_err {
        ($($name:ident = $errno:literal),* $(,)?) => {
            $(
                #[doc = concat!("Error ", stringify!($errno), ".")]
                pub const $name: super::Error =
                    super::Error(std::num::NonZeroI32::new(-$errno).unwrap());
            )*
        };
    }

    declare_err!(
        EPERM = 1,
        ENOENT = 2,
        EINTR = 4,
        EIO = 5,
        ENXIO = 6,
        E2BIG = 7,
        EBADF = 9,
        EAGAIN = 11,
        ENOMEM = 12,
        EFAULT = 14,
        EBUSY = 16,
        EEXIST = 17,
        EXDEV = 18,
        ENODEV = 19,
        ENOTDIR = 20,
        EISDIR = 21,
        EINVAL = 22,
        ENOTTY = 25,
        EFBIG = 27,
        ENOSPC = 28,
        EROFS = 30,
        EMLINK = 31,
        ERANGE = 34,
        EOVERFLOW = 75,
        ERESTARTSYS = 512,
    );
}

/// An error code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(NonZeroI32);

impl Error {
    /// Creates an error from a negative errno; `EINVAL` if it is not one.
    pub fn from_errno(errno: i32) -> Error {
        match NonZeroI32::new(errno) {
            Some(errno) if (-4095..0).contains(&errno.get()) => Error(errno),
            _ => code::EINVAL,
        }
    }

    /// Returns the negative errno.
    pub fn to_errno(self) -> i32 {
        self.0.get()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({})", self.0)
    }
}

impl From<AllocError> for Error {
    fn from(_: AllocError) -> Error {
        code::ENOMEM
    }
}

/// The kernel's result type.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;
