// SPDX-License-Identifier: GPL-2.0

//! A value that one changes and many read.
//!
//! Who changes it has the [`Writer`], of which there is one. So he may read it at any time, with no lock: nobody
//! else changes it. He locks readers out, by [`Writer::change`], for as long as a change takes, and not
//! while he gets ready for it. Who reads has the [`Reader`].
//! C header: [`include/linux/rwsem.h`](srctree/include/linux/rwsem.h)
//!
//! # Locking
//!
//! A read-write semaphore of the kernel's, shared by readers, exclusive for a change. Who has one of its guards must
//! not ask for another one, not even to read: somebody may wait in between to change it.

use crate::bindings;
use core::{
    cell::UnsafeCell,
    ops::{
        Deref,
        DerefMut, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        static_lock_class,
        Arc, //
    },
    types::{
        NotThreadSafe,
        Opaque, //
    },
};

/// The value, and its lock.
///
/// # Invariants
///
/// - "initialised": `lock` is a semaphore from [`new`](Self::new) on, and stays where it is.
/// - "one writer": one [`Writer`] refers to this, and only that gives a mutable reference to `value`, with `lock` held
///   exclusively.
#[pin_data]
struct Published<T> {
    #[pin]
    lock: Opaque<bindings::rw_semaphore>,
    value: UnsafeCell<T>,
}

// SAFETY: Who has it may move the value, or drop it, in another thread.
unsafe impl<T: Send> Send for Published<T> {}

// SAFETY: Readers have shared references in many threads. A mutable one goes from thread to thread, and is
// alone: invariant "one writer", and that a `Writer` is borrowed as long as the reference lives.
unsafe impl<T: Send + Sync> Sync for Published<T> {}

impl<T> Published<T> {
    fn new(value: T) -> impl PinInit<Self> {
        let (name, class) = (c"daxrmap::Published".as_char_ptr(), static_lock_class!());
        // INVARIANT: "initialised": the call does it. "one writer": there is none yet.
        pin_init!(Self {
            // SAFETY: All of the place is initialised, and does not move; name and class are static.
            lock <- Opaque::ffi_init(|slot| unsafe {
                bindings::__init_rwsem(slot, name, class.as_ptr())
            }),
            value: UnsafeCell::new(value),
        })
    }
}

/// Makes a value one that can be read by others while it is not changed.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn publish<T>(value: T) -> Result<(Writer<T>, Reader<T>)> {
    let all = Arc::pin_init(Published::new(value), GFP_KERNEL)?;
    // INVARIANT: "one writer": there was none.
    Ok((Writer(all.clone()), Reader(all)))
}

/// The one who changes a value.
pub(crate) struct Writer<T>(Arc<Published<T>>);

impl<T> Writer<T> {
    /// The value, with no lock.
    pub(crate) fn get(&self) -> &T {
        // SAFETY: Mutable references are of this writer only (invariant "one writer") and borrow it
        // mutably, so there is none while it is borrowed here.
        unsafe { &*self.0.value.get() }
    }

    /// The value, to be changed, with all readers locked out. Sleeps.
    pub(crate) fn change(&mut self) -> ChangeGuard<'_, T> {
        // SAFETY: It is a semaphore: invariant "initialised"; this may sleep.
        unsafe { bindings::down_write(self.0.lock.get()) };
        // INVARIANT: "exclusive": just taken; the guard borrows the writer.
        ChangeGuard {
            all: &self.0,
            _task: NotThreadSafe,
        }
    }
}

/// The value, to be changed.
///
/// # Invariants
///
/// - "exclusive": the lock is held exclusively, and the writer is borrowed mutably.
pub(crate) struct ChangeGuard<'a, T> {
    all: &'a Published<T>,
    _task: NotThreadSafe,
}

impl<T> Deref for ChangeGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: Nobody else has a mutable reference: invariant "exclusive".
        unsafe { &*self.all.value.get() }
    }
}

impl<T> DerefMut for ChangeGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: Nobody else has a reference: no reader, and not the writer: invariant "exclusive".
        unsafe { &mut *self.all.value.get() }
    }
}

impl<T> Drop for ChangeGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: It is held exclusively, by this task: invariant "exclusive"; this guard has not left it.
        unsafe { bindings::up_write(self.all.lock.get()) };
    }
}

/// Who reads a value.
pub(crate) struct Reader<T>(Arc<Published<T>>);

impl<T> Reader<T> {
    /// The value as it is between two changes. Sleeps.
    pub(crate) fn read(&self) -> ReadGuard<'_, T> {
        // SAFETY: It is a semaphore: invariant "initialised"; this may sleep.
        unsafe { bindings::down_read(self.0.lock.get()) };
        // INVARIANT: "shared": just taken.
        ReadGuard {
            all: &self.0,
            _task: NotThreadSafe,
        }
    }
}

/// The value, to be read.
///
/// # Invariants
///
/// - "shared": the lock is held, shared.
pub(crate) struct ReadGuard<'a, T> {
    all: &'a Published<T>,
    _task: NotThreadSafe,
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: Nobody has a mutable reference while the lock is held: invariants "shared", "one writer".
        unsafe { &*self.all.value.get() }
    }
}

impl<T> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: It is held, by this task: invariant "shared"; this guard has not left it.
        unsafe { bindings::up_read(self.all.lock.get()) };
    }
}
