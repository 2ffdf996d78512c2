// SPDX-License-Identifier: GPL-2.0

//! Tells where the pages of a file are, and builds the transactions that change that: holes, clones, other
//! blocks.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::{
    errno::euclean,
    rmap::{
        Sharing,
        MAX_PAGES, //
    },
    state::{
        Op,
        State,
        Transaction, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// What some pages of a file, from one page on, are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mapping {
    /// A hole.
    Hole {
        /// Number of pages.
        len: u64,
    },
    /// Blocks.
    Data {
        /// First block.
        block: u64,
        /// Number of pages, and blocks.
        len: u64,
        /// Whether each of the blocks has more than one owner.
        shared: bool,
        /// Whether each of the blocks is bad.
        bad: bool,
    },
    /// Blocks that hold nothing of the file yet: the pages are zeroes. Nobody shares them.
    Unwritten {
        /// First block.
        block: u64,
        /// Number of pages, and blocks.
        len: u64,
        /// Whether each of the blocks is bad. Nothing is lost with it.
        bad: bool,
    },
}

impl Mapping {
    /// Number of pages.
    pub(crate) fn len(&self) -> u64 {
        let (Self::Hole { len } | Self::Data { len, .. } | Self::Unwritten { len, .. }) = self;
        *len
    }

    /// The first `max` pages of it, at most.
    pub(crate) fn up_to(mut self, max: u64) -> Self {
        let (Self::Hole { len } | Self::Data { len, .. } | Self::Unwritten { len, .. }) = &mut self;
        *len = (*len).min(max);
        self
    }
}

/// Extents that one transaction changes, where several may do it: the commit lock is held for as long as
/// that takes, and whoever changes something or has to publish a failure waits for it.
pub(crate) const EXTENTS: usize = 16;

impl State {
    /// Returns what the pages from `pgoff` on of a file are, as far as all that is answered stays
    /// the same, and at most for `max_len` pages; not all of it if very many others share parts of them.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such inode, `EISDIR` if it is a directory, `EINVAL` if `max_len` is
    /// 0.
    pub(crate) fn map(&self, ino: u64, pgoff: u64, max_len: u64) -> Result<Mapping> {
        let map = self.get(ino)?.as_file()?;
        if max_len == 0 {
            return Err(EINVAL);
        }
        let Some(next) = map.next(pgoff) else {
            return Ok(Mapping::Hole { len: max_len });
        };
        let part = next.clip(&(pgoff..pgoff.saturating_add(max_len)));
        let Some(extent) = part.filter(|e| e.pgoff == pgoff) else {
            let len = max_len.min(next.pgoff.saturating_sub(pgoff));
            return Ok(Mapping::Hole { len });
        };

        let block = extent.block;
        let (sharing, len) = if extent.unwritten {
            (Sharing::One, extent.len)
        } else {
            self.owners.sharing_in_part(block, extent.len)
        };
        let (bad, len) = match self.bad.next(block, block.saturating_add(len)) {
            None => (false, len),
            Some(bad) if bad.start > block => (false, bad.start - block),
            Some(bad) => (true, bad.end - bad.start),
        };
        let shared = match sharing {
            Sharing::Free => return Err(euclean()),
            Sharing::One => false,
            Sharing::Many => true,
        };
        if extent.unwritten {
            return Ok(Mapping::Unwritten { block, len, bad });
        }
        Ok(Mapping::Data {
            block,
            len,
            shared,
            bad,
        })
    }

    /// Returns how many of these pages of a file are lost: at bad blocks, and written.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`.
    pub(crate) fn bad_pages(&self, ino: u64, pages: Range<u64>) -> Result<u64> {
        let extents = self.get(ino)?.as_file()?.in_range(pages);
        let written = extents.filter(|e| !e.unwritten);
        Ok(written.fold(0, |sum, e| {
            sum.saturating_add(self.bad.overlap(e.block..e.block_end()))
        }))
    }

    /// Builds the transaction that makes pages of a file a hole (truncate, hole punch). The pages
    /// may reach beyond the last extent: `len` may be `u64::MAX`.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`, `EINVAL` if `len` is 0, `ENOMEM`.
    pub(crate) fn unmap_range(&self, ino: u64, pgoff: u64, len: u64) -> Result<Transaction> {
        self.get(ino)?.as_file()?;
        if len == 0 {
            return Err(EINVAL);
        }
        let mut tx = Transaction::new();
        self.push_unmap(&mut tx, ino, pgoff..pgoff.saturating_add(len))?;
        Ok(tx)
    }

    /// Checks that `len` pages of a file can be cloned now.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`; `EINVAL` if `len` is 0; `EFBIG` if they reach beyond the largest file;
    /// `EIO` if a page of them is lost.
    pub(crate) fn check_clone(&self, src: u64, pgoff: u64, len: u64) -> Result {
        let pages = page_range(pgoff, len)?;
        self.get(src)?.as_file()?;
        if self.bad_blocks() != 0 && self.bad_pages(src, pages)? != 0 {
            return Err(EIO);
        }
        Ok(())
    }

