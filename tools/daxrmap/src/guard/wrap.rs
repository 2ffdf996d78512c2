// SPDX-License-Identifier: GPL-2.0

//! A device-mapper device ("linear") over an XFS, in place: every byte stays where it is. XFS is the holder
//! of the device-mapper device then, and not of the persistent memory below, which the guard can hold.
//!
//! dmsetup(8) makes and removes it.

use super::state::Wrap;
use crate::{
    abi::SECTOR,
    device::{
        Access,
        Device, //
    },
    error::{
        Error,
        Result, //
    },
    foreign::{
        self,
        Known, //
    },
    mounts,
    number::DeviceNumber,
    stack::{
        Kind,
        Sysfs, //
    },
};
use rustix::fs::{
    major,
    minor, //
};
use std::{
    fs, io,
    os::unix::fs::{
        FileTypeExt,
        MetadataExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
    process::Stdio,
};

/// What a name may have in it beside letters and digits: udev makes links of it as it is.
const MARKS: &[u8] = b"#+-.:=@_";
/// The kernel has no room for longer ones.
const LONGEST: usize = 127;

/// A block device that something is to be done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its number.
    pub number: DeviceNumber,
    /// Its name below /dev, as the kernel has it.
    pub name: String,
}

/// The block device at a path.
///
/// # Errors
///
/// If it is none.
pub fn target(path: &Path, sysfs: &Sysfs) -> Result<Target> {
    let find = || {
        let meta = fs::metadata(path)?;
        if !meta.file_type().is_block_device() {
            return Err(Error::new("not a block device"));
        }
        let number = DeviceNumber {
            major: major(meta.rdev()),
            minor: minor(meta.rdev()),
        };
        let block = sysfs.block(number)?;
        Ok(Target {
            number,
            name: block.name().to_string_lossy().into_owned(),
        })
    };
    find().map_err(|error: Error| error.about(path))
}

/// Where device-mapper's device of this name is.
pub fn mapped(name: &str) -> PathBuf {
    Path::new("/dev/mapper").join(name)
}

/// Whether device-mapper can have a device of this name.
///
/// # Errors
///
/// If not: why.
pub fn check_name(name: &str) -> Result<()> {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || MARKS.contains(byte);
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > LONGEST || !bytes.iter().all(good) {
        return Err(Error::new(format!(
            "not a name for a device: letters, digits and {} only, {LONGEST} at most",
            String::from_utf8_lossy(MARKS)
        ))
        .about(name));
    }
    // Not a folder, and not an option.
    if name.starts_with(['.', '-']) || name == "control" {
        return Err(Error::new("not a name for a device").about(name));
    }
    Ok(())
}

/// Whether there is an XFS on the device that can be wrapped now, and its uuid.
///
/// # Errors
///
/// If not: why.
pub fn check(device: &Target, sysfs: &Sysfs) -> Result<String> {
    let path = Path::new("/dev").join(&device.name);
    let look = || {
        let block = sysfs.block(device.number)?;
        let disk = match block.kind()? {
            Kind::Mapped => return Err(Error::new("it is a device of device-mapper already")),
            Kind::Partition { of, .. } => sysfs.block(of)?.disk(of)?,
            Kind::Disk => block.disk(device.number)?,
        };
        if disk.address().is_none() {
            return Err(Error::new("it is no persistent memory"));
        }
        if let Some(point) = mounts::mounted(device.number) {
            return Err(Error::new(format!(
                "it is mounted on {point}: unmount it first"
            )));
        }
        if let Some(holder) = block.holders().first() {
            return Err(Error::new(format!("{holder} is on it already")));
        }
        match foreign::probe(&path) {
            Known::Something(kind) if kind == "xfs" => {}
            Known::Something(kind) => {
                return Err(Error::new(format!("{kind} is on it, and no XFS")))
            }
            Known::Nothing => return Err(Error::new("there is no XFS on it")),
            Known::Unknown(why) => {
                return Err(Error::new(format!("it is not known what is on it ({why})")))
            }
        }
        // In a mount namespace that we do not see, or used otherwise.
        Device::open(&path, Access::ReadAlone)?;
        foreign::uuid(&path).ok_or_else(|| Error::new("blkid does not tell the XFS's uuid"))
    };
    look().map_err(|error| error.about(&path))
}

/// What dmsetup is to be told: all of the device.
pub fn table(device: &Target, sysfs: &Sysfs) -> Result<String> {
    let sectors = sysfs.block(device.number)?.size()? / SECTOR;
    Ok(format!("0 {sectors} linear {} 0", device.number))
}

/// Makes the device.
///
/// # Errors
///
/// If there is no dmsetup, or it fails; if there is a device of that name.
pub fn make(name: &str, table: &str) -> Result<()> {
    dmsetup(&["create", "--verifyudev", name, "--table", table])
}

/// Removes the device.
///
/// # Errors
///
/// If it is mounted or used otherwise; if there is no dmsetup, or it fails.
pub fn remove(name: &str, sysfs: &Sysfs) -> Result<()> {
    let path = mapped(name);
    let device = target(&path, sysfs)?;
    if let Some(point) = mounts::mounted(device.number) {
        return Err(Error::new(format!("it is mounted on {point}: unmount it first")).about(path));
    }
    // In a mount namespace that we do not see, or used otherwise.
    drop(Device::open(&path, Access::ReadAlone)?);
    dmsetup(&["remove", "--verifyudev", name])
}

/// With `--verifyudev`, it sees to the links below /dev/mapper where no udev does.
fn dmsetup(args: &[&str]) -> Result<()> {
    let output = foreign::command("dmsetup")
        .args(args)
        .stdout(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::new(
                "this program is needed, and is not installed (Debian has it in the package dmsetup)",
            ),
            _ => error.into(),
        })
        .map_err(|error| error.about_what("dmsetup"))?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    let reason = reason.lines().next().unwrap_or("it failed").to_owned();
    Err(Error::new(reason).about_what("dmsetup"))
}

/// The device of a wrap that was made at an earlier boot: where its XFS is now.
///
/// # Errors
///
/// If it is nowhere.
pub fn find_again(wrap: &Wrap, sysfs: &Sysfs) -> Result<Target> {
    let mut names = vec![wrap.device.clone()];
    for disk in sysfs.pmem_disks() {
        names.extend(sysfs.named(&disk)?.partitions());
        names.push(disk);
    }
    let is_there = |name: &String| {
        foreign::uuid(&Path::new("/dev").join(name)).as_deref() == Some(wrap.uuid.as_str())
    };
    match names.iter().find(|name| is_there(name)) {
        Some(name) => target(&Path::new("/dev").join(name), sysfs),
        None => Err(Error::new(format!(
            "the XFS with the uuid {}, which was on {}, is not there",
            wrap.uuid, wrap.device
        ))
        .about_what(wrap.name.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["pmem0-guard", "a", "x.y_z:1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(LONGEST + 1);
        for name in ["", "a/b", "a b", "..", "-f", "control", "\u{fc}", &long] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_no_block_device() {
        let sysfs = Sysfs::default();
        let error = target(Path::new("/dev/null"), &sysfs).unwrap_err();
        assert_eq!(error.to_string(), "/dev/null: not a block device");
        assert!(target(Path::new("/no/such"), &sysfs).is_err());
    }
}
