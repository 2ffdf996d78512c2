// SPDX-License-Identifier: GPL-2.0

//! `fsck.daxrmap` on images: each kind of damage.

#[path = "../common/mod.rs"]
mod common;

mod links;
mod log;
mod progress;
mod superblocks;

use common::{
    add,
    check,
    dump,
    expect,
    fsck,
    image,
    said,
    Dir,
    Step::{
        self,
        *, //
    },
    BLOCK,
    BLOCKS, //
};
use std::{
    fs,
    path::Path,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    },
};

/// First byte of the second superblock's block.
const LAST: u64 = (BLOCKS - 1) * BLOCK;

/// It is broken so; -n leaves all as it is, -y corrects it. Returns what -y says.
#[track_caller]
fn corrected(path: &Path, text: &str) -> String {
    let before = fs::read(path).unwrap();
    let no = check(path, &["-n"]);
    expect(&no, 4, text);
    assert!(no.out.contains(": NOT corrected"), "{no:?}");
    assert_eq!(fs::read(path).unwrap(), before);
    // Nobody is asked here.
    assert_eq!(check(path, &[]), no);
    let yes = check(path, &["-y"]);
    expect(&yes, 1, text);
    assert!(yes.out.contains(": corrected: "), "{yes:?}");
    expect(&check(path, &["-n"]), 0, ": clean: ");
    // As good as any other: it can be used, up to where the old log was.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [one, two] = ["one", "two"].map(|name| format!("{name}-{count}"));
    add(
        path,
        &[File(1, one.as_bytes()), Checkpoint, File(1, two.as_bytes())],
    );
    expect(&check(path, &["-n"]), 0, ": clean: ");
    yes.out
}

/// It is broken so, and nothing can be done.
#[track_caller]
fn lost(path: &Path, code: i32, text: &str) {
    let before = fs::read(path).unwrap();
    for args in [["-n"], ["-y"]] {
        let said = check(path, &args);
        assert_eq!(said.code, code, "{said:?}");
        assert!(
            format!("{}{}", said.out, said.err).contains(text),
            "{said:?}"
        );
        assert_eq!(fs::read(path).unwrap(), before);
    }
}

/// All names that the log knows.
fn names(path: &Path) -> Vec<String> {
    let dump = dump(path);
    let records = dump["log"]["records"].as_array().unwrap();
    let ops = records
        .iter()
        .flat_map(|r| r["operations"].as_array().unwrap());
    ops.filter(|op| op["op"] == "Link")
        .map(|op| op["name"]["path"].as_str().unwrap().to_owned())
        .collect()
}

const SOME: [Step<'_>; 6] = [
    Step::Dir(1, b"d"),
    File(2, b"a"),
    Fill(3, 0, 4),
    File(2, b"b"),
    Bad(600, 1),
    Link(1, b"c", 4),
];

#[test]
fn nothing_is_wrong() {
    let dir = Dir::new();
    let path = image(&dir, "a b", BLOCKS, &SOME);
    let before = fs::read(&path).unwrap();
    for args in [&[][..], &["-n"], &["-y"], &["-a"], &["-p"]] {
        let out = check(&path, args).fine();
        assert!(
            out.ends_with("/a\\ b: clean: 4 inodes, 39 of 640 blocks in use\n"),
            "{out}"
        );
        assert_eq!(out.lines().count(), 1);
    }
    let out = check(&path, &["-n", "-v"]).fine();
    for line in [
        "inodes           4",
        "extents          1",
        "blocks of files  4",
        "free blocks      601",
        "bad blocks       1",
        "transactions     6",
    ] {
        assert!(out.lines().any(|l| l == line), "{line}\n{out}");
    }
    assert!(out.contains(" of 64 KiB\n"), "{out}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_device_that_is_too_small() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(600 * BLOCK).unwrap();
    lost(
        &path,
        4,
        "the filesystem has 640 blocks, the device only 600",
    );
}

#[test]
fn usage() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    for args in [&["-n", "-y"][..], &["-x"], &["a", "b"]] {
        let said = check(&path, args);
        assert_eq!((said.code, said.out.as_str()), (16, ""), "{said:?}");
        assert!(said.err.starts_with("fsck.daxrmap: "), "{said:?}");
    }
    assert_eq!(said(&mut fsck()).code, 16);
    for arg in ["-V", "-h"] {
        assert!(said(fsck().arg(arg)).fine().contains("daxrmap"));
    }
    assert_eq!(
        check(&dir.path("none"), &["-n"]).failed(8),
        "No such file or directory"
    );
    assert_eq!(check(Path::new("/"), &["-n"]).failed(8), "Is a directory");
    let none = dir.file("zero", BLOCKS * BLOCK);
    assert_eq!(check(&none, &["-y"]).failed(8), "not a daxrmap filesystem");
    assert_eq!(check(&dir.file("empty", 0), &["-y"]).code, 8);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let said = said(fsck().arg(&path).stdout(full));
    assert_eq!(said.code, 8);
}
