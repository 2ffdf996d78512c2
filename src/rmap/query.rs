// SPDX-License-Identifier: GPL-2.0

//! The owner tree: how many owners blocks have.
//!
//! The answers do not depend on who the owners are, and their cost not on how many there are: what
//! the nodes know of where records end is enough. The caller holds the state lock.

use super::{
    packed::{
        block_of,
        end_key,
        first_key,
        Ends, //
    },
    OwnerTree, //
};
use crate::errno::euclean;
use core::{
    cell::Cell,
    ops::Range, //
};
use kernel::prelude::*;

/// How often [`OwnerTree::sharing_in_part`] asks how far blocks go on being shared. Anybody can make very many short records that
/// go on from each other.
const LOOKS: u32 = 4096;

/// How many owners a block has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sharing {
    /// None.
    Free,
    /// One: not shared.
    One,
    /// Two or more: shared.
    Many,
}

impl OwnerTree {
    /// Returns how many owners `block` has, and for how many blocks from it on, at least 1 and at
    /// most `max_len`, that stays so. It may be a different owner.
    pub(crate) fn sharing(&self, block: u64, max_len: u64) -> (Sharing, u64) {
        self.sharing_for(block, max_len, u32::MAX)
    }

    /// As [`sharing`](Self::sharing), but it may stay so for longer, if the blocks are shared by very
    /// many short records that go on from each other.
    pub(crate) fn sharing_in_part(&self, block: u64, max_len: u64) -> (Sharing, u64) {
        self.sharing_for(block, max_len, LOOKS)
    }

    fn sharing_for(&self, block: u64, max_len: u64, most: u32) -> (Sharing, u64) {
        let limit = block.saturating_add(max_len.max(1));
        // Of many owners those are enough that reach to the end.
        let (here, next) = self.ends(block, |ends| (ends.second < limit).then_some(block));
        let next = next.unwrap_or(limit);

        let (sharing, end) = if here.second >= limit {
            (Sharing::Many, limit)
        } else if here.second > block {
            let looks = Cell::new(0u32);
            let (shared, _) = self.ends(block, |ends| {
                looks.set(looks.get().saturating_add(1));
                (ends.second < limit && looks.get() < most).then_some(ends.second)
            });
            (Sharing::Many, shared.second)
        } else if here.last > block {
            let end = if next == here.last && next < limit {
                self.unshared_end(block, here.last, limit)
            } else {
                next.min(here.last)
            };
            (Sharing::One, end)
        } else {
            (Sharing::Free, next)
        };
        (sharing, end.min(limit).saturating_sub(block).max(1))
    }

    /// Returns whether a block in `range` is unwritten.
    pub(crate) fn any_unwritten(&self, range: Range<u64>) -> bool {
        let mut from = range.start;
        while let Some(rec) = self.first_overlapping(None, &(from..range.end)) {
            if rec.unwritten {
                return true;
            }
            // An unwritten block has no other owner, so all that those have who own this one is written.
            let block = rec.block.max(from);
            let (owners, _) = self.ends(block, |ends| (ends.last < range.end).then_some(block));
            from = owners.last.max(block.saturating_add(1));
            if from >= range.end {
                break;
            }
        }
        false
    }

    /// Returns the first run of blocks without an owner in `from..end`, as long as it is there.
    pub(crate) fn next_gap(&self, from: u64, end: u64) -> Option<Range<u64>> {
        if from >= end {
            return None;
        }
        let (owned, next) = self.ends(from, |ends| (ends.last < end).then_some(ends.last));
        let start = owned.last.max(from);
        if start >= end {
            return None;
        }
        Some(start..next.map_or(end, |next| next.min(end)))
    }

    /// Returns how many blocks in `range` have no owner.
    pub(crate) fn ownerless(&self, range: Range<u64>) -> u64 {
        let mut from = range.start;
        let mut blocks = 0u64;

        while let Some(gap) = self.next_gap(from, range.end) {
            blocks = blocks.saturating_add(gap.end - gap.start);
            from = gap.end;
        }
        blocks
    }

    /// Returns how many runs of blocks in `range` have one owner, whoever that is.
    pub(crate) fn unshared_runs(&self, range: Range<u64>) -> usize {
        let mut from = range.start;
        let mut runs = 0usize;
        while let Some(left) = range.end.checked_sub(from).filter(|&left| left > 0) {
            let (sharing, len) = self.sharing(from, left);
            runs = runs.saturating_add((sharing == Sharing::One).into());
            from = from.saturating_add(len);
        }
        runs
    }

    /// Returns how many runs of blocks in `range` can come to have no owner, at most, while owners of them
    /// go, one after the other, whichever.
    pub(crate) fn most_runs(&self, range: Range<u64>) -> usize {
        let blocks = range.end.saturating_sub(range.start);
        let blocks = usize::try_from(blocks).unwrap_or(usize::MAX);
        // From where one begins or ends to the next such place is at most one.
        let mut runs = 1usize;
        self.overlapping(None, &range, |_| {
            runs = runs.saturating_add(2);
            runs < blocks
        });
        runs.min(blocks)
    }

    /// Returns the number of owners of the blocks in `range`: <inode, page> pairs, not records.
    #[cfg_attr(MODULE, expect(dead_code, reason = "only the host tests ask"))]
    pub(crate) fn count_owners(&self, range: Range<u64>) -> u64 {
        let mut sum = 0u64;
        self.overlapping(None, &range, |rec| {
            sum = sum.saturating_add(rec.record().clip(&range).map_or(0, |rec| rec.len));
            true
        });
        sum
    }

    /// Checks all invariants of the tree itself; that it agrees with the extents of all files is
    /// for those to check who have them. Allocates nothing, and takes as long as there are records.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if something does not hold.
    pub(crate) fn check(&self) -> Result {
        self.records.check()?;
        for rec in self.iter() {
            rec.validate()?;
            if rec.unwritten && self.sharing(rec.block, rec.len) != (Sharing::One, rec.len) {
                return Err(euclean());
            }
        }
        Ok(())
    }

    /// Returns where records end, of those that begin at `block`, before it, or not after where
    /// `reach` says that those so far reach to; and where the next one begins. Ends as soon as `reach`
    /// says nothing.
    fn ends(&self, block: u64, reach: impl Fn(&Ends) -> Option<u64>) -> (Ends, Option<u64>) {
        let (ends, next) = self.records.gather(&first_key(block), |ends| {
            Some(end_key(block.max(reach(ends)?)))
        });
        (ends, next.map(|key| block_of(&key)))
    }

    /// Returns the first block after `block` that has no owner or more than one, or one that is
    /// `limit` or greater. `block` has one owner, whose record reaches to `end`.
    fn unshared_end(&self, block: u64, mut end: u64, limit: u64) -> u64 {
        let mut starts = self.starts(block.saturating_add(1)).peekable();

        while end < limit {
            match starts.next_if(|(start, _)| *start == end) {
                Some((_, next_end)) => end = next_end,
                None => break,
            }
            // Here the next owner begins; if there are two, the run ends.
            if starts.peek().is_some_and(|(start, _)| *start < end) {
                break;
            }
        }
        starts.next().map_or(end, |(start, _)| start.min(end))
    }

    /// Visits where records begin and end, from those on that begin at `block`.
    fn starts(&self, block: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.records
            .seek(&first_key(block))
            .skip_while(move |rec| rec.block() < block)
            .map(|rec| (rec.block(), rec.end()))
    }
}
