// SPDX-License-Identifier: GPL-2.0

//! How items get into a tree and out of it, and how its nodes share them.

use super::{
    item::LEAF_SLOTS,
    node::{
        Inner,
        Leaf,
        Node, //
    },
    BTree,
    Need,
    Root,
    Spare,
    Summary,
    TreeItem,
    Words,
    MAX_HEIGHT, //
};
use crate::errno::euclean;
use core::mem;
use kernel::prelude::*;

/// Where nodes come from and go to.
struct Stock<'a, T: TreeItem> {
    spare: &'a mut Spare<T>,
    /// How many of them are in the tree.
    used: &'a mut Need,
}

impl<T: TreeItem> Stock<'_, T> {
    fn leaf(&mut self) -> Result<Node<T>> {
        let leaf = self.spare.leaf().ok_or(ENOMEM)?;
        self.used.leaves = self.used.leaves.saturating_add(1);
        Ok(Node::Leaf(leaf))
    }

    fn inner(&mut self) -> Result<KBox<Inner<T>>> {
        let inner = self.spare.inner().ok_or(ENOMEM)?;
        self.used.inners = self.used.inners.saturating_add(1);
        Ok(inner)
    }

    /// Returns an empty node of the kind of `node`.
    fn like(&mut self, node: &Node<T>) -> Result<Node<T>> {
        match node {
            Node::Leaf(_) => self.leaf(),
            Node::Inner(_) => Ok(Node::Inner(self.inner()?)),
        }
    }

    fn put(&mut self, node: Node<T>) {
        let used = match &node {
            Node::Leaf(_) => &mut self.used.leaves,
            Node::Inner(_) => &mut self.used.inners,
        };
        *used = used.saturating_sub(1);
        self.spare.put(node);
    }
}

impl<T: TreeItem> BTree<T> {
    /// Adds an item.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is one with that key; `ENOMEM` if no memory was reserved. Nothing has
    /// changed then.
    pub(in super::super) fn insert(&mut self, item: T, spare: &mut Spare<T>) -> Result {
        let mut stock = Stock {
            spare,
            used: &mut self.nodes,
        };

        match &mut self.root {
            Root::Few(items) => {
                let at = items.partition_point(|i| i.key() < item.key());
                if items.get(at).is_some_and(|i| i.key() == item.key()) {
                    return Err(euclean());
                }
                if items.len() < LEAF_SLOTS.min(items.capacity()) {
                    items.insert_within_capacity(at, item).map_err(|_| ENOMEM)?;
                } else {
                    // It is full, or there was a tree here that has lost all, and the vector has
                    // no memory; then the spare nodes are those of that tree.
                    self.root = Root::Many(leaves_of(items, item, &mut stock)?);
                    self.height = 1;
                }
            }
            Root::Many(root) => {
                if root.is_full() {
                    if self.height >= MAX_HEIGHT {
                        return Err(euclean());
                    }
                    // The old root becomes the only child of a new one, which splits it as any.
                    let new = stock.inner()?;
                    let old = Node::Inner(mem::replace(root, new));
                    root.insert_kid(0, old)?;
                    self.height = self.height.saturating_add(1);
                }
                root.insert(item, &mut stock)?;
            }
        }
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// Puts an item in the place of the one with the same key, which is returned.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is none; nothing has changed then.
    pub(in super::super) fn replace(&mut self, item: T) -> Result<T> {
        match &mut self.root {
            Root::Few(items) => {
                let slot = items.iter_mut().find(|i| i.key() == item.key());
                Ok(mem::replace(slot.ok_or_else(euclean)?, item))
            }
            Root::Many(root) => root.replace(item),
        }
    }

    /// Puts an item in the place of another one, with a key that is as good there.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the other one is not there; nothing has changed then.
    pub(in super::super) fn change(&mut self, old: &T, new: T) -> Result {
        match &mut self.root {
            Root::Few(items) => {
                let slot = items.iter_mut().find(|i| *i == old);
                *slot.ok_or_else(euclean)? = new;
                Ok(())
            }
            Root::Many(root) => root.change(old, &new),
        }
    }

    /// Removes an item.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if it is not there; nothing has changed then.
    pub(in super::super) fn remove(&mut self, item: &T, spare: &mut Spare<T>) -> Result {
        let mut stock = Stock {
            spare,
            used: &mut self.nodes,
        };

        match &mut self.root {
            Root::Few(items) => {
                let at = items.iter().position(|i| i == item).ok_or_else(euclean)?;
                items.remove(at).map_err(|_| euclean())?;
            }
            Root::Many(root) => {
                root.remove(item, &mut stock)?;
                if let Root::Many(old) = mem::replace(&mut self.root, Root::Few(KVec::new())) {
                    self.root = lower(old, &mut self.height, &mut stock);
                }
            }
        }
        self.len = self.len.saturating_sub(1);
        Ok(())
    }
}

/// Makes leaves of the items of a vector and one more, below one node, which is returned.
fn leaves_of<T: TreeItem>(
    items: &[T],
    more: T,
    stock: &mut Stock<'_, T>,
) -> Result<KBox<Inner<T>>> {
    // Two halves of it, and none of the leaves full.
    let half = items.len().div_ceil(2).max(1);
    let have = stock.spare.have();
    if have.leaves < items.len().div_ceil(half).max(1) || have.inners < 1 {
        return Err(ENOMEM);
    }
    let mut root = stock.inner()?;
    if items.is_empty() {
        let leaf = leaf_of(&[more], stock)?;
        root.insert_kid(0, leaf)?;
        return Ok(root);
    }
    for half in items.chunks(half) {
        let leaf = leaf_of(half, stock)?;
        let end = root.len();
        root.insert_kid(end, leaf)?;
    }
    root.insert(more, stock)?;
    Ok(root)
}

fn leaf_of<T: TreeItem>(items: &[T], stock: &mut Stock<'_, T>) -> Result<Node<T>> {
    let mut node = stock.leaf()?;
    if let Node::Leaf(leaf) = &mut node {
        for item in items {
            leaf.insert(item)?;
        }
    }
    Ok(node)
}

/// Returns the root of a tree that has lost something: as low as it can be.
fn lower<T: TreeItem>(
    mut root: KBox<Inner<T>>,
    height: &mut usize,
    stock: &mut Stock<'_, T>,
) -> Root<T> {
    while root.len() == 1 && matches!(root.kid(0), Some(Node::Inner(_))) {
        if let Some(Node::Inner(kid)) = root.remove_kid(0) {
            stock.put(Node::Inner(mem::replace(&mut root, kid)));
            *height = height.saturating_sub(1);
        }
    }
    if root.len() == 0 {
        stock.put(Node::Inner(root));
        *height = 0;
        return Root::Few(KVec::new());
    }
    Root::Many(root)
}

impl Leaf {
    /// Adds an item. There is room.
    fn insert<T: TreeItem>(&mut self, item: &T) -> Result {
        let key = item.key();
        let at = self.items.lower_bound(&key);
        if self.has_key::<T>(at, &key) {
            return Err(euclean());
        }
        self.items.insert(at, item.to_words())
    }

