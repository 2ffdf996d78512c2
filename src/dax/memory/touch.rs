// SPDX-License-Identifier: GPL-2.0

//! The touch lock: a failure waits for whoever is touching memory that has just failed.
//!
//! C source: arch/x86/kernel/cpu/mce/core.c (`kill_me_maybe`, `uc_decode_notifier`),
//! arch/x86/mm/pat/set_memory.c (`set_mce_nospec`).
//!
//! When memory_failure() has returned without an error, and not before, the kernel takes the page out
//! of its own map, and from then on an access is an oops: a store, and the instruction that writes a
//! cache line back as well. memory_failure() calls us, so a failure can wait, at its end, for all who
//! found the page good before.
//!
//! Who moves the bytes of a file holds that file's `invalidate_lock`, which the failure takes in any
//! case. But a block in flight has no file yet, and fsync(2) holds no lock: these hold [`Touching`].
//!
//! # Locking
//!
//! The lock is a `rw_semaphore`. Whoever touches holds it shared, for a block or a few hundred. A
//! failure, which has published its blocks before, takes it exclusively for an instant. It is inside of
//! `invalidate_lock` and the gate, outside of the DAX entry and the state lock. Whoever touches takes
//! it, finds the block good, touches it, drops it. It is not recursive: a second hold could wait for a
//! failure that waits for the first.

use crate::bindings;
use core::pin::Pin;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        static_lock_class, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};

/// The lock, and a test's way into the race that it prevents.
///
/// # Invariants
///
/// - "initialised": `sem` is.
pub(crate) struct TouchLock {
    sem: Pin<KBox<Opaque<bindings::rw_semaphore>>>,
    /// Milliseconds that [`Touching::test_delay`] takes.
    delay_ms: Atomic<u64>,
}

impl TouchLock {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(in crate::dax) fn new() -> Result<Self> {
        let (name, class) = (c"daxrmap::TouchLock".as_char_ptr(), static_lock_class!());
        let sem = KBox::pin_init(
            // INVARIANT: "initialised": the call does it.
            // SAFETY: All of the place is initialised, and does not move; name and class are static.
            Opaque::ffi_init(|sem| unsafe { bindings::__init_rwsem(sem, name, class.as_ptr()) }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            sem,
            delay_ms: Atomic::new(0),
        })
    }
}

/// The touch lock, held shared. Blocks that are found good while one has this may be touched until it is
/// dropped, whether they fail or not.
///
/// # Invariants
///
/// - "held": this value holds the semaphore, shared.
#[must_use]
pub(crate) struct Touching<'a>(&'a TouchLock);

impl TouchLock {
    /// Takes the lock shared. Sleeps for an instant if a failure is about to end.
    pub(crate) fn touch(&self) -> Touching<'_> {
        // SAFETY: It is one: invariant "initialised".
        unsafe { bindings::down_read(self.sem.get()) };
        // INVARIANT: "held": just taken.
        Touching(self)
    }

    /// Waits for all who touch blocks that they found good before this. They may be bad since.
    pub(crate) fn wait(&self) {
        // SAFETY: It is one: invariant "initialised"; released below.
        unsafe { bindings::down_write(self.sem.get()) };
        // SAFETY: It was taken above, by this task.
        unsafe { bindings::up_write(self.sem.get()) };
    }

    /// Milliseconds between finding a block good and touching it: a test's way into the race.
    pub(crate) fn delay_ms(&self) -> &Atomic<u64> {
        &self.delay_ms
    }
}

impl Touching<'_> {
    /// See [`TouchLock::delay_ms`].
    pub(crate) fn test_delay(&self) {
        let ms = self.0.delay_ms.load(Relaxed);
        if ms != 0 {
            // A minute is more than any test waits.
            fsleep(Delta::from_millis(
                i64::try_from(ms.min(60_000)).unwrap_or(0),
            ));
        }
    }
}

impl Drop for Touching<'_> {
    fn drop(&mut self) {
        // SAFETY: It is ours to release: invariant "held".
        unsafe { bindings::up_read(self.0.sem.get()) };
    }
}
