// SPDX-License-Identifier: GPL-2.0

//! Tests of the walk over what is lost, while the filesystem changes.

use crate::{
    owners::rec,
    property,
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    state::{
        Mapping,
        State,
        ROOT_INO, //
    },
    state_tests::{
        commit,
        create,
        fill,
        new_state, //
    },
};
use proptest::prelude::*;
use std::{
    collections::{
        BTreeMap,
        BTreeSet, //
    },
    format,
    vec,
    vec::Vec, //
};

/// A page of a file at a block.
type Page = (u64, u64, u64);

/// The next records, of which there may be none; whether these were the last.
fn next(state: &State, cursor: &mut Cursor, room: usize) -> (Vec<OwnerRecord>, bool) {
    let mut out = vec![OwnerRecord::default(); room];
    // Through the user's hands.
    *cursor = Cursor::from_words(cursor.to_words()).unwrap();
    let (found, end) = state.next_lost(cursor, &mut out);
    out.truncate(found);
    (out, end)
}

fn rest(state: &State, cursor: &mut Cursor, room: usize) -> Vec<OwnerRecord> {
    let mut all = Vec::new();
    for _ in 0..10_000 {
        let (found, end) = next(state, cursor, room);
        all.extend(found);
        if end {
            return all;
        }
    }
    panic!("no end");
}

fn pages(rec: &OwnerRecord) -> impl Iterator<Item = Page> + '_ {
    (0..rec.len).map(|i| (rec.ino, rec.pgoff + i, rec.block + i))
}

/// Every page that is lost now, found without a walk.
fn lost_now(state: &State) -> BTreeSet<Page> {
    let mut lost = BTreeSet::new();
    for (ino, inode) in state.inodes_from(0) {
        let Ok(map) = inode.as_file() else { continue };
        for extent in map.iter().filter(|e| !e.unwritten) {
            let all = rec(extent.block, extent.len, ino, extent.pgoff);
            lost.extend(pages(&all).filter(|(_, _, block)| state.is_bad(*block)));
        }
    }
    lost
}

fn unmap(state: &mut State, ino: u64, pgoff: u64, len: u64) {
    let tx = state.unmap_range(ino, pgoff, len).unwrap();
    commit(state, tx);
}

/// Four owners of ten bad blocks, of which the walk has visited some; then a block in the middle is
/// given up by all of them, cleared, and used by somebody else.
#[test]
fn a_crowd_that_is_torn() {
    let mut s = new_state(100);
    let files = [b"a", b"b", b"c", b"d"].map(|name| create(&mut s, ROOT_INO, name));
    let [a, b, c, d] = files;
    assert_eq!(fill(&mut s, a, 0, 10), 0);
    for f in [b, c, d] {
        let tx = s.clone_range(a, 0, f, 0, 10).unwrap();
        commit(&mut s, tx);
    }
    s.mark_bad(0..10).unwrap();
    let mut cursor = Cursor::new();
    assert_eq!(
        next(&s, &mut cursor, 2).0,
        [rec(0, 10, a, 0), rec(0, 10, b, 0)]
    );

    for f in files {
        unmap(&mut s, f, 0, 1);
        unmap(&mut s, f, 4, 2);
    }
    for good in [0..1, 4..6] {
        let tx = s.unmark_bad(good).unwrap();
        commit(&mut s, tx);
    }
    let e = create(&mut s, ROOT_INO, b"e");
    assert_eq!(s.allocate(2, 4), Ok(4..6));
    let tx = s.remap(e, 7, 4, 2).unwrap();
    commit(&mut s, tx);
    let expected = [
        rec(1, 3, c, 1),
        rec(6, 4, c, 6),
        rec(1, 3, d, 1),
        rec(6, 4, d, 6),
    ];
    for room in [1, 2, 9] {
        assert_eq!(rest(&s, &mut cursor.clone(), room), expected);
    }
    // It fails again, and the walk has not been there for this one.
    s.mark_bad(4..5).unwrap();
    let all = rest(&s, &mut cursor, 2);
    assert_eq!(all.iter().flat_map(pages).filter(|p| p.0 == e).count(), 1);
    assert_eq!(all.len(), 5);
}

#[derive(Clone, Debug)]
enum Step {
    Walk(usize),
    Clone(usize, u64, usize, u64, u64),
    Heal(usize, u64, u64),
    Fill(usize, u64, u64, bool),
    Fail(u64, u64),
    Clear(u64, u64),
}

const FILES: usize = 6;
const PAGES: u64 = 12;
const BLOCKS: u64 = 40;

