// SPDX-License-Identifier: GPL-2.0

//! A million changes of the owner tree, and of the extents of its files, against a plain list.
//!
//! The sequences of `rmap_model` are short, so that they can be shrunk; these are long, so that
//! trees get levels and lose them again. Sequences that found something are kept in `SEEDS`.

use crate::{
    errno::euclean,
    owners::{
        rec,
        Owners, //
    },
    property,
    rmap::{
        OwnerRecord,
        Sharing, //
    }, //
};
use kernel::{
    alloc::budget,
    prelude::ENOMEM, //
};
use proptest::prelude::*;
use std::{
    vec,
    vec::Vec, //
};

/// Changes of one sequence.
const CHANGES: usize = 25_000;

/// Sequences that every run has. These find each of the bugs that were put in to try them.
const SEEDS: [u64; 2] = [1, 0x5eed];

/// What is random in a sequence.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
}

/// A plain list: of each block, its owners.
struct Blocks(Vec<Vec<(u64, u64)>>);

impl Blocks {
    fn sharing(&self, block: u64) -> Sharing {
        match self.0[block as usize].len() {
            0 => Sharing::Free,
            1 => Sharing::One,
            _ => Sharing::Many,
        }
    }

    /// From `start` on, for how many blocks `yes` holds, of `max`.
    fn run(&self, start: u64, max: u64, yes: impl Fn(u64) -> bool) -> u64 {
        let end = (start + max).min(self.0.len() as u64);
        (start..end).take_while(|block| yes(*block)).count() as u64
    }
}

/// The files' side of the list: of each page, its block.
type Files = Vec<Vec<Option<u64>>>;

struct Case {
    random: Random,
    owners: Owners,
    blocks: Blocks,
    files: Files,
    longest: u64,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed | 1);
        // From few files that share all to many that share little, from scattered to long extents.
        let blocks = 64 << random.below(7);
        let scale = random.below(8);
        let files = 1 + random.below(1 << scale) as usize;
        let pages = 16 << random.below(8);
        let longest = 1 << random.below(7);
        Case {
            random,
            owners: Owners::new(),
            blocks: Blocks(vec![vec![]; blocks]),
            files: vec![vec![None; pages]; files],
            longest,
        }
    }

    /// Any pages of any file, and any blocks.
    fn any(&mut self) -> OwnerRecord {
        let (blocks, files) = (self.blocks.0.len() as u64, self.files.len() as u64);
        let pages = self.files[0].len() as u64;
        let len = 1 + self.random.below(self.longest.min(blocks).min(pages));
        let block = self.random.below(blocks - len + 1);
        // Often where block and page continue what is there.
        let pgoff = match self.random.below(3) {
            0 => block % (pages - len + 1),
            _ => self.random.below(pages - len + 1),
        };
        rec(block, len, self.random.below(files), pgoff)
    }

    fn insert(&mut self, r: OwnerRecord) {
        let pages = r.pgoff as usize..r.pgoff_end() as usize;
        let file = &mut self.files[r.ino as usize];
        let hole = file[pages.clone()].iter().all(Option::is_none);

        let expected = if hole { Ok(()) } else { Err(euclean()) };
        assert_eq!(self.owners.insert(r), expected, "{r:?}");
        if hole {
            for (page, block) in pages.zip(r.block..) {
                file[page] = Some(block);
                self.blocks.0[block as usize].push((r.ino, page as u64));
            }
        }
    }

    /// Makes some pages of a file a hole.
    fn punch(&mut self, r: OwnerRecord) {
        let mut ownerless = 0;
        for page in r.pgoff..r.pgoff_end() {
            if let Some(block) = self.files[r.ino as usize][page as usize].take() {
                let owners = &mut self.blocks.0[block as usize];
                owners.retain(|owner| *owner != (r.ino, page));
                ownerless += u64::from(owners.is_empty());
            }
        }
        self.owners.reserve(r.ino, 1).unwrap();
        // One call may find several extents, but adds at most one.
        budget::set(Some(0));
        let mut freed = 0;
        let file = self.owners.files.get_mut(&r.ino).unwrap();
        while let Some(gone) = self
            .owners
            .tree
            .unmap(file, r.ino, r.pgoff..r.pgoff_end())
            .unwrap()
        {
            freed += gone.ownerless;
        }
        budget::set(None);
        assert_eq!(freed, ownerless, "{r:?}");
    }

    /// A change without memory, which must either succeed or change nothing.
    fn starve(&mut self, r: OwnerRecord) {
        let before = (self.owners.len(), self.owners.bytes());
        budget::set(Some(self.random.below(3)));
        let reserved = self.owners.reserve(r.ino, 50);
        budget::set(None);
        if reserved.is_err() {
            assert_eq!(reserved, Err(ENOMEM));
            assert_eq!(before.0, self.owners.len());
        }
    }

    fn ask(&mut self, exact: bool) {
        let blocks = self.blocks.0.len() as u64;
        let block = self.random.below(blocks);
        let max = 1 + self.random.below(blocks - block);

        let sharing = self.blocks.sharing(block);
        let same = self
            .blocks
            .run(block, max, |b| self.blocks.sharing(b) == sharing);
        assert_eq!(self.owners.sharing(block, max), (sharing, same));

        let end = block + max;
        let free = |b: u64| self.blocks.sharing(b) == Sharing::Free;
        let start = block + self.blocks.run(block, max, |b| !free(b));
        let gap = (start < end).then(|| start..start + self.blocks.run(start, end - start, free));
        assert_eq!(self.owners.next_gap(block, end), gap);

        if exact {
            let range = block..block + 1 + self.random.below(8).min(blocks - block - 1);
            let mut expected: Vec<_> = range
                .clone()
                .flat_map(|b| self.blocks.0[b as usize].iter().map(move |o| (b, o.0, o.1)))
                .collect();
            expected.sort();
            let batch = 1 + self.random.below(20) as usize;
            let walked = self.owners.walk(range, batch);
            assert!(walked.is_sorted_by_key(|r| r.block));
            let mut visited: Vec<_> = walked
                .iter()
                .flat_map(|r| (0..r.len).map(|i| (r.block + i, r.ino, r.pgoff + i)))
                .collect();
            visited.sort();
            assert_eq!(visited, expected);
        }
    }

    fn run(mut self, changes: usize) {
        let mut grows = 70;
        for change in 0..changes {
            // It fills up, then it is emptied.
            if change % 5000 == 0 {
                grows = 20 + self.random.below(80);
            }
            let r = self.any();
            match self.random.below(100) {
                n if n < grows => self.insert(r),
                _ => self.punch(r),
            }
            if change % 64 == 0 {
                self.starve(r);
            }
            self.ask(change % 16 == 0);
            if change % 1024 == 0 {
                self.owners.check();
            }
        }
        self.owners.check();
        for ino in 0..self.files.len() as u64 {
            let pages = self.files[0].len() as u64;
            self.punch(rec(0, pages, ino, 0));
        }
        assert!(self.owners.is_empty());
        self.owners.check();
    }
}

#[test]
fn kept_sequences() {
    for seed in SEEDS {
        Case::new(seed).run(CHANGES);
    }
}

#[test]
fn a_million_changes() {
    property::check("a million changes", 40, any::<u64>(), |seed| {
        Case::new(seed).run(CHANGES);
    });
}
