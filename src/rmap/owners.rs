// SPDX-License-Identifier: GPL-2.0

//! Answers who owns a range of blocks, some owners at a time: [`OwnerTree::owners`].
//!
//! Whoever tells all owners of a failed block cannot do that under the state lock. So a walk takes a batch,
//! lets go of the lock, tells these, and goes on from its [`Cursor`], while files are changed. An owner
//! that was there all the time is visited; one that came in the meantime may be, or not.
//!
//! # Locking
//!
//! The caller holds the state lock for each batch, and may drop it in between.

use super::{
    btree::Words,
    packed::{
        end_key,
        first_key,
        key, //
    },
    OwnerRecord,
    OwnerTree,
    MAX_BLOCKS,
    MAX_INO,
    MAX_PAGES, //
};
use core::{
    cmp::Ordering,
    ops::Range, //
};

/// How far a walk with [`OwnerTree::owners`] has come. It belongs to one range.
///
/// A batch has all owners of some blocks, and the cursor says where these end: what is done with
/// the tree in the meantime cannot move an owner from one side of it to the other. Blocks that have
/// more owners than a batch has room for are a crowd; their owners are visited in the order of
/// pages, which does not depend on how pages are grouped into records either.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursor {
    /// The owners of the blocks before this one are visited.
    block: u64,
    /// Of the blocks from there to an end, those up to this page are visited.
    crowd: Option<(u64, Page)>,
}

impl Cursor {
    /// Creates a cursor that stands before the first owner.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Creates a cursor that stands before the owners of `block`.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
    pub(crate) fn at(block: u64) -> Self {
        Cursor { block, crowd: None }
    }

    /// Returns the first block that may have owners who are not visited.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
    pub(crate) fn block(&self) -> u64 {
        self.block
    }

    /// Returns the blocks of the crowd that the walk is in the middle of. Until it is through with
    /// them, they are what it is asked for, whatever the range was when it came there.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
    pub(crate) fn crowd(&self) -> Option<Range<u64>> {
        self.crowd.map(|(end, _)| self.block..end)
    }

    /// Goes back to after `rec`, a part of the last record of a batch of a crowd.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
    pub(crate) fn back_to(&mut self, rec: &OwnerRecord) {
        if let Some((_, page)) = &mut self.crowd {
            *page = Page::last(rec);
        }
    }

    /// Returns the cursor as numbers, to be kept by somebody else. It is all zeroes if it stands
    /// before the first owner.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
    pub(crate) fn to_words(&self) -> [u64; 6] {
        match &self.crowd {
            None => [self.block, 0, 0, 0, 0, 0],
            Some((end, page)) => [self.block, 1, *end, page.ino, page.diagonal, page.block],
        }
    }

    /// Returns the cursor that these numbers stand for, which somebody else may have made up: any
    /// that this returns is harmless. `None` if they are no cursor's.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
    pub(crate) fn from_words(words: [u64; 6]) -> Option<Self> {
        let [block, kind, end, ino, diagonal, at] = words;
        let crowd = match kind {
            0 if (end, ino, diagonal, at) == (0, 0, 0, 0) => None,
            1 if block < end
                && end <= MAX_BLOCKS
                && ino < MAX_INO
                && diagonal < MAX_PAGES.saturating_add(MAX_BLOCKS)
                && (block..end).contains(&at) =>
            {
                let page = Page {
                    ino,
                    diagonal,
                    block: at,
                };
                Some((end, page))
            }
            _ => return None,
        };
        (block <= MAX_BLOCKS).then_some(Cursor { block, crowd })
    }
}

/// One owner in the order of visits within a crowd.
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

    /// Returns the key of the record that begins at `block` and would go on to this page. Of those
    /// that begin there, none before it has pages after this one.
    fn key_at(&self, block: u64) -> Words {
        let pgoff = self.diagonal.saturating_add(block);
        let pgoff = pgoff.saturating_sub(MAX_BLOCKS);
        key(block, self.ino, pgoff.min(MAX_PAGES - 1))
    }
}

/// Records in a row that are looked at in vain before it is worth a search to jump over the rest.
const PATIENCE: u32 = 32;

/// How far a batch has got.
enum Batch {
    /// So many records are all that there are.
    All(usize),
    /// So many records are all owners of the blocks before this one.
    Before(usize, u64),
    /// The first block has more owners than there is room for.
    Crowd,
}

