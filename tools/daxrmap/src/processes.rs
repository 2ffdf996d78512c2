// SPDX-License-Identifier: GPL-2.0

//! Who has files open or mapped, as /proc tells it.
//!
//! What only the kernel has (a loop device, an exported filesystem, swap) is not found.

use crate::{
    error::Error,
    number::DeviceNumber, //
};
use rustix::fs::{
    AtFlags,
    StatxFlags,
    CWD, //
};
use serde::Serialize;
use std::{
    collections::{
        BTreeMap,
        HashMap,
        HashSet, //
    },
    fs,
    io,
    path::Path, //
};

/// A process that has a file.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// What it is called.
    pub comm: String,
    /// It has a descriptor of the file.
    pub open: bool,
    /// It maps the file.
    pub mapped: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The processes that have each inode, by number.
    pub by_inode: HashMap<u64, Vec<Process>>,
    /// Why there may be more.
    pub errors: Vec<Error>,
}

/// Who has these inodes of `device`.
pub fn of(device: DeviceNumber, inodes: &HashSet<u64>) -> Found {
    if inodes.is_empty() {
        return Found::default();
    }
    below(Path::new("/proc"), device, inodes)
}

fn below(proc: &Path, device: DeviceNumber, inodes: &HashSet<u64>) -> Found {
    let mut found = Found::default();
    let processes = match fs::read_dir(proc) {
        Ok(processes) => processes,
        Err(error) => {
            found.errors.push(Error::from(error).about(proc));
            return found;
        }
    };
    let mut pids: Vec<u32> = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    let mut hidden = 0;
    for pid in pids {
        let dir = proc.join(pid.to_string());
        let mut uses: BTreeMap<u64, (bool, bool)> = BTreeMap::new();
        let open = open_files(&dir, device, |ino| uses.entry(ino).or_default().0 = true);
        let mapped = maps(&dir, device, |ino| uses.entry(ino).or_default().1 = true);
        // Who ends meanwhile has nothing any more.
        let refused = |result: &io::Result<()>| matches!(result, Err(error) if error.kind() == io::ErrorKind::PermissionDenied);
        if refused(&open) || refused(&mapped) {
            hidden += 1;
        }
        uses.retain(|ino, _| inodes.contains(ino));
        if uses.is_empty() {
            continue;
        }
        let comm = fs::read(dir.join("comm")).unwrap_or_default();
        let comm = String::from_utf8_lossy(&comm)
            .trim_end_matches('\n')
            .to_owned();
        for (ino, (open, mapped)) in uses {
            found.by_inode.entry(ino).or_default().push(Process {
                pid,
                comm: comm.clone(),
                open,
                mapped,
            });
        }
    }
    if hidden != 0 {
        let text = format!("{hidden} processes do not show what they have open");
        found.errors.push(Error::new(text).about(proc));
    }
    found
}

fn open_files(dir: &Path, device: DeviceNumber, mut visit: impl FnMut(u64)) -> io::Result<()> {
    for entry in fs::read_dir(dir.join("fd"))? {
        // A server that does not answer is not waited for.
        let flags = AtFlags::STATX_DONT_SYNC;
        let wanted = StatxFlags::TYPE | StatxFlags::INO;
        let Ok(stat) = rustix::fs::statx(CWD, entry?.path(), flags, wanted) else {
            continue;
        };
        let on = DeviceNumber {
            major: stat.stx_dev_major,
            minor: stat.stx_dev_minor,
        };
        if on == device {
            visit(stat.stx_ino);
        }
    }
    Ok(())
}

fn maps(dir: &Path, device: DeviceNumber, visit: impl FnMut(u64)) -> io::Result<()> {
    // Names in it may be of any bytes.
    let text = fs::read(dir.join("maps"))?;
    let lines = text.split(|&byte| byte == b'\n');
    lines
        .filter_map(|line| mapped(line, device))
        .for_each(visit);
    Ok(())
}

/// The inode of a line `START-END PERMISSIONS OFFSET MAJOR:MINOR INODE ...`, where the device is in hexadecimal.
fn mapped(line: &[u8], device: DeviceNumber) -> Option<u64> {
    let words = line.split(|&byte| byte == b' ');
    let mut words = words.skip(3).map(|word| std::str::from_utf8(word).ok());
    let (major, minor) = words.next()??.split_once(':')?;
    let on = DeviceNumber {
        major: u32::from_str_radix(major, 16).ok()?,
        minor: u32::from_str_radix(minor, 16).ok()?,
    };
    let ino = words.next()??.parse().ok()?;
    (on == device).then_some(ino)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{
        symlink,
        MetadataExt, //
    };

    fn file(path: &Path) -> (DeviceNumber, u64) {
        let meta = fs::metadata(path).unwrap();
        let device = DeviceNumber {
            major: rustix::fs::major(meta.dev()),
            minor: rustix::fs::minor(meta.dev()),
        };
        (device, meta.ino())
    }

    #[test]
    fn ourselves() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "a").unwrap();
        let (device, ino) = file(&path);
        let ours = || {
            let found = of(device, &HashSet::from([ino]));
            let all = found.by_inode.get(&ino).into_iter().flatten();
            let mut all = all.filter(|process| process.pid == std::process::id());
            all.next().cloned()
        };
        assert_eq!(ours(), None);
        let open = fs::File::open(&path).unwrap();
        let process = ours().unwrap();
        assert!(process.open && !process.mapped);
        let comm = fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(process.comm, comm.trim_end());
        drop(open);
        assert_eq!(ours(), None);
        // What we are is mapped.
        let (device, ino) = file(&std::env::current_exe().unwrap());
        let found = of(device, &HashSet::from([ino]));
        let all = &found.by_inode[&ino];
        assert!(all.iter().any(|p| p.pid == std::process::id() && p.mapped));
    }

    #[test]
    fn others() {
        let proc = tempfile::tempdir().unwrap();
        let path = proc.path().join("file");
        fs::write(&path, "").unwrap();
        let (device, ino) = file(&path);
        let process = |pid: &str, comm: &[u8]| {
            let dir = proc.path().join(pid);
            fs::create_dir_all(dir.join("fd")).unwrap();
            fs::write(dir.join("comm"), comm).unwrap();
            dir
        };
        let (one, two) = (process("12", b"a b\xff\n"), process("9", b"c\n"));
        process("self", b"x");
        process("30", b"nobody\n");
        symlink(&path, one.join("fd/3")).unwrap();
        symlink(&path, one.join("fd/4")).unwrap();
        let DeviceNumber { major, minor } = device;
        let maps = format!(
            "7f00-7f01 r--p 00000000 {major:02x}:{minor:02x} {ino}                /a b\n\
             7f01-7f02 r--p 00000000 ff:ff {ino}    /b\n\
             7f02-7f03 rw-p 00000000 00:00 0 \n\n"
        );
        fs::write(two.join("maps"), maps).unwrap();
        let found = below(proc.path(), device, &HashSet::from([ino, 1]));
        assert!(found.errors.is_empty());
        let expected = |pid, comm: &str, open| Process {
            pid,
            comm: comm.to_owned(),
            open,
            mapped: !open,
        };
        assert_eq!(found.by_inode.len(), 1);
        assert_eq!(
            found.by_inode[&ino],
            [expected(9, "c", false), expected(12, "a b\u{fffd}", true)]
        );
        let found = below(&proc.path().join("none"), device, &HashSet::from([ino]));
        assert_eq!(found.errors.len(), 1);
    }
}
