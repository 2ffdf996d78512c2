// SPDX-License-Identifier: GPL-2.0

//! The owner tree against a naive model: the set of all <block, inode, page>.

use crate::errno::euclean;
use crate::{
    owners::{
        rec,
        Owners, //
    },
    property,
    rmap::{
        Cursor,
        OwnerRecord,
        Sharing, //
    }, //
};
use proptest::prelude::*;
use std::{
    collections::{
        BTreeMap,
        BTreeSet, //
    },
    ops::Range,
    vec,
    vec::Vec, //
};

type Page = (u64, u64, u64);

/// Few enough that changes meet.
const BLOCKS: Range<u64> = 500..530;

#[derive(Default)]
struct Model(BTreeSet<Page>);

fn pages(r: &OwnerRecord) -> impl Iterator<Item = Page> + '_ {
    (0..r.len).map(|i| (r.block + i, r.ino, r.pgoff + i))
}

impl Model {
    fn insert(&mut self, r: &OwnerRecord) -> Result<(), ()> {
        let mapped = |(_, ino, pgoff)| self.0.iter().any(|p| (p.1, p.2) == (ino, pgoff));
        if r.len == 0 || pages(r).any(mapped) {
            return Err(());
        }
        self.0.extend(pages(r));
        Ok(())
    }

    fn remove(&mut self, r: &OwnerRecord) -> Result<u64, ()> {
        if r.len == 0 || pages(r).any(|p| !self.0.contains(&p)) {
            return Err(());
        }
        for p in pages(r) {
            self.0.remove(&p);
        }
        Ok((r.block..r.end()).filter(|b| self.owners(*b) == 0).count() as u64)
    }

    fn owners(&self, block: u64) -> usize {
        self.0.range((block, 0, 0)..(block + 1, 0, 0)).count()
    }

    fn sharing(&self, block: u64) -> Sharing {
        match self.owners(block) {
            0 => Sharing::Free,
            1 => Sharing::One,
            _ => Sharing::Many,
        }
    }

    /// The records that there must be: as few as possible.
    fn records(&self) -> Vec<OwnerRecord> {
        let mut all: Vec<OwnerRecord> = Vec::new();
        for (block, ino, pgoff) in &self.0 {
            let continued = all
                .iter_mut()
                .find(|r| r.ino == *ino && r.end() == *block && r.pgoff_end() == *pgoff);
            match continued {
                Some(r) => r.len += 1,
                None => all.push(rec(*block, 1, *ino, *pgoff)),
            }
        }
        all.sort();
        all
    }
}

#[derive(Clone, Debug)]
enum Change {
    Insert(OwnerRecord),
    Remove(OwnerRecord),
    /// Removes a part of the nth record.
    RemovePart(usize, u64, u64),
}

fn record() -> impl Strategy<Value = OwnerRecord> {
    let near = (BLOCKS, 0..8u64, 1..4u64, 0..12u64);
    // On one diagonal, where records merge and split.
    let aligned = (BLOCKS, 0..8u64, 1..4u64).prop_map(|(b, len, ino)| (b, len, ino, b - 495));
    prop_oneof![near, aligned].prop_map(|(block, len, ino, pgoff)| rec(block, len, ino, pgoff))
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => record().prop_map(Change::Insert),
        1 => record().prop_map(Change::Remove),
        2 => (0..100usize, 0..8u64, 1..8u64).prop_map(|(n, at, len)| Change::RemovePart(n, at, len)),
    ]
}

/// Makes a change in both, compares the answers. Returns the pages that are gone.
fn apply(change: &Change, tree: &mut Owners, model: &mut Model) -> Vec<Page> {
    let remove = match change {
        Change::Insert(r) => {
            assert_eq!(
                tree.insert(*r),
                model.insert(r).map_err(|()| euclean()),
                "{r:?}"
            );
            return vec![];
        }
        Change::Remove(r) => *r,
        Change::RemovePart(n, at, len) => {
            let Some(r) = tree.iter().nth(n % tree.len().max(1)) else {
                return vec![];
            };
            let start = r.block + at % r.len;
            r.clip(&(start..start + len)).unwrap()
        }
    };
    let expected = model.remove(&remove).map_err(|()| euclean());
    assert_eq!(tree.remove(remove), expected, "{remove:?}");
    match expected {
        Ok(_) => pages(&remove).collect(),
        Err(_) => vec![],
    }
}

