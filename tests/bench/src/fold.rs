// SPDX-License-Identifier: GPL-2.0

//! What every peer stores and what it makes of the hits of a query, so that answers compare.

use std::ops::Range;

/// An owner record: `len` blocks from `block` on are the pages from `pgoff` on of inode `ino`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rec {
    pub block: u64,
    pub len: u64,
    pub ino: u64,
    pub pgoff: u64,
}

impl Rec {
    /// Returns the first block after the record.
    pub fn end(&self) -> u64 {
        self.block + self.len
    }
}

/// The sum over the owners of a range: over the <block, inode, page> triples in it.
///
/// It depends neither on the order of the hits nor on where they are cut, so a peer that cuts a
/// record in two gets the same sum. Interval_tree.c has the same in C.
pub struct Fold {
    range: Range<u64>,
    sum: u64,
}

impl Fold {
    /// Starts with the owners of `range`, of which there are none yet.
    #[inline]
    pub fn new(range: Range<u64>) -> Self {
        Fold { range, sum: 0 }
    }

    /// Adds a record that overlaps the range: clips it, and looks at all of it.
    #[inline]
    pub fn hit(&mut self, block: u64, end: u64, ino: u64, pgoff: u64) {
        // Pgoff less block is the same for every page of a record.
        let hash = ino.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ pgoff
                .wrapping_sub(block)
                .wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let from = block.max(self.range.start);
        let len = end.min(self.range.end).wrapping_sub(from);
        let blocks = len.wrapping_mul(from).wrapping_add(
            len.wrapping_mul(len.wrapping_sub(1)) / 2, //
        );
        self.sum = self
            .sum
            .wrapping_add(hash.wrapping_mul(blocks.wrapping_add(len)));
    }

    /// Returns the sum.
    #[inline]
    pub fn sum(self) -> u64 {
        self.sum
    }
}

/// How many owners a block has, 2 standing for many, and for how many blocks that stays so.
pub type Run = (u64, u64);

/// Makes a [`Run`] of the records from a block on, in the order of their first blocks.
///
/// What the user of a peer would write on top of its query.
pub struct Sweep {
    block: u64,
    limit: u64,
    /// Where the last and the last but one owner end, of those that began so far.
    last: u64,
    second: u64,
    /// The run of a single owner, or of none, was ended by the next record.
    cut: Option<u64>,
}

impl Sweep {
    /// Starts at `block`; looks no further than `max_len` blocks.
    #[inline]
    pub fn new(block: u64, max_len: u64) -> Self {
        Sweep {
            block,
            limit: block + max_len,
            last: block,
            second: block,
            cut: None,
        }
    }

    /// Takes the next record, and returns whether more are of interest.
    #[inline]
    pub fn hit(&mut self, start: u64, end: u64) -> bool {
        if start > self.block {
            if self.second > self.block {
                if start > self.second {
                    return false;
                }
            } else if start != self.last || self.last == self.block {
                // A second owner begins, or there is a hole before, or nobody owned the block.
                self.cut = Some(start);
                return false;
            } else {
                self.last = end;
                return true;
            }
        }
        if end > self.last {
            self.second = std::mem::replace(&mut self.last, end);
        } else {
            self.second = self.second.max(end);
        }
        self.second < self.limit
    }

    /// Returns the run.
    #[inline]
    pub fn finish(self) -> Run {
        let (count, end) = if self.second > self.block {
            (2, self.second)
        } else if self.last > self.block {
            (1, self.cut.unwrap_or(self.last).min(self.last))
        } else {
            (0, self.cut.unwrap_or(self.limit))
        };
        (count, end.min(self.limit) - self.block)
    }

    /// Sweeps over hits in no order. They are sorted first: that is what such a peer costs.
    pub fn unsorted(block: u64, max_len: u64, hits: &mut [(u64, u64)]) -> Run {
        let mut sweep = Sweep::new(block, max_len);

        hits.sort_unstable();
        for &(start, end) in hits.iter() {
            if !sweep.hit(start, end) {
                break;
            }
        }
        sweep.finish()
    }
}