    /// Puts an item in the place of the one with the same key.
    fn replace<T: TreeItem>(&mut self, item: &T) -> Result<T> {
        let key = item.key();
        let at = self.items.lower_bound(&key);
        let old = self.items.get(at).filter(|_| self.has_key::<T>(at, &key));
        let old = old.ok_or_else(euclean)?;
        self.items.set(at, item.to_words());
        Ok(T::from_words(old.head, old.tail))
    }

    /// Puts an item in the place of another one.
    fn change<T: TreeItem>(&mut self, old: &T, new: &T) -> Result {
        let at = self.find(old)?;
        self.items.set(at, new.to_words());
        Ok(())
    }

    /// Removes an item.
    fn remove<T: TreeItem>(&mut self, item: &T) -> Result {
        let at = self.find(item)?;
        self.items.remove(at);
        Ok(())
    }

    /// Returns where an item is.
    fn find<T: TreeItem>(&self, item: &T) -> Result<usize> {
        let at = self.items.lower_bound(&item.key());
        let there = self.items.get(at) == Some(item.to_words());
        there.then_some(at).ok_or_else(euclean)
    }
}

impl<T: TreeItem> Inner<T> {
    /// Adds an item. There is room for one more child.
    fn insert(&mut self, item: T, stock: &mut Stock<'_, T>) -> Result {
        let key = item.key();
        let mut at = self.child_for(&key);

        if self.kid(at).is_some_and(|kid| kid.len() >= kid.room()) {
            self.make_room(at, &key, stock)?;
            at = self.child_for(&key);
        }
        match self.kid_mut(at).ok_or_else(euclean)? {
            Node::Leaf(leaf) => leaf.insert(&item)?,
            Node::Inner(inner) => inner.insert(item, stock)?,
        }
        if self.first().get(at).is_some_and(|first| key < first) {
            self.set_first(at, key);
        }
        self.add_to_sum(at, &item);
        Ok(())
    }

    /// Puts an item in the place of the one with the same key.
    fn replace(&mut self, item: T) -> Result<T> {
        let at = self.child_for(&item.key());

        let old = match self.kid_mut(at).ok_or_else(euclean)? {
            Node::Leaf(leaf) => leaf.replace(&item)?,
            Node::Inner(inner) => inner.replace(item)?,
        };
        self.add_to_sum(at, &item);
        self.take_from_sum(at, &old);
        Ok(old)
    }

