// SPDX-License-Identifier: GPL-2.0

//! *Watch*: the failures of all devices, heard of by the kernel's tracepoint.
//!
//! What the probe hears is noted, and a worker deals with it, one after the other. There is room for 1024
//! failures that were not dealt with yet; if more come at once, the log says so, and they are counted.
//!
//! # Locking
//!
//! A spin lock, for what is noted: the probe takes it, under `mf_mutex`. Who watches, and who remembers
//! signals, are under mutexes, for switching only.

use super::{
    cxl::Cxl,
    devices::Devices,
    shared::{
        Remembering,
        Shared, //
    },
};
use crate::{
    dax::{
        PageFailureSink,
        PageFailures, //
    },
    events::Cause,
    failure::cause, //
};
use kernel::{
    impl_has_work, new_mutex, new_spinlock, new_work,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        ArcBorrow,
        Mutex,
        SpinLock, //
    },
    workqueue::{
        Work,
        WorkItem, //
    },
};

/// Failures that can be noted at a time.
const NOTED: usize = 1024;

/// A page frame that has failed, the moment since when who was signalled was signalled for it, and
/// whether the kernel has signalled who maps it, and what found it.
#[derive(Clone, Copy)]
struct Failed {
    pfn: u64,
    since: u64,
    killed: bool,
    cause: Cause,
}

/// Hears of failures, and notes them for its worker.
#[pin_data]
struct Watcher {
    devices: Arc<Devices>,
    shared: Arc<Shared>,
    remembering: Remembering,
    /// The moment of the last failure that was heard of.
    last: Atomic<u64>,
    /// With room for [`NOTED`].
    #[pin]
    noted: SpinLock<KVec<Failed>>,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl HasWork<Self> for Watcher { self.work }
}

impl Watcher {
    fn new(devices: Arc<Devices>, shared: Arc<Shared>) -> Result<Arc<Self>> {
        let remembering = shared.clone().remember()?;
        let now = remembering.signals.now();
        let noted = KVec::with_capacity(NOTED, GFP_KERNEL)?;
        Arc::pin_init(
            pin_init!(Self {
                devices,
                shared,
                remembering,
                last: Atomic::new(now),
                noted <- new_spinlock!(noted, "daxrmap::Watcher"),
                work <- new_work!("daxrmap::Watcher"),
            }),
            GFP_KERNEL,
        )
    }

    fn take(&self) -> Option<Failed> {
        let mut noted = self.noted.lock();
        if noted.is_empty() {
            return None;
        }
        noted.remove(0).ok()
    }
}

impl PageFailureSink for Watcher {
    fn page_failed(this: ArcBorrow<'_, Self>, pfn: u64, killed: bool) {
        let now = this.remembering.signals.now();
        let since = this.last.xchg(now, Relaxed);
        if this.shared.was_told_by_holder(pfn) {
            return;
        }
        this.shared.heard.fetch_add(1, Relaxed);
        let failed = Failed {
            pfn,
            since,
            killed,
            cause: cause(),
        };
        if this.noted.lock().push_within_capacity(failed).is_err() {
            this.shared.dropped.fetch_add(1, Relaxed);
            pr_crit!(
                "page frame {:#x} has failed, and nobody is told: too many at once\n",
                pfn
            );
        }
        // An error says that it is about to look anyway.
        let _ = this.shared.queue.enqueue(Arc::from(this));
    }
}

impl WorkItem for Watcher {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        while let Some(failed) = this.take() {
            if let Some(device) = this.devices.of(failed.pfn) {
                device.watched(failed.pfn, failed.since, failed.killed, failed.cause);
            }
        }
    }
}

/// What is heard while failures are watched. Dropped in order: what CXL devices have said is a failure
/// before the other is heard no more.
struct Watching {
    cxl: Option<Cxl>,
    _failures: PageFailures<Watcher>,
}

/// Whether failures are watched.
#[pin_data]
pub(super) struct Watch {
    #[pin]
    watching: Mutex<Option<Watching>>,
    devices: Arc<Devices>,
    shared: Arc<Shared>,
}

impl Watch {
    /// They are not yet.
    pub(super) fn new(devices: Arc<Devices>, shared: Arc<Shared>) -> impl PinInit<Self> {
        pin_init!(Self {
            watching <- new_mutex!(None, "daxrmap::Watch"),
            devices,
            shared,
        })
    }

    /// They are from now on. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel has no such tracepoint; `ENOMEM`.
    pub(super) fn start(&self) -> Result {
        let mut watching = self.watching.lock();
        if watching.is_none() {
            self.shared.forget_told();
            let watcher = Watcher::new(self.devices.clone(), self.shared.clone())?;
            let failures = PageFailures::new(watcher)?;
            // The rest is worth having without it.
            let cxl = Cxl::new(self.devices.clone(), self.shared.clone())
                .inspect_err(|e| {
                    pr_warn!(
                        "guard: what CXL devices say is not heard: errno {}\n",
                        e.to_errno()
                    );
                })
                .ok();
            *watching = Some(Watching {
                cxl,
                _failures: failures,
            });
            pr_info!("guard: watching\n");
        }
        Ok(())
    }

    /// They are no more. What was heard before is dealt with. Sleeps.
    pub(super) fn stop(&self) {
        let mut watching = self.watching.lock();
        if watching.take().is_some() {
            pr_info!("guard: watching no more\n");
        }
    }

    /// Whether what CXL devices say is heard, and the kernel has what says it. Sleeps.
    pub(super) fn hears_cxl(&self) -> bool {
        let watching = self.watching.lock();
        let cxl = watching.as_ref().and_then(|watching| watching.cxl.as_ref());
        cxl.is_some_and(Cxl::is_heard)
    }

    /// Whether they are.
    pub(super) fn is_on(&self) -> bool {
        self.watching.lock().is_some()
    }
}
