// SPDX-License-Identifier: GPL-2.0

//! Moves the log off bad blocks. What is in memory is the truth: nothing is read.
//!
//! Superblocks have their places: one that is on a bad block is not written any more.
//!
//! # Locking
//!
//! The caller holds the commit lock; the state lock is taken, by [`Access`], where the bad set or free space change.

use super::{
    store::Access,
    Journal,
    State, //
};
use crate::media::{
    Medium,
    Region, //
};
use core::ops::Range;
use kernel::prelude::*;

impl Journal {
    /// Whether a region is on bad blocks.
    pub(super) fn is_bad(&self, state: &State, index: u32) -> bool {
        let range = self.region(index).range();
        (self.damaged && index == self.sb.active)
            || state.next_bad(range.start, range.end).is_some()
    }

    /// Whether the log can be written.
    pub(crate) fn is_usable(&self, state: &State) -> bool {
        !self.is_bad(state, self.sb.active)
    }

    /// Puts those blocks of the log into the bad set that the medium knows as bad; false if there are
    /// none. Those for which there is no memory are found again by whoever gets them.
    pub(crate) fn find_bad(&self, medium: &impl Medium, state: &mut impl Access) -> bool {
        [0, 1].into_iter().fold(false, |found, index| {
            adopt_known(medium, state, &self.region(index).range()) || found
        })
    }

    /// Marks the log's region as one that cannot be written: [`repair`](Self::repair) is to leave it.
    pub(crate) fn distrust(&mut self) {
        self.damaged = true;
    }

    /// Whether [`repair`](Self::repair) has something to do.
    pub(crate) fn needs_repair(&self, state: &State) -> bool {
        [0, 1].into_iter().any(|index| self.is_bad(state, index))
    }

    /// Moves those regions of the log that are on bad blocks to good ones. Their old blocks are free
    /// then, but for those that are bad. A region becomes shorter if there is no run of good blocks
    /// that is long enough. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there is no run of free blocks that a checkpoint fits in; what the medium says;
    /// `ENOMEM`.
    /// The log can be written all the same, unless its own region is still bad.
    pub(crate) fn repair(&mut self, medium: &impl Medium, state: &mut impl Access) -> Result {
        let mut result = Ok(());
        for index in [0, 1] {
            if self.is_bad(state.get(), index) {
                result = result.and(self.retire(medium, state, index));
            }
        }
        // There is one good region at least, until that is full.
        if self.is_bad(state.get(), self.sb.active) {
            self.checkpoint(medium, state.get())?;
        }
        result
    }

    fn region(&self, index: u32) -> Region {
        let [first, second] = self.sb.regions;
        if index == 0 {
            first
        } else {
            second
        }
    }

    /// Moves a region to blocks that are good. The log goes there in any case: one write of the
    /// superblocks does it all. Nothing has changed if it fails.
    fn retire(&mut self, medium: &impl Medium, state: &mut impl Access, index: u32) -> Result {
        let old = self.region(index);
        let [first, second] = self.sb.regions;
        // What it had before it became shorter, if the other one has not.
        let want = first.blocks.max(second.blocks);
        // What nobody has reported is not to be used, nor what it had been found on before.
        adopt_known(medium, state, &old.range());
        let new = allocate_good(medium, state, want, old.start)?;
        let region = Region {
            start: new.start,
            blocks: new.end.saturating_sub(new.start),
        };
        let regions = if index == 0 {
            [region, second]
        } else {
            [first, region]
        };
        let moved = self.checkpoint_to(medium, state.get(), index, regions);
        let unused = if moved.is_ok() { old.range() } else { new };
        state.change().release(unused)?;
        moved
    }
}

/// What the medium knows as bad of these blocks enters the bad set; false if that is nothing.
fn adopt_known(medium: &impl Medium, state: &mut impl Access, blocks: &Range<u64>) -> bool {
    let mut from = blocks.start;
    let mut found = false;
    while let Some(bad) = medium.known_bad(&(from..blocks.end)) {
        from = bad.start;
        while let Some(new) = state.get().first_good(&(from..bad.end)) {
            from = new.end;
            if state.change().mark_bad(new.clone()).is_err() {
                break;
            }
            medium.discovered(&new);
        }
        found |= state.get().next_bad(bad.start, bad.end) == Some(bad.clone());
        from = bad.end;
    }
    found
}

/// Allocates blocks that the medium does not know as bad. It ends: those that it does are not given
/// again.
fn allocate_good(
    medium: &impl Medium,
    state: &mut impl Access,
    want: u64,
    goal: u64,
) -> Result<Range<u64>> {
    loop {
        let new = state.change().allocate(want, goal)?;
        if medium.known_bad(&new).is_none() {
            return Ok(new);
        }
        let adopted = adopt_known(medium, state, &new);
        state.change().release(new)?;
        if !adopted {
            return Err(ENOMEM);
        }
    }
}
