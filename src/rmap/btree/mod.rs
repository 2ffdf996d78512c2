// SPDX-License-Identifier: GPL-2.0

//! A B+tree whose nodes know something of all items below them, and never need memory to change.
//!
//! Both directions of the map between files and blocks are such trees: the owner tree, whose nodes
//! know how far the records below them reach, and the extents of a file. What a node knows is an
//! [`TreeItem::Summary`]; a query skips the subtrees that it says are of no use, or takes all that is
//! below at once.
//!
//! # Costs
//!
//! A leaf is 1 KiB, an inner node 2 KiB: no allocation is above a page, and neither leaves anything
//! unused of what the slab allocator hands out. A tree that fits into one leaf is a vector, which
//! is as large as it has to be. Before a node is split its siblings take what they have room for,
//! and of three neighbours with room enough one is given up; so nodes stay well over half full.
//!
//! # Changes
//!
//! Two phases: reserve ([`BTree::need`], [`Spare::fill`]) may sleep and fail, and changes nothing.
//! As many changes as it was told of take their nodes from the [`Spare`], and put there what they
//! have no use for. The way down splits full nodes before it enters them, so that nothing has to be
//! undone on the way up.
//!
//! # Locking
//!
//! None in here; see [`rmap`](super).

mod change;
mod check;
mod item;
mod keys;
mod node;
mod row;
mod spare;
mod walk;

pub(super) use self::{
    item::{
        Summary,
        TreeItem, //
    },
    keys::Words,
    spare::{
        Need,
        Spare, //
    }, //
};

use self::{
    item::{
        INNER_SLOTS,
        LEAF_SLOTS, //
    },
    node::{
        Inner,
        Leaf, //
    },
};
use core::mem::size_of;
use kernel::prelude::*;

/// Levels of inner nodes that there can be. No memory holds as many items as would need more.
const MAX_HEIGHT: usize = 10;

/// Where a tree begins.
enum Root<T: TreeItem> {
    /// At most `LEAF_SLOTS` items, ascending by key.
    Few(KVec<T>),
    Many(KBox<Inner<T>>),
}

/// A tree.
///
/// # Invariants
///
/// Those that [`BTree::check`] checks.
pub(super) struct BTree<T: TreeItem> {
    root: Root<T>,
    len: usize,
    /// Levels of inner nodes.
    height: usize,
    /// How many nodes it is made of.
    nodes: Need,
}

impl<T: TreeItem> BTree<T> {
    /// Creates a tree without items. Allocates nothing.
    pub(super) fn new() -> Self {
        BTree {
            root: Root::Few(KVec::new()),
            len: 0,
            height: 0,
            nodes: Need::default(),
        }
    }

    /// Returns the number of items.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns how many bytes of memory the nodes take.
    pub(super) fn bytes(&self) -> usize {
        let few = match &self.root {
            Root::Few(items) => items.capacity().saturating_mul(size_of::<T>()),
            Root::Many(_) => 0,
        };
        let leaves = self.nodes.leaves.saturating_mul(size_of::<Leaf>());
        let inners = self.nodes.inners.saturating_mul(size_of::<Inner<T>>());
        few.saturating_add(leaves).saturating_add(inners)
    }

    /// Returns the item with this key.
    pub(super) fn get(&self, key: &Words) -> Option<T> {
        self.seek(key).next().filter(|item| item.key() == *key)
    }

    /// Gets ready for `n` changes and returns which nodes they may need. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(super) fn need(&mut self, n: usize) -> Result<Need> {
        self.shrink_root()?;
        if let Root::Few(items) = &mut self.root {
            items.reserve(n.min(LEAF_SLOTS.saturating_sub(items.len())), GFP_KERNEL)?;
            if items.len().saturating_add(n) <= LEAF_SLOTS {
                return Ok(Need::default());
            }
        }
        // Each change splits at most one leaf, and one node of each level above it; the root may
        // become two of one, and the vector two leaves. On the other hand, each node that there is
        // now is split once, and each of those that are new takes half a node of changes before it
        // has to be split; a third is on the safe side.
        let leaves = n.min(self.nodes.leaves.saturating_add(n / (LEAF_SLOTS / 3)));
        let leaves = leaves.saturating_add(2);
        let path = self.height.saturating_add(2);
        let inners = n.saturating_mul(path).min(
            self.nodes
                .inners
                .saturating_add(leaves / (INNER_SLOTS / 3))
                .saturating_add(path),
        );
        Ok(Need { leaves, inners })
    }

    /// Makes a vector of a tree that has become small.
    fn shrink_root(&mut self) -> Result {
        if !matches!(self.root, Root::Many(_)) || self.len > LEAF_SLOTS / 2 {
            return Ok(());
        }
        let mut few = KVec::with_capacity(self.len, GFP_KERNEL)?;
        for item in self.iter() {
            few.push(item, GFP_KERNEL)?;
        }
        *self = BTree {
            root: Root::Few(few),
            ..Self::new()
        };
        self.len = match &self.root {
            Root::Few(few) => few.len(),
            Root::Many(_) => 0,
        };
        Ok(())
    }
}
