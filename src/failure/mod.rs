// SPDX-License-Identifier: GPL-2.0

//! The failure path: when pages of the device fail, it finds all their owners and tells each of them.
//!
//! 1. *translate* ([`translate`]): bytes of the device to blocks of the mount.
//! 2. *publish* ([`Ground::publish`]): the blocks enter the bad set. From here on nobody maps, shares,
//!    allocates or reads them as if they were good, so the answer below cannot be made
//!    incomplete by a new owner.
//! 3. *resolve* ([`owners`]): an unshared block that is mapped is what `folio->mapping` says; for
//!    everything else the owner tree is asked, in batches, its lock held for one batch only.
//! 4. *kill*: for each owner, under its `invalidate_lock`: look again whether it still owns the
//!    block, signal who maps it, unmap it from everybody.
//! 5. *report* ([`report`], [`events`]): counters, log, debugfs; fanotify, by a worker.
//!
//! The device's removal ([`removal`]) is told of in the same way.
//!
//! This room knows the owner tree and the DAX layer, not the filesystem: [`Ground`] stands between.
//!
//! # Locking
//!
//! dax SRCU (held by the caller), the mount's gate, then per owner: `invalidate_lock` exclusively, then
//! the DAX entry lock. The state lock, which the owner tree is under, is taken and dropped inside of
//! the `Ground`'s functions, never held over any of these. Nothing waits for memory on the way: the
//! batch is a page, or a few owners on the stack.

mod engine;
mod events;
mod ground;
mod owners;
mod removal;
mod report;
mod translate;

pub(crate) use self::{
    engine::Engine,
    ground::{
        Ground,
        Published, //
    },
    report::Counters,
};
