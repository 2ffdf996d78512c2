// SPDX-License-Identifier: GPL-2.0

//! Regular files: file operations and address space operations.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! The VFS calls `read`, `write`, `clone_range` and `mmap` without locks of the inode: the filesystem
//! takes them, in the order that [`super::InodeLock`] gives.

use super::{
    fallocate::Fallocate,
    FileSystem,
    Inode,
    InodeLock,
    Ioctl,
    ReadIter,
    WriteIter, //
};
use crate::{
    bindings,
    dax,
    errno::eopnotsupp, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Range, //
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
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
    /// Shares the blocks of `len` bytes at `pos_in` of `src` with `dst` at `pos_out`; returns the
    /// bytes shared.
    fn clone_range(src: &CloneSide<'_, Self>, dst: &CloneSide<'_, Self>, len: u64) -> Result<u64>;
    /// Changes what stands where in the file, as fallocate(2) says.
    fn fallocate(
        inode: &Inode<Self>,
        what: Fallocate,
        range: Range<u64>,
        lock: &InodeLock<'_, Self>,
    ) -> Result;
}

/// One side of a clone: the open file and a byte position in it.
pub(crate) struct CloneSide<'a, F: FileSystem> {
    /// The inode.
    pub(crate) inode: &'a Inode<F>,
    /// Byte position.
    pub(crate) pos: u64,
    file: *mut bindings::file,
}

