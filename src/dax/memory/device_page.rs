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
use core::ptr::NonNull;

/// A page of device memory that has its struct: see the module's documentation.
///
/// # Invariants
///
/// - "held": this value owns a reference to `pagemap`, which is one run of page frames that have
///   structs, and has `pfn`. (It is found a moment before its driver has filled them in, and the dax
///   device is there. Page frames come from a dax device, so none is asked for that early.)
pub(in crate::dax) struct DevicePage {
    pagemap: NonNull<bindings::dev_pagemap>,
    pfn: usize,
}

impl DevicePage {
    /// The page of a page frame. `None` if that is not memory of a device, or no more.
    pub(in crate::dax) fn get(pfn: u64) -> Option<Self> {
        let pfn = usize::try_from(pfn).ok()?;
        // SAFETY: Any number may be asked for.
        let pagemap = unsafe { bindings::daxrmap_get_device_page(pfn) };
        // INVARIANT: "held": the helper has looked, and took a reference.
        Some(Self {
            pagemap: NonNull::new(pagemap)?,
            pfn,
        })
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

impl Drop for DevicePage {
    fn drop(&mut self) {
        // SAFETY: The reference is ours to drop: invariant "held".
        unsafe { bindings::daxrmap_put_device_page(self.pagemap.as_ptr()) };
    }
}
