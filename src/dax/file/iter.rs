// SPDX-License-Identifier: GPL-2.0

//! The user's side of read(2), write(2) and their relatives: position and buffer.
//!
//! C header: [`include/linux/uio.h`](srctree/include/linux/uio.h)
//!
//! # Locking
//!
//! Bytes move under locks of the file. Then no page fault of the user's buffer may be taken, as it may
//! be a mapping of the same file: the buffer is faulted in before, without locks, and what is missing
//! then is a short transfer.

use crate::{
    bindings,
    dax,
    vfs::InvalidateLockShared, //
};
use kernel::{
    error::to_result,
    iov::{
        IovIterDest,
        IovIterSource, //
    },
    prelude::*, //
};

/// A read(2) or one of its relatives: where it is, and the user's buffer.
///
/// # Invariants
///
/// - "call": `kiocb` and `iter` are the VFS's, for a call that has not returned while this value lives,
///   on a file that is open.
/// - "advanced": `iter` has moved on by at least so many bytes since this value was made.
pub(crate) struct ReadIter<'a> {
    kiocb: &'a mut bindings::kiocb,
    iter: &'a mut IovIterDest<'a>,
    advanced: usize,
}

/// A write(2) or one of its relatives: where it is, and the user's data.
///
/// # Invariants
///
/// - "call": `kiocb` and `iter` are the VFS's, for a call that has not returned while this value lives,
///   on a file that is open.
/// - "advanced": `iter` has moved on by at least so many bytes since this value was made.
pub(crate) struct WriteIter<'a> {
    kiocb: &'a mut bindings::kiocb,
    iter: &'a mut IovIterSource<'a>,
    advanced: usize,
}

macro_rules! common {
    ($name:ident, $iter:ident, $fault_in:ident) => {
        impl<'a> $name<'a> {
            /// # Safety
            ///
            /// `kiocb`, `iter`: what the VFS has handed to a callback of an open file, which has not
            /// returned for `'a`.
            pub(super) unsafe fn new(
                kiocb: &'a mut bindings::kiocb,
                iter: &'a mut $iter<'a>,
            ) -> Self {
                // INVARIANT: "call": clauses `kiocb` and `iter`. "advanced": it has not moved.
                Self {
                    kiocb,
                    iter,
                    advanced: 0,
                }
            }

            /// Position in the file, in bytes.
            pub(crate) fn pos(&self) -> u64 {
                u64::try_from(self.kiocb.ki_pos).unwrap_or(0)
            }

            /// Bytes that are left.
            pub(crate) fn left(&self) -> usize {
                self.iter.len()
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
                // SAFETY: The iterator is there for the call: invariant "call".
                let missing = unsafe { bindings::$fault_in(self.iter.as_raw(), bytes) };
                if bytes != 0 && missing == bytes {
                    return Err(EFAULT);
                }
                Ok(())
            }

            /// Moves bytes between the file and the user's buffer without taking a page fault of
            /// the user's: at most `bytes`, fewer or `EFAULT` where a page is not there.
            /// Position and iterator advance by what was moved.
            ///
            /// The caller holds `i_rwsem` (exclusively to write); `lock` is the file's, so that its
            /// extents stay while bytes move.
            ///
            /// # Errors
            ///
            /// What `F::map` says; `EFAULT`; `EIO` for a page that the driver or the CPU finds
            /// poisoned; `EINVAL` if `lock` is another file's.
            pub(crate) fn transfer<F: dax::Extents>(
                &mut self,
                bytes: usize,
                lock: &InvalidateLockShared<'_, F>,
            ) -> Result<usize> {
                // SAFETY: The file is open: invariant "call".
                let inode = unsafe { (*self.kiocb.ki_filp).f_inode };
                if inode != lock.inode().as_ptr() {
                    return Err(EINVAL);
                }
                let (iter, whole) = (self.iter.as_raw(), self.left());
                // SAFETY: The iterator is there for the call: invariant "call"; truncated to no more than it has.
                unsafe { bindings::daxrmap_iov_iter_truncate(iter, bytes.min(whole)) };
                let start = self.left();
                // SAFETY: Paired with the enable below; nothing between them sleeps on a fault.
                unsafe { bindings::daxrmap_pagefault_disable() };
                // SAFETY: The file is open: invariant "call". It is `lock`'s, and so an `F`'s, as the
                // table is: compared above.
                let ret = unsafe {
                    bindings::dax_iomap_rw(self.kiocb, iter, dax::iomap_operations::<F>())
                };
                // SAFETY: Paired with the disable above.
                unsafe { bindings::daxrmap_pagefault_enable() };
                let moved = start.saturating_sub(self.left());
                // INVARIANT: "advanced": so many are left no more.
                self.advanced = self.advanced.saturating_add(moved);
                // SAFETY: The iterator is there for the call: invariant "call". It gets back what the
                // truncation above has hidden of it.
                unsafe { bindings::daxrmap_iov_iter_reexpand(iter, whole.saturating_sub(moved)) };
                to_result(ret.min(0) as c_int)?;
                Ok(moved)
            }
        }
    };
}

