// SPDX-License-Identifier: GPL-2.0

//! A mounted filesystem, to be asked: one of daxrmap, or another one.

use crate::{
    abi::{
        self,
        FileHandle,
        FsMap,
        Lost,
        Status, //
    },
    clear::{
        self,
        Answer, //
    },
    error::{
        bad_answer, //
        Error,
        Result,
    },
    fsmap::{
        self,
        Use, //
    },
    lost,
    number::DeviceNumber,
    other::Other,
    place,
    sys::{
        self,
        Buffer,
        Plain, //
    },
};
use rustix::{
    fs::{
        AtFlags,
        StatxAttributes,
        StatxFlags, //
    },
    ioctl::Opcode, //
};
use std::{
    fs::{
        File,
        OpenOptions, //
    },
    io,
    ops::{
        ControlFlow,
        Range, //
    },
    os::{
        fd::{
            AsFd,
            BorrowedFd, //
        },
        unix::fs::OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// What has become of a file that no name was found for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// It is still open, but has no name.
    Unlinked,
    /// It has been removed.
    Gone,
    /// It has a name somewhere: in a directory that is mounted over, or outside of this mount.
    Hidden,
}

/// A mount.
#[derive(Debug)]
pub struct Mount {
    path: PathBuf,
    dir: File,
    device: DeviceNumber,
}

/// A mount that can be asked what is lost, and who owns a block.
#[derive(Debug)]
pub enum Any {
    /// One of daxrmap.
    Ours(Mount),
    /// One of ext4 or XFS.
    Other(Other),
}

impl Any {
    /// Opens the mount point.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, is no mount point, or of a filesystem that cannot be asked.
    pub fn open(path: &Path) -> Result<Self> {
        Self::try_open(path, true).map_err(|error| error.about(path))
    }

    /// The mount point.
    pub fn path(&self) -> &Path {
        match self {
            Self::Ours(mount) => &mount.path,
            Self::Other(mount) => mount.path(),
        }
    }

    /// The device.
    pub fn device(&self) -> DeviceNumber {
        match self {
            Self::Ours(mount) => mount.device,
            Self::Other(mount) => mount.device(),
        }
    }

    /// Gives what the filesystem says of these bytes of the device to `visit`, and perhaps of some beside.
    ///
    /// # Errors
    ///
    /// Those of `visit`, and if the filesystem does not say it, or what makes no sense.
    pub fn places(&self, range: Range<u64>, visit: impl FnMut(&FsMap) -> Result<()>) -> Result<()> {
        let dir = match self {
            Self::Ours(mount) => mount.dir.as_fd(),
            Self::Other(mount) => mount.dir(),
        };
        let last = range.end.saturating_sub(1);
        let walk = fsmap::walk(
            self.device().encoded(),
            range.start,
            last,
            |request| Ok(sys::ioctl(dir, abi::FS_IOC_GETFSMAP, request)?),
            visit,
        );
        walk.map_err(|error| match error.errno() {
            Some(libc::EOPNOTSUPP | libc::ENOTTY) => {
                Error::new("this filesystem does not tell what is where (FS_IOC_GETFSMAP)")
            }
            _ => error,
        })
        .map_err(|error| error.about(self.path()))
    }

    fn try_open(path: &Path, others: bool) -> Result<Self> {
        let dir = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY)
            .open(path)?;
        let kind = rustix::fs::fstatfs(&dir)?.f_type as u32;
        let ours = kind == abi::DAXRMAP_MAGIC;
        if !ours && !others {
            return Err(Error::new("not a daxrmap filesystem"));
        }
        if !ours && ![abi::EXT4_SUPER_MAGIC, abi::XFS_SUPER_MAGIC].contains(&kind) {
            return Err(Error::new("not a filesystem of daxrmap, ext4 or XFS"));
        }
        let stat = rustix::fs::statx(&dir, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE)?;
        if !stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
            return Err(Error::new("not a mount point"));
        }
        let device = DeviceNumber {
            major: stat.stx_dev_major,
            minor: stat.stx_dev_minor,
        };
        let path = path.to_owned();
        Ok(match ours {
            true => Self::Ours(Mount { path, dir, device }),
            false => Self::Other(Other::new(path, dir, kind, device)?),
        })
    }
}

/// Makes a request.
fn ask<H: Plain, R: Plain>(
    fd: BorrowedFd<'_>,
    request: Opcode,
    buffer: &mut Buffer<H, R>,
) -> Result<()> {
    sys::ioctl(fd, request, buffer).map_err(|error| match error.raw_os_error() {
        Some(libc::ENOTTY) => Error::new(
            "the module in the kernel does not know this request, being of another version",
        ),
        _ => error.into(),
    })
}

impl Mount {
    /// Opens the mount point.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, is no mount point, or not of daxrmap.
    pub fn open(path: &Path) -> Result<Self> {
        Self::try_open(path).map_err(|error| error.about(path))
    }

    fn try_open(path: &Path) -> Result<Self> {
        match Any::try_open(path, false)? {
            Any::Ours(mount) => Ok(mount),
            Any::Other(_) => Err(Error::new("not a daxrmap filesystem")),
        }
    }

