// SPDX-License-Identifier: GPL-2.0

//! fsync(2), msync(2) and what else makes mmap's stores durable, where pages are lost.
//!
//! After a machine check the kernel takes a page out of its own map, and even the instruction that
//! writes its cache lines back would be an oops. So bad blocks are kept from `fs/dax.c`, and with
//! them the huge page that one is in: its good pages are flushed one by one. The entry stays dirty, so
//! that the next call does it again. That stores are lost with a page has been noted when it failed.
//!
//! # Locking
//!
//! None of its own but the state lock, to look. What is found may change at once; a block that goes bad
//! while it is flushed is one that the CPU can touch until its failure has been dealt with.

use super::{
    state::Mapping,
    Mount, //
};
use crate::{
    dax::{
        self,
        Writeback, //
    },
    vfs::Inode,
};
use core::ops::Range;
use kernel::prelude::*;

/// Does what `what` asks for.
///
/// # Errors
///
/// `EIO`, `ENXIO` if the device is gone.
pub(super) fn write_back(what: &mut Writeback<'_, Mount>) -> Result {
    let inode = what.inode();
    let pages = what.pages();
    let mut from = pages.start;
    while let Some(bad) = next_lost(inode, from..pages.end)? {
        let entry = dax::entry(inode, bad);
        if from < entry.start {
            what.flush(from..entry.start)?;
        }
        if dax::is_dirty(inode, bad) {
            flush_good(inode, entry.clone())?;
        }
        from = entry.end.max(bad.saturating_add(1));
    }
    if from < pages.end {
        what.flush(from..pages.end)?;
    }
    Ok(())
}

/// The first of these pages of the file that is at a bad block.
fn next_lost(inode: &Inode<Mount>, pages: Range<u64>) -> Result<Option<u64>> {
    let state = inode.fs().meta().lock();
    if state.bad_blocks() == 0 {
        return Ok(None);
    }
    let mut pgoff = pages.start;
    while pgoff < pages.end {
        let len = match state.map(inode.ino(), pgoff, pages.end - pgoff)? {
            Mapping::Data { bad: true, .. } => return Ok(Some(pgoff)),
            Mapping::Data { len, .. } | Mapping::Hole { len } => len,
        };
        pgoff = pgoff.saturating_add(len.max(1));
    }
    Ok(None)
}

/// Flushes those of these pages that are at good blocks.
fn flush_good(inode: &Inode<Mount>, pages: Range<u64>) -> Result {
    let fs = inode.fs();
    for pgoff in pages {
        let mapping = fs.meta().lock().map(inode.ino(), pgoff, 1)?;
        if let Mapping::Data {
            block, bad: false, ..
        } = mapping
        {
            fs.device().flush(block)?;
        }
    }
    Ok(())
}
