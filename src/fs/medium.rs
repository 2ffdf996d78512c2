// SPDX-License-Identifier: GPL-2.0

//! The dax device as what the log is kept on.
//!
//! # Locking
//!
//! None in here; all writers of metadata hold the commit lock.

use super::discoveries::tell_discovered;
use crate::{
    dax::{
        self,
        Pmem, //
    },
    events::Source,
    media::{
        self,
        Medium, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    sync::Arc, //
};

// What is on the medium and what mm maps are counted in the same blocks; neither room may see the other.
const _: () = assert!(dax::BLOCK_SIZE == media::BLOCK_SIZE);

/// The device, not the holder of it: that would be a circle, since failures end in the metadata.
pub(crate) struct PmemMedium {
    pmem: Arc<Pmem>,
    events: Source,
}

impl PmemMedium {
    /// This device. `events` are told of what is found on it.
    pub(super) fn new(pmem: Arc<Pmem>, events: Source) -> Self {
        Self { pmem, events }
    }
}

/// To the log a block that is known to be bad is one that cannot be read, and so is one of a device
/// that is gone.
fn eio(_: Error) -> Error {
    EIO
}

impl Medium for PmemMedium {
    fn read(&self, at: u64, buf: &mut [u8]) -> Result {
        self.pmem.read(at, buf).map_err(eio)
    }

    fn store(&self, at: u64, bytes: &[u8]) -> Result {
        self.pmem.store(at, bytes).map_err(eio)
    }

    fn flush(&self, at: u64, len: u64) -> Result {
        self.pmem.write_back(at, len).map_err(eio)
    }

    fn store_through(&self, at: u64, bytes: &[u8]) -> Result {
        self.pmem.store_through(at, bytes).map_err(eio)
    }

    fn fence(&self) -> Result {
        self.pmem.requests.fence()
    }

    fn known_bad(&self, blocks: &Range<u64>) -> Option<Range<u64>> {
        self.pmem.next_bad(blocks)
    }

    fn discovered(&self, blocks: &Range<u64>) {
        tell_discovered(&self.events, blocks);
    }
}
