// SPDX-License-Identifier: GPL-2.0

//! A work queue of one's own, for which one can wait.
//!
//! The kernel crate has only the system's queues, whose work one cannot wait for. C header:
//! [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)
//!
//! # Locking
//!
//! None is held for starting work. [`OwnedQueue::flush`] and the drop wait: no lock that the work takes
//! may be held then.

use crate::bindings;
use core::{
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    prelude::*,
    workqueue::Queue, //
};

/// A work queue. Dropping it waits for the work that it has: what that work holds must not own the
/// queue.
///
/// # Invariants
///
/// - "ours": the queue is allocated, and this value alone destroys it.
pub(crate) struct OwnedQueue(NonNull<bindings::workqueue_struct>);

// SAFETY: The C API may be called from any thread.
unsafe impl Send for OwnedQueue {}
// SAFETY: The C API may be called from any thread.
unsafe impl Sync for OwnedQueue {}

impl OwnedQueue {
    /// Creates a queue whose worker is `daxrmap-NAME`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        // SAFETY: The name is copied.
        let queue = unsafe { bindings::daxrmap_alloc_workqueue(name.as_char_ptr()) };
        // INVARIANT: "ours": it is new.
        Ok(Self(NonNull::new(queue).ok_or(ENOMEM)?))
    }

    /// Waits for the work that is there now. No lock that it takes may be held.
    pub(crate) fn flush(&self) {
        // SAFETY: The queue is there: invariant "ours".
        unsafe { bindings::__flush_workqueue(self.0.as_ptr()) };
    }
}

impl OwnedQueue {
    /// Waits until there is no work any more, that of work included. No lock that it takes may be held, and
    /// nobody but work may start any.
    pub(crate) fn drain(&self) {
        // SAFETY: The queue is there: invariant "ours".
        unsafe { bindings::drain_workqueue(self.0.as_ptr()) };
    }
}

impl Deref for OwnedQueue {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        // SAFETY: The queue is there as long as `self` is: invariant "ours".
        unsafe { Queue::from_raw(self.0.as_ptr()) }
    }
}

impl Drop for OwnedQueue {
    fn drop(&mut self) {
        // SAFETY: It is ours to destroy: invariant "ours"; nobody else can reach it any more.
        unsafe { bindings::destroy_workqueue(self.0.as_ptr()) };
    }
}
