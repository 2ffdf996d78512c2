// SPDX-License-Identifier: GPL-2.0

//! The engine: it does with a failure what is to be done, the steps in [`failure`](super). It
//! publishes that blocks are bad, has their owners told ([`owners`](super::owners)), and reports.
//!
//! It knows who has the blocks by [`Ground`] only. Documentation/locking.rst says why no owner is missed, nobody
//! else is told, and nothing deadlocks.
//!
//! # Locking
//!
//! Those of [`failure`](super). Its caller holds no lock of a file, nor the state lock.

use super::{
    ground::{
        Failure,
        Ground, //
    },
    report::{
        Counters,
        Last, //
    },
    telling::Telling,
    translate::{
        self,
        MountPart, //
    },
};
use crate::{
    dax::{
        self,
        Finder, //
    },
    events::{
        Cause,
        Event,
        Flag,
        Kind,
        Source, //
    },
    support::{
        RateLimit,
        Text, //
    },
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
            Relaxed, //
        },
        new_mutex,
        Arc,
        Mutex,
        SetOnce, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// Bytes of the log's line about a failure: more than all that can be in it.
const LINE: usize = 640;

/// What hears of the failures of one ground's device, and deals with them.
#[pin_data]
pub(crate) struct Engine<G: Ground> {
    pub(super) name: CString,
    pub(super) dev: Dev,
    /// Limits the log's lines about failures.
    #[pin]
    lines: RateLimit,
    part: MountPart,
    /// Who listens is told by it.
    pub(crate) events: Source,
    pub(super) ground: G,
    /// The page frame of block 0; the others follow. Known once the device is taken.
    first_pfn: SetOnce<u64>,
    /// What happened so far.
    pub(crate) counters: Arc<Counters>,
    /// Milliseconds to wait between finding an owner and locking it, and between the test of a block
    /// and its return to use: a test's way into the race.
    pub(crate) notify_delay_ms: Atomic<u64>,
    /// The last failure.
    #[pin]
    pub(crate) last: Mutex<Last>,
}

/// Why the current task is told of a failure, as the holder of a device.
pub(crate) fn cause() -> Cause {
    match dax::finder() {
        Some(Finder::Scrub) => Cause::Scrub,
        Some(Finder::Device) => Cause::Device,
        None => Cause::MemoryFailure,
    }
}

