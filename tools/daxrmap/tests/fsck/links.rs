// SPDX-License-Identifier: GPL-2.0

//! Names, and how many of them inodes say that they have.

use crate::{
    common::{
        check,
        expect,
        image,
        Dir,
        Step::{
            self,
            *, //
        },
        BLOCKS, //
    },
    corrected,
    SOME, //
};
use std::fs;

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
