// SPDX-License-Identifier: GPL-2.0

//! `fsck.daxrmap` on images: each kind of damage.

mod common;

use common::{
    add,
    change_superblock,
    check,
    damage,
    dump,
    expect,
    fsck,
    image,
    mkfs,
    records,
    said,
    write,
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
fn one_superblock() {
    let dir = Dir::new();
    for (name, at, which) in [("a", 0, "first"), ("b", LAST, "second")] {
        let path = image(&dir, name, BLOCKS, &SOME);
        damage(&path, at + 60);
        corrected(
            &path,
            &format!("the {which} superblock (block {}) is damaged", at / BLOCK),
        );
        for slot in [0, 512] {
            write(&path, at + slot, &[0; 512]);
        }
        corrected(
            &path,
            &format!("the {which} superblock (block {}) is not there", at / BLOCK),
        );
        for slot in [0, 512] {
            change_superblock(&path, at + slot, |sb| {
                sb[40] ^= 1;
                sb[136] = 0xff;
            });
        }
        let path2 = path.clone();
        if which == "second" {
            corrected(&path2, "is not the newest");
        }
    }
}

#[test]
fn a_superblock_of_another_version() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    change_superblock(&path, LAST, |sb| sb[8] = 9);
    corrected(&path, "the second superblock (block 639) is of version 9");
}

#[test]
fn old_superblocks() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    add(&path, &[Checkpoint, File(1, b"new")]);
    // The second one of two generations is in the second place.
    write(&path, LAST + 512, &[0; 512]);
    let said = check(&path, &["-n"]);
    expect(
        &said,
        0,
        "the second superblock is older than the first, as after a crash",
    );
    expect(
        &said,
        0,
        ": clean, but for what the next mount does: 5 inodes",
    );
    let both = dir.path("both");
    fs::copy(&path, &both).unwrap();
    expect(&check(&path, &["-p"]), 1, ": corrected: ");
    expect(&check(&path, &["-n"]), 0, ": clean: 5 inodes");

    // Not in this order.
    let path = image(&dir, "b", BLOCKS, &SOME);
    add(&path, &[Checkpoint, File(1, b"new")]);
    damage(&path, 512 + 60);
    let out = corrected(&path, "the first superblock (block 0) is not the newest");
    assert!(
        out.contains("clean") || out.contains("corrected: 5 inodes"),
        "{out}"
    );

    // Both: what they tell of is not all.
    write(&both, 512, &[0; 512]);
    // Nor is it if the newer log's checkpoint is damaged too.
    let damaged = dir.path("damaged");
    fs::copy(&both, &damaged).unwrap();
    damage(&damaged, 623 * BLOCK + 40);
    let out = corrected(
        &damaged,
        "the checkpoint is damaged in block 623; the log before it has all that was in it",
    );
    assert!(out.contains("both superblocks are older"), "{out}");
    assert!(out.contains("corrected: 5 inodes"), "{out}");
    let out = corrected(
        &both,
        "both superblocks are older than the log, which is in the region from block 623 on",
    );
    assert!(out.contains("corrected: 5 inodes"), "{out}");
    assert!(names(&both).contains(&"new".to_owned()));
}

/// If nothing tells of the newer log, what is left of it is not taken for a part of the next one.
#[test]
fn a_newer_log_that_is_not_found() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    add(&path, &[Checkpoint, Bad(100, 1), Bad(200, 1)]);
    // Two transactions; their checkpoint is gone, and so is the superblock that tells of it.
    let at = records(&path);
    damage(&path, at[0].at + 40);
    damage(&path, at[1].at + 40);
    for slot in [512, LAST, LAST + 512] {
        damage(&path, slot + 60);
    }
    expect(&check(&path, &["-y"]), 1, "corrected");
    let bad = || {
        let said = check(&path, &["-n", "-v"]);
        said.out
            .lines()
            .find(|l| l.starts_with("bad blocks"))
            .unwrap()
            .to_owned()
    };
    let first = bad();
    add(&path, &[Checkpoint, Checkpoint]);
    assert_eq!(bad(), first);
}

#[test]
fn no_superblock() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    damage(&path, 60);
    damage(&path, LAST + 60);
    lost(&path, 8, "both superblocks are damaged");
    write(&path, 0, &[0; 8]);
    write(&path, LAST, &[0; 8]);
    lost(&path, 8, "not a daxrmap filesystem");
}

