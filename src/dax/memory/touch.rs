// SPDX-License-Identifier: GPL-2.0

//! Whoever touches memory that may fail meanwhile: fills a block that no file has yet, or writes cache
//! lines back.
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
//! case. For a block in flight there is no file, and fsync(2) holds no lock: that is what
//! [`Touching`] is for.
//!
//! # Locking
//!
//! A `rw_semaphore`: shared by whoever touches, for a block or a few hundred, exclusively for an instant
//! by a failure, which has published its blocks before. Inside of `invalidate_lock` and the gate, outside
//! of the DAX entry and the state lock. The order for who touches: take it, find the block good, touch
//! it, drop it. Not recursive: a second hold could wait for a failure that waits for the first.

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

/// The lock, and a test's way into what it is for.
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

/// Blocks that are found good while one has this may be touched until it is dropped, whether they fail
/// or not.
#[must_use]
pub(crate) struct Touching<'a>(&'a TouchLock);

impl TouchLock {
    /// Waits for a failure that is about to end, for an instant.
    pub(crate) fn touch(&self) -> Touching<'_> {
        // SAFETY: The semaphore is initialised; the drop of what is returned releases it.
        unsafe { bindings::down_read(self.sem.get()) };
        Touching(self)
    }

    /// Waits for all who touch blocks that they found good before this. They may be bad since.
    pub(crate) fn wait(&self) {
        // SAFETY: The semaphore is initialised; released below.
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
        // SAFETY: `TouchLock::touch` has taken it, for this value alone.
        unsafe { bindings::up_read(self.0.sem.get()) };
    }
}
