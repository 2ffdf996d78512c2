// SPDX-License-Identifier: GPL-2.0

//! Items in a row, as they come and go. What a node has in parallel arrays, moves alike.
//!
//! Never allocates, never panics.

use core::mem;

/// Puts `item` at `at`; what is there and after it moves on by one, and the last one is lost.
pub(super) fn insert<T>(row: &mut [T], at: usize, item: T) {
    let mut carried = item;
    for slot in row.get_mut(at..).unwrap_or_default() {
        mem::swap(slot, &mut carried);
    }
}

/// Takes out what is at `at`; what is after it moves up by one, and `fill` comes last.
pub(super) fn remove<T>(row: &mut [T], at: usize, fill: T) -> T {
    let mut carried = fill;
    for slot in row.get_mut(at..).unwrap_or_default().iter_mut().rev() {
        mem::swap(slot, &mut carried);
    }
    carried
}

/// Like [`insert`], at the speed of memmove.
pub(super) fn insert_copy<T: Copy>(row: &mut [T], at: usize, item: T) {
    let tail = row.get_mut(at..).unwrap_or_default();
    if let Some(last) = tail.len().checked_sub(1) {
        tail.copy_within(..last, 1);
    }
    if let Some(slot) = tail.first_mut() {
        *slot = item;
    }
}

/// Like [`remove`], at the speed of memmove.
pub(super) fn remove_copy<T: Copy>(row: &mut [T], at: usize, fill: T) {
    let tail = row.get_mut(at..).unwrap_or_default();
    if !tail.is_empty() {
        tail.copy_within(1.., 0);
    }
    if let Some(slot) = tail.last_mut() {
        *slot = fill;
    }
}

/// Moves the last `n` of the `len` items of `left` to the front of `right`.
pub(super) fn shift_right<T>(left: &mut [T], len: usize, right: &mut [T], n: usize) {
    if n > len || n > right.len() {
        return;
    }
    right.rotate_right(n);
    let from = left.get_mut(len.saturating_sub(n)..len).unwrap_or_default();
    for (to, from) in right.iter_mut().zip(from) {
        mem::swap(to, from);
    }
}

/// Moves the first `n` items of `right` to the end of the `len` items of `left`.
pub(super) fn shift_left<T>(left: &mut [T], len: usize, right: &mut [T], n: usize) {
    if n > right.len() {
        return;
    }
    let to = left.get_mut(len..).unwrap_or_default();
    for (to, from) in to.iter_mut().zip(right.iter_mut()).take(n) {
        mem::swap(to, from);
    }
    right.rotate_left(n);
}
