// SPDX-License-Identifier: GPL-2.0

//! Blocks that somebody was about to use, and that turned out to be on the driver's list of bad blocks. Their
//! owners are to be told by a worker, since who finds them holds locks that this takes.
//!
//! One worker at a time goes through what was found, and what is found meanwhile. There is room for a few,
//! made at mount: of a block that there is no room for, the next access finds it again.
//!
//! # Locking
//!
//! A spin lock; nothing is taken inside of it.

use crate::{
    dax,
    events::{
        Cause,
        Event,
        Kind,
        Source, //
    },
};
use core::ops::Range;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        Arc,
        SpinLock, //
    },
};

/// Finds that are remembered.
const ROOM: usize = 64;

/// Tells who listens that these blocks were on the driver's list, or came out of the kernel's map, and
/// nobody had told of them.
pub(super) fn tell_discovered(events: &Source, blocks: &Range<u64>) {
    let bytes = |blocks: u64| blocks.saturating_mul(dax::BLOCK_SIZE);
    let len = blocks.end.saturating_sub(blocks.start);
    events.tell(|| {
        let event = Event::new(Kind::Discovered).because(Cause::Listed);
        event.at(bytes(blocks.start), bytes(len))
    });
}

struct Found {
    ranges: KVec<Range<u64>>,
    has_worker: bool,
}

/// What was found on a mount, and is not dealt with.
#[pin_data]
pub(super) struct Discoveries {
    #[pin]
    found: SpinLock<Found>,
}

impl Discoveries {
    /// Nothing was found yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new() -> Result<Arc<Self>> {
        let found = Found {
            ranges: KVec::with_capacity(ROOM, GFP_KERNEL)?,
            has_worker: false,
        };
        Arc::pin_init(
            pin_init!(Self {
                found <- new_spinlock!(found, "daxrmap::Discoveries"),
            }),
            GFP_KERNEL,
        )
    }

    /// Remembers blocks. Returns whether the caller is to start a worker for them.
    pub(super) fn add(&self, blocks: Range<u64>) -> bool {
        let mut found = self.found.lock();
        if !found.ranges.contains(&blocks) {
            let _ = found.ranges.push_within_capacity(blocks);
        }
        !core::mem::replace(&mut found.has_worker, true)
    }

    /// The next ones for the worker; if there are none, it is none any more.
    pub(super) fn next(&self) -> Option<Range<u64>> {
        let mut found = self.found.lock();
        let blocks = found.ranges.pop();
        found.has_worker = blocks.is_some();
        blocks
    }

    /// The worker could not be started. The one that the next find starts deals with all.
    pub(super) fn has_no_worker(&self) {
        self.found.lock().has_worker = false;
    }
}
