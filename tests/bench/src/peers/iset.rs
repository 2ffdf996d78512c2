// SPDX-License-Identifier: GPL-2.0

//! `iset` as a peer: a red-black tree in an array, which keeps duplicate intervals apart.

use super::{
    Dynamic,
    Peer, //
};
use crate::fold::{
    Fold,
    Rec,
    Run,
    Sweep, //
};
use iset::IntervalMap;
use std::ops::Range;

/// Owners by blocks.
pub struct Iset(IntervalMap<u64, (u64, u64)>);

impl Default for Iset {
    fn default() -> Self {
        Iset(IntervalMap::new())
    }
}

impl Peer for Iset {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        for (blocks, &(ino, pgoff)) in self.0.iter(range) {
            fold.hit(blocks.start, blocks.end, ino, pgoff);
        }
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let mut sweep = Sweep::new(block, max_len);

        for blocks in self.0.intervals(block..block + max_len) {
            if !sweep.hit(blocks.start, blocks.end) {
                break;
            }
        }
        sweep.finish()
    }
}

impl Dynamic for Iset {
    fn insert(&mut self, rec: &Rec) {
        self.0
            .force_insert(rec.block..rec.end(), (rec.ino, rec.pgoff));
    }

    fn remove(&mut self, rec: &Rec) -> bool {
        self.0
            .remove_where(rec.block..rec.end(), |&owner| owner == (rec.ino, rec.pgoff))
            .is_some()
    }
}