    /// Returns how many pages from `pgoff` on of a file one transaction is to change: as many as have
    /// [`EXTENTS`] extents, and at most `max_len`.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`.
    pub(crate) fn step_len(&self, ino: u64, pgoff: u64, max_len: u64) -> Result<u64> {
        let pages = pgoff..pgoff.saturating_add(max_len);
        let mut extents = self.get(ino)?.as_file()?.in_range(pages);
        let next = extents.nth(EXTENTS);
        Ok(next.map_or(max_len, |next| next.pgoff.saturating_sub(pgoff)))
    }

    /// Returns from which page on one transaction is to take what a file has from page `first` on: the
    /// last [`EXTENTS`] extents, or all if there are no more.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`.
    pub(crate) fn last_step(&self, ino: u64, first: u64) -> Result<u64> {
        let map = self.get(ino)?.as_file()?;
        let mut start = u64::MAX;
        for _ in 0..EXTENTS {
            match map.last_before(start).filter(|extent| extent.pgoff > first) {
                Some(extent) => start = extent.pgoff,
                None => return Ok(first),
            }
        }
        let more = map.last_before(start);
        let more = more.is_some_and(|extent| extent.pgoff_end() > first);
        Ok(if more { start } else { first })
    }

    /// Builds the transaction that makes `len` pages of file `dst` share the blocks of pages of file
    /// `src`. What was there in `dst` goes; holes, and what is unwritten, become holes. Sizes are left to the
    /// caller.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`; `EINVAL` if `len` is 0 or source and destination overlap in one file;
    /// `EFBIG` if they reach beyond the largest file; `EIO` if a page of the source is lost;
    /// `ENOMEM`.
    pub(crate) fn clone_range(
        &self,
        src: u64,
        src_pgoff: u64,
        dst: u64,
        dst_pgoff: u64,
        len: u64,
    ) -> Result<Transaction> {
        let from = self.get(src)?.as_file()?;
        self.get(dst)?.as_file()?;
        let src_range = page_range(src_pgoff, len)?;
        let dst_range = page_range(dst_pgoff, len)?;
        if src == dst && src_range.start < dst_range.end && dst_range.start < src_range.end {
            return Err(EINVAL);
        }

        let mut tx = Transaction::new();
        self.push_unmap(&mut tx, dst, dst_range)?;
        for extent in from.in_range(src_range).filter(|e| !e.unwritten) {
            if self.bad.overlap(extent.block..extent.block_end()) != 0 {
                return Err(EIO);
            }
            tx.push(Op::Map {
                ino: dst,
                pgoff: dst_pgoff.saturating_add(extent.pgoff.saturating_sub(src_pgoff)),
                block: extent.block,
                len: extent.len,
                unwritten: false,
            })?;
        }
        Ok(tx)
    }

    /// Builds the transaction that moves pages of a file to other blocks, which were allocated for
    /// that: copy on write, relocation, or the first allocation for a hole.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`; `EINVAL` if `len` is 0; `EFBIG` if the pages reach beyond the largest
    /// file; `ENOMEM`.
    pub(crate) fn remap(
        &self,
        ino: u64,
        pgoff: u64,
        new_block: u64,
        len: u64,
    ) -> Result<Transaction> {
        self.map_instead(ino, pgoff, new_block, len, false)
    }

    /// As [`remap`](Self::remap), but what the blocks hold is nothing of the file's: its pages are zeroes.
    ///
    /// # Errors
    ///
    /// As `remap`.
    pub(crate) fn remap_unwritten(
        &self,
        ino: u64,
        pgoff: u64,
        new_block: u64,
        len: u64,
    ) -> Result<Transaction> {
        self.map_instead(ino, pgoff, new_block, len, true)
    }

    fn map_instead(
        &self,
        ino: u64,
        pgoff: u64,
        block: u64,
        len: u64,
        unwritten: bool,
    ) -> Result<Transaction> {
        self.get(ino)?.as_file()?;
        let mut tx = Transaction::new();
        self.push_unmap(&mut tx, ino, page_range(pgoff, len)?)?;
        tx.push(Op::Map {
            ino,
            pgoff,
            block,
            len,
            unwritten,
        })?;
        Ok(tx)
    }

    /// Appends the unmap of these pages, if there is anything to unmap.
    pub(in crate::state) fn push_unmap(
        &self,
        tx: &mut Transaction,
        ino: u64,
        pages: Range<u64>,
    ) -> Result {
        if self
            .get(ino)?
            .as_file()?
            .in_range(pages.clone())
            .next()
            .is_some()
        {
            tx.push(Op::Unmap {
                ino,
                pgoff: pages.start,
                len: pages.end - pages.start,
            })?;
        }
        Ok(())
    }
}

/// Returns the pages of a file, if it can have them.
pub(super) fn page_range(pgoff: u64, len: u64) -> Result<Range<u64>> {
    if len == 0 {
        return Err(EINVAL);
    }
    match pgoff.checked_add(len) {
        Some(end) if end <= MAX_PAGES => Ok(pgoff..end),
        _ => Err(EFBIG),
    }
}
