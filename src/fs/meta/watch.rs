// SPDX-License-Identifier: GPL-2.0

//! What the kernel's log, and who listens to events, are told of the journal: that it was on bad blocks and has moved, that it cannot,
//! that the metadata are not consistent.
//!
//! [`Watch`] is taken before a change of the metadata, and [told](Watch::tell) after it, whether that
//! went well or not: each line is written once, when it comes to be so.
//!
//! # Locking
//!
//! The caller holds the commit lock from before the change until after it.

use super::{
    health::{
        Health,
        Room, //
    },
    shared::Shared, //
};
use crate::{
    dax,
    events::{
        Event,
        Kind, //
    },
    media::Region, //
};
use kernel::prelude::*;

/// There is room in the log again once one part of so many is free.
const ROOM: u64 = 16;

/// How the metadata were before a change.
pub(super) struct Watch {
    /// Where the log's two regions are.
    regions: [Region; 2],
    writable: bool,
    corrupt: bool,
}

impl Watch {
    /// How they are now.
    pub(super) fn new(store: &Shared) -> Self {
        Watch {
            regions: store.journal().superblock().regions,
            writable: store.is_writable(),
            corrupt: store.state().is_corrupt(),
        }
    }

    /// Tells the log what is not so any more. `errno`: what the change has ended with.
    pub(super) fn tell(self, store: &mut Shared, health: &Health, errno: c_int) {
        let name = health.name();
        health.see_flushes();
        let found = store.take_found();
        if found != 0 {
            health.count_retired(found);
            pr_warn!(
                "{}: {} blocks are on the driver's list of bad blocks, where the metadata log is or was to go\n",
                name,
                found
            );
        }
        if !self.corrupt && store.state().is_corrupt() {
            pr_crit!(
                "{}: metadata is inconsistent, no more changes: errno {}\n",
                name,
                errno
            );
            health.events().tell(|| Event::new(Kind::ReadOnly));
        }
        let now = store.journal().superblock().regions;
        for (old, new) in self
            .regions
            .iter()
            .zip(now)
            .filter(|(old, new)| **old != *new)
        {
            pr_warn!(
                "{}: a part of the metadata log was on bad blocks: moved from block {} to {}\n",
                name,
                old.start,
                new.start
            );
            let bytes = |blocks: u64| blocks.saturating_mul(dax::BLOCK_SIZE);
            health.events().tell(|| {
                let event = Event::new(Kind::Metadata).counting(bytes(new.start));
                event.at(bytes(old.start), bytes(old.blocks))
            });
        }
        if self.writable && !store.is_writable() && !health.is_shut_down() {
            pr_crit!(
                "{}: the metadata log is on bad blocks and cannot move, read-only now: errno {}\n",
                name,
                errno
            );
            health.events().tell(|| Event::new(Kind::ReadOnly));
        }
        let (used, size) = store.journal().used();
        if errno == ENOSPC.to_errno() {
            // Who gets this reaps what is dead, and tries again.
            if store.state().next_dead().is_some() {
                return;
            }
            health.filled(Room::Log, true);
        } else if errno == 0 && used < size.saturating_sub(size / ROOM) {
            health.filled(Room::Log, false);
        }
    }
}
