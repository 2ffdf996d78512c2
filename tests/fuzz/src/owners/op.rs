// SPDX-License-Identifier: GPL-2.0

//! What can be done to an owner tree, and how bytes say it.

use crate::{
    bytes::Bytes,
    rmap::{
        OwnerRecord,
        MAX_BLOCKS,
        MAX_INO,
        MAX_PAGES, //
    }, //
};
use std::ops::Range;

/// Where things are: close together, so that they meet; on both sides of a multiple of 512, which
/// walks treat specially; and at both ends.
const BLOCKS: [u64; 6] = [0, 400, 480, 1000, 1 << 32, MAX_BLOCKS - 256];
const PAGES: [u64; 4] = [0, 150, 1 << 33, MAX_PAGES - 256];
pub(crate) const INOS: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, MAX_INO - 1];

/// From one extent to the next of many: some so that each of these is in a leaf of its own.
const DISTANCES: [u64; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 9, 16, 22, 43, 65, 86, 130, 300];

#[derive(Debug)]
pub(crate) enum Op {
    /// Maps an extent, which may be empty, in the way, or out of range.
    Map(OwnerRecord),
    /// Maps `count` extents, the first one and more at these distances: few bytes for many records.
    Comb {
        first: OwnerRecord,
        count: u64,
        pages: u64,
        blocks: u64,
    },
    /// Maps an extent that the `nth` one continues, or that continues it.
    Extend { nth: usize, len: u64, before: bool },
    /// Makes pages of a file a hole.
    Unmap { ino: u64, pages: Range<u64> },
    /// Makes `count` times some pages of a file a hole, at this distance.
    Thin {
        ino: u64,
        pages: Range<u64>,
        count: u64,
        distance: u64,
    },
    /// Makes pages of the `nth` extent a hole, and gives them other blocks, or the same again.
    Move {
        nth: usize,
        skip: u64,
        len: u64,
        to: Target,
    },
    /// Lets pages of a file share the blocks of those of another one.
    Clone {
        from: u64,
        pages: Range<u64>,
        to: u64,
        at: u64,
    },
    /// Makes pages of a file that are not a hole written, or unwritten if nobody shares them.
    Convert {
        ino: u64,
        pages: Range<u64>,
        unwritten: bool,
    },
    /// Reserves room for `n` changes of any files, with so many allocations if that is limited.
    Reserve { n: usize, allocations: Option<u64> },
    /// Reserves nothing before the next operation.
    Starve,
    /// Begins a walk; what follows happens while it is under way.
    Walk(Range<u64>),
    /// Goes on with the walk.
    Step { batch: usize },
    /// Asks whether a block is shared, and for the next one without an owner.
    Query { block: u64, max: u64 },
    /// Compares everything.
    Compare,
}

#[derive(Debug)]
pub(crate) enum Target {
    Nowhere,
    Same,
    Block(u64),
}

impl Op {
    /// Reads an operation; `None` at the end of the bytes.
    pub(crate) fn read(b: &mut Bytes<'_>) -> Option<Op> {
        let what = b.byte()?;
        if what >= 247 {
            return Some(Op::Convert {
                ino: b.one_of(&INOS)?,
                pages: range(b, &PAGES)?,
                unwritten: what % 2 == 0,
            });
        }
        Some(match what % 19 {
            0..=2 => Op::Map(extent(b)?),
            3..=4 => Op::Comb {
                first: OwnerRecord {
                    len: u64::from(b.byte()? % 4) + 1,
                    ..extent(b)?
                },
                count: u64::from(b.byte()?) * 4,
                pages: b.one_of(&DISTANCES)?,
                blocks: b.one_of(&DISTANCES)?,
            },
            5 => Op::Extend {
                nth: b.byte()?.into(),
                len: len(b)?,
                before: b.byte()? % 2 == 0,
            },
            6 => Op::Unmap {
                ino: b.one_of(&INOS)?,
                pages: range(b, &PAGES)?,
            },
            7..=8 => Op::Move {
                nth: b.byte()?.into(),
                skip: len(b)?,
                len: len(b)?,
                to: match b.byte()? % 3 {
                    0 => Target::Nowhere,
                    1 => Target::Same,
                    _ => Target::Block(near(b, &BLOCKS)?),
                },
            },
            9..=10 => Op::Clone {
                from: b.one_of(&INOS)?,
                pages: range(b, &PAGES)?,
                to: b.one_of(&INOS)?,
                at: near(b, &PAGES)?,
            },
            11 => Op::Reserve {
                n: usize::from(b.byte()?) * 2,
                allocations: Some(b.byte()?.into()).filter(|n| *n < 64),
            },
            12 => Op::Starve,
            13 => {
                let start = near(b, &BLOCKS)?;
                // Not too many windows.
                Op::Walk(start..start.saturating_add(u64::from(b.byte()?) * 6))
            }
            14 => Op::Step {
                batch: usize::from(b.byte()? % 8) + 1,
            },
            15..=16 => Op::Query {
                block: near(b, &BLOCKS)?,
                max: len(b)?,
            },
            17 => Op::Thin {
                ino: b.one_of(&INOS)?,
                pages: range(b, &PAGES)?,
                count: u64::from(b.byte()?) * 4,
                distance: b.one_of(&DISTANCES)? + 1,
            },
            _ => Op::Compare,
        })
    }
}

fn near(b: &mut Bytes<'_>, places: &[u64]) -> Option<u64> {
    Some(b.one_of(places)? + u64::from(b.byte()?))
}

/// Most are short, some reach over many windows, or over most of all blocks.
fn len(b: &mut Bytes<'_>) -> Option<u64> {
    let byte = b.byte()?;
    let n = u64::from(byte & 31);
    Some(match byte >> 5 {
        0..=4 => n,
        5 => n * 16,
        6 => n << 10,
        _ => n * (MAX_BLOCKS / 32),
    })
}

fn range(b: &mut Bytes<'_>, places: &[u64]) -> Option<Range<u64>> {
    let start = near(b, places)?;
    Some(start..start + len(b)?)
}

fn extent(b: &mut Bytes<'_>) -> Option<OwnerRecord> {
    Some(OwnerRecord {
        block: near(b, &BLOCKS)?,
        ino: b.one_of(&INOS)?,
        pgoff: near(b, &PAGES)?,
        len: len(b)?,
        unwritten: false,
    })
}
