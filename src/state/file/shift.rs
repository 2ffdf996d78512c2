// SPDX-License-Identifier: GPL-2.0

//! Pages of a file that move to other places in it, with their blocks: ranges that are taken out of a
//! file, or put into it.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::{
    errno::euclean,
    rmap::{
        FileExtent,
        MAX_PAGES, //
    },
    state::{
        Attr,
        InodeKind,
        Op,
        State,
        Transaction, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

impl State {
    /// Builds the transaction that takes `pages` out of a file: what comes after them moves to where
    /// they began, and the file has `size` bytes.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`; `EINVAL` if there are no such pages; `EIO` if one that moves is at a bad
    /// block; `ENOMEM`.
    pub(crate) fn collapse(&self, ino: u64, pages: Range<u64>, size: u64) -> Result<Transaction> {
        self.check_move(ino, &pages, pages.end)?;
        let mut tx = Transaction::new();
        self.push_unmap(&mut tx, ino, pages.clone())?;
        self.push_shift(&mut tx, ino, pages.end, pages.start, size)?;
        Ok(tx)
    }

    /// Builds the transaction that puts `pages`, a hole, into a file: what was there, and comes after
    /// that, moves to their end. The file has `size` bytes then.
    ///
    /// # Errors
    ///
    /// As [`collapse`](Self::collapse); `EFBIG` if the file would have more pages than it can.
    pub(crate) fn insert(&self, ino: u64, pages: Range<u64>, size: u64) -> Result<Transaction> {
        self.check_move(ino, &pages, pages.start)?;
        let last = self.get(ino)?.as_file()?.last();
        let end = last.map_or(0, |last| last.pgoff_end());
        let len = pages.end.saturating_sub(pages.start);
        if end > pages.start && end.checked_add(len).is_none_or(|end| end > MAX_PAGES) {
            return Err(EFBIG);
        }
        let mut tx = Transaction::new();
        self.push_shift(&mut tx, ino, pages.start, pages.end, size)?;
        Ok(tx)
    }

    /// Whether the pages from `from` on may move. Not what is lost: who is told of a failed block is
    /// told of the page that it was when the failure was published, and that must stay so.
    fn check_move(&self, ino: u64, pages: &Range<u64>, from: u64) -> Result {
        self.get(ino)?.as_file()?;
        if pages.is_empty() || pages.end > MAX_PAGES {
            return Err(EINVAL);
        }
        if self.bad_blocks() != 0 && self.bad_pages(ino, from..MAX_PAGES)? != 0 {
            return Err(EIO);
        }
        Ok(())
    }

    fn push_shift(&self, tx: &mut Transaction, ino: u64, from: u64, to: u64, size: u64) -> Result {
        if self.shifted(ino, from) != 0 {
            tx.push(Op::Shift { ino, from, to })?;
        }
        let attr = self.get(ino)?.attr;
        tx.push(Op::SetAttr {
            ino,
            attr: Attr { size, ..attr },
        })
    }

    /// Returns how many extents of a file a [`Op::Shift`] moves: what it needs memory for.
    pub(in crate::state) fn shifted(&self, ino: u64, from: u64) -> usize {
        let map = self.get(ino).and_then(|inode| inode.as_file());
        map.map_or(0, |map| map.in_range(from..MAX_PAGES).count())
    }

    /// Applies [`Op::Shift`]. Those that move first are those that make room for the next.
    pub(in crate::state) fn shift_pages(&mut self, ino: u64, from: u64, to: u64) -> Result {
        let State { inodes, owners, .. } = self;
        let Some(InodeKind::File(map)) = inodes.get_mut(&ino).map(|inode| &mut inode.kind) else {
            return Err(euclean());
        };
        let mut rest = from..MAX_PAGES;
        // All that is refused is refused here.
        let fits = if to < from {
            map.in_range(to..from).next().is_none()
        } else {
            let end = map.last().map_or(0, |last| last.pgoff_end());
            let end = end.checked_add(to - from);
            to != from && end.is_some_and(|end| end <= MAX_PAGES)
        };
        if !fits {
            return Err(euclean());
        }
        loop {
            let next = if to < from {
                map.next(rest.start)
            } else {
                map.last_before(rest.end)
            };
            let Some(part) = next.and_then(|extent| extent.clip(&rest)) else {
                return Ok(());
            };
            let pgoff = if to < from {
                rest.start = part.pgoff_end();
                part.pgoff.checked_sub(from - to)
            } else {
                rest.end = part.pgoff;
                part.pgoff.checked_add(to - from)
            };
            let pgoff = pgoff.ok_or_else(euclean)?;
            // No block becomes free, or bad, or anything else, but for an instant.
            owners.unmap(map, ino, part.pgoff..part.pgoff_end())?;
            owners.map(map, ino, FileExtent { pgoff, ..part })?;
        }
    }
}
