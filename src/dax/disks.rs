// SPDX-License-Identifier: GPL-2.0

//! All fsdax disks of the machine, as they come and go.
//!
//! C source: drivers/base/class.c (`class_interface_register`).
//!
//! # Locking
//!
//! The class's mutex is held while a disk is told of; the disk's driver waits meanwhile.

use super::Pmem;
use crate::{
    bindings,
    vfs::Dev, //
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

/// Who is told of disks. Told of one at a time.
pub(crate) trait DiskSink: Send + Sync + 'static {
    /// There is a disk.
    fn added(&self, disk: Arc<Pmem>);
    /// A disk is about to go, or nobody is told any more. Called also for one that was not
    /// [`added`](Self::added), for want of memory.
    fn removed(&self, number: Dev);
}

/// While this lives, a sink is told.
///
/// # Invariants
///
/// - "registered": the operations are, for `sink`.
pub(crate) struct Disks<S: DiskSink> {
    _sink: Arc<S>,
}

impl<S: DiskSink> Disks<S> {
    const OPS: bindings::daxrmap_disk_ops = bindings::daxrmap_disk_ops {
        added: Some(Self::added),
        removed: Some(Self::removed),
    };

    /// Tells `sink` of all disks that there are, and of those to come. Sleeps. There may be one such value
    /// at a time.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(sink: Arc<S>) -> Result<Self> {
        let data = Arc::as_ptr(&sink).cast_mut().cast();
        // SAFETY: The operations are a constant of the module, and given up before it goes, and before
        // the sink does.
        to_result(unsafe { bindings::daxrmap_disks_register(&Self::OPS, data) })?;
        // INVARIANT: "registered": just done.
        Ok(Self { _sink: sink })
    }

    /// # Safety
    ///
    /// `data`: the sink. `disk`: live during the call.
    unsafe extern "C" fn added(data: *mut c_void, disk: *mut bindings::gendisk) {
        // SAFETY: It is one, which outlives the registration: clause `data`.
        let sink = unsafe { &*data.cast::<S>() };
        // SAFETY: It is live: clause `disk`.
        let pmem = unsafe { Pmem::of_disk(disk) };
        match pmem.and_then(|pmem| Ok(Arc::new(pmem, GFP_KERNEL)?)) {
            Ok(pmem) => sink.added(pmem),
            Err(e) => pr_warn!("a disk with DAX is not guarded: errno {}\n", e.to_errno()),
        }
    }

    /// # Safety
    ///
    /// `data`: the sink. `disk`: live during the call.
    unsafe extern "C" fn removed(data: *mut c_void, disk: *mut bindings::gendisk) {
        // SAFETY: It is one, which outlives the registration: clause `data`.
        let sink = unsafe { &*data.cast::<S>() };
        // SAFETY: It is live: clause `disk`.
        sink.removed(Dev::from_raw(unsafe {
            bindings::daxrmap_disk_number(disk)
        }));
    }
}

impl<S: DiskSink> Drop for Disks<S> {
    fn drop(&mut self) {
        // SAFETY: They are registered: invariant "registered"; `self` ends here.
        unsafe { bindings::daxrmap_disks_unregister() };
    }
}
