// SPDX-License-Identifier: GPL-2.0

//! What is mounted where, as far as this process sees.

use crate::number::DeviceNumber;
use rustix::{
    fs::{
        AtFlags,
        StatxFlags,
        CWD, //
    },
    mount::{
        open_tree,
        OpenTreeFlags, //
    },
};
use std::{
    fs, io,
    os::fd::{
        AsFd,
        AsRawFd,
        OwnedFd, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// The first mount point of a device, as the kernel writes it.
pub fn mounted(device: DeviceNumber) -> Option<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounted_in(&text, device)
}

/// The same of a text as /proc/self/mountinfo: number, parent, device, root, mount point ...
fn mounted_in(text: &str, device: DeviceNumber) -> Option<String> {
    text.lines().find_map(|line| {
        let mut words = line.split(' ').skip(2);
        let found: DeviceNumber = words.next()?.parse().ok()?;
        (found == device).then(|| words.nth(1).map(str::to_owned))?
    })
}

/// A mount, without all that is mounted below.
#[derive(Debug)]
pub struct Alone(OwnedFd);

impl Alone {
    /// That of this mount point.
    ///
    /// # Errors
    ///
    /// `EPERM` without `CAP_SYS_ADMIN`.
    pub fn new(mount: &Path) -> io::Result<Self> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        Ok(Self(open_tree(CWD, mount, flags)?))
    }

    /// By which it can be looked through.
    pub fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_fd().as_raw_fd()).into()
    }
}

/// Whether only a part of a filesystem is mounted there: `None` if nobody says.
pub fn is_part(mount: &Path) -> Option<bool> {
    let stat = rustix::fs::statx(CWD, mount, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    let text = fs::read_to_string("/proc/self/mountinfo").ok()?;
    is_part_in(&text, stat.stx_mnt_id)
}

fn is_part_in(text: &str, id: u64) -> Option<bool> {
    text.lines().find_map(|line| {
        let mut words = line.split(' ');
        let found: u64 = words.next()?.parse().ok()?;
        (found == id).then(|| words.nth(2).map(|root| root != "/"))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_mounted() {
        let text = "21 1 0:19 / /sys rw - sysfs sysfs rw\n\
                    30 1 259:0 / /mnt\\040x rw shared:1 - xfs /dev/pmem0 rw\n\
                    31 1 259:0 /d /other rw - xfs /dev/pmem0 rw\n";
        let number = |text: &str| text.parse().unwrap();
        assert_eq!(
            mounted_in(text, number("259:0")).as_deref(),
            Some("/mnt\\040x")
        );
        assert_eq!(mounted_in(text, number("259:1")), None);
        assert_eq!(mounted_in("", number("259:1")), None);
    }

    #[test]
    fn a_part_of_a_filesystem() {
        let text = "21 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n\
                    121 1 259:0 /d /part rw - xfs /dev/pmem0 rw\n";
        assert_eq!(is_part_in(text, 21), Some(false));
        assert_eq!(is_part_in(text, 121), Some(true));
        assert_eq!(is_part_in(text, 1), None);
        assert_eq!(is_part(Path::new("/proc")), Some(false));
    }
}
