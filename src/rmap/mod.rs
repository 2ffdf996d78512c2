// SPDX-License-Identifier: GPL-2.0

//! The owner tree: which pages of which files a block of the device belongs to.
//!
//! One [`OwnerTree`] answers four questions: who owns this range (failure), is it shared and how
//! far (copy on write), is it free (last owner gone), what is where (GETFSMAP). The other
//! direction, which block a page of a file is at, are the [`ExtentMap`]s of the files; both change
//! together ([`OwnerTree::map`], [`OwnerTree::unmap`]). Where there is room for so many blocks is asked of
//! a tree of its own, the [`FreeTree`].
//!
//! Documentation/owner-tree.rst explains the structure, its costs, and what it was chosen over.
//!
//! # Units
//!
//! A block is 4 KiB of the device, counted from the start of the mount's part of it, and below
//! [`MAX_BLOCKS`]. A `pgoff` is a 4 KiB page of a file, below [`MAX_PAGES`].
//!
//! # Locking
//!
//! None in here. The caller holds the state lock (a sleeping lock: memory is allocated and freed),
//! exclusively for `&mut self`. A [`Cursor`] may be kept while the lock is not held.

mod btree;
mod extent;
mod free;
#[cfg(MODULE)]
mod kunit;
mod list;
mod map;
mod owners;
mod packed;
mod query;
mod record;
mod tree;

pub(crate) use self::{
    extent::{
        ExtentMap,
        FileExtent, //
    },
    free::{
        Fit,
        FreeTree,
        PIECE, //
    },
    map::Unmapped,
    owners::Cursor,
    query::Sharing,
    record::{
        OwnerRecord,
        MAX_BLOCKS,
        MAX_INO,
        MAX_PAGES, //
    },
    tree::OwnerTree, //
};
