// SPDX-License-Identifier: GPL-2.0

//! The dax device under a mount: taking it, hearing of its failures.
//!
//! C source: drivers/dax/super.c.
//!
//! # Locking and lifetime
//!
//! [`FailureSink::notify_failure`] is called under dax SRCU. Only [`Device`]'s drop and the device's
//! removal wait for that. `fs_put_dax` does not wait for a notifier that has already read the holder's
//! operations, and `dax_srcu` is not exported; but `kill_dax` of any dax device waits for a grace
//! period. So a [`Device`] has a second dax device, without pages, which it kills when it is dropped.
//! See [`holder`](super::holder) for how a notifier finds the sink.

use super::{
    holder::{
        FailureSink,
        Registered, //
    },
    Pmem, //
};
use crate::bindings;
use core::{
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    sync::Arc, //
};

/// A dax device that somebody can hold.
///
/// # Safety
///
/// [`as_ptr`](Self::as_ptr) is a dax device that is referenced as long as the value lives. What
/// [`hold`](Self::hold) returns `Ok` for is done: it has that holder, and the caller has one more reference to it.
pub(crate) unsafe trait Holdable: Send + Sync + 'static {
    /// The device.
    fn as_ptr(&self) -> *mut bindings::dax_device;

    /// Gives it a holder, and the caller a reference.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it has one, or is gone; the kind of device says more.
    ///
    /// # Safety
    ///
    /// `holder`: it and the operations live until `fs_put_dax`, and as long as notifiers after it.
    unsafe fn hold(
        &self,
        holder: *mut c_void,
        operations: &'static bindings::dax_holder_operations,
    ) -> Result;

    /// Whether its driver has not begun to take it away.
    fn is_alive(&self) -> bool;
}

// SAFETY: The device is referenced: invariant "dax" of `Pmem`. fs_dax_get_by_bdev gives a holder and a
// reference, or returns null.
unsafe impl Holdable for Pmem {
    fn as_ptr(&self) -> *mut bindings::dax_device {
        Pmem::as_ptr(self)
    }

    /// # Safety
    ///
    /// As the trait says. `holder`: lives as long as that.
    unsafe fn hold(
        &self,
        holder: *mut c_void,
        operations: &'static bindings::dax_holder_operations,
    ) -> Result {
        let mut offset = 0;
        // SAFETY: The block device is open: invariant "open" of `Pmem`. Holder and operations live long
        // enough: clause `holder`.
        let dax =
            unsafe { bindings::fs_dax_get_by_bdev(self.bdev(), &mut offset, holder, operations) };
        if dax.is_null() {
            return Err(EBUSY);
        }
        Ok(())
    }

    fn is_alive(&self) -> bool {
        self.while_alive(|| ()).is_some()
    }
}

/// A dax device that this module holds.
///
/// # Invariants
///
/// - "taken": the device of `dax` was taken for `sink`, which is its holder, or nobody once it is
///   removed.
/// - "drain": `drain` is an own dax device that was not killed yet.
pub(crate) struct Device<S: FailureSink, D: Holdable = Pmem> {
    dax: Arc<D>,
    drain: NonNull<bindings::dax_device>,
    /// Given up in `drop`, before a grace period.
    sink: Option<Registered<S>>,
}

// SAFETY: What it owns may go to any thread: a `Holdable`, the sink, and a dax device that nobody else has.
unsafe impl<S: FailureSink, D: Holdable> Send for Device<S, D> {}
// SAFETY: `&Device` gives access to the `Holdable`, which is `Sync`, and to calls of the C API, which
// may come from any thread.
unsafe impl<S: FailureSink, D: Holdable> Sync for Device<S, D> {}

impl<S: FailureSink, D: Holdable> Deref for Device<S, D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.dax
    }
}

impl<S: FailureSink, D: Holdable> Device<S, D> {
    /// Takes the dax device; from here on `sink` hears of failures.
    ///
    /// # Errors
    ///
    /// Those of [`Holdable::hold`]; `ENOMEM`.
    pub(crate) fn take(dax: Arc<D>, sink: Arc<S>) -> Result<Self> {
        // SAFETY: Both may be null: a dax device without operations, whose only use is its end.
        let drain = unsafe { bindings::alloc_dax(core::ptr::null_mut(), core::ptr::null()) };
        let drain = NonNull::new(from_err_ptr(drain)?).ok_or(ENOMEM)?;
        let sink = match Registered::new(sink) {
            Ok(sink) => sink,
            Err(e) => {
                // SAFETY: It is new, and goes here: clause `drain`.
                unsafe { Self::end_grace_period(drain) };
                return Err(e);
            }
        };
        // SAFETY: Holder and operations live until `drop`, and as long as notifiers after it.
        let held = unsafe { dax.hold(sink.as_ptr(), Registered::<S>::operations()) };
        if let Err(e) = held {
            // No notifier has seen it: the device did not take it.
            drop(sink.unregister());
            // SAFETY: It is new, and goes here: clause `drain`.
            unsafe { Self::end_grace_period(drain) };
            return Err(e);
        }
        // INVARIANT: "taken": the device took the holder. "drain": it is new.
        Ok(Self {
            dax,
            drain,
            sink: Some(sink),
        })
    }

    /// Waits until every notifier that began before has ended.
    ///
    /// # Safety
    ///
    /// `drain`: from `alloc_dax`, not killed yet, and used by nobody after this.
    unsafe fn end_grace_period(drain: NonNull<bindings::dax_device>) {
        // SAFETY: It is live, and this is its only end: clause `drain`. kill_dax synchronises dax SRCU.
        unsafe { bindings::kill_dax(drain.as_ptr()) };
        // SAFETY: The reference of `alloc_dax` is ours, and dropped here alone: clause `drain`.
        unsafe { bindings::put_dax(drain.as_ptr()) };
    }

    /// Injects a failure, through the same door as a real one. `offset` and `len` in bytes of the
    /// whole device.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub(crate) fn inject(&self, offset: u64, len: u64, mf_flags: c_int) -> Result {
        // SAFETY: The device is referenced: `Holdable`.
        to_result(unsafe {
            bindings::dax_holder_notify_failure(self.dax.as_ptr(), offset, len, mf_flags)
        })
    }
}

impl<S: FailureSink, D: Holdable> Drop for Device<S, D> {
    fn drop(&mut self) {
        let holder = self
            .sink
            .as_ref()
            .map_or(core::ptr::null_mut(), Registered::as_ptr);
        // SAFETY: The holder is ours, and so is the reference that came with it: invariant "taken".
        // After a removal of the device the holder is null already, which fs_put_dax allows.
        unsafe { bindings::fs_put_dax(self.dax.as_ptr(), holder) };
        let sink = self.sink.take().map(Registered::unregister);
        // SAFETY: It was not killed yet: invariant "drain"; `self` ends here.
        unsafe { Self::end_grace_period(self.drain) };
        // No notifier that found it can still run.
        drop(sink);
    }
}
