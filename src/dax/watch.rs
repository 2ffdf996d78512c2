// SPDX-License-Identifier: GPL-2.0

//! Hearing of every failure of a page of a dax device, after the kernel has dealt with it in its own way.
//!
//! C source: mm/memory-failure.c (`action_result`), the tracepoint `ras:memory_failure_event`. It has been
//! there since 2015, user space depends on it (rasdaemon), and nobody has to give anything up for it.
//!
//! # Locking
//!
//! The tracepoint is under `mf_mutex`, where one must not sleep or be slow: who hears notes what he hears.

use crate::{
    bindings,
    support::Probe, //
};
use kernel::{
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
};

/// Who hears.
pub(crate) trait PageFailureSink: Send + Sync + Sized + 'static {
    /// A page of some dax device has failed. `killed`: the kernel has signalled who maps it, as
    /// mf_dax_kill_procs() does. Must not sleep.
    fn page_failed(this: ArcBorrow<'_, Self>, pfn: u64, killed: bool);
}

/// While this lives, a sink hears.
pub(crate) struct PageFailures<S: PageFailureSink> {
    // Dropped first: then nobody calls the sink any more.
    _probe: Probe,
    _sink: Arc<S>,
}

impl<S: PageFailureSink> PageFailures<S> {
    /// Has `sink` hear. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel has no such tracepoint; `ENOMEM`.
    pub(crate) fn new(sink: Arc<S>) -> Result<Self> {
        let data = Arc::as_ptr(&sink).cast_mut().cast();
        // SAFETY: The function takes what the tracepoint has (include/trace/events/memory-failure.h), and
        // needs `data` to be the sink, which is dropped after the probe.
        let probe = unsafe {
            Probe::new(
                c"memory_failure_event",
                Self::memory_failure_event as *mut c_void,
                data,
            )
        }?;
        Ok(Self {
            _probe: probe,
            _sink: sink,
        })
    }

    /// # Safety
    ///
    /// Called by the tracepoint. `data`: the sink.
    unsafe extern "C" fn memory_failure_event(
        data: *mut c_void,
        pfn: c_ulong,
        kind: c_int,
        result: c_int,
    ) {
        if kind == bindings::mf_action_page_type_MF_MSG_DAX as c_int {
            // SAFETY: It is the sink, which lives longer than the probe: clause `data`.
            let sink = unsafe { ArcBorrow::from_raw(data.cast_const().cast::<S>()) };
            let killed = result == bindings::mf_result_MF_RECOVERED as c_int;
            S::page_failed(sink, pfn as u64, killed);
        }
    }
}
