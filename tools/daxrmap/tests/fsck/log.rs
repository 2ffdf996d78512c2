// SPDX-License-Identifier: GPL-2.0

//! Records of the log that are damaged, or say what cannot be.

use crate::{
    common::{
        add,
        check,
        damage,
        expect,
        image,
        records,
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
use std::fs;

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

/// Nobody shares what is not written, nor is a hole written.
#[test]
fn records_about_what_is_not_written() {
    let dir = Dir::new();
    for (name, step) in [("a", Take(4, 21, 1)), ("b", Take(4, 20, 2))] {
        let steps = [&SOME[..], &[Prepare(3, 10, 2), step]].concat();
        let path = image(&dir, name, BLOCKS, &steps);
        let record = records(&path)[8];
        let text = format!(
            "record {} of the log, in block 1, is wrong: it does not fit what is before it",
            record.seq
        );
        let out = corrected(&path, &text);
        assert!(out.contains("corrected: 4 inodes, 41 of 640"), "{out}");
    }
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
