// SPDX-License-Identifier: GPL-2.0

//! The words of items in a node, laid out for the search.
//!
//! A search reads heads only, which lie together, and tails where heads are the same. It reads all
//! heads of a node in two steps, each of which loads what it needs at once: the steps of a binary
//! search would wait for the memory of the step before.

use super::row;
use crate::errno::euclean;
use core::{
    iter::Zip,
    slice, //
};
use kernel::prelude::*;

/// Heads that a search takes together.
const GROUP: usize = 6;

/// The rest of an item's words.
pub(super) type Tail = [u64; 2];

/// An item as it is stored: ordered by its head, then by its tail.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(in super::super) struct Words {
    pub(in super::super) head: u64,
    pub(in super::super) tail: Tail,
}

/// At most `N` items, ascending. `N` is a multiple of `GROUP`.
///
/// # Invariants
///
/// Heads that are not in use are `u64::MAX`, so that a search may look at all of them.
#[repr(C)]
pub(super) struct Keys<const N: usize> {
    len: usize,
    heads: [u64; N],
    tails: [Tail; N],
}

/// Visits heads and tails.
pub(super) type Iter<'a> = Zip<slice::Iter<'a, u64>, slice::Iter<'a, Tail>>;

/// Compares without a branch.
fn less(a: &Tail, b: &Tail) -> bool {
    let ([a_high, a_low], [b_high, b_low]) = (a, b);
    (a_high < b_high) | ((a_high == b_high) & (a_low < b_low))
}

impl<const N: usize> Keys<N> {
    /// Creates a row without items.
    pub(super) fn new() -> Self {
        const { assert!(N > 0 && N % GROUP == 0) };
        Keys {
            len: 0,
            heads: [u64::MAX; N],
            tails: [Tail::default(); N],
        }
    }

    /// Returns the number of items.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns the words of one item.
    pub(super) fn get(&self, at: usize) -> Option<Words> {
        if at >= self.len {
            return None;
        }
        Some(Words {
            head: *self.heads.get(at)?,
            tail: *self.tails.get(at)?,
        })
    }

    /// Returns the words of the last item.
    pub(super) fn last(&self) -> Option<Words> {
        self.get(self.len.checked_sub(1)?)
    }

    /// Returns the heads of items from one on.
    pub(super) fn heads_from(&self, at: usize) -> &[u64] {
        self.heads.get(at..self.len).unwrap_or_default()
    }

    /// Visits items from one on.
    pub(super) fn iter_from(&self, at: usize) -> Iter<'_> {
        let tails = self.tails.get(at..self.len).unwrap_or_default();
        self.heads_from(at).iter().zip(tails.iter())
    }

    /// Changes one item, which stays where it is in order.
    pub(super) fn set(&mut self, at: usize, words: Words) {
        if at < self.len {
            if let (Some(head), Some(tail)) = (self.heads.get_mut(at), self.tails.get_mut(at)) {
                *head = words.head;
                *tail = words.tail;
            }
        }
    }

    /// Returns how many items are less than `key`.
    pub(super) fn lower_bound(&self, key: &Words) -> usize {
        self.bound(key, |tail| less(tail, &key.tail))
    }

    /// Returns how many items are not greater than `key`.
    pub(super) fn upper_bound(&self, key: &Words) -> usize {
        self.bound(key, |tail| !less(&key.tail, tail))
    }

    /// Returns how many items have a lesser head, or the same head and a tail for which `before` is
    /// true.
    #[inline]
    fn bound(&self, key: &Words, before: impl Fn(&Tail) -> bool) -> usize {
        // Who adds items in order, as a mount does to a file, wants the end each time.
        let last = self.len.checked_sub(1).and_then(|at| self.heads.get(at));
        if last.is_some_and(|last| *last < key.head) {
            return self.len;
        }
        let start = self.count_heads(|head| head < key.head);
        if self.heads.get(start) != Some(&key.head) {
            return start;
        }
        let end = self.count_heads(|head| head <= key.head).min(self.len);
        let tails = self.tails.get(start..end).unwrap_or_default();
        start.saturating_add(tails.iter().filter(|tail| before(tail)).count())
    }

    /// Returns for how many heads, from the first one on, `yes` holds. After one for which it does
    /// not, it holds for none.
    #[inline]
    fn count_heads(&self, yes: impl Fn(u64) -> bool) -> usize {
        // Which group: its number is that of groups before it that `yes` holds for to their ends.
        let ends = self.heads.chunks_exact(GROUP).take(N / GROUP - 1);
        let whole = ends
            .filter(|g| g.last().is_some_and(|head| yes(*head)))
            .count();
        let start = whole.saturating_mul(GROUP);
        let group = self
            .heads
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take(GROUP);
        start.saturating_add(group.filter(|head| yes(**head)).count())
    }

    /// Inserts an item.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is no room, or there are less than `at` items.
    pub(super) fn insert(&mut self, at: usize, words: Words) -> Result {
        if self.len >= N || at > self.len {
            return Err(euclean());
        }
        self.len = self.len.saturating_add(1);
        let heads = self.heads.get_mut(..self.len).unwrap_or_default();
        row::insert_copy(heads, at, words.head);
        let tails = self.tails.get_mut(..self.len).unwrap_or_default();
        row::insert_copy(tails, at, words.tail);
        Ok(())
    }

    /// Removes the item at `at`, if there is one.
    pub(super) fn remove(&mut self, at: usize) {
        if at < self.len {
            let heads = self.heads.get_mut(..self.len).unwrap_or_default();
            row::remove_copy(heads, at, u64::MAX);
            let tails = self.tails.get_mut(..self.len).unwrap_or_default();
            row::remove_copy(tails, at, Tail::default());
            self.len = self.len.saturating_sub(1);
        }
    }

    /// Moves the last `n` items to the front of `next`. There are as many, and there is room.
    pub(super) fn shift_right(&mut self, next: &mut Self, n: usize) {
        row::shift_right(&mut self.heads, self.len, &mut next.heads, n);
        row::shift_right(&mut self.tails, self.len, &mut next.tails, n);
        self.len = self.len.saturating_sub(n);
        next.len = next.len.saturating_add(n);
    }

    /// Moves the first `n` items of `next` to the end. There are as many, and there is room.
    pub(super) fn shift_left(&mut self, next: &mut Self, n: usize) {
        row::shift_left(&mut self.heads, self.len, &mut next.heads, n);
        row::shift_left(&mut self.tails, self.len, &mut next.tails, n);
        self.len = self.len.saturating_add(n);
        next.len = next.len.saturating_sub(n);
    }
}
