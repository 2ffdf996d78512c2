// SPDX-License-Identifier: GPL-2.0

//! Regular files: file operations and address space operations.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! The VFS calls `read`, `write`, `remap` and `mmap` without locks of the inode: the filesystem
//! takes them, in the order that [`super::InodeLock`] gives.

use super::{
    answer::{
        from_result,
        outside, //
    },
    fallocate::Fallocate,
    Inode,
    InodeLock,
    Ioctl,
    ReadIter,
    Remap,
    WriteIter, //
};
use crate::{
    bindings,
    dax,
    errno::eopnotsupp, //
};
use core::{
    marker::PhantomData,
    ops::Range, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// The data of regular files.
pub(crate) trait FileData: dax::Extents + Ioctl {
    /// Reads; returns the bytes read, 0 at the end of the file.
    fn read(inode: &Inode<Self>, io: &mut ReadIter<'_>) -> Result<usize>;
    /// Writes; returns the bytes written.
    fn write(inode: &Inode<Self>, io: &mut WriteIter<'_>) -> Result<usize>;
    /// Answers a page fault; see [`dax::Fault`].
    fn fault(inode: &Inode<Self>, fault: &mut dax::Fault<'_, Self>) -> dax::FaultResult;
    /// Makes what was written through mmap durable. A lock may be held: see [`dax::Writeback`].
    fn write_back(what: &mut dax::Writeback<'_, Self>) -> Result;
    /// Shares the blocks of a range of one file with another; returns the bytes shared.
    fn remap(range: &Remap<'_, Self>) -> Result<u64>;
    /// Whether there is room for what fallocate(2) asks for, as far as that is known before.
    fn check_room(inode: &Inode<Self>, what: Fallocate, range: &Range<u64>) -> Result;
    /// Changes what stands where in the file, as fallocate(2) says.
    fn fallocate(
        inode: &Inode<Self>,
        what: Fallocate,
        range: Range<u64>,
        lock: &InodeLock<'_, Self>,
    ) -> Result;
}

struct Table<F>(PhantomData<F>);

impl<F: FileData> Table<F> {
    const FILE: bindings::file_operations = bindings::file_operations {
        open: Some(super::seek::open),
        llseek: Some(super::seek::llseek::<F>),
        read_iter: Some(Self::read_iter),
        write_iter: Some(Self::write_iter),
        unlocked_ioctl: Some(super::ioctl::unlocked_ioctl::<F>),
        compat_ioctl: bindings::compat_ptr_ioctl,
        fsync: Some(Self::fsync),
        mmap_prepare: Some(Self::mmap_prepare),
        get_unmapped_area: Some(bindings::thp_get_unmapped_area),
        remap_file_range: Some(super::remap::remap_file_range::<F>),
        fallocate: Some(super::fallocate::fallocate::<F>),
        splice_read: Some(bindings::copy_splice_read),
        splice_write: Some(bindings::iter_file_splice_write),
        // The last two: it may be asked not to wait, without O_DIRECT too.
        fop_flags: bindings::FOP_MMAP_SYNC
            | bindings::FOP_BUFFER_RASYNC
            | bindings::FOP_BUFFER_WASYNC,
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    const MAPPING: bindings::address_space_operations = bindings::address_space_operations {
        writepages: Some(Self::writepages),
        dirty_folio: Some(bindings::noop_dirty_folio),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `kiocb`: for this call alone, until it returns; of an open file of an `F`.
    /// - `iter`: for this call alone.
    unsafe extern "C" fn read_iter(
        kiocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: It is there for this call alone: clause `kiocb`.
        let kiocb = unsafe { &mut *kiocb };
        // SAFETY: It is there for this call alone: clause `iter`.
        let iter = unsafe { &mut *iter };
        // SAFETY: The file is open, and an `F`'s: clause `kiocb`.
        let inode = unsafe { Inode::<F>::of_file(kiocb.ki_filp) };
        // SAFETY: They are the VFS's, for this call, on an open file: clauses `kiocb` and `iter`.
        let mut io = unsafe { ReadIter::new(kiocb, iter) };
        count(F::read(inode, &mut io))
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `kiocb`: for this call alone, until it returns; of an open file of an `F`.
    /// - `iter`: for this call alone.
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: It is there for this call alone: clause `kiocb`.
        let kiocb = unsafe { &mut *kiocb };
        // SAFETY: It is there for this call alone: clause `iter`.
        let iter = unsafe { &mut *iter };
        // SAFETY: The file is open, and an `F`'s: clause `kiocb`.
        let inode = unsafe { Inode::<F>::of_file(kiocb.ki_filp) };
        // SAFETY: They are the VFS's, for this call, on an open file: clauses `kiocb` and `iter`.
        let mut io = unsafe { WriteIter::new(&mut *kiocb, iter) };
        match F::write(inode, &mut io) {
            // SAFETY: It is a `kiocb` of an open file: clause `kiocb`; no lock is held.
            Ok(n) if n > 0 => unsafe {
                bindings::daxrmap_generic_write_sync(
                    kiocb,
                    isize::try_from(n).unwrap_or(isize::MAX),
                )
            },
            result => count(result),
        }
    }

    /// # Safety
    ///
    /// Called by the VFS. `file`: an open file of an `F`.
    unsafe extern "C" fn fsync(
        file: *mut bindings::file,
        start: bindings::loff_t,
        end: bindings::loff_t,
        _datasync: c_int,
    ) -> c_int {
        // Metadata is complete when the call that changed it returns; what is left are the cache
        // lines that user space dirtied through mmap, and what the device has still to do.
        // SAFETY: The file is open: clause `file`.
        let written = unsafe { bindings::file_write_and_wait_range(file, start, end) };
        from_result(|| {
            // SAFETY: The file is open, and of an `F`: clause `file`.
            let inode = unsafe { Inode::<F>::of_file(file) };
            // Also if it was not written: other data may have been.
            let synced = inode.fs().sync();
            to_result(written).and(synced).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by whoever writes back.
    /// - `mapping`: of a live regular file of an `F`.
    /// - `wbc`: for this call alone.
    unsafe extern "C" fn writepages(
        mapping: *mut bindings::address_space,
        wbc: *mut bindings::writeback_control,
    ) -> c_int {
        // SAFETY: It is there for the call: clause `mapping`.
        let inode = unsafe { (*mapping).host };
        // SAFETY: It is a live one of an `F`: clause `mapping`.
        let inode = unsafe { Inode::<F>::from_raw(inode) };
        // SAFETY: It is there for this call alone: clause `wbc`.
        let wbc = unsafe { &mut *wbc };
        from_result(|| {
            if let Some(mut what) = dax::Writeback::new(inode, wbc) {
                F::write_back(&mut what)?;
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by mmap(2). `desc`: for this call alone, of an open file of an `F`.
    unsafe extern "C" fn mmap_prepare(desc: *mut bindings::vm_area_desc) -> c_int {
        from_result(|| {
            // SAFETY: It is there for the call: clause `desc`.
            let file = unsafe { (*desc).file };
            // SAFETY: The file is open, and an `F`'s: clause `desc`.
            let inode = unsafe { Inode::<F>::of_file(file) };
            let dax_dev = inode.fs().pmem().as_ptr();
            // SAFETY: The descriptor is there for the call: clause `desc`. The dax device is referenced by
            // the mount's `Pmem`.
            if !unsafe { bindings::daxrmap_mmap_supported(desc, dax_dev) } {
                return Err(eopnotsupp());
            }
            // SAFETY: The file is open: clause `desc`.
            unsafe { bindings::daxrmap_file_accessed(file) };
            // SAFETY: It is ours to fill: clause `desc`.
            unsafe { (*desc).vm_ops = dax::vm_operations::<F>() };
            // SAFETY: It is ours to fill: clause `desc`.
            unsafe { bindings::daxrmap_vma_set_huge(desc) };
            Ok(0)
        })
    }
}

fn count(result: Result<usize>) -> isize {
    match result {
        Ok(n) => isize::try_from(n).unwrap_or(isize::MAX),
        Err(e) => outside(e).to_errno() as isize,
    }
}

pub(super) fn file_operations<F: FileData>() -> &'static bindings::file_operations {
    &Table::<F>::FILE
}

pub(super) fn address_space_operations<F: FileData>() -> &'static bindings::address_space_operations
{
    &Table::<F>::MAPPING
}
