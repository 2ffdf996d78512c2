// SPDX-License-Identifier: GPL-2.0

//! Errors of the medium, as people read them.

use std::{
    fmt,
    io, //
};

/// Something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What was not possible, if more is known than the number.
    what: Option<String>,
    errno: i32,
}

/// A result.
pub type Result<T> = std::result::Result<T, Error>;

/// The system's number of an error that does not say it.
const EIO: i32 = 5;

impl Error {
    /// What the system says of something.
    pub(crate) fn io(what: impl Into<String>, error: &io::Error) -> Self {
        Self {
            what: Some(what.into()),
            errno: error.raw_os_error().unwrap_or(EIO),
        }
    }

    /// The system's number of it.
    pub fn errno(&self) -> i32 {
        self.errno
    }
}

impl From<kernel::error::Error> for Error {
    fn from(error: kernel::error::Error) -> Self {
        Self {
            what: None,
            errno: -error.to_errno(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = io::Error::from_raw_os_error(self.errno).to_string();
        let reason = match text.find(" (os error ") {
            Some(end) => &text[..end],
            None => &text,
        };
        match &self.what {
            Some(what) => write!(f, "{what}: {reason}"),
            None => f.write_str(reason),
        }
    }
}

impl std::error::Error for Error {}
