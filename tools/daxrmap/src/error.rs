// SPDX-License-Identifier: GPL-2.0

//! Errors, as they are told to people: `WHAT: REASON`, in front of which the program puts its own name.

use crate::escape::escape;
use std::{
    ffi::OsStr,
    fmt,
    io, //
};

/// A failure: what it is about, and the reason.
#[derive(Debug)]
pub struct Error {
    /// A path, or what else it is about.
    what: Option<String>,
    reason: String,
    /// Whoever reads our output has gone away.
    broken_pipe: bool,
    /// The system's number of it.
    errno: Option<i32>,
}

/// A result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that is not the system's.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            what: None,
            reason: reason.into(),
            broken_pipe: false,
            errno: None,
        }
    }

    /// Says which path it is about, unless it is said already what.
    pub fn about(self, path: impl AsRef<OsStr>) -> Self {
        self.about_what(escape(path.as_ref()))
    }

    /// Says what it is about, unless that is said already.
    pub fn about_what(mut self, what: impl Into<String>) -> Self {
        self.what.get_or_insert_with(|| what.into());
        self
    }

    /// The number of an error that is the system's.
    pub fn errno(&self) -> Option<i32> {
        self.errno
    }

    /// Whether there is nobody to read what we write.
    pub fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Some(what) => write!(f, "{what}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self {
            broken_pipe: error.kind() == io::ErrorKind::BrokenPipe,
            errno: error.raw_os_error(),
            ..Self::new(reason(&error))
        }
    }
}

impl From<daxrmap_media::error::Error> for Error {
    fn from(error: daxrmap_media::error::Error) -> Self {
        Self {
            errno: Some(error.errno()),
            ..Self::new(error.to_string())
        }
    }
}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Self {
        io::Error::from(errno).into()
    }
}

/// The reason as strerror(3) gives it, without the number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The kernel's answer cannot be right.
pub fn bad_answer(why: &str) -> Error {
    Error::new(format!("the kernel's answer makes no sense: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_as_that_of_a_unix_tool() {
        let error = Error::from(io::Error::from_raw_os_error(libc::ENOENT));
        assert_eq!(error.to_string(), "No such file or directory");
        assert_eq!(error.errno(), Some(libc::ENOENT));
        let error = error.about("/a b\n");
        assert_eq!(error.to_string(), r"/a\ b\n: No such file or directory");
        assert_eq!(
            error.about("/c").to_string(),
            r"/a\ b\n: No such file or directory"
        );
        let error = Error::new("no").about_what("a b");
        assert_eq!(error.errno(), None);
        assert_eq!(error.to_string(), "a b: no");
    }
}
