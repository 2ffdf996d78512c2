// SPDX-License-Identifier: GPL-2.0

//! Whether a tree is what it should be.

use super::{
    item::LEAF_SLOTS,
    node::{
        Inner,
        Node, //
    },
    BTree,
    Need,
    Root,
    Summary,
    TreeItem,
    Words, //
};
use crate::errno::euclean;
use kernel::prelude::*;

/// What the check has seen so far.
struct Seen {
    len: usize,
    nodes: Need,
    last: Option<Words>,
}

impl<T: TreeItem> BTree<T> {
    /// Checks that items ascend, all leaves are at one height, no node is empty, and that nodes
    /// know the first key and the summary of what is below them. Allocates nothing.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if something does not hold.
    pub(in super::super) fn check(&self) -> Result {
        let mut seen = Seen {
            len: 0,
            nodes: Need::default(),
            last: None,
        };
        match &self.root {
            Root::Few(items) => {
                check_items(items.iter().copied(), &mut seen)?;
                if self.height != 0 || items.len() > LEAF_SLOTS {
                    return Err(euclean());
                }
            }
            Root::Many(root) => check_inner(root, self.height, &mut seen)?,
        }
        if seen.len != self.len || seen.nodes != self.nodes {
            return Err(euclean());
        }
        Ok(())
    }
}

fn check_items<T: TreeItem>(items: impl Iterator<Item = T>, seen: &mut Seen) -> Result {
    for item in items {
        if seen.last.is_some_and(|last| last >= item.key()) {
            return Err(euclean());
        }
        seen.last = Some(item.key());
        seen.len = seen.len.saturating_add(1);
    }
    Ok(())
}

fn check_inner<T: TreeItem>(inner: &Inner<T>, height: usize, seen: &mut Seen) -> Result {
    let len = inner.len();
    if len == 0 {
        return Err(euclean());
    }
    seen.nodes.inners = seen.nodes.inners.saturating_add(1);

    let mut before = T::Summary::default();
    for at in 0..len {
        let kid = inner.kid(at).ok_or_else(euclean)?;
        let (first, sum) = (kid.first_key().ok_or_else(euclean)?, kid.summary());
        if inner.first().get(at) != Some(first)
            || inner.sums().get(at) != Some(&sum)
            || (before.reaches(&first) && !inner.is_reached(at))
        {
            return Err(euclean());
        }
        before = before.join(sum);
        match (kid, height) {
            (Node::Leaf(leaf), 1) => {
                seen.nodes.leaves = seen.nodes.leaves.saturating_add(1);
                let items = leaf.items.iter_from(0);
                check_items(items.map(|(head, tail)| T::from_words(*head, *tail)), seen)?;
            }
            (Node::Inner(kid), 2..) => check_inner(kid, height - 1, seen)?,
            _ => return Err(euclean()),
        }
    }
    Ok(())
}