    /// The mount point.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The device.
    pub fn device(&self) -> DeviceNumber {
        self.device
    }

    /// How the mount is.
    ///
    /// # Errors
    ///
    /// `EPERM` without `CAP_SYS_ADMIN`; if the answer makes no sense.
    pub fn status(&self) -> Result<Status> {
        let mut request = Buffer::<Status, u64>::new(&Status::default(), 0);
        ask(self.dir.as_fd(), abi::DAXRMAP_IOC_STATUS, &mut request)
            .and_then(|()| checked(*request.head()))
            .map_err(|error| error.about(&self.path))
    }

    /// All records of what is lost.
    ///
    /// # Errors
    ///
    /// `EPERM` without `CAP_SYS_ADMIN`; if the answer makes no sense.
    pub fn lost(&self) -> Result<Vec<Lost>> {
        lost::list(|request| ask(self.dir.as_fd(), abi::DAXRMAP_IOC_LOST, request))
            .map_err(|error| error.about(&self.path))
    }

    /// Whether the byte `physical` of the device is lost for those who own it.
    ///
    /// # Errors
    ///
    /// As [`lost`](Self::lost).
    pub fn is_lost(&self, physical: u64) -> Result<bool> {
        let mut found = false;
        lost::walk(
            |request| ask(self.dir.as_fd(), abi::DAXRMAP_IOC_LOST, request),
            |record| {
                found = (record.physical..record.physical + record.length).contains(&physical);
                if found {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .map_err(|error| error.about(&self.path))?;
        Ok(found)
    }

    /// Has the bad blocks among these cleared and tested, and returned to use.
    ///
    /// # Errors
    ///
    /// `EPERM` without `CAP_SYS_ADMIN`, `EROFS`; if the answer makes no sense.
    pub fn clear(&self, blocks: Range<u64>) -> Result<Answer> {
        clear::clear(blocks, |request| {
            ask(self.dir.as_fd(), abi::DAXRMAP_IOC_CLEAR, request)
        })
        .map_err(|error| error.about(&self.path))
    }

    /// What is at the byte `physical` of the device.
    ///
    /// # Errors
    ///
    /// If the answer makes no sense.
    pub fn at(&self, physical: u64) -> Result<Use> {
        fsmap::at(self.device.encoded(), physical, |request| {
            ask(self.dir.as_fd(), abi::FS_IOC_GETFSMAP, request)
        })
        .map_err(|error| error.about(&self.path))
    }

    /// Where the byte `offset` of the file `path` is on the device.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, is not here, or has a hole there.
    pub fn physical(&self, path: &Path, offset: u64) -> Result<u64> {
        place::of(&self.path, self.device, path, offset)
    }

    /// What has become of the file with this handle, that no name was found for.
    ///
    /// # Errors
    ///
    /// `EPERM` without `CAP_DAC_READ_SEARCH`.
    pub fn unnamed(&self, handle: &FileHandle) -> io::Result<Unnamed> {
        let fd = match sys::open_by_handle(self.dir.as_fd(), handle) {
            Ok(fd) => fd,
            Err(error) if error.raw_os_error() == Some(libc::ESTALE) => return Ok(Unnamed::Gone),
            Err(error) => return Err(error),
        };
        let stat = rustix::fs::statx(&fd, "", AtFlags::EMPTY_PATH, StatxFlags::NLINK)?;
        Ok(match stat.stx_nlink {
            0 => Unnamed::Unlinked,
            _ => Unnamed::Hidden,
        })
    }
}

/// The status, if one can reckon with it.
fn checked(status: Status) -> Result<Status> {
    let bytes = status.blocks.checked_mul(status.block_size.into());
    if !status.block_size.is_power_of_two()
        || bytes.is_none()
        || status.first_pfn.checked_add(status.blocks).is_none()
        || status.free_blocks > status.blocks
        || status.bad_blocks > status.blocks
    {
        return Err(bad_answer("numbers of blocks that cannot be"));
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &str) -> String {
        Mount::open(Path::new(path)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_mount_of_ours() {
        assert_eq!(refusal("/proc"), "/proc: not a daxrmap filesystem");
        assert_eq!(refusal("/no/such"), "/no/such: No such file or directory");
        assert_eq!(refusal("/proc/version"), "/proc/version: Not a directory");
    }

    #[test]
    fn numbers_that_cannot_be() {
        let good = Status {
            block_size: 4096,
            blocks: 1000,
            free_blocks: 1000,
            bad_blocks: 1,
            first_pfn: 0x10_0000,
            ..Status::default()
        };
        assert!(checked(good).is_ok());
        let bad = [
            Status {
                block_size: 0,
                ..good
            },
            Status {
                block_size: 4095,
                ..good
            },
            Status {
                blocks: u64::MAX,
                ..good
            },
            Status {
                first_pfn: u64::MAX,
                ..good
            },
            Status {
                free_blocks: 1001,
                ..good
            },
            Status {
                bad_blocks: 1001,
                ..good
            },
        ];
        for bad in bad {
            assert!(checked(bad).is_err());
        }
    }
}
