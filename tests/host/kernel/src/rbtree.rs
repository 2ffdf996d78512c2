// SPDX-License-Identifier: GPL-2.0

//! Stands in for `kernel::rbtree`, on a `BTreeMap`.

use crate::{
    alloc::{
        budget,
        Flags, //
    },
    error::Result, //
};
use std::{
    collections::{
        btree_map,
        BTreeMap, //
    },
    marker::PhantomData,
    ops::Bound, //
};

/// A sorted map; memory for a node is allocated before the node is inserted.
pub struct RBTree<K, V>(BTreeMap<K, V>);

/// Memory for a node.
pub struct RBTreeNodeReservation<K, V>(PhantomData<(K, V)>);

/// A node that is not in a tree.
pub struct RBTreeNode<K, V>(K, V);

impl<K, V> RBTreeNodeReservation<K, V> {
    /// Allocates memory for a node.
    pub fn new(_flags: Flags) -> Result<Self> {
        budget::pay()?;
        Ok(RBTreeNodeReservation(PhantomData))
    }

    /// Makes it a node.
    pub fn into_node(self, key: K, value: V) -> RBTreeNode<K, V> {
        RBTreeNode(key, value)
    }
}

impl<K, V> RBTreeNode<K, V> {
    /// Allocates a node.
    pub fn new(key: K, value: V, flags: Flags) -> Result<Self> {
        Ok(RBTreeNodeReservation::new(flags)?.into_node(key, value))
    }

    /// Frees the node, returns what was in it.
    pub fn to_key_value(self) -> (K, V) {
        (self.0, self.1)
    }

    /// Drops what is in the node, keeps its memory.
    pub fn into_reservation(self) -> RBTreeNodeReservation<K, V> {
        RBTreeNodeReservation(PhantomData)
    }
}

impl<K, V> RBTree<K, V> {
    /// Creates an empty tree.
    pub fn new() -> Self {
        RBTree(BTreeMap::new())
    }

    /// Returns whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Visits all nodes in the order of their keys.
    pub fn iter(&self) -> btree_map::Iter<'_, K, V> {
        self.0.iter()
    }

    /// Visits all nodes in the order of their keys.
    pub fn iter_mut(&mut self) -> btree_map::IterMut<'_, K, V> {
        self.0.iter_mut()
    }

    /// Visits all keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &'_ K> {
        self.0.keys()
    }

    /// Visits all values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &'_ V> {
        self.0.values()
    }
}

impl<K: Ord, V> RBTree<K, V> {
    /// Allocates a node and inserts it; returns the node with the same key that it replaces.
    pub fn try_create_and_insert(
        &mut self,
        key: K,
        value: V,
        flags: Flags,
    ) -> Result<Option<RBTreeNode<K, V>>> {
        Ok(self.insert(RBTreeNode::new(key, value, flags)?))
    }

    /// Inserts a node; returns the node with the same key that it replaces.
    pub fn insert(&mut self, node: RBTreeNode<K, V>) -> Option<RBTreeNode<K, V>> {
        let RBTreeNode(key, value) = node;
        let old = self.0.remove_entry(&key);
        self.0.insert(key, value);
        old.map(|(k, v)| RBTreeNode(k, v))
    }

    /// Returns the value with this key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// Returns the value with this key.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    /// Removes the node with this key.
    pub fn remove_node(&mut self, key: &K) -> Option<RBTreeNode<K, V>> {
        self.0.remove_entry(key).map(|(k, v)| RBTreeNode(k, v))
    }

    /// Removes the value with this key.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    /// Returns a cursor at the first node whose key is not less than `key`.
    pub fn cursor_lower_bound(&self, key: &K) -> Option<Cursor<'_, K, V>> {
        let mut nodes = self.0.range((Bound::Included(key), Bound::Unbounded));
        let (k, v) = nodes.next()?;
        let next = nodes.next();
        Some(Cursor { k, v, next })
    }
}

impl<K, V> Default for RBTree<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// A position in a tree.
pub struct Cursor<'a, K, V> {
    k: &'a K,
    v: &'a V,
    next: Option<(&'a K, &'a V)>,
}

impl<K, V> Cursor<'_, K, V> {
    /// Returns the current node. As in the kernel, it lives no longer than the cursor.
    pub fn current(&self) -> (&K, &V) {
        (self.k, self.v)
    }

    /// Returns the node behind the current one.
    pub fn peek_next(&self) -> Option<(&K, &V)> {
        self.next
    }
}
