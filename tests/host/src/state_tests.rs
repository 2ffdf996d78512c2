// SPDX-License-Identifier: GPL-2.0

//! Tests of the state, one thing each.

use crate::{
    errno::enodata,
    owners::rec,
    state::{
        Attr,
        Mapping,
        Name,
        Op,
        State,
        Timestamp,
        Transaction,
        ROOT_INO, //
    },
    SECRET, //
};
use kernel::{
    alloc::budget,
    prelude::*, //
};
use std::{
    vec,
    vec::Vec, //
};

pub(crate) const FILE: u32 = 0o100644;
pub(crate) const DIR: u32 = 0o040755;
pub(crate) const LINK: u32 = 0o120777;
pub(crate) const FIFO: u32 = 0o010600;

pub(crate) fn at(sec: i64) -> Timestamp {
    Timestamp { sec, nsec: 7 }
}

pub(crate) fn attr(mode: u32, sec: i64) -> Attr {
    let time = at(sec);
    Attr {
        mode,
        atime: time,
        mtime: time,
        ctime: time,
        btime: time,
        ..Attr::default()
    }
}

pub(crate) fn new_state(blocks: u64) -> State {
    let state = State::new(blocks, attr(DIR, 1), SECRET).unwrap();
    state.check().unwrap();
    state
}

pub(crate) fn name(s: &[u8]) -> Name {
    let mut name = Name::new();
    name.extend_from_slice(s, GFP_KERNEL).unwrap();
    name
}

pub(crate) fn commit(state: &mut State, tx: Transaction) {
    state.commit(tx).unwrap();
    state.check().unwrap();
}

pub(crate) fn create(state: &mut State, dir: u64, name: &[u8]) -> u64 {
    let (ino, tx) = state.create(dir, name, attr(FILE, 5)).unwrap();
    commit(state, tx);
    ino
}

pub(crate) fn mkdir(state: &mut State, dir: u64, name: &[u8]) -> u64 {
    let (ino, tx) = state.mkdir(dir, name, attr(DIR, 5)).unwrap();
    commit(state, tx);
    ino
}

pub(crate) fn symlink(state: &mut State, dir: u64, name: &[u8], target: &[u8]) -> u64 {
    let (ino, tx) = state.symlink(dir, name, target, attr(LINK, 5)).unwrap();
    commit(state, tx);
    ino
}

/// Allocates blocks and maps them.
pub(crate) fn fill(state: &mut State, ino: u64, pgoff: u64, len: u64) -> u64 {
    let range = state.allocate(len, 0).unwrap();
    assert_eq!(range.end - range.start, len);
    let tx = state.remap(ino, pgoff, range.start, len).unwrap();
    commit(state, tx);
    range.start
}

pub(crate) fn tx(ops: Vec<Op>) -> Transaction {
    let mut tx = Transaction::new();
    for op in ops {
        tx.push(op).unwrap();
    }
    tx
}

pub(crate) fn nlink(state: &State, ino: u64) -> u32 {
    state.inode(ino).unwrap().attr.nlink
}

#[test]
fn new_state_checks_its_arguments() {
    for (blocks, mode) in [(0, DIR), (1 << 53, DIR), (10, FILE)] {
        assert_eq!(
            State::new(blocks, attr(mode, 0), SECRET).err(),
            Some(EINVAL)
        );
    }
    let state = new_state(10);
    assert_eq!(state.total_blocks(), 10);
    assert_eq!(state.free_blocks(), 10);
    assert_eq!(nlink(&state, ROOT_INO), 2);
    assert_eq!(state.get(2).err(), Some(ENOENT));
}

#[test]
fn orphans_keep_their_blocks_until_evicted() {
    let mut s = new_state(10);
    let (ino, t) = s.tmpfile(attr(FILE, 1)).unwrap();
    commit(&mut s, t);
    fill(&mut s, ino, 0, 4);
    fill(&mut s, ino, 9, 2);
    assert_eq!((s.free_blocks(), s.owned_blocks()), (4, 6));
    let t = s.link(ROOT_INO, b"t", ino, at(2)).unwrap();
    commit(&mut s, t);
    let t = s.unlink(ROOT_INO, b"t", at(3)).unwrap();
    commit(&mut s, t);
    assert_eq!(s.free_blocks(), 4);
    let (t, _) = s.evict(ino).unwrap();
    commit(&mut s, t);
    assert_eq!(s.free_blocks(), 10);
    assert!(s.owners().is_empty());
}

