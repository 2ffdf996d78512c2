// SPDX-License-Identifier: GPL-2.0

//! Having the kernel deal with a page that somebody else than the machine has found to have failed; and who that was,
//! for those who are told.
//!
//! memory_failure() calls a device's holder, and the tracepoint that the guard hears, in the task that has called it. So
//! that task leaves its number here, and who is told compares.
//! C source: mm/memory-failure.c.
//!
//! # Locking
//!
//! [`memory_failed`] waits for all who are told of a failure, so its caller has no lock that one of them takes.
//! A mutex around that, outside of all others: one page at a time is handed over, so that it is known which task
//! does. `mf_mutex` would let no second one in either.

use super::device_page::DevicePage;
use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        global_lock, //
    },
};

/// Who has found a page to have failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finder {
    /// A scrub.
    Scrub,
    /// The device, which has told of it.
    Device,
}

global_lock! {
    // SAFETY: `dax::init` initialises it before it gives a `Ready`, without which there is no guard, which is
    // who hands pages over.
    unsafe(uninit) static HANDING_OVER: Mutex<()> = ();
}

/// The tasks that have `HANDING_OVER`, one for each finder; 0 if none has.
static TASKS: [Atomic<c_int>; 2] = [Atomic::new(0), Atomic::new(0)];

/// Whose task it is.
fn task_of(finder: Finder) -> &'static Atomic<c_int> {
    let [scrub, device] = &TASKS;
    match finder {
        Finder::Scrub => scrub,
        Finder::Device => device,
    }
}

/// # Safety
///
/// "once": called once, before anybody hands a page over.
pub(in crate::dax) unsafe fn init() {
    // SAFETY: Nobody uses the lock yet: clause "once".
    unsafe { HANDING_OVER.init() };
}

/// Who has found what the current task is told of, if it was handed over here. Takes no lock.
pub(crate) fn finder() -> Option<Finder> {
    // It is its own store that the task would see.
    let task = current!().pid();
    [Finder::Scrub, Finder::Device]
        .into_iter()
        .find(|finder| task_of(*finder).load(Relaxed) == task)
}

/// Has the kernel deal with the failure of a device's page frame, as if the machine had told of it; sleeps until
/// that is done.
///
/// # Errors
///
/// `ENXIO` if it is no device's any more; those of memory_failure(): not all who have it were told.
pub(crate) fn memory_failed(pfn: u64, finder: Finder) -> Result {
    // As long as it is held it stays this device's, and does not become memory of somebody else.
    let page = DevicePage::get(pfn).ok_or(ENXIO)?;
    let _handing_over = HANDING_OVER.lock();
    let task = task_of(finder);
    task.store(current!().pid(), Relaxed);
    // SAFETY: It may be called for any page frame, by who may sleep.
    let result = to_result(unsafe { bindings::memory_failure(page.pfn(), 0) });
    task.store(0, Relaxed);
    result
}
