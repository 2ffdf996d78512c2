// SPDX-License-Identifier: GPL-2.0

//! A device that others have their filesystems on, and what it takes to find who has its pages.
//!
//! # Locking
//!
//! A mutex: one failure of the device is dealt with at a time ([`Place::visit`]). The rest has locks of its
//! own, which are inside of that.

use super::{
    list::List,
    pages::Pages,
    shared::Shared, //
};
use crate::{
    dax::Pmem,
    failure::Counter,
    vfs::OtherPuts, //
};
use core::ops::Range;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// A device: an fsdax disk, all of it.
#[pin_data]
pub(super) struct Place {
    pub(super) pmem: Arc<Pmem>,
    /// The page frames of all its pages.
    pub(super) pfns: Range<u64>,
    #[pin]
    pub(super) list: List,
    #[pin]
    visiting: Mutex<()>,
    /// Processes that only the guard has told.
    pub(super) signalled: Counter,
    /// Failures whose owners have been found.
    pub(super) dealt: Counter,
    /// Pages whose failure a CXL device has told of.
    pub(super) cxl: Counter,
    pub(super) pages: Arc<Pages>,
    pub(super) puts: OtherPuts<Pages>,
    pub(super) shared: Arc<Shared>,
}

impl Place {
    /// # Errors
    ///
    /// `EOPNOTSUPP` if its pages are not one run of memory; `ENXIO`, `ENOMEM`.
    pub(super) fn new(pmem: Arc<Pmem>, shared: Arc<Shared>) -> Result<Arc<Self>> {
        let pfns = pmem.pfns(pmem.blocks())?;
        let pages = Arc::pin_init(Pages::new(pfns.start), GFP_KERNEL)?;
        let puts = OtherPuts::new(pmem.disk_name(), pages.clone())?;
        Arc::pin_init(
            pin_init!(Self {
                pmem,
                pfns,
                list <- List::new(),
                visiting <- new_mutex!((), "daxrmap::Place"),
                signalled: Counter::new(),
                dealt: Counter::new(),
                cxl: Counter::new(),
                pages,
                puts,
                shared,
            }),
            GFP_KERNEL,
        )
    }

    /// Runs `f` while no other failure of the device is dealt with. Sleeps.
    pub(super) fn visit<R>(&self, f: impl FnOnce() -> R) -> R {
        let _visiting = self.visiting.lock();
        f()
    }

    /// The page frames of blocks.
    pub(super) fn pfns_of(&self, blocks: &Range<u64>) -> Range<u64> {
        let pfn = |block: u64| self.pfns.start.saturating_add(block).min(self.pfns.end);
        pfn(blocks.start)..pfn(blocks.end)
    }

    /// The page frame of the one block that there is, if it is one.
    pub(super) fn only_pfn(&self, blocks: &Range<u64>) -> Option<u64> {
        let pfns = self.pfns_of(blocks);
        (pfns.end.saturating_sub(pfns.start) == 1).then_some(pfns.start)
    }

    /// The block of a page frame.
    pub(super) fn block(&self, pfn: u64) -> Option<u64> {
        let block = pfn.checked_sub(self.pfns.start)?;
        self.pfns.contains(&pfn).then_some(block)
    }
}
