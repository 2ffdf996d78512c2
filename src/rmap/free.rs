// SPDX-License-Identifier: GPL-2.0

//! The free tree: runs of blocks, so that a run of a length is found without a look at those that are too
//! short.
//!
//! A tree of the same kind as the owner tree is, by where runs begin; its nodes know the longest that is
//! below them. [`FreeTree::first`] goes down once, however many runs there are. Which blocks are in it is
//! the business of who has it: see `state/parts/free_space.rs`.
//!
//! A *piece* is what a huge page maps: [`PIECE`] blocks, from a multiple of that on. To leave whole pieces
//! to whom they matter, the nodes also know how much is outside of these.
//!
//! Changes have two phases, as those of the owner tree. The caller holds the state lock.

use super::{
    btree::{
        BTree,
        Spare,
        Summary,
        TreeItem,
        Words, //
    },
    MAX_BLOCKS, //
};
use crate::errno::euclean;
use core::ops::Range;
use kernel::prelude::*;

/// Blocks that a huge page maps.
pub(crate) const PIECE: u64 = 512;

/// What is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fit {
    /// So many blocks in a row.
    Run(u64),
    /// So many in a row that are of no whole free piece.
    Part(u64),
    /// So many whole pieces in a row.
    Pieces(u64),
}

impl Fit {
    /// Returns the first part of a run that is such, as far as it goes.
    pub(crate) fn of(&self, run: &Range<u64>) -> Option<Range<u64>> {
        let fits = |part: &Range<u64>, n: u64| part.end.saturating_sub(part.start) >= n.max(1);
        let whole = whole_pieces(run);
        match *self {
            Fit::Run(n) => Some(run.clone()).filter(|run| fits(run, n)),
            Fit::Pieces(n) => Some(whole).filter(|whole| fits(whole, n.saturating_mul(PIECE))),
            Fit::Part(n) if whole.is_empty() => Some(run.clone()).filter(|run| fits(run, n)),
            Fit::Part(n) => [run.start..whole.start, whole.end..run.end]
                .into_iter()
                .find(|part| fits(part, n)),
        }
    }

    /// Returns how much there is at most, as this counts it, in runs of which that is known.
    pub(crate) fn longest(&self, known: &Longest) -> u64 {
        match self {
            Fit::Run(_) => known.run,
            Fit::Part(_) => known.part.into(),
            Fit::Pieces(_) => known.pieces.into(),
        }
    }

    /// Returns whether there is such among runs of which this is known.
    fn is_among(&self, known: &Longest) -> bool {
        let (Fit::Run(n) | Fit::Part(n) | Fit::Pieces(n)) = *self;
        self.longest(known) >= n.max(1)
    }
}

/// Returns what a run has of whole pieces. It may be empty.
fn whole_pieces(run: &Range<u64>) -> Range<u64> {
    let start = run.start.div_ceil(PIECE).saturating_mul(PIECE);
    start..(run.end / PIECE).saturating_mul(PIECE).max(start)
}

/// The longest of some runs, each way to look at them; 0 if there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Longest {
    /// Blocks.
    run: u64,
    /// Blocks of no whole piece. At most two pieces without a block of each: 10 bits.
    part: u32,
    /// Whole pieces. There are less than [`MAX_BLOCKS`] / [`PIECE`]: 31 bits.
    pieces: u32,
}

impl Summary for Longest {
    fn join(self, other: Self) -> Self {
        Longest {
            run: self.run.max(other.run),
            part: self.part.max(other.part),
            pieces: self.pieces.max(other.pieces),
        }
    }

    fn outlives(&self, gone: &Self) -> bool {
        gone.run < self.run
            && (gone.part < self.part || gone.part == 0)
            && (gone.pieces < self.pieces || gone.pieces == 0)
    }

    fn reaches(&self, _: &Words) -> bool {
        // Runs do not overlap: one at most begins before a block and goes on there.
        false
    }
}

/// A run of blocks; `start < end`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Run {
    start: u64,
    end: u64,
}

impl Run {
    fn range(self) -> Range<u64> {
        self.start..self.end
    }
}

impl TreeItem for Run {
    type Summary = Longest;

    const KEY_TAIL: [u64; 2] = [0, 0];

    fn to_words(&self) -> Words {
        Words {
            head: self.start,
            tail: [self.end, 0],
        }
    }

    fn from_words(head: u64, tail: [u64; 2]) -> Self {
        let [end, _] = tail;
        Run { start: head, end }
    }

    fn summary(&self) -> Longest {
        let len = |range: Range<u64>| range.end.saturating_sub(range.start);
        let (start, end) = (self.start, self.end);
        let whole = whole_pieces(&(start..end));
        let part = if whole.is_empty() {
            len(start..end)
        } else {
            len(start..whole.start).max(len(whole.end..end))
        };
        Longest {
            run: len(start..end),
            part: part.try_into().unwrap_or(u32::MAX),
            pieces: (len(whole) / PIECE).try_into().unwrap_or(u32::MAX),
        }
    }
}

/// Returns the key of a run that begins at this block.
fn key(block: u64) -> Words {
    Words {
        head: block,
        tail: [0, 0],
    }
}

/// Runs of free blocks.
///
/// # Invariants
///
/// Runs are ascending, not empty, and do not touch each other; all are below [`MAX_BLOCKS`]. `blocks` is
/// the sum of their lengths.
pub(crate) struct FreeTree {
    runs: BTree<Run>,
    spare: Spare<Run>,
    blocks: u64,
}

impl FreeTree {
    /// Creates a tree without blocks. Allocates nothing.
    pub(crate) fn new() -> Self {
        FreeTree {
            runs: BTree::new(),
            spare: Spare::new(),
            blocks: 0,
        }
    }

