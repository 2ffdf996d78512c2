// SPDX-License-Identifier: GPL-2.0

//! Owner records as the tree keeps them: 24 bytes instead of 32.
//!
//! First block (40 bits), inode number (60), page offset (51), whether it is unwritten (1) and last block
//! (40) follow each other in three words, highest bits first, so that to compare the words is to compare the
//! records.

use super::{
    btree::{
        Summary,
        TreeItem,
        Words, //
    },
    record::{
        MAX_BLOCKS,
        MAX_INO,
        MAX_PAGES, //
    },
    OwnerRecord, //
};
use core::ops::Range;

const BLOCK_BITS: u32 = MAX_BLOCKS.ilog2();
const INO_BITS: u32 = MAX_INO.next_power_of_two().ilog2();
const PGOFF_BITS: u32 = MAX_PAGES.ilog2();

// The first word has the block and the first bits of the inode number; the second the rest of that
// and the first bits of the page offset; the third the rest of that, the flag and the last block.
const INO_LOW: u32 = BLOCK_BITS + INO_BITS - 64;
const PGOFF_LOW: u32 = PGOFF_BITS + INO_LOW - 64;
const UNWRITTEN: u64 = 1 << BLOCK_BITS;
const _: () = assert!(PGOFF_LOW + 1 + BLOCK_BITS == 64);

const fn low(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// A valid owner record.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Packed(Words);

/// Returns a key that is not after those of any record at `block`.
pub(super) fn first_key(block: u64) -> Words {
    Words {
        head: block.min(MAX_BLOCKS - 1) << (64 - BLOCK_BITS),
        tail: [0, 0],
    }
}

/// Returns a key after those of all records at `block`, and not after those at the next one.
pub(super) fn end_key(block: u64) -> Words {
    if block < MAX_BLOCKS - 1 {
        first_key(block.saturating_add(1))
    } else {
        Words {
            head: u64::MAX,
            tail: [u64::MAX; 2],
        }
    }
}

/// Returns the key of a record at `block` with this page.
pub(super) fn key(block: u64, ino: u64, pgoff: u64) -> Words {
    Packed::new(&OwnerRecord {
        block,
        ino,
        pgoff,
        len: 1,
        unwritten: false,
    })
    .key()
}

/// Returns the block of a key.
pub(super) fn block_of(key: &Words) -> u64 {
    key.head >> (64 - BLOCK_BITS)
}

impl Packed {
    /// Packs a valid record.
    pub(super) fn new(rec: &OwnerRecord) -> Packed {
        let unwritten = if rec.unwritten { UNWRITTEN } else { 0 };
        Packed(Words {
            head: rec.block << (64 - BLOCK_BITS) | rec.ino >> INO_LOW,
            tail: [
                rec.ino << (64 - INO_LOW) | rec.pgoff >> PGOFF_LOW,
                rec.pgoff << (64 - PGOFF_LOW)
                    | unwritten
                    | rec.end().saturating_sub(1) & low(BLOCK_BITS),
            ],
        })
    }

    /// Returns the record.
    pub(super) fn record(&self) -> OwnerRecord {
        let Words { head, tail } = self.0;
        let [mid, last] = tail;
        OwnerRecord {
            block: self.block(),
            ino: (head & low(64 - BLOCK_BITS)) << INO_LOW | mid >> (64 - INO_LOW),
            pgoff: (mid & low(64 - INO_LOW)) << PGOFF_LOW | last >> (64 - PGOFF_LOW),
            len: self.end().saturating_sub(self.block()),
            unwritten: self.is_unwritten(),
        }
    }

    /// Returns the part of the record that lies in `range` (of blocks); it has one.
    pub(super) fn clipped(&self, range: &Range<u64>) -> OwnerRecord {
        let mut rec = self.record();
        let end = rec.end().min(range.end);
        let cut = range.start.saturating_sub(rec.block);
        rec.block = rec.block.saturating_add(cut);
        rec.pgoff = rec.pgoff.saturating_add(cut);
        rec.len = end.saturating_sub(rec.block);
        rec
    }

    /// Returns the first block.
    pub(super) fn block(&self) -> u64 {
        block_of(&self.0)
    }

    /// Returns whether its blocks are unwritten.
    pub(super) fn is_unwritten(&self) -> bool {
        let [_, last] = self.0.tail;
        last & UNWRITTEN != 0
    }

    /// Returns the first block after the record.
    pub(super) fn end(&self) -> u64 {
        let [_, last] = self.0.tail;
        (last & low(BLOCK_BITS)).saturating_add(1)
    }
}

/// Where those two of some records end that end last; 0 if there is no such record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Ends {
    /// Where the last one ends.
    pub(super) last: u64,
    /// Where the last but one ends.
    pub(super) second: u64,
}

impl Summary for Ends {
    fn join(self, other: Self) -> Self {
        Ends {
            last: self.last.max(other.last),
            second: self.last.min(other.last).max(self.second).max(other.second),
        }
    }

    fn outlives(&self, gone: &Self) -> bool {
        gone.last < self.second
    }

    fn reaches(&self, key: &Words) -> bool {
        self.last > block_of(key)
    }
}

impl TreeItem for Packed {
    type Summary = Ends;

    const KEY_TAIL: [u64; 2] = [u64::MAX, !(UNWRITTEN | low(BLOCK_BITS))];

    fn to_words(&self) -> Words {
        self.0
    }

    fn from_words(head: u64, tail: [u64; 2]) -> Self {
        Packed(Words { head, tail })
    }

    fn summary(&self) -> Ends {
        Ends {
            last: self.end(),
            second: 0,
        }
    }
}
