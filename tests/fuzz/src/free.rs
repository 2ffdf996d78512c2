// SPDX-License-Identifier: GPL-2.0

//! The free tree against a naive model: of each block, whether it is free.

use crate::{
    bytes::Bytes,
    rmap::{
        Fit,
        FreeTree,
        PIECE, //
    }, //
};
use kernel::{
    alloc::budget,
    prelude::ENOMEM, //
};
use std::ops::Range;

/// Enough for some thousand runs, and for some pieces.
const BLOCKS: u64 = 12 * PIECE;

/// Not more comparisons of everything than these for one input.
const MAX_COMPARES: usize = 32;

/// Does what `data` says. Panics if the tree and the model do not agree.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut both = Both {
        tree: FreeTree::new(),
        model: vec![false; BLOCKS as usize],
        reserved: 0,
    };
    let mut compares = 0;
    budget::set(None);
    while both.step(&mut bytes, &mut compares).is_some() {}
    both.compare(0, 1);
}

struct Both {
    tree: FreeTree,
    model: Vec<bool>,
    /// Changes that cannot fail.
    reserved: usize,
}

impl Both {
    /// `None` at the end of the bytes.
    fn step(&mut self, bytes: &mut Bytes<'_>, compares: &mut usize) -> Option<()> {
        let what = bytes.byte()?;
        let start = (u64::from(bytes.byte()?) << 8 | u64::from(bytes.byte()?)) % BLOCKS;
        let len = 1 + bytes.one_of(&[0, 1, 2, 7, 40, PIECE - 1, PIECE, 3 * PIECE])?;
        let give = what & 1 == 0;
        match what >> 1 & 7 {
            0..=3 => self.change(give, start..(start + len).min(BLOCKS)),
            // A comb: many runs, or many gaps.
            4 | 5 => {
                let step = 2 + u64::from(bytes.byte()? % 8);
                for i in 0..u64::from(bytes.byte()?) * 4 {
                    let at = start + i * step;
                    if at >= BLOCKS {
                        break;
                    }
                    self.change(give, at..at + 1);
                }
            }
            6 => {
                let n = usize::from(bytes.byte()?);
                budget::set(Some(bytes.byte()?.into()));
                let reserved = self.tree.reserve(n);
                budget::set(None);
                self.reserved = if reserved.is_ok() { n } else { 0 };
                assert!(matches!(reserved, Ok(()) | Err(ENOMEM)));
            }
            _ => {
                *compares += 1;
                if *compares <= MAX_COMPARES {
                    self.compare(start, len);
                }
            }
        }
        Some(())
    }

    fn change(&mut self, give: bool, range: Range<u64>) {
        if self.reserved == 0 {
            self.tree.reserve(1).unwrap();
            self.reserved = 1;
        }
        self.reserved -= 1;
        let blocks = &mut self.model[range.start as usize..range.end as usize];
        let changed = blocks.iter().filter(|b| **b != give).count() as u64;
        blocks.fill(give);
        let before = self.tree.blocks();
        budget::set(Some(0));
        if give {
            self.tree.give(range).unwrap();
            assert_eq!(self.tree.blocks() - before, changed);
        } else {
            assert_eq!(self.tree.take(range), Ok(changed));
        }
        budget::set(None);
    }

    fn runs(&self, from: u64) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = vec![];
        for block in (from..BLOCKS).filter(|b| self.model[*b as usize]) {
            match runs.last_mut() {
                Some(run) if run.end == block => run.end += 1,
                _ => runs.push(block..block + 1),
            }
        }
        runs
    }

    fn compare(&self, from: u64, n: u64) {
        let all = self.runs(0);
        self.tree.check().unwrap();
        assert_eq!(self.tree.iter().collect::<Vec<_>>(), all);
        let rest = self.runs(from);
        let next = rest.first().map(|run| run.start..run.end.min(from + n));
        assert_eq!(
            self.tree.next(from, from + n),
            next.filter(|run| !run.is_empty())
        );
        for fit in [Fit::Run(n), Fit::Part(n), Fit::Pieces(1 + n / PIECE)] {
            let first = rest.iter().find(|run| fit.of(run).is_some());
            assert_eq!(self.tree.first(from, &fit), first.cloned(), "{fit:?}");
        }
    }
}
