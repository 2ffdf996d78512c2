// SPDX-License-Identifier: GPL-2.0

//! How a tree is read: item after item, or many at once.

use super::{
    keys,
    node::{
        Inner,
        Leaf,
        Node, //
    },
    BTree,
    Root,
    Summary,
    TreeItem,
    Words,
    MAX_HEIGHT, //
};
use core::slice;

/// Visits the rest of a leaf, or of the vector.
enum Items<'a, T> {
    Leaf(keys::Iter<'a>),
    Few(slice::Iter<'a, T>),
}

/// Visits items, ascending by key, to the last one.
pub(in super::super) struct Walk<'a, T: TreeItem> {
    /// The nodes on the way to where the walk is, each with the child to visit next.
    path: [Option<(&'a Inner<T>, usize)>; MAX_HEIGHT],
    /// How many of them there are.
    depth: usize,
    /// The rest of the leaf where the walk is.
    items: Items<'a, T>,
}

impl<'a, T: TreeItem> Walk<'a, T> {
    fn push(&mut self, inner: &'a Inner<T>, next: usize) {
        if let Some(slot) = self.path.get_mut(self.depth) {
            *slot = Some((inner, next));
            self.depth = self.depth.saturating_add(1);
        }
    }

    /// Goes to the next leaf. `None` at the end.
    fn advance(&mut self) -> Option<()> {
        loop {
            let top = self.depth.checked_sub(1)?;
            let (inner, next) = self.path.get_mut(top)?.as_mut()?;
            let kid = inner.kid(*next);
            *next = next.saturating_add(1);
            match kid {
                Some(Node::Leaf(leaf)) => {
                    self.items = Items::Leaf(leaf.items.iter_from(0));
                    return Some(());
                }
                Some(Node::Inner(kid)) => self.push(kid, 0),
                None => self.depth = top,
            }
        }
    }
}

impl<T: TreeItem> Iterator for Walk<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            let item = match &mut self.items {
                Items::Leaf(items) => items.next().map(|(head, tail)| T::from_words(*head, *tail)),
                Items::Few(items) => items.next().copied(),
            };
            if item.is_some() {
                return item;
            }
            self.advance()?;
        }
    }
}

