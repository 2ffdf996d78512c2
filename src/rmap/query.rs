// SPDX-License-Identifier: GPL-2.0

//! The owner tree: the questions that it answers.
//!
//! The caller holds the state lock. Between two calls of [`OwnerTree::owners`] it may drop it.

use super::{
    OwnerRecord,
    OwnerTree, //
};
use crate::errno::euclean;
use core::{
    cmp::Ordering,
    ops::Range, //
};
use kernel::{
    prelude::*,
    rbtree::RBTree, //
};

/// [`OwnerTree::owners`] visits one window of so many blocks (2 MiB) of the device after the other.
const WINDOW: u64 = 512;

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

/// How far a walk with [`OwnerTree::owners`] has come. It belongs to one range.
///
/// It names the last page that was visited, in an order of pages that does not depend on how they
/// are grouped into records. That keeps it valid when records are inserted, removed, split or
/// merged while the state lock is not held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursor {
    /// Number of the window to visit.
    window: u64,
    /// The last page visited in that window.
    last: Option<Page>,
}

impl Cursor {
    /// Creates a cursor that stands before the first owner.
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

/// One owner in the order of visits within a window.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Page {
    ino: u64,
    diagonal: u64,
    block: u64,
}

impl Page {
    /// Returns the first page of `rec`.
    fn first(rec: &OwnerRecord) -> Self {
        Page {
            ino: rec.ino,
            diagonal: rec.diagonal(),
            block: rec.block,
        }
    }

    /// Returns the last page of `rec`.
    fn last(rec: &OwnerRecord) -> Self {
        Page {
            block: rec.end().saturating_sub(1),
            ..Self::first(rec)
        }
    }
}

impl OwnerTree {
    /// Returns the next owners of the blocks in `range`: fills `out` from its start and returns how
    /// many records it put there. Fewer than `out.len()` means that no owner is left.
    ///
    /// The range is visited in windows of 512 blocks, aligned on the device; in a window, owners
    /// come in the order of (ino, pgoff minus block, block). Each record in `out` is clipped to the
    /// range, and to its window.
    ///
    /// The tree may change between two calls with the same `range` and `cursor`. Every owner (a
    /// page of a file at a block) that was there all the time is visited exactly once; one that
    /// came or went in the meantime is visited at most once.
    pub(crate) fn owners(
        &self,
        range: Range<u64>,
        cursor: &mut Cursor,
        out: &mut [OwnerRecord],
    ) -> usize {
        let mut filled = 0;

        if cursor.window < range.start / WINDOW {
            *cursor = Cursor {
                window: range.start / WINDOW,
                last: None,
            };
        }
        loop {
            let base = cursor.window.saturating_mul(WINDOW);
            let start = base.max(range.start);
            let end = base.saturating_add(WINDOW).min(range.end);
            let Some(free) = out.get_mut(filled..) else {
                break;
            };
            if start >= end || free.is_empty() {
                break;
            }

            let found = self.owners_in_window(start..end, cursor.last, free);
            if let Some(last) = found.checked_sub(1).and_then(|i| free.get(i)) {
                cursor.last = Some(Page::last(last));
            }
            filled = filled.saturating_add(found);
            if found == free.len() {
                break;
            }

            // This window is done. Skip those that nobody owns a block of.
            let next = if end < range.end {
                self.next_owned(end).unwrap_or(range.end) / WINDOW
            } else {
                cursor.window
            };
            *cursor = Cursor {
                window: next.max(cursor.window.saturating_add(1)),
                last: None,
            };
        }
        filled
    }

    /// Fills `out` with the first owners after `last` of the blocks in `range`, which lies in one
    /// window, and returns their number.
    fn owners_in_window(
        &self,
        range: Range<u64>,
        last: Option<Page>,
        out: &mut [OwnerRecord],
    ) -> usize {
        let mut found = 0;
        let mut index = self.first_reaching(range.start);

        // Records that begin at the same block are in the order of visits already. Merge these
        // groups: of each, look at no more records than can end up in `out`.
        while let Some(head) = self.records.get(index).filter(|r| r.block < range.end) {
            let group = head.block;
            if let Some(page) = last {
                let pgoff = page.diagonal.saturating_add(group);
                let pgoff = pgoff.saturating_sub(super::MAX_BLOCKS);
                index = index.max(self.lower_bound((group, page.ino, pgoff)));
            }
            while let Some(rec) = self.records.get(index).filter(|r| r.block == group) {
                index = index.saturating_add(1);
                let Some(rec) = rec.clip(&range).and_then(|r| after_page(r, last)) else {
                    continue;
                };
                if !insert_bounded(out, &mut found, rec) {
                    break;
                }
            }
            index = self.records.partition_point(|r| r.block <= group);
        }
        found
    }

