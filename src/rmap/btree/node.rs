// SPDX-License-Identifier: GPL-2.0

//! The nodes of a tree.
//!
//! Whole cache lines, and what is used together lies together: a search reads the heads of keys, a
//! query the summaries, and of the children only the one that it goes on to.

use super::{
    item::{
        Summary,
        TreeItem,
        INNER_SLOTS,
        LEAF_SLOTS, //
    },
    keys::{
        Keys,
        Words, //
    },
    row, //
};
use crate::errno::euclean;
use core::{
    array,
    mem::size_of, //
};
use kernel::prelude::*;

/// A node with items, ascending by key.
#[repr(C, align(64))]
pub(super) struct Leaf {
    pub(super) items: Keys<LEAF_SLOTS>,
    /// The next one, of those that are spare.
    pub(super) next: Option<KBox<Leaf>>,
}

/// A node with children, all of them at the same height. Never without one, but while it changes.
#[repr(C, align(64))]
pub(super) struct Inner<T: TreeItem> {
    /// Of each child, the key of its first item.
    first: Keys<INNER_SLOTS>,
    /// A bit for each child: whether one of those before it may reach to where it begins. If not,
    /// a query that begins in a child need not look at those before it. May be set needlessly.
    reached: u64,
    /// Of each child, what is known of all its items together.
    sums: [T::Summary; INNER_SLOTS],
    /// The children: `Some`, for as many as there are keys.
    kids: [Option<Node<T>>; INNER_SLOTS],
    /// The next one, of those that are spare.
    pub(super) next: Option<KBox<Inner<T>>>,
}

/// A node below the root.
pub(super) enum Node<T: TreeItem> {
    Leaf(KBox<Leaf>),
    Inner(KBox<Inner<T>>),
}

/// What the slab allocator has; nothing of it is left unused.
const _: () = assert!(size_of::<Leaf>() == 1024);

fn bit(at: usize) -> u64 {
    const { assert!(INNER_SLOTS <= 64) };
    1 << (at & 63)
}

/// Returns what is known of the items from number `from` to before number `to`.
pub(super) fn summary<T: TreeItem, const N: usize>(
    items: &Keys<N>,
    from: usize,
    to: usize,
) -> T::Summary {
    items
        .iter_from(from)
        .take(to.saturating_sub(from))
        .fold(T::Summary::default(), |sum, (head, tail)| {
            sum.join(T::from_words(*head, *tail).summary())
        })
}

impl Leaf {
    /// Creates a leaf without items.
    pub(super) fn new() -> Self {
        Leaf {
            items: Keys::new(),
            next: None,
        }
    }

    /// Returns whether the item at `at` has this key.
    pub(super) fn has_key<T: TreeItem>(&self, at: usize, key: &Words) -> bool {
        self.items
            .get(at)
            .is_some_and(|w| T::from_words(w.head, w.tail).key() == *key)
    }
}

impl<T: TreeItem> Inner<T> {
    /// Creates a node without children.
    pub(super) fn new() -> Self {
        Inner {
            first: Keys::new(),
            reached: 0,
            sums: array::from_fn(|_| T::Summary::default()),
            kids: array::from_fn(|_| None),
            next: None,
        }
    }

