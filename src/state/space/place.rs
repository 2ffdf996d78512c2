// SPDX-License-Identifier: GPL-2.0

//! Tells what is where on the device, run by run in the order of blocks: owned, free, bad, in flight.
//!
//! # Locking
//!
//! The caller holds the state lock for each step, and may drop it in between.

use crate::{
    rmap::{
        OwnerRecord,
        Sharing, //
    },
    state::State, //
};
use core::ops::Range;

/// Blocks that are one [`Place::Used`], at most.
const USED: u64 = 1 << 16;

/// What some blocks are.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
pub(crate) enum Place {
    /// They are owned by a file.
    Owned {
        /// By whom.
        rec: OwnerRecord,
        /// One of them has another owner too, at least.
        shared: bool,
    },
    /// They have owners, who are not asked for.
    Used(Range<u64>),
    /// They can be allocated.
    Free(Range<u64>),
    /// They are bad, and nobody owns them.
    Bad(Range<u64>),
    /// They are allocated, and no file has them yet.
    InFlight(Range<u64>),
}

/// How far a walk with [`State::next_place`] has come.
#[derive(Clone, Debug)]
#[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
pub(crate) struct PlaceCursor {
    /// Blocks without an owner are told of from here on.
    block: u64,
    /// Owner records that come after this one; without it, all that have a block from `block` on.
    after: Option<OwnerRecord>,
}

#[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
impl PlaceCursor {
    /// Stands before the first place that has a block from `block` on.
    pub(crate) fn new(block: u64) -> Self {
        PlaceCursor { block, after: None }
    }

    /// Stands after an owner record, which need not be there any more.
    pub(crate) fn after(rec: OwnerRecord) -> Self {
        PlaceCursor {
            block: rec.block,
            after: Some(rec),
        }
    }

    /// Stands before the first place that begins at `block` or later.
    pub(crate) fn from(block: u64) -> Self {
        // No inode has number 0.
        Self::after(OwnerRecord {
            block,
            ..Default::default()
        })
    }
}

#[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
impl State {
    /// Returns the next place, or `None` at the end of the device. Places come in the order of their
    /// first block, owners of the same one in that of (ino, pgoff). `owners`: whether each owner is
    /// told of, by a place of its own.
    ///
    /// Each owner record comes whole, also if it begins before where the walk began.
    pub(crate) fn next_place(&self, cursor: &mut PlaceCursor, owners: bool) -> Option<Place> {
        let rec = if owners {
            let range = cursor.block..self.blocks;
            self.owners.next_record(&range, cursor.after.as_ref())
        } else {
            None
        };
        // As far as is needed: it takes as long as there are records that go on from each other.
        let end = match &rec {
            Some(rec) => rec.block.max(cursor.block),
            None if owners => self.blocks,
            None => cursor.block.saturating_add(USED).min(self.blocks),
        };
        let mut gap = self.owners.next_gap(cursor.block, end);
        if !owners {
            let used = cursor.block..gap.as_ref().map_or(end, |gap| gap.start);
            if !used.is_empty() {
                *cursor = PlaceCursor::from(used.end);
                return Some(Place::Used(used));
            }
            gap = self.owners.next_gap(cursor.block, self.blocks);
        }
        if let (Some(rec), None) = (rec, &gap) {
            cursor.block = cursor.block.max(rec.block);
            cursor.after = Some(rec);
            let shared = self.is_shared(&rec);
            return Some(Place::Owned { rec, shared });
        }
        let place = self.ownerless(gap?);
        if let Place::Free(range) | Place::Bad(range) | Place::InFlight(range) = &place {
            *cursor = PlaceCursor::from(range.end);
        }
        Some(place)
    }

    /// Returns whether a block of the record has another owner too.
    fn is_shared(&self, rec: &OwnerRecord) -> bool {
        let mut block = rec.block;
        while block < rec.end() {
            let (sharing, len) = self.owners.sharing_in_part(block, rec.end() - block);
            if sharing == Sharing::Many {
                return true;
            }
            block = block.saturating_add(len);
        }
        false
    }

    /// Returns what the first of these blocks is, which nobody owns, and how far it stays so.
    fn ownerless(&self, gap: Range<u64>) -> Place {
        let first = |run: Option<Range<u64>>| run.unwrap_or(gap.end..gap.end);
        let bad = first(self.bad.next(gap.start, gap.end));
        let in_flight = first(self.in_flight.next(gap.start, gap.end));

        if bad.start == gap.start {
            Place::Bad(bad)
        } else if in_flight.start == gap.start {
            Place::InFlight(gap.start..in_flight.end.min(bad.start))
        } else {
            Place::Free(gap.start..bad.start.min(in_flight.start))
        }
    }
}
