// SPDX-License-Identifier: GPL-2.0

//! Where a byte of a file is, by the file's path: for any filesystem.

use crate::{
    abi,
    error::{
        Error,
        Result, //
    },
    fiemap,
    number::DeviceNumber,
    sys,
};
use rustix::fs::{
    AtFlags,
    StatxFlags, //
};
use std::{
    fs::OpenOptions,
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
        if !file.metadata()?.is_file() {
            return Err(Error::new("not a regular file"));
        }
        fiemap::physical(offset, |request| {
            Ok(sys::ioctl(file.as_fd(), abi::FS_IOC_FIEMAP, request)?)
        })?
        .ok_or_else(|| Error::new(format!("no block at offset {offset}")))
    };
    find().map_err(|error: Error| error.about(path))
}
