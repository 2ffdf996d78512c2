// SPDX-License-Identifier: GPL-2.0

//! Blocks that a file has and that hold nothing of it yet: what it reads there is zeroes. They become
//! written when somebody writes, and unwritten again when somebody zeroes them.
//!
//! An unwritten block has exactly one owner. So nobody shares it, a clone has a hole there, and copy on write
//! never meets one.
//!
//! # Locking
//!
//! The caller holds the state lock.

use super::mapping::page_range;
use crate::{
    errno::euclean,
    rmap::{
        ExtentMap,
        Sharing, //
    },
    state::{
        InodeKind,
        Op,
        State,
        Transaction, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

impl State {
    /// Builds the transaction that makes pages of a file written, or unwritten, where they are. What their
    /// blocks hold is the caller's business. Some of them may be so already.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR`; `EINVAL` if `len` is 0, or one of them is in a hole, at a bad block, or is to be
    /// unwritten and shared; `EFBIG` if they reach beyond the largest file; `ENOMEM`.
    pub(crate) fn convert(
        &self,
        ino: u64,
        pgoff: u64,
        len: u64,
        written: bool,
    ) -> Result<Transaction> {
        let pages = page_range(pgoff, len)?;
        let map = self.get(ino)?.as_file()?;
        let bad = map.in_range(pages.clone()).any(|e| {
            let blocks = e.block..e.block_end();
            self.bad.overlap(blocks) != 0
        });
        if bad || !self.can_convert(map, pages, written) {
            return Err(EINVAL);
        }
        let mut tx = Transaction::new();
        tx.push(Op::Convert {
            ino,
            pgoff,
            len,
            written,
        })?;
        Ok(tx)
    }

    /// Whether none of these pages of a file is in a hole nor, if they are to be unwritten, shared.
    fn can_convert(&self, map: &ExtentMap, pages: Range<u64>, written: bool) -> bool {
        let mut from = pages.start;
        let all = map.in_range(pages.clone()).all(|extent| {
            let follows = extent.pgoff == from;
            from = extent.pgoff_end();
            let alone = written
                || self.owners.sharing(extent.block, extent.len) == (Sharing::One, extent.len);
            follows && alone
        });
        all && from == pages.end
    }

    /// Applies [`Op::Convert`].
    pub(in crate::state) fn convert_pages(
        &mut self,
        ino: u64,
        pgoff: u64,
        len: u64,
        written: bool,
    ) -> Result {
        let pages = page_range(pgoff, len)?;
        let map = self.get(ino)?.as_file()?;
        if !self.can_convert(map, pages.clone(), written) {
            return Err(euclean());
        }
        let State { inodes, owners, .. } = self;
        let Some(InodeKind::File(map)) = inodes.get_mut(&ino).map(|inode| &mut inode.kind) else {
            return Err(euclean());
        };
        owners.convert(map, ino, pages, !written)
    }
}