    /// Returns the number of children.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// Returns whether there is no room for a child.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= INNER_SLOTS
    }

    /// Returns the keys of the first items of the children.
    pub(super) fn first(&self) -> &Keys<INNER_SLOTS> {
        &self.first
    }

    /// Returns what is known of the children.
    pub(super) fn sums(&self) -> &[T::Summary] {
        self.sums.get(..self.len()).unwrap_or_default()
    }

    /// Returns whether a child before the one at `at` may reach to where that one begins.
    pub(super) fn is_reached(&self, at: usize) -> bool {
        self.reached & bit(at) != 0
    }

    /// Returns the child where an item with this key is, or belongs.
    pub(super) fn child_for(&self, key: &Words) -> usize {
        self.first.upper_bound(key).saturating_sub(1)
    }

    /// Returns a child.
    pub(super) fn kid(&self, at: usize) -> Option<&Node<T>> {
        self.kids.get(at)?.as_ref()
    }

    /// Returns a child.
    pub(super) fn kid_mut(&mut self, at: usize) -> Option<&mut Node<T>> {
        self.kids.get_mut(at)?.as_mut()
    }

    /// Returns the child at `at` and the one after it.
    pub(super) fn pair_mut(&mut self, at: usize) -> Option<(&mut Node<T>, &mut Node<T>)> {
        match self.kids.get_mut(at..) {
            Some([Some(left), Some(right), ..]) => Some((left, right)),
            _ => None,
        }
    }

    /// Adds a child, which has items.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is no room, or the child has no items.
    pub(super) fn insert_kid(&mut self, at: usize, kid: Node<T>) -> Result {
        self.first
            .insert(at, kid.first_key().ok_or_else(euclean)?)?;
        row::insert_copy(&mut self.sums, at, kid.summary());
        row::insert(&mut self.kids, at, Some(kid));
        self.find_reached();
        Ok(())
    }

    /// Takes a child out.
    pub(super) fn remove_kid(&mut self, at: usize) -> Option<Node<T>> {
        self.first.remove(at);
        row::remove_copy(&mut self.sums, at, T::Summary::default());
        let kid = row::remove(&mut self.kids, at, None);
        self.find_reached();
        kid
    }

    /// Notes the key of the first item of a child.
    pub(super) fn set_first(&mut self, at: usize, key: Words) {
        self.first.set(at, key);
    }

    /// Notes what is known of a child.
    pub(super) fn set_sum(&mut self, at: usize, sum: T::Summary) {
        if let Some(slot) = self.sums.get_mut(at) {
            *slot = sum;
        }
        let after = at.saturating_add(1);
        for (next, head) in (after..).zip(self.first.heads_from(after)) {
            let begin = Words {
                head: *head,
                tail: [0, 0],
            };
            if !sum.reaches(&begin) {
                break;
            }
            self.reached |= bit(next);
        }
    }

    /// Finds anew which children are reached.
    fn find_reached(&mut self) {
        let mut before = T::Summary::default();
        self.reached = 0;
        for (at, (head, sum)) in self
            .first
            .heads_from(0)
            .iter()
            .zip(self.sums.iter())
            .enumerate()
        {
            let begin = Words {
                head: *head,
                tail: [0, 0],
            };
            if before.reaches(&begin) {
                self.reached |= bit(at);
            }
            before = before.join(*sum);
        }
    }

    /// Computes anew what is known of a child and the one after it.
    pub(super) fn refresh_pair(&mut self, at: usize) {
        for at in [at, at.saturating_add(1)] {
            let known = self.kid(at).map(|kid| (kid.first_key(), kid.summary()));
            let Some((Some(first), sum)) = known else {
                continue;
            };
            self.first.set(at, first);
            if let Some(slot) = self.sums.get_mut(at) {
                *slot = sum;
            }
        }
        self.find_reached();
    }

    fn shift_right(&mut self, next: &mut Self, n: usize) {
        let len = self.len();
        row::shift_right(&mut self.sums, len, &mut next.sums, n);
        row::shift_right(&mut self.kids, len, &mut next.kids, n);
        self.first.shift_right(&mut next.first, n);
        self.find_reached();
        next.find_reached();
    }

    fn shift_left(&mut self, next: &mut Self, n: usize) {
        let len = self.len();
        row::shift_left(&mut self.sums, len, &mut next.sums, n);
        row::shift_left(&mut self.kids, len, &mut next.kids, n);
        self.first.shift_left(&mut next.first, n);
        self.find_reached();
        next.find_reached();
    }
}

impl<T: TreeItem> Node<T> {
    /// Returns the number of items, or children.
    pub(super) fn len(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.items.len(),
            Node::Inner(inner) => inner.len(),
        }
    }

    /// Returns how many items, or children, such a node has room for.
    pub(super) fn room(&self) -> usize {
        match self {
            Node::Leaf(_) => LEAF_SLOTS,
            Node::Inner(_) => INNER_SLOTS,
        }
    }

    /// Returns the key of the first item.
    pub(super) fn first_key(&self) -> Option<Words> {
        match self {
            Node::Leaf(leaf) => leaf
                .items
                .get(0)
                .map(|w| T::from_words(w.head, w.tail).key()),
            Node::Inner(inner) => inner.first.get(0),
        }
    }

    /// Returns whether nothing in here comes after an item with this key, except perhaps in the
    /// last child.
    pub(super) fn ends_before(&self, key: &Words) -> bool {
        let last = match self {
            Node::Leaf(leaf) => leaf.items.last(),
            Node::Inner(inner) => inner.first.last(),
        };
        last.is_some_and(|last| last < *key)
    }

    /// Returns what is known of all items together.
    pub(super) fn summary(&self) -> T::Summary {
        match self {
            Node::Leaf(leaf) => summary::<T, LEAF_SLOTS>(&leaf.items, 0, leaf.items.len()),
            Node::Inner(inner) => {
                let sums = inner.sums().iter();
                sums.fold(T::Summary::default(), |sum, s| sum.join(*s))
            }
        }
    }

    /// Moves the last `n` items, or children, to the front of `next`, if there are as many, and
    /// there is room. Both are of one kind, as siblings are.
    pub(super) fn shift_right(&mut self, next: &mut Self, n: usize) {
        if n > self.len() || n > next.room().saturating_sub(next.len()) {
            return;
        }
        match (self, next) {
            (Node::Leaf(left), Node::Leaf(right)) => left.items.shift_right(&mut right.items, n),
            (Node::Inner(left), Node::Inner(right)) => left.shift_right(right, n),
            _ => {}
        }
    }

    /// Moves the first `n` items, or children, of `next` to the end, if there are as many, and
    /// there is room. Both are of one kind, as siblings are.
    pub(super) fn shift_left(&mut self, next: &mut Self, n: usize) {
        if n > next.len() || n > self.room().saturating_sub(self.len()) {
            return;
        }
        match (self, next) {
            (Node::Leaf(left), Node::Leaf(right)) => left.items.shift_left(&mut right.items, n),
            (Node::Inner(left), Node::Inner(right)) => left.shift_left(right, n),
            _ => {}
        }
    }
}
