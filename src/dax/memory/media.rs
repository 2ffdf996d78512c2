// SPDX-License-Identifier: GPL-2.0

//! Whether the memory of a block is good: asking for the page's flag, setting it, and a test.
//!
//! C source: drivers/nvdimm/pmem.c. Where `dax_zero_page_range` meets a block of the driver's list it
//! clears the poison; if the page is flagged, it takes the flag away, and puts the page back into the
//! kernel's own map.
//!
//! # Locking
//!
//! None. For the test the caller sees to it that nobody else uses the block, whose contents are lost.

use super::device_page::DevicePage;
use crate::{
    bindings,
    dax::{
        Pmem,
        BLOCK_SIZE, //
    },
};
use kernel::prelude::*;

const WORDS: usize = BLOCK_SIZE as usize / size_of::<u64>();

/// A different word for each place on the device.
fn pattern(block: u64, word: usize) -> u64 {
    // 2^64 divided by the golden ratio.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let place = block.wrapping_mul(WORDS as u64).wrapping_add(word as u64);
    place.wrapping_add(1).wrapping_mul(STEP)
}

/// Flags a page frame of a device as poisoned, for the driver that may clear it later; unless it is gone.
pub(crate) fn mark_poisoned(pfn: u64) {
    if let Some(page) = DevicePage::get(pfn) {
        // SAFETY: The page has its struct: invariant "held" of `DevicePage`.
        unsafe { bindings::daxrmap_mark_poisoned(page.pfn(), true) };
    }
}

impl Pmem {
    /// Whether the block's page is flagged as poisoned, or is not in the kernel's own map.
    ///
    /// # Errors
    ///
    /// `ENXIO` if the device is gone.
    pub(crate) fn is_poisoned(&self, block: u64) -> Result<bool> {
        let poisoned = self.while_alive(|| {
            let pfn = self.pfn(block)?;
            let page = DevicePage::get(pfn).ok_or(ENXIO)?;
            // SAFETY: The page has its struct: invariant "held" of `DevicePage`.
            let flagged = unsafe { bindings::daxrmap_is_poisoned(page.pfn()) };
            Ok(flagged || self.next_unmapped(&(pfn..pfn.saturating_add(1))).is_some())
        });
        poisoned.unwrap_or(Err(ENXIO))
    }

    /// Flags the block's page as poisoned.
    ///
    /// # Errors
    ///
    /// `ENXIO` if the device is gone.
    pub(crate) fn mark_poisoned(&self, block: u64) -> Result {
        let marked = self.while_alive(|| self.pfn(block).map(mark_poisoned));
        marked.unwrap_or(Err(ENXIO))
    }

    /// Writes a pattern to a block and reads it back, then its complement: each bit is both once.
    /// The reads come from the memory, not from a cache; poison that they meet ends the test. Calls
    /// `between` after each write.
    ///
    /// # Errors
    ///
    /// `EIO` if the block fails, `EHWPOISON` if the driver lists it as bad; `ENXIO`, `ENOMEM`.
    pub(crate) fn test(&self, block: u64, between: impl Fn()) -> Result {
        let mut wrote = KVec::from_elem(0u64, WORDS, GFP_KERNEL)?;
        let mut read = KVec::from_elem(0u64, WORDS, GFP_KERNEL)?;
        for flip in [0, u64::MAX] {
            for (i, word) in wrote.iter_mut().enumerate() {
                *word = pattern(block, i) ^ flip;
            }
            self.access(&(block..block.saturating_add(1)), |addr, _, _| {
                let len = BLOCK_SIZE as usize;
                let (from, to) = (wrote.as_ptr(), read.as_mut_ptr());
                // SAFETY: `addr` maps one page, and `from` has as many bytes.
                unsafe { bindings::daxrmap_memcpy_flushcache(addr.cast(), from.cast(), len) };
                between();
                // SAFETY: `addr` maps one page, which has as many bytes.
                unsafe { bindings::daxrmap_invalidate_pmem(addr.cast(), len) };
                // SAFETY: `addr` maps one page, and `to` has as many bytes; a machine check in the
                // source is survived.
                let left =
                    unsafe { bindings::copy_mc_to_kernel(to.cast(), addr.cast(), len as u32) };
                if left != 0 {
                    return Err(EIO);
                }
                Ok(())
            })?;
            if wrote.as_slice() != read.as_slice() {
                return Err(EIO);
            }
        }
        Ok(())
    }
}
