// SPDX-License-Identifier: GPL-2.0

//! The owner tree: which pages of which files a block of the device belongs to.
//!
//! One [`OwnerTree`] answers four questions: who owns this range (failure), is it shared and how
//! far (copy on write), is it free (last owner gone), what is where (GETFSMAP).
//!
//! # Units
//!
//! A block is 4 KiB of the device, counted from the start of the mount's part of it. A `pgoff` is a
//! 4 KiB page of a file. Both stay below [`MAX_BLOCKS`], so that byte offsets fit into 64 bits.
//!
//! # Locking
//!
//! None in here. The caller holds the state lock (a sleeping lock: memory is allocated and freed).
//! A [`Cursor`] may be kept while the lock is not held.

mod query;
mod record;
mod tree;

pub(crate) use self::{
    query::{
        Cursor,
        Sharing, //
    },
    record::{
        OwnerRecord,
        MAX_BLOCKS, //
    },
    tree::OwnerTree, //
};
