// SPDX-License-Identifier: GPL-2.0

//! Block devices as sysfs tells of them.

use super::disk::{
    Disk,
    Whole, //
};
use crate::{
    abi::SECTOR,
    error::{
        Error,
        Result, //
    },
    guard,
    number::DeviceNumber, //
};
use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    },
};

/// sysfs, which tests have one of their own of.
#[derive(Clone, Debug)]
pub struct Sysfs {
    root: PathBuf,
    /// Who knows more of a driver's list than sysfs shows.
    whole: Whole,
}

impl Default for Sysfs {
    fn default() -> Self {
        Self::at("/sys", guard::bad::list)
    }
}

/// The folder of a block device.
#[derive(Debug)]
pub struct Block {
    dir: PathBuf,
    whole: Whole,
}

/// What a block device is made of.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is a disk.
    Disk,
    /// A part of a disk, in bytes.
    Partition {
        /// The disk.
        of: DeviceNumber,
        /// First byte.
        start: u64,
        /// Number of bytes.
        length: u64,
    },
    /// What device-mapper says.
    Mapped,
}

impl Sysfs {
    /// That of this folder.
    pub fn at(root: impl Into<PathBuf>, whole: Whole) -> Self {
        Self {
            root: root.into(),
            whole,
        }
    }

    fn folder(&self, link: PathBuf) -> Result<Block> {
        match fs::canonicalize(&link) {
            Ok(dir) => Ok(Block {
                dir,
                whole: self.whole,
            }),
            Err(error) => Err(Error::from(error).about(link)),
        }
    }

    /// The folder of a block device.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn block(&self, device: DeviceNumber) -> Result<Block> {
        self.folder(self.root.join(format!("dev/block/{device}")))
    }

    /// The folder of the block device with this name below /dev.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn named(&self, name: &str) -> Result<Block> {
        self.folder(self.root.join("class/block").join(name))
    }

    /// The names of the disks that begin with "pmem", in order.
    pub fn pmem_disks(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("class/block"));
        let mut names: Vec<_> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("pmem"))
            .filter(|name| {
                self.named(name)
                    .is_ok_and(|block| matches!(block.kind(), Ok(Kind::Disk)))
            })
            .collect();
        names.sort_unstable();
        names
    }
}

impl Block {
    /// Its name below /dev.
    pub fn name(&self) -> &Path {
        Path::new(self.dir.file_name().unwrap_or_default())
    }

    /// A file in it, without the end of the line.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> Result<String> {
        let text = fs::read_to_string(self.dir.join(name));
        text.map(|text| text.trim_end().to_owned())
            .map_err(|error| Error::from(error).about(self.dir.join(name)))
    }

    fn number(&self, name: &str) -> Result<u64> {
        self.read(name)?
            .parse()
            .map_err(|_| Error::new("not a number").about(self.dir.join(name)))
    }

    /// Its number.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn device(&self) -> Result<DeviceNumber> {
        self.read("dev")?.parse()
    }

    /// Number of bytes.
    ///
    /// # Errors
    ///
    /// If sysfs does not say.
    pub fn size(&self) -> Result<u64> {
        Ok(self.number("size")?.saturating_mul(SECTOR))
    }

    /// What it is made of.
    ///
    /// # Errors
    ///
    /// If sysfs does not say.
    pub fn kind(&self) -> Result<Kind> {
        if self.dir.join("partition").exists() {
            let disk = Block {
                dir: self.dir.join("..").canonicalize()?,
                whole: self.whole,
            };
            return Ok(Kind::Partition {
                of: disk.device()?,
                start: self.number("start")?.saturating_mul(SECTOR),
                length: self.size()?,
            });
        }
        Ok(match self.dir.join("dm").exists() {
            true => Kind::Mapped,
            false => Kind::Disk,
        })
    }

    /// The disk that it is.
    ///
    /// # Errors
    ///
    /// If it keeps no list of bad blocks.
    pub fn disk(&self, number: DeviceNumber) -> Result<Disk> {
        if !self.dir.join("badblocks").exists() {
            return Err(Error::new(
                "it is no persistent memory: it keeps no list of bad blocks",
            ));
        }
        Ok(Disk {
            number,
            size: self.size()?,
            dir: self.dir.clone(),
            whole: self.whole,
        })
    }

    /// The names of those that are made of it: partitions of a disk.
    pub fn partitions(&self) -> Vec<String> {
        self.names(&self.dir, |dir| dir.join("partition").exists())
    }

    /// The names of the devices that stand on it.
    pub fn holders(&self) -> Vec<String> {
        self.names(&self.dir.join("holders"), |_| true)
    }

    fn names(&self, dir: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<String> {
        let entries = fs::read_dir(dir).into_iter().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.ok())
            .filter(|entry| wanted(&entry.path()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    /// What provides the memory: "e820", "ACPI.NFIT" and the like.
    pub fn provider(&self) -> Option<String> {
        let bus = self.dir.ancestors().find_map(|dir| {
            let file = dir.join("provider");
            file.is_file().then(|| fs::read_to_string(file).ok())
        });
        bus.flatten().map(|text| text.trim_end().to_owned())
    }
}
