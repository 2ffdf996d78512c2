// SPDX-License-Identifier: GPL-2.0

//! Making durable what was stored through mmap: which pages are dirty, and writing their cache lines
//! back.
//!
//! C source: fs/dax.c (`dax_writeback_mapping_range`), drivers/dax/super.c (`dax_flush`).
//!
//! # Locking
//!
//! A flush comes with no lock, or with the file's `invalidate_lock` in either mode. It waits for DAX
//! entries, so the caller holds no lock that a fault takes once it has one.

use super::{
    Extents,
    BLOCK_SHIFT,
    PMD_BLOCKS, //
};
use crate::{
    bindings,
    support::fatal_signal_pending,
    vfs::{
        AnyInode,
        Inode, //
    },
};
use core::ops::Range;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// A file, and which of its pages the VFS wants to be durable.
pub(crate) struct Writeback<'a, F: Extents> {
    inode: &'a Inode<F>,
    wbc: &'a mut bindings::writeback_control,
}

impl<'a, F: Extents> Writeback<'a, F> {
    /// What the VFS asks for. `None`: nothing that needs doing, since with DAX only fsync(2) and its
    /// like have an effect.
    pub(crate) fn new(
        inode: &'a Inode<F>,
        wbc: &'a mut bindings::writeback_control,
    ) -> Option<Self> {
        (wbc.sync_mode == bindings::writeback_sync_modes_WB_SYNC_ALL).then_some(Self { inode, wbc })
    }

    /// The file.
    pub(crate) fn inode(&self) -> &'a Inode<F> {
        self.inode
    }

    /// The pages that are asked for.
    pub(crate) fn pages(&self) -> Range<u64> {
        // The range's end is its last byte.
        let page = |byte: i64| byte.max(0).unsigned_abs() >> BLOCK_SHIFT;
        page(self.wbc.range_start)..page(self.wbc.range_end).saturating_add(1)
    }

    /// Writes the cache lines of those of `pages` back that are dirty, and write-protects them, so that
    /// the next store is noticed. They are durable after the next fence. None of them may be one that
    /// the CPU cannot touch, nor may [`entry`] of one.
    ///
    /// # Errors
    ///
    /// `EIO`; `EINTR` if the task is killed: what is not flushed stays dirty.
    pub(crate) fn flush(&mut self, pages: Range<u64>) -> Result {
        if fatal_signal_pending() {
            return Err(EINTR);
        }
        let bytes = super::bytes(&pages);
        let asked = self.wbc.range_start..self.wbc.range_end;
        self.wbc.range_start = bytes.start.max(asked.start);
        // `pages` are not empty, so they end behind byte 0.
        self.wbc.range_end = (bytes.end - 1).min(asked.end);
        let dax_dev = self.inode.fs().pmem().as_ptr();
        // SAFETY: The inode is live: invariant "live" of `Inode`. The device is its mount's, and
        // referenced: invariant "dax" of `Pmem`. The request is borrowed.
        let ret = unsafe {
            bindings::dax_writeback_mapping_range(self.inode.mapping(), dax_dev, self.wbc)
        };
        self.wbc.range_start = asked.start;
        self.wbc.range_end = asked.end;
        self.inode.fs().pmem().requests.wrote();
        to_result(ret)
    }
}

/// What was stored to a dirty page is lost: fsync(2) says so, once to each who has the file open, or
/// to the next who opens it.
pub(crate) fn lose(inode: &AnyInode) {
    // SAFETY: The inode is live: invariant "live" of `AnyInode`, and so is its mapping.
    let error = unsafe { &raw mut (*inode.mapping()).wb_err };
    // SAFETY: The mapping is live, and the field only ever changed atomically, as here.
    unsafe { bindings::errseq_set(error, -(bindings::EIO as c_int)) };
}

/// The pages that share a DAX entry with page `pgoff`: a PMD of them, or that one alone. They are
/// flushed together.
pub(crate) fn entry(inode: &AnyInode, pgoff: u64) -> Range<u64> {
    let mut head = 0;
    // SAFETY: The inode is live: invariant "live" of `AnyInode`.
    let huge = unsafe { bindings::daxrmap_entry_head(inode.as_ptr(), pgoff as usize, &mut head) };
    let pages = if huge { PMD_BLOCKS } else { 1 };
    let start = pgoff - pgoff % pages;
    start..start.saturating_add(pages)
}

/// A DAX entry that somebody has stored to since it was flushed.
pub(crate) struct Dirty {
    /// Its pages: one, or a PMD of them.
    pub(crate) pages: Range<u64>,
    /// The page frame of the first of them; the others follow.
    pub(crate) pfn: u64,
}

/// The first such entry with a page of `pages`. It may begin before them.
pub(crate) fn next_dirty(inode: &AnyInode, pages: Range<u64>) -> Option<Dirty> {
    let last = pages
        .end
        .checked_sub(1)
        .filter(|last| *last >= pages.start)?;
    let (mut index, mut count, mut pfn) = (pages.start as usize, 0, 0);
    // SAFETY: The inode is live: invariant "live" of `AnyInode`; the lookup takes RCU itself.
    let found = unsafe {
        bindings::daxrmap_next_dirty(
            inode.as_ptr(),
            &mut index,
            last as usize,
            &mut count,
            &mut pfn,
        )
    };
    let start = index as u64;
    found.then_some(Dirty {
        pages: start..start.saturating_add(count as u64),
        pfn: pfn as u64,
    })
}

/// Whether somebody has stored to page `pgoff`, or another of its [`entry`], since it was flushed.
pub(crate) fn is_dirty(inode: &AnyInode, pgoff: u64) -> bool {
    // SAFETY: The inode is live: invariant "live" of `AnyInode`; its mapping is there as long.
    let pages = unsafe { &raw mut (*inode.mapping()).i_pages };
    // SAFETY: The XArray is the live inode's: invariant "live" of `AnyInode`; the lookup takes RCU itself.
    unsafe { bindings::xa_get_mark(pages, pgoff as usize, bindings::PAGECACHE_TAG_DIRTY) }
}