impl OwnerTree {
    /// Returns the next owners of the blocks in `range`: fills `out` from its start and returns how
    /// many records it put there. 0 means that no owner is left, or that `out` is empty.
    ///
    /// Owners come in the order of (block, ino, pgoff). Records are clipped to the range, and to
    /// the blocks that the batch is about: a record may come in pieces, one in a batch.
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
        cursor.block = cursor.block.max(range.start);
        while cursor.block < range.end && !out.is_empty() {
            let from = cursor.block;

            if let Some((end, last)) = cursor.crowd {
                let found = self.crowd(from..end, Some(last), out);
                match out.get(..found).and_then(<[_]>::last) {
                    Some(last) => {
                        cursor.crowd = Some((end, Page::last(last)));
                        return found;
                    }
                    None => {
                        *cursor = Cursor {
                            block: end,
                            crowd: None,
                        }
                    }
                }
                continue;
            }
            match self.batch(from..range.end, out) {
                Batch::All(found) => {
                    cursor.block = range.end;
                    return found;
                }
                Batch::Before(found, next) => {
                    cursor.block = next;
                    if found > 0 {
                        return found;
                    }
                }
                Batch::Crowd => {
                    // So far the owners are the same, and each comes in one piece, but for those
                    // that end within.
                    let next = from.saturating_add(1);
                    let end = self
                        .first_overlapping(Some(&first_key(next)), &(next..range.end))
                        .map_or(range.end, |rec| rec.block.max(next));
                    let found = self.crowd(from..end, None, out);
                    let last = out.get(..found).and_then(<[_]>::last);
                    cursor.crowd = last.map(|last| (end, Page::last(last)));
                    return found;
                }
            }
        }
        0
    }

    /// Fills `out` with the owners of as many blocks, from the start of `range` on, as it has room
    /// for.
    fn batch(&self, range: Range<u64>, out: &mut [OwnerRecord]) -> Batch {
        let mut found = 0;
        let mut next = range.end;

        self.overlapping(None, &range, |rec| {
            let begins = rec.block().max(range.start);
            if found == out.len() {
                next = begins;
                return false;
            }
            let rec = rec.clipped(&range);
            if begins == range.start {
                // They come in the order of where they really begin.
                insert_bounded(out, &mut found, rec, |r| (r.ino, r.pgoff));
            } else if let Some(slot) = out.get_mut(found) {
                *slot = rec;
                found += 1;
            }
            true
        });
        if next == range.end {
            return Batch::All(found);
        }
        if next == range.start {
            return Batch::Crowd;
        }
        // Not all owners of that block may have found room, so none of them is in this batch.
        let all = out.get_mut(..found).unwrap_or_default();
        let kept = all.partition_point(|rec| rec.block < next);
        for rec in all.iter_mut().take(kept) {
            rec.len = rec.len.min(next.saturating_sub(rec.block));
        }
        Batch::Before(kept, next)
    }

    /// Fills `out` with the first owners after `last` of the blocks in `range`, in the order of
    /// pages, and returns their number.
    fn crowd(&self, range: Range<u64>, last: Option<Page>, out: &mut [OwnerRecord]) -> usize {
        let mut found = 0;
        let mut from = None;

        // Records that begin at the same block are in the order of visits already. So of many of
        // them, those before the batch can be jumped over, and those after it.
        loop {
            let mut jump = None;
            let mut idle = 0;
            self.overlapping(from.as_ref(), &range, |rec| {
                let group = rec.block();
                let beyond = match after_page(rec.clipped(&range), last) {
                    Some(rec) if insert_bounded(out, &mut found, rec, Page::first) => {
                        idle = 0;
                        return true;
                    }
                    Some(_) => end_key(group),
                    None => last.map_or(end_key(group), |page| page.key_at(group)),
                };
                idle += 1;
                if idle > PATIENCE {
                    jump = Some(beyond);
                }
                jump.is_none()
            });
            match jump {
                Some(beyond) => from = Some(beyond),
                None => return found,
            }
        }
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

/// Keeps in `out` the records that come first in the order of `key`, in that order. `used` of them
/// are there already. Returns whether `rec` is one of them.
fn insert_bounded<K: Ord>(
    out: &mut [OwnerRecord],
    used: &mut usize,
    rec: OwnerRecord,
    key: impl Fn(&OwnerRecord) -> K,
) -> bool {
    let place = key(&rec);
    let all = out.get(..*used).unwrap_or_default();
    // Most come in order.
    let at = match all.last() {
        Some(last) if key(last) > place => all.partition_point(|r| key(r) < place),
        _ => all.len(),
    };

    if at >= out.len() {
        return false;
    }
    *used = used.saturating_add(1).min(out.len());
    let tail = out.get_mut(at..*used).unwrap_or_default();
    if let Some(last) = tail.len().checked_sub(1) {
        tail.copy_within(..last, 1);
    }
    if let Some(slot) = tail.first_mut() {
        *slot = rec;
    }
    true
}
