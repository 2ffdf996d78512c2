// SPDX-License-Identifier: GPL-2.0

//! Files that are written down for later, in /var/lib/daxrmap or where `$DAXRMAP_STATE` says: JSON, replaced
//! as a whole, by one program at a time.

use crate::error::Result;
use rustix::fs::FlockOperation;
use serde::Serialize;
use std::{
    env,
    fs::{
        self,
        File,
        OpenOptions, //
    },
    io::{
        self,
        Write, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// Where, unless the environment says otherwise.
const DIR: &str = "/var/lib/daxrmap";
/// The variable of the environment.
const VARIABLE: &str = "DAXRMAP_STATE";

/// The folder.
pub fn folder() -> PathBuf {
    let dir = env::var_os(VARIABLE).filter(|dir| !dir.is_empty());
    dir.unwrap_or_else(|| DIR.into()).into()
}

/// Makes the folder of the file `path` if it is not there, and locks the file, until it is closed.
///
/// # Errors
///
/// If it cannot be made, or written to; what `how` is refused by.
pub fn lock(path: &Path, how: FlockOperation) -> Result<File> {
    fs::create_dir_all(parent(path))?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    rustix::fs::flock(&lock, how)?;
    Ok(lock)
}

/// What the file has, if there is one.
///
/// # Errors
///
/// What the system says.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// Writes `value` to the file instead of what there is: after a crash there is one of both.
///
/// # Errors
///
/// What the system says; what there was is still there then.
pub fn replace(path: &Path, value: &impl Serialize) -> Result<()> {
    let new = path.with_extension("json.new");
    let mut file = File::create(&new)?;
    serde_json::to_writer_pretty(&mut file, value).map_err(io::Error::from)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(File::open(parent(path))?.sync_all()?)
}

/// Removes the file, if there is one.
///
/// # Errors
///
/// What the system says.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(File::open(parent(path))?.sync_all()?),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
