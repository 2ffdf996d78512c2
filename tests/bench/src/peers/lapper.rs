// SPDX-License-Identifier: GPL-2.0

//! `rust-lapper` as a peer: a sorted array. It can insert, but moves all that follows.

use super::{
    Peer,
    Static, //
};
use crate::fold::{
    Fold,
    Rec,
    Run,
    Sweep, //
};
use rust_lapper::{
    Interval,
    Lapper, //
};
use std::ops::Range;

/// Owners by blocks.
pub struct Sorted(Lapper<u64, (u64, u64)>);

impl Peer for Sorted {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        for found in self.0.find(range.start, range.end) {
            let (ino, pgoff) = found.val;
            fold.hit(found.start, found.stop, ino, pgoff);
        }
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let mut sweep = Sweep::new(block, max_len);

        for found in self.0.find(block, block + max_len) {
            if !sweep.hit(found.start, found.stop) {
                break;
            }
        }
        sweep.finish()
    }
}

impl Static for Sorted {
    fn build(records: &[Rec]) -> Self {
        Sorted(Lapper::new(
            records
                .iter()
                .map(|r| Interval {
                    start: r.block,
                    stop: r.end(),
                    val: (r.ino, r.pgoff),
                })
                .collect(),
        ))
    }
}