#[test]
fn the_second_superblock_before_the_end() {
    let dir = Dir::new();
    let path = dir.file("a", BLOCKS * BLOCK);
    said(mkfs().args(["-q", "-s", "2M"]).arg(&path)).fine();
    // Where the first one says, though it is damaged.
    damage(&path, 60);
    expect(
        &check(&path, &["-n"]),
        4,
        "the first superblock (block 0) is damaged",
    );
    expect(&check(&path, &["-y"]), 1, ": corrected: 1 inodes, ");
    expect(&check(&path, &["-n"]), 0, ": clean: ");
    assert_eq!(dump(&path)["filesystem"]["blocks"], 512);
}

#[test]
fn a_log_with_a_hole() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    let at = records(&path);
    // "b": the fifth of the seven.
    damage(&path, at[4].at + 40);
    let text = format!(
        "the log is damaged in block 1, at record {}; 2 later records are there, from block 1 on",
        at[4].seq
    );
    let out = corrected(&path, &text);
    assert!(
        out.contains("go back to what was before the damage"),
        "{out}"
    );
    assert!(out.contains("corrected: 3 inodes, 38 of 640"), "{out}");
    let names = names(&path);
    assert!(
        names.contains(&"a".to_owned()) && !names.contains(&"b".to_owned()),
        "{names:?}"
    );
}

#[test]
fn later_records_are_not_taken_for_new_ones() {
    let dir = Dir::new();
    let mut steps = vec![];
    for _ in 0..60 {
        steps.push(Nlink(1, 2));
    }
    let path = image(&dir, "a", BLOCKS, &steps);
    let at = records(&path);
    damage(&path, at[1].at + 40);
    expect(&check(&path, &["-y"]), 1, "59 later records");
    // All of the same size, as many as before: back in the region that the old ones are in.
    add(&path, &[&steps[..20], &[Checkpoint], &steps[..20]].concat());
    let again = records(&path);
    assert_eq!(again.len(), 21);
    assert_eq!(again[0].at, at[0].at);
    assert!(again[0].seq > at[60].seq);
    expect(&check(&path, &["-n"]), 0, ": clean: ");
}

#[test]
fn a_log_that_a_crash_has_cut() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    damage(&path, records(&path)[6].at + 40);
    let before = fs::read(&path).unwrap();
    expect(&check(&path, &["-y"]), 0, ": clean: 4 inodes");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_checkpoint_with_a_log_before_it() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    add(&path, &[Checkpoint, File(1, b"new")]);
    let at = records(&path);
    damage(&path, at[0].at + 40);
    let only = dir.path("only");
    fs::copy(&path, &only).unwrap();
    // Its end is not to be found, but there can be no other record missing.
    let out = corrected(
        &path,
        "the checkpoint is damaged in block 623; the log before it has all that was in it",
    );
    assert!(out.contains("corrected: 5 inodes"), "{out}");
    assert!(
        !out.contains("not found") && !out.contains("go back"),
        "{out}"
    );
    // Nobody can tell now.
    damage(&only, at[1].at + 40);
    let out = corrected(&only, "but what came after it is not found");
    assert!(out.contains("corrected: 4 inodes"), "{out}");
}

#[test]
fn a_checkpoint_of_many_records() {
    let dir = Dir::new();
    let files: Vec<_> = (0..400).map(|i| format!("file-{i}")).collect();
    let steps: Vec<_> = files.iter().map(|name| File(1, name.as_bytes())).collect();
    // A region of 64 blocks.
    let path = image(&dir, "a", 4096, &steps);
    add(&path, &[Checkpoint, File(1, b"new")]);
    let at = records(&path);
    assert!(at.len() > 3);
    damage(&path, at[1].at + 40);
    let out = corrected(&path, "; the log before it has all that was in it");
    assert!(out.contains("corrected: 402 inodes"), "{out}");
    // Without the log before, nothing has.
    let path = image(&dir, "b", 4096, &steps);
    add(&path, &[Checkpoint, File(1, b"new")]);
    damage(&path, BLOCK + 40);
    damage(&path, at[1].at + 40);
    lost(&path, 4, "there is nothing else to read");
}

#[test]
fn no_checkpoint() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &SOME);
    damage(&path, BLOCK + 40);
    lost(
        &path,
        4,
        "the checkpoint is damaged in block 1: it ends there; there is nothing else to read",
    );
}

#[test]
fn records_that_cannot_be() {
    let dir = Dir::new();
    for (name, step, why) in [
        // It has a name.
        ("a", Free(3), "it does not fit what is before it"),
        ("b", Take(4, 1, 1), "it gives a file blocks of the metadata"),
        (
            "c",
            Take(4, BLOCKS - 1, 1),
            "it gives a file blocks of the metadata",
        ),
        ("d", Take(4, BLOCKS, 1), "it does not fit what is before it"),
        ("e", NoName(2, b"none"), "it does not fit what is before it"),
    ] {
        let path = image(&dir, name, BLOCKS, &[&SOME[..], &[step]].concat());
        let record = records(&path)[7];
        let out = corrected(
            &path,
            &format!(
                "record {} of the log, in block 1, is wrong: {why}",
                record.seq
            ),
        );
        assert!(out.contains("corrected: 4 inodes, 39 of 640"), "{out}");
    }
}

