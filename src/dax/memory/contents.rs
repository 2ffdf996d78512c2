// SPDX-License-Identifier: GPL-2.0

//! Changing the contents of blocks, durably after the next fence: zeroing, copying, writing cache lines back.
//!
//! C source: drivers/dax/super.c.
//!
//! # Locking
//!
//! That of [`Pmem`]. Who else touches the same bytes is the caller's business.

use super::pmem::Pmem;
use crate::{
    bindings,
    dax::BLOCK_SIZE, //
};
use core::ops::Range;
use kernel::{
    error::to_result,
    iov::IovIterSource,
    prelude::*, //
};

impl Pmem {
    /// Zeroes blocks, durably after the next fence. Where the driver can clear poison by that, it does.
    ///
    /// # Errors
    ///
    /// `ERANGE` if they are not all of the mount's part of the device; `EIO`, `ENXIO`. Some may be
    /// zeroes then.
    pub(crate) fn zero(&self, blocks: Range<u64>) -> Result {
        if !blocks.is_empty() && !self.has(&blocks) {
            return Err(ERANGE);
        }
        for block in blocks {
            let page = self.start.checked_add(block).ok_or(ERANGE)?;
            // SAFETY: Paired with the unlock below.
            let id = unsafe { bindings::dax_read_lock() };
            // SAFETY: The device is referenced: invariant "dax"; under dax_read_lock. It has the page:
            // invariant "inside".
            let ret = unsafe { bindings::dax_zero_page_range(self.as_ptr(), page as usize, 1) };
            // SAFETY: Locked above.
            unsafe { bindings::dax_read_unlock(id) };
            to_result(ret)?;
        }
        self.requests.wrote();
        Ok(())
    }

    /// Zeroes `len` bytes at byte `at` of one block, durably after the next fence.
    ///
    /// # Errors
    ///
    /// `EINVAL` if that is not inside of the block; `EIO`, `ENXIO`, `EHWPOISON`.
    pub(crate) fn zero_bytes(&self, block: u64, at: usize, len: usize) -> Result {
        let end = at.checked_add(len).ok_or(EINVAL)?;
        if end as u64 > BLOCK_SIZE {
            return Err(EINVAL);
        }
        self.access(&(block..block.saturating_add(1)), |addr, _, _| {
            // SAFETY: `at + len` is inside of the page that `addr` maps.
            let addr = unsafe { addr.add(at) };
            // SAFETY: `at + len` is inside of the page that `addr` maps; other writers of these
            // bytes are the caller's business, as for memory that user space maps.
            unsafe { addr.write_bytes(0, len) };
            // SAFETY: `at + len` is inside of the page that `addr` maps; the device is referenced:
            // invariant "dax".
            unsafe { bindings::dax_flush(self.as_ptr(), addr.cast(), len) };
            self.requests.wrote();
            Ok(())
        })
    }

    /// Writes the cache lines of one block back that user space may have dirtied.
    ///
    /// # Errors
    ///
    /// `EIO`, `ENXIO`, `EHWPOISON`.
    pub(crate) fn flush(&self, block: u64) -> Result {
        self.access(&(block..block.saturating_add(1)), |addr, _, _| {
            // SAFETY: `addr` maps one page; the device is referenced: invariant "dax".
            unsafe { bindings::dax_flush(self.as_ptr(), addr.cast(), BLOCK_SIZE as usize) };
            self.requests.wrote();
            Ok(())
        })
    }

    /// Copies `bytes` bytes of what `iter` has to the start of one block, durably after the next fence.
    /// Returns how many were copied: fewer where a page of the user's is not there. The caller has
    /// disabled page faults.
    ///
    /// # Errors
    ///
    /// `EINVAL` if that is more than a block; `EIO`, `ENXIO`, `EHWPOISON`.
    pub(in crate::dax) fn copy_from_iter(
        &self,
        block: u64,
        iter: &mut IovIterSource<'_>,
        bytes: usize,
    ) -> Result<usize> {
        if bytes as u64 > BLOCK_SIZE {
            return Err(EINVAL);
        }
        self.access(&(block..block.saturating_add(1)), |addr, _, _| {
            // SAFETY: `addr` maps one page, and `bytes` are not more; the iterator is live.
            let copied = unsafe { bindings::_copy_from_iter(addr.cast(), bytes, iter.as_raw()) };
            // SAFETY: `addr` maps one page, and `copied` is not more than `bytes`; the device is
            // referenced: invariant "dax".
            unsafe { bindings::dax_flush(self.as_ptr(), addr.cast(), copied) };
            self.requests.wrote();
            Ok(copied)
        })
    }

    /// Copies blocks, durably after the next fence. Poison that the CPU meets in the source ends the
    /// copy.
    ///
    /// # Errors
    ///
    /// `EIO` if the source is poisoned, `ENXIO` if the device is gone. The destination's contents
    /// are then undefined.
    pub(crate) fn copy(&self, from: Range<u64>, to: u64) -> Result {
        for (i, source) in from.enumerate() {
            let to = to.checked_add(i as u64).ok_or(ERANGE)?;
            self.access(&(source..source.saturating_add(1)), |src, _, _| {
                self.access(&(to..to.saturating_add(1)), |dst, _, _| {
                    let len = BLOCK_SIZE as usize;
                    // SAFETY: Both map one page; a machine check in the source is survived.
                    let left =
                        unsafe { bindings::copy_mc_to_kernel(dst.cast(), src.cast(), len as u32) };
                    if left != 0 {
                        return Err(EIO);
                    }
                    // SAFETY: `dst` maps one page; the device is referenced: invariant "dax".
                    unsafe { bindings::dax_flush(self.as_ptr(), dst.cast(), len) };
                    Ok(())
                })
            })?;
        }
        self.requests.wrote();
        Ok(())
    }
}
