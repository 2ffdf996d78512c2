// SPDX-License-Identifier: GPL-2.0

//! Tests of the owner tree, one thing each.

use crate::errno::euclean;
use crate::rmap::{
    Cursor,
    OwnerRecord,
    OwnerTree,
    Sharing,
    MAX_BLOCKS, //
};
use kernel::{
    alloc::budget,
    prelude::ENOMEM, //
};
use std::{
    ops::Range,
    vec,
    vec::Vec, //
};

pub(crate) fn rec(block: u64, len: u64, ino: u64, pgoff: u64) -> OwnerRecord {
    OwnerRecord {
        block,
        len,
        ino,
        pgoff,
    }
}

fn tree(records: &[OwnerRecord]) -> OwnerTree {
    let mut tree = OwnerTree::new();
    tree.reserve(records.len() + 16).unwrap();
    for r in records {
        tree.insert(*r).unwrap();
    }
    tree.check().unwrap();
    tree
}

fn records(tree: &OwnerTree) -> Vec<OwnerRecord> {
    tree.iter().collect()
}

/// Visits all owners in batches of `batch`.
pub(crate) fn walk(tree: &OwnerTree, range: Range<u64>, batch: usize) -> Vec<OwnerRecord> {
    let mut cursor = Cursor::new();
    let mut out = vec![OwnerRecord::default(); batch];
    let mut all = Vec::new();
    loop {
        let n = tree.owners(range.clone(), &mut cursor, &mut out);
        all.extend_from_slice(&out[..n]);
        if n < batch {
            return all;
        }
        // Records may be cut at windows of 512 blocks, but not into more pieces than pages.
        assert!(
            all.len() as u64 <= tree.count_owners(range.clone()),
            "no progress"
        );
    }
}

#[test]
fn merges_with_both_neighbours() {
    let mut t = tree(&[rec(10, 5, 7, 0), rec(20, 5, 7, 10)]);
    assert_eq!(t.len(), 2);
    t.insert(rec(15, 5, 7, 5)).unwrap();
    assert_eq!(records(&t), vec![rec(10, 15, 7, 0)]);
    t.insert(rec(8, 2, 7, 100)).unwrap();
    t.insert(rec(25, 2, 8, 15)).unwrap();
    assert_eq!(t.len(), 3, "other pgoff, other inode: nothing to merge");
    t.insert(rec(6, 2, 7, 98)).unwrap();
    assert_eq!(records(&t)[0], rec(6, 4, 7, 98), "merges downwards");
    t.check().unwrap();
}

#[test]
fn refuses_the_same_page_twice() {
    let mut t = tree(&[rec(10, 10, 7, 0)]);
    for bad in [
        rec(10, 10, 7, 0),
        rec(12, 1, 7, 2),
        rec(5, 6, 7, MAX_BLOCKS),
        rec(19, 4, 7, 9),
        rec(10, 1, 7, 0),
    ] {
        assert_eq!(t.insert(bad), Err(euclean()), "{bad:?}");
    }
    let mut t2 = tree(&[rec(10, 10, 7, 5)]);
    assert_eq!(t2.insert(rec(8, 3, 7, 3)), Err(euclean()));
    assert_eq!(t2.insert(rec(6, 30, 7, 1)), Err(euclean()));
    t2.insert(rec(8, 3, 8, 3)).unwrap();
    // The same file may have a block twice, at different places.
    t.insert(rec(12, 3, 7, 40)).unwrap();
    assert_eq!(t.sharing(12, 10), (Sharing::Many, 3));
    t.check().unwrap();
}

#[test]
fn refuses_what_is_out_of_range() {
    let mut t = tree(&[]);
    for bad in [
        rec(0, 0, 1, 0),
        rec(MAX_BLOCKS, 1, 1, 0),
        rec(0, 1, 1, MAX_BLOCKS),
        rec(u64::MAX, u64::MAX, u64::MAX, u64::MAX),
        rec(1, u64::MAX, 1, 0),
    ] {
        assert_eq!(t.insert(bad), Err(euclean()), "{bad:?}");
        assert_eq!(t.remove(bad), Err(euclean()), "{bad:?}");
    }
    t.insert(rec(MAX_BLOCKS - 1, 1, u64::MAX, MAX_BLOCKS - 1))
        .unwrap();
    assert_eq!(walk(&t, 0..u64::MAX, 3).len(), 1);
    assert_eq!(
        t.next_gap(MAX_BLOCKS - 1, u64::MAX).unwrap().start,
        MAX_BLOCKS
    );
    t.check().unwrap();
}

