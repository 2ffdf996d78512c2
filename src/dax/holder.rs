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
    dax::Pmem,
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
            AtomicFlag,
            Relaxed, //
        },
        global_lock,
        Arc,
        ArcBorrow, //
    },
};

/// What hears of failures of the device.
pub(crate) trait FailureSink: Send + Sync + Sized + 'static {
    /// Hears that bytes `offset..offset + len` of the whole device, not of the partition, have failed.
    /// `u64::MAX` bytes from 0 are the whole device. `mf_flags`: as in mm/memory-failure.c. May sleep;
    /// the caller holds dax SRCU.
    ///
    /// # Errors
    ///
    /// The errno for memory_failure(). `EOPNOTSUPP` makes it try the generic way instead.
    fn notify_failure(this: ArcBorrow<'_, Self>, offset: u64, len: u64, mf_flags: c_int) -> Result;
}

/// A sink as the list knows it: where it is, and of which type.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Listed {
    address: usize,
    kind: TypeId,
}

global_lock! {
    // SAFETY: `init` initialises it before it gives a `Ready`, without which nothing is registered that
    // could be mounted: `Registration::new`. It is used by mounts and by notifiers that a mount has let
    // in.
    unsafe(uninit) static HOLDERS: Mutex<KVec<Listed>> = KVec::new();
}

/// Whether somebody has begun to initialise the locks of this layer.
static BEGUN: AtomicFlag = AtomicFlag::new(false);

/// The proof that the locks of this layer are initialised: from [`init()`].
#[derive(Clone, Copy)]
pub(crate) struct Ready(());

/// Initialises the locks of this layer. Called when the module is loaded.
///
/// # Errors
///
/// `EBUSY` the second time.
pub(crate) fn init() -> Result<Ready> {
    if BEGUN.xchg(true, Relaxed) {
        return Err(EBUSY);
    }
    // SAFETY: Only the first caller comes here, and nobody uses the lock before there is a `Ready`.
    unsafe { HOLDERS.init() };
    // SAFETY: Only the first caller comes here, and there is no `Ready` yet: clause "once".
    unsafe { super::sharing::init() };
    // SAFETY: The same.
    unsafe { super::memory::hand_over::init() };
    Ok(Ready(()))
}

/// Who holds a dax device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldBy {
    /// Nobody, or it is gone.
    Nobody,
    /// A sink of this type, from here.
    Sink(TypeId),
    /// Somebody else: another filesystem.
    Other,
}

/// Who holds the device at this moment.
pub(crate) fn held_by(pmem: &Pmem) -> HeldBy {
    // SAFETY: The device is referenced: invariant "dax" of `Pmem`.
    let holder = unsafe { bindings::dax_holder(pmem.as_ptr()) };
    if holder.is_null() {
        return HeldBy::Nobody;
    }
    let holders = HOLDERS.lock();
    let ours = holders.iter().find(|e| e.address == holder.addr());
    ours.map_or(HeldBy::Other, |e| HeldBy::Sink(e.kind))
}

/// A sink that notifiers can find.
///
/// # Invariants
///
/// - "owned": `sink` is the pointer of an `Arc<S>` that `self` owns.
/// - "listed": `HOLDERS` has it.
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
    /// `ENOMEM`.
    pub(super) fn new(sink: Arc<S>) -> Result<Self> {
        let listed = Self::listed(Arc::as_ptr(&sink));
        HOLDERS.lock().push(listed, GFP_KERNEL)?;
        let sink = NonNull::new(Arc::into_raw(sink).cast_mut()).ok_or(EINVAL)?;
        // INVARIANT: "owned": from `into_raw`. "listed": just entered.
        Ok(Self {
            sink,
            _owner: PhantomData,
        })
    }

    /// From here on no notifier finds the sink; those that have still use it. Returns it.
    pub(super) fn unregister(self) -> Arc<S> {
        let listed = Self::listed(self.sink.as_ptr());
        let mut holders = HOLDERS.lock();
        holders.retain(|e| *e != listed);
        if holders.is_empty() {
            // Nobody frees a static's memory when the module goes.
            *holders = KVec::new();
        }
        // SAFETY: It is the pointer of an `Arc` that we own: invariant "owned"; `self` ends here.
        unsafe { Arc::from_raw(self.sink.as_ptr()) }
    }

    fn listed(sink: *const S) -> Listed {
        Listed {
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
    /// Called by drivers/dax, under dax SRCU. `dax`: alive during the call.
    unsafe extern "C" fn notify_failure(
        dax: *mut bindings::dax_device,
        offset: u64,
        len: u64,
        mf_flags: c_int,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is alive: clause `dax`.
            let holder: *mut S = unsafe { bindings::dax_holder(dax) }.cast();
            if !HOLDERS.lock().contains(&Self::listed(holder)) {
                // Nobody, or somebody else: see the module's documentation.
                return Err(eopnotsupp());
            }
            // SAFETY: Who is listed is a sink of this type: invariants "owned" and "listed". Its `Device`
            // drops it only after a grace period of dax SRCU that began when it was listed no more,
            // and this runs under dax SRCU.
            let sink = unsafe { ArcBorrow::from_raw(holder) };
            S::notify_failure(sink, offset, len, mf_flags).map(|()| 0)
        })
    }
}
