// SPDX-License-Identifier: GPL-2.0

//! Output: one struct for each command, which is also the JSON, and its text.
//!
//! In JSON a path is a string. One that is not UTF-8 has U+FFFD where it is not, and `path_hex` beside
//! it, which is the path byte by byte, two hexadecimal digits each. In text see
//! [`escape`](crate::escape).

mod clear;
mod date;
mod dump;
mod event;
mod guard;
mod lost;
mod map;
mod owners;
mod scrub;
mod status;

pub use self::{
    clear::ClearReport,
    dump::{
        DumpReport,
        LogReport,
        Udev, //
    },
    event::{
        moment,
        EventReport,
        Happened, //
    },
    guard::{
        GuardDeviceReport,
        GuardReport,
        Pages, //
    },
    lost::{
        LostFileReport,
        LostMetadata,
        LostRange,
        LostReport, //
    },
    map::{
        bytes,
        cells,
        page_cells,
        text_cells,
        MapReport, //
    },
    owners::{
        BlockUse,
        OwnerReport,
        OwnersReport, //
    },
    scrub::ScrubReport,
    status::StatusReport,
};
use crate::escape::escape;
use serde::Serialize;
use std::{
    fmt::Write,
    os::unix::ffi::OsStrExt,
    path::{
        Path,
        PathBuf, //
    },
};

/// A path.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Name {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    plain: PathBuf,
}

impl Name {
    /// The path itself.
    pub fn plain(&self) -> &Path {
        &self.plain
    }

    /// As JSON has it.
    pub fn shown(&self) -> &str {
        &self.path
    }
}

impl From<&Path> for Name {
    fn from(path: &Path) -> Self {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a String takes all");
                hex
            })
        };
        let valid = path.to_str().is_some();
        Self {
            path: path.to_string_lossy().into_owned(),
            path_hex: (!valid).then(|| hex(path.as_os_str().as_bytes())),
            text: escape(path.as_os_str()).into_owned(),
            plain: path.to_owned(),
        }
    }
}

/// Whether a file has names.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// These.
    Named,
    /// None: it lives until it is closed.
    Unlinked,
    /// None was found.
    Unknown,
}

/// A file.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct File {
    /// Inode number.
    pub inode: u64,
    /// Whether it has names.
    pub state: State,
    /// All names.
    pub paths: Vec<Name>,
}

impl File {
    /// What stands for the file in text: each of its names, or what else is known of it.
    fn texts(&self) -> Vec<String> {
        match self.state {
            State::Named => self.paths.iter().map(|name| name.text.clone()).collect(),
            State::Unlinked => vec![format!("(unlinked) inode {}", self.inode)],
            State::Unknown => vec![format!("(no name found) inode {}", self.inode)],
        }
    }
}

/// What the tests of the reports begin with.
#[cfg(test)]
mod samples {
    pub(super) use super::{
        File,
        Name,
        State, //
    };
    pub(super) use serde_json::{
        json,
        to_value, //
    };
    use std::{
        ffi::OsStr,
        os::unix::ffi::OsStrExt,
        path::Path, //
    };

    pub(super) fn name(bytes: &[u8]) -> Name {
        Path::new(OsStr::from_bytes(bytes)).into()
    }

    pub(super) fn file(inode: u64, state: State, paths: &[&[u8]]) -> File {
        File {
            inode,
            state,
            paths: paths.iter().map(|path| name(path)).collect(),
        }
    }
}