#[test]
fn removes_any_part() {
    let mut t = tree(&[rec(10, 10, 7, 0), rec(12, 2, 8, 0)]);
    assert_eq!(
        t.remove(rec(11, 3, 7, 1)),
        Ok(1),
        "12 and 13 have another owner"
    );
    assert_eq!(
        records(&t),
        vec![rec(10, 1, 7, 0), rec(12, 2, 8, 0), rec(14, 6, 7, 4)]
    );
    assert_eq!(t.remove(rec(14, 2, 7, 4)), Ok(2));
    assert_eq!(t.remove(rec(18, 2, 7, 8)), Ok(2));
    assert_eq!(t.remove(rec(16, 2, 7, 6)), Ok(2));
    assert_eq!(t.remove(rec(12, 2, 8, 0)), Ok(2));
    assert_eq!(records(&t), vec![rec(10, 1, 7, 0)]);
}

#[test]
fn remove_of_what_is_not_there_changes_nothing() {
    let mut t = tree(&[rec(10, 10, 7, 0), rec(21, 4, 7, 11)]);
    let before = records(&t);
    for bad in [
        rec(10, 11, 7, 0),
        rec(19, 3, 7, 9),
        rec(9, 2, 7, 0),
        rec(10, 1, 8, 0),
        rec(10, 1, 7, 1),
        rec(40, 1, 7, 30),
    ] {
        assert_eq!(t.remove(bad), Err(euclean()), "{bad:?}");
        assert_eq!(records(&t), before);
    }
}

#[test]
fn without_a_slot_nothing_changes() {
    let mut t = OwnerTree::new();
    assert_eq!(t.insert(rec(1, 1, 1, 1)), Err(ENOMEM));
    budget::set(Some(0));
    assert_eq!(t.reserve(1), Err(ENOMEM));
    budget::set(None);
    t.reserve(1).unwrap();
    t.insert(rec(10, 10, 1, 0)).unwrap();
    assert_eq!(t.remove(rec(12, 1, 1, 2)), Err(ENOMEM), "would split");
    assert_eq!(t.insert(rec(50, 1, 1, 50)), Err(ENOMEM));
    assert_eq!(records(&t), vec![rec(10, 10, 1, 0)]);
    // These need no slot.
    t.insert(rec(20, 1, 1, 10)).unwrap();
    assert_eq!(t.remove(rec(10, 1, 1, 0)), Ok(1));
    assert_eq!(records(&t), vec![rec(11, 10, 1, 1)]);
}

#[test]
fn reserved_changes_do_not_allocate() {
    let mut t = OwnerTree::new();
    t.reserve(5).unwrap();
    budget::set(Some(0));
    t.insert(rec(100, 100, 1, 0)).unwrap();
    for block in [110, 120, 130, 140] {
        assert_eq!(t.remove(rec(block, 1, 1, block - 100)), Ok(1));
    }
    assert_eq!(t.len(), 5);
    budget::set(None);
}

#[test]
fn sharing_runs() {
    let t = tree(&[
        rec(10, 10, 1, 0),
        rec(20, 5, 2, 0),
        rec(22, 2, 3, 0),
        rec(24, 4, 4, 0),
    ]);
    assert_eq!(t.sharing(0, 100), (Sharing::Free, 10));
    assert_eq!(t.sharing(5, 3), (Sharing::Free, 3));
    assert_eq!(
        t.sharing(10, 100),
        (Sharing::One, 12),
        "goes on over a change of owner"
    );
    assert_eq!(t.sharing(12, 4), (Sharing::One, 4));
    assert_eq!(t.sharing(22, 100), (Sharing::Many, 3), "2+3, then 2+4");
    assert_eq!(t.sharing(25, 100), (Sharing::One, 3));
    assert_eq!(t.sharing(28, 100), (Sharing::Free, 100));
    assert_eq!(t.sharing(28, 0), (Sharing::Free, 1));
    assert_eq!(t.sharing(u64::MAX, 5).0, Sharing::Free);
}

#[test]
fn gaps() {
    let t = tree(&[rec(10, 10, 1, 0), rec(12, 2, 2, 0), rec(25, 5, 2, 50)]);
    assert_eq!(t.next_gap(0, 100), Some(0..10));
    assert_eq!(t.next_gap(0, 5), Some(0..5));
    assert_eq!(t.next_gap(10, 20), None);
    assert_eq!(t.next_gap(13, 100), Some(20..25));
    assert_eq!(t.next_gap(27, 100), Some(30..100));
    assert_eq!(t.next_gap(50, 50), None);
    assert_eq!(t.ownerless(0..40), 25);
    assert!(!t.is_empty());
    assert!(t.contains(&rec(12, 2, 2, 0)));
    assert!(!t.contains(&rec(12, 1, 2, 0)));
    assert!(OwnerTree::new().is_empty());
}

