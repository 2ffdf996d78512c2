// SPDX-License-Identifier: GPL-2.0

//! The extents of one file: which of its pages is at which block.
//!
//! It changes together with the owner tree only, see [`OwnerTree::map`](super::OwnerTree::map). The
//! caller holds the state lock.

use super::{
    btree::{
        BTree,
        Need,
        Spare,
        TreeItem,
        Words, //
    },
    OwnerRecord, //
};
use crate::errno::euclean;
use core::ops::Range;
use kernel::prelude::*;

/// A run of blocks and where it stands in a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct FileExtent {
    /// First page in the file.
    pub(crate) pgoff: u64,
    /// First block.
    pub(crate) block: u64,
    /// Number of pages (and blocks).
    pub(crate) len: u64,
    /// The blocks hold nothing of the file yet: the pages are zeroes.
    pub(crate) unwritten: bool,
}

/// The bit of an extent's last word that says that it is unwritten; the others are its length.
const UNWRITTEN: u64 = 1 << 63;

impl FileExtent {
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
            unwritten: self.unwritten,
        }
    }

    /// Returns the part of the extent that lies in `range` (of pages of the file), if any.
    pub(crate) fn clip(&self, range: &Range<u64>) -> Option<FileExtent> {
        let pgoff = self.pgoff.max(range.start);
        let end = self.pgoff_end().min(range.end);
        let len = end.checked_sub(pgoff).filter(|&len| len > 0)?;
        let block = self.block.checked_add(pgoff - self.pgoff)?;

        Some(FileExtent {
            pgoff,
            block,
            len,
            ..*self
        })
    }

    /// Returns whether `next` continues this one both in the file and on the device, and is written, or
    /// not, as this one.
    pub(super) fn continued_by(&self, next: &FileExtent) -> bool {
        self.pgoff_end() == next.pgoff
            && self.block_end() == next.block
            && self.unwritten == next.unwritten
    }
}

impl TreeItem for FileExtent {
    type Summary = ();

    const KEY_TAIL: [u64; 2] = [0, 0];

    fn to_words(&self) -> Words {
        Words {
            head: self.pgoff,
            tail: [
                self.block,
                self.len | if self.unwritten { UNWRITTEN } else { 0 },
            ],
        }
    }

    fn from_words(head: u64, tail: [u64; 2]) -> Self {
        let [block, len] = tail;
        FileExtent {
            pgoff: head,
            block,
            len: len & !UNWRITTEN,
            unwritten: len & UNWRITTEN != 0,
        }
    }

    fn summary(&self) {}
}

/// Returns the key of an extent that begins at this page.
fn key(pgoff: u64) -> Words {
    Words {
        head: pgoff,
        tail: [0, 0],
    }
}

/// The extents of one file.
///
/// # Invariants
///
/// Extents are ascending by pgoff, do not overlap, and are merged where one continues the other.
/// So each corresponds to exactly one record of the owner tree.
pub(crate) struct ExtentMap {
    extents: BTree<FileExtent>,
    /// Pages that are not in a hole.
    pages: u64,
}

impl ExtentMap {
    /// Creates a map without extents. Allocates nothing.
    pub(crate) fn new() -> Self {
        ExtentMap {
            extents: BTree::new(),
            pages: 0,
        }
    }

    /// Returns the number of extents.
    pub(crate) fn len(&self) -> usize {
        self.extents.len()
    }

    /// Returns whether the file is one hole.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of pages that are not in a hole.
    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    /// Visits all extents, ascending by pgoff.
    pub(crate) fn iter(&self) -> impl Iterator<Item = FileExtent> + '_ {
        self.extents.iter()
    }

    /// Returns the first extent that ends after page `pgoff`: the one that covers it, or the one
    /// after the hole that `pgoff` is in.
    pub(crate) fn next(&self, pgoff: u64) -> Option<FileExtent> {
        // One search, where there is one.
        let key = key(pgoff);
        let covers = self.extents.floor(&key).filter(|e| e.pgoff_end() > pgoff);
        covers.or_else(|| self.extents.seek(&key).next())
    }

    /// Returns the last extent that begins before page `end`.
    pub(crate) fn last_before(&self, end: u64) -> Option<FileExtent> {
        self.extents.floor(&key(end.checked_sub(1)?))
    }

    /// Returns the last extent.
    pub(crate) fn last(&self) -> Option<FileExtent> {
        self.last_before(u64::MAX)
    }

    /// Visits the parts of extents that lie in `range` (of pages of the file).
    pub(crate) fn in_range(&self, range: Range<u64>) -> impl Iterator<Item = FileExtent> + '_ {
        self.from(range.start).map_while(move |e| e.clip(&range))
    }

    /// Checks the invariants. Allocates nothing.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if one does not hold.
    pub(crate) fn check(&self) -> Result {
        self.extents.check()?;
        let mut prev: Option<FileExtent> = None;
        let mut pages = 0u64;
        for extent in self.iter() {
            if extent.len == 0
                || prev.is_some_and(|p| p.pgoff_end() > extent.pgoff || p.continued_by(&extent))
            {
                return Err(euclean());
            }
            pages = pages.saturating_add(extent.len);
            prev = Some(extent);
        }
        if pages != self.pages {
            return Err(euclean());
        }
        Ok(())
    }

    /// Visits extents from the first one on that ends after page `pgoff`.
    fn from(&self, pgoff: u64) -> impl Iterator<Item = FileExtent> + '_ {
        let covers = self
            .extents
            .floor(&key(pgoff))
            .filter(|e| e.pgoff_end() > pgoff);
        let start = covers.map_or(pgoff, |e| e.pgoff);
        self.extents.seek(&key(start))
    }

    /// Returns the extents that `new` would merge with: before it, after it.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if not all that `new` covers is a hole.
    pub(super) fn neighbours(
        &self,
        new: &FileExtent,
    ) -> Result<(Option<FileExtent>, Option<FileExtent>)> {
        let prev = self.extents.floor(&key(new.pgoff));
        let next = self.extents.seek(&key(new.pgoff)).next();
        if prev.is_some_and(|e| e.pgoff_end() > new.pgoff)
            || next.is_some_and(|e| e.pgoff < new.pgoff_end())
        {
            return Err(euclean());
        }
        Ok((
            prev.filter(|e| e.continued_by(new)),
            next.filter(|e| new.continued_by(e)),
        ))
    }

    /// See [`BTree::need`].
    pub(super) fn need(&mut self, n: usize) -> Result<Need> {
        self.extents.need(n)
    }

    /// Adds an extent. See [`BTree::insert`].
    pub(super) fn insert(&mut self, extent: FileExtent, spare: &mut Spare<FileExtent>) -> Result {
        self.extents.insert(extent, spare)?;
        self.pages = self.pages.saturating_add(extent.len);
        Ok(())
    }

    /// Removes an extent; `EUCLEAN` if it is not there.
    pub(super) fn remove(&mut self, extent: &FileExtent, spare: &mut Spare<FileExtent>) -> Result {
        self.extents.remove(extent, spare)?;
        self.pages = self.pages.saturating_sub(extent.len);
        Ok(())
    }

    /// Gives the extent that begins where `extent` does its length, and whether it is written; `EUCLEAN`
    /// if there is none.
    pub(super) fn resize(&mut self, extent: FileExtent) -> Result {
        let old = self.extents.replace(extent)?;
        self.pages = self
            .pages
            .saturating_sub(old.len)
            .saturating_add(extent.len);
        Ok(())
    }
}
