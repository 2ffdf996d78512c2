// SPDX-License-Identifier: GPL-2.0

//! Plain lists of extents, and what the naive model does with them.

use crate::rmap::OwnerRecord;
use std::ops::Range;

/// Returns the part of an extent that is in these pages of its file.
pub(crate) fn part(r: &OwnerRecord, pages: &Range<u64>) -> Option<OwnerRecord> {
    let start = r.pgoff.max(pages.start);
    let end = (r.pgoff + r.len).min(pages.end);
    (start < end).then(|| OwnerRecord {
        block: r.block + (start - r.pgoff),
        pgoff: start,
        len: end - start,
        ..*r
    })
}

/// Returns the part of an extent that is in these blocks.
pub(crate) fn part_in_blocks(r: &OwnerRecord, blocks: &Range<u64>) -> Option<OwnerRecord> {
    let start = r.block.max(blocks.start);
    let end = (r.block + r.len).min(blocks.end);
    (start < end).then(|| OwnerRecord {
        block: start,
        pgoff: r.pgoff + (start - r.block),
        len: end - start,
        ..*r
    })
}

pub(crate) fn pages(r: &OwnerRecord) -> Range<u64> {
    r.pgoff..r.pgoff + r.len
}

/// Takes pages of a file out of a list; returns what was there.
pub(crate) fn cut(list: &mut Vec<OwnerRecord>, ino: u64, gone: &Range<u64>) -> Vec<OwnerRecord> {
    let mut taken = Vec::new();
    let mut rest = Vec::new();

    list.retain(|r| {
        let Some(found) = part(r, gone).filter(|_| r.ino == ino) else {
            return true;
        };
        taken.push(found);
        rest.extend(part(r, &(0..gone.start)));
        rest.extend(part(r, &(gone.end..u64::MAX)));
        false
    });
    list.append(&mut rest);
    taken
}

/// Owners in as few extents as possible, in the order of the lines on which they can merge.
pub(crate) struct Lines(Vec<OwnerRecord>);

/// Returns which line an extent is on, and where. All pages of a file with the same difference of
/// page and block are on one line.
fn place(r: &OwnerRecord) -> ((u64, u64), u64) {
    ((r.ino, r.pgoff.wrapping_sub(r.block)), r.block)
}

impl Lines {
    /// Panics if an owner (a page of a file at a block) is in the list twice.
    pub(crate) fn of(list: &[OwnerRecord]) -> Self {
        let mut all = list.to_vec();
        let mut out: Vec<OwnerRecord> = Vec::new();

        all.sort_by_key(place);
        for r in all {
            let line = place(&r).0;
            match out.last_mut().filter(|last| place(last).0 == line) {
                Some(last) if last.block + last.len == r.block && last.unwritten == r.unwritten => {
                    last.len += r.len
                }
                Some(last) if last.block + last.len > r.block => panic!("twice: {last:?}, {r:?}"),
                _ => out.push(r),
            }
        }
        Lines(out)
    }

    /// Returns whether all of this is there.
    pub(crate) fn has(&self, r: &OwnerRecord) -> bool {
        let index = self.0.partition_point(|l| place(l) <= place(r));
        let Some(l) = index.checked_sub(1).and_then(|i| self.0.get(i)) else {
            return false;
        };
        part(l, &pages(r)).is_some_and(|found| found == *r)
    }

    pub(crate) fn into_vec(self) -> Vec<OwnerRecord> {
        self.0
    }
}
