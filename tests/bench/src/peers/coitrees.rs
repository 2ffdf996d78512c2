// SPDX-License-Identifier: GPL-2.0

//! `coitrees` as a peer: built once, blocks of 31 bits.

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
use coitrees::{
    COITree,
    Interval,
    IntervalTree, //
};
use std::ops::Range;

/// Owners by blocks.
pub struct Coitree {
    tree: COITree<(u64, u64), u32>,
    scratch: Vec<(u64, u64)>,
}

impl Peer for Coitree {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        self.tree
            .query(range.start as i32, range.end as i32 - 1, |node| {
                let (ino, pgoff) = node.metadata;
                fold.hit(node.first as u64, node.last as u64 + 1, ino, pgoff);
            });
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let scratch = &mut self.scratch;

        scratch.clear();
        self.tree
            .query(block as i32, (block + max_len) as i32 - 1, |node| {
                scratch.push((node.first as u64, node.last as u64 + 1));
            });
        Sweep::unsorted(block, max_len, scratch)
    }
}

impl Static for Coitree {
    fn build(records: &[Rec]) -> Self {
        let intervals: Vec<_> = records
            .iter()
            .map(|r| Interval::new(r.block as i32, r.end() as i32 - 1, (r.ino, r.pgoff)))
            .collect();
        Coitree {
            tree: COITree::new(&intervals),
            scratch: Vec::new(),
        }
    }
}
