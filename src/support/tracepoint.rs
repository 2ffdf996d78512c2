// SPDX-License-Identifier: GPL-2.0

//! Probes of the kernel's own tracepoints, whose symbols are not exported: they are found by name.
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)
//!
//! # Locking
//!
//! A probe runs wherever the tracepoint is, under whatever lock is held there, with preemption disabled: it
//! must not sleep. Making a [`Probe`] and dropping it sleeps; no lock may be held that a probe takes.

use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// A probe that is registered. Dropping it waits for who is inside.
///
/// # Invariants
///
/// - "registered": `function` is, with `data`, at `tracepoint`, which is one of the kernel's own, and so
///   does not go.
pub(crate) struct Probe {
    tracepoint: NonNull<bindings::tracepoint>,
    function: *mut c_void,
    data: *mut c_void,
}

// SAFETY: What it has is only given back to the C API, which may be called from any thread.
unsafe impl Send for Probe {}
// SAFETY: `&Probe` allows nothing.
unsafe impl Sync for Probe {}

impl Probe {
    /// Has `function` called at the tracepoint of that name. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel has no such tracepoint; `ENOMEM`.
    ///
    /// # Safety
    ///
    /// - `function`: takes a pointer and what that tracepoint has (`TP_PROTO`), by the C ABI, and may be
    ///   called with `data` from anywhere at any time, until this value is dropped.
    pub(crate) unsafe fn new(
        name: &CStr,
        function: *mut c_void,
        data: *mut c_void,
    ) -> Result<Self> {
        // SAFETY: The name is a string that outlives the call.
        let found = unsafe { bindings::daxrmap_find_tracepoint(name.as_char_ptr()) };
        let tracepoint = NonNull::new(found).ok_or(ENOENT)?;
        // SAFETY: The tracepoint is the kernel's; the rest is clause `function`.
        to_result(unsafe {
            bindings::tracepoint_probe_register(tracepoint.as_ptr(), function, data)
        })?;
        // INVARIANT: "registered": just done.
        Ok(Self {
            tracepoint,
            function,
            data,
        })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // An error says that it is not registered, which it is.
        // SAFETY: It is registered so: invariant "registered".
        let _ = unsafe {
            bindings::tracepoint_probe_unregister(
                self.tracepoint.as_ptr(),
                self.function,
                self.data,
            )
        };
        // SAFETY: Waits for probes that run; the caller may sleep.
        unsafe { bindings::daxrmap_tracepoint_synchronize() };
    }
}
