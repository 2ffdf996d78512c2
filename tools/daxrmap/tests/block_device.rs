// SPDX-License-Identifier: GPL-2.0

//! The programs on a block device that somebody uses.
//!
//! Nothing else may start programs meanwhile: between fork and exec they would use it too.

mod common;

use common::{
    check,
    damage,
    expect,
    image,
    mkfs,
    read,
    said,
    Dir,
    Step::File,
    BLOCK,
    BLOCKS, //
};
use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::Command, //
};

/// A block device on a file, as long as it lives.
struct Loop(String);

impl Loop {
    /// `None` where there are no loop devices.
    fn new(path: &Path) -> Option<Self> {
        let output = Command::new("losetup")
            .args(["--find", "--show"])
            .arg(path)
            .output()
            .ok()?;
        let name = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        (output.status.success() && Path::new(&name).exists()).then_some(Self(name))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

#[test]
fn a_block_device_in_use() {
    let dir = Dir::new();
    let image = image(&dir, "a", BLOCKS, &[File(1, b"a")]);
    let Some(device) = Loop::new(&image) else {
        eprintln!("no loop device: skipped");
        return;
    };
    let path = Path::new(&device.0);
    expect(&check(path, &["-y"]), 0, ": clean: 2 inodes");
    let user = fs::File::options()
        .read(true)
        .custom_flags(libc::O_EXCL)
        .open(path)
        .unwrap();
    for arg in ["-y", "-a", "-p"] {
        let said = check(path, &[arg]);
        assert_eq!((said.code, said.out.as_str()), (8, ""), "{said:?}");
        assert!(said.err.contains("it is in use: mounted"), "{said:?}");
    }
    for args in [&["-n"][..], &[]] {
        let said = check(path, args);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains(": clean: 2 inodes"), "{said:?}");
        assert!(
            said.err.contains("it is in use: if something happens"),
            "{said:?}"
        );
    }
    let before = read(path, 0, 2 * BLOCK as usize);
    for args in [&["-f"][..], &["-n", "-f"], &[]] {
        let why = said(mkfs().args(args).arg(path)).failed(1);
        assert!(why.starts_with("mounted, or part"), "{why}");
    }
    assert_eq!(read(path, 0, before.len()), before);
    drop(user);
    // What was written to a block device is what the next one sees.
    said(mkfs().args(["-q", "-f"]).arg(path)).fine();
    expect(&check(path, &["-n"]), 0, ": clean: 1 inodes");
    damage(path, 60);
    expect(&check(path, &["-y"]), 1, "the first superblock");
    expect(&check(path, &["-n"]), 0, ": clean: 1 inodes");
}
