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

/// A list, of nothing in most transactions: an empty vector of the kernel's goes through the allocator when it is
/// dropped.
pub(super) struct Few<T>(Option<KVVec<T>>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Few(None)
    }
}

impl<T> Few<T> {
    /// Appends one. May sleep.
    pub(super) fn push(&mut self, item: T) -> Result {
        self.0.get_or_insert_default().push(item, GFP_KERNEL)?;
        Ok(())
    }

    /// Takes the last one.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.0.as_mut()?.pop()
    }

    /// All of them.
    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        self.0.as_deref_mut().unwrap_or_default()
    }
}

/// Memory that [`State::apply`](super::State::apply) uses up.
#[derive(Default)]
pub(super) struct Slots {
    /// One for each `NewInode`.
    pub(super) inodes: Few<(RBTreeNodeReservation<u64, StoredInode>, ExtentMap, XattrSet)>,
    /// One for each `Link`.
    pub(super) entries: Few<RBTreeNodeReservation<u64, DirEntry>>,
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

    /// The same, with room for so many operations. May sleep.
    pub(crate) fn with_room(n: usize) -> Result<Self> {
        Ok(Transaction {
            ops: KVVec::with_capacity(n, GFP_KERNEL)?,
            ..Self::default()
        })
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
