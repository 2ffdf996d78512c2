// SPDX-License-Identifier: GPL-2.0

//! Nodes that are allocated and not in a tree: what a change is promised by a reservation.

use super::{
    item::TreeItem,
    node::{
        Inner,
        Leaf,
        Node, //
    },
};
use core::mem::MaybeUninit;
use kernel::prelude::*;

/// How many nodes a reservation leaves alone in any case that it does not need, of each kind.
const KEPT: usize = 16;

/// How many it leaves alone of those that there are: half. Large changes often come one after the
/// other, as in a replay; after one alone its nodes are gone some changes later.
fn kept(have: usize, need: usize) -> usize {
    need.max(have / 2).saturating_add(KEPT)
}

/// So many nodes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in super::super) struct Need {
    pub(super) leaves: usize,
    pub(super) inners: usize,
}

impl Need {
    /// Returns what both need together.
    pub(in super::super) fn and(self, other: Need) -> Need {
        Need {
            leaves: self.leaves.saturating_add(other.leaves),
            inners: self.inners.saturating_add(other.inners),
        }
    }
}

/// Spare nodes. They are chained, so that a list of them needs no memory.
pub(in super::super) struct Spare<T: TreeItem> {
    leaves: Option<KBox<Leaf>>,
    inners: Option<KBox<Inner<T>>>,
    have: Need,
}

impl<T: TreeItem> Spare<T> {
    /// Creates an empty store. Allocates nothing.
    pub(in super::super) fn new() -> Self {
        Spare {
            leaves: None,
            inners: None,
            have: Need::default(),
        }
    }

    /// Sees to it that there are as many nodes as `need` says, and in the end not many more. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(in super::super) fn fill(&mut self, need: Need) -> Result {
        while self.have.leaves < need.leaves {
            self.put_leaf(write_leaf(KBox::new_uninit(GFP_KERNEL)?));
        }
        while self.have.inners < need.inners {
            self.put_inner(write_inner(KBox::new_uninit(GFP_KERNEL)?));
        }
        let leaves = kept(self.have.leaves, need.leaves);
        while self.have.leaves > leaves {
            self.leaf();
        }
        let inners = kept(self.have.inners, need.inners);
        while self.have.inners > inners {
            self.inner();
        }
        Ok(())
    }

    /// Returns how many nodes there are.
    pub(super) fn have(&self) -> Need {
        self.have
    }

    /// Takes a leaf without items.
    pub(super) fn leaf(&mut self) -> Option<KBox<Leaf>> {
        let mut leaf = self.leaves.take()?;
        self.leaves = leaf.next.take();
        self.have.leaves = self.have.leaves.saturating_sub(1);
        Some(leaf)
    }

    /// Takes a node without children.
    pub(super) fn inner(&mut self) -> Option<KBox<Inner<T>>> {
        let mut inner = self.inners.take()?;
        self.inners = inner.next.take();
        self.have.inners = self.have.inners.saturating_sub(1);
        Some(inner)
    }

    /// Keeps a node that has nothing in it any more.
    pub(super) fn put(&mut self, node: Node<T>) {
        match node {
            Node::Leaf(leaf) => self.put_leaf(leaf),
            Node::Inner(inner) => self.put_inner(inner),
        }
    }

    fn put_leaf(&mut self, mut leaf: KBox<Leaf>) {
        leaf.next = self.leaves.take();
        self.leaves = Some(leaf);
        self.have.leaves = self.have.leaves.saturating_add(1);
    }

    fn put_inner(&mut self, mut inner: KBox<Inner<T>>) {
        inner.next = self.inners.take();
        self.inners = Some(inner);
        self.have.inners = self.have.inners.saturating_add(1);
    }
}

// A new node may be made on the stack. It must not be there while memory is allocated, which may go
// deep: so it is made after that, in a function of its own.

#[inline(never)]
fn write_leaf(place: KBox<MaybeUninit<Leaf>>) -> KBox<Leaf> {
    place.write(Leaf::new())
}

#[inline(never)]
fn write_inner<T: TreeItem>(place: KBox<MaybeUninit<Inner<T>>>) -> KBox<Inner<T>> {
    place.write(Inner::new())
}

impl<T: TreeItem> Drop for Spare<T> {
    fn drop(&mut self) {
        // One after the other: a chain that drops its rest goes as deep as it is long.
        while self.leaf().is_some() {}
        while self.inner().is_some() {}
    }
}
