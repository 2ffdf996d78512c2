// SPDX-License-Identifier: GPL-2.0

//! Bytes of a dax device: reading them, storing them, making them durable.
//!
//! C source: drivers/dax/super.c (`dax_flush`), arch/x86/lib/copy_mc.c.
//!
//! # Locking
//!
//! None in here: who else reads or writes the same bytes is the caller's business.

use crate::{
    bindings,
    dax::{
        Pmem,
        BLOCK_SHIFT,
        BLOCK_SIZE, //
    },
};
use kernel::prelude::*;

impl Pmem {
    /// Runs `f` for each piece of `len` bytes at byte `at` that the device has in one, with its address,
    /// its length, and how many bytes come before it.
    fn each_piece(
        &self,
        at: u64,
        len: usize,
        mut f: impl FnMut(*mut u8, usize, usize) -> Result,
    ) -> Result {
        let mut done = 0;
        while done < len {
            let at = at.checked_add(done as u64).ok_or(ERANGE)?;
            let end = at.checked_add((len - done) as u64).ok_or(ERANGE)?;
            // Less than a block: the cast loses nothing.
            let skip = (at % BLOCK_SIZE) as usize;
            let blocks = at >> BLOCK_SHIFT..end.div_ceil(BLOCK_SIZE);
            done += self.access(&blocks, |addr, _, blocks| {
                let bytes =
                    usize::try_from(blocks.saturating_mul(BLOCK_SIZE)).unwrap_or(usize::MAX);
                let piece = (bytes - skip).min(len - done);
                // SAFETY: `addr` maps one page at least, and `skip` is less than its size.
                f(unsafe { addr.add(skip) }, piece, done)?;
                Ok(piece)
            })?;
        }
        Ok(())
    }

    /// Reads `buf.len()` bytes at byte `at`. Poison that the CPU meets ends that.
    ///
    /// # Errors
    ///
    /// `EHWPOISON` if the driver lists the block as bad; `EIO`; `ENXIO` if the device is gone.
    pub(crate) fn read(&self, at: u64, buf: &mut [u8]) -> Result {
        self.each_piece(at, buf.len(), |addr, len, done| {
            let to = buf.get_mut(done..).ok_or(EIO)?.as_mut_ptr();
            // SAFETY: Both have `len` bytes; a fault or a machine check in the source is survived.
            let left = unsafe {
                bindings::copy_mc_to_kernel(to.cast(), addr.cast_const().cast(), len as u32)
            };
            if left != 0 {
                return Err(EIO);
            }
            Ok(())
        })
    }

    /// Stores bytes at byte `at`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). Some may have been stored then. `EIO` also if what was to be durable
    /// before may not be so.
    pub(crate) fn store(&self, at: u64, bytes: &[u8]) -> Result {
        self.requests.check()?;
        self.each_piece(at, bytes.len(), |addr, len, done| {
            let from = bytes.get(done..).ok_or(EIO)?.as_ptr();
            // SAFETY: Both have `len` bytes, and nobody has a Rust reference to the destination.
            unsafe { addr.copy_from_nonoverlapping(from, len) };
            Ok(())
        })
    }

    /// Stores bytes at byte `at`, past the caches: what [`store`](Self::store) and
    /// [`write_back`](Self::write_back) do.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store).
    pub(crate) fn store_through(&self, at: u64, bytes: &[u8]) -> Result {
        self.requests.check()?;
        self.each_piece(at, bytes.len(), |addr, len, done| {
            let from = bytes.get(done..).ok_or(EIO)?.as_ptr();
            // SAFETY: Both have `len` bytes, and nobody has a Rust reference to the destination.
            unsafe { bindings::daxrmap_memcpy_flushcache(addr.cast(), from.cast(), len) };
            Ok(())
        })?;
        self.requests.wrote();
        Ok(())
    }

    /// Writes the cache lines of `len` bytes at byte `at` back.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(crate) fn write_back(&self, at: u64, len: u64) -> Result {
        let len = usize::try_from(len).map_err(|_| ERANGE)?;
        self.each_piece(at, len, |addr, len, _| {
            // SAFETY: `addr` maps `len` bytes.
            unsafe { bindings::dax_flush(self.as_ptr(), addr.cast(), len) };
            Ok(())
        })?;
        self.requests.wrote();
        Ok(())
    }
}
