// SPDX-License-Identifier: GPL-2.0

//! A queue of a fixed size, which counts what it has no room for. Pure.
//!
//! What comes when it is full is lost, and counted; the count stands in the queue where it was lost, in
//! the place of a record. So who reads sees where something is missing, and how much.

use core::marker::PhantomData;

/// Something in the queue.
#[derive(Clone)]
pub(super) enum Item<T> {
    /// A record, and its number.
    Record(u64, T),
    /// So many are lost here, and the first one's number.
    Lost(u64, u64),
}

/// What was lost since there was no room any more.
struct Lost {
    first: u64,
    count: u64,
}

/// The queue.
///
/// # Invariants
///
/// - "inside": `first` and `len` are at most `slots.len()`, `first` less than that unless it is 0.
pub(super) struct Ring<T, S> {
    slots: S,
    items: PhantomData<T>,
    first: usize,
    len: usize,
    /// The number of the next record.
    next: u64,
    lost: Option<Lost>,
}

impl<T: Clone, S: AsRef<[Option<Item<T>>]> + AsMut<[Option<Item<T>>]>> Ring<T, S> {
    /// A queue in these slots.
    pub(super) fn new(slots: S) -> Self {
        Self {
            slots,
            items: PhantomData,
            first: 0,
            len: 0,
            next: 0,
            lost: None,
        }
    }

    fn room(&self) -> usize {
        self.slots.as_ref().len().saturating_sub(self.len)
    }

    /// Where the item is that comes `at` items after the first one.
    fn index(&self, at: usize) -> Option<usize> {
        self.first
            .checked_add(at)?
            .checked_rem(self.slots.as_ref().len())
    }

    fn put(&mut self, item: Item<T>) {
        let slot = self.index(self.len);
        if let Some(slot) = slot.and_then(|slot| self.slots.as_mut().get_mut(slot)) {
            *slot = Some(item);
            self.len = self.len.saturating_add(1);
        }
    }

    /// Adds a record, or loses it; whether it was added.
    pub(super) fn push(&mut self, record: &T) -> bool {
        let number = self.next;
        self.next = number.wrapping_add(1);
        // What is lost wants a slot of its own.
        let wanted = if self.lost.is_some() { 2 } else { 1 };
        if self.room() < wanted {
            let lost = self.lost.get_or_insert(Lost {
                first: number,
                count: 0,
            });
            lost.count = lost.count.saturating_add(1);
            return false;
        }
        if let Some(lost) = self.lost.take() {
            self.put(Item::Lost(lost.first, lost.count));
        }
        self.put(Item::Record(number, record.clone()));
        true
    }

    /// Whether there is nothing to read.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0 && self.lost.is_none()
    }

    /// Copies the first items to `to`, and returns how many; they stay.
    pub(super) fn peek(&mut self, to: &mut [Option<Item<T>>]) -> usize {
        if self.len == 0 {
            if let Some(lost) = self.lost.take() {
                self.put(Item::Lost(lost.first, lost.count));
            }
        }
        let mut copied = 0;
        for (at, to) in to.iter_mut().enumerate().take(self.len) {
            let item = self
                .index(at)
                .and_then(|slot| self.slots.as_ref().get(slot));
            *to = item.cloned().flatten();
            copied = at.saturating_add(1);
        }
        copied
    }

    /// Removes the first `n` items.
    pub(super) fn remove(&mut self, n: usize) {
        let n = n.min(self.len);
        self.first = self.index(n).unwrap_or(0);
        self.len = self.len.saturating_sub(n);
    }
}
