// SPDX-License-Identifier: GPL-2.0

//! How far a scrub has come, written down: a file of JSON for each filesystem or device, replaced as a whole, in
//! /var/lib/daxrmap/scrub, or below where `$DAXRMAP_STATE` says.

use crate::{
    error::{
        Error,
        Result, //
    },
    state, //
};
use rustix::fs::FlockOperation;
use serde::{
    Deserialize,
    Serialize, //
};
use std::{
    fs::File,
    path::{
        Path,
        PathBuf, //
    },
};

/// What we write, and can read.
const VERSION: u32 = 1;

/// A page that was found.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// The disk's name below /dev.
    pub disk: String,
    /// The page, counted from the disk's start.
    pub page: u64,
    /// Its first byte on the device that was scrubbed.
    pub offset: u64,
}

/// How far it has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    version: u32,
    /// Bytes of the device, so that another one of its name is not taken for it.
    pub size: u64,
    /// Whether free blocks are read too.
    pub all: bool,
    /// The byte of the device before which all is done.
    pub position: u64,
    /// Bytes that were read and are good.
    pub read: u64,
    /// Pages that were known as bad.
    pub known: u64,
    /// Finds for which something went wrong.
    pub untold: u64,
    /// What was found.
    pub found: Vec<Find>,
}

impl Reached {
    /// Nowhere yet, on a device of so many bytes.
    pub fn nowhere(size: u64, all: bool) -> Self {
        Self {
            size,
            all,
            ..Self::default()
        }
    }
}

/// The file of one filesystem or device, while nobody else scrubs that.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// That of what is called so. Makes the folder if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or written to; if somebody else is at it.
    pub fn open(name: &str) -> Result<Self> {
        Self::at(&state::folder().join("scrub"), name)
    }

    fn at(dir: &Path, name: &str) -> Result<Self> {
        // A uuid, or a name below /dev, which may have a folder in it.
        let name = name.replace('/', "!");
        let path = dir.join(format!("{name}.json"));
        let how = FlockOperation::NonBlockingLockExclusive;
        match state::lock(&dir.join(format!("{name}.lock")), how) {
            Ok(lock) => Ok(Self { path, _lock: lock }),
            Err(error) if error.errno() == Some(rustix::io::Errno::WOULDBLOCK.raw_os_error()) => {
                Err(Error::new("another scrub of this is running").about(path))
            }
            Err(error) => Err(error.about(path)),
        }
    }

    /// What is written down, if a scrub has not come to its end.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or understood.
    pub fn load(&self) -> Result<Option<Reached>> {
        let here = |error: Error| error.about(&self.path);
        let Some(text) = state::read(&self.path).map_err(here)? else {
            return Ok(None);
        };
        let reached: Reached = serde_json::from_slice(&text).map_err(|error| {
            here(Error::new(format!(
                "not what we have written ({error}): --restart begins anew"
            )))
        })?;
        match reached.version {
            VERSION => Ok(Some(reached)),
            other => Err(here(Error::new(format!(
                "written by another version of daxrmap ({other}): --restart begins anew"
            )))),
        }
    }

    /// Writes it down instead of what there is: after a crash there is one of both.
    ///
    /// # Errors
    ///
    /// What the system says; what there was is still there then.
    pub fn save(&self, reached: &Reached) -> Result<()> {
        let reached = Reached {
            version: VERSION,
            ..reached.clone()
        };
        state::replace(&self.path, &reached).map_err(|error| error.about(&self.path))
    }

    /// It came to its end: there is nothing to go on from.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn done(&self) -> Result<()> {
        state::remove(&self.path).map_err(|error| error.about(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn some() -> Reached {
        Reached {
            version: VERSION,
            size: 1 << 30,
            all: true,
            position: 4096,
            read: 4096,
            known: 1,
            untold: 0,
            found: vec![Find {
                disk: "pmem0".to_owned(),
                page: 7,
                offset: 0,
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_until_it_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(&dir.path().join("a/b"), "mapper/x").unwrap();
        assert_eq!(store.load().unwrap(), None);
        store.save(&some()).unwrap();
        assert_eq!(store.load().unwrap(), Some(some()));
        assert!(dir.path().join("a/b/mapper!x.json").exists());
        store.done().unwrap();
        store.done().unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let one = Store::at(dir.path(), "pmem0").unwrap();
        let error = Store::at(dir.path(), "pmem0").unwrap_err().to_string();
        assert!(
            error.ends_with("pmem0.json: another scrub of this is running"),
            "{error}"
        );
        Store::at(dir.path(), "pmem1").unwrap();
        drop(one);
        Store::at(dir.path(), "pmem0").unwrap();
    }

    #[test]
    fn what_cannot_be_understood() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path(), "x").unwrap();
        let other = serde_json::to_string(&Reached {
            version: 2,
            ..some()
        });
        for text in ["", "{}", "[]", &other.unwrap()] {
            fs::write(dir.path().join("x.json"), text).unwrap();
            let error = store.load().unwrap_err().to_string();
            assert!(error.contains("--restart"), "{error}");
        }
        store.save(&some()).unwrap();
        fs::create_dir(dir.path().join("x.json.new")).unwrap();
        assert!(store.save(&Reached::default()).is_err());
        assert_eq!(store.load().unwrap(), Some(some()));
    }
}
