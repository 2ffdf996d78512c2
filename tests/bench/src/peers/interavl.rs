// SPDX-License-Identifier: GPL-2.0

//! `interavl` as a peer: an AVL tree with one value for an interval, in the order of starts.

use super::{
    bounds,
    query,
    Bound,
    Dynamic,
    Peer, //
};
use crate::fold::{
    Fold,
    Rec,
    Run,
    Sweep, //
};
use interavl::IntervalTree;
use std::ops::Range;

/// Owners are in the bounds.
#[derive(Default)]
pub struct Interavl(IntervalTree<Bound, ()>);

impl Peer for Interavl {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        for (bounds, ()) in self.0.iter_overlaps(&query(&range)) {
            let (block, ino, pgoff) = bounds.start;
            fold.hit(block, bounds.end.0, ino, pgoff);
        }
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let mut sweep = Sweep::new(block, max_len);

        for (bounds, ()) in self.0.iter_overlaps(&query(&(block..block + max_len))) {
            if !sweep.hit(bounds.start.0, bounds.end.0) {
                break;
            }
        }
        sweep.finish()
    }
}

impl Dynamic for Interavl {
    fn insert(&mut self, rec: &Rec) {
        self.0.insert(bounds(rec), ());
    }

    fn remove(&mut self, rec: &Rec) -> bool {
        self.0.remove(&bounds(rec)).is_some()
    }
}
