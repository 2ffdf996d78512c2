// SPDX-License-Identifier: GPL-2.0

//! What is to be scrubbed: a mount, or a block device; what of it is in use; on which disks that is.

use crate::{
    abi::{
        self,
        FsMap,
        FMR_OF_SPECIAL_OWNER,
        FMR_OWN_DEFECTIVE,
        FMR_OWN_FREE, //
    },
    dm,
    error::{
        Error,
        Result, //
    },
    fsmap,
    guard::wrap,
    mounts,
    number::DeviceNumber,
    ranges::{
        Range,
        Ranges, //
    },
    stack::{
        Stack,
        Sysfs, //
    },
    sys,
};
use rustix::fs::{
    AtFlags,
    StatxAttributes,
    StatxFlags, //
};
use std::{
    ffi::OsString,
    fs::{
        self,
        File,
        OpenOptions, //
    },
    os::{
        fd::AsFd,
        unix::{
            ffi::OsStringExt,
            fs::{
                FileTypeExt,
                OpenOptionsExt, //
            },
        },
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// Memory fails by pages.
pub const PAGE: u64 = 4096;

/// What is to be scrubbed.
#[derive(Debug)]
pub struct Target {
    /// The device.
    pub device: DeviceNumber,
    /// What its scrub is called: the filesystem's uuid, or else the device's name.
    pub name: String,
    /// What is below it.
    pub stack: Stack,
    /// What to read, in bytes of the device; whole pages.
    pub wanted: Ranges,
}

impl Target {
    /// Finds out what is at a path; `all`: what is free is wanted too.
    ///
    /// # Errors
    ///
    /// If it is neither a mount point nor a block device, or what is below it cannot be seen through.
    pub fn open(path: &Path, all: bool) -> Result<Self> {
        Self::try_open(path, all).map_err(|error| error.about(path))
    }

    fn try_open(path: &Path, all: bool) -> Result<Self> {
        let sysfs = Sysfs::default();
        let (device, mount) = if fs::metadata(path)?.file_type().is_block_device() {
            let device = wrap::target(path, &sysfs)?.number;
            let mount = mounts::mounted(device).map(|text| unescaped(&text));
            (device, mount)
        } else {
            (mounted(path)?, Some(path.to_owned()))
        };
        let stack = Stack::new(device, &sysfs, &mut dm::table)?;
        let end = stack.size() / PAGE * PAGE;
        let whole: Ranges = Vec::from([0..end]).into();
        let wanted = match mount.filter(|_| !all) {
            Some(mount) => pages(&whole.without(&free(&mount, device)?), end),
            None => whole,
        };
        Ok(Self {
            device,
            name: name(device, &sysfs)?,
            stack,
            wanted,
        })
    }

    /// How many bytes of it from this one on are wanted.
    pub fn left(&self, position: u64) -> u64 {
        let parts = self.wanted.within(position..u64::MAX);
        parts.map(|part| part.end - part.start).sum()
    }
}

/// The device of a mount point.
fn mounted(path: &Path) -> Result<DeviceNumber> {
    let dir = folder(path)?;
    let stat = rustix::fs::statx(&dir, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE)?;
    if !stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
        return Err(Error::new("neither a mount point nor a block device"));
    }
    match (stat.stx_dev_major, stat.stx_dev_minor) {
        (0, _) => Err(Error::new("a filesystem that is on no block device")),
        (major, minor) => Ok(DeviceNumber { major, minor }),
    }
}

fn folder(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    Ok(options
        .read(true)
        .custom_flags(libc::O_DIRECTORY)
        .open(path)?)
}

/// What the filesystem that is mounted there says that nobody has, or that it knows as bad. Nothing, if it does
/// not say.
fn free(mount: &Path, device: DeviceNumber) -> Result<Ranges> {
    let dir = folder(mount)?;
    let number = device.encoded();
    let mut free = Vec::new();
    let found = fsmap::walk(
        number,
        0,
        u64::MAX,
        |request| Ok(sys::ioctl(dir.as_fd(), abi::FS_IOC_GETFSMAP, request)?),
        |record| {
            if is_free(record) && record.fmr_device == number {
                free.push(fsmap::range(record)?);
            }
            Ok(())
        },
    );
    match found {
        Err(error)
            if [libc::EOPNOTSUPP, libc::ENOTTY]
                .map(Some)
                .contains(&error.errno()) =>
        {
            Ok(Ranges::default())
        }
        other => other.map(|()| free.into()),
    }
}

fn is_free(record: &FsMap) -> bool {
    record.fmr_flags & FMR_OF_SPECIAL_OWNER != 0
        && [FMR_OWN_FREE, FMR_OWN_DEFECTIVE].contains(&record.fmr_owner)
}

/// The pages that have a byte of these, before `end`.
fn pages(ranges: &Ranges, end: u64) -> Ranges {
    let page = |range: &Range| {
        range.start / PAGE * PAGE..range.end.div_ceil(PAGE).saturating_mul(PAGE).min(end)
    };
    ranges.iter().map(page).collect::<Vec<_>>().into()
}

/// A path of /proc/self/mountinfo, which has some characters as \ and three octal digits.
fn unescaped(text: &str) -> PathBuf {
    let bytes = text.as_bytes();
    let mut path = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let octal = || {
            let digits = std::str::from_utf8(bytes.get(at + 1..at + 4)?).ok()?;
            u8::from_str_radix(digits, 8).ok()
        };
        match octal().filter(|_| byte == b'\\') {
            Some(byte) => {
                path.push(byte);
                at += 4;
            }
            None => {
                path.push(byte);
                at += 1;
            }
        }
    }
    OsString::from_vec(path).into()
}