    /// Puts an item in the place of another one.
    fn change(&mut self, old: &T, new: &T) -> Result {
        let at = self.child_for(&old.key());

        match self.kid_mut(at).ok_or_else(euclean)? {
            Node::Leaf(leaf) => leaf.change(old, new)?,
            Node::Inner(inner) => inner.change(old, new)?,
        }
        if self.first().get(at) == Some(old.key()) {
            self.set_first(at, new.key());
        }
        self.add_to_sum(at, new);
        self.take_from_sum(at, old);
        Ok(())
    }

    /// Removes an item.
    fn remove(&mut self, item: &T, stock: &mut Stock<'_, T>) -> Result {
        let at = self.child_for(&item.key());

        let kid = self.kid_mut(at).ok_or_else(euclean)?;
        match kid {
            Node::Leaf(leaf) => leaf.remove(item)?,
            Node::Inner(inner) => inner.remove(item, stock)?,
        }
        let (first, len, room) = (kid.first_key(), kid.len(), kid.room());
        if let Some(first) = first {
            self.set_first(at, first);
        }
        self.take_from_sum(at, item);
        if len < room / 3 * 2 {
            self.give_up_one(at, stock);
        }
        Ok(())
    }

    /// A child has got an item.
    fn add_to_sum(&mut self, at: usize, item: &T) {
        if let Some(sum) = self.sums().get(at).map(|sum| sum.join(item.summary())) {
            self.set_sum(at, sum);
        }
    }

    /// A child has lost an item.
    fn take_from_sum(&mut self, at: usize, gone: &T) {
        let outlives = |sum: &T::Summary| sum.outlives(&gone.summary());
        if self.sums().get(at).is_some_and(outlives) {
            return;
        }
        if let Some(sum) = self.kid(at).map(Node::summary) {
            self.set_sum(at, sum);
        }
    }

    /// Sees to it that the child where `key` belongs has room: a full one shares with a sibling, or
    /// is split.
    fn make_room(&mut self, at: usize, key: &Words, stock: &mut Stock<'_, T>) -> Result {
        let free =
            |kid: Option<&Node<T>>| kid.map_or(0, |kid| kid.room().saturating_sub(kid.len()));
        let right = at.saturating_add(1);
        let (on_left, on_right) = (
            at.checked_sub(1).map_or(0, |left| free(self.kid(left))),
            free(self.kid(right)),
        );
        let room = self.kid(at).ok_or_else(euclean)?.room();

        // A sibling with less room than this would soon be full itself.
        if on_left.max(on_right) >= room / 4 {
            if on_left >= on_right {
                let left = at.saturating_sub(1);
                let (to, from) = self.pair_mut(left).ok_or_else(euclean)?;
                to.shift_left(from, on_left.div_ceil(2));
                self.refresh_pair(left);
            } else {
                let (from, to) = self.pair_mut(at).ok_or_else(euclean)?;
                from.shift_right(to, on_right.div_ceil(2));
                self.refresh_pair(at);
            }
            return Ok(());
        }

        let kid = self.kid(at).ok_or_else(euclean)?;
        // What is filled from its start to its end leaves full nodes behind.
        let appends = right == self.len() && kid.ends_before(key);
        let moved = if appends { 1 } else { room / 2 };
        let mut new = stock.like(kid)?;
        let kid = self.kid_mut(at).ok_or_else(euclean)?;
        kid.shift_right(&mut new, moved);
        let sum = kid.summary();
        self.set_sum(at, sum);
        self.insert_kid(right, new)
    }

    /// Sees to it that nodes do not become ever emptier: if a child, or it and its siblings, fit
    /// into one node less, they get one less.
    fn give_up_one(&mut self, at: usize, stock: &mut Stock<'_, T>) {
        let len = |at: usize| self.kid(at).map(Node::len);
        let Some((here, room)) = self.kid(at).map(|kid| (kid.len(), kid.room())) else {
            return;
        };
        let (left_at, right_at) = (at.wrapping_sub(1), at.saturating_add(1));
        // With some room left, lest the next insertion split it again.
        let enough = room.saturating_sub(room / 8);

        let to_left = match (len(left_at), len(right_at)) {
            _ if here == 0 => 0,
            (Some(left), _) if left.saturating_add(here) <= enough => here,
            (_, Some(right)) if right.saturating_add(here) <= enough => 0,
            (Some(left), Some(right))
                if left.saturating_add(here).saturating_add(right) <= enough.saturating_mul(2) =>
            {
                // Both end up with as many.
                let sum = left.saturating_add(here).saturating_add(right);
                (sum / 2).saturating_sub(left).min(here)
            }
            _ => return,
        };
        if let Some((left, kid)) = self.pair_mut(left_at).filter(|_| to_left > 0) {
            left.shift_left(kid, to_left);
        }
        if let Some((kid, right)) = self.pair_mut(at).filter(|_| to_left < here) {
            kid.shift_right(right, here.saturating_sub(to_left));
        }
        if let Some(kid) = self.remove_kid(at) {
            stock.put(kid);
        }
        // What was right of it is at its place now.
        self.refresh_pair(left_at);
        self.refresh_pair(at);
    }
}
