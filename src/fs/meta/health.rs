// SPDX-License-Identifier: GPL-2.0

//! Whether the device of a mount is there and to be trusted, what went wrong with it so far, and what
//! the log says of that.
//!
//! A device that is gone, or that could not make durable what it said it would, is shut down: every
//! access is `EIO` from then on, and nothing ends that but unmounting. Nobody who finds something wrong
//! here says so to the owners of blocks: that is the failure engine's business.
//!
//! # Locking
//!
//! Atomics only: all of it may be called in any context that may log, and most of it is called under the
//! commit lock.

use crate::{
    dax::Pmem,
    events::{
        Cause,
        Event,
        Flag,
        Kind,
        Source, //
    },
    failure::Counters,
    fs::discoveries::tell_discovered,
    support::RateLimit,
    trace,
    vfs::Dev, //
};
use core::ops::Range;
use kernel::{
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            AtomicFlag,
            Relaxed, //
        },
        Arc, //
    },
};

/// What there may be no more room for.
#[derive(Clone, Copy)]
pub(super) enum Room {
    Data,
    Log,
}

/// How the device of a mount is.
#[pin_data]
pub(crate) struct Health {
    /// The device.
    pmem: Arc<Pmem>,
    /// Its name, for the log.
    name: CString,
    dev: Dev,
    /// Who listens is told by it.
    events: Source,
    /// There was no more room, for data, and in the log, and there has not been any since.
    full: [AtomicFlag; 2],
    /// What happened so far.
    counters: Arc<Counters>,
    /// For the line about blocks that nobody has.
    #[pin]
    lines: RateLimit,
    /// No more access to the device.
    shut_down: AtomicFlag,
    /// How often blocks went bad.
    failures: Atomic<u64>,
}

impl Health {
    /// Nothing went wrong yet.
    pub(super) fn new(
        pmem: Arc<Pmem>,
        name: CString,
        dev: Dev,
        counters: Arc<Counters>,
        events: Source,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            pmem,
            lines <- RateLimit::new(&name, "free blocks"),
            name,
            dev,
            counters,
            events,
            full: [AtomicFlag::new(false), AtomicFlag::new(false)],
            shut_down: AtomicFlag::new(false),
            failures: Atomic::new(0),
        })
    }

    /// The device's name, for the log.
    pub(super) fn name(&self) -> &CStr {
        &self.name
    }

    /// Whether the device is gone or not to be trusted, so that every access is `EIO`.
    pub(super) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Relaxed)
    }

    /// `EIO` if it [`is_shut_down`](Self::is_shut_down).
    pub(super) fn check_alive(&self) -> Result {
        if self.is_shut_down() {
            return Err(EIO);
        }
        Ok(())
    }

    /// No more access to the device, from now on.
    pub(in crate::fs) fn shut_down(&self) {
        if !self.shut_down.xchg(true, Relaxed) {
            self.events.tell(|| Event::new(Kind::ShutDown));
        }
    }

    /// The device is about to go: no more access to it either.
    pub(in crate::fs) fn removed(&self) {
        if !self.shut_down.xchg(true, Relaxed) {
            let event = || Event::new(Kind::ShutDown).because(Cause::Removal);
            self.events.tell(event);
        }
    }

    /// Who listens is told by this.
    pub(super) fn events(&self) -> &Source {
        &self.events
    }

    /// There was no more room (`is_full`), or there is: for data, or in the log. The first is told of once,
    /// until the second.
    pub(super) fn filled(&self, what: Room, is_full: bool) {
        let [data, log] = &self.full;
        let (flag, flags) = match what {
            Room::Data => (data, 0),
            Room::Log => (log, Flag::LOG),
        };
        if flag.load(Relaxed) != is_full {
            flag.store(is_full, Relaxed);
            if is_full {
                self.events.tell(|| Event::new(Kind::Space).with(flags));
            }
        }
    }

    /// Waits for all who touch blocks that no lock of a file keeps.
    pub(in crate::fs) fn wait_for_touching(&self) {
        self.pmem.touch_lock.wait();
    }

    /// What was written before, by whatever way, is durable when this returns.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone, or cannot do that: then it is not to be trusted any more.
    pub(super) fn flush(&self) -> Result {
        self.check_alive()?;
        self.pmem
            .requests
            .send()
            .inspect_err(|_| self.flush_failed())
    }

    /// If a flush request of somebody else has failed, the device is shut down.
    pub(super) fn see_flushes(&self) {
        if self.pmem.requests.check().is_err() {
            self.flush_failed();
        }
    }

    /// A flush request has failed. What should be durable by now may be lost.
    fn flush_failed(&self) {
        if !self.shut_down.xchg(true, Relaxed) {
            pr_crit!(
                "{}: the device could not make durable what was written, shutting down: errno {}\n",
                &*self.name,
                EIO.to_errno()
            );
            self.events.tell(|| Event::new(Kind::ShutDown));
        }
    }

    /// How often blocks went bad, see [`Meta::failures`](super::Meta::failures).
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Blocks go bad. What files remember of them is not true any more, from here on.
    pub(super) fn count_failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// Blocks that nobody owns were found to be bad, and so many of them were not known as such.
    pub(super) fn count_retired(&self, newly_bad: u64) {
        self.counters.failed_blocks.add(newly_bad);
        self.counters.discovered.add(newly_bad);
    }

    /// Blocks that nobody owns were on the driver's list, and have entered the bad set, so many of them
    /// new there.
    pub(super) fn retired(&self, blocks: &Range<u64>, newly_bad: u64) {
        self.count_retired(newly_bad);
        tell_discovered(&self.events, blocks);
        trace::publish(self.dev, blocks, 0, Ok(newly_bad));
        if self.lines.allows() {
            pr_warn!(
                "{}: block {} count {} is on the driver's list of bad blocks: taken out of use, nobody has it\n",
                &*self.name,
                blocks.start,
                blocks.end - blocks.start
            );
        }
    }

    /// That these blocks are bad could not be written down.
    pub(super) fn not_recorded(&self, range: &Range<u64>, why: Error) {
        pr_err!(
            "{}: that {} blocks from {} on are bad could not be written down yet: errno {}\n",
            &*self.name,
            range.end.saturating_sub(range.start),
            range.start,
            why.to_errno()
        );
    }
}
