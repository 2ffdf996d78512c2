// SPDX-License-Identifier: GPL-2.0

//! The VM operations of mapped regular files: from mm's faults to [`FileData::fault`].
//!
//! C sources: mm/memory.c, include/linux/mm.h.
//!
//! # Locking
//!
//! mm holds `mmap_lock`, shared, or the VMA's own lock. A fault that writes to the file keeps the
//! filesystem from freezing.

use super::FileData;
use crate::{
    bindings,
    dax::Fault,
    vfs::Inode, //
};
use core::marker::PhantomData;
use kernel::prelude::*;

/// Keeps the filesystem from freezing while a fault writes (`sb_start_pagefault`).
///
/// # Invariants
///
/// - "started": this task has begun that on the inode's super block, and ends it with this value.
struct FreezeProtection<'a, F: FileData>(&'a Inode<F>);

impl<'a, F: FileData> FreezeProtection<'a, F> {
    fn new(inode: &'a Inode<F>) -> Self {
        // SAFETY: The super block is live: invariant "info" of `SuperBlock`.
        unsafe { bindings::daxrmap_sb_start_pagefault(inode.sb().as_ptr()) };
        // INVARIANT: "started": just so.
        Self(inode)
    }
}

impl<F: FileData> Drop for FreezeProtection<'_, F> {
    fn drop(&mut self) {
        // SAFETY: It was begun on this super block, which is live: invariants "started", and "info" of
        // `SuperBlock`.
        unsafe { bindings::daxrmap_sb_end_pagefault(self.0.sb().as_ptr()) };
    }
}

struct Table<F>(PhantomData<F>);

impl<F: FileData> Table<F> {
    const OPS: bindings::vm_operations_struct = bindings::vm_operations_struct {
        fault: Some(Self::fault),
        huge_fault: Some(Self::huge_fault),
        map_pages: Some(Self::map_pages),
        page_mkwrite: Some(Self::fault),
        pfn_mkwrite: Some(Self::fault),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by mm. `vmf`: a fault, for this call alone, in a mapping of a regular file of an `F`,
    /// whose VMA is held as [`Fault`] says.
    unsafe extern "C" fn fault(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
        // SAFETY: It is a fault in a mapping of an `F`'s file: clause `vmf`.
        unsafe { Self::huge_fault(vmf, 0) }
    }

    /// Maps nothing around a page that is read. That there is such a function tells mm that faults need no
    /// `mmap_lock`, but only the VMA's own: without one each fault comes twice, the second time with it
    /// (`vmf_can_call_fault` in mm/memory.c).
    ///
    /// # Safety
    ///
    /// Called by mm.
    unsafe extern "C" fn map_pages(
        _vmf: *mut bindings::vm_fault,
        _from: c_ulong,
        _to: c_ulong,
    ) -> bindings::vm_fault_t {
        0
    }

    /// # Safety
    ///
    /// As `fault`: clause `vmf`.
    unsafe extern "C" fn huge_fault(
        vmf: *mut bindings::vm_fault,
        order: c_uint,
    ) -> bindings::vm_fault_t {
        // SAFETY: It is there for this call alone: clause `vmf`.
        let vmf = unsafe { &mut *vmf };
        // SAFETY: It is mm's, for this call: clause `vmf`.
        let mut fault = unsafe { Fault::<F>::new(vmf, order) };
        // SAFETY: The VMA holds its file, which is an `F`'s: clause `vmf`.
        let inode = unsafe { Inode::<F>::of_file(fault.file()) };
        let _write = fault.is_write().then(|| FreezeProtection::new(inode));
        F::fault(inode, &mut fault).0
    }
}

/// The VM operations of the files of `F`.
pub(super) fn vm_operations<F: FileData>() -> &'static bindings::vm_operations_struct {
    &Table::<F>::OPS
}
