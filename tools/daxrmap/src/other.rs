// SPDX-License-Identifier: GPL-2.0

//! A mounted ext4 or XFS, to be asked what daxrmap answers by an ioctl of its own: who has these bytes of
//! the device?
//!
//! FS_IOC_GETFSMAP says it where the filesystem knows: XFS with rmapbt names inodes; both name metadata and
//! free space. What it says nothing of is looked for in the extents of all files ([`walk`]).

mod open_files;
mod walk;

pub use walk::Walk;

use crate::{
    abi::{
        self,
        FsMap,
        XfsGeometry,
        FMR_OF_ATTR_FORK,
        FMR_OF_EXTENT_MAP,
        FMR_OF_PREALLOC,
        FMR_OF_SPECIAL_OWNER,
        FMR_OWN_FREE,
        FMR_OWN_UNKNOWN, //
    },
    dm,
    error::{
        bad_answer,
        Error,
        Result, //
    },
    fsmap,
    number::DeviceNumber,
    place,
    ranges::{
        Range,
        Ranges, //
    },
    stack::{
        Bad,
        Stack,
        Sysfs, //
    },
    sys::{
        self,
        Buffer, //
    },
};
use std::{
    fs::File,
    os::fd::{
        AsFd,
        BorrowedFd, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// What of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What read(2) gives.
    Data,
    /// Its extended attributes.
    Attributes,
    /// Where its blocks are.
    ExtentMap,
}

/// Bytes of the device that are a file's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The file's inode number.
    pub ino: u64,
    /// What of it.
    pub part: Part,
    /// Where in it, in bytes.
    pub offset: u64,
    /// Where on the device.
    pub at: Range,
    /// Allocated, but never written: it reads as zeroes whatever is there.
    pub unwritten: bool,
}

/// Who has some bytes of the device.
#[derive(Debug, Default)]
pub struct Survey {
    /// Files.
    pub owned: Vec<Owned>,
    /// The filesystem itself, and what for.
    pub metadata: Vec<(Range, &'static str)>,
    /// Nobody.
    pub free: Ranges,
    /// It does not say.
    pub unknown: Ranges,
}

/// A mount.
#[derive(Debug)]
pub struct Other {
    path: PathBuf,
    dir: File,
    kind: u32,
    device: DeviceNumber,
    stack: Stack,
}

impl Other {
    /// Takes a mount that is open, of a filesystem of this kind (`f_type` of statfs(2)).
    ///
    /// # Errors
    ///
    /// If what is below it cannot be seen through.
    pub fn new(path: PathBuf, dir: File, kind: u32, device: DeviceNumber) -> Result<Self> {
        if kind == abi::XFS_SUPER_MAGIC {
            no_realtime(&dir)?;
        }
        let stack = Stack::new(device, &Sysfs::default(), &mut dm::table)?;
        Ok(Self {
            path,
            dir,
            kind,
            device,
            stack,
        })
    }

    /// The mount point.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The mount point, open.
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Of what kind it is.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            abi::XFS_SUPER_MAGIC => "XFS",
            // ext2 and ext3 have the same number.
            _ => "ext4",
        }
    }

    /// The device that it is on.
    pub fn device(&self) -> DeviceNumber {
        self.device
    }

    /// What is below it.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Which of its bytes the drivers list as bad.
    ///
    /// # Errors
    ///
    /// If a list cannot be read.
    pub fn bad(&self) -> Result<Bad> {
        self.stack.bad()
    }

    /// Where the byte `offset` of the file `path` is on the device.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, is not here, or has a hole there.
    pub fn physical(&self, path: &Path, offset: u64) -> Result<u64> {
        place::of(&self.path, self.device, path, offset)
    }

    /// What the filesystem itself says of these bytes.
    ///
    /// # Errors
    ///
    /// If its answer makes no sense.
    pub fn survey(&self, wanted: &Ranges) -> Result<Survey> {
        survey(self.device.encoded(), wanted, |request| {
            Ok(sys::ioctl(self.dir.as_fd(), abi::FS_IOC_GETFSMAP, request)?)
        })
        .map_err(|error| error.about(&self.path))
    }
}

/// Files on a realtime device are elsewhere, and look as if they were here.
fn no_realtime(dir: &File) -> Result<()> {
    let mut geometry = Buffer::<XfsGeometry, u64>::new(&XfsGeometry::default(), 0);
    sys::ioctl(dir.as_fd(), abi::XFS_IOC_FSGEOMETRY_V1, &mut geometry)?;
    match geometry.head().rtblocks {
        0 => Ok(()),
        _ => Err(Error::new(
            "an XFS with a realtime device, where files cannot be told from those on the other device",
        )),
    }
}

/// What the records of FS_IOC_GETFSMAP say of these bytes of the device.
fn survey(
    device: u32,
    wanted: &Ranges,
    mut ask: impl FnMut(&mut fsmap::Request) -> Result<()>,
) -> Result<Survey> {
    let mut survey = Survey::default();
    let mut free = Vec::new();
    let mut known = Vec::new();
    for range in wanted.iter() {
        let visit = |record: &FsMap| {
            let all = fsmap::range(record)?;
            let at = all.start.max(range.start)..all.end.min(range.end);
            if at.start >= at.end || record.fmr_device != device {
                return Ok(());
            }
            if record.fmr_flags & FMR_OF_SPECIAL_OWNER == 0 {
                let offset = record.fmr_offset.checked_add(at.start - all.start);
                survey.owned.push(Owned {
                    ino: record.fmr_owner,
                    part: part(record.fmr_flags),
                    offset: offset.ok_or_else(|| bad_answer("a range that cannot be"))?,
                    at: at.clone(),
                    unwritten: record.fmr_flags & FMR_OF_PREALLOC != 0,
                });
            } else if record.fmr_owner == FMR_OWN_FREE {
                free.push(at.clone());
            } else if record.fmr_owner == FMR_OWN_UNKNOWN {
                return Ok(());
            } else {
                survey
                    .metadata
                    .push((at.clone(), fsmap::special(record.fmr_owner)));
            }
            known.push(at);
            Ok(())
        };
        match fsmap::walk(device, range.start, range.end - 1, &mut ask, visit) {
            // ext2 does not have it.
            Err(error) if error.errno() == Some(libc::EOPNOTSUPP) => break,
            Err(error) if error.errno() == Some(libc::ENOTTY) => break,
            result => result?,
        }
    }
    survey.free = free.into();
    survey.unknown = wanted.without(&known.into());
    Ok(survey)
}

fn part(flags: u32) -> Part {
    match flags {
        flags if flags & FMR_OF_EXTENT_MAP != 0 => Part::ExtentMap,
        flags if flags & FMR_OF_ATTR_FORK != 0 => Part::Attributes,
        _ => Part::Data,
    }
}

#[cfg(test)]
mod tests;
