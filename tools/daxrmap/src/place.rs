// SPDX-License-Identifier: GPL-2.0

//! Where a byte of a file is, by the file's path: for any filesystem.

use crate::{
    abi::{
        self,
        FIEMAP_EXTENT_NOT_PLACED,
        FIEMAP_FLAG_SYNC, //
    },
    error::{
        Error,
        Result, //
    },
    fiemap,
    number::DeviceNumber,
    ranges::Ranges,
    sys,
};
use rustix::fs::{
    AtFlags,
    StatxFlags, //
};
use std::{
    fs::{
        File,
        OpenOptions, //
    },
    os::{
        fd::AsFd,
        unix::fs::OpenOptionsExt, //
    },
    path::Path,
};

/// Where the byte `offset` of the file `path` is on the device of the mount `here`.
///
/// # Errors
///
/// If the file cannot be opened, is not there, or has a hole there.
pub fn of(here: &Path, device: DeviceNumber, path: &Path, offset: u64) -> Result<u64> {
    let find = || {
        let file = open(here, device, path)?;
        fiemap::physical(offset, |request| {
            Ok(sys::ioctl(file.as_fd(), abi::FS_IOC_FIEMAP, request)?)
        })?
        .ok_or_else(|| Error::new(format!("no block at offset {offset}")))
    };
    find().map_err(|error: Error| error.about(path))
}

/// Where all of the file `path` is on the device of the mount `here`.
///
/// # Errors
///
/// If the file cannot be opened, is not there, or has no bytes on the device.
pub fn all(here: &Path, device: DeviceNumber, path: &Path) -> Result<Ranges> {
    let find = || {
        let file = open(here, device, path)?;
        let mut found = Vec::new();
        fiemap::extents(
            FIEMAP_FLAG_SYNC,
            |request| Ok(sys::ioctl(file.as_fd(), abi::FS_IOC_FIEMAP, request)?),
            |extent| {
                if extent.fe_flags & FIEMAP_EXTENT_NOT_PLACED == 0 {
                    found.push(extent.fe_physical..extent.fe_physical + extent.fe_length);
                }
            },
        )?;
        let found = Ranges::from(found);
        match found.is_empty() {
            true => Err(Error::new("it has no block")),
            false => Ok(found),
        }
    };
    find().map_err(|error: Error| error.about(path))
}

/// Opens a regular file that must be on this device.
fn open(here: &Path, device: DeviceNumber, path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .read(true)
        // A fifo shall not keep us waiting.
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    let stat = rustix::fs::statx(&file, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE)?;
    let on = DeviceNumber {
        major: stat.stx_dev_major,
        minor: stat.stx_dev_minor,
    };
    if on != device {
        return Err(Error::new(format!("not on {}", here.display())));
    }
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(Error::new("not a regular file")),
    }
}
