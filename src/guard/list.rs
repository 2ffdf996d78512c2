// SPDX-License-Identifier: GPL-2.0

//! Step 1, *publish*: the driver's list of bad blocks, and what is done when it is full.
//!
//! The list takes 512 ranges, and when it is full nothing any more. So before the last one is taken, the two
//! that are nearest to each other become one, with the good pages in between: nobody can use these pages then,
//! which is said. When no two are near enough (a range has at most 64 pages) the last one is taken; after
//! that a page is not covered: who maps it is told and loses it, but who comes later reads it. That is
//! said loudly, and remembered.
//!
//! # Locking
//!
//! A mutex, for what is remembered. It is taken inside of one failure of the device, and by who asks.

use crate::dax::Pmem;
use core::ops::Range;
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// What became of pages that the list had no room for.
struct Overflow {
    /// Good pages that are on the list.
    joined: u64,
    /// Failed pages that are not.
    uncovered: KVec<Range<u64>>,
    /// How many these are, also if there was no memory to remember which.
    pages: u64,
}

/// The driver's list of one device.
#[pin_data]
pub(super) struct List {
    #[pin]
    overflow: Mutex<Overflow>,
}

impl List {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            overflow <- new_mutex!(Overflow {
                joined: 0,
                uncovered: KVec::new(),
                pages: 0,
            }, "daxrmap::List"),
        })
    }

    /// Good pages that are on the list, and failed ones that are not.
    pub(super) fn joined_and_uncovered(&self) -> (u64, u64) {
        let overflow = self.overflow.lock();
        (overflow.joined, overflow.pages)
    }

    /// The `index`th of the ranges that are not on the list.
    pub(super) fn uncovered(&self, index: u64) -> Option<Range<u64>> {
        let index = usize::try_from(index).ok()?;
        self.overflow.lock().uncovered.get(index).cloned()
    }

    /// Enters pages in the list. Returns how many were not there.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if some of them are not on it now: that is remembered, and the log says so; `ENXIO` if the
    /// device is gone.
    pub(super) fn enter(&self, pmem: &Pmem, pages: &Range<u64>) -> Result<u64> {
        let new = not_listed(pmem, pages);
        if !pmem.list_is_nearly_full() {
            match pmem.set_bad(pages) {
                Err(e) if e == ENOSPC => {}
                done => return done.map(|()| new),
            }
        }
        let mut result = Ok(new);
        for page in pages.clone() {
            match self.enter_one(pmem, page) {
                Err(e) if e == ENOSPC => {
                    self.forgo(pmem, page);
                    result = Err(e);
                }
                done => result = result.and_then(|new| done.map(|()| new)),
            }
        }
        result
    }

    /// Enters a page in a list that is nearly full.
    fn enter_one(&self, pmem: &Pmem, page: u64) -> Result {
        let pages = page..page.saturating_add(1);
        if not_listed(pmem, &pages) == 0 {
            return Ok(());
        }
        while pmem.list_is_nearly_full() && !pmem.continues_entry(page) {
            let Some(gap) = pmem.smallest_gap(page) else {
                break;
            };
            pmem.close(&gap)?;
            let good = gap.blocks();
            let mut overflow = self.overflow.lock();
            overflow.joined = overflow.joined.saturating_add(good);
            drop(overflow);
            pr_warn!(
                "{}: the driver's list of bad blocks is nearly full: {} good pages are on it now, to make room\n",
                pmem.disk_name(),
                good
            );
        }
        pmem.set_bad(&pages)
    }

    /// There is no room for a page.
    fn forgo(&self, pmem: &Pmem, page: u64) {
        pr_crit!(
            "{}: page {} has failed, and the driver's list of bad blocks is full: who maps it is told, \
             who comes later READS IT. Move the data and clear the list\n",
            pmem.disk_name(),
            page
        );
        let mut overflow = self.overflow.lock();
        if overflow.uncovered.iter().any(|range| range.contains(&page)) {
            return;
        }
        overflow.pages = overflow.pages.saturating_add(1);
        let end = page.saturating_add(1);
        match overflow.uncovered.last_mut() {
            Some(last) if last.end == page => last.end = end,
            _ => {
                // Without memory it is counted, not remembered.
                let _ = overflow
                    .uncovered
                    .push(page..end, GFP_NOWAIT | __GFP_NOWARN);
            }
        }
    }
}

/// How many of these pages are not on the list.
fn not_listed(pmem: &Pmem, pages: &Range<u64>) -> u64 {
    let mut count = 0u64;
    let mut from = pages.start;
    while from < pages.end {
        let bad = pmem.next_bad(&(from..pages.end));
        let until = bad.as_ref().map_or(pages.end, |bad| bad.start);
        count = count.saturating_add(until.saturating_sub(from));
        from = bad.map_or(pages.end, |bad| bad.end);
    }
    count
}
