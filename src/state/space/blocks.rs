// SPDX-License-Identifier: GPL-2.0

//! Knows which blocks are free, allocates, and keeps the bad set.
//!
//! Free is what has no owner, is not bad and not in flight. Nothing of that is on the medium.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::{
    errno::{
        enodata,
        euclean, //
    },
    rmap::{
        Fit,
        OwnerTree, //
    },
    state::{
        Op,
        RangeSet,
        State,
        Transaction,
        SPARE_BAD, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

impl State {
    /// Returns the size of the device in blocks.
    pub(crate) fn total_blocks(&self) -> u64 {
        self.blocks
    }

    /// Returns the number of blocks that can be allocated.
    pub(crate) fn free_blocks(&self) -> u64 {
        self.blocks
            .saturating_sub(self.owned)
            .saturating_sub(self.bad_unowned)
            .saturating_sub(self.in_flight.total())
    }

    /// Returns of how many runs the free tree is, and how many bytes of memory it takes.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for debugfs"))]
    pub(crate) fn free_tree_size(&self) -> (usize, usize) {
        let tree = self.space.tree();
        (tree.len(), tree.bytes())
    }

    /// Makes the free tree wrong, as a bug might: with blocks that it should not have, or without some that
    /// it should. For the host tests.
    #[cfg(not(MODULE))]
    pub(crate) fn damage_free_tree(&mut self, blocks: Range<u64>, with: bool) -> Result {
        self.space.damage(blocks, with)
    }

    /// Returns the number of blocks that have an owner; shared ones count once.
    #[cfg_attr(MODULE, expect(dead_code, reason = "only the host tests ask"))]
    pub(crate) fn owned_blocks(&self) -> u64 {
        self.owned
    }

    /// Returns the number of blocks that are allocated and neither mapped nor released.
    #[cfg_attr(MODULE, expect(dead_code, reason = "only the host tests ask"))]
    pub(crate) fn in_flight_blocks(&self) -> u64 {
        self.in_flight.total()
    }

    /// Returns the number of bad blocks.
    pub(crate) fn bad_blocks(&self) -> u64 {
        self.bad.total()
    }

    /// Returns whether a block is bad.
    pub(crate) fn is_bad(&self, block: u64) -> bool {
        self.bad.contains(block)
    }

    /// Returns the first run of bad blocks in `from..end`, clipped to it.
    pub(crate) fn next_bad(&self, from: u64, end: u64) -> Option<Range<u64>> {
        self.bad.next(from, end)
    }

    /// Returns the first run of blocks in `range` that are not bad, clipped to it.
    pub(crate) fn first_good(&self, range: &Range<u64>) -> Option<Range<u64>> {
        let mut from = range.start;
        while from < range.end {
            match self.next_bad(from, range.end) {
                Some(bad) if bad.start == from => from = bad.end,
                Some(bad) => return Some(from..bad.start),
                None => return Some(from..range.end),
            }
        }
        None
    }

    /// Adds blocks to the bad set and returns how many are newly bad. From then on they are not
    /// allocated, and not freed with their last owner.
    ///
    /// Does not depend on memory as long as there is a spare slot: one range needs at most one,
    /// whatever is there already, since ranges that touch are merged. [`new`](Self::new) and every
    /// [`reserve`](Self::reserve) provide for 64 more ranges, and so does this afterwards, if the
    /// memory can be had at once. Only without a slot it waits for memory. It works in a corrupt
    /// state too.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the range is empty or not all on the device; `ENOMEM`. Nothing has changed then.
    pub(crate) fn mark_bad(&mut self, range: Range<u64>) -> Result<u64> {
        if range.is_empty() || range.end > self.blocks {
            return Err(EINVAL);
        }
        let before = self.bad.total();
        if self.bad.spare() == 0 {
            // Best effort: the range may join one that is there, and needs no slot then.
            let _ = self.bad.reserve(SPARE_BAD).or_else(|_| self.bad.reserve(1));
        }
        self.apply_op(
            Op::MarkBad {
                block: range.start,
                len: range.end - range.start,
            },
            &mut Default::default(),
        )?;
        // For the next ones. Nobody waits for it: his turn is when the last slot is gone.
        let _ = self.bad.reserve_now(SPARE_BAD);
        Ok(self.bad.total().saturating_sub(before))
    }

    /// Builds the transaction that takes blocks out of the bad set, so that they are free. Whether
    /// they are good again is the caller's business.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the range is empty or not all on the device; `ENODATA` if a block of it is not
    /// bad; `EBUSY` if one has an owner or is in flight; `ENOMEM`.
    pub(crate) fn unmark_bad(&self, range: Range<u64>) -> Result<Transaction> {
        if range.is_empty() || range.end > self.blocks {
            return Err(EINVAL);
        }
        let len = range.end - range.start;
        if self.bad.overlap(range.clone()) != len {
            return Err(enodata());
        }
        if self.bad_unowned_in(range.clone()) != len {
            return Err(EBUSY);
        }
        let mut tx = Transaction::new();
        tx.push(Op::UnmarkBad {
            block: range.start,
            len,
        })?;
        Ok(tx)
    }

    /// Allocates up to `want` contiguous blocks, searching from `goal` to the end of the device and
    /// then from its start. They are in flight until a transaction maps them or they are
    /// [`release`](Self::release)d.
    ///
    /// The first run of `want` blocks, or else one that is as long as can be had, or half as long. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` if `want` is 0, `ENOSPC`, `EIO` if the state is corrupt, `EUCLEAN` if it is found to be,
    /// `ENOMEM`.
    pub(crate) fn allocate(&mut self, want: u64, goal: u64) -> Result<Range<u64>> {
        self.start_allocation(want)?;
        let goal = if goal < self.blocks { goal } else { 0 };
        let found = self.long_fit(None, goal, Fit::Run, want, 1);
        self.end_allocation(found.map(|run| {
            let end = run.start.saturating_add(want);
            run.start..run.end.min(end)
        }))
    }

    /// Checks whether there is anything to allocate.
    pub(in crate::state) fn start_allocation(&mut self, want: u64) -> Result {
        if want == 0 {
            return Err(EINVAL);
        }
        if self.corrupt {
            return Err(EIO);
        }
        if self.free_blocks() == 0 {
            return Err(ENOSPC);
        }
        self.in_flight.reserve(1)
    }

    /// What was found is in flight from here on. The owner tree is asked as well: should the free tree be
    /// wrong, no block is given twice, and nothing changes any more.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if one of the blocks has an owner, or there are none though some are free.
    pub(in crate::state) fn end_allocation(
        &mut self,
        found: Option<Range<u64>>,
    ) -> Result<Range<u64>> {
        let is_free =
            |run: &Range<u64>| self.owners.next_gap(run.start, run.end).as_ref() == Some(run);
        let Some(range) = found.filter(is_free) else {
            self.corrupt = true;
            return Err(euclean());
        };
        self.in_flight.insert_apart(range.clone())?;
        self.version = self.version.wrapping_add(1);
        Ok(range)
    }

    /// Takes blocks that nobody has: they are in flight from here on, for as long as the mount is there. So a
    /// search does not meet them. May sleep.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if one of them is in use or not on the device; `ENOMEM`.
    pub(crate) fn take(&mut self, range: Range<u64>) -> Result {
        let len = range.end.saturating_sub(range.start);
        if range.end > self.blocks
            || self.owners.ownerless(range.clone()) != len
            || self.in_flight.overlap(range.clone()) != 0
        {
            return Err(euclean());
        }
        self.in_flight.reserve(1)?;
        self.space.keep_out(range.clone(), &self.bad)?;
        let before = self.bad_unowned_in(range.clone());
        self.in_flight.insert_apart(range)?;
        self.count_bad_unowned(before, 0);
        self.version = self.version.wrapping_add(1);
        Ok(())
    }

    /// Returns whether all of these blocks are in flight.
    pub(crate) fn is_in_flight(&self, range: Range<u64>) -> bool {
        let len = range.end.saturating_sub(range.start);
        self.in_flight.overlap(range) == len
    }

    /// Gives blocks in flight back; others in the range are left alone. Does not allocate if the
    /// range is the head, the tail or all of what was allocated (and not mapped since).
    ///
    /// # Errors
    ///
    /// `ENOMEM`, otherwise; the blocks stay in flight then.
    pub(crate) fn release(&mut self, range: Range<u64>) -> Result {
        self.space.give_up(range.clone(), &self.bad)?;
        let before = self.bad_unowned_in(range.clone());
        if self.in_flight.remove(range.clone()).is_err() {
            self.in_flight.reserve(1)?;
            self.in_flight.remove(range.clone())?;
        }
        let after = self.bad_unowned_in(range.clone());
        self.count_bad_unowned(before, after);
        self.version = self.version.wrapping_add(1);
        Ok(())
    }

    /// Returns how many blocks of `range` are bad, have no owner and are not in flight.
    pub(in crate::state) fn bad_unowned_in(&self, range: Range<u64>) -> u64 {
        bad_unowned_in(&self.bad, &self.owners, &self.in_flight, range)
    }

    /// Takes into account that [`bad_unowned_in`](Self::bad_unowned_in) has changed for a range.
    pub(in crate::state) fn count_bad_unowned(&mut self, before: u64, after: u64) {
        self.bad_unowned = self
            .bad_unowned
            .saturating_add(after)
            .saturating_sub(before);
    }
}

/// Returns how many blocks of `range` are bad, have no owner and are not in flight.
pub(in crate::state) fn bad_unowned_in(
    bad: &RangeSet,
    owners: &OwnerTree,
    in_flight: &RangeSet,
    range: Range<u64>,
) -> u64 {
    let mut blocks = 0u64;
    let mut from = range.start;

    while let Some(bad) = bad.next(from, range.end) {
        let mut start = bad.start;
        while let Some(gap) = owners.next_gap(start, bad.end) {
            start = gap.end;
            let len = gap.end - gap.start;
            blocks = blocks.saturating_add(len.saturating_sub(in_flight.overlap(gap)));
        }
        from = bad.end;
    }
    blocks
}
