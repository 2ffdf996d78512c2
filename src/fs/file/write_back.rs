// SPDX-License-Identifier: GPL-2.0

//! fsync(2), msync(2) and what else makes mmap's stores durable, where pages are lost.
//!
//! After a machine check the kernel takes a page out of its own map, and even the instruction that
//! writes its cache lines back would be an oops. So bad blocks are kept from `fs/dax.c`, and with
//! them the huge page that one is in: its good pages are flushed one by one. The entry stays dirty, so
//! that the next call does it again. That stores are lost with a page has been noted when it failed.
//!
//! What is looked at are the pages that somebody has stored to, however many extents the file has.
//!
//! # Locking
//!
//! The file's pages are flushed in pieces, each inside of the touch lock ([`Pmem`](dax::Pmem)): a failure
//! waits for a piece that is under way, and the next one finds the block bad. Who asks the bad set takes
//! the state lock, for one entry. No entry of a bad block is new, nor becomes dirty, when its failure
//! ends: that needs the `invalidate_lock`, which the failure had after the block was published.

use crate::{
    dax::{
        self,
        Writeback,
        PMD_BLOCKS, //
    },
    errno::ehwpoison,
    fs::Mount,
    vfs::Inode, //
};
use core::ops::Range;
use kernel::prelude::*;

/// Pages that are flushed before a failure may end: those of a PMD, so that no entry is in two pieces.
const PIECE: u64 = PMD_BLOCKS;

/// Does what `what` asks for.
///
/// # Errors
///
/// `EIO` if the device is gone or not to be trusted, or says so.
pub(super) fn write_back(what: &mut Writeback<'_, Mount>) -> Result {
    let inode = what.inode();
    inode.fs().meta().check_alive()?;
    let pages = what.pages();
    let mut from = pages.start;
    while let Some(dirty) = dax::next_dirty(inode, from..pages.end) {
        let start = dirty.pages.start.max(from);
        let end = (start - start % PIECE).saturating_add(PIECE).min(pages.end);
        flush_piece(what, start..end)?;
        from = end;
    }
    Ok(())
}

/// Flushes one piece of the file, but for what is lost.
fn flush_piece(what: &mut Writeback<'_, Mount>, pages: Range<u64>) -> Result {
    let inode = what.inode();
    let fs = inode.fs();
    let touching = fs.device().touch_lock.touch();
    let any_bad = fs.meta().read().bad_blocks() != 0;
    touching.test_delay();
    let mut from = pages.start;
    while let Some((entry, blocks)) = any_bad.then(|| next_lost(inode, from..pages.end)).flatten() {
        if from < entry.start {
            what.flush(from..entry.start)?;
        }
        flush_good(fs, blocks)?;
        from = entry.end;
    }
    if from < pages.end {
        what.flush(from..pages.end)?;
    }
    Ok(())
}

/// The first dirty entry of these pages that has a bad block: its pages, and its blocks.
fn next_lost(inode: &Inode<Mount>, mut pages: Range<u64>) -> Option<(Range<u64>, Range<u64>)> {
    let fs = inode.fs();
    loop {
        let dirty = dax::next_dirty(inode, pages.clone())?;
        let len = dirty.pages.end - dirty.pages.start;
        if let Some(block) = fs.engine().block(dirty.pfn) {
            let blocks = block..block.saturating_add(len);
            let bad = fs.meta().read().next_bad(blocks.start, blocks.end);
            if bad.is_some() {
                return Some((dirty.pages, blocks));
            }
        }
        pages.start = dirty.pages.end;
    }
}

/// Flushes those of these blocks that are good.
fn flush_good(fs: &Mount, blocks: Range<u64>) -> Result {
    for block in blocks {
        if fs.meta().read().is_bad(block) {
            continue;
        }
        // The driver may list one that nobody has reported yet: it is as good as reported.
        fs.device()
            .flush(block)
            .map_err(|e| if e == ehwpoison() { EIO } else { e })?;
    }
    Ok(())
}
