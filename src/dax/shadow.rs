// SPDX-License-Identifier: GPL-2.0

//! DAX entries that the kernel takes for shadows of evicted pages.
//!
//! cachestat(2) does, and oopses. Documentation/kernel-faults.rst has the whole of it,
//! `src/helpers/shadow.c` how it is kept from that.
//!
//! # Locking
//!
//! None. What is installed runs with preemption disabled, and takes no lock.

use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// While this lives, cachestat(2) of a file with DAX entries does no harm.
///
/// # Invariants
///
/// The kprobe is registered.
pub(crate) struct ShadowGuard(());

impl ShadowGuard {
    /// Puts it there. If that cannot be, the log says so, and all else works as before.
    pub(crate) fn new() -> Option<Self> {
        // SAFETY: Called when the module is loaded, in process context; the kprobe is registered only
        // here, and not yet: a second `register_kprobe` of it would fail, and change nothing.
        let ret = unsafe { bindings::daxrmap_guard_shadows() };
        to_result(ret)
            .inspect_err(|e| {
                pr_warn!(
                    "an oops in cachestat(2) of a DAX file is not prevented: errno {}\n",
                    e.to_errno()
                );
            })
            .ok()?;
        // INVARIANT: That has just worked.
        Some(Self(()))
    }
}

impl Drop for ShadowGuard {
    fn drop(&mut self) {
        // SAFETY: By the type invariant it is registered; the guard goes with this.
        unsafe { bindings::daxrmap_unguard_shadows() };
    }
}
