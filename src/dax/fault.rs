// SPDX-License-Identifier: GPL-2.0

//! Page faults on DAX files.
//!
//! C sources: mm/memory.c, fs/dax.c (`dax_iomap_fault`).
//!
//! # Locking
//!
//! A fault comes with `mmap_lock` or the VMA's lock held. [`Fault::resolve`] wants the file's
//! `invalidate_lock`, shared, and takes the DAX entry lock.

use super::{
    iomap_operations,
    Extents,
    PMD_BLOCKS, //
};
use crate::{
    bindings,
    vfs::{
        Inode,
        InvalidateLockShared, //
    },
};
use core::marker::PhantomData;
use kernel::{
    error::to_result,
    mm::virt::{
        flags,
        VmaRef, //
    },
    prelude::*, //
};

/// The answer to a fault, as mm wants it: `VM_FAULT_` numbers.
#[derive(Clone, Copy)]
pub(crate) struct FaultResult(pub(super) bindings::vm_fault_t);

impl FaultResult {
    /// mm is to try again with single pages.
    pub(crate) const FALLBACK: Self = Self(bindings::vm_fault_reason_VM_FAULT_FALLBACK);

    /// Whether it is that for `EHWPOISON`.
    pub(crate) fn is_poison(self) -> bool {
        self.0 & bindings::vm_fault_reason_VM_FAULT_HWPOISON != 0
    }

    /// The answer for an error: `ENOMEM` is out of memory, `EHWPOISON` is SIGBUS with
    /// `BUS_MCEERR_AR`, anything else is SIGBUS. (`vmf_error` of include/linux/mm.h.)
    pub(crate) fn from_error(e: Error) -> Self {
        const EHWPOISON: i32 = -(bindings::EHWPOISON as i32);
        Self(match e.to_errno() {
            EHWPOISON => bindings::vm_fault_reason_VM_FAULT_HWPOISON,
            errno if errno == ENOMEM.to_errno() => bindings::vm_fault_reason_VM_FAULT_OOM,
            errno if errno == EINTR.to_errno() => bindings::vm_fault_reason_VM_FAULT_NOPAGE,
            _ => bindings::vm_fault_reason_VM_FAULT_SIGBUS,
        })
    }
}

/// A fault that is being handled.
///
/// # Invariants
///
/// - "fault": `vmf` is mm's own, for a call that has not returned while this value lives. Its VMA, a
///   mapping of a regular file of an `F`, is held meanwhile (`mmap_lock` or the VMA's own lock): it
///   stays as it is, and keeps the file open.
pub(crate) struct Fault<'a, F> {
    vmf: &'a mut bindings::vm_fault,
    order: u32,
    _fs: PhantomData<F>,
}

impl<'a, F: Extents> Fault<'a, F> {
    /// # Safety
    ///
    /// `vmf`: mm's, for a call that has not returned while the value lives, in a mapping of a regular
    /// file of an `F`, whose VMA is held as [`Fault`] says.
    pub(super) unsafe fn new(vmf: &'a mut bindings::vm_fault, order: u32) -> Self {
        // INVARIANT: "fault": clause `vmf`.
        Self {
            vmf,
            order,
            _fs: PhantomData,
        }
    }

    fn vma(&self) -> &VmaRef {
        // SAFETY: The VMA is held: invariant "fault".
        unsafe { VmaRef::from_raw(self.vmf.__bindgen_anon_1.vma) }
    }

    /// The file, which is open while this value lives.
    pub(super) fn file(&self) -> *mut bindings::file {
        // SAFETY: The VMA is held, and stays as it is: invariant "fault".
        unsafe { (*self.vma().as_ptr()).vm_file }
    }

    fn inode(&self) -> &Inode<F> {
        // SAFETY: The file is open, and an `F`'s: invariant "fault".
        unsafe { Inode::of_file(self.file()) }
    }

    /// Whether the fault writes to the file; a write to a private mapping does not.
    pub(crate) fn is_write(&self) -> bool {
        self.vmf.flags & bindings::fault_flag_FAULT_FLAG_WRITE != 0
            && self.vma().flags() & flags::SHARED != 0
    }

    /// The pages of the file that the fault is for: one, or the aligned run of a PMD.
    /// `None` if a PMD cannot be mapped here: not aligned to the file, or larger than the VMA.
    pub(crate) fn pages(&self) -> Option<core::ops::Range<u64>> {
        let place = &self.vmf.__bindgen_anon_1;
        let (pgoff, address) = (place.pgoff as u64, place.address as u64);
        if self.order == 0 {
            return Some(pgoff..pgoff.checked_add(1)?);
        }
        if self.order != bindings::PMD_ORDER {
            return None;
        }
        let color = PMD_BLOCKS - 1;
        let size = PMD_BLOCKS * super::BLOCK_SIZE;
        if pgoff & color != (address >> super::BLOCK_SHIFT) & color {
            return None;
        }
        let start = address & !(size - 1);
        let vma = self.vma();
        if start < vma.start() as u64 || start.checked_add(size)? > vma.end() as u64 {
            return None;
        }
        let first = pgoff & !color;
        Some(first..first.checked_add(PMD_BLOCKS)?)
    }

    /// Updates the file's times for a write. Sleeps; no lock of the file may be held.
    ///
    /// # Errors
    ///
    /// What the transaction says.
    pub(crate) fn modified(&self) -> Result {
        // SAFETY: The VMA's file is open: invariant "fault".
        to_result(unsafe { bindings::file_update_time(self.file()) })
    }

    /// Maps what [`Extents::map`] says. With the lock of another file the answer is SIGBUS.
    pub(crate) fn resolve(&mut self, lock: &InvalidateLockShared<'_, F>) -> FaultResult {
        if !core::ptr::eq(self.inode(), lock.inode()) {
            return FaultResult::from_error(EINVAL);
        }
        let mut pfn = 0;
        // SAFETY: It is mm's fault, for this call: invariant "fault". Its file's `invalidate_lock` is
        // held: invariant "held" of `lock`. The table is one of an `F`, as the file is.
        let mut ret = unsafe {
            bindings::dax_iomap_fault(
                self.vmf,
                self.order,
                &mut pfn,
                core::ptr::null_mut(),
                iomap_operations::<F>(),
            )
        };
        if ret & bindings::vm_fault_reason_VM_FAULT_NEEDDSYNC != 0 {
            // SAFETY: It is mm's fault, for this call: invariant "fault"; `invalidate_lock` is
            // held, and the page frame is the one that the call above gave.
            ret = unsafe { bindings::dax_finish_sync_fault(self.vmf, self.order, pfn) };
        }
        FaultResult(ret)
    }
}
