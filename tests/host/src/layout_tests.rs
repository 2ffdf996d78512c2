// SPDX-License-Identifier: GPL-2.0

//! Tests of where the blocks of files go.

use crate::{
    state::{
        State,
        ROOT_INO, //
    },
    state_tests::{
        attr,
        commit,
        create,
        new_state,
        FILE, //
    }, //
};
use core::ops::Range;
use kernel::prelude::*;
use std::{
    format,
    vec::Vec, //
};

/// What a huge page maps.
const PIECE: u64 = 512;

fn file(s: &mut State, name: &str) -> u64 {
    create(s, ROOT_INO, name.as_bytes())
}

/// Gives a file blocks for pages, as a write does: piece by piece.
fn write(s: &mut State, ino: u64, pages: Range<u64>) {
    let mut at = pages.start;
    while at < pages.end {
        let want = (pages.end - at).min(PIECE - at % PIECE);
        let got = s.allocate_for(ino, at, want).unwrap();
        let len = got.end - got.start;
        assert!(len >= 1 && len <= want);
        let tx = s.remap(ino, at, got.start, len).unwrap();
        s.commit(tx).unwrap();
        at += len;
    }
}

/// (page, block, length) of each extent.
fn extents(s: &State, ino: u64) -> Vec<(u64, u64, u64)> {
    let map = s.get(ino).unwrap().as_file().unwrap();
    map.iter().map(|e| (e.pgoff, e.block, e.len)).collect()
}

fn remove(s: &mut State, ino: u64) {
    let tx = s.unmap_range(ino, 0, 1 << 40).unwrap();
    commit(s, tx);
}

/// On how many pieces of a file a huge page fits.
fn huge(s: &State, ino: u64) -> u64 {
    let pieces = extents(s, ino).into_iter().map(|(pgoff, block, len)| {
        let from = pgoff.next_multiple_of(PIECE);
        let fits = block % PIECE == pgoff % PIECE && pgoff + len > from;
        if fits {
            (pgoff + len - from) / PIECE
        } else {
            0
        }
    });
    pieces.sum()
}

#[test]
fn files_that_grow_in_turn_have_few_extents() {
    let mut s = new_state(40 * PIECE);
    let files: Vec<u64> = (0..8).map(|i| file(&mut s, &format!("{i}"))).collect();
    for at in (0..4 * PIECE).step_by(8) {
        for &ino in &files {
            write(&mut s, ino, at..at + 8);
        }
    }
    s.check().unwrap();
    for &ino in &files {
        let n = extents(&s, ino).len();
        assert!(n <= 10, "{n} extents: {:?}", extents(&s, ino));
        assert!(huge(&s, ino) >= 3, "{:?}", extents(&s, ino));
    }
    // Windows are no property: all that is left can be had.
    let last = file(&mut s, "last");
    let free = s.free_blocks();
    write(&mut s, last, 0..free);
    assert_eq!(s.free_blocks(), 0);
    assert_eq!(s.allocate_for(last, free, 1), Err(ENOSPC));
    s.check().unwrap();
}

#[test]
fn more_files_than_windows() {
    let mut s = new_state(200 * PIECE);
    let files: Vec<u64> = (0..40).map(|i| file(&mut s, &format!("{i}"))).collect();
    for at in 0..40 {
        for &ino in &files {
            write(&mut s, ino, at..at + 1);
        }
    }
    s.check().unwrap();
    assert_eq!(s.free_blocks(), 200 * PIECE - 1600);
}

#[test]
fn a_file_that_is_told_to_be_large_is_aligned() {
    let mut s = new_state(20 * PIECE);
    let small = file(&mut s, "small");
    write(&mut s, small, 0..3);
    let (ino, tx) = {
        let mut a = attr(FILE, 5);
        a.size = 2 * PIECE * 4096;
        s.create(ROOT_INO, b"large", a).unwrap()
    };
    commit(&mut s, tx);
    for page in 0..2 * PIECE {
        write(&mut s, ino, page..page + 1);
        // Another one writes as well.
        write(&mut s, small, 3 + page..4 + page);
    }
    assert_eq!(huge(&s, ino), 2);
    // As far as cp(1) writes at once: as if it were to be large.
    let copy = file(&mut s, "copy");
    write(&mut s, copy, 0..64);
    write(&mut s, small, 3 + 2 * PIECE..4 + 2 * PIECE);
    write(&mut s, copy, 64..PIECE);
    assert_eq!(huge(&s, copy), 1);
    s.check().unwrap();
}

