// SPDX-License-Identifier: GPL-2.0

//! Tests of the owner tree, one thing each.

use crate::errno::euclean;
use crate::{
    owners::{
        rec,
        Owners, //
    },
    rmap::{
        Cursor,
        OwnerRecord,
        OwnerTree,
        Sharing,
        MAX_BLOCKS,
        MAX_INO,
        MAX_PAGES, //
    }, //
};
use kernel::{
    alloc::budget,
    prelude::ENOMEM, //
};
use std::vec;

fn tree(records: &[OwnerRecord]) -> Owners {
    let mut tree = Owners::new();
    for r in records {
        tree.insert(*r).unwrap();
    }
    tree.check();
    tree
}

#[test]
fn merges_with_both_neighbours() {
    let mut t = tree(&[rec(10, 5, 7, 0), rec(20, 5, 7, 10)]);
    assert_eq!(t.len(), 2);
    t.insert(rec(15, 5, 7, 5)).unwrap();
    assert_eq!(t.records(), vec![rec(10, 15, 7, 0)]);
    t.insert(rec(8, 2, 7, 100)).unwrap();
    t.insert(rec(25, 2, 8, 15)).unwrap();
    assert_eq!(t.len(), 3, "other pgoff, other inode: nothing to merge");
    assert_eq!(t.files[&7].pages(), 17);
    t.insert(rec(6, 2, 7, 98)).unwrap();
    assert_eq!(t.records()[0], rec(6, 4, 7, 98), "merges downwards");
    t.check();
}

#[test]
fn refuses_a_page_that_is_mapped() {
    let mut t = tree(&[rec(10, 10, 7, 5)]);
    let before = t.records();
    for bad in [
        rec(10, 10, 7, 5),
        rec(12, 1, 7, 7),
        rec(8, 3, 7, 3),
        rec(6, 30, 7, 1),
        rec(19, 4, 7, 14),
        rec(500, 1, 7, 14),
        rec(500, 2, 7, 4),
    ] {
        assert_eq!(t.insert(bad), Err(euclean()), "{bad:?}");
        assert_eq!(t.records(), before);
    }
    // The same file may have a block twice, at different places.
    t.insert(rec(12, 3, 7, 40)).unwrap();
    assert_eq!(t.sharing(12, 10), (Sharing::Many, 3));
    t.insert(rec(8, 3, 8, 3)).unwrap();
    t.check();
}

#[test]
fn refuses_what_is_out_of_range() {
    let mut t = tree(&[]);
    for bad in [
        rec(0, 0, 1, 0),
        rec(MAX_BLOCKS, 1, 1, 0),
        rec(0, 1, 1, MAX_PAGES),
        rec(0, 1, MAX_INO, 0),
        rec(u64::MAX, u64::MAX, u64::MAX, u64::MAX),
        rec(1, u64::MAX, 1, 0),
    ] {
        assert_eq!(t.insert(bad), Err(euclean()), "{bad:?}");
        assert_eq!(t.tree.insert(bad), Err(euclean()), "{bad:?}");
        assert_eq!(t.tree.remove(bad), Err(euclean()), "{bad:?}");
    }
    for good in [
        rec(MAX_BLOCKS - 1, 1, MAX_INO - 1, MAX_PAGES - 1),
        rec(0, MAX_BLOCKS, MAX_INO - 2, MAX_PAGES - MAX_BLOCKS),
        rec(0, 1, 0, 0),
    ] {
        t.insert(good).unwrap();
        assert!(t.contains(&good));
        assert!(t.records().contains(&good));
    }
    assert_eq!(t.walk(0..u64::MAX, 3).len(), 3);
    assert_eq!(t.next_gap(5, u64::MAX), Some(MAX_BLOCKS..u64::MAX));
    assert_eq!(t.sharing(MAX_BLOCKS - 1, 9), (Sharing::Many, 1));
    t.check();
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
        t.records(),
        vec![rec(10, 1, 7, 0), rec(12, 2, 8, 0), rec(14, 6, 7, 4)]
    );
    assert_eq!(t.remove(rec(14, 2, 7, 4)), Ok(2));
    assert_eq!(t.remove(rec(18, 2, 7, 8)), Ok(2));
    assert_eq!(t.remove(rec(16, 2, 7, 6)), Ok(2));
    assert_eq!(t.remove(rec(12, 2, 8, 0)), Ok(2));
    assert_eq!(t.records(), vec![rec(10, 1, 7, 0)]);
}

