// SPDX-License-Identifier: GPL-2.0

//! Which mounts there are that events may be about, and what is below them.
//!
//! None is kept open: a monitor must not be in the way of umount(8).

use crate::{
    abi::Event,
    dm,
    error::Result,
    mount::Any,
    number::DeviceNumber,
    stack::{
        Stack,
        Sysfs, //
    },
};
use std::{
    ffi::OsString,
    fs::{
        self,
        File, //
    },
    os::unix::ffi::OsStringExt,
    path::{
        Path,
        PathBuf, //
    },
};

/// A line of /proc/self/mountinfo.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    id: u64,
    device: DeviceNumber,
    path: PathBuf,
    kind: String,
}

/// A mount that is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    line: Line,
    /// What is below it, itself first.
    devices: Vec<DeviceNumber>,
}

impl Watched {
    /// The mount point.
    pub fn path(&self) -> &Path {
        &self.line.path
    }

    /// `st_dev` of its files.
    pub fn device(&self) -> DeviceNumber {
        self.line.device
    }

    /// Whether it is one of daxrmap.
    pub fn is_ours(&self) -> bool {
        self.line.kind == "daxrmap"
    }
}

/// Where the kernel tells what is mounted: poll(2) says `POLLPRI` if that changes.
///
/// # Errors
///
/// If there is no /proc.
pub fn mountinfo() -> Result<File> {
    Ok(File::open("/proc/self/mountinfo")?)
}

/// The mounts.
#[derive(Debug, Default)]
pub struct Follow {
    /// Only these mount points, if there are any here.
    only: Vec<PathBuf>,
    /// What is mounted now.
    pub mounts: Vec<Watched>,
    /// Mounts that were looked at, and are on no persistent memory.
    others: Vec<Line>,
    /// What mounts are on, or were.
    seen: Vec<DeviceNumber>,
}

impl Follow {
    /// Watches these mount points; all, if there are none.
    ///
    /// # Errors
    ///
    /// If one is not there now, or is none that can be watched.
    pub fn new(only: &[PathBuf]) -> Result<Self> {
        let mut paths = Vec::new();
        for path in only {
            Any::open(path)?;
            paths.push(path.canonicalize()?);
        }
        Ok(Self {
            only: paths,
            ..Self::default()
        })
    }

    /// Looks what is mounted now. Returns what was not before.
    ///
    /// # Errors
    ///
    /// If there is no /proc.
    pub fn refresh(&mut self) -> Result<Vec<Watched>> {
        let lines = lines(&fs::read("/proc/self/mountinfo")?);
        Ok(self.change(lines, |line| devices(line).ok()))
    }

    fn change(
        &mut self,
        lines: Vec<Line>,
        mut devices: impl FnMut(&Line) -> Option<Vec<DeviceNumber>>,
    ) -> Vec<Watched> {
        self.mounts.retain(|mount| lines.contains(&mount.line));
        self.others.retain(|line| lines.contains(line));
        let mut new: Vec<Watched> = Vec::new();
        for line in lines {
            let wanted = self.only.is_empty() || self.only.contains(&line.path);
            let known = self.mounts.iter().any(|mount| mount.line == line);
            if !wanted || known || self.others.contains(&line) {
                continue;
            }
            let Some(devices) = devices(&line) else {
                self.others.push(line);
                continue;
            };
            for &device in &devices {
                if !self.seen.contains(&device) {
                    self.seen.push(device);
                }
            }
            // The same filesystem at another place is lost but once.
            let twin = |mount: &Watched| mount.device() == line.device;
            let first = !self.mounts.iter().any(twin);
            let mount = Watched { line, devices };
            if first {
                new.push(mount.clone());
            }
            self.mounts.push(mount);
        }
        new
    }

    /// Whether an event is about something that is watched.
    pub fn wants(&self, event: &Event) -> bool {
        let of_all = event.major == 0 && event.fs_major == 0;
        let seen = |device: &Option<DeviceNumber>| device.is_some_and(|d| self.seen.contains(&d));
        self.only.is_empty()
            || of_all
            || match filesystem(event) {
                None => seen(&device(event)),
                file => seen(&file),
            }
    }

    /// The mount that an event is about, if one is there.
    pub fn of(&self, event: &Event) -> Option<&Watched> {
        if let Some(filesystem) = filesystem(event) {
            let mut mounts = self.mounts.iter();
            return mounts.find(|mount| mount.device() == filesystem);
        }
        let device = device(event)?;
        let is_on = |mount: &&Watched| mount.devices.contains(&device);
        let mut all = self.mounts.iter().filter(is_on);
        // Of several partitions nobody says which.
        let first = all.next()?;
        all.all(|mount| mount.device() == first.device())
            .then_some(first)
    }
}

/// What the event is about.
pub fn device(event: &Event) -> Option<DeviceNumber> {
    number(event.major, event.minor)
}

/// On what the file is that the event is about.
pub fn filesystem(event: &Event) -> Option<DeviceNumber> {
    number(event.fs_major, event.fs_minor)
}

fn number(major: u32, minor: u32) -> Option<DeviceNumber> {
    (major != 0).then_some(DeviceNumber { major, minor })
}