    /// Returns the number of owners of the blocks in `range`: <inode, page> pairs, not records.
    #[cfg_attr(MODULE, expect(dead_code, reason = "only the host tests ask"))]
    pub(crate) fn count_owners(&self, range: Range<u64>) -> u64 {
        self.records
            .get(self.first_reaching(range.start)..)
            .unwrap_or_default()
            .iter()
            .take_while(|r| r.block < range.end)
            .filter_map(|r| r.clip(&range))
            .fold(0, |sum, r| sum.saturating_add(r.len))
    }

    /// Returns how many owners `block` has, and for how many blocks from it on, at least 1 and at
    /// most `max_len`, that stays so. It may be a different owner.
    pub(crate) fn sharing(&self, block: u64, max_len: u64) -> (Sharing, u64) {
        let limit = block.saturating_add(max_len.max(1));
        // Where the last and the last but one owner end, of those that began so far.
        let (mut last, mut second) = (block, block);
        let mut rest = self
            .records
            .get(self.first_reaching(block)..)
            .unwrap_or_default()
            .iter()
            .peekable();
        let absorb = |end: u64, last: &mut u64, second: &mut u64| {
            if end > *last {
                *second = core::mem::replace(last, end);
            } else {
                *second = end.max(*second);
            }
        };

        while second < limit {
            let Some(rec) = rest.next_if(|r| r.block <= block) else {
                break;
            };
            absorb(rec.end(), &mut last, &mut second);
        }

        let (sharing, end) = if second > block {
            while second < limit {
                let Some(rec) = rest.next_if(|r| r.block <= second) else {
                    break;
                };
                absorb(rec.end(), &mut last, &mut second);
            }
            (Sharing::Many, second)
        } else if last > block {
            while last < limit {
                let Some(rec) = rest.next_if(|r| r.block == last) else {
                    break;
                };
                last = rec.end();
            }
            (
                Sharing::One,
                rest.peek().map_or(last, |r| r.block.min(last)),
            )
        } else {
            (Sharing::Free, rest.peek().map_or(limit, |r| r.block))
        };
        (sharing, end.min(limit).saturating_sub(block).max(1))
    }

    /// Returns the first run of blocks without an owner in `from..end`, as long as it is there.
    pub(crate) fn next_gap(&self, from: u64, end: u64) -> Option<Range<u64>> {
        let mut start = from;

        for rec in self.records.get(self.first_reaching(from)..)? {
            if start >= end {
                return None;
            }
            if rec.block > start {
                return Some(start..rec.block.min(end));
            }
            start = start.max(rec.end());
        }
        (start < end).then_some(start..end)
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

    /// Returns the first block from `from` on that has an owner.
    fn next_owned(&self, from: u64) -> Option<u64> {
        self.records
            .get(self.first_reaching(from)..)?
            .iter()
            .find(|r| r.end() > from)
            .map(|r| r.block.max(from))
    }

    /// Checks everything that must hold, and that a page of a file is at one block only. May sleep.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if something does not hold, `ENOMEM`.
    pub(crate) fn check(&self) -> Result {
        let mut by_owner = RBTree::new();
        let mut prev: Option<&OwnerRecord> = None;

        for rec in &self.records {
            rec.validate()?;
            if rec.len > self.max_len || prev.is_some_and(|p| p.key() >= rec.key()) {
                return Err(euclean());
            }
            prev = Some(rec);
            by_owner.try_create_and_insert((rec.ino, rec.pgoff), *rec, GFP_KERNEL)?;
        }

        // Of two records for one page of a file, the tree has kept one.
        if by_owner.values().count() != self.records.len() {
            return Err(euclean());
        }
        let mut prev: Option<&OwnerRecord> = None;
        for rec in by_owner.values() {
            if prev.is_some_and(|p| {
                p.ino == rec.ino
                    && (p.pgoff_end() > rec.pgoff
                        || (p.pgoff_end() == rec.pgoff && p.end() == rec.block))
            }) {
                return Err(euclean());
            }
            prev = Some(rec);
        }
        Ok(())
    }
}

/// Returns the part of `rec` that comes after `last` in the order of visits.
fn after_page(rec: OwnerRecord, last: Option<Page>) -> Option<OwnerRecord> {
    let Some(last) = last else {
        return Some(rec);
    };
    match (rec.ino, rec.diagonal()).cmp(&(last.ino, last.diagonal)) {
        Ordering::Less => None,
        Ordering::Equal => rec.clip(&(last.block.saturating_add(1)..rec.end())),
        Ordering::Greater => Some(rec),
    }
}

/// Keeps in `out` the records that come first in the order of visits, in that order. `used` of them
/// are there already. Returns whether `rec` is one of them.
fn insert_bounded(out: &mut [OwnerRecord], used: &mut usize, rec: OwnerRecord) -> bool {
    let page = Page::first(&rec);
    let at = out
        .get(..*used)
        .unwrap_or_default()
        .partition_point(|r| Page::first(r) < page);

    if at >= out.len() {
        return false;
    }
    *used = used.saturating_add(1).min(out.len());
    if let Some(tail) = out.get_mut(at..*used) {
        tail.rotate_right(1);
        if let Some(slot) = tail.first_mut() {
            *slot = rec;
        }
    }
    true
}
