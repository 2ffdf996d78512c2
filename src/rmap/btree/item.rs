// SPDX-License-Identifier: GPL-2.0

//! What a tree may be of, and how many of it a node has.
//!
//! # Locking
//!
//! None: items are plain data.

use super::keys::Words;

/// Items of a leaf: with 24 bytes each, a leaf is 1 KiB.
pub(super) const LEAF_SLOTS: usize = 42;

/// Children of an inner node: for the owner tree, 56 bytes each make it 2 KiB.
pub(super) const INNER_SLOTS: usize = 36;

/// What is known of some items together.
pub(in crate::rmap) trait Summary: Copy + Default + Eq {
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
pub(in crate::rmap) trait TreeItem: Copy + PartialEq {
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
