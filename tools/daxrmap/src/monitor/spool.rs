// SPDX-License-Identifier: GPL-2.0

//! What hooks are to be told: a folder with a file for each event.
//!
//! Hooks do not run in the monitor: it is confined, and must not wait, while a hook may have to write to any file,
//! and may hang. The monitor puts the facts here; systemd sees it (`daxrmap-on-failure.path`), and starts `daxrmap
//! hooks`. So nothing is forgotten either if the monitor dies before its hook has run.

use crate::{
    error::{
        bad_answer,
        Error,
        Result, //
    },
    report::EventReport,
};
use serde::{
    Deserialize,
    Serialize, //
};
use std::{
    ffi::OsString,
    fs::{
        self,
        OpenOptions, //
    },
    io::{
        self,
        Write, //
    },
    os::unix::{
        ffi::OsStringExt,
        fs::{
            DirBuilderExt,
            OpenOptionsExt, //
        },
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// More events than that wait for no hook.
const MOST: usize = 10_000;

/// Facts: names of variables, and their values byte by byte, since paths are not all UTF-8.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Facts(Vec<(String, Vec<u8>)>);

impl Facts {
    /// The environment of a hook.
    pub fn environment(self) -> impl Iterator<Item = (String, OsString)> {
        let facts = self.0.into_iter();
        facts.map(|(name, value)| (format!("DAXRMAP_{name}"), OsString::from_vec(value)))
    }
}

/// The folder.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    waiting: usize,
    next: u64,
}

impl Spool {
    /// Makes the folder, unless it is there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn open(dir: &Path) -> Result<Self> {
        let open = || {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(dir)?;
            let names = waiting(dir)?;
            let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u64>().ok();
            let last = names.iter().filter_map(number).max();
            Ok(Self {
                dir: dir.to_owned(),
                waiting: names.len(),
                next: last.map_or(0, |last| last.saturating_add(1)),
            })
        };
        open().map_err(|error: Error| error.about(dir))
    }

    /// Puts an event there.
    ///
    /// # Errors
    ///
    /// If too many are there, and what the system says.
    pub fn add(&mut self, event: &EventReport) -> Result<()> {
        let here = |error: Error| error.about(&self.dir);
        if self.waiting >= MOST {
            self.waiting = waiting(&self.dir).map_err(here)?.len();
        }
        if self.waiting >= MOST {
            return Err(here(Error::new(format!(
                "{MOST} events wait for their hooks already: none is run for this one"
            ))));
        }
        let facts = event.facts().into_iter();
        let facts = Facts(
            facts
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        );
        let name = format!("{:020}", self.next);
        let new = self.dir.join(format!(".{name}"));
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            serde_json::to_writer(&mut file, &facts).map_err(io::Error::from)?;
            file.flush()?;
            fs::rename(&new, self.dir.join(&name))
        };
        write().map_err(|error| here(error.into()))?;
        self.next += 1;
        self.waiting += 1;
        Ok(())
    }
}

/// What is there, in the order in which it came.
fn waiting(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let digits = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        if entry.file_name().to_str().is_some_and(digits) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Takes the first one, and all after it, out of the folder, and gives each to `visit`.
///
/// # Errors
///
/// What the system says.
pub fn take_all(dir: &Path, mut visit: impl FnMut(Result<Facts>)) -> Result<()> {
    loop {
        let paths = match waiting(dir) {
            Err(error) if error.errno() == Some(libc::ENOENT) => return Ok(()),
            paths => paths.map_err(|error| error.about(dir))?,
        };
        if paths.is_empty() {
            return Ok(());
        }
        for path in paths {
            let text = fs::read(&path);
            // It is gone before its hook runs: one that kills us must not be run for ever.
            fs::remove_file(&path).map_err(|error| Error::from(error).about(&path))?;
            let facts = text.map_err(Error::from).and_then(|text| {
                serde_json::from_slice(&text).map_err(|_| bad_answer("not what we have written"))
            });
            visit(facts.map_err(|error| error.about(&path)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Happened;
    use std::{
        ffi::OsStr,
        os::unix::ffi::OsStrExt, //
    };

    #[test]
    fn what_is_put_there_is_taken_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("a/b");
        take_all(&dir, |_| panic!("nothing is there")).unwrap();
        let mount = Path::new(OsStr::from_bytes(b"/\xff\n"));
        let mut spool = Spool::open(&dir).unwrap();
        for time in 0..12 {
            let event = EventReport {
                mount: Some(mount.into()),
                ..EventReport::new(Happened::Gone, time * 1000)
            };
            spool.add(&event).unwrap();
            // Another one goes on where this one ended.
            spool = Spool::open(&dir).unwrap();
        }
        fs::write(dir.join("00000000000000000003"), "nonsense").unwrap();
        let mut times = Vec::new();
        let mut bad = 0;
        take_all(&dir, |facts| match facts {
            Ok(facts) => {
                let facts: Vec<_> = facts.environment().collect();
                assert!(facts.contains(&("DAXRMAP_MOUNTPOINT".to_owned(), mount.into())));
                let time = facts.iter().find(|(name, _)| name == "DAXRMAP_TIME");
                times.push(time.unwrap().1.clone());
            }
            Err(error) => {
                assert!(error.to_string().contains("00003: "), "{error}");
                bad += 1;
            }
        })
        .unwrap();
        assert_eq!((times.len(), bad), (11, 1));
        assert!(times.is_sorted());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    }

    #[test]
    fn not_more_than_so_many() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(dir.path()).unwrap();
        let event = EventReport::new(Happened::Gone, 0);
        for _ in 0..MOST {
            spool.add(&event).unwrap();
        }
        let error = spool.add(&event).unwrap_err().to_string();
        assert!(error.contains("10000 events wait"), "{error}");
        // Room again.
        fs::remove_file(dir.path().join("00000000000000000000")).unwrap();
        spool.add(&event).unwrap();
    }
}
