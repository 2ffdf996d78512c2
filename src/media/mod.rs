// SPDX-License-Identifier: GPL-2.0

//! What is on the medium: superblocks and the metadata log. Documentation/format.rst has every field.
//!
//! This room is pure: it knows bytes, not what they mean to the filesystem. [`Medium`] is all that it
//! needs of the device.
//!
//! # Persistence
//!
//! A store is durable once it was flushed and a fence came after that. The log relies on nothing
//! else: not on an order of stores between two fences, nor on atomicity of more than a byte.
//!
//! # Locking
//!
//! None in here. The caller serialises writers: in the module by the commit lock.

mod bytes;
mod log;
mod replay;
mod superblock;

#[cfg(not(MODULE))]
pub(crate) use self::superblock::PLACE_SIZE;
pub(crate) use self::{
    bytes::{
        Reader,
        Sink,
        SliceSink, //
    },
    log::{
        Log,
        RecordKind,
        RecordWriter,
        Region, //
    },
    replay::Replay,
    superblock::{
        Features,
        Secret,
        Superblock,
        LABEL_BYTES, //
    },
};

use core::ops::{
    Deref,
    Range, //
};
use kernel::prelude::*;

/// Bytes in a block.
pub(crate) const BLOCK_SIZE: u64 = 4096;

/// A filesystem's part of a device, as bytes: positions are bytes from its start, blocks are of
/// [`BLOCK_SIZE`].
pub(crate) trait Medium {
    /// Reads `buf.len()` bytes at byte `at`.
    ///
    /// # Errors
    ///
    /// `EIO` if one of them is poisoned, or is not on the medium.
    fn read(&self, at: u64, buf: &mut [u8]) -> Result;

    /// Stores bytes at byte `at`. They may be durable at any time from now on, in any order.
    ///
    /// # Errors
    ///
    /// `EIO` if they are not on the medium, or the device is gone.
    fn store(&self, at: u64, bytes: &[u8]) -> Result;

    /// Begins to make what was stored in these bytes durable.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store).
    fn flush(&self, at: u64, len: u64) -> Result;

    /// [Stores](Self::store) bytes, and begins to make them durable.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store).
    fn store_through(&self, at: u64, bytes: &[u8]) -> Result {
        self.store(at, bytes)?;
        self.flush(at, bytes.len() as u64)
    }

    /// All that was flushed before is durable when this returns.
    ///
    /// # Errors
    ///
    /// `EIO` if that cannot be known. Nothing can be stored any more then.
    fn fence(&self) -> Result;

    /// The first of these blocks that are known to be bad without anybody having tried, as many as
    /// follow each other.
    fn known_bad(&self, _blocks: &Range<u64>) -> Option<Range<u64>> {
        None
    }

    /// Hears that blocks which it [knows](Self::known_bad) as bad were not known to the metadata, and are now.
    fn discovered(&self, _blocks: &Range<u64>) {}
}

impl<T: Deref<Target: Medium>> Medium for T {
    fn read(&self, at: u64, buf: &mut [u8]) -> Result {
        (**self).read(at, buf)
    }

    fn store(&self, at: u64, bytes: &[u8]) -> Result {
        (**self).store(at, bytes)
    }

    fn flush(&self, at: u64, len: u64) -> Result {
        (**self).flush(at, len)
    }

    fn store_through(&self, at: u64, bytes: &[u8]) -> Result {
        (**self).store_through(at, bytes)
    }

    fn fence(&self) -> Result {
        (**self).fence()
    }

    fn known_bad(&self, blocks: &Range<u64>) -> Option<Range<u64>> {
        (**self).known_bad(blocks)
    }

    fn discovered(&self, blocks: &Range<u64>) {
        (**self).discovered(blocks);
    }
}