#[test]
fn remove_of_what_is_not_there_changes_nothing() {
    let mut t = tree(&[rec(10, 10, 7, 0), rec(21, 4, 7, 11)]);
    let before = t.records();
    for bad in [
        rec(10, 11, 7, 0),
        rec(19, 3, 7, 9),
        rec(9, 2, 7, 0),
        rec(10, 1, 8, 0),
        rec(10, 1, 7, 1),
        rec(40, 1, 7, 30),
    ] {
        assert_eq!(t.remove(bad), Err(euclean()), "{bad:?}");
        assert_eq!(t.records(), before);
    }
}

#[test]
fn without_memory_nothing_changes() {
    let mut t = tree(&[]);
    assert_eq!(t.insert_reserved(rec(1, 1, 1, 1)), Err(ENOMEM));
    budget::set(Some(0));
    assert_eq!(t.reserve(1, 1), Err(ENOMEM));
    budget::set(None);
    t.insert(rec(10, 10, 1, 0)).unwrap();

    // Take what the vectors have rounded up to.
    budget::set(Some(0));
    let mut more = 0;
    while t
        .insert_reserved(rec(100 + 2 * more, 1, 1, 100 + more))
        .is_ok()
    {
        more += 1;
    }
    let before = t.records();
    assert_eq!(
        t.remove_reserved(rec(12, 1, 1, 2)),
        Err(ENOMEM),
        "would split"
    );
    assert_eq!(t.insert_reserved(rec(50, 1, 1, 50)), Err(ENOMEM));
    assert_eq!(t.records(), before);
    t.check();
    // These need none.
    t.insert_reserved(rec(20, 1, 1, 10)).unwrap();
    assert_eq!(t.remove_reserved(rec(20, 1, 1, 10)), Ok(1));
    assert_eq!(t.records(), before);
    budget::set(None);
}

#[test]
fn reserved_changes_do_not_allocate() {
    // From an empty tree, and into a full one: in order, against it, and to random places.
    let n = 3000;
    let orders: [fn(u64) -> u64; 3] = [|i| i, |i| 2999 - i, |i| i * 1009 % 3000];
    for order in orders {
        for start in [0, 5000] {
            let mut t = OwnerTree::new();
            t.reserve(start).unwrap();
            for i in 0..start as u64 {
                t.insert(rec(i * 2, 1, 1, i)).unwrap();
            }
            t.reserve(n).unwrap();
            budget::set(Some(0));
            for i in 0..n as u64 {
                t.insert(rec(order(i) * 3 + 1, 1, 2, order(i))).unwrap();
            }
            budget::set(None);
            t.check().unwrap();
            assert_eq!(t.len(), n + start);
        }
    }
}

#[test]
fn a_tree_that_is_emptied_keeps_its_reservation() {
    let mut t = OwnerTree::new();
    t.reserve(300).unwrap();
    for i in 0..300 {
        t.insert(rec(i, 1, i, 0)).unwrap();
    }
    t.reserve(600).unwrap();
    budget::set(Some(0));
    for i in 0..300 {
        t.remove(rec(i, 1, i, 0)).unwrap();
    }
    t.check().unwrap();
    for i in 0..300 {
        t.insert(rec(i, 1, i, 0)).unwrap();
    }
    budget::set(None);
    t.check().unwrap();
}

#[test]
fn the_last_block_of_all() {
    let last = rec(MAX_BLOCKS - 1, 1, MAX_INO - 1, MAX_PAGES - 1);
    let t = tree(&[last]);
    assert_eq!(t.sharing(MAX_BLOCKS - 1, 9), (Sharing::One, 1));
    assert_eq!(t.next_gap(MAX_BLOCKS - 1, MAX_BLOCKS), None);
    assert_eq!(t.walk(0..u64::MAX, 1), [last]);
}

