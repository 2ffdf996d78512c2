// SPDX-License-Identifier: GPL-2.0

//! Which part of a dax device a mount is on: that of its block device, all of it or a partition.
//!
//! # Locking
//!
//! None: the numbers are read once, while the mount is made.

use crate::{
    dax::BLOCK_SIZE,
    vfs::{
        FileSystem,
        NewSuper, //
    },
};
use kernel::prelude::*;

/// The part of a dax device that a block device covers, in bytes of the dax device.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// First byte, counted from the start of the dax device.
    pub(crate) start: u64,
    /// Length, in bytes.
    pub(crate) len: u64,
}

impl Part {
    /// The part that is to be mounted.
    ///
    /// # Errors
    ///
    /// `ENXIO` if there is no block device.
    pub(crate) fn of<F: FileSystem>(sb: &NewSuper<F>) -> Result<Self> {
        const SECTOR: u64 = 512;
        let bdev = sb.bdev().ok_or(ENXIO)?.as_ptr();
        // SAFETY: The block device is open: invariant "filling" of `NewSuper`; the field does not change.
        let start = unsafe { (*bdev).bd_start_sect };
        // SAFETY: The block device is open: invariant "filling" of `NewSuper`; a racing resize gives the
        // old or the new value.
        let len = unsafe { (*bdev).bd_nr_sectors };
        Ok(Self {
            start: start.saturating_mul(SECTOR),
            len: len.saturating_mul(SECTOR),
        })
    }

    /// Whether it begins and ends at a page.
    pub(crate) fn is_aligned(&self) -> bool {
        self.start % BLOCK_SIZE == 0 && self.len % BLOCK_SIZE == 0
    }
}