/// What a mount is on, if that is persistent memory.
fn devices(line: &Line) -> Result<Vec<DeviceNumber>> {
    let mut devices = vec![line.device];
    let stack = Stack::new(line.device, &Sysfs::default(), &mut dm::table);
    match stack {
        Ok(stack) => {
            let disks = stack.disks().iter().map(|disk| disk.number);
            devices.extend(disks.filter(|disk| *disk != line.device));
        }
        // It is on persistent memory, whatever sysfs says.
        Err(_) if line.kind == "daxrmap" => {}
        Err(error) => return Err(error),
    }
    Ok(devices)
}

/// The lines of /proc/self/mountinfo about filesystems that one can ask.
fn lines(text: &[u8]) -> Vec<Line> {
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter_map(line).collect()
}

/// Number, parent, device, root, mount point, options, more of them, "-", type ...
fn line(text: &[u8]) -> Option<Line> {
    let words: Vec<_> = text.split(|&byte| byte == b' ').collect();
    let word = |i: usize| std::str::from_utf8(words.get(i)?).ok();
    let dash = words.iter().position(|word| word == b"-")?;
    let kind = word(dash + 1)?;
    if !["daxrmap", "ext2", "ext4", "xfs"].contains(&kind) {
        return None;
    }
    Some(Line {
        id: word(0)?.parse().ok()?,
        device: word(2)?.parse().ok()?,
        path: OsString::from_vec(unescape(words.get(4)?)).into(),
        kind: kind.to_owned(),
    })
}

/// The kernel writes blanks, tabs, newlines and backslashes as `\` and three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let code = after
            .get(..3)
            .filter(|_| byte == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                out.push(code);
                rest = &after[3..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    const INFO: &[u8] = b"\
22 1 0:21 / / rw - tmpfs none rw
30 22 259:0 / /mnt rw,relatime shared:1 master:2 - daxrmap /dev/pmem0 rw
31 22 259:1 / /a\\040b\\134\xff rw - xfs /dev/pmem1 rw
32 22 8:1 / /disk rw - ext4 /dev/sda1 rw
33 22 259:0 /d /again rw - daxrmap /dev/pmem0 rw
nonsense
";

    fn below(line: &Line) -> Option<Vec<DeviceNumber>> {
        let at = |major, minor| DeviceNumber { major, minor };
        match line.device.major {
            8 => None,
            _ => Some(vec![line.device, at(300, line.device.minor)]),
        }
    }

    fn event(major: u32, minor: u32, fs_major: u32, fs_minor: u32) -> Event {
        Event {
            major,
            minor,
            fs_major,
            fs_minor,
            ..Event::default()
        }
    }

    #[test]
    fn mounts_come_and_go() {
        let mut follow = Follow::default();
        let new = follow.change(lines(INFO), below);
        let paths: Vec<_> = new
            .iter()
            .map(|mount| mount.path().as_os_str().as_bytes())
            .collect();
        assert_eq!(paths, [&b"/mnt"[..], b"/a b\\\xff"]);
        assert!(new[0].is_ours() && !new[1].is_ours());
        assert_eq!(follow.mounts.len(), 3);
        // The same once more, and nothing at all.
        let asked = follow.change(lines(INFO), |_| panic!("it is known"));
        assert!(asked.is_empty());
        assert!(follow.change(Vec::new(), below).is_empty());
        assert!(follow.mounts.is_empty());
        assert_eq!(follow.change(lines(INFO), below).len(), 2);
    }

    #[test]
    fn what_an_event_is_about() {
        let mut follow = Follow::default();
        follow.change(lines(INFO), below);
        let path = |event: Event| {
            let mount = follow.of(&event);
            mount.map(|mount| mount.path().to_string_lossy().into_owned())
        };
        assert_eq!(path(event(259, 0, 0, 0)).as_deref(), Some("/mnt"));
        assert_eq!(path(event(300, 0, 0, 0)).as_deref(), Some("/mnt"));
        assert_eq!(
            path(event(300, 9, 259, 1)).as_deref(),
            Some("/a b\\\u{fffd}")
        );
        assert_eq!(path(event(300, 9, 0, 0)), None);
        assert_eq!(path(event(0, 0, 0, 0)), None);
        assert!(follow.wants(&event(7, 7, 0, 0)));
    }

    #[test]
    fn only_what_was_asked_for() {
        let mut follow = Follow {
            only: vec!["/mnt".into()],
            ..Follow::default()
        };
        assert_eq!(follow.change(lines(INFO), below).len(), 1);
        assert!(follow.wants(&event(300, 0, 0, 0)));
        assert!(follow.wants(&event(300, 0, 259, 0)));
        assert!(!follow.wants(&event(300, 0, 259, 1)));
        assert!(!follow.wants(&event(300, 1, 0, 0)));
        // What everybody lost.
        assert!(follow.wants(&event(0, 0, 0, 0)));
        // Also when it is gone.
        follow.change(Vec::new(), below);
        assert!(follow.wants(&event(259, 0, 0, 0)));
    }
}