#[test]
fn changes_and_queries() {
    let cases = prop::collection::vec(change(), 1..40);
    property::check("owner tree", 1000, cases, |changes| {
        let mut tree = Owners::new();
        let mut model = Model::default();

        for change in changes {
            apply(&change, &mut tree, &mut model);
            assert_eq!(tree.records(), model.records());
            tree.check();
        }
        for block in BLOCKS.start - 2..BLOCKS.end + 10 {
            for max_len in [1, 2, 5, 100] {
                let sharing = model.sharing(block);
                let len = (block..block + max_len)
                    .take_while(|b| model.sharing(*b) == sharing)
                    .count();
                assert_eq!(tree.sharing(block, max_len), (sharing, len as u64));

                let end = block + max_len;
                let free = |b: &u64| model.owners(*b) == 0;
                let gap = (block..end)
                    .find(free)
                    .map(|start| start..start + (start..end).take_while(free).count() as u64);
                assert_eq!(tree.next_gap(block, end), gap);
                let free = (block..end).filter(free).count() as u64;
                assert_eq!(tree.ownerless(block..end), free);
                let owners = (block..end).map(|b| model.owners(b) as u64).sum::<u64>();
                assert_eq!(tree.count_owners(block..end), owners);
            }
        }
    });
}

#[test]
fn walks() {
    let cases = (
        prop::collection::vec(change(), 1..40),
        BLOCKS,
        1..30u64,
        1..6usize,
    );
    property::check("walks", 1000, cases, |(changes, start, len, batch)| {
        let mut tree = Owners::new();
        let mut model = Model::default();
        for change in changes {
            apply(&change, &mut tree, &mut model);
        }

        let range = start..start + len;
        let mut expected = model.0.clone();
        expected.retain(|(block, _, _)| range.contains(block));
        let walked = tree.walk(range.clone(), batch);
        let visited: Vec<_> = walked.iter().flat_map(pages).collect();
        assert_eq!(visited.iter().copied().collect::<BTreeSet<_>>(), expected);
        assert_eq!(visited.len(), expected.len(), "one was visited twice");
        assert!(walked.is_sorted_by_key(|r| r.block), "{walked:?}");

        // In one batch, with as few pieces as can be, all in order.
        let whole = tree.walk(range.clone(), 1000);
        let mut records: Vec<_> = model.records();
        records = records.iter().filter_map(|r| r.clip(&range)).collect();
        records.sort();
        assert_eq!(whole, records);
    });
}

#[test]
fn walks_with_changes_in_between() {
    let cases = (
        prop::collection::vec(change(), 1..40),
        prop::collection::vec(prop::collection::vec(change(), 0..4), 1..30),
        BLOCKS,
        1..30u64,
        1..4usize,
    );
    property::check(
        "walks with changes",
        1000,
        cases,
        |(first, later, start, len, batch)| {
            let mut tree = Owners::new();
            let mut model = Model::default();
            for change in first {
                apply(&change, &mut tree, &mut model);
            }

            let range = start..start + len;
            let mut always: BTreeSet<Page> = model.0.clone();
            always.retain(|(block, _, _)| range.contains(block));
            let mut visits = BTreeMap::<Page, u32>::new();
            let mut later = later.into_iter();
            let mut cursor = Cursor::new();
            let mut out = vec![OwnerRecord::default(); batch];
            loop {
                let n = tree.owners(range.clone(), &mut cursor, &mut out);
                for page in out[..n].iter().flat_map(pages) {
                    assert!(range.contains(&page.0));
                    assert!(model.0.contains(&page), "{page:?} is not an owner");
                    *visits.entry(page).or_default() += 1;
                    assert_eq!(visits[&page], 1, "{page:?} was visited more than once");
                }
                if n == 0 {
                    break;
                }
                for change in later.next().unwrap_or_default() {
                    for page in apply(&change, &mut tree, &mut model) {
                        always.remove(&page);
                    }
                }
            }
            assert_eq!(tree.owners(range, &mut cursor, &mut out), 0);

            for page in &always {
                assert!(visits.contains_key(page), "{page:?} was missed");
            }
        },
    );
}
