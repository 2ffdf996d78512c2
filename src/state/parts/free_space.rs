// SPDX-License-Identifier: GPL-2.0

//! Keeps the free tree as the owner tree is: what has no owner is in it.
//!
//! The tree is what a search asks, see [`search`](crate::state::space::search). It has all blocks without an
//! owner, but for bad ones that were taken out, and for the metadata's. That blocks are handed out, or go
//! bad, changes nothing here: a search leaves them out itself. So a failure needs no memory for this tree;
//! the next transaction takes the bad blocks out ([`FreeSpace::reserve`]).
//!
//! What was free already and is given once more, or was not free and is taken, shows that the tree is not
//! what it should be. That is `EUCLEAN`, here as where blocks are handed out.
//!
//! # Locking
//!
//! The caller holds the state lock.

use super::range_set::RangeSet;
use crate::{
    errno::euclean,
    rmap::{
        FreeTree,
        OwnerTree, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Runs of bad blocks that one transaction takes out: nobody is to wait for very many.
const FOLDS: usize = 64;

/// Blocks that nobody owns.
pub(in crate::state) struct FreeSpace {
    tree: FreeTree,
    /// Blocks that are kept out of it: the metadata's.
    kept: RangeSet,
    /// Bad blocks that may be in the tree are between these.
    unfolded: Range<u64>,
}

impl FreeSpace {
    /// All blocks of a device are free. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EUCLEAN` if there are none.
    pub(in crate::state) fn new(blocks: u64) -> Result<Self> {
        let mut tree = FreeTree::new();
        tree.reserve(1)?;
        tree.give(0..blocks)?;
        Ok(FreeSpace {
            tree,
            kept: RangeSet::new(),
            unfolded: 0..0,
        })
    }

    /// Returns the tree, to ask it.
    pub(in crate::state) fn tree(&self) -> &FreeTree {
        &self.tree
    }

    /// Takes bad blocks out, some of those that are to be, and makes room, so that `n` changes after that
    /// cannot fail for memory: runs that get their first owner, and runs that lose the last one. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(in crate::state) fn reserve(&mut self, n: usize, bad: &RangeSet) -> Result {
        if self.unfolded.is_empty() {
            return self.tree.reserve(n);
        }
        self.tree.reserve(n.saturating_add(FOLDS))?;
        for _ in 0..FOLDS {
            let Some(run) = bad.next(self.unfolded.start, self.unfolded.end) else {
                self.unfolded = 0..0;
                break;
            };
            self.unfolded.start = run.end;
            self.tree.take(run)?;
        }
        Ok(())
    }

    /// These blocks are bad: they may be in the tree until they are [taken out](Self::reserve).
    pub(in crate::state) fn went_bad(&mut self, blocks: Range<u64>) {
        self.unfolded = if self.unfolded.is_empty() {
            blocks
        } else {
            self.unfolded.start.min(blocks.start)..self.unfolded.end.max(blocks.end)
        };
    }

    /// These blocks are owned from now on, `newly` of them for the first time. One change.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if they are not what the tree has, but for bad ones and the metadata's; `ENOMEM` without a
    /// reservation.
    pub(in crate::state) fn owned(
        &mut self,
        blocks: Range<u64>,
        newly: u64,
        bad: &RangeSet,
    ) -> Result {
        if newly == 0 {
            return Ok(());
        }
        let taken = self.tree.take(blocks.clone())?;
        let missing = newly.checked_sub(taken).ok_or_else(euclean)?;
        let known = bad.overlap(blocks.clone());
        if missing > known.saturating_add(self.kept.overlap(blocks)) {
            return Err(euclean());
        }
        Ok(())
    }

    /// Some of these blocks, all of which had an owner, have none any more: one change for each run of
    /// them.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if one of these was in the tree; `ENOMEM` without a reservation.
    pub(in crate::state) fn lost_owner(
        &mut self,
        blocks: Range<u64>,
        owners: &OwnerTree,
        bad: &RangeSet,
    ) -> Result {
        let mut from = blocks.start;
        while let Some(gap) = owners.next_gap(from, blocks.end) {
            from = gap.end;
            let before = self.tree.blocks();
            self.tree.give(gap.clone())?;
            if self.tree.blocks().checked_sub(before) != gap.end.checked_sub(gap.start) {
                return Err(euclean());
            }
        }
        if bad.next(blocks.start, blocks.end).is_some() {
            self.went_bad(blocks);
        }
        Ok(())
    }

    /// These blocks, which nobody owns, are not to be found until they are [given up](Self::give_up). May
    /// sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(in crate::state) fn keep_out(&mut self, blocks: Range<u64>, bad: &RangeSet) -> Result {
        self.reserve(1, bad)?;
        self.kept.reserve(1)?;
        self.tree.take(blocks.clone())?;
        self.kept.insert(blocks).map(|_| ())
    }

    /// What of these blocks is kept out is to be found again. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; some of it is kept out then.
    pub(in crate::state) fn give_up(&mut self, blocks: Range<u64>, bad: &RangeSet) -> Result {
        while let Some(part) = self.kept.next(blocks.start, blocks.end) {
            self.reserve(1, bad)?;
            self.kept.reserve(1)?;
            self.kept.remove(part.clone())?;
            self.let_in(part, bad)?;
        }
        Ok(())
    }

    /// Makes the tree wrong: it has these blocks, or not.
    #[cfg(not(MODULE))]
    pub(in crate::state) fn damage(&mut self, blocks: Range<u64>, with: bool) -> Result {
        self.tree.reserve(1)?;
        if with {
            self.tree.give(blocks)
        } else {
            self.tree.take(blocks).map(|_| ())
        }
    }

    /// These blocks, which nobody owns, are to be found if they are not yet. One change.
    ///
    /// # Errors
    ///
    /// `ENOMEM` without a reservation.
    pub(in crate::state) fn let_in(&mut self, blocks: Range<u64>, bad: &RangeSet) -> Result {
        self.tree.give(blocks.clone())?;
        if bad.next(blocks.start, blocks.end).is_some() {
            self.went_bad(blocks);
        }
        Ok(())
    }

    /// Checks that the tree has what it should have: all blocks of the device without an owner, but for
    /// bad ones that were taken out, and for the metadata's.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if that does not hold.
    pub(in crate::state) fn check(
        &self,
        blocks: u64,
        owners: &OwnerTree,
        bad: &RangeSet,
    ) -> Result {
        self.tree.check()?;
        self.kept.check(blocks)?;
        for run in self.tree.iter() {
            let len = run.end.saturating_sub(run.start);
            if run.end > blocks || owners.ownerless(run) != len {
                return Err(euclean());
            }
        }
        let mut from = 0;
        while let Some(gap) = owners.next_gap(from, blocks) {
            let mut at = gap.start;
            from = gap.end;
            while at < gap.end {
                let here = self.tree.next(at, gap.end);
                let end = here.as_ref().map_or(gap.end, |run| run.start);
                // What of the gap is not in the tree.
                let missing = end.saturating_sub(at);
                let excused = self
                    .kept
                    .overlap(at..end)
                    .saturating_add(bad.overlap(at..end));
                if missing > excused {
                    return Err(euclean());
                }
                at = here.map_or(gap.end, |run| run.end);
            }
        }
        for run in bad.iter() {
            // Those that are taken out, as nothing else says.
            let before = run.start..run.end.min(self.unfolded.start);
            let after = run.start.max(self.unfolded.end)..run.end;
            let known = if self.unfolded.is_empty() {
                [run, 0..0]
            } else {
                [before, after]
            };
            if known.into_iter().any(|part| self.tree.overlap(part) != 0) {
                return Err(euclean());
            }
        }
        Ok(())
    }
}
