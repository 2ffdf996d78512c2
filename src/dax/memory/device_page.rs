// SPDX-License-Identifier: GPL-2.0

//! A page of device memory, held: its `struct page` stays while one has it.
//!
//! When a driver gives its memory up, the pages' structs go, and their place in the kernel's own map.
//! Before that it kills the dax device, which waits for notifiers, and then the pagemap, which waits for
//! references to it. A [`DevicePage`] is such a reference. So whoever has nothing but a page frame's
//! number asks here, and gets `None` where using `pfn_to_page()` would be an oops.
//!
//! C header: [`include/linux/memremap.h`](srctree/include/linux/memremap.h).
//!
//! # Locking
//!
//! None. The driver's removal waits for what is held here, so its holder waits for nothing.

use crate::bindings;
use core::{
    ops::Range,
    ptr::NonNull, //
};

/// A page of device memory that has its struct: see the module's documentation.
///
/// # Invariants
///
/// - "held": this value owns a reference to `pagemap`, which is one run of page frames that have
///   structs, and has `pfn`. (It is found a moment before its driver has filled them in, and the dax
///   device is there. Page frames come from a dax device, so none is asked for that early.)
pub(crate) struct DevicePage {
    pagemap: NonNull<bindings::dev_pagemap>,
    pfn: usize,
}

impl DevicePage {
    /// The page of a page frame. `None` if that is not memory of a device, or no more.
    pub(crate) fn get(pfn: u64) -> Option<Self> {
        let pfn = usize::try_from(pfn).ok()?;
        // SAFETY: Any number may be asked for.
        let pagemap = unsafe { bindings::daxrmap_get_device_page(pfn) };
        // INVARIANT: "held": the helper has looked, and took a reference.
        Some(Self {
            pagemap: NonNull::new(pagemap)?,
            pfn,
        })
    }

    /// Waits until nobody has this page or one of those that follow it on the device: no file, no process,
    /// nobody who pins it; sleeps. Nobody gets new ones: the dax device is not alive any more.
    pub(crate) fn wait_for_users(&self) {
        // SAFETY: The pages of the run have their structs: invariant "held".
        unsafe { bindings::daxrmap_wait_for_frames(self.pagemap.as_ptr(), self.pfn) };
    }

    /// Whether some page table has a page of these frames, or another one of its folio. `pfns`: not before
    /// this one; what is behind the device's last is left out. Sleeps.
    pub(crate) fn are_mapped(&self, pfns: &Range<u64>) -> bool {
        let (first, end) = ((pfns.start as usize).max(self.pfn), pfns.end as usize);
        // SAFETY: The pages of the run have their structs, from this one on: invariant "held".
        unsafe { bindings::daxrmap_frames_are_mapped(self.pagemap.as_ptr(), first, end) }
    }

    /// The page frame.
    pub(in crate::dax) fn pfn(&self) -> usize {
        self.pfn
    }

    /// Whether all page frames from this one to `last` are held by either: one run of one device.
    pub(in crate::dax) fn runs_to(&self, last: &Self) -> bool {
        self.pagemap == last.pagemap && self.pfn <= last.pfn
    }
}

impl Clone for DevicePage {
    /// The same page once more, also when nobody else gets one any more.
    fn clone(&self) -> Self {
        // SAFETY: There is a reference: invariant "held".
        unsafe { bindings::daxrmap_again_device_page(self.pagemap.as_ptr()) };
        // INVARIANT: "held": one more reference, for the same page.
        Self {
            pagemap: self.pagemap,
            pfn: self.pfn,
        }
    }
}

// SAFETY: What it owns is a reference, which may be dropped on any thread.
unsafe impl Send for DevicePage {}

impl Drop for DevicePage {
    fn drop(&mut self) {
        // SAFETY: The reference is ours to drop: invariant "held".
        unsafe { bindings::daxrmap_put_device_page(self.pagemap.as_ptr()) };
    }
}