fn step() -> impl Strategy<Value = Step> {
    let file = 0..FILES;
    let len = 1..8u64;
    prop_oneof![
        5 => (1..4usize).prop_map(Step::Walk),
        2 => (file.clone(), 0..PAGES, file.clone(), 0..PAGES, len.clone())
            .prop_map(|(f, p, g, q, n)| Step::Clone(f, p, g, q, n)),
        4 => (file.clone(), 0..PAGES, len.clone()).prop_map(|(f, p, n)| Step::Heal(f, p, n)),
        4 => (file, 0..PAGES, len.clone(), any::<bool>())
            .prop_map(|(f, p, n, written)| Step::Fill(f, p, n, written)),
        2 => (0..BLOCKS, len.clone()).prop_map(|(b, n)| Step::Fail(b, n)),
        6 => (0..BLOCKS, len).prop_map(|(b, n)| Step::Clear(b, n)),
    ]
}

/// Every page that is lost from the first step to the last is told of once; any other at most once,
/// and only while it is lost.
#[test]
fn every_lost_page_once() {
    let start = (1..FILES, 0..8u64, 1..12u64);
    let cases = (start, prop::collection::vec(step(), 1..40));
    property::check("lost", 3000, cases, |((sharing, from, bad), steps)| {
        let mut s = new_state(BLOCKS);
        let files: Vec<u64> = (0..FILES)
            .map(|i| create(&mut s, ROOT_INO, format!("{i}").as_bytes()))
            .collect();
        // Some that share much: crowds.
        assert_eq!(fill(&mut s, files[0], 0, PAGES), 0);
        for f in &files[1..=sharing.min(FILES - 1)] {
            let tx = s.clone_range(files[0], 0, *f, 0, PAGES).unwrap();
            commit(&mut s, tx);
        }
        s.mark_bad(from..from + bad).unwrap();

        let mut always = lost_now(&s);
        let mut cursor = Cursor::new();
        let mut told = BTreeMap::<Page, u32>::new();
        let mut tell = |s: &State, recs: Vec<OwnerRecord>| {
            let now = lost_now(s);
            for page in recs.iter().flat_map(pages) {
                assert!(now.contains(&page), "{page:?} is not lost");
                *told.entry(page).or_default() += 1;
            }
        };
        let mut over = false;
        for step in steps {
            match step {
                Step::Walk(room) if !over => {
                    let (found, end) = next(&s, &mut cursor, room);
                    tell(&s, found);
                    over = end;
                }
                Step::Walk(_) => {}
                Step::Clone(f, p, g, q, n) => {
                    if let Ok(tx) = s.clone_range(files[f], p, files[g], q, n) {
                        commit(&mut s, tx);
                    }
                }
                Step::Heal(f, p, n) => unmap(&mut s, files[f], p, n),
                Step::Fill(f, p, n, written) => {
                    if let Ok(got) = s.allocate(n, 0) {
                        let (ino, len) = (files[f], got.end - got.start);
                        let tx = if written {
                            s.remap(ino, p, got.start, len)
                        } else {
                            s.remap_unwritten(ino, p, got.start, len)
                        };
                        commit(&mut s, tx.unwrap());
                    }
                }
                Step::Fail(b, n) => {
                    s.mark_bad(b..(b + n).min(BLOCKS)).unwrap();
                }
                Step::Clear(b, n) => {
                    for b in b..(b + n).min(BLOCKS) {
                        if let Ok(tx) = s.unmark_bad(b..b + 1) {
                            commit(&mut s, tx);
                        }
                    }
                }
            }
            let now = lost_now(&s);
            // Once the walk is over, what is lost does not matter any more.
            always.retain(|page| over || now.contains(page));
        }
        if !over {
            let found = rest(&s, &mut cursor, 3);
            tell(&s, found);
        }
        assert!(told.values().all(|times| *times == 1), "{told:?}");
        for page in &always {
            assert_eq!(told.get(page), Some(&1), "{page:?}");
        }
    });
}

/// What a walk says of a mapping agrees with what a fault would get.
#[test]
fn lost_is_what_map_says_is_bad() {
    let mut s = new_state(50);
    let f = create(&mut s, ROOT_INO, b"f");
    let first = fill(&mut s, f, 3, 8);
    s.mark_bad(first + 2..first + 5).unwrap();
    assert_eq!(rest(&s, &mut Cursor::new(), 9), [rec(first + 2, 3, f, 5)]);
    let mapping = Mapping::Data {
        block: first + 2,
        len: 3,
        shared: false,
        bad: true,
    };
    assert_eq!(s.map(f, 5, 9), Ok(mapping));
}
