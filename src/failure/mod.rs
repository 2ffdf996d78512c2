// SPDX-License-Identifier: GPL-2.0

//! The failure path: when pages of the device fail, it finds all their owners and tells each of them.
//!
//! 1. *translate* ([`translate`]): bytes of the device to blocks of the ground.
//! 2. *publish* ([`Ground::publish`]): the blocks are known as bad. From here on nobody maps, shares,
//!    allocates or reads them as if they were good, so the answer below cannot be made
//!    incomplete by a new owner.
//! 3. *resolve* ([`Ground::resolve`]): an unshared block that is mapped is what `folio->mapping` says; for
//!    everything else the ground knows more. A mount of ours asks its owner tree ([`mounted`]).
//! 4. *kill* ([`owners`]): for each owner, under its `invalidate_lock`: look again whether it still owns
//!    the block, signal who maps it, unmap it from everybody.
//! 5. *report* ([`report`], [`mounted`]): counters, log, debugfs; fanotify.
//!
//! The device's removal ([`removal`]) is told of in the same way.
//!
//! This room knows the DAX layer, and the owner tree, not who has the blocks: [`Ground`] stands between.
//!
//! # Locking
//!
//! The ground's own lock, so that one failure at a time is dealt with (for a mount that is its gate, inside
//! of dax SRCU, which the caller holds); then per owner: `invalidate_lock` exclusively, then the DAX entry
//! lock. What locks a ground takes to find out who an owner is, it drops before that. Nothing waits for
//! memory on the way.

mod engine;
mod ground;
mod mounted;
mod owners;
mod removal;
mod report;
mod telling;
mod translate;

pub(crate) use self::{
    engine::{
        cause,
        Engine, //
    },
    ground::{
        Failure,
        Ground,
        Tells, //
    },
    mounted::{
        Metadata,
        Mounted, //
    },
    report::{
        Counter,
        Counters,
        Via, //
    },
    telling::Telling,
};