impl<T: TreeItem> BTree<T> {
    /// Visits all items, ascending by key.
    pub(in super::super) fn iter(&self) -> Walk<'_, T> {
        self.seek(&Words::default())
    }

    /// Visits all items from the first one on whose key is `key` or greater.
    pub(in super::super) fn seek(&self, key: &Words) -> Walk<'_, T> {
        let mut walk = Walk {
            path: [const { None }; MAX_HEIGHT],
            depth: 0,
            items: Items::Few([].iter()),
        };
        match &self.root {
            Root::Few(items) => {
                let at = items.partition_point(|item| item.key() < *key);
                walk.items = Items::Few(items.get(at..).unwrap_or_default().iter());
            }
            Root::Many(root) => {
                let leaf = descend(root, key, |inner, at| {
                    walk.push(inner, at.saturating_add(1));
                });
                if let Some(leaf) = leaf {
                    let at = leaf.items.lower_bound(key);
                    walk.items = Items::Leaf(leaf.items.iter_from(at));
                }
            }
        }
        walk
    }

    /// Returns the item with this key, or else the last one before it.
    pub(in super::super) fn floor(&self, key: &Words) -> Option<T> {
        match &self.root {
            Root::Few(items) => {
                let after = items.partition_point(|item| item.key() <= *key);
                items.get(after.checked_sub(1)?).copied()
            }
            Root::Many(root) => {
                let leaf = descend(root, key, |_, _| {})?;
                let at = leaf.items.lower_bound(key);
                let at = if leaf.has_key::<T>(at, key) {
                    at
                } else {
                    at.checked_sub(1)?
                };
                let words = leaf.items.get(at)?;
                Some(T::from_words(words.head, words.tail))
            }
        }
    }

    /// Returns the first item whose key is `key` or greater and of which `wanted` holds. Of items together
    /// it must hold if, and only if, it does of one of them.
    pub(in super::super) fn find(
        &self,
        key: &Words,
        wanted: impl Fn(&T::Summary) -> bool,
    ) -> Option<T> {
        match &self.root {
            Root::Few(items) => {
                let at = items.partition_point(|item| item.key() < *key);
                let mut items = items.get(at..).unwrap_or_default().iter();
                items.find(|item| wanted(&item.summary())).copied()
            }
            Root::Many(root) => find(root, Some(key), &wanted),
        }
    }

    /// Returns what is known of all items together.
    pub(in super::super) fn summary(&self) -> T::Summary {
        let none = T::Summary::default();
        match &self.root {
            Root::Few(items) => items
                .iter()
                .fold(none, |sum, item| sum.join(item.summary())),
            Root::Many(root) => root.sums().iter().fold(none, |sum, known| sum.join(*known)),
        }
    }

    /// Calls `visit` for items, ascending by key, until it returns `false`: all whose key is `key`
    /// or greater that reach to `from`, and some others. An item that begins there, or after it,
    /// reaches to it.
    pub(in super::super) fn visit(
        &self,
        key: Option<&Words>,
        from: &Words,
        visit: impl FnMut(T) -> bool,
    ) {
        let mut visit = visit;
        match &self.root {
            Root::Few(items) => {
                let at = key.map_or(0, |key| items.partition_point(|item| item.key() < *key));
                let items = items.get(at..).unwrap_or_default().iter();
                items.copied().all(visit);
            }
            Root::Many(root) => {
                visit_below(root, key, from, &mut visit);
            }
        }
    }

    /// Returns what is known together of the items whose keys are less than a limit, which may grow
    /// with what is known so far, and that reach to `from`; others may be taken into account too.
    /// Also returns the key of the first item that is not within the limit, if there is one. Ends as
    /// soon as there is no limit, which says that enough is known; the key is any then.
    pub(in super::super) fn gather(
        &self,
        from: &Words,
        limit: impl Fn(&T::Summary) -> Option<Words>,
    ) -> (T::Summary, Option<Words>) {
        let mut sum = T::Summary::default();
        let next = match &self.root {
            Root::Few(items) => items.iter().find_map(|item| {
                let within = limit(&sum).is_some_and(|limit| item.key() < limit);
                sum = if within {
                    sum.join(item.summary())
                } else {
                    sum
                };
                (!within).then_some(item.key())
            }),
            Root::Many(root) => gather(root, from, &limit, &mut sum),
        };
        (sum, next)
    }
}

/// Goes down to the leaf where an item with this key is, or belongs. `pass` hears of the nodes on
/// the way, with the child that it leads to.
fn descend<'a, T: TreeItem>(
    mut inner: &'a Inner<T>,
    key: &Words,
    mut pass: impl FnMut(&'a Inner<T>, usize),
) -> Option<&'a Leaf> {
    loop {
        let at = inner.child_for(key);
        pass(inner, at);
        match inner.kid(at)? {
            Node::Inner(kid) => inner = kid,
            Node::Leaf(leaf) => return Some(leaf),
        }
    }
}

