// SPDX-License-Identifier: GPL-2.0

//! Where a listing of a directory stands, as a program is told it.
//!
//! The cookie of an entry has 49 bits, and a program of 32 bits has 31 for a position. For such
//! programs the cookies are divided into slots of 2^18. An entry's position is the number of its
//! slot, or, if others are there already, the next number that is free, as in a hash table with
//! open addressing: so no two entries have the same position, and what a position says depends on
//! nothing but the entries. Nearly all have their slot to themselves: of a million, some 500 do
//! not.
//!
//! Who goes on from a position looks at the slots shortly before it too, for entries that have
//! found no room there. How far, is a matter of how many entries may crowd one place: with more
//! than [`LOOK_BACK`] (who can make names of one hash can do that) a position that one returns to
//! may be another entry's. Who simply reads on is not concerned: the cookie is remembered.
//!
//! # Locking
//!
//! None: a listing is one caller's.

use crate::state::FIRST_COOKIE;

/// So many cookies are one slot: 2 to the power of this.
const SLOT_SHIFT: u32 = 18;

/// Slots that are looked at before a position.
const LOOK_BACK: u64 = 1 << 16;

/// A listing of a directory, or a part of one.
pub(crate) struct Listing {
    /// Positions are cookies.
    is_wide: bool,
    /// The cookie from which on entries are looked for.
    from: u64,
    /// The position from which on they are wanted.
    wanted: u64,
    /// The least position that is free.
    free: u64,
}

impl Listing {
    /// Goes on at a position that is a cookie.
    pub(crate) fn wide(pos: u64) -> Self {
        Self {
            is_wide: true,
            from: pos,
            wanted: pos,
            free: pos,
        }
    }

    /// Goes on at a position for programs of 32 bits; `next` is the cookie of the entry before which
    /// the last part has ended just there, if it has.
    pub(crate) fn narrow(pos: u64, next: Option<u64>) -> Self {
        let before = pos.saturating_sub(LOOK_BACK).max(FIRST_COOKIE);
        Self {
            is_wide: false,
            from: next.unwrap_or(first_of(before)),
            wanted: pos,
            free: if next.is_some() { pos } else { before },
        }
    }

    /// The cookie from which on the next entry is to be looked for.
    pub(crate) fn from(&self) -> u64 {
        self.from
    }

    /// The next entry is the one with this cookie: returns its position, or `None` if it comes before
    /// what is wanted.
    pub(crate) fn place(&mut self, cookie: u64) -> Option<u64> {
        let pos = if self.is_wide {
            cookie
        } else {
            slot_of(cookie).max(self.free)
        };
        self.from = cookie.saturating_add(1);
        self.free = pos.saturating_add(1);
        (pos >= self.wanted).then_some(pos)
    }
}

fn slot_of(cookie: u64) -> u64 {
    (cookie.saturating_sub(FIRST_COOKIE) >> SLOT_SHIFT).saturating_add(FIRST_COOKIE)
}

/// The least cookie of a slot.
fn first_of(slot: u64) -> u64 {
    let slots = slot.saturating_sub(FIRST_COOKIE);
    slots
        .saturating_mul(1 << SLOT_SHIFT)
        .saturating_add(FIRST_COOKIE)
}
