// SPDX-License-Identifier: GPL-2.0

//! Who maps a failed page, and telling them.
//!
//! C source: mm/memory-failure.c (`mf_dax_kill_procs`), fs/dax.c (`folio->mapping`),
//! arch/x86/mm/pat/set_memory.c (`set_mce_nospec`).
//!
//! # Locking
//!
//! Telling the processes waits for DAX entries. So it is a method of the guard of the `invalidate_lock`,
//! held exclusively, and the caller may hold no lock that a fault takes once it has an entry: not the
//! state lock, which the owner tree is under. [`folio_owner`] takes no lock.

use super::memory::device_page::DevicePage;
use crate::{
    bindings,
    vfs::{
        AnyInode,
        AnyInvalidateLock,
        FileSystem,
        Inode,
        Visit,
        Visited, //
    },
};
use core::{
    ops::Range,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// A flag of a failure (include/linux/mm.h): the memory is good but about to go. Revoke, don't poison.
pub(crate) const MF_MEM_PRE_REMOVE: c_int = bindings::mf_flags_MF_MEM_PRE_REMOVE as c_int;

impl AnyInvalidateLock<'_> {
    /// Signals the processes that map pages `range` of the file, by the rules of memory_failure(): the
    /// consumer at once, others if they asked for early kill; then unmaps what they had.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the file is no DAX file any more.
    pub(crate) fn kill_procs(&self, range: Range<u64>, mf_flags: c_int) -> Result {
        let count = range.end.saturating_sub(range.start);
        // SAFETY: The inode is live: invariant "live" of `AnyInode`, and so is its mapping.
        to_result(unsafe {
            bindings::mf_dax_kill_procs(
                self.any_inode().mapping(),
                range.start as usize,
                count as usize,
                mf_flags,
            )
        })
    }

    /// Takes the poison flag of a good page back: `mf_dax_kill_procs` flags the head page of a PMD-size
    /// entry, whichever page it was asked for. `pgoff`: a page that it was asked for. `is_bad`: whether a
    /// page frame is bad.
    pub(crate) fn unmark_head(&self, pgoff: u64, is_bad: impl FnOnce(u64) -> bool) {
        let (inode, mut head) = (self.any_inode(), 0);
        // SAFETY: The inode is live: invariant "live" of `AnyInode`.
        let huge =
            unsafe { bindings::daxrmap_entry_head(inode.as_ptr(), pgoff as usize, &mut head) };
        if !huge || is_bad(head as u64) {
            return;
        }
        if let Some(page) = DevicePage::get(head as u64) {
            // SAFETY: The page has its struct: invariant "held" of `DevicePage`.
            unsafe { bindings::daxrmap_mark_poisoned(page.pfn(), false) };
        }
    }
}

/// Whether nobody maps the file, nor is in the middle of a fault or a system call that holds its
/// `invalidate_lock`, nor stored anything to these pages that is not durable. Whoever comes after this sees
/// what was published before it.
pub(crate) fn is_untouched(inode: &AnyInode, pages: &Range<u64>) -> bool {
    let (first, last) = (pages.start, pages.end.saturating_sub(1));
    // SAFETY: The inode is live: invariant "live" of `AnyInode`.
    unsafe { bindings::daxrmap_is_untouched(inode.as_ptr(), first as usize, last as usize) }
}

/// The file and page offset that `folio->mapping` gives for the page frame, with a reference.
/// `None`: shared, or mapped by nobody. A hint: it may be stale when it returns.
pub(crate) fn folio_owner<'a, F: FileSystem>(
    visit: &Visit<'a, F>,
    pfn: u64,
) -> Option<(Visited<'a, F>, u64)> {
    let (sb, mut index) = (visit.sb().as_ptr(), 0);
    let page = DevicePage::get(pfn)?;
    // SAFETY: The page has its struct: invariant "held" of `DevicePage`. The super block is live:
    // invariant "info" of `SuperBlock`.
    let inode = unsafe { bindings::daxrmap_folio_owner(page.pfn(), sb, &mut index) };
    let inode = NonNull::new(inode)?;
    // SAFETY: The helper returned a reference to a live inode of the super block, which is an `F`'s.
    let inode = unsafe { Inode::from_raw_owned(inode) };
    Some((visit.adopt(inode), index as u64))
}
