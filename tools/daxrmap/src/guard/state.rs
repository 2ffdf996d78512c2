// SPDX-License-Identifier: GPL-2.0

//! What is written down for the next boot: one file of JSON, replaced as a whole, in /var/lib/daxrmap or
//! where `$DAXRMAP_STATE` says.

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

/// All that is written down.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct State {
    version: u32,
    /// Lists of bad blocks.
    pub lists: Vec<SavedList>,
    /// Devices over an XFS.
    pub wraps: Vec<Wrap>,
}

/// A device, so that it is known again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its name below /dev.
    pub device: String,
    /// Number of bytes.
    pub size: u64,
    /// The physical address of its first byte; 0 for a device with a uuid, which may be elsewhere after a boot.
    pub address: u64,
    /// The uuid of its namespace, where name and address are others after a boot: CXL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        let name = |this: &Self| {
            this.uuid
                .is_none()
                .then(|| (this.device.clone(), this.address))
        };
        self.uuid == other.uuid && self.size == other.size && name(self) == name(other)
    }
}

impl Eq for Identity {}

/// The list of bad blocks of a device.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct SavedList {
    /// Whose.
    pub of: Identity,
    /// The life of the driver's list that has all of this: it is forgotten with the boot, and when the driver is
    /// bound anew.
    pub life: String,
    /// First sector, and how many.
    pub sectors: Vec<(u64, u64)>,
}

/// A device-mapper device over an XFS.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    /// Its name below /dev/mapper.
    pub name: String,
    /// Where the XFS was when it was made, below /dev.
    pub device: String,
    /// The uuid of the XFS, which is looked for elsewhere if it is not there.
    pub uuid: String,
}

/// The folder, while nobody else changes what is in it.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    _lock: File,
}

impl Store {
    /// Waits until nobody else is at it. Makes the folder if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or written to.
    pub fn open() -> Result<Self> {
        Self::at(&state::folder())
    }

    fn at(dir: &Path) -> Result<Self> {
        let lock = state::lock(&dir.join("lock"), FlockOperation::LockExclusive);
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock.map_err(|error| error.about(dir))?,
        })
    }

    /// The same for tests, elsewhere.
    #[cfg(test)]
    pub(crate) fn for_test(dir: &Path) -> Self {
        Self::at(dir).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.dir.join("guard.json")
    }

    /// What is written down; nothing, if nothing was ever.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or understood.
    pub fn load(&self) -> Result<State> {
        let here = |error: Error| error.about(self.path());
        let Some(text) = state::read(&self.path()).map_err(here)? else {
            return Ok(State::default());
        };
        let version = serde_json::from_slice::<serde_json::Value>(&text)
            .ok()
            .and_then(|value| value.get("version")?.as_u64());
        if let Some(version) = version.filter(|&version| version != u64::from(VERSION)) {
            return Err(here(Error::new(format!(
                "written by another version of daxrmap: {version}, not {VERSION}"
            ))));
        }
        serde_json::from_slice(&text)
            .map_err(|error| here(Error::new(format!("not what we have written: {error}"))))
    }

    /// Writes it down instead of what there is: after a crash there is one of both.
    ///
    /// # Errors
    ///
    /// What the system says; what there was is still there then.
    pub fn save(&self, state: &State) -> Result<()> {
        let state = State {
            version: VERSION,
            ..state.clone()
        };
        state::replace(&self.path(), &state).map_err(|error| error.about(self.path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn some() -> State {
        State {
            version: VERSION,
            lists: vec![SavedList {
                of: Identity {
                    device: "pmem0".to_owned(),
                    size: 1 << 29,
                    address: 1 << 32,
                    uuid: None,
                },
                life: "boot 1".to_owned(),
                sectors: vec![(8, 8)],
            }],
            wraps: vec![Wrap {
                name: "pmem0-guard".to_owned(),
                device: "pmem0".to_owned(),
                uuid: "x".to_owned(),
            }],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::for_test(&dir.path().join("a/b"));
        assert_eq!(store.load().unwrap(), State::default());
        store.save(&some()).unwrap();
        assert_eq!(store.load().unwrap(), some());
        store.save(&State::default()).unwrap();
        assert!(store.load().unwrap().lists.is_empty());
        assert!(!dir.path().join("a/b/guard.json.new").exists());
    }

    #[test]
    fn what_was_there_stays_if_it_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::for_test(dir.path());
        store.save(&some()).unwrap();
        fs::create_dir(dir.path().join("guard.json.new")).unwrap();
        assert!(store.save(&State::default()).is_err());
        assert_eq!(store.load().unwrap(), some());
    }

    #[test]
    fn what_cannot_be_understood() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::for_test(dir.path());
        for (text, why) in [
            ("", "not what we have written"),
            ("{}", "not what we have written"),
            ("{\"version\": 1, \"lists\": [", "not what we have written"),
            (
                "{\"version\": 1, \"lists\": [], \"wraps\": [], \"x\": 1}",
                "not what",
            ),
            (
                "{\"version\": 2, \"x\": 1}",
                "another version of daxrmap: 2, not 1",
            ),
        ] {
            fs::write(dir.path().join("guard.json"), text).unwrap();
            let error = store.load().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert!(error.contains("guard.json: "), "{error}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(Store::at(&dir.path().join("file")).is_err());
    }
}
