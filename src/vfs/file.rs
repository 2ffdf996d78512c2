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
    FileSystem,
    Inode,
    InodeLock, //
};
use crate::{
    bindings,
    dax,
    errno::eopnotsupp, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop, //
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*, //
};

/// A read(2) or one of its relatives: where it is, and the user's buffer.
pub(crate) struct ReadIter<'a> {
    kiocb: &'a mut bindings::kiocb,
    iter: &'a mut bindings::iov_iter,
}

/// A write(2) or one of its relatives: where it is, and the user's data.
pub(crate) struct WriteIter<'a> {
    kiocb: &'a mut bindings::kiocb,
    iter: &'a mut bindings::iov_iter,
}

macro_rules! common {
    ($name:ident, $fault_in:ident) => {
        impl $name<'_> {
            /// Position in the file, in bytes.
            pub(crate) fn pos(&self) -> u64 {
                u64::try_from(self.kiocb.ki_pos).unwrap_or(0)
            }

            /// Bytes that are left.
            pub(crate) fn left(&self) -> usize {
                // SAFETY: The iterator is the VFS's own.
                unsafe { bindings::daxrmap_iov_iter_count(self.iter) }
            }

            /// Whether the caller would rather have `EAGAIN` than wait.
            pub(crate) fn nowait(&self) -> bool {
                self.kiocb.ki_flags & bindings::IOCB_NOWAIT as c_int != 0
            }

            /// Faults the user's pages in, at most `bytes`. Sleeps; no lock of a file may be held.
            ///
            /// # Errors
            ///
            /// `EFAULT` if not even the first byte can be reached.
            pub(crate) fn fault_in(&mut self, bytes: usize) -> Result {
                let bytes = bytes.min(self.left());
                // SAFETY: The iterator is the VFS's own.
                let missing = unsafe { bindings::$fault_in(self.iter, bytes) };
                if bytes != 0 && missing == bytes {
                    return Err(EFAULT);
                }
                Ok(())
            }

            /// Moves bytes between the file and the user's buffer without taking a page fault of
            /// the user's: at most `bytes`, fewer or `EFAULT` where a page is not there.
            /// Position and iterator advance by what was moved.
            ///
            /// The caller holds `i_rwsem` (exclusively to write) and the file's
            /// `invalidate_lock`, so that its extents stay while bytes move.
            ///
            /// # Errors
            ///
            /// What `F::map` says; `EFAULT`; `EIO` for a page that the driver or the CPU finds
            /// poisoned.
            pub(crate) fn transfer<F: dax::Extents>(
                &mut self,
                bytes: usize,
                _lock: &super::InvalidateLockShared<'_, F>,
            ) -> Result<usize> {
                let whole = self.left();
                // SAFETY: The iterator is the VFS's own; truncated to less than it has.
                unsafe { bindings::daxrmap_iov_iter_truncate(self.iter, bytes.min(whole)) };
                let start = self.left();
                // SAFETY: Paired with the enable below; nothing between them sleeps on a fault.
                unsafe { bindings::daxrmap_pagefault_disable() };
                // SAFETY: Locks are held as dax_iomap_rw wants them.
                let ret = unsafe {
                    bindings::dax_iomap_rw(self.kiocb, self.iter, dax::iomap_operations::<F>())
                };
                // SAFETY: Paired with the disable above.
                unsafe { bindings::daxrmap_pagefault_enable() };
                let moved = start.saturating_sub(self.left());
                // SAFETY: Gives back what the truncation hid.
                unsafe {
                    bindings::daxrmap_iov_iter_reexpand(self.iter, whole.saturating_sub(moved))
                };
                if ret < 0 {
                    return Err(Error::from_errno(i32::try_from(ret).unwrap_or(-5)));
                }
                Ok(moved)
            }
        }
    };
}

common!(ReadIter, fault_in_iov_iter_writeable);
common!(WriteIter, fault_in_iov_iter_readable);

impl ReadIter<'_> {
    /// Updates the access time, as the mount's options say.
    pub(crate) fn accessed(&self) {
        // SAFETY: The file is open during the call.
        unsafe { bindings::daxrmap_file_accessed(self.kiocb.ki_filp) };
    }
}

impl WriteIter<'_> {
    /// Checks limits and O_APPEND, and clips; returns the bytes to write.
    /// The caller holds `i_rwsem` exclusively.
    ///
    /// # Errors
    ///
    /// `EFBIG`, `EINVAL`, as in write(2).
    pub(crate) fn checks(&mut self) -> Result<usize> {
        // SAFETY: The VFS's own kiocb and iterator, `i_rwsem` held.
        let ret = unsafe { bindings::generic_write_checks(self.kiocb, self.iter) };
        if ret < 0 {
            return Err(Error::from_errno(i32::try_from(ret).unwrap_or(-5)));
        }
        Ok(usize::try_from(ret).unwrap_or(0))
    }

    /// Drops set-id bits and updates the times. The caller holds `i_rwsem` exclusively.
    ///
    /// # Errors
    ///
    /// What the transactions behind that say.
    pub(crate) fn modified(&self) -> Result {
        // SAFETY: The file is open during the call.
        to_result(unsafe { bindings::file_modified(self.kiocb.ki_filp) })
    }
}

/// The data of regular files.
pub(crate) trait FileData: dax::Extents {
    /// Reads; returns the bytes read, 0 at the end of the file.
    fn read(inode: &Inode<Self>, io: &mut ReadIter<'_>) -> Result<usize>;
    /// Writes; returns the bytes written.
    fn write(inode: &Inode<Self>, io: &mut WriteIter<'_>) -> Result<usize>;
    /// Answers a page fault; see [`dax::Fault`].
    fn fault(inode: &Inode<Self>, fault: &mut dax::Fault<'_, Self>) -> dax::FaultResult;
    /// Shares the blocks of `len` bytes at `pos_in` of `src` with `dst` at `pos_out`; returns the
    /// bytes shared.
    fn clone_range(src: &CloneSide<'_, Self>, dst: &CloneSide<'_, Self>, len: u64) -> Result<u64>;
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
        llseek: Some(bindings::generic_file_llseek),
        read_iter: Some(Self::read_iter),
        write_iter: Some(Self::write_iter),
        fsync: Some(Self::fsync),
        mmap_prepare: Some(Self::mmap_prepare),
        get_unmapped_area: Some(bindings::thp_get_unmapped_area),
        remap_file_range: Some(Self::remap_file_range),
        splice_read: Some(bindings::copy_splice_read),
        splice_write: Some(bindings::iter_file_splice_write),
        fop_flags: bindings::FOP_MMAP_SYNC,
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
        count(F::read(inode, &mut ReadIter { kiocb, iter }))
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
        match F::write(
            inode,
            &mut WriteIter {
                kiocb: &mut *kiocb,
                iter,
            },
        ) {
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
        let dax_dev = inode.fs().dax_device().as_ptr();
        // SAFETY: The device is this mount's, and alive as long as it is mounted.
        unsafe { bindings::dax_writeback_mapping_range(mapping, dax_dev, wbc) }
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
            let dax_dev = inode.fs().dax_device().as_ptr();
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
