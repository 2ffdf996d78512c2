// SPDX-License-Identifier: GPL-2.0

//! `store-interval-tree` as a peer: an AVL tree that drops an interval that it has already.

use super::{
    bounds,
    query,
    Dynamic,
    Peer, //
};
use crate::fold::{
    Fold,
    Rec,
    Run,
    Sweep, //
};
use std::ops::{
    Bound::{
        Excluded,
        Included, //
    },
    Range, //
};
use store_interval_tree::{
    Interval,
    IntervalTree, //
};

/// Owners are in the bounds.
pub struct Store {
    tree: IntervalTree<super::Bound, u64>,
    scratch: Vec<(u64, u64)>,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            tree: IntervalTree::new(),
            scratch: Vec::new(),
        }
    }
}

fn interval(bounds: Range<super::Bound>) -> Interval<super::Bound> {
    Interval::new(Included(bounds.start), Excluded(bounds.end))
}

impl Store {
    #[inline]
    fn hits(&self, range: &Range<u64>, mut f: impl FnMut(super::Bound, u64)) {
        for entry in self.tree.query(&interval(query(range))) {
            if let Included(start) = *entry.interval().low() {
                f(start, start.0 + entry.value());
            }
        }
    }
}

impl Peer for Store {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        self.hits(&range, |(block, ino, pgoff), end| {
            fold.hit(block, end, ino, pgoff);
        });
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let mut hits = std::mem::take(&mut self.scratch);

        hits.clear();
        self.hits(&(block..block + max_len), |start, end| {
            hits.push((start.0, end));
        });
        let run = Sweep::unsorted(block, max_len, &mut hits);
        self.scratch = hits;
        run
    }
}

impl Dynamic for Store {
    fn insert(&mut self, rec: &Rec) {
        self.tree.insert(interval(bounds(rec)), rec.len);
    }

    fn remove(&mut self, rec: &Rec) -> bool {
        let before = self.tree.size();

        self.tree.delete(&interval(bounds(rec)));
        self.tree.size() < before
    }
}
