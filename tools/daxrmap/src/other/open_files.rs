// SPDX-License-Identifier: GPL-2.0

//! Files that have no name any more, but that a process has open or mapped.
//!
//! What only the kernel has (a loop device, an exported filesystem, a socket that a descriptor is on its way
//! through) is not found.

use crate::number::DeviceNumber;
use rustix::fs::{
    AtFlags,
    StatxFlags, //
};
use std::{
    collections::HashMap,
    fs,
    path::{
        Path,
        PathBuf, //
    },
};

/// Inode numbers of such files on `device`, each with a path by which it can be opened.
pub fn unlinked(device: DeviceNumber) -> HashMap<u64, PathBuf> {
    unlinked_below(Path::new("/proc"), device)
}

fn unlinked_below(proc: &Path, device: DeviceNumber) -> HashMap<u64, PathBuf> {
    let mut found = HashMap::new();
    for process in paths(proc) {
        let name = process.file_name().unwrap_or_default();
        if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        for file in ["fd", "map_files"]
            .map(|dir| paths(&process.join(dir)))
            .concat()
        {
            let flags = StatxFlags::TYPE | StatxFlags::INO | StatxFlags::NLINK;
            let stat = rustix::fs::statx(rustix::fs::CWD, &file, AtFlags::empty(), flags);
            let Ok(stat) = stat else { continue };
            let on = DeviceNumber {
                major: stat.stx_dev_major,
                minor: stat.stx_dev_minor,
            };
            if on == device && stat.stx_nlink == 0 {
                found.entry(stat.stx_ino).or_insert(file);
            }
        }
    }
    found
}

/// What is in a folder, if it can be read.
fn paths(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_file_without_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "a").unwrap();
        let file = fs::File::open(&path).unwrap();
        let meta = file.metadata().unwrap();
        let device = DeviceNumber {
            major: rustix::fs::major(meta.dev()),
            minor: rustix::fs::minor(meta.dev()),
        };
        assert!(!unlinked(device).contains_key(&meta.ino()));
        fs::remove_file(&path).unwrap();
        let found = unlinked(device);
        assert_eq!(fs::read(&found[&meta.ino()]).unwrap(), b"a");
        drop(file);
        assert!(!unlinked(device).contains_key(&meta.ino()));
    }
}
