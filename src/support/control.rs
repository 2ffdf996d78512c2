// SPDX-License-Identifier: GPL-2.0

//! `/dev/daxrmap`: a device that answers ioctls, for root.
//!
//! The kernel crate's `miscdevice` does not hold the module before 7.3. C header:
//! [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)
//!
//! # Locking
//!
//! Who is inside of [`Answer::ioctl`] has a file open, which holds the module; nothing is locked.

use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

/// Who answers.
pub(crate) trait Answer: Send + Sync + 'static {
    /// Answers one ioctl; sleeps. `arg` is as the caller gave it. Returns what the call returns.
    ///
    /// # Errors
    ///
    /// `ENOTTY` if it is not known.
    fn ioctl(&self, cmd: u32, arg: usize) -> Result<c_int>;
}

/// The device, while there is one.
///
/// # Invariants
///
/// - "registered": it is, for `answer`.
pub(crate) struct Control<A: Answer> {
    _answer: Arc<A>,
}

impl<A: Answer> Control<A> {
    /// Makes it; `answer` answers. There may be one such value at a time.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EEXIST`.
    pub(crate) fn new(answer: Arc<A>) -> Result<Self> {
        let data = Arc::as_ptr(&answer).cast_mut().cast();
        // SAFETY: Called when the module is loaded. `ioctl` stays as long as the module, which an open
        // file holds, and so does `answer`, which is dropped after the device.
        to_result(unsafe { bindings::daxrmap_control_register(Some(Self::ioctl), data) })?;
        // INVARIANT: "registered": just done.
        Ok(Self { _answer: answer })
    }

    /// # Safety
    ///
    /// Called by the VFS, for a task's system call. `data`: who answers.
    unsafe extern "C" fn ioctl(data: *mut c_void, cmd: c_uint, arg: c_ulong) -> c_long {
        // SAFETY: It is one, which outlives the device: clause `data`.
        let answer = unsafe { &*data.cast::<A>() };
        match answer.ioctl(cmd, arg) {
            Ok(answer) => answer as c_long,
            Err(e) => e.to_errno() as c_long,
        }
    }
}

impl<A: Answer> Drop for Control<A> {
    fn drop(&mut self) {
        // SAFETY: It is registered: invariant "registered"; `self` ends here.
        unsafe { bindings::daxrmap_control_unregister() };
    }
}