#[test]
fn owners_are_clipped_and_ordered() {
    let t = tree(&[
        rec(10, 10, 5, 0),
        rec(12, 4, 3, 100),
        rec(14, 1, 9, 7),
        rec(15, 1, 3, 0),
        rec(600, 4, 1, 0),
    ]);
    let expected = [
        rec(15, 1, 3, 0),
        rec(13, 3, 3, 101),
        rec(13, 4, 5, 3),
        rec(14, 1, 9, 7),
        rec(600, 1, 1, 0),
    ];
    for batch in 1..7 {
        let got = walk(&t, 13..17, batch);
        assert_eq!(got, expected[..4], "in batches of {batch}");
    }
    assert_eq!(walk(&t, 13..17, 2).iter().map(|r| r.len).sum::<u64>(), 9);
    assert_eq!(t.count_owners(13..17), 9);
    assert_eq!(walk(&t, 17..601, 2).last(), expected.last());
    assert_eq!(walk(&t, 20..600, 4), vec![]);
    assert_eq!(walk(&t, 30..30, 4), vec![]);
    let mut cursor = Cursor::new();
    assert_eq!(t.owners(0..100, &mut cursor, &mut []), 0);
}

#[test]
fn owners_that_merge_between_batches_are_not_missed() {
    // In the order of (block, ino, pgoff), the second batch would begin after 11 and miss inode 2,
    // whose record begins at 10 by then.
    let mut t = tree(&[rec(10, 2, 1, 0), rec(11, 1, 2, 1)]);
    let mut cursor = Cursor::new();
    let mut out = [OwnerRecord::default()];
    assert_eq!(t.owners(11..12, &mut cursor, &mut out), 1);
    assert_eq!(out, [rec(11, 1, 1, 1)]);
    t.insert(rec(10, 1, 2, 0)).unwrap();
    assert_eq!(t.owners(11..12, &mut cursor, &mut out), 1);
    assert_eq!(out, [rec(11, 1, 2, 1)]);
    assert_eq!(t.owners(11..12, &mut cursor, &mut out), 0);

    // The visited record grows by one that is not visited yet.
    let mut t = tree(&[rec(10, 2, 1, 0), rec(14, 2, 1, 4)]);
    let mut cursor = Cursor::new();
    assert_eq!(t.owners(0..20, &mut cursor, &mut out), 1);
    assert_eq!(out, [rec(10, 2, 1, 0)]);
    t.insert(rec(12, 2, 1, 2)).unwrap();
    assert_eq!(t.owners(0..20, &mut cursor, &mut out), 1);
    assert_eq!(out, [rec(12, 4, 1, 2)]);

    // The visited record is split.
    t.remove(rec(12, 1, 1, 2)).unwrap();
    assert_eq!(t.owners(0..20, &mut cursor, &mut out), 0);
}

#[test]
fn owners_over_many_windows() {
    let t = tree(&[rec(100, 2000, 1, 0), rec(1_000_000, 1, 2, 0)]);
    let got = walk(&t, 0..MAX_BLOCKS, 2);
    assert_eq!(got.iter().map(|r| r.len).sum::<u64>(), 2001);
    assert_eq!(got[0], rec(100, 412, 1, 0));
    assert_eq!(got[1], rec(512, 512, 1, 412));
    assert_eq!(got.last(), Some(&rec(1_000_000, 1, 2, 0)));
    assert_eq!(got.len(), 6);
}

#[test]
fn a_hundred_thousand_owners_of_one_block() {
    const N: u64 = 100_000;
    let mut t = OwnerTree::new();
    t.reserve(N as usize).unwrap();
    for ino in 1..=N {
        // At different places in the file, and some with records that begin earlier.
        t.insert(rec(40 - ino % 3, 5, ino, ino * 31 % 1000))
            .unwrap();
    }
    for batch in [16, 512] {
        let got = walk(&t, 40..41, batch);
        assert_eq!(got.len() as u64, N);
        assert!(got.windows(2).all(|w| w[0].ino < w[1].ino));
    }
    assert_eq!(t.count_owners(40..41), N);
    assert_eq!(t.sharing(40, 10), (Sharing::Many, 5));
}

#[test]
fn check_finds_a_page_at_two_blocks() {
    let mut t = tree(&[rec(10, 4, 1, 0)]);
    t.insert(rec(50, 1, 1, 3)).unwrap();
    assert_eq!(t.check(), Err(euclean()));
    budget::set(Some(0));
    assert_eq!(t.check(), Err(ENOMEM));
    budget::set(None);
    assert_eq!(t.remove(rec(13, 1, 1, 3)), Ok(1));
    t.check().unwrap();
}