common!(ReadIter, IovIterDest, fault_in_iov_iter_writeable);
common!(WriteIter, IovIterSource, fault_in_iov_iter_readable);

impl ReadIter<'_> {
    /// Updates the access time, as the mount's options say.
    pub(crate) fn accessed(&self) {
        // SAFETY: The file is open: invariant "call".
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
        // SAFETY: Both are there for the call, the file open: invariant "call".
        let ret = unsafe { bindings::generic_write_checks(self.kiocb, self.iter.as_raw()) };
        to_result(ret.min(0) as c_int)?;
        Ok(ret.unsigned_abs())
    }

    /// Drops set-id bits and updates the times. The caller holds `i_rwsem` exclusively.
    ///
    /// # Errors
    ///
    /// What the transactions behind that say; `EAGAIN` if the caller does not want to wait for one.
    pub(crate) fn modified(&mut self) -> Result {
        // SAFETY: It is there for the call, its file open: invariant "call".
        to_result(unsafe { bindings::kiocb_modified(self.kiocb) })
    }

    /// Copies the user's data to a block, durably, without taking a page fault of the user's: at
    /// most `bytes` of it, from the start of the block on. Position and iterator advance by what
    /// was copied, which is returned: fewer where a page is not there.
    ///
    /// # Errors
    ///
    /// `EIO`, `ENXIO`; `EHWPOISON` if the driver knows the block as bad.
    pub(crate) fn copy_to_block(
        &mut self,
        device: &dax::Pmem,
        block: u64,
        bytes: usize,
    ) -> Result<usize> {
        let bytes = bytes.min(self.left());
        // SAFETY: Paired with the enable below; nothing between them sleeps on a fault.
        unsafe { bindings::daxrmap_pagefault_disable() };
        let copied = device.copy_from_iter(block, self.iter, bytes);
        // SAFETY: Paired with the disable above.
        unsafe { bindings::daxrmap_pagefault_enable() };
        let copied = copied?;
        // INVARIANT: "advanced": copying moves it.
        self.advanced = self.advanced.saturating_add(copied);
        let moved = bindings::loff_t::try_from(copied).map_err(|_| EIO)?;
        self.kiocb.ki_pos = self.kiocb.ki_pos.saturating_add(moved);
        Ok(copied)
    }

    /// Takes back the last `bytes` that were copied.
    pub(crate) fn revert(&mut self, bytes: usize) {
        let bytes = bytes.min(self.advanced);
        // INVARIANT: "advanced": it moves back by as much.
        self.advanced -= bytes;
        // SAFETY: It has moved on by as much: invariant "advanced".
        unsafe { self.iter.revert(bytes) };
        let moved = bindings::loff_t::try_from(bytes).unwrap_or(0);
        self.kiocb.ki_pos = self.kiocb.ki_pos.saturating_sub(moved);
    }
}
