// SPDX-License-Identifier: GPL-2.0

//! Reading pages for no other reason than to see whether they can be read, and saying so of one that cannot.
//!
//! The copy is the one by which read(2) of a DAX file reads: an exception in the source, by poison or because
//! the kernel has taken the page out of its own map, ends it, and nobody dies. C source:
//! arch/x86/lib/copy_mc.c, mm/memory-failure.c.
//!
//! # Locking
//!
//! That of [`Pmem`], for a run of blocks. What is read may change meanwhile, or be freed: nobody looks at it.

use super::device_page::DevicePage;
use crate::{
    bindings,
    dax::{
        Pmem,
        BLOCK_SIZE, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Blocks that are read while the device's removal waits.
const RUN: u64 = 64;

/// What stands behind a run of good blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// What was not looked at.
    More,
    /// So many blocks, one at least, that are known as bad: on the driver's list, or flagged by the kernel.
    Known(u64),
    /// A block that cannot be read.
    Bad,
}

/// Where to read to. The bytes are of no interest.
pub(crate) struct Bounce(KVec<u8>);

impl Bounce {
    /// # Errors
    ///
    /// `EOPNOTSUPP` if this CPU's copy would not survive poison; `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: Asks about the CPU.
        if !unsafe { bindings::daxrmap_survives_poison() } {
            return Err(crate::errno::eopnotsupp());
        }
        Ok(Self(KVec::from_elem(0, BLOCK_SIZE as usize, GFP_KERNEL)?))
    }
}

impl Pmem {
    /// Reads blocks from the first on, some of them at most. Returns how many could be read, and what comes
    /// next.
    ///
    /// # Errors
    ///
    /// `ERANGE` if they are not all of the device's; `EIO`, `ENXIO` if the device is gone.
    pub(crate) fn scrub(&self, blocks: &Range<u64>, bounce: &mut Bounce) -> Result<(u64, Behind)> {
        let end = blocks.end.min(blocks.start.saturating_add(RUN));
        let listed = self.next_bad(&(blocks.start..end));
        let (end, behind) = match listed {
            Some(bad) => {
                let count = bad.end.saturating_sub(bad.start);
                (bad.start, Behind::Known(count))
            }
            None => (end, Behind::More),
        };
        let good = blocks.start..end;
        if good.is_empty() && behind != Behind::More {
            return Ok((0, behind));
        }
        let read = self.access(&good, |addr, pfn, count| {
            let first = DevicePage::get(pfn).ok_or(ENXIO)?;
            let last = pfn.saturating_add(count.saturating_sub(1));
            if !first.runs_to(&DevicePage::get(last).ok_or(ENXIO)?) {
                return Err(ENXIO);
            }
            for i in 0..count {
                // SAFETY: The page is one of the run, which has its structs: invariant "held" of
                // `DevicePage`.
                if unsafe { bindings::daxrmap_is_poisoned((pfn + i) as usize) } {
                    return Ok((i, Behind::Known(1)));
                }
                let len = BLOCK_SIZE as usize;
                // SAFETY: `addr` maps `count` pages.
                let from = unsafe { addr.add(i as usize * len) };
                let to = bounce.0.as_mut_ptr();
                // SAFETY: `from` maps one page, and `to` has as many bytes; an exception in the source is
                // survived.
                let left = unsafe {
                    bindings::copy_mc_to_kernel(to.cast(), from.cast_const().cast(), len as u32)
                };
                if left != 0 {
                    return Ok((i, Behind::Bad));
                }
            }
            // The driver may have given fewer than there are.
            let all = count == good.end.saturating_sub(good.start);
            Ok((count, if all { behind } else { Behind::More }))
        });
        match read {
            // It came on the list since.
            Err(e) if e == Error::from_errno(-(bindings::EHWPOISON as i32)) => {
                Ok((0, Behind::Known(1)))
            }
            read => read,
        }
    }
}
