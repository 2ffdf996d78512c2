// SPDX-License-Identifier: GPL-2.0

//! Sets of blocks, as sorted ranges: the bad set, and the blocks that are in flight.
//!
//! A change may need one more range than there was, and never more than that: so memory can be reserved
//! before.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::errno::euclean;
use core::ops::Range;
use kernel::prelude::*;

/// A range in the set; `start < end`.
#[derive(Clone, Copy)]
struct Run {
    start: u64,
    end: u64,
}

/// A set of blocks.
///
/// # Invariants
///
/// - `runs` are not empty, ascending and disjoint.
/// - `total` is the sum of their lengths.
pub(crate) struct RangeSet {
    runs: KVVec<Run>,
    total: u64,
}

impl RangeSet {
    /// Creates an empty set. Allocates nothing.
    pub(crate) fn new() -> Self {
        RangeSet {
            runs: KVVec::new(),
            total: 0,
        }
    }

    /// Makes room, so that `n` changes cannot fail for memory. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(crate) fn reserve(&mut self, n: usize) -> Result {
        self.runs.reserve(n, GFP_KERNEL)?;
        Ok(())
    }

    /// As [`reserve`](Self::reserve), but does not wait for memory.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(crate) fn reserve_now(&mut self, n: usize) -> Result {
        self.runs.reserve(n, GFP_NOWAIT)?;
        Ok(())
    }

    /// Returns the number of changes that cannot fail for memory.
    pub(crate) fn spare(&self) -> usize {
        self.runs.capacity().saturating_sub(self.runs.len())
    }

    /// Adds a range, and merges it with the ranges that it touches. Returns how many blocks were
    /// not in the set before. Does not allocate.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if the range touches none and there is no [`spare`](Self::spare) slot; nothing has
    /// changed then.
    pub(crate) fn insert(&mut self, range: Range<u64>) -> Result<u64> {
        if range.is_empty() {
            return Ok(0);
        }
        let first = self.runs.partition_point(|r| r.end < range.start);
        let after = self.runs.partition_point(|r| r.start <= range.end);
        let mut run = Run {
            start: range.start,
            end: range.end,
        };
        let mut known = 0u64;
        for old in self.runs.get(first..after).unwrap_or_default() {
            run.start = run.start.min(old.start);
            run.end = run.end.max(old.end);
            known = known.saturating_add(old.end - old.start);
        }

        match self.runs.get_mut(first..after).and_then(|r| r.first_mut()) {
            Some(slot) => *slot = run,
            None => self.insert_at(first, run)?,
        }
        self.remove_runs(first.saturating_add(1)..after);
        let added = (run.end - run.start).saturating_sub(known);
        self.total = self.total.saturating_add(added);
        Ok(added)
    }

    /// Adds a range that stays apart from what it touches: [`remove`](Self::remove) of its head, its
    /// tail or all of it will not need a slot. Does not allocate.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if a block of it is in the set already, `ENOMEM` if there is no
    /// [`spare`](Self::spare) slot; nothing has changed then.
    pub(crate) fn insert_apart(&mut self, range: Range<u64>) -> Result {
        if range.is_empty() {
            return Ok(());
        }
        if self.overlap(range.clone()) != 0 {
            return Err(euclean());
        }
        let index = self.runs.partition_point(|r| r.end <= range.start);
        let run = Run {
            start: range.start,
            end: range.end,
        };
        self.insert_at(index, run)?;
        self.total = self.total.saturating_add(range.end - range.start);
        Ok(())
    }

    /// Removes what the set has of a range, and returns how many blocks that were. Does not
    /// allocate.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if the range is in the middle of one in the set and there is no
    /// [`spare`](Self::spare) slot; nothing has changed then.
    pub(crate) fn remove(&mut self, range: Range<u64>) -> Result<u64> {
        if range.is_empty() {
            return Ok(0);
        }
        let mut first = self.runs.partition_point(|r| r.end <= range.start);
        let mut after = self.runs.partition_point(|r| r.start < range.end);
        let removed = self.overlap(range.clone());
        if removed == 0 {
            return Ok(0);
        }

        if let Some(run) = self.runs.get(first).copied() {
            if run.start < range.start && run.end > range.end {
                let right = Run {
                    start: range.end,
                    end: run.end,
                };
                self.insert_at(first.saturating_add(1), right)?;
            }
            if run.start < range.start {
                if let Some(slot) = self.runs.get_mut(first) {
                    slot.end = range.start;
                }
                first = first.saturating_add(1);
            }
        }
        if let Some(last) = self.runs.get_mut(first..after).and_then(|r| r.last_mut()) {
            if last.end > range.end {
                last.start = range.end;
                after = after.saturating_sub(1);
            }
        }
        self.remove_runs(first..after);
        self.total = self.total.saturating_sub(removed);
        Ok(removed)
    }

    /// Returns whether `block` is in the set.
    pub(crate) fn contains(&self, block: u64) -> bool {
        self.overlap(block..block.saturating_add(1)) != 0
    }

    /// Returns the first range in the set of blocks in `from..end`, clipped to it.
    pub(crate) fn next(&self, from: u64, end: u64) -> Option<Range<u64>> {
        let run = self
            .runs
            .get(self.runs.partition_point(|r| r.end <= from))?;
        let range = run.start.max(from)..run.end.min(end);
        (!range.is_empty()).then_some(range)
    }

    /// Returns how many blocks of `range` are in the set.
    pub(crate) fn overlap(&self, range: Range<u64>) -> u64 {
        let mut blocks = 0u64;
        let mut from = range.start;
        while let Some(part) = self.next(from, range.end) {
            blocks = blocks.saturating_add(part.end - part.start);
            from = part.end;
        }
        blocks
    }

    /// Returns the number of blocks in the set.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Visits the ranges in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.runs.iter().map(|r| r.start..r.end)
    }

    /// Checks what must hold: the invariants, and that no block is at or after `blocks`.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if something does not hold.
    pub(crate) fn check(&self, blocks: u64) -> Result {
        let mut end = 0;
        let mut total = 0u64;

        for run in &self.runs {
            if run.start < end || run.end <= run.start || run.end > blocks {
                return Err(euclean());
            }
            end = run.end;
            total = total.saturating_add(run.end - run.start);
        }
        if total != self.total {
            return Err(euclean());
        }
        Ok(())
    }

    fn insert_at(&mut self, index: usize, run: Run) -> Result {
        self.runs
            .insert_within_capacity(index, run)
            .map_err(|_| ENOMEM)
    }

    /// Removes the runs with these indices.
    fn remove_runs(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let mut index = 0usize;
        self.runs.retain(|_| {
            let keep = !range.contains(&index);
            index = index.saturating_add(1);
            keep
        });
    }
}