impl<G: Ground> Engine<G> {
    /// An engine for `ground`, which is bytes `start..start + len` of the device that the log calls
    /// `name`. What it finds is counted in `counters`, and `events` are told of it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        name: CString,
        dev: Dev,
        start: u64,
        len: u64,
        ground: G,
        counters: Arc<Counters>,
        events: Source,
    ) -> Result<Arc<Self>> {
        let engine = try_pin_init!(Self {
            lines <- RateLimit::new(&name, "failures"),
            name,
            dev,
            part: MountPart { start, len },
            events,
            ground,
            first_pfn: SetOnce::new(),
            counters,
            notify_delay_ms: Atomic::new(0),
            last <- new_mutex!(Last::new(), "daxrmap::Last"),
        });
        Arc::pin_init(engine, GFP_KERNEL)
    }

    /// Tells the engine that the device is taken, and that block 0 is this page frame.
    pub(crate) fn set_first_pfn(&self, pfn: u64) {
        self.first_pfn.populate(pfn);
    }

    /// The page frame of a block.
    pub(crate) fn pfn(&self, block: u64) -> Option<u64> {
        self.first_pfn.copy()?.checked_add(block)
    }

    /// The block of a page frame.
    pub(crate) fn block(&self, pfn: u64) -> Option<u64> {
        pfn.checked_sub(self.first_pfn.copy()?)
    }

    /// What the log calls the device.
    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }

    /// Runs `f` while no failure of this ground is dealt with: each comes before `f` or after it as a
    /// whole. May sleep; no lock of a file may be held, nor may `f` take one.
    pub(crate) fn between_failures<T>(&self, f: impl FnOnce() -> T) -> T {
        self.ground.visit(|_| f())
    }

    /// Steps 2 to 5 for the blocks that `find` returns, if any, whose memory has failed, as `cause` says. May
    /// sleep; no lock of a file may be held.
    ///
    /// # Errors
    ///
    /// The first one: of making them known, or that an owner gave; all owners were tried.
    pub(crate) fn failed(
        &self,
        find: impl FnOnce() -> Option<(Range<u64>, G::Notes)>,
        flags: c_int,
        cause: Cause,
    ) -> Result {
        let counters = &self.counters;
        // Failures of this ground come one after the other, so that `last` is about one of them.
        self.ground.visit(|visit| {
            let Some((range, notes)) = find() else {
                return Ok(());
            };
            counters.notifies.add(1);
            self.last
                .lock()
                .begin(range.clone(), flags, self.events.is_heard());
            self.announce(Kind::Failure, &range, |event| event.because(cause));
            let published = self.ground.publish(&range);
            trace::publish(self.dev, &range, flags, published);
            for pfn in range.clone().filter_map(|block| self.pfn(block)) {
                dax::mark_poisoned(pfn);
            }
            counters.failed_blocks.add(published.unwrap_or(0));
            let mut failure = Failure {
                range: range.clone(),
                flags,
                notes,
                telling: Telling::new(),
                result: published.map(|_| ()),
            };
            self.ground.resolve(self, visit, &mut failure);
            self.ground.finish(visit);
            self.log(&range, flags, failure.result);
            self.announce(Kind::Done, &range, |event| {
                let last = self.last.lock();
                let error = if failure.result.is_err() {
                    Flag::ERROR
                } else {
                    0
                };
                let event = event.because(cause).with(error).told(last.processes());
                event.counting(last.totals().owners)
            });
            failure.result
        })
    }

    /// Tells who listens of these blocks, and what `add` adds.
    pub(crate) fn announce(
        &self,
        kind: Kind,
        blocks: &Range<u64>,
        add: impl FnOnce(Event) -> Event,
    ) {
        self.events.tell(|| {
            let len = blocks.end.saturating_sub(blocks.start);
            let bytes = |blocks: u64| blocks.saturating_mul(dax::BLOCK_SIZE);
            add(Event::new(kind).at(bytes(blocks.start), bytes(len)))
        });
    }

    /// See `notify_delay_ms`.
    pub(crate) fn test_delay(&self) {
        let ms = self.notify_delay_ms.load(Relaxed);
        if ms != 0 {
            // A minute is more than any test waits.
            fsleep(Delta::from_millis(
                i64::try_from(ms.min(60_000)).unwrap_or(0),
            ));
        }
    }

    /// The tracepoint, and the line in the log.
    fn log(&self, range: &Range<u64>, flags: c_int, result: Result) {
        let last = self.last.lock();
        let totals = last.totals();
        trace::notify(self.dev, range, flags, totals, result);
        if !self.lines.allows() {
            return;
        }
        let pfn = self.pfn(range.start).unwrap_or(0);
        let count = range.end - range.start;
        let errno = result.err().map_or(0, |e| e.to_errno());
        let line = Text::<LINE>::of(fmt!(
            "block {} (pfn {:#x}) count {} failed: {} owners, {} mapped and told, {} not in core, errno {}{}",
            range.start,
            pfn,
            count,
            totals.owners,
            totals.told,
            totals.absent,
            errno,
            last.first_owners()
        ));
        pr_err!("{}: {}\n", &*self.name, line);
    }
}

impl<G: Ground> Engine<G> {
    /// Step 1: the blocks that these bytes of the device are.
    ///
    /// # Errors
    ///
    /// Those of [`translate::blocks`].
    pub(crate) fn blocks(&self, offset: u64, len: u64) -> Result<Range<u64>> {
        translate::blocks(self.part, offset, len, dax::BLOCK_SHIFT)
    }
}
