// SPDX-License-Identifier: GPL-2.0

//! Hearing of what CXL memory devices say of their media.
//!
//! C source: drivers/cxl/core/trace.h. What there is to hear is in src/helpers/cxl.c.
//!
//! # Locking
//!
//! A record is told of under locks of drivers/cxl, with preemption disabled: who hears notes what he hears.

use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
};

/// [`CxlRecord::kind`]: a general media event.
pub(crate) const CXL_MEDIA: u8 = bindings::DAXRMAP_CXL_MEDIA;
/// [`CxlRecord::kind`]: a DRAM event.
pub(crate) const CXL_DRAM: u8 = bindings::DAXRMAP_CXL_DRAM;
/// [`CxlRecord::kind`]: a line, or lines, of poison.
pub(crate) const CXL_POISON: u8 = bindings::DAXRMAP_CXL_POISON;

/// What a device has said.
pub(crate) type CxlRecord = bindings::daxrmap_cxl_record;

/// Who hears.
pub(crate) trait CxlSink: Send + Sync + Sized + 'static {
    /// A device has said something. Must not sleep.
    fn heard(this: ArcBorrow<'_, Self>, record: CxlRecord);
}

/// While this lives, a sink hears. There may be one such value at a time.
///
/// # Invariants
///
/// - "started": daxrmap_cxl_start() has succeeded, for `sink`.
pub(crate) struct CxlRecords<S: CxlSink> {
    _sink: Arc<S>,
}

impl<S: CxlSink> CxlRecords<S> {
    /// Has `sink` hear. Sleeps. Nothing is heard where the kernel has no CXL; of a module that brings it
    /// later, all that comes after.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; what perf says.
    pub(crate) fn new(sink: Arc<S>) -> Result<Self> {
        let data = Arc::as_ptr(&sink).cast_mut().cast();
        // SAFETY: The function needs `data` to be the sink, which is dropped after it is called no more.
        to_result(unsafe { bindings::daxrmap_cxl_start(Some(Self::told), data) })?;
        // INVARIANT: "started": just done.
        Ok(Self { _sink: sink })
    }

    /// Whether the kernel has anything that is heard. Sleeps.
    pub(crate) fn is_heard(&self) -> bool {
        // SAFETY: It takes nothing.
        unsafe { bindings::daxrmap_cxl_is_heard() }
    }

    /// # Safety
    ///
    /// `data`: the sink. `record`: live during the call.
    unsafe extern "C" fn told(data: *mut c_void, record: *const CxlRecord) {
        // SAFETY: It is the sink, which lives until nobody is told any more: clause `data`.
        let sink = unsafe { ArcBorrow::from_raw(data.cast_const().cast::<S>()) };
        // SAFETY: It is live: clause `record`; it is numbers, which are copied.
        S::heard(sink, unsafe { record.read() });
    }
}

impl<S: CxlSink> Drop for CxlRecords<S> {
    fn drop(&mut self) {
        // SAFETY: It was started: invariant "started"; `self` ends here.
        unsafe { bindings::daxrmap_cxl_stop() };
    }
}

/// How a region is spread over devices.
#[derive(Clone, Copy)]
pub(crate) struct Interleave {
    /// How many devices.
    pub(crate) ways: u64,
    /// So many bytes in a row are on one.
    pub(crate) granularity: u64,
}

impl Interleave {
    /// That of the region that a record names; `None` if that cannot be known. Sleeps; for a worker.
    pub(crate) fn of(record: &CxlRecord) -> Option<Self> {
        let (mut ways, mut granularity) = (0, 0);
        // SAFETY: The name is a string: src/helpers/cxl.c ends it with 0.
        let known = unsafe {
            bindings::daxrmap_cxl_interleave(
                record.region.as_ptr(),
                &raw mut ways,
                &raw mut granularity,
            )
        };
        known.then_some(Self { ways, granularity })
    }
}