/// The uuid by which udev has the device in /dev/disk/by-uuid, or its name.
fn name(device: DeviceNumber, sysfs: &Sysfs) -> Result<String> {
    let name = sysfs.block(device)?.name().to_string_lossy().into_owned();
    let this = fs::canonicalize(Path::new("/dev").join(&name)).ok();
    let links = fs::read_dir("/dev/disk/by-uuid").into_iter().flatten();
    let uuid = links
        .filter_map(|link| Some(link.ok()?.path()))
        .find(|link| {
            let to = fs::canonicalize(link).ok();
            to.is_some() && to == this
        });
    let uuid = uuid.and_then(|link| Some(link.file_name()?.to_str()?.to_owned()));
    Ok(uuid.unwrap_or(name))
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "sets of one range are meant"
)]
mod tests {
    use super::*;
    use crate::abi::FMR_OWN_UNKNOWN;

    #[test]
    fn what_is_neither() {
        let why = |path: &str| {
            let error = Target::open(Path::new(path), false).unwrap_err();
            error.to_string()
        };
        assert_eq!(why("/no/such"), "/no/such: No such file or directory");
        assert_eq!(
            why("/proc/self"),
            "/proc/self: neither a mount point nor a block device"
        );
        assert_eq!(
            why("/proc"),
            "/proc: a filesystem that is on no block device"
        );
        assert_eq!(why("/dev/null"), "/dev/null: Not a directory");
    }

    #[test]
    fn whole_pages() {
        let wanted = pages(
            &vec![0..1, 5000..8192, 12288..12289, 20000..20480].into(),
            20480,
        );
        assert_eq!(wanted, vec![0..8192, 12288..20480].into());
    }

    #[test]
    fn what_nobody_has() {
        let record = |owner, flags| FsMap {
            fmr_owner: owner,
            fmr_flags: flags,
            ..FsMap::default()
        };
        assert!(is_free(&record(FMR_OWN_FREE, FMR_OF_SPECIAL_OWNER)));
        assert!(is_free(&record(FMR_OWN_DEFECTIVE, FMR_OF_SPECIAL_OWNER)));
        assert!(!is_free(&record(FMR_OWN_UNKNOWN, FMR_OF_SPECIAL_OWNER)));
        // Inode 1.
        assert!(!is_free(&record(FMR_OWN_FREE, 0)));
    }

    #[test]
    fn paths_of_mountinfo() {
        assert_eq!(unescaped("/a\\040b\\134c"), Path::new("/a b\\c"));
        assert_eq!(unescaped("/a\\"), Path::new("/a\\"));
        assert_eq!(unescaped("/a\\777"), Path::new("/a\\777"));
    }
}
