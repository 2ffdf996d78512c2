// SPDX-License-Identifier: GPL-2.0

//! Keeping cachestat(2) from an oops: it takes DAX entries for the shadows of evicted pages.
//!
//! Documentation/kernel-faults.rst tells the whole of it, and `src/helpers/shadow.c` how a kprobe
//! prevents it.
//!
//! # Locking
//!
//! None. The kprobe's handler runs with preemption disabled, and takes no lock.

use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// While this lives, cachestat(2) of a file with DAX entries does no harm.
///
/// # Invariants
///
/// - "registered": the kprobe is.
pub(crate) struct ShadowGuard(());

impl ShadowGuard {
    /// Registers the kprobe. If that fails the log says so, and all else works as before.
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
        // INVARIANT: "registered": that has just worked.
        Some(Self(()))
    }
}

impl Drop for ShadowGuard {
    fn drop(&mut self) {
        // SAFETY: It is: invariant "registered"; `self` ends here.
        unsafe { bindings::daxrmap_unguard_shadows() };
    }
}
