// SPDX-License-Identifier: GPL-2.0

//! Taking pages of a file away from those who map or pin them.
//!
//! C source: fs/dax.c (`dax_break_layout`), mm/memory.c (`unmap_mapping_range`).
//!
//! # Locking
//!
//! Everything here but [`has_page`] waits for DAX entries, so the caller holds no lock that a fault
//! takes once it has one: not the state lock. What needs the file's `invalidate_lock` exclusively is a
//! method of its guard.

use super::{
    bytes,
    entry,
    lock_counts,
    BLOCK_SHIFT, //
};
use crate::{
    bindings,
    vfs::{
        AnyInode,
        AnyInvalidateLock, //
    },
};
use core::ops::Range;
use kernel::{
    error::to_result,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
};

impl AnyInvalidateLock<'_> {
    /// Unmaps pages `range` of the file everywhere and deletes their DAX entries, so that the next access
    /// faults: of all of them, or of none. With a part of a huge page all of the page goes, after it was
    /// made durable: somebody may have mapped the rest by small pages, and the DAX code would forget what
    /// they use.
    ///
    /// # Errors
    ///
    /// `ERESTARTSYS` if a page is pinned (get_user_pages) at this moment: drop the lock, wait, retry.
    /// `EIO` if the device is gone.
    pub(crate) fn break_layout(&self, range: Range<u64>) -> Result {
        let inode = self.any_inode();
        if range.is_empty() {
            return Ok(());
        }
        let whole = entry(inode, range.start).start..entry(inode, range.end - 1).end.max(range.end);
        if whole != range {
            self.write_back(whole.clone())?;
        }
        let range = bytes(&whole);
        // The C function takes the last byte, with LLONG_MAX for "to the end".
        let last = if range.end == i64::MAX {
            i64::MAX
        } else {
            range.end - 1
        };
        let _counting = lock_counts(inode);
        // SAFETY: The inode is live: invariant "live" of `AnyInode`; its `invalidate_lock` is held
        // exclusively: invariant "held".
        to_result(unsafe { bindings::daxrmap_break_layout(inode.as_ptr(), range.start, last) })
    }

    /// Unmaps pages `range` of the file from every process, private copies excepted. The pages stay
    /// the file's; the next access faults.
    pub(crate) fn unmap(&self, range: Range<u64>) {
        let range = bytes(&range);
        let len = range.end - range.start;
        if len > 0 {
            // SAFETY: The inode is live: invariant "live" of `AnyInode`, and so is its mapping.
            unsafe {
                bindings::unmap_mapping_range(self.any_inode().mapping(), range.start, len, 0)
            };
        }
    }

    /// Unmaps pages `range` of the file as [`unmap`](Self::unmap) does, and makes what was written
    /// through the mappings durable. This is for pages that stay when their DAX entry goes: with it goes
    /// the mark that their cache lines are dirty.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone.
    pub(crate) fn write_back(&self, range: Range<u64>) -> Result {
        self.unmap(range.clone());
        let range = bytes(&range);
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: The inode is live: invariant "live" of `AnyInode`, and so is its mapping. Nobody dirties
        // the range anew: it is unmapped, under the lock.
        to_result(unsafe {
            bindings::filemap_write_and_wait_range(
                self.any_inode().mapping(),
                range.start,
                range.end - 1,
            )
        })
    }
}

/// Waits until nobody pins a page of the file, and deletes all its DAX entries. This is for evict.
///
/// Not by `dax_break_layout_final`, which waits until nobody *uses* a page that it found pinned: that
/// may be for as long as anybody maps it in another file, the task itself included.
pub(crate) fn break_layout_final(inode: &AnyInode) {
    loop {
        let counting = lock_counts(inode);
        // SAFETY: The inode is live: invariant "live" of `AnyInode`. Without the `invalidate_lock` faults could
        // bring pages back, which harms nobody; there are none, as the file is being evicted.
        let ret = unsafe { bindings::daxrmap_break_layout(inode.as_ptr(), 0, i64::MAX) };
        drop(counting);
        if to_result(ret) != Err(ERESTARTSYS) {
            return;
        }
        fsleep(Delta::from_millis(1));
    }
}

/// Whether page `pgoff` of the file is associated with a page of the device: mapped by somebody
/// now, or since it was last taken away. Neither holes nor a fault in progress count.
/// For use inside of `Extents::map`, where the entry is locked by the fault.
pub(crate) fn has_page(inode: &AnyInode, pgoff: u64) -> bool {
    const { assert!(BLOCK_SHIFT == 12, "a block is one 4 KiB page") };
    // SAFETY: The inode is live: invariant "live" of `AnyInode`; the lookup takes RCU itself.
    unsafe { bindings::daxrmap_entry_is_real(inode.as_ptr(), pgoff as usize) }
}