#[test]
fn names_and_numbers_of_links() {
    let dir = Dir::new();
    // Inodes: 2 is d, 3 is d/a, 4 is d/b and c; 5 is e, 6 is e/f.
    let more = [Step::Dir(1, b"e"), Step::Dir(5, b"f")];
    for (name, steps, texts) in [
        (
            "a",
            &[Nlink(3, 7)][..],
            &["inode 3 says that it has 7 links, and has 1"][..],
        ),
        (
            "b",
            &[Nlink(1, 9)],
            &["inode 1 says that it has 9 links, and has 4"],
        ),
        (
            "c",
            &[Nlink(6, 0)],
            &["inode 6 says that it has 0 links, and has 2"],
        ),
        (
            "d",
            &[Name(5, b"x\n", 3)],
            &["inode 3 says that it has 1 links, and has 2"],
        ),
        (
            "e",
            &[NoName(2, b"a")],
            &["inode 3 cannot be reached: it goes to lost+found as \"#3\""],
        ),
        (
            "f",
            &[NoName(1, b"e")],
            &["inode 5 cannot be reached: it goes to lost+found as \"#5\""],
        ),
        (
            "g",
            &[Name(2, b"x\n", 6)],
            &["\"x\\n\" in directory 2 is a second name of directory 6"],
        ),
        (
            "h",
            &[Parent(6, 2)],
            &["directory 6 says that it is in 2, and is in 5"],
        ),
        (
            "i",
            &[Name(6, b"r", 1)],
            &["\"r\" in directory 6 names inode 1, which cannot be named"],
        ),
        (
            "j",
            &[
                NoName(2, b"b"),
                NoName(1, b"c"),
                Nlink(4, 0),
                Name(5, b"y", 4),
                Free(4),
            ],
            &["\"y\" in directory 5 names inode 4, which cannot be named"],
        ),
        (
            // A loop: e is in f, which is in e.
            "k",
            &[NoName(1, b"e"), Name(6, b"e", 5), Parent(5, 6)],
            &["cannot be reached: it goes to lost+found as \"#"],
        ),
        (
            "l",
            &[File(1, b"lost+found"), NoName(2, b"a"), Nlink(1, u32::MAX)],
            &[
                "inode 3 cannot be reached: it goes to lost+found as \"#3\"",
                "inode 1 says that it has ",
            ],
        ),
    ] {
        let path = image(&dir, name, BLOCKS, &[&SOME[..], &more, steps].concat());
        let out = corrected(&path, texts[0]);
        for text in texts {
            assert!(out.contains(text), "{name}: {text}\n{out}");
        }
    }
}

#[test]
fn orphans() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[&SOME[..], &[Unlink(2, b"a")]].concat());
    let before = fs::read(&path).unwrap();
    let said = check(&path, &["-n"]);
    expect(&said, 0, "1 file has no name, and is to be freed");
    expect(
        &said,
        0,
        "clean, but for what the next mount does: 3 inodes, 35 of 640",
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    expect(
        &check(&path, &["-a"]),
        1,
        ": corrected: 3 inodes, 35 of 640",
    );
    expect(&check(&path, &["-n"]), 0, ": clean: 3 inodes, 35 of 640");
}

#[test]
fn features_and_versions() {
    let dir = Dir::new();
    let change = |path: &Path, at: usize, value: u8| {
        for block in [0, LAST] {
            change_superblock(path, block, |sb| sb[at] = value);
        }
    };
    let path = image(&dir, "version", BLOCKS, &SOME);
    change(&path, 8, 2);
    lost(&path, 8, "it is of version 2 of the format");
    let path = image(&dir, "incompat", BLOCKS, &SOME);
    change(&path, 32, 4);
    lost(
        &path,
        8,
        "it has features that this program does not know (0x4)",
    );
    let path = image(&dir, "compat", BLOCKS, &SOME);
    change(&path, 16, 1);
    expect(&check(&path, &["-y"]), 0, ": clean: ");
    // Only read.
    let path = image(&dir, "ro_compat", BLOCKS, &SOME);
    change(&path, 24, 1);
    expect(&check(&path, &["-y"]), 0, "and can only be read");
    damage(&path, LAST + 60);
    lost(&path, 4, "the second superblock (block 639) is damaged");
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
