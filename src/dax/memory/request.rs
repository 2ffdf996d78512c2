// SPDX-License-Identifier: GPL-2.0

//! Devices of which bytes are durable only when a flush request has come back.
//!
//! C source: drivers/nvdimm/pmem.c (`pmem_submit_bio`), region_devs.c (`nvdimm_flush`), virtio_pmem.c,
//! block/blk-flush.c.
//!
//! What leaves the CPU's caches is durable on an ordinary NVDIMM. It is not with virtio-pmem, which is
//! a file of the host and asks the host for an fsync, nor with a region that has *flush hints*,
//! whose queues must be written to. Such a device takes a request of the block layer for that, which
//! may sleep for as long as the host likes. Others are never sent one.
//!
//! A request that fails is the end, as with any disk: what was to be durable by then may be lost, and
//! a later request would not tell. Nothing is stored any more.
//!
//! # Locking
//!
//! None. Writes are counted ([`Requests::wrote`]), and a request that has come back notes up to which
//! one it was for: so a fence sends none for what another's request has made durable, and does not take
//! one that is still under way for that.

use crate::bindings;
use kernel::{
    error::to_result,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        AtomicFlag,
        Relaxed,
        Release, //
    },
};

/// Whether a device needs flush requests, and up to which write those have come that were sent.
///
/// # Invariants
///
/// - "open": `bdev` is open while this value lives.
pub(crate) struct Requests {
    bdev: *mut bindings::block_device,
    /// The device needs them.
    needed: bool,
    /// How many writes there were.
    written: Atomic<u64>,
    /// How many of these are durable.
    durable: Atomic<u64>,
    /// A request has failed.
    failed: AtomicFlag,
    /// How many requests were sent.
    sent: Atomic<u64>,
}

// SAFETY: `bdev` is a pointer to what is open (invariant "open"), and what is called with it may come
// from any thread.
unsafe impl Send for Requests {}
// SAFETY: As for `Send`: what is called with `bdev` may come from any thread, and the rest is atomic.
unsafe impl Sync for Requests {}

impl Requests {
    /// # Safety
    ///
    /// `bdev`: open as long as the value lives. `dax`: live, and what the block device is on.
    pub(in crate::dax) unsafe fn of(
        bdev: *mut bindings::block_device,
        dax: *mut bindings::dax_device,
    ) -> Self {
        // INVARIANT: "open": clause `bdev`.
        Self {
            bdev,
            // SAFETY: Both are live: clauses `bdev` and `dax`.
            needed: unsafe { bindings::daxrmap_needs_flush(bdev, dax) },
            written: Atomic::new(0),
            durable: Atomic::new(0),
            failed: AtomicFlag::new(false),
            sent: Atomic::new(0),
        }
    }
}

impl Requests {
    /// Bytes were stored, and have left the CPU's caches or are on their way: they are not durable
    /// before the next request.
    pub(in crate::dax) fn wrote(&self) {
        if self.needed {
            // Who counts this and sends a request must not leave behind what is on its way.
            // SAFETY: A barrier.
            unsafe { bindings::daxrmap_pmem_wmb() };
            self.written.fetch_add(1, Release);
        }
    }

    /// What was written back before is durable when this returns.
    ///
    /// # Errors
    ///
    /// `EIO` if the device was asked for that and failed, now or earlier.
    pub(crate) fn fence(&self) -> Result {
        // SAFETY: A barrier.
        unsafe { bindings::daxrmap_pmem_wmb() };
        if self.durable.load(Acquire) >= self.written.load(Acquire) {
            return Ok(());
        }
        self.send()
    }

    /// The same, and also for what was written without [`wrote`](Self::wrote): by read and write
    /// system calls, and by who maps it. May sleep.
    ///
    /// # Errors
    ///
    /// As [`fence`](Self::fence).
    pub(crate) fn send(&self) -> Result {
        if !self.needed {
            return Ok(());
        }
        self.check()?;
        // SAFETY: A barrier: nothing of this task is on its way when the device is asked.
        unsafe { bindings::daxrmap_pmem_wmb() };
        // What is written from here on is for the next one.
        let written = self.written.load(Acquire);
        self.sent.fetch_add(1, Relaxed);
        // SAFETY: The block device is open: invariant "open".
        let result = to_result(unsafe { bindings::blkdev_issue_flush(self.bdev) });
        if result.is_err() {
            self.failed.store(true, Relaxed);
            return Err(EIO);
        }
        let mut durable = self.durable.load(Relaxed);
        while durable < written {
            match self.durable.cmpxchg(durable, written, Release) {
                Ok(_) => break,
                Err(now) => durable = now,
            }
        }
        Ok(())
    }

    /// `EIO` once a request has failed.
    pub(crate) fn check(&self) -> Result {
        if self.failed.load(Relaxed) {
            return Err(EIO);
        }
        Ok(())
    }

    /// How many requests were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }
}
