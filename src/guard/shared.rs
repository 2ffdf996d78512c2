// SPDX-License-Identifier: GPL-2.0

//! What all devices share: workers, who was signalled, and what was heard.
//!
//! # Locking
//!
//! A mutex, for who remembers signals; making and dropping the probe sleeps, and is done under it. The rest
//! are atomics.

use crate::{
    events::Hub,
    support::{
        OwnedQueue,
        Signals, //
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
};

/// No page frame.
const NONE: u64 = u64::MAX;

/// Who was signalled, and for how many that is remembered.
struct Remembered {
    signals: Option<Arc<Signals>>,
    users: u64,
}

/// What CXL memory devices have said.
pub(super) struct CxlHeard {
    /// Records, whatever they mean.
    pub(super) records: Atomic<u64>,
    /// Those of them that tell of lost data.
    pub(super) losses: Atomic<u64>,
    /// Those of them that say that the device's poison list is not complete.
    pub(super) overflows: Atomic<u64>,
}

/// What all devices share.
#[pin_data]
pub(super) struct Shared {
    #[pin]
    remembered: Mutex<Remembered>,
    /// Failures that were heard of.
    pub(super) heard: Atomic<u64>,
    /// Those of them that were not noted.
    pub(super) dropped: Atomic<u64>,
    pub(super) cxl: CxlHeard,
    /// See [`told_by_holder`](Self::told_by_holder).
    told: Atomic<u64>,
    /// Who listens.
    pub(super) events: Arc<Hub>,
    /// For all workers. Whoever drops the last reference to this waits for them, and is none of them.
    pub(super) queue: OwnedQueue,
}

impl Shared {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(events: Arc<Hub>) -> Result<Arc<Self>> {
        let queue = OwnedQueue::new(c"guard")?;
        Arc::pin_init(
            pin_init!(Self {
                remembered <- new_mutex!(Remembered { signals: None, users: 0 }, "daxrmap::Shared"),
                heard: Atomic::new(0),
                dropped: Atomic::new(0),
                cxl: CxlHeard {
                    records: Atomic::new(0),
                    losses: Atomic::new(0),
                    overflows: Atomic::new(0),
                },
                told: Atomic::new(NONE),
                events,
                queue,
            }),
            GFP_KERNEL,
        )
    }

    /// Remembers who is signalled, as long as the result lives. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel has no such tracepoint; `ENOMEM`.
    pub(super) fn remember(self: Arc<Self>) -> Result<Remembering> {
        let mut remembered = self.remembered.lock();
        let signals = match &remembered.signals {
            Some(signals) => signals.clone(),
            None => Arc::new(Signals::new()?, GFP_KERNEL)?,
        };
        remembered.signals = Some(signals.clone());
        remembered.users = remembered.users.saturating_add(1);
        drop(remembered);
        Ok(Remembering {
            shared: self,
            signals,
        })
    }

    /// Who was signalled, if that is remembered now.
    pub(super) fn signals(&self) -> Option<Arc<Signals>> {
        self.remembered.lock().signals.clone()
    }

    /// The holder of its device has been told of the failure of this page frame: the kernel's
    /// tracepoint comes next, under the same `mf_mutex`.
    pub(super) fn told_by_holder(&self, pfn: u64) {
        self.told.store(pfn, Relaxed);
    }

    /// Whether a holder has just been told of the failure of this page frame, under the `mf_mutex` that the
    /// caller has. Once for each. Does not sleep.
    pub(super) fn was_told_by_holder(&self, pfn: u64) -> bool {
        self.told.cmpxchg(pfn, NONE, Relaxed).is_ok()
    }

    /// Nobody has been told just now.
    pub(super) fn forget_told(&self) {
        self.told.store(NONE, Relaxed);
    }
}

/// As long as this lives it is remembered who is signalled.
pub(super) struct Remembering {
    shared: Arc<Shared>,
    /// Who was.
    pub(super) signals: Arc<Signals>,
}

impl Drop for Remembering {
    fn drop(&mut self) {
        let mut remembered = self.shared.remembered.lock();
        remembered.users = remembered.users.saturating_sub(1);
        if remembered.users == 0 {
            remembered.signals = None;
        }
    }
}
