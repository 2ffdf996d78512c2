// SPDX-License-Identifier: GPL-2.0

//! Transactions: operations that are applied all or none, with the memory that applying them needs.
//!
//! A transaction is built of [`Op`]s without the memory, [`State::reserve`](super::State::reserve) adds
//! it, and [`State::apply`](super::State::apply) uses both up. Building one changes nothing.
//!
//! # Locking
//!
//! None until memory is reserved. From then on the caller holds the commit lock, until it is
//! applied or dropped: what was reserved is for the state as it was.

use super::{
    inode::StoredInode,
    op::Op,
    parts::{
        directory::DirEntry,
        xattr_set::XattrSet, //
    },
};
use crate::rmap::ExtentMap;
use kernel::{
    prelude::*,
    rbtree::RBTreeNodeReservation, //
};

/// Memory that [`State::apply`](super::State::apply) uses up.
#[derive(Default)]
pub(super) struct Slots {
    /// One for each `NewInode`.
    pub(super) inodes: KVVec<(RBTreeNodeReservation<u64, StoredInode>, ExtentMap, XattrSet)>,
    /// One for each `Link`.
    pub(super) entries: KVVec<RBTreeNodeReservation<u64, DirEntry>>,
}

/// Operations that are applied all or none. Build it, [`State::reserve`](super::State::reserve) it,
/// log it, [`State::apply`](super::State::apply) it; or drop it at any point before the last.
#[derive(Default)]
pub(crate) struct Transaction {
    ops: KVVec<Op>,
    pub(super) slots: Slots,
    /// The version of the state that memory is reserved in.
    pub(super) reserved: Option<u64>,
}

impl Transaction {
    /// Creates a transaction without operations. Allocates nothing.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends an operation. May sleep; `ENOMEM` leaves the transaction as it was.
    pub(crate) fn push(&mut self, op: Op) -> Result {
        self.ops.push(op, GFP_KERNEL)?;
        self.reserved = None;
        Ok(())
    }

    /// Returns the operations, in the order in which they are applied.
    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Takes the transaction apart, to apply it.
    pub(super) fn into_parts(self) -> (KVVec<Op>, Slots) {
        (self.ops, self.slots)
    }
}
