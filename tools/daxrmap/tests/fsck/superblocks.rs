// SPDX-License-Identifier: GPL-2.0

//! Superblocks that are damaged, old, of another version, or not there.

use crate::{
    common::{
        add,
        change_superblock,
        check,
        damage,
        dump,
        expect,
        image,
        mkfs,
        said,
        write,
        Dir,
        Step::*,
        BLOCK,
        BLOCKS, //
    },
    corrected,
    lost,
    names,
    LAST,
    SOME, //
};
use std::{
    fs,
    path::Path, //
};

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

/// A copy that says so was lost, or somebody has changed it.
#[test]
fn a_feature_that_is_in_use() {
    let dir = Dir::new();
    let steps = [&SOME[..], &[Prepare(3, 10, 2)]].concat();
    let path = image(&dir, "a", BLOCKS, &steps);
    expect(&check(&path, &["-n"]), 0, ": clean: ");
    let incompat = |path: &Path| dump(path)["filesystem"]["features"]["incompat"].clone();
    assert_eq!(incompat(&path), 1);
    for block in [0, LAST] {
        change_superblock(&path, block + 512, |sb| sb[32] = 0);
    }
    let text = "the superblock lacks a feature that the log makes use of";
    expect(&check(&path, &["-n"]), 4, text);
    expect(&check(&path, &["-y"]), 1, ": corrected: ");
    expect(&check(&path, &["-n"]), 0, ": clean: ");
    assert_eq!(incompat(&path), 1);
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