#[test]
fn mappings_are_clipped_where_anything_changes() {
    let mut s = new_state(100);
    let a = create(&mut s, ROOT_INO, b"a");
    let b = create(&mut s, ROOT_INO, b"b");
    let block = fill(&mut s, a, 10, 20);
    let t = s.clone_range(a, 15, b, 0, 5).unwrap();
    commit(&mut s, t);
    assert_eq!(s.mark_bad(block + 12..block + 14), Ok(2));
    s.check().unwrap();

    let data = |at: u64, len, shared, bad| {
        Ok(Mapping::Data {
            block: block + at,
            len,
            shared,
            bad,
        })
    };
    assert_eq!(s.map(a, 0, 100), Ok(Mapping::Hole { len: 10 }));
    assert_eq!(s.map(a, 4, 3), Ok(Mapping::Hole { len: 3 }));
    assert_eq!(s.map(a, 30, 9), Ok(Mapping::Hole { len: 9 }));
    assert_eq!(s.map(a, u64::MAX, 9), Ok(Mapping::Hole { len: 9 }));
    assert_eq!(s.map(a, 10, 100), data(0, 5, false, false));
    assert_eq!(s.map(a, 11, 2), data(1, 2, false, false));
    assert_eq!(s.map(a, 16, 100), data(6, 4, true, false));
    assert_eq!(s.map(b, 1, 100), data(6, 4, true, false));
    assert_eq!(s.map(a, 20, 100), data(10, 2, false, false));
    assert_eq!(s.map(a, 22, 100), data(12, 2, false, true));
    assert_eq!(s.map(a, 24, 100), data(14, 6, false, false));
    assert_eq!(s.map(b, 5, 7), Ok(Mapping::Hole { len: 7 }));
}

#[test]
fn clone_rules() {
    let mut s = new_state(100);
    let a = create(&mut s, ROOT_INO, b"a");
    let b = create(&mut s, ROOT_INO, b"b");
    let block = fill(&mut s, a, 2, 4);
    fill(&mut s, b, 0, 10);
    assert_eq!(s.clone_range(a, 0, a, 3, 4).err(), Some(EINVAL));
    assert_eq!(s.clone_range(a, 0, b, 0, 0).err(), Some(EINVAL));
    assert_eq!(s.clone_range(a, 0, ROOT_INO, 0, 1).err(), Some(EISDIR));
    assert_eq!(s.clone_range(99, 0, b, 0, 1).err(), Some(ENOENT));
    assert_eq!(s.clone_range(a, 0, b, 1 << 52, 1).err(), Some(EFBIG));
    assert_eq!(s.clone_range(a, u64::MAX, b, 0, 2).err(), Some(EFBIG));

    // Holes become holes: pages 1 and 2 of b were data.
    let t = s.clone_range(a, 0, b, 1, 5).unwrap();
    commit(&mut s, t);
    assert_eq!(s.map(b, 1, 9), Ok(Mapping::Hole { len: 2 }));
    let shared = Mapping::Data {
        block,
        len: 3,
        shared: true,
        bad: false,
    };
    assert_eq!(s.map(b, 3, 9), Ok(shared));
    assert_eq!(s.owned_blocks(), 4 + 5);

    // Within a file.
    let t = s.clone_range(a, 2, a, 50, 4).unwrap();
    commit(&mut s, t);
    assert_eq!(s.owners().count_owners(block..block + 1), 3);
    // Again: the blocks stay, though they are unmapped in between.
    let t = s.clone_range(a, 2, a, 50, 4).unwrap();
    commit(&mut s, t);
    assert_eq!(s.owners().count_owners(block..block + 1), 3);

    s.mark_bad(block + 1..block + 2).unwrap();
    assert_eq!(s.clone_range(a, 0, b, 0, 4).err(), Some(EIO));
    s.clone_range(a, 0, b, 0, 3).unwrap();
}

