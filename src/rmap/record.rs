// SPDX-License-Identifier: GPL-2.0

//! Owner records: one extent, seen from the device's side.
//!
//! Plain values; nothing to lock.

use crate::errno::euclean;
use core::ops::Range;
use kernel::prelude::*;

/// Blocks of a device are below this: 4 PiB, all that physical addresses of 52 bits can name.
pub(crate) const MAX_BLOCKS: u64 = 1 << 40;

/// Pages of a file are below this: the VFS has no file of more than 2^63 - 1 bytes (`MAX_LFS_FILESIZE`).
pub(crate) const MAX_PAGES: u64 = 1 << 51;

/// Inode numbers are below this. One that has all bits set would leave no key after its records.
pub(crate) const MAX_INO: u64 = (1 << 60) - 1;

/// An owner record: `len` blocks from `block` on are the pages from `pgoff` on of inode `ino`.
///
/// Records order by (block, ino, pgoff).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct OwnerRecord {
    /// First block.
    pub(crate) block: u64,
    /// Inode number of the owning file.
    pub(crate) ino: u64,
    /// First page in the file.
    pub(crate) pgoff: u64,
    /// Number of blocks (and pages).
    pub(crate) len: u64,
    /// The blocks hold nothing of the file yet: its pages are zeroes. It is their only owner.
    pub(crate) unwritten: bool,
}

impl OwnerRecord {
    /// Returns the first block after the record.
    pub(crate) fn end(&self) -> u64 {
        self.block.saturating_add(self.len)
    }

    /// Returns the first page of the file after the record.
    pub(crate) fn pgoff_end(&self) -> u64 {
        self.pgoff.saturating_add(self.len)
    }

    /// Checks that the record can be in a tree: not empty, and within [`MAX_BLOCKS`],
    /// [`MAX_PAGES`] and [`MAX_INO`].
    ///
    /// # Errors
    ///
    /// `EUCLEAN` otherwise.
    pub(crate) fn validate(&self) -> Result {
        if self.len == 0
            || self.end() > MAX_BLOCKS
            || self.pgoff_end() > MAX_PAGES
            || self.ino >= MAX_INO
        {
            return Err(euclean());
        }
        Ok(())
    }

    /// Returns the part of the record that lies in `range` (of blocks), if any.
    pub(crate) fn clip(&self, range: &Range<u64>) -> Option<OwnerRecord> {
        let block = self.block.max(range.start);
        let end = self.end().min(range.end);
        let len = end.checked_sub(block).filter(|&len| len > 0)?;
        let pgoff = self.pgoff.checked_add(block - self.block)?;

        Some(OwnerRecord {
            block,
            pgoff,
            len,
            ..*self
        })
    }

    /// Moves those of the first `found` records that are wanted to the front, in order. Returns how many
    /// they are.
    pub(crate) fn keep(
        records: &mut [OwnerRecord],
        found: usize,
        wanted: impl Fn(&OwnerRecord) -> bool,
    ) -> usize {
        let mut kept = 0usize;
        for at in 0..found {
            match records.get(at) {
                Some(record) if wanted(record) => records.swap(at, kept),
                _ => continue,
            }
            kept = kept.saturating_add(1);
        }
        kept
    }

    /// Returns the difference of pgoff and block, which all pages of a record have in common, as
    /// well as the records that it may merge with. It is biased so that it is never negative.
    pub(super) fn diagonal(&self) -> u64 {
        self.pgoff
            .saturating_add(MAX_BLOCKS)
            .saturating_sub(self.block)
    }
}