impl<F: dax::Extents> CloneSide<'_, F> {
    /// Locks both inodes' `i_rwsem`, runs `f` with the bytes to share and the destination's lock,
    /// and unlocks.
    ///
    /// Before `f`: limits, alignment and EOF are checked, the destination's times and set-id bits
    /// changed, and dirty cache lines of both ranges flushed
    /// (`dax_remap_file_range_prep`, fs/remap_range.c).
    ///
    /// # Errors
    ///
    /// `EINVAL` and others, as in ioctl_ficlonerange(2); what `f` says.
    pub(crate) fn with_both_locked(
        src: &Self,
        dst: &Self,
        len: u64,
        f: impl FnOnce(u64, &InodeLock<'_, F>) -> Result<u64>,
    ) -> Result<u64> {
        let (a, b) = (src.inode.as_ptr(), dst.inode.as_ptr());
        let mut len = i64::try_from(len).map_err(|_| EINVAL)?;
        let pos_in = i64::try_from(src.pos).map_err(|_| EINVAL)?;
        let pos_out = i64::try_from(dst.pos).map_err(|_| EINVAL)?;
        // SAFETY: Both inodes are live; one inode twice is allowed.
        unsafe { bindings::lock_two_nondirectories(a, b) };
        // SAFETY: Both files are open, and their inodes locked.
        let ret = unsafe {
            bindings::dax_remap_file_range_prep(
                src.file,
                pos_in,
                dst.file,
                pos_out,
                &mut len,
                0,
                dax::iomap_operations::<F>(),
            )
        };
        let result = match to_result(ret) {
            Ok(()) if len <= 0 => Ok(0),
            Ok(()) => {
                // SAFETY: Locked above; the guard is not dropped.
                let lock = ManuallyDrop::new(unsafe { InodeLock::assume_held(dst.inode) });
                f(len.unsigned_abs(), &lock)
            }
            Err(e) => Err(e),
        };
        // SAFETY: Locked above.
        unsafe { bindings::unlock_two_nondirectories(a, b) };
        result
    }
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
        remap_file_range: Some(Self::remap_file_range),
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
        // SAFETY: As above.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS with an open file of an `F`.
    unsafe extern "C" fn read_iter(
        kiocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: By the caller's promise it is the VFS's own, for this call.
        let kiocb = unsafe { &mut *kiocb };
        // SAFETY: As above.
        let iter = unsafe { &mut *iter };
        // SAFETY: The file is open.
        let inode = unsafe { Inode::<F>::of_file(kiocb.ki_filp) };
        count(F::read(inode, &mut ReadIter::new(kiocb, iter)))
    }

    /// # Safety
    ///
    /// Called by the VFS with an open file of an `F`.
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: By the caller's promise it is the VFS's own, for this call.
        let kiocb = unsafe { &mut *kiocb };
        // SAFETY: As above.
        let iter = unsafe { &mut *iter };
        // SAFETY: The file is open.
        let inode = unsafe { Inode::<F>::of_file(kiocb.ki_filp) };
        match F::write(inode, &mut WriteIter::new(&mut *kiocb, iter)) {
            // SAFETY: The file is open; no lock is held.
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
    /// Called by the VFS with an open file of an `F`.
    unsafe extern "C" fn fsync(
        file: *mut bindings::file,
        start: bindings::loff_t,
        end: bindings::loff_t,
        _datasync: c_int,
    ) -> c_int {
        // Metadata is complete when the call that changed it returns; what is left are the cache
        // lines that user space dirtied through mmap.
        // SAFETY: By the caller's promise.
        unsafe { bindings::file_write_and_wait_range(file, start, end) }
    }

    /// # Safety
    ///
    /// Called by the VFS with a mapping of a regular file of an `F`.
    unsafe extern "C" fn writepages(
        mapping: *mut bindings::address_space,
        wbc: *mut bindings::writeback_control,
    ) -> c_int {
        // SAFETY: By the caller's promise.
        let inode = unsafe { (*mapping).host };
        // SAFETY: A mapping that is written back has its inode.
        let inode = unsafe { Inode::<F>::from_raw(inode) };
        // SAFETY: By the caller's promise; it is the caller's alone.
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
    /// Called by mmap(2) with an open file of an `F`.
    unsafe extern "C" fn mmap_prepare(desc: *mut bindings::vm_area_desc) -> c_int {
        from_result(|| {
            // SAFETY: By the caller's promise.
            let file = unsafe { (*desc).file };
            // SAFETY: The file is open.
            let inode = unsafe { Inode::<F>::of_file(file) };
            let dax_dev = inode.fs().pmem().as_ptr();
            // SAFETY: Both live.
            if !unsafe { bindings::daxrmap_mmap_supported(desc, dax_dev) } {
                return Err(eopnotsupp());
            }
            // SAFETY: The file is open.
            unsafe { bindings::daxrmap_file_accessed(file) };
            // SAFETY: The descriptor is ours to fill.
            unsafe { (*desc).vm_ops = dax::vm_operations::<F>() };
            // SAFETY: As above.
            unsafe { bindings::daxrmap_vma_set_huge(desc) };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS with two open regular files of one mount of `F`.
    unsafe extern "C" fn remap_file_range(
        file_in: *mut bindings::file,
        pos_in: bindings::loff_t,
        file_out: *mut bindings::file,
        pos_out: bindings::loff_t,
        len: bindings::loff_t,
        flags: c_uint,
    ) -> bindings::loff_t {
        let shared = (|| {
            // REMAP_FILE_CAN_SHORTEN is advice; dedupe is not offered.
            if flags & bindings::REMAP_FILE_DEDUP != 0 {
                return Err(eopnotsupp());
            }
            let side = |file: *mut bindings::file, pos: i64| -> Result<CloneSide<'_, F>> {
                Ok(CloneSide {
                    // SAFETY: By the caller's promise.
                    inode: unsafe { Inode::of_file(file) },
                    pos: u64::try_from(pos).map_err(|_| EINVAL)?,
                    file,
                })
            };
            let len = u64::try_from(len).map_err(|_| EINVAL)?;
            F::clone_range(&side(file_in, pos_in)?, &side(file_out, pos_out)?, len)
        })();
        match shared {
            Ok(n) => i64::try_from(n).unwrap_or(i64::MAX),
            Err(e) => e.to_errno().into(),
        }
    }
}

fn count(result: Result<usize>) -> isize {
    match result {
        Ok(n) => isize::try_from(n).unwrap_or(isize::MAX),
        Err(e) => e.to_errno() as isize,
    }
}

pub(super) fn file_operations<F: FileData>() -> &'static bindings::file_operations {
    &Table::<F>::FILE
}

pub(super) fn address_space_operations<F: FileData>() -> &'static bindings::address_space_operations
{
    &Table::<F>::MAPPING
}
