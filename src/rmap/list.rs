// SPDX-License-Identifier: GPL-2.0

//! The owner tree: its records as they are, one after the other, for those who list them.
//!
//! The caller holds the state lock for each step, and may drop it in between. Unlike a walk with a
//! [`Cursor`](super::Cursor), one by records may miss an owner whose record has merged meanwhile.

use super::{
    packed::key,
    OwnerRecord,
    OwnerTree,
    MAX_BLOCKS,
    MAX_INO,
    MAX_PAGES, //
};
use core::ops::Range;

impl OwnerTree {
    /// Returns the first record that has a block of `range` and comes after `after` in the order of
    /// (block, ino, pgoff); whole, not clipped. `after` need not be in the tree, nor be valid; its
    /// length does not count.
    pub(crate) fn next_record(
        &self,
        range: &Range<u64>,
        after: Option<&OwnerRecord>,
    ) -> Option<OwnerRecord> {
        let place = |rec: &OwnerRecord| (rec.block, rec.ino, rec.pgoff);
        let from = after.map(|rec| {
            // Not after the real key.
            key(
                rec.block.min(MAX_BLOCKS - 1),
                rec.ino.min(MAX_INO - 1),
                rec.pgoff.min(MAX_PAGES - 1),
            )
        });
        let mut found = None;

        self.overlapping(from.as_ref(), range, |rec| {
            let rec = rec.record();
            if after.is_none_or(|after| place(&rec) > place(after)) {
                found = Some(rec);
            }
            found.is_none()
        });
        found
    }
}
