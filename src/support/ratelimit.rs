// SPDX-License-Identifier: GPL-2.0

//! Log lines that user space, or a dying device, can cause as fast as it likes.
//!
//! The kernel crate has nothing for them. C header:
//! [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)
//!
//! # Locking
//!
//! A spin lock inside, which nobody waits for. May be used in any context but NMI.

use crate::bindings;
use core::pin::Pin;
use kernel::{
    prelude::*,
    str::CString,
    types::Opaque, //
};

/// Lines that are let through in each [`SECONDS`].
const BURST: c_int = 32;
/// See [`BURST`].
const SECONDS: c_uint = 5;

/// A limit for one kind of lines. Those beyond it are counted, and the log says how many they were when
/// the next one is allowed, or when this is dropped.
///
/// # Invariants
///
/// - "initialised": `state` is.
#[pin_data(PinnedDrop)]
pub(crate) struct RateLimit {
    #[pin]
    state: Opaque<bindings::ratelimit_state>,
    /// What the log calls the lines.
    what: CString,
}

// SAFETY: The state has a lock, and is of no thread.
unsafe impl Send for RateLimit {}
// SAFETY: All that `&self` allows is to use the state, which has a lock.
unsafe impl Sync for RateLimit {}

impl RateLimit {
    /// A limit for lines of `kind` about `device`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new<'a>(device: &'a CStr, kind: &'a str) -> impl PinInit<Self, Error> + 'a {
        try_pin_init!(Self {
            what: CString::try_from_fmt(fmt!("daxrmap: {device}: {kind}"))?,
            // INVARIANT: "initialised": the helper does it.
            // SAFETY: `slot` is a place for it.
            state <- Opaque::ffi_init(|slot| unsafe {
                bindings::daxrmap_ratelimit_init(slot, SECONDS, BURST)
            }),
        })
    }

    /// Whether a line may be written now; if not, it is counted.
    pub(crate) fn allows(&self) -> bool {
        // SAFETY: The state is there: invariant "initialised"; the name is a string that outlives the call.
        unsafe { bindings::___ratelimit(self.state.get(), self.what.as_char_ptr()) != 0 }
    }
}

#[pinned_drop]
impl PinnedDrop for RateLimit {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The state is there: invariant "initialised"; nobody else has it any more.
        unsafe { bindings::daxrmap_ratelimit_exit(self.state.get(), self.what.as_char_ptr()) };
    }
}
