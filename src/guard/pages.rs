// SPDX-License-Identifier: GPL-2.0

//! The page structs of a device, kept from going while somebody looks for who has them.
//!
//! The driver frees them when it gives the device up. Before that it waits for references to its pagemap;
//! and nobody gets a new one once it has begun to wait. So there is one for all who keep them.
//!
//! # Locking
//!
//! A mutex, for a look at a number; nothing is taken inside of it.

use crate::{
    dax::DevicePage,
    vfs::Memory, //
};
use core::ops::Range;
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// The reference, while somebody needs it, and how many do.
struct Kept {
    page: Option<DevicePage>,
    count: u64,
}

/// The page structs of a device.
#[pin_data]
pub(super) struct Pages {
    #[pin]
    kept: Mutex<Kept>,
    first: u64,
}

impl Pages {
    /// Those from page frame `first` on.
    pub(super) fn new(first: u64) -> impl PinInit<Self> {
        pin_init!(Self {
            kept <- new_mutex!(Kept { page: None, count: 0 }, "daxrmap::Pages"),
            first,
        })
    }

    /// Runs `f` while they are kept. `None` if they are about to go: nobody has one that matters.
    pub(super) fn while_kept<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        if !self.keep() {
            return None;
        }
        let result = f();
        self.let_go();
        Some(result)
    }

    /// One of them; there is one if the caller keeps them.
    fn page(&self) -> Option<DevicePage> {
        self.kept.lock().page.clone()
    }

    /// Waits until nobody has any of them; the caller keeps them, and the dax device is not alive.
    pub(super) fn wait_for_users(&self) {
        if let Some(page) = self.page() {
            page.wait_for_users();
        }
    }

    /// Whether some page table has one of these page frames; the caller keeps them.
    pub(super) fn are_mapped(&self, pfns: &Range<u64>) -> bool {
        self.page().is_some_and(|page| page.are_mapped(pfns))
    }
}

impl Memory for Pages {
    fn keep(&self) -> bool {
        let mut kept = self.kept.lock();
        if kept.count == 0 {
            kept.page = DevicePage::get(self.first);
            if kept.page.is_none() {
                return false;
            }
        }
        kept.count = kept.count.saturating_add(1);
        true
    }

    fn let_go(&self) {
        let mut kept = self.kept.lock();
        kept.count = kept.count.saturating_sub(1);
        if kept.count == 0 {
            kept.page = None;
        }
    }
}
