// SPDX-License-Identifier: GPL-2.0

//! The worker that frees dead inodes, piece by piece: what was unlinked, by its last user closed, and has very
//! many extents.
//!
//! It is not the only one who does that: who finds no room does not wait for it, he reaps himself
//! ([`Meta::with_room`]), and so does unmount. So what it could not do is left to the next occasion, or the next
//! mount.
//!
//! # Locking
//!
//! The commit lock, for one piece at a time. Nothing else is held, so all may wait for it. A freeze takes that
//! lock too, and the worker finds nothing to do until the thaw, which starts it again.

use super::meta::Meta;
use crate::support::{
    OwnedQueue,
    RateLimit, //
};
use kernel::{
    impl_has_delayed_work, new_delayed_work,
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            AtomicFlag,
            Relaxed, //
        },
        Arc, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    workqueue::{
        DelayedWork,
        Queue,
        WorkItem, //
    },
};

/// How long after it was started the worker begins, in ticks: who starts it goes on first.
const DELAY: usize = 1;

/// The worker of one mount, made in advance, so that starting it cannot fail.
#[pin_data]
struct Reaper {
    meta: Arc<Meta>,
    /// The device's name, for the log.
    name: CString,
    #[pin]
    lines: RateLimit,
    /// The mount ends, and its device may be somebody else's soon.
    stopped: AtomicFlag,
    #[pin]
    work: DelayedWork<Self>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Reaper { self.work }
}

impl WorkItem for Reaper {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        while !this.stopped.load(Relaxed) {
            match this.meta.reap() {
                Ok(true) => this.meta.let_others(),
                Ok(false) => return,
                Err(e) => {
                    // Of a device that is gone, and of a mount that is read-only, the log has it.
                    if e != EIO && e != EROFS && this.lines.allows() {
                        pr_warn!(
                            "{}: what was removed cannot be freed yet: errno {}\n",
                            &*this.name,
                            e.to_errno()
                        );
                    }
                    return;
                }
            }
        }
    }
}

/// What goes on in the background of a mount: the reaper, and whatever else uses the queue. Dropping it waits for
/// all of that.
pub(super) struct Workers {
    queue: OwnedQueue,
    reaper: Arc<Reaper>,
}

impl Workers {
    /// Those of the mount whose metadata these are. `name`: its device.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(name: &CStr, meta: Arc<Meta>) -> Result<Self> {
        let reaper = Arc::pin_init(
            try_pin_init!(Reaper {
                meta,
                lines <- RateLimit::new(name, "removed files"),
                name: CString::try_from(name)?,
                stopped: AtomicFlag::new(false),
                work <- new_delayed_work!("daxrmap::Reaper"),
            }? Error),
            GFP_KERNEL,
        )?;
        Ok(Self {
            queue: OwnedQueue::new(name)?,
            reaper,
        })
    }

    /// The queue.
    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Has the reaper run, once more if it is at it.
    pub(super) fn start_reaping(&self) {
        if !self.reaper.stopped.load(Relaxed) {
            // An error says that it is about to run anyway.
            let _ = self.queue.enqueue_delayed(self.reaper.clone(), DELAY);
        }
    }

    /// Waits until the reaper has stopped; nobody starts it any more.
    pub(super) fn stop_reaping(&self) {
        self.reaper.stopped.store(true, Relaxed);
        // The queue does not know of it before its time has come. When it can be started now it was not
        // waiting for that.
        while self.queue.enqueue(self.reaper.clone()).is_err() {
            fsleep(Delta::from_millis(1));
        }
        self.queue.flush();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop_reaping();
    }
}
