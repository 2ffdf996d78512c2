// SPDX-License-Identifier: GPL-2.0

//! Who hears of a dax device's failures, and how a notifier gets there.
//!
//! C source: drivers/dax/super.c (`dax_holder_notify_failure`, `fs_dax_get`).
//!
//! A notification comes with the device alone. It reads the holder's operations and calls them; these
//! ask the device for its holder, a second time. In between one filesystem may have given the device
//! up and another, of any type, may have taken it: then what `dax_holder` returns is not ours. So
//! holders are looked up among those that are registered here.
//!
//! # Locking
//!
//! `HOLDERS` is a mutex that is held for a look-up only, under dax SRCU; nothing is taken inside of
//! it but what allocates. What was found stays alive until a grace period of dax SRCU that began after
//! [`Registered::unregister`].

use crate::{
    bindings,
    errno::eopnotsupp, //
};
use core::{
    any::TypeId,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::from_result,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            AtomicFlag,
            Relaxed,
            Release, //
        },
        global_lock,
        Arc, //
    },
};

/// Hears of failures of the device.
pub(crate) trait FailureSink: Send + Sync + 'static {
    /// Bytes `offset..offset + len` of the whole device, not of the partition, have failed.
    /// `u64::MAX` bytes from 0 are the whole device. May sleep.
    ///
    /// # Errors
    ///
    /// The errno for memory_failure(). `EOPNOTSUPP` makes it try the generic way instead.
    fn notify_failure(&self, offset: u64, len: u64, mf_flags: c_int) -> Result;
}

/// Where a sink is, and of which type.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    address: usize,
    kind: TypeId,
}

global_lock! {
    // SAFETY: Every use is behind `READY`, which `init` sets after it has initialised the lock.
    unsafe(uninit) static HOLDERS: Mutex<KVec<Entry>> = KVec::new();
}

/// Whether `HOLDERS` can be used.
static READY: AtomicFlag = AtomicFlag::new(false);
/// Whether somebody has begun to initialise it.
static BEGUN: AtomicFlag = AtomicFlag::new(false);

/// Makes the list of holders. Called when the module is loaded.
///
/// # Errors
///
/// `EBUSY` the second time.
pub(crate) fn init() -> Result {
    if BEGUN.xchg(true, Relaxed) {
        return Err(EBUSY);
    }
    // SAFETY: Only the first caller comes here, and nobody uses the lock before `READY`.
    unsafe { HOLDERS.init() };
    // SAFETY: As above; the module registers its filesystem when this has returned.
    unsafe { super::sharing::init() };
    READY.store(true, Release);
    Ok(())
}

/// A sink that notifiers can find.
///
/// # Invariants
///
/// - `sink` is the pointer of an `Arc<S>` that `self` owns.
/// - `HOLDERS` has it.
pub(super) struct Registered<S: FailureSink> {
    sink: NonNull<S>,
    _owner: PhantomData<Arc<S>>,
}

impl<S: FailureSink> Registered<S> {
    const OPS: bindings::dax_holder_operations = bindings::dax_holder_operations {
        notify_failure: Some(Self::notify_failure),
    };

    /// Enters `sink` in the list.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `ENXIO` before [`init`].
    pub(super) fn new(sink: Arc<S>) -> Result<Self> {
        if !READY.load(Acquire) {
            return Err(ENXIO);
        }
        let entry = Self::entry(Arc::as_ptr(&sink));
        HOLDERS.lock().push(entry, GFP_KERNEL)?;
        let sink = NonNull::new(Arc::into_raw(sink).cast_mut()).ok_or(EINVAL)?;
        // INVARIANT: From `into_raw`, and just entered.
        Ok(Self {
            sink,
            _owner: PhantomData,
        })
    }

    /// From here on no notifier finds the sink; those that have still use it. Returns it.
    pub(super) fn unregister(self) -> Arc<S> {
        let entry = Self::entry(self.sink.as_ptr());
        let mut holders = HOLDERS.lock();
        holders.retain(|e| *e != entry);
        if holders.is_empty() {
            // Nobody frees a static's memory when the module goes.
            *holders = KVec::new();
        }
        // SAFETY: By the type invariant; `self` ends here.
        unsafe { Arc::from_raw(self.sink.as_ptr()) }
    }

    fn entry(sink: *const S) -> Entry {
        Entry {
            address: sink.addr(),
            kind: TypeId::of::<S>(),
        }
    }

    /// What the device is told to hold.
    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.sink.as_ptr().cast()
    }

    /// What the device is told to call.
    pub(super) fn operations() -> &'static bindings::dax_holder_operations {
        &Self::OPS
    }

    /// # Safety
    ///
    /// Called by drivers/dax, under dax SRCU, with a live device.
    unsafe extern "C" fn notify_failure(
        dax: *mut bindings::dax_device,
        offset: u64,
        len: u64,
        mf_flags: c_int,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The device is alive during the call.
            let holder: *mut S = unsafe { bindings::dax_holder(dax) }.cast();
            if !HOLDERS.lock().contains(&Self::entry(holder)) {
                // Nobody, or somebody else: see the module's documentation.
                return Err(eopnotsupp());
            }
            // SAFETY: A registered sink of this type. Its `Device` drops it only after a grace
            // period of dax SRCU that began when it was registered no more.
            unsafe { &*holder }
                .notify_failure(offset, len, mf_flags)
                .map(|()| 0)
        })
    }
}
