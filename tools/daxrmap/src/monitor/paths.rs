// SPDX-License-Identifier: GPL-2.0

//! The names of files that events are about.
//!
//! A handle leads to the file, and mostly to one of its names, at once. Where there are more names, or the kernel
//! does not know one, the mount is walked: once for all events of a batch.

use crate::{
    abi::{
        Event,
        FileHandle, //
    },
    number::DeviceNumber,
    sys, //
};
use rustix::fs::{
    AtFlags,
    Statx,
    StatxFlags,
    CWD, //
};
use std::{
    fs::{
        self,
        File,
        OpenOptions, //
    },
    io,
    os::{
        fd::{
            AsFd,
            AsRawFd, //
        },
        unix::fs::OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// What a handle leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A file with this name, and no other.
    Named(PathBuf),
    /// A file that is open, and has no name.
    Unlinked,
    /// A file with names that have to be looked for.
    Somewhere,
    /// Nothing.
    Gone,
}

/// Opens files of a mount, while this lives.
#[derive(Debug)]
pub struct Opened {
    dir: File,
    device: DeviceNumber,
}

impl Opened {
    /// Opens a mount point.
    ///
    /// # Errors
    ///
    /// If it is not there any more.
    pub fn new(path: &Path, device: DeviceNumber) -> io::Result<Self> {
        let flags = libc::O_DIRECTORY | libc::O_NOATIME;
        let dir = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)?;
        Ok(Self { dir, device })
    }

    /// Where the handle of an event leads.
    pub fn find(&self, event: &Event) -> Found {
        let handle = FileHandle {
            handle_bytes: event.handle_bytes,
            handle_type: event.handle_type,
            f_handle: event.handle,
        };
        if handle.handle_bytes == 0 {
            return Found::Somewhere;
        }
        let fd = match sys::open_by_handle(self.dir.as_fd(), &handle) {
            Ok(fd) => fd,
            Err(error) if error.raw_os_error() == Some(libc::ESTALE) => return Found::Gone,
            // Names can be looked for by who may not do this.
            Err(_) => return Found::Somewhere,
        };
        let flags = StatxFlags::NLINK | StatxFlags::INO;
        let Ok(stat) = rustix::fs::statx(&fd, "", AtFlags::EMPTY_PATH, flags) else {
            return Found::Somewhere;
        };
        if stat.stx_nlink == 0 {
            return Found::Unlinked;
        }
        let link = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
        match fs::read_link(link) {
            Ok(path) if stat.stx_nlink == 1 && self.leads(&path, &stat) => Found::Named(path),
            _ => Found::Somewhere,
        }
    }

    /// Whether the name that the kernel gave is one: that of a file which nobody looked up is not.
    fn leads(&self, path: &Path, to: &Statx) -> bool {
        let stat = rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::INO);
        stat.is_ok_and(|stat| {
            let device = DeviceNumber {
                major: stat.stx_dev_major,
                minor: stat.stx_dev_minor,
            };
            stat.stx_ino == to.stx_ino && device == self.device
        })
    }
}
