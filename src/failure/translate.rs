// SPDX-License-Identifier: GPL-2.0

//! Step 1 of a failure: which blocks of the mount the bytes of the device are that have failed.
//!
//! # Locking
//!
//! None: pure arithmetic on values from outside.

use core::ops::Range;
use kernel::prelude::*;

/// The mount's part of the device, in bytes of the device.
#[derive(Clone, Copy)]
pub(crate) struct MountPart {
    /// First byte; a multiple of the block size.
    pub(crate) start: u64,
    /// Bytes; a multiple of the block size.
    pub(crate) len: u64,
}

/// The blocks of the mount that bytes `offset..offset + len` of the device touch, counted from the
/// part's start; a block is `1 << shift` bytes. What lies outside of the part is cut off; `u64::MAX`
/// bytes reach to the end.
///
/// # Errors
///
/// `ENXIO` if nothing of the range is in the part, `EINVAL` if it is empty.
pub(crate) fn blocks(part: MountPart, offset: u64, len: u64, shift: u32) -> Result<Range<u64>> {
    if len == 0 {
        return Err(EINVAL);
    }
    let part_end = part.start.saturating_add(part.len);
    let first = offset.max(part.start);
    let end = offset.saturating_add(len).min(part_end);
    if first >= end {
        return Err(ENXIO);
    }
    // Neither subtraction can go below zero: `first >= part.start`, `end > first`.
    let first = first.saturating_sub(part.start) >> shift;
    let last = end.saturating_sub(part.start).saturating_sub(1) >> shift;
    Ok(first..last.saturating_add(1))
}
