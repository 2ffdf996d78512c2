// SPDX-License-Identifier: GPL-2.0

//! A B+tree whose nodes know something of all items below them, and never need memory to change.
//!
//! Both directions of the map between files and blocks are such trees: the owner tree, whose nodes
//! know how far the records below them reach, and the extents of a file. What a node knows is an
//! [`Item::Summary`]; a query skips the subtrees that it says are of no use, or takes all that is
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
mod keys;
mod node;
mod row;
mod spare;
mod walk;

pub(super) use self::{
    keys::Words,
    spare::{
        Need,
        Spare, //
    }, //
};

use self::node::{
    Inner,
    Leaf, //
};
use core::mem::size_of;
use kernel::prelude::*;

/// Items of a leaf: with 24 bytes each, a leaf is 1 KiB.
const LEAF_SLOTS: usize = 42;

/// Children of an inner node: for the owner tree, 56 bytes each make it 2 KiB.
const INNER_SLOTS: usize = 36;

/// Levels of inner nodes that there can be. No memory holds as many items as would need more.
const MAX_HEIGHT: usize = 10;

/// What is known of some items together.
pub(super) trait Summary: Copy + Default + Eq {
    /// Returns what is known of the items of both.
    fn join(self, other: Self) -> Self;

    /// Returns whether this stays true of the items when one of them, of which `gone` is known,
    /// leaves.
    fn outlives(&self, gone: &Self) -> bool;

    /// Returns whether one of the items, which may come before `key`, matters there still.
    fn reaches(&self, key: &Words) -> bool;
}

impl Summary for () {
    fn join(self, (): Self) -> Self {}

    fn outlives(&self, (): &Self) -> bool {
        true
    }

    fn reaches(&self, _: &Words) -> bool {
        false
    }
}

/// What a tree is of.
pub(super) trait Item: Copy + PartialEq {
    /// What nodes know of the items below them.
    type Summary: Summary;

    /// Which bits of the tail of its words belong to an item's key, besides the head. Items are
    /// ordered by that; no two of a tree have the same key.
    const KEY_TAIL: [u64; 2];

    /// Returns the item as it is stored.
    fn to_words(&self) -> Words;

    /// Returns the item that is stored so.
    fn from_words(head: u64, tail: [u64; 2]) -> Self;

    /// Returns what is known of this item alone.
    fn summary(&self) -> Self::Summary;

    /// Returns the key: the words, without what does not belong to the key. So it is not greater
    /// than the words of any item with that key.
    fn key(&self) -> Words {
        let Words { head, tail } = self.to_words();
        let ([a, b], [key_a, key_b]) = (tail, Self::KEY_TAIL);
        Words {
            head,
            tail: [a & key_a, b & key_b],
        }
    }
}

/// Where a tree begins.
enum Root<T: Item> {
    /// At most `LEAF_SLOTS` items, ascending by key.
    Few(KVec<T>),
    Many(KBox<Inner<T>>),
}

/// A tree.
///
/// # Invariants
///
/// Those that [`BTree::check`] checks.
pub(super) struct BTree<T: Item> {
    root: Root<T>,
    len: usize,
    /// Levels of inner nodes.
    height: usize,
    /// How many nodes it is made of.
    nodes: Need,
}

impl<T: Item> BTree<T> {
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
