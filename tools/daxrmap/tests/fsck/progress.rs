// SPDX-License-Identifier: GPL-2.0

//! `-C`: how far it is, for who has started it.

use super::common::{
    expect,
    fsck,
    image,
    said,
    Dir,
    Said,
    BLOCKS, //
};
use std::{
    fs,
    path::Path,
    process::Command, //
};

/// Runs it with a file as descriptor 7: what it said, and what is in the file.
fn watched(dir: &Dir, path: &Path, args: &str) -> (Said, String) {
    let to = dir.path("progress");
    let program = fsck().get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec \"$0\" {args} \"$1\" 7>\"$2\"")]);
    let said = said(shell.arg(program).arg(path).arg(&to));
    (said, fs::read_to_string(to).unwrap())
}

#[test]
fn lines_for_a_reader() {
    let dir = Dir::new();
    let path = image(&dir, "a b", BLOCKS, &[]);
    for args in ["-n -C7", "-n -C 7"] {
        let (said, text) = watched(&dir, &path, args);
        expect(&said, 0, ": clean: 1 inodes");
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.splitn(4, ' ').collect())
            .collect();
        assert!(lines.len() > 1, "{text}");
        let mut before = None;
        for line in &lines {
            let done: u64 = line[1].parse().unwrap();
            assert!(before < Some(done), "{text}");
            before = Some(done);
            let name = path.to_str().unwrap().replace(' ', "\\ ");
            assert_eq!(
                (line[0], line[2], line[3]),
                ("1", "64", name.as_str()),
                "{text}"
            );
        }
        assert_eq!((lines[0][1], before), ("0", Some(64)));
    }
}

/// What is corrected is looked at once more.
#[test]
fn two_passes() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    super::common::damage(&path, (BLOCKS - 1) * super::common::BLOCK + 50);
    let (said, text) = watched(&dir, &path, "-y -C7");
    expect(&said, 1, ": corrected");
    let passes: Vec<_> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert!(
        passes.is_sorted() && passes.contains(&"1") && passes.contains(&"2"),
        "{text}"
    );
}

#[test]
fn no_terminal_no_bar() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    let said = said(fsck().args(["-n", "-C0"]).arg(&path));
    expect(&said, 0, ": clean");
}

#[test]
fn no_such_descriptor() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    let failed = said(fsck().args(["-n", "-C", "99"]).arg(&path));
    assert_eq!((failed.code, failed.out.as_str()), (16, ""));
    assert_eq!(
        failed.err,
        "fsck.daxrmap: descriptor 99: Bad file descriptor\n"
    );
    for bad in ["-1", "x"] {
        assert_eq!(said(fsck().args(["-n", "-C", bad]).arg(&path)).code, 16);
    }
}
