// SPDX-License-Identifier: GPL-2.0

//! std's B-tree as a peer, one for each class of lengths.
//!
//! Class `c` has the records of 2^c to 2^(c+1) - 1 blocks, so a query scans at most twice as many
//! records as it finds in each, however long a few of them are.

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

/// Lengths by <block, ino, pgoff>, by class.
#[derive(Default)]
pub struct Classes {
    classes: Vec<BTreeMap<Bound, u64>>,
    scratch: Vec<(u64, u64)>,
}

fn class(len: u64) -> usize {
    len.ilog2() as usize
}

#[inline]
fn hits(
    classes: &[BTreeMap<Bound, u64>],
    range: Range<u64>,
) -> impl Iterator<Item = (u64, u64, u64, u64)> + '_ {
    classes
        .iter()
        .enumerate()
        .filter(|(_, map)| !map.is_empty())
        .flat_map(move |(class, map)| {
            let from = (range.start + 2).saturating_sub(2 << class);
            let start = range.start;

            map.range((from, 0, 0)..(range.end, 0, 0))
                .map(|(&(block, ino, pgoff), len)| (block, block + len, ino, pgoff))
                .filter(move |&(_, end, _, _)| end > start)
        })
}

impl Peer for Classes {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        // With for_each, and not a loop: that is how flat_map is fast.
        hits(&self.classes, range)
            .for_each(|(block, end, ino, pgoff)| fold.hit(block, end, ino, pgoff));
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        self.scratch.clear();
        let range = block..block + max_len;
        hits(&self.classes, range).for_each(|(start, end, _, _)| self.scratch.push((start, end)));
        Sweep::unsorted(block, max_len, &mut self.scratch)
    }
}

impl Dynamic for Classes {
    fn insert(&mut self, rec: &Rec) {
        let class = class(rec.len);

        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, BTreeMap::new);
        }
        self.classes[class].insert((rec.block, rec.ino, rec.pgoff), rec.len);
    }

    fn remove(&mut self, rec: &Rec) -> bool {
        self.classes
            .get_mut(class(rec.len))
            .is_some_and(|map| map.remove(&(rec.block, rec.ino, rec.pgoff)) == Some(rec.len))
    }
}
