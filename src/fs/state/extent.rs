// SPDX-License-Identifier: GPL-2.0

//! The extents of one file: which of its pages is at which block.
//!
//! The caller holds the state lock.

use crate::errno::euclean;
use crate::rmap::OwnerRecord;
use core::ops::Range;
use kernel::prelude::*;

/// A run of blocks and where it stands in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Extent {
    /// First page in the file.
    pub(crate) pgoff: u64,
    /// First block.
    pub(crate) block: u64,
    /// Number of pages (and blocks).
    pub(crate) len: u64,
}

impl Extent {
    /// Returns the first page after the extent.
    pub(crate) fn pgoff_end(&self) -> u64 {
        self.pgoff.saturating_add(self.len)
    }

    /// Returns the first block after the extent.
    pub(crate) fn block_end(&self) -> u64 {
        self.block.saturating_add(self.len)
    }

    /// Returns the same extent as the device sees it.
    pub(crate) fn owner(&self, ino: u64) -> OwnerRecord {
        OwnerRecord {
            block: self.block,
            ino,
            pgoff: self.pgoff,
            len: self.len,
        }
    }

    /// Returns the part of the extent that lies in `range` (of pages of the file), if any.
    pub(crate) fn clip(&self, range: &Range<u64>) -> Option<Extent> {
        let pgoff = self.pgoff.max(range.start);
        let end = self.pgoff_end().min(range.end);
        let len = end.checked_sub(pgoff).filter(|&len| len > 0)?;
        let block = self.block.checked_add(pgoff - self.pgoff)?;

        Some(Extent { pgoff, block, len })
    }

    /// Returns whether `next` continues this one both in the file and on the device.
    fn continued_by(&self, next: &Extent) -> bool {
        self.pgoff_end() == next.pgoff && self.block_end() == next.block
    }
}

/// The extents of one file.
///
/// # Invariants
///
/// Extents are ascending by pgoff, do not overlap, and are merged where one continues the other.
/// So each corresponds to exactly one record of the owner tree.
pub(crate) struct ExtentMap {
    extents: KVVec<Extent>,
}

impl ExtentMap {
    /// Creates a map without extents. Allocates nothing.
    pub(crate) fn new() -> Self {
        ExtentMap {
            extents: KVVec::new(),
        }
    }

    /// Makes room for `n` changes; nothing has changed if that fails with `ENOMEM`.
    pub(super) fn reserve(&mut self, n: usize) -> Result {
        self.extents.reserve(n, GFP_KERNEL)?;
        Ok(())
    }

    /// Returns all extents, ascending by pgoff.
    pub(crate) fn as_slice(&self) -> &[Extent] {
        &self.extents
    }

    /// Returns whether the file is one hole.
    pub(crate) fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// Returns the first extent that ends after page `pgoff`: the one that covers it, or the one
    /// after the hole that `pgoff` is in.
    pub(crate) fn next(&self, pgoff: u64) -> Option<Extent> {
        self.extents.get(self.index(pgoff)).copied()
    }

    /// Visits the parts of extents that lie in `range` (of pages of the file).
    pub(crate) fn in_range(&self, range: Range<u64>) -> impl Iterator<Item = Extent> + '_ {
        self.extents
            .get(self.index(range.start)..)
            .unwrap_or_default()
            .iter()
            .map_while(move |e| e.clip(&range))
    }

    /// Adds an extent where a hole is.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if it is not a hole, `ENOMEM` without [`reserve`](Self::reserve).
    pub(super) fn insert(&mut self, new: Extent) -> Result {
        let index = self.index(new.pgoff);
        let next = self.extents.get(index).copied();
        if next.is_some_and(|e| e.pgoff < new.pgoff_end()) {
            return Err(euclean());
        }

        let joins_next = next.filter(|e| new.continued_by(e));
        let whole = new
            .len
            .saturating_add(joins_next.map_or(0, |next| next.len));
        let prev = index
            .checked_sub(1)
            .and_then(|i| self.extents.get_mut(i))
            .filter(|e| e.continued_by(&new));
        match (prev, joins_next) {
            (Some(prev), None) => prev.len = prev.len.saturating_add(whole),
            (Some(prev), Some(_)) => {
                prev.len = prev.len.saturating_add(whole);
                self.extents.remove(index).map_err(|_| euclean())?;
            }
            (None, Some(_)) => {
                let slot = self.extents.get_mut(index).ok_or_else(euclean)?;
                *slot = Extent { len: whole, ..new };
            }
            (None, None) => self.insert_at(index, new)?,
        }
        Ok(())
    }

    /// Makes `range` (of pages of the file) a hole.
    ///
    /// # Errors
    ///
    /// `ENOMEM` without [`reserve`](Self::reserve); nothing has changed then.
    pub(super) fn remove(&mut self, range: Range<u64>) -> Result {
        let index = self.index(range.start);
        let Some(first) = self.extents.get(index).copied() else {
            return Ok(());
        };

        if first.pgoff < range.start {
            if let Some(right) = first.clip(&(range.end..first.pgoff_end())) {
                self.insert_at(index.saturating_add(1), right)?;
            }
            if let Some(slot) = self.extents.get_mut(index) {
                slot.len = range.start - first.pgoff;
            }
        }
        let mut any = false;
        for extent in self.extents.get_mut(index..).unwrap_or_default() {
            if extent.pgoff >= range.end {
                break;
            }
            if extent.pgoff < range.start {
                continue;
            }
            any = true;
            match extent.clip(&(range.end..extent.pgoff_end())) {
                Some(right) => *extent = right,
                None => extent.len = 0,
            }
        }
        if any {
            self.extents.retain(|e| e.len != 0);
        }
        Ok(())
    }

    /// Checks the invariants; `EUCLEAN` if they do not hold.
    pub(super) fn check(&self) -> Result {
        for pair in self.extents.windows(2) {
            if let [a, b] = pair {
                if a.pgoff_end() > b.pgoff || a.continued_by(b) {
                    return Err(euclean());
                }
            }
        }
        Ok(())
    }

    /// Returns the index of the first extent that ends after page `pgoff`.
    fn index(&self, pgoff: u64) -> usize {
        self.extents.partition_point(|e| e.pgoff_end() <= pgoff)
    }

    fn insert_at(&mut self, index: usize, extent: Extent) -> Result {
        self.extents
            .insert_within_capacity(index, extent)
            .map_err(|_| ENOMEM)
    }
}
