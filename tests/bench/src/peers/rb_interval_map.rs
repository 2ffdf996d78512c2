// SPDX-License-Identifier: GPL-2.0

//! `rb-interval-map` as a peer: a red-black tree in an array, with one value for an interval.

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
use rb_interval_map::{
    Interval,
    IntervalMap, //
};
use std::ops::Range;

/// Owners are in the bounds.
pub struct RbIntervalMap(IntervalMap<Bound, ()>);

impl Default for RbIntervalMap {
    fn default() -> Self {
        RbIntervalMap(IntervalMap::new())
    }
}

fn interval(bounds: Range<Bound>) -> Interval<Bound> {
    Interval::new(bounds.start, bounds.end)
}

impl Peer for RbIntervalMap {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        // Faster than its iterator, as its documentation says.
        for (bounds, ()) in self.0.find_all_overlap(&interval(query(&range))) {
            let (block, ino, pgoff) = bounds.low;
            fold.hit(block, bounds.high.0, ino, pgoff);
        }
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let mut sweep = Sweep::new(block, max_len);
        let range = interval(query(&(block..block + max_len)));

        for (bounds, ()) in self.0.filter_iter(&range) {
            if !sweep.hit(bounds.low.0, bounds.high.0) {
                break;
            }
        }
        sweep.finish()
    }
}

impl Dynamic for RbIntervalMap {
    fn insert(&mut self, rec: &Rec) {
        self.0.insert(interval(bounds(rec)), ());
    }

    fn remove(&mut self, rec: &Rec) -> bool {
        self.0.remove(&interval(bounds(rec))).is_some()
    }
}
