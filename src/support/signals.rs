// SPDX-License-Identifier: GPL-2.0

//! Who has been signalled that memory failed: the last SIGBUS of that kind, remembered.
//!
//! The kernel tells some of the processes that a failed page concerns, and it does not say which. A probe
//! of `signal:signal_generate` does. It is called for every signal of the machine, and looks at the number
//! of it; only SIGBUS with `BUS_MCEERR_AO` or `BUS_MCEERR_AR` is remembered.
//!
//! # Locking
//!
//! None: the probe runs with a lock of the signalled process held, perhaps in an interrupt. What it
//! remembers is in atomics.

use super::tracepoint::Probe;
use crate::bindings;
use core::mem::size_of;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    },
};

/// Signals that are remembered: a page of them.
const REMEMBERED: usize = kernel::page::PAGE_SIZE / size_of::<u64>();

/// Of a huge page, as a power of 2.
const HUGE_SHIFT: u32 = 21;

/// Says of a [`number`] that the signal was of a whole huge page. The kernel's own has the address of its
/// first page then, on ext4 and on device mapper, whichever page has failed.
const HUGE: u64 = 1 << 41;

/// One signal as a number: which process, and which page of its memory. Exact as long as addresses have
/// no more than 53 bits.
fn number(process: i32, address: usize) -> u64 {
    (address as u64 >> kernel::page::PAGE_SHIFT) ^ u64::from(process.unsigned_abs()) << 42
}

/// What the probe writes.
struct Ring {
    signals: KVec<Atomic<u64>>,
    /// For each of them, who sent it and who got it: see [`Sent`].
    sent: KVec<Atomic<u64>>,
    /// How many there were, ever.
    count: Atomic<u64>,
}

impl Ring {
    fn slot(&self, which: u64) -> Option<&Atomic<u64>> {
        self.signals.get((which % REMEMBERED as u64) as usize)
    }

    fn sent(&self, which: u64) -> Option<Sent> {
        let slot = self.sent.get((which % REMEMBERED as u64) as usize)?;
        Some(Sent(slot.load(Acquire)))
    }
}

/// The how manieth signal it was, in 20 bits; who sent it and who got it, in 22 bits each, which is what a
/// process number has.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sent(u64);

impl Sent {
    const BITS: u32 = 22;

    fn new(which: u64, by: i32, to: i32) -> Self {
        let number = |it: i32| u64::from(it.unsigned_abs()) & ((1 << Self::BITS) - 1);
        Self(which << (2 * Self::BITS) | number(by) << Self::BITS | number(to))
    }

    /// Who got it, if it is the one of that number, from `by`.
    fn to(self, which: u64, by: i32) -> Option<u64> {
        let to = self.0 & ((1 << Self::BITS) - 1);
        (self.0 ^ to == Self::new(which, by, 0).0).then_some(to)
    }
}

/// The memory of signals, while there is one.
pub(crate) struct Signals {
    // Dropped first: then nobody writes any more.
    _probe: Probe,
    ring: Arc<Ring>,
}

impl Signals {
    /// Remembers from now on. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel has no such tracepoint; `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut signals = KVec::with_capacity(REMEMBERED, GFP_KERNEL)?;
        let mut sent = KVec::with_capacity(REMEMBERED, GFP_KERNEL)?;
        for _ in 0..REMEMBERED {
            signals.push(Atomic::new(0), GFP_KERNEL)?;
            sent.push(Atomic::new(0), GFP_KERNEL)?;
        }
        let ring = Arc::new(
            Ring {
                signals,
                sent,
                count: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let data = Arc::as_ptr(&ring).cast_mut().cast();
        // SAFETY: The function takes what the tracepoint has (include/trace/events/signal.h), and needs
        // `data` to be the ring, which is dropped after the probe.
        let probe = unsafe {
            Probe::new(
                c"signal_generate",
                Self::signal_generate as *mut c_void,
                data,
            )
        }?;
        Ok(Self {
            _probe: probe,
            ring,
        })
    }

    /// # Safety
    ///
    /// Called by the tracepoint. `data`: the ring. `info`, `task`: those of a signal that is being sent.
    unsafe extern "C" fn signal_generate(
        data: *mut c_void,
        signal: c_int,
        info: *const bindings::kernel_siginfo,
        task: *const bindings::task_struct,
        _group: c_int,
        _result: c_int,
    ) {
        let mut shift = 0;
        // SAFETY: It is one of a signal that is being sent: clause `info`.
        let address = unsafe { bindings::daxrmap_failed_address(signal, info, &mut shift) };
        if address == 0 {
            return;
        }
        // SAFETY: The task is being signalled, so it is there: clause `task`.
        let process = unsafe { bindings::daxrmap_task_process(task) };
        // SAFETY: It is the ring, which lives longer than the probe: clause `data`.
        let ring = unsafe { &*data.cast::<Ring>() };
        let which = ring.count.fetch_add(1, Relaxed);
        if let Some(slot) = ring.sent.get((which % REMEMBERED as u64) as usize) {
            let by = kernel::current!().pid();
            slot.store(Sent::new(which, by, process).0, Release);
        }
        if let Some(slot) = ring.slot(which) {
            let huge = if shift.unsigned_abs() < HUGE_SHIFT {
                0
            } else {
                HUGE
            };
            slot.store(number(process, address) ^ huge, Release);
        }
    }

    /// This moment, for [`told`](Self::told).
    pub(crate) fn now(&self) -> u64 {
        self.ring.count.load(Acquire)
    }

    /// Whether a process was told of the page at `address`, since that moment. False also if so many
    /// signals were sent since that nobody knows.
    pub(crate) fn told(&self, since: u64, process: i32, address: usize) -> bool {
        let page = number(process, address);
        let whole = number(process, address >> HUGE_SHIFT << HUGE_SHIFT) ^ HUGE;
        let wanted = [page, page ^ HUGE, whole];
        let now = self.now();
        let oldest = now.saturating_sub(REMEMBERED as u64);
        (since.max(oldest)..now).any(|which| {
            self.ring
                .slot(which)
                .is_some_and(|slot| wanted.contains(&slot.load(Acquire)))
        })
    }

    /// How many processes the current task has signalled since that moment; `None` if so many signals
    /// were sent since that nobody knows. A process that is signalled for each of its mappings is so without
    /// another one in between (`kill_procs`, mm/memory-failure.c), and counts once.
    pub(crate) fn told_by_current(&self, since: u64) -> Option<u32> {
        let (now, by) = (self.now(), kernel::current!().pid());
        if now.wrapping_sub(since) > REMEMBERED as u64 {
            return None;
        }
        let told = |which| self.ring.sent(which).and_then(|sent| sent.to(which, by));
        let mut last = None;
        let mut count = 0u32;
        for process in (since..now).filter_map(told) {
            if last.replace(process) != Some(process) {
                count = count.saturating_add(1);
            }
        }
        Some(count)
    }
}