#[test]
fn what_is_asked_for_at_once_is_one_run() {
    let mut s = new_state(40 * PIECE);
    let ino = file(&mut s, "large");
    let other = file(&mut s, "other");
    // A block in the fourth piece: what is long comes behind it.
    let blocks = s.allocate(3 * PIECE + 7, 0).unwrap();
    write(&mut s, other, 0..1);
    s.release(blocks).unwrap();
    let got = s.allocate_for(ino, 0, 20 * PIECE).unwrap();
    assert_eq!((got.start % PIECE, got.end - got.start), (0, 20 * PIECE));
    let tx = s.remap(ino, 0, got.start, 20 * PIECE).unwrap();
    s.commit(tx).unwrap();
    // Behind that, as far as it goes; then the longest run of whole pieces that there is.
    let end = got.end;
    let got = s.allocate_for(ino, 20 * PIECE, 20 * PIECE).unwrap();
    assert_eq!(got, end..40 * PIECE);
    let tx = s
        .remap(ino, 20 * PIECE, got.start, got.end - got.start)
        .unwrap();
    s.commit(tx).unwrap();
    let got = s.allocate_for(ino, 64 * PIECE, 20 * PIECE).unwrap();
    assert_eq!(got, 0..3 * PIECE);
    // The rest is of no whole piece.
    let rest = s.allocate_for(ino, 128 * PIECE, 20 * PIECE).unwrap();
    assert!(rest.end - rest.start < PIECE);
    s.release(got).unwrap();
    s.release(rest).unwrap();
    s.check().unwrap();
}

#[test]
fn small_files_leave_whole_pieces_alone() {
    let mut s = new_state(8 * PIECE);
    let first = file(&mut s, "first");
    // All but a gap of 8 blocks and one of 20 in the last piece, and one whole piece in front.
    let all = s.allocate(8 * PIECE, 0).unwrap();
    assert_eq!(all, 0..8 * PIECE);
    let tx = s.remap(first, 0, 0, 8 * PIECE).unwrap();
    commit(&mut s, tx);
    for (page, len) in [(PIECE, PIECE), (7 * PIECE + 10, 20), (7 * PIECE + 100, 8)] {
        let tx = s.unmap_range(first, page, len).unwrap();
        commit(&mut s, tx);
    }
    // The first that is long enough; what is left of it; then the piece.
    let small = file(&mut s, "small");
    write(&mut s, small, 0..5);
    let more = file(&mut s, "more");
    write(&mut s, more, 0..12);
    assert_eq!(extents(&s, small), [(0, 7 * PIECE + 10, 5)]);
    assert_eq!(extents(&s, more), [(0, 7 * PIECE + 15, 12)]);
    let large = file(&mut s, "large");
    write(&mut s, large, 0..PIECE);
    assert_eq!(extents(&s, large), [(0, PIECE, PIECE)]);
    // Nothing else is left: what there is.
    let rest = file(&mut s, "rest");
    write(&mut s, rest, 0..11);
    assert_eq!(s.free_blocks(), 0);
    s.check().unwrap();
}

#[test]
fn a_window_goes_with_its_file() {
    let mut s = new_state(4 * PIECE);
    let a = file(&mut s, "a");
    write(&mut s, a, 0..64);
    assert_eq!(extents(&s, a), [(0, 0, 64)]);
    // The rest of the piece is a's.
    let b = file(&mut s, "b");
    write(&mut s, b, 0..10);
    assert_eq!(extents(&s, b), [(0, PIECE, 10)]);
    remove(&mut s, a);
    let tx = s.unlink(ROOT_INO, b"a", crate::state_tests::at(9)).unwrap();
    commit(&mut s, tx);
    let (tx, _) = s.evict(a).unwrap();
    commit(&mut s, tx);
    let c = file(&mut s, "c");
    write(&mut s, c, 0..PIECE);
    assert_eq!(extents(&s, c), [(0, 0, PIECE)]);
}

#[test]
fn behind_the_page_before_and_over_bad_blocks() {
    let mut s = new_state(4 * PIECE);
    let a = file(&mut s, "a");
    write(&mut s, a, 0..4);
    s.mark_bad(6..8).unwrap();
    write(&mut s, a, 4..6);
    assert_eq!(extents(&s, a), [(0, 0, 6)]);
    write(&mut s, a, 6..8);
    assert_eq!(extents(&s, a), [(0, 0, 6), (6, 8, 2)]);
    assert_eq!(s.allocate_for(a, 8, 0), Err(EINVAL));
    assert_eq!(s.allocate_for(ROOT_INO, 0, 1), Err(EISDIR));
    assert_eq!(s.allocate_for(77, 0, 1), Err(ENOENT));
    s.check().unwrap();
}
