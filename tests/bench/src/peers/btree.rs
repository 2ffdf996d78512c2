// SPDX-License-Identifier: GPL-2.0

//! std's B-tree as a peer: records in the order of their blocks.
//!
//! What reaches over a block may begin before it, by as much as the longest record is long, so a
//! query scans from there. The simplest that one would write; removal does not lower the length.

use super::{
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
use std::{
    collections::BTreeMap,
    ops::Range, //
};

/// Lengths by <block, ino, pgoff>.
#[derive(Default)]
pub struct BTree {
    records: BTreeMap<Bound, u64>,
    max_len: u64,
}

impl BTree {
    #[inline]
    fn hits(&self, range: Range<u64>) -> impl Iterator<Item = (u64, u64, u64, u64)> + '_ {
        let from = (range.start + 1).saturating_sub(self.max_len);

        self.records
            .range((from, 0, 0)..(range.end, 0, 0))
            .map(|(&(block, ino, pgoff), len)| (block, block + len, ino, pgoff))
            .filter(move |&(_, end, _, _)| end > range.start)
    }
}

impl Peer for BTree {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        for (block, end, ino, pgoff) in self.hits(range) {
            fold.hit(block, end, ino, pgoff);
        }
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let mut sweep = Sweep::new(block, max_len);

        for (start, end, _, _) in self.hits(block..block + max_len) {
            if !sweep.hit(start, end) {
                break;
            }
        }
        sweep.finish()
    }
}

impl Dynamic for BTree {
    fn insert(&mut self, rec: &Rec) {
        self.records
            .insert((rec.block, rec.ino, rec.pgoff), rec.len);
        self.max_len = self.max_len.max(rec.len);
    }

    fn remove(&mut self, rec: &Rec) -> bool {
        self.records.remove(&(rec.block, rec.ino, rec.pgoff)) == Some(rec.len)
    }
}
