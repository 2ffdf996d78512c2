// SPDX-License-Identifier: GPL-2.0

//! The example hooks, with the environment that `daxrmap hooks` gives them.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{
        Path,
        PathBuf, //
    },
    process::Command, //
};

const PAGE: usize = 4096;

/// A file that has lost its second page, and where its backup is to be.
fn lost() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    let mut bytes = vec![1; 3 * PAGE];
    bytes[PAGE..2 * PAGE].fill(0);
    fs::write(&file, bytes).unwrap();
    let backup = dir.path().join("backup");
    let copy = backup.join(file.strip_prefix("/").unwrap());
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    (dir, file, copy)
}

/// Whether it says that it has worked.
fn restore(dir: &Path, file: &Path, inode: u64) -> bool {
    let hook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/restore");
    let output = Command::new(hook)
        .env("DAXRMAP_EVENT", "owner")
        .env("DAXRMAP_PATH", file)
        .env("DAXRMAP_INODE", inode.to_string())
        .env("DAXRMAP_OFFSET", PAGE.to_string())
        .env("DAXRMAP_LENGTH", PAGE.to_string())
        .env("DAXRMAP_BACKUP", dir.join("backup"))
        .output()
        .unwrap();
    output.status.success()
}

#[test]
fn what_is_lost_is_restored_and_no_more() {
    let (dir, file, copy) = lost();
    fs::write(&copy, vec![2; 3 * PAGE]).unwrap();
    let inode = fs::metadata(&file).unwrap().ino();
    assert!(restore(dir.path(), &file, inode));
    let bytes = fs::read(&file).unwrap();
    let pages: Vec<_> = bytes.chunks(PAGE).map(|page| page[0]).collect();
    assert_eq!((bytes.len(), pages), (3 * PAGE, vec![1, 2, 1]));
}

#[test]
fn what_is_not_restored() {
    let (dir, file, copy) = lost();
    let before = fs::read(&file).unwrap();
    let inode = fs::metadata(&file).unwrap().ino();
    // No backup, one of another size, another file.
    assert!(!restore(dir.path(), &file, inode));
    fs::write(&copy, vec![2; 2 * PAGE]).unwrap();
    assert!(!restore(dir.path(), &file, inode));
    fs::write(&copy, vec![2; 3 * PAGE]).unwrap();
    assert!(restore(dir.path(), &file, inode + 1));
    assert_eq!(fs::read(&file).unwrap(), before);
}
