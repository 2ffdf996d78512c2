// SPDX-License-Identifier: GPL-2.0

//! A block device, or a file with an image, as mkfs, fsck and dump open it: for writing, exclusively.

use crate::error::{
    Error, //
    Result,
};
use daxrmap_media::BLOCK_SIZE;
use rustix::fs::Advice;
use std::{
    fs::{
        self,
        File,
        OpenOptions, //
    },
    io::{
        Seek,
        SeekFrom, //
    },
    os::unix::fs::{
        FileTypeExt,
        OpenOptionsExt, //
    },
    path::Path,
};

/// What a device is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be read, whoever else uses it.
    Read,
    /// To be read, and nobody else has a block device meanwhile.
    ReadAlone,
    /// To be read and written, and nobody else has a block device meanwhile.
    Write,
}

/// A device or an image that is open.
#[derive(Debug)]
pub struct Device {
    file: File,
    size: u64,
    is_block: bool,
}

impl Device {
    /// Opens a device or an image.
    ///
    /// # Errors
    ///
    /// If it is neither a block device nor a regular file, or cannot be opened; `EBUSY` if it is
    /// mounted, or in use otherwise.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        Self::try_open(path, access).map_err(|error| error.about(path))
    }

    fn try_open(path: &Path, access: Access) -> Result<Self> {
        let kind = fs::metadata(path)?.file_type();
        let is_block = kind.is_block_device();
        if kind.is_dir() {
            return Err(Error::from(rustix::io::Errno::ISDIR));
        }
        if !is_block && !kind.is_file() {
            return Err(Error::new("neither a block device nor a regular file"));
        }
        let alone = is_block && access != Access::Read;
        let mut file = OpenOptions::new()
            .read(true)
            .write(access == Access::Write)
            .custom_flags(if alone { libc::O_EXCL } else { 0 })
            .open(path)?;
        let size = file.seek(SeekFrom::End(0))?;
        if is_block {
            // A mount on pmem goes past the page cache: what that has may be old. If it cannot be
            // dropped, it is not there.
            let _ = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
        }
        Ok(Self {
            file,
            size,
            is_block,
        })
    }

    /// Creates a file that is all zeroes.
    ///
    /// # Errors
    ///
    /// If it exists, or cannot be created or be so large.
    pub fn create(path: &Path, size: u64) -> Result<Self> {
        let create = || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path)?;
            // Not even an empty file is left if it cannot be so large.
            file.set_len(size).inspect_err(|_| {
                let _ = fs::remove_file(path);
            })?;
            Ok(Self {
                file,
                size,
                is_block: false,
            })
        };
        create().map_err(|error: Error| error.about(path))
    }

    /// Makes a file larger, with zeroes.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn extend(&mut self, size: u64) -> Result<()> {
        self.file.set_len(size)?;
        self.size = size;
        Ok(())
    }

    /// To be read and written.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size in whole blocks.
    pub fn blocks(&self) -> u64 {
        self.size / BLOCK_SIZE
    }

    /// Whether it is a block device.
    pub fn is_block(&self) -> bool {
        self.is_block
    }
}
