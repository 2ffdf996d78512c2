// SPDX-License-Identifier: GPL-2.0

//! The naive model: extents by inode and page, never merged.

use super::list;
use crate::rmap::{
    OwnerRecord,
    Sharing,
    MAX_BLOCKS,
    MAX_INO,
    MAX_PAGES, //
};
use std::{
    collections::BTreeMap,
    ops::Range, //
};

#[derive(Default)]
pub(crate) struct Model(BTreeMap<(u64, u64), OwnerRecord>);

impl Model {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn extents(&self) -> Vec<OwnerRecord> {
        self.0.values().copied().collect()
    }

    /// Returns an extent that there is.
    pub(crate) fn nth(&self, n: usize) -> Option<OwnerRecord> {
        let n = n.checked_rem(self.len())?;
        self.0.values().nth(n).copied()
    }

    /// Returns whether an extent is valid, and its pages are a hole.
    pub(crate) fn admits(&self, r: &OwnerRecord) -> bool {
        r.len != 0
            && r.ino < MAX_INO
            && r.block + r.len <= MAX_BLOCKS
            && r.pgoff + r.len <= MAX_PAGES
            && self.in_pages(r.ino, &list::pages(r)).is_empty()
    }

    /// Maps an extent, which is admitted.
    pub(crate) fn map(&mut self, r: OwnerRecord) {
        self.0.insert((r.ino, r.pgoff), r);
    }

    /// Makes pages of a file a hole. Returns what was there.
    pub(crate) fn unmap(&mut self, ino: u64, pages: &Range<u64>) -> Vec<OwnerRecord> {
        let mut touched = self.touched(ino, pages);
        for r in &touched {
            self.0.remove(&(ino, r.pgoff));
        }
        let gone = list::cut(&mut touched, ino, pages);
        for r in touched {
            self.map(r);
        }
        gone
    }

    /// Returns what is mapped in these pages of a file.
    pub(crate) fn in_pages(&self, ino: u64, pages: &Range<u64>) -> Vec<OwnerRecord> {
        let touched = self.touched(ino, pages);
        let parts = touched.iter().filter_map(|r| list::part(r, pages));
        parts.collect()
    }

    /// Returns the extents of which some are in these pages of a file.
    fn touched(&self, ino: u64, pages: &Range<u64>) -> Vec<OwnerRecord> {
        let from_the_last = self.0.range((ino, 0)..(ino, pages.end)).rev();
        from_the_last
            .map(|(_, r)| *r)
            .take_while(|r| r.pgoff + r.len > pages.start)
            .collect()
    }

    /// Returns whether a block of a range is unwritten.
    pub(crate) fn any_unwritten(&self, range: &Range<u64>) -> bool {
        self.in_blocks(range).iter().any(|r| r.unwritten)
    }

    /// Returns the owners of a range of blocks.
    pub(crate) fn in_blocks(&self, range: &Range<u64>) -> Vec<OwnerRecord> {
        let all = self.0.values();
        all.filter_map(|r| list::part_in_blocks(r, range)).collect()
    }

    /// Returns how many blocks of a range have no owner.
    pub(crate) fn ownerless(&self, range: &Range<u64>) -> u64 {
        let mut owned = self.in_blocks(range);
        let mut from = range.start;
        let mut free = 0;

        owned.sort();
        for r in owned {
            free += r.block.saturating_sub(from);
            from = from.max(r.block + r.len);
        }
        free + (range.end - from)
    }

    /// Returns the runs of blocks that are shared, those that are not, and those that are free.
    pub(crate) fn runs(&self) -> Runs {
        let mut edges: Vec<(u64, i64)> = Vec::new();
        let mut runs: Vec<(Range<u64>, Sharing)> = Vec::new();
        let mut owners = 0;

        for r in self.0.values() {
            edges.extend([(r.block, 1), (r.block + r.len, -1)]);
        }
        edges.sort();
        edges.push((u64::MAX, 0));
        let mut from = 0;
        for (block, change) in edges {
            let sharing = match owners {
                0 => Sharing::Free,
                1 => Sharing::One,
                _ => Sharing::Many,
            };
            if from < block {
                match runs.last_mut() {
                    Some((range, last)) if *last == sharing => range.end = block,
                    _ => runs.push((from..block, sharing)),
                }
            }
            from = block;
            owners += change;
        }
        Runs(runs)
    }
}

/// Runs of blocks, without a gap from 0 on.
pub(crate) struct Runs(pub(crate) Vec<(Range<u64>, Sharing)>);

impl Runs {
    pub(crate) fn sharing(&self, block: u64, max: u64) -> (Sharing, u64) {
        let index = self.0.partition_point(|(range, _)| range.end <= block);
        let (range, sharing) = &self.0[index];
        (*sharing, (range.end - block).min(max.max(1)))
    }

    pub(crate) fn next_gap(&self, from: u64, end: u64) -> Option<Range<u64>> {
        let index = self.0.partition_point(|(range, _)| range.end <= from);
        let (range, _) = self.0[index..].iter().find(|(_, s)| *s == Sharing::Free)?;
        let gap = range.start.max(from)..range.end.min(end);
        (gap.start < gap.end).then_some(gap)
    }
}
