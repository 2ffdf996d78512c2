// SPDX-License-Identifier: GPL-2.0

//! Ranges that are taken out of a file, or put into it: what comes after them moves, blocks and all.
//!
//! One transaction, whose record is short however many extents move; to apply it takes as long as
//! there are. A crash leaves the file as it was or as it is.
//!
//! # Locking
//!
//! `i_rwsem` exclusively, by the caller; `invalidate_lock` exclusively: all pages from the range on are
//! unmapped and forgotten, since each of them comes to be another page of the file.

use super::writable::retry_while_pinned;
use crate::{
    fs::Mount,
    state::State,
    vfs::{
        InodeLock, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Where what comes after the range moves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// To where the range begins: it is not there any more.
    Collapse,
    /// To where the range ends: it is a hole.
    Insert,
}

/// Takes `pages` out of a file, or puts them in, so that it has `size` bytes.
///
/// # Errors
///
/// `EIO` if a page that moves is lost: heal or punch it first. `EFBIG`, `ENOSPC`, `ENOMEM`, `EINTR`.
/// Nothing has changed then.
pub(super) fn shift(
    lock: &InodeLock<'_, Mount>,
    what: Move,
    pages: Range<u64>,
    size: u64,
) -> Result {
    let inode = lock.inode();
    let ino = inode.ino();
    let meta = inode.fs().meta();
    let build = |state: &State| match what {
        Move::Collapse => state.collapse(ino, pages.clone(), size),
        Move::Insert => state.insert(ino, pages.clone(), size),
    };
    retry_while_pinned(inode, |invalidate| {
        // What may not move must not lose its mappings over the attempt: who maps a page that is
        // failing right now is about to be told.
        build(&meta.read())?;
        invalidate.write_back(pages.start..u64::MAX)?;
        invalidate.break_layout(pages.start..u64::MAX)?;
        meta.transact(build)?;
        let shrinks = size < inode.size();
        lock.set_size(size);
        if shrinks {
            invalidate.truncate_mappings(size);
        }
        Ok(())
    })
}