/// Returns the first item from `key` on of which `wanted` holds. Where it holds of a child together that
/// begins at `key` or after it, the item is below: so at most one way down is gone in vain.
fn find<T: TreeItem>(
    inner: &Inner<T>,
    key: Option<&Words>,
    wanted: &impl Fn(&T::Summary) -> bool,
) -> Option<T> {
    let start = key.map_or(0, |key| inner.child_for(key));
    let sums = inner.sums().iter().enumerate().skip(start);
    for (at, _) in sums.filter(|(_, sum)| wanted(sum)) {
        // Only that one may begin before.
        let key = key.filter(|_| at == start);
        let found = match inner.kid(at)? {
            Node::Inner(kid) => find(kid, key, wanted),
            Node::Leaf(leaf) => leaf
                .items
                .iter_from(key.map_or(0, |key| leaf.items.lower_bound(key)))
                .map(|(head, tail)| T::from_words(*head, *tail))
                .find(|item| wanted(&item.summary())),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Returns whether to go on. Goes as deep as the tree is high.
fn visit_below<T: TreeItem>(
    inner: &Inner<T>,
    key: Option<&Words>,
    from: &Words,
    visit: &mut impl FnMut(T) -> bool,
) -> bool {
    let start = inner.child_for(from);
    let mut at = key.map_or(0, |key| inner.child_for(key));
    if !inner.is_reached(start) {
        at = at.max(start);
    }
    loop {
        if at < start {
            let before = inner.sums().get(at..start).unwrap_or_default();
            let skipped = before.iter().take_while(|sum| !sum.reaches(from)).count();
            at = at.saturating_add(skipped);
        }
        let go_on = match inner.kid(at) {
            Some(Node::Leaf(leaf)) => visit_leaf(leaf, key, from, visit),
            Some(Node::Inner(kid)) => visit_below(kid, key, from, visit),
            None => return true,
        };
        if !go_on {
            return false;
        }
        at = at.saturating_add(1);
    }
}

/// Returns whether to go on.
fn visit_leaf<T: TreeItem>(
    leaf: &Leaf,
    key: Option<&Words>,
    from: &Words,
    visit: &mut impl FnMut(T) -> bool,
) -> bool {
    let at = key.map_or(0, |key| leaf.items.lower_bound(key));
    let mut items = leaf
        .items
        .iter_from(at)
        .map(|(head, tail)| T::from_words(*head, *tail))
        .skip_while(|item| !item.summary().reaches(from));
    items.all(visit)
}

/// Returns the key of the first item that is not within the limit.
fn gather_leaf<T: TreeItem>(
    leaf: &Leaf,
    limit: &impl Fn(&T::Summary) -> Option<Words>,
    sum: &mut T::Summary,
) -> Option<Words> {
    let mut at = 0;
    loop {
        let next = leaf.items.get(at)?;
        let end = limit(sum).map_or(at, |limit| leaf.items.lower_bound(&limit));
        if end <= at {
            return Some(T::from_words(next.head, next.tail).key());
        }
        // From the last one on: it is the one to know of most likely.
        for (head, tail) in leaf.items.iter_from(at).take(end.saturating_sub(at)).rev() {
            *sum = sum.join(T::from_words(*head, *tail).summary());
            if limit(sum).is_none() {
                return Some(T::from_words(next.head, next.tail).key());
            }
        }
        at = end;
    }
}

/// Returns the key of the first item that is not within the limit. Goes as deep as the tree is high.
fn gather<T: TreeItem>(
    inner: &Inner<T>,
    from: &Words,
    limit: &impl Fn(&T::Summary) -> Option<Words>,
    sum: &mut T::Summary,
) -> Option<Words> {
    let start = inner.child_for(from);
    let mut at = if inner.is_reached(start) { 0 } else { start };
    loop {
        let first = inner.first().get(at)?;
        // Each but the last of those that begin within the limit ends within it too.
        let within = limit(sum).map_or(at, |limit| inner.first().lower_bound(&limit));
        let last = match within.checked_sub(1) {
            Some(last) if last >= at => last,
            _ => return Some(first),
        };
        for known in inner.sums().get(at..last).unwrap_or_default() {
            *sum = sum.join(*known);
            if limit(sum).is_none() {
                return Some(first);
            }
        }

        let next = match inner.kid(last)? {
            Node::Leaf(leaf) => gather_leaf::<T>(leaf, limit, sum),
            Node::Inner(kid) => gather(kid, from, limit, sum),
        };
        if next.is_some() {
            return next;
        }
        at = last.saturating_add(1);
    }
}