#[test]
fn copy_on_write_splits_one_owner() {
    let mut s = new_state(100);
    let a = create(&mut s, ROOT_INO, b"a");
    let b = create(&mut s, ROOT_INO, b"b");
    let block = fill(&mut s, a, 0, 10);
    let t = s.clone_range(a, 0, b, 0, 10).unwrap();
    commit(&mut s, t);
    let new = s.allocate(1, 50).unwrap().start;
    assert_eq!((new, s.in_flight_blocks()), (50, 1));
    let t = s.remap(b, 5, new, 1).unwrap();
    commit(&mut s, t);
    assert_eq!(s.in_flight_blocks(), 0);
    let owners: Vec<_> = s.owners().iter().collect();
    assert_eq!(
        owners,
        vec![
            rec(block, 10, a, 0),
            rec(block, 5, b, 0),
            rec(block + 6, 4, b, 6),
            rec(new, 1, b, 5),
        ]
    );
    assert_eq!(s.get(b).unwrap().as_file().unwrap().len(), 3);
}

#[test]
fn bad_blocks_stay_out_of_use() {
    let mut s = new_state(20);
    let a = create(&mut s, ROOT_INO, b"a");
    let block = fill(&mut s, a, 0, 4);
    assert_eq!(s.mark_bad(0..20 + 1), Err(EINVAL));
    assert_eq!(s.mark_bad(3..3), Err(EINVAL));
    assert_eq!(s.mark_bad(block + 1..block + 3), Ok(2));
    assert_eq!(s.mark_bad(block + 2..block + 6), Ok(3));
    assert_eq!((s.bad_blocks(), s.free_blocks()), (5, 14));
    assert_eq!(s.mark_bad(block..block + 6), Ok(1));
    s.check().unwrap();
    assert!(s.is_bad(block) && !s.is_bad(block + 6));

    // Twice in one file, and unmapped at once: counted once.
    let t = tx(vec![Op::Map {
        ino: a,
        pgoff: 100,
        block,
        len: 2,
        unwritten: false,
    }]);
    commit(&mut s, t);
    let t = s.unmap_range(a, 0, u64::MAX).unwrap();
    commit(&mut s, t);
    assert_eq!(
        (s.bad_blocks(), s.free_blocks(), s.owned_blocks()),
        (6, 14, 0)
    );

    let mut got = 0;
    while let Ok(range) = s.allocate(20, 0) {
        assert_eq!(s.next_bad(range.start, range.end), None);
        got += range.end - range.start;
    }
    assert_eq!((got, s.free_blocks()), (14, 0));
    assert_eq!(s.allocate(1, 0), Err(ENOSPC));

    // Bad while in flight: not free afterwards.
    assert_eq!(s.mark_bad(19..20), Ok(1));
    s.check().unwrap();
    s.release(0..20).unwrap();
    s.check().unwrap();
    assert_eq!((s.free_blocks(), s.in_flight_blocks()), (13, 0));
}

#[test]
fn bad_blocks_of_nobody_can_be_good_again() {
    let mut s = new_state(20);
    let a = create(&mut s, ROOT_INO, b"a");
    assert_eq!(fill(&mut s, a, 0, 4), 0);
    assert_eq!(s.allocate(2, 10), Ok(10..12));
    s.mark_bad(2..12).unwrap();
    assert_eq!(s.free_blocks(), 8);
    assert_eq!(s.unmark_bad(3..3).err(), Some(EINVAL));
    assert_eq!(s.unmark_bad(19..21).err(), Some(EINVAL));
    assert_eq!(s.unmark_bad(12..13).err(), Some(enodata()));
    assert_eq!(s.unmark_bad(9..13).err(), Some(enodata()));
    assert_eq!(s.unmark_bad(3..4).err(), Some(EBUSY));
    assert_eq!(s.unmark_bad(3..6).err(), Some(EBUSY));
    assert_eq!(s.unmark_bad(9..11).err(), Some(EBUSY));

    // From the middle of a run.
    let t = s.unmark_bad(5..7).unwrap();
    commit(&mut s, t);
    assert_eq!((s.bad_blocks(), s.free_blocks()), (8, 10));
    assert!(s.is_bad(4) && !s.is_bad(5) && !s.is_bad(6) && s.is_bad(7));
    assert_eq!(s.allocate(3, 4), Ok(12..15));
    assert_eq!(s.allocate(2, 4), Ok(5..7));
    s.release(5..7).unwrap();

    // What a file and what an allocation gave up.
    let t = s.unmap_range(a, 0, 4).unwrap();
    commit(&mut s, t);
    s.release(10..12).unwrap();
    let t = s.unmark_bad(2..5).unwrap();
    commit(&mut s, t);
    let t = s.unmark_bad(7..12).unwrap();
    commit(&mut s, t);
    assert_eq!((s.bad_blocks(), s.free_blocks()), (0, 17));
    assert_eq!(s.mark_bad(5..6), Ok(1), "again");
    s.check().unwrap();
}

