// SPDX-License-Identifier: GPL-2.0

//! The loads: which records a tree is built of, in which order, and which blocks are asked for.
//!
//! Blocks stay below 2^31, because two of the static peers count no further. No record continues
//! another one of its inode, so that a tree that merges them has as many as one that does not.

use crate::{
    fold::Rec,
    rng::Rng, //
};
use std::ops::Range;

/// A kind of load.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Nothing is shared: extents of 1 to 64 blocks, inserted in random order.
    Unshared,
    /// One file of 1,000 extents, inserted clone after clone.
    Clones,
    /// Regions that 1 to 64 owners have random parts of.
    Fragmented,
    /// One block with 100,000 owners among records that share nothing.
    Hot,
    /// Clones of long extents that writes split, and deletes and merges clean up (churn.rs).
    Churn,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 5] = [
        Shape::Unshared,
        Shape::Clones,
        Shape::Fragmented,
        Shape::Hot,
        Shape::Churn,
    ];

    /// Returns its name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Unshared => "unshared",
            Shape::Clones => "clones",
            Shape::Fragmented => "fragmented",
            Shape::Hot => "hot-block",
            Shape::Churn => "churn",
        }
    }

    /// Returns what there is to know about it, in a line.
    pub fn describe(self) -> &'static str {
        match self {
            Shape::Unshared => "disjoint extents of 1 to 64 blocks, in random order",
            Shape::Clones => "clones of one file of 1,000 extents, one after the other",
            Shape::Fragmented => "regions of which 1 to 64 owners have random parts",
            Shape::Hot => "one block with 100,000 owners, the others unshared",
            Shape::Churn => "64 clones of long extents, split by writes, then kept in size",
        }
    }

    /// Returns the shape of that name.
    pub fn from_name(name: &str) -> Option<Shape> {
        Shape::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// The records to insert, in order, and where the hot block is, if there is one.
pub struct Load {
    pub records: Vec<Rec>,
    pub hot: Option<u64>,
}

/// Makes `n` records of a shape other than [`Shape::Churn`].
pub fn load(shape: Shape, n: usize) -> Load {
    let mut rng = Rng::new(0x5eed ^ shape as u64);
    let mut hot = None;
    let records = match shape {
        Shape::Unshared => unshared(n, &mut rng),
        Shape::Clones => clones(n, &mut rng),
        Shape::Fragmented => fragmented(n, &mut rng),
        Shape::Hot => {
            let (block, records) = hot_block(n, &mut rng);
            hot = Some(block);
            records
        }
        Shape::Churn => unreachable!("churn.rs makes them as it goes"),
    };
    Load { records, hot }
}

fn unshared(n: usize, rng: &mut Rng) -> Vec<Rec> {
    let mut records = Vec::with_capacity(n);
    let mut block = 1;

    for _ in 0..n {
        let len = rng.within(1, 64);
        records.push(Rec {
            block,
            len,
            ..Rec::default()
        });
        // Every fourth one has a gap behind it.
        block += len + rng.below(4) / 3 * 8;
    }
    rng.shuffle(&mut records);

    // Files of 100 extents each, with holes between them.
    let mut pgoff = 0;
    for (i, rec) in records.iter_mut().enumerate() {
        if i % 100 == 0 {
            pgoff = 0;
        }
        rec.ino = 1 + i as u64 / 100;
        rec.pgoff = pgoff;
        pgoff += rec.len + 1;
    }
    records
}

fn clones(n: usize, rng: &mut Rng) -> Vec<Rec> {
    let file = unshared(1000.min(n), rng);
    let mut records = Vec::with_capacity(n);
    let mut pgoff = 0;
    let file: Vec<_> = file
        .iter()
        .map(|rec| {
            let at = pgoff;
            pgoff += rec.len + 1;
            Rec { pgoff: at, ..*rec }
        })
        .collect();

    for i in 0..n {
        records.push(Rec {
            ino: 1 + (i / file.len()) as u64,
            ..file[i % file.len()]
        });
    }
    records
}

fn fragmented(n: usize, rng: &mut Rng) -> Vec<Rec> {
    let mut records = Vec::with_capacity(n);
    let mut start = 1;
    let mut ino = 0;

    while records.len() < n {
        let end = start + rng.within(256, 1024);
        for _ in 0..rng.within(1, 64) {
            ino += 1;
            let pgoff = rng.below(1 << 20);
            let mut block = start + rng.below(64);
            while block < end && records.len() < n {
                let len = rng.within(1, 64).min(end - block);
                records.push(Rec {
                    block,
                    len,
                    ino,
                    pgoff: pgoff + (block - start),
                });
                block += len + rng.within(1, 16);
            }
        }
        start = end;
    }
    rng.shuffle(&mut records);
    records
}

fn hot_block(n: usize, rng: &mut Rng) -> (u64, Vec<Rec>) {
    let owners = 100_000.min(n / 2);
    let mut records = unshared(n - owners, rng);
    let hot = records.iter().map(Rec::end).max().unwrap_or(0) / 2;
    // Room for it in the middle of the device.
    for rec in &mut records {
        if rec.end() > hot - 64 {
            rec.block += 1024;
        }
    }
    let hot = hot + 512;
    for i in 0..owners {
        let block = hot - rng.below(64);
        records.push(Rec {
            block,
            len: hot - block + rng.within(1, 64),
            ino: (1 << 32) | (i as u64 % 1000),
            pgoff: 1 + (i as u64 / 1000) * 256 + rng.below(64),
        });
    }
    rng.shuffle(&mut records);
    (hot, records)
}

/// Returns `n` random blocks of random records. None is so near to `avoid` that a query of 512
/// blocks would meet it.
pub fn targets(records: &[Rec], n: usize, avoid: Option<u64>) -> Vec<u64> {
    let mut rng = Rng::new(0xb10c);
    let near: Range<u64> = match avoid {
        Some(hot) => hot.saturating_sub(1024)..hot + 1024,
        None => 0..0,
    };

    (0..n)
        .map(|_| loop {
            let rec = records[rng.index(records.len())];
            let block = rec.block + rng.below(rec.len);
            if !near.contains(&block) {
                break block;
            }
        })
        .collect()
}

/// Returns `n` different random records, in random order.
pub fn sample(records: &[Rec], n: usize) -> Vec<Rec> {
    let mut rng = Rng::new(0x5a3b1e);
    let n = n.clamp(1, records.len());
    let step = records.len() / n;
    let mut sample: Vec<_> = (0..n)
        .map(|i| records[i * step + rng.index(step)])
        .collect();

    rng.shuffle(&mut sample);
    sample
}