#[test]
fn one_change_at_a_time_needs_no_more_than_its_reservation() {
    let mut t = OwnerTree::new();
    let mut state = 1u64;
    let mut there = vec::Vec::new();
    for step in 0..60_000u64 {
        t.reserve(1).unwrap();
        budget::set(Some(0));
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        // It grows, then shrinks to nothing, then grows again.
        if (state >> 33) % 100 < if step % 40_000 < 20_000 { 80 } else { 15 } || there.is_empty() {
            let r = rec((state >> 40) % 5000, 1 + (state >> 20) % 9, step, 0);
            t.insert(r).unwrap();
            there.push(r);
        } else {
            let r = there.swap_remove((state >> 35) as usize % there.len());
            t.remove(r).unwrap();
        }
        budget::set(None);
    }
    t.check().unwrap();
    assert_eq!(t.len(), there.len());
    there.sort();
    assert!(t.iter().eq(there));
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
    let all = [
        rec(13, 3, 3, 101),
        rec(13, 4, 5, 3),
        rec(14, 1, 9, 7),
        rec(15, 1, 3, 0),
    ];
    assert_eq!(t.walk(13..17, 4), all);
    assert_eq!(t.walk(13..17, 9), all);
    // Where a batch ends, records are cut.
    let pieces = [
        rec(13, 1, 3, 101),
        rec(13, 1, 5, 3),
        rec(14, 1, 3, 102),
        rec(14, 1, 5, 4),
        rec(14, 1, 9, 7),
        rec(15, 1, 3, 0),
        rec(15, 1, 3, 103),
        rec(15, 1, 5, 5),
        rec(16, 1, 5, 6),
    ];
    for batch in 1..=3 {
        let got = t.walk(13..17, batch);
        let pages = got
            .iter()
            .flat_map(|r| (0..r.len).map(|i| rec(r.block + i, 1, r.ino, r.pgoff + i)));
        let mut pages: vec::Vec<_> = pages.collect();
        pages.sort();
        assert_eq!(pages, pieces, "in batches of {batch}: {got:?}");
        assert!(got.is_sorted_by_key(|r| r.block));
    }
    assert_eq!(t.count_owners(13..17), 9);
    assert_eq!(t.walk(17..601, 2).last(), Some(&rec(600, 1, 1, 0)));
    assert_eq!(t.walk(20..600, 4), []);
    assert_eq!(t.walk(30..30, 4), []);
    let mut cursor = Cursor::new();
    assert_eq!(t.owners(0..100, &mut cursor, &mut []), 0);
}

#[test]
fn owners_that_merge_between_batches_are_not_missed() {
    // Of records, in the order of (block, ino, pgoff), the second batch would begin after 11 and
    // miss inode 2, whose record begins at 10 by then.
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
    assert_eq!(
        out,
        [rec(14, 2, 1, 4)],
        "12 and 13 were free when it passed"
    );

    // The visited record is split.
    t.remove(rec(12, 1, 1, 2)).unwrap();
    assert_eq!(t.owners(0..20, &mut cursor, &mut out), 0);
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
    t.check().unwrap();
    let t = Owners {
        tree: t,
        files: Default::default(),
    };
    for batch in [16, 512] {
        let got = t.walk(40..41, batch);
        assert_eq!(got.len() as u64, N);
        assert!(got.windows(2).all(|w| w[0].ino < w[1].ino));
    }
    assert_eq!(t.count_owners(40..41), N);
    assert_eq!(t.sharing(40, 10), (Sharing::Many, 5));
}

#[test]
fn a_tree_that_has_become_small_gives_its_nodes_back() {
    let mut t = OwnerTree::new();
    for i in 0..5000 {
        t.reserve(1).unwrap();
        t.insert(rec(i, 1, i, 0)).unwrap();
    }
    for i in 10..5000 {
        t.remove(rec(i, 1, i, 0)).unwrap();
    }
    t.check().unwrap();
    let before = t.bytes();
    budget::set(Some(0));
    assert_eq!(t.reserve(1), Err(ENOMEM));
    assert_eq!(t.len(), 10, "it did not become a vector, and lost nothing");
    assert_eq!(t.bytes(), before);
    budget::set(None);
    t.reserve(1).unwrap();
    assert!(t.bytes() < before, "{before}");
    t.check().unwrap();
    for i in 0..10 {
        t.remove(rec(i, 1, i, 0)).unwrap();
    }
    t.check().unwrap();
    assert!(t.is_empty());
    assert_eq!(t.remove(rec(1, 1, 1, 0)), Err(euclean()));
}