    /// Makes room, so that the next `n` changes cannot fail for memory: each [`give`](Self::give) and
    /// each [`take`](Self::take) is one. What is left of the last reservation is lost. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(crate) fn reserve(&mut self, n: usize) -> Result {
        let need = self.runs.need(n)?;
        self.spare.fill(need)
    }

    /// Adds blocks, those of them that are not there yet; one run of them, and of those that it touches,
    /// is there then. At most one run more than before.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the range is empty or beyond [`MAX_BLOCKS`], and nothing has changed then; `ENOMEM`
    /// without a reservation.
    pub(crate) fn give(&mut self, range: Range<u64>) -> Result {
        if range.is_empty() || range.end > MAX_BLOCKS {
            return Err(euclean());
        }
        // The one that grows, if it touches any.
        let before = self.runs.floor(&key(range.start));
        let mut old = before.filter(|run| run.end >= range.start);
        let mut run = Run {
            start: old.map_or(range.start, |run| run.start),
            end: old.map_or(range.end, |run| run.end.max(range.end)),
        };
        let mut known = old.map_or(0, |run| run.end.saturating_sub(run.start));
        let mut after = run.start.saturating_add(1);
        while let Some(next) = self.runs.seek(&key(after)).next() {
            if next.start > run.end {
                break;
            }
            after = next.start.saturating_add(1);
            known = known.saturating_add(next.end.saturating_sub(next.start));
            run.end = run.end.max(next.end);
            match old {
                Some(_) => self.runs.remove(&next, &mut self.spare)?,
                None => old = Some(next),
            }
        }
        match old {
            Some(old) => self.runs.change(&old, run)?,
            None => self.runs.insert(run, &mut self.spare)?,
        }
        let all = run.end.saturating_sub(run.start);
        self.blocks = self.blocks.saturating_add(all).saturating_sub(known);
        Ok(())
    }

    /// Takes blocks out, those of them that are there, and returns how many that were. At most one run
    /// more than before.
    ///
    /// # Errors
    ///
    /// `ENOMEM` without a reservation; nothing has changed then.
    pub(crate) fn take(&mut self, range: Range<u64>) -> Result<u64> {
        let mut taken = 0u64;
        if range.is_empty() {
            return Ok(0);
        }
        if let Some(run) = self.middle(range.start) {
            // What may lack memory comes first.
            if run.end > range.end {
                let right = Run {
                    start: range.end,
                    end: run.end,
                };
                self.runs.insert(right, &mut self.spare)?;
            }
            let end = range.start;
            self.runs.change(&run, Run { end, ..run })?;
            taken = run.end.min(range.end).saturating_sub(range.start);
        }
        let all = range.end.saturating_sub(range.start);
        while taken < all {
            let run = self.runs.seek(&key(range.start)).next();
            let Some(run) = run.filter(|run| run.start < range.end) else {
                break;
            };
            if run.end > range.end {
                let start = range.end;
                self.runs.change(&run, Run { start, ..run })?;
            } else {
                self.runs.remove(&run, &mut self.spare)?;
            }
            taken = taken.saturating_add(run.end.min(range.end).saturating_sub(run.start));
        }
        self.blocks = self.blocks.saturating_sub(taken);
        Ok(taken)
    }

    /// Returns the run that has a block before `block`, and `block`.
    fn middle(&self, block: u64) -> Option<Run> {
        let run = self.runs.floor(&key(block.checked_sub(1)?))?;
        (run.end > block).then_some(run)
    }

    /// Returns the first run, as far as it is at `from` or after that, in which there is what is looked for.
    pub(crate) fn first(&self, from: u64, fit: &Fit) -> Option<Range<u64>> {
        let middle = self.middle(from).map(|run| from..run.end);
        if middle.as_ref().is_some_and(|run| fit.of(run).is_some()) {
            return middle;
        }
        let run = self.runs.find(&key(from), |known| fit.is_among(known))?;
        Some(run.range())
    }

    /// Returns the first run that has a block of `from..end`, clipped to that.
    pub(crate) fn next(&self, from: u64, end: u64) -> Option<Range<u64>> {
        let run = self
            .middle(from)
            .or_else(|| self.runs.seek(&key(from)).next())?;
        let range = run.start.max(from)..run.end.min(end);
        (!range.is_empty()).then_some(range)
    }

    /// Returns how many blocks of `range` are there.
    pub(crate) fn overlap(&self, range: Range<u64>) -> u64 {
        let mut from = range.start;
        let mut blocks = 0u64;
        while let Some(part) = self.next(from, range.end) {
            blocks = blocks.saturating_add(part.end.saturating_sub(part.start));
            from = part.end;
        }
        blocks
    }

    /// Returns the longest of all runs.
    pub(crate) fn longest(&self) -> Longest {
        self.runs.summary()
    }

    /// Returns the number of blocks.
    pub(crate) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Returns the number of runs.
    pub(crate) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Returns how many bytes of memory the runs take, with the nodes that hold them.
    pub(crate) fn bytes(&self) -> usize {
        self.runs.bytes()
    }

    /// Visits all runs in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.runs.iter().map(Run::range)
    }

    /// Checks the invariants. Allocates nothing, and takes as long as there are runs.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if something does not hold.
    pub(crate) fn check(&self) -> Result {
        self.runs.check()?;
        let mut end = None;
        let mut blocks = 0u64;
        for run in self.iter() {
            if run.is_empty() || run.end > MAX_BLOCKS || end.is_some_and(|end| end >= run.start) {
                return Err(euclean());
            }
            end = Some(run.end);
            blocks = blocks.saturating_add(run.end.saturating_sub(run.start));
        }
        if blocks != self.blocks {
            return Err(euclean());
        }
        Ok(())
    }
}