#[test]
fn a_bad_run_that_is_cleared_in_the_middle_finds_room() {
    let mut s = new_state(2000);
    s.mark_bad(0..2000).unwrap();
    for i in 0..500 {
        let t = s.unmark_bad(i * 4 + 1..i * 4 + 3).unwrap();
        commit(&mut s, t);
    }
    assert_eq!((s.bad_blocks(), s.free_blocks()), (1000, 1000));
}

#[test]
fn allocation_order() {
    let mut s = new_state(100);
    assert_eq!(s.allocate(0, 0), Err(EINVAL));
    assert_eq!(s.allocate(3, 0), Ok(0..3));
    assert_eq!(s.allocate(16, 16), Ok(16..32));
    assert_eq!(s.allocate(4, 40), Ok(40..44), "from the goal");
    assert_eq!(
        s.allocate(4, 98),
        Ok(3..7),
        "a full run rather than the rest of two blocks"
    );
    assert_eq!(s.allocate(4, 1000), Ok(7..11), "no such goal");
    assert_eq!(s.allocate(10, 64), Ok(64..74));
    assert_eq!(
        s.allocate(20, 50),
        Ok(74..94),
        "not the rest in front of that"
    );
    assert_eq!(s.allocate(90, 0), Ok(44..64), "the longest");
    assert_eq!(s.allocate(6, 30), Ok(32..38), "in front of the goal");
    while s.allocate(9, 0).is_ok() {}
    s.release(5..9).unwrap();
    assert_eq!(s.allocate(4, 7), Ok(5..9), "over the goal");
    s.check().unwrap();
}

#[test]
fn release_does_not_allocate_unless_in_the_middle() {
    let mut s = new_state(100);
    for _ in 0..8 {
        s.allocate(10, 0).unwrap();
    }
    budget::set(Some(0));
    for i in 0..8 {
        s.release(i * 10..i * 10 + 2).unwrap();
        s.release(i * 10 + 9..i * 10 + 10).unwrap();
    }
    let free = s.free_blocks();
    assert_eq!(free, 20 + 24);
    assert_eq!(s.release(4..5), Err(ENOMEM));
    assert_eq!(s.free_blocks(), free);
    budget::set(None);
    s.release(4..5).unwrap();
    assert_eq!(s.free_blocks(), free + 1);
    s.check().unwrap();
}

#[test]
fn map_from_the_middle_of_an_allocation() {
    let mut s = new_state(100);
    let a = create(&mut s, ROOT_INO, b"a");
    assert_eq!(s.allocate(10, 0), Ok(0..10));
    // Each splits one range in flight.
    for block in [2, 4, 6, 8] {
        let t = s.remap(a, block * 2, block, 1).unwrap();
        commit(&mut s, t);
    }
    assert_eq!(s.in_flight_blocks(), 6);
    s.release(0..10).unwrap();
    assert_eq!(s.free_blocks(), 96);
    s.check().unwrap();
}

#[test]
fn bad_pages_of_a_file() {
    let mut s = new_state(100);
    let a = create(&mut s, ROOT_INO, b"a");
    let first = fill(&mut s, a, 0, 10);
    let b = create(&mut s, ROOT_INO, b"b");
    let tx = s.clone_range(a, 2, b, 50, 4).unwrap();
    commit(&mut s, tx);
    s.mark_bad(first + 3..first + 6).unwrap();
    assert_eq!(s.bad_pages(a, 0..u64::MAX).unwrap(), 3);
    assert_eq!(s.bad_pages(a, 4..5).unwrap(), 1);
    assert_eq!(s.bad_pages(a, 6..10).unwrap(), 0);
    assert_eq!(s.bad_pages(b, 0..54).unwrap(), 3);
    assert_eq!(s.bad_pages(b, 0..53).unwrap(), 2);
}
