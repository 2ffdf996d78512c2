// SPDX-License-Identifier: GPL-2.0

//! Chooses which free blocks a file gets, so that its extents are long and huge pages fit on them:
//! [`State::allocate_for`].
//!
//! A *piece* is what a huge page maps: 512 pages of a file, or 512 blocks of the device, from a
//! multiple of 512 on. A file that grows gets a *window*: free blocks behind what it was given, which
//! other files leave alone as long as there is space elsewhere. So files that grow in turn do not
//! get each other's blocks. A window is a preference, see [`windows`](crate::state::parts::windows): it is
//! not on the medium, and never a reason to say that there is no space.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::{
    media::BLOCK_SIZE,
    state::State, //
};
use core::ops::Range;
use kernel::prelude::*;

/// Pages that a huge page maps.
const PIECE: u64 = 512;

/// A file that begins with so many pages at once may become large: it gets a whole piece where there
/// is a run of [`PLENTY`] of them.
const LARGE: u64 = 64;

/// Whole free pieces in a run that are not kept for who is sure to need one.
const PLENTY: u64 = 3;

/// What comes behind a page in the middle of a file is likely to be copied as well.
const MIDDLE: u64 = 16;

/// How many runs of free blocks are looked at for a better one than was found.
const PATIENCE: u32 = 1024;

/// How many of these one counts as when what was found fits, and a better one is only shorter.
const GOOD: u32 = 16;

/// What a file would like to have.
struct Wish {
    /// Where a page of it should be, for all to be in one run.
    behind: Option<u64>,
    /// Blocks that it is likely to want soon, with those that it wants now.
    ahead: u64,
    /// They should be a piece of the device, of at least so many free ones in a run. 0: they need not.
    whole: u64,
}

impl State {
    /// Allocates up to `want` contiguous blocks for pages of a file from `pgoff` on, all in one piece of
    /// the file. They are in flight until a transaction maps them or they are
    /// [`release`](Self::release)d. May sleep.
    ///
    /// Behind the page before, if these blocks are free; else, where a huge page may come to fit, at the
    /// start of a piece; else where no whole free piece must be broken, if there is such a
    /// place. Fewer than `want` only if there is no such run.
    ///
    /// # Errors
    ///
    /// As [`allocate`](Self::allocate); those of [`map`](Self::map).
    pub(crate) fn allocate_for(&mut self, ino: u64, pgoff: u64, want: u64) -> Result<Range<u64>> {
        self.start_allocation(want)?;
        let wish = self.wish(ino, pgoff, want)?;
        let (range, window) = self.find_for(ino, want, &wish).ok_or(ENOSPC)?;
        if !window.is_empty() {
            self.windows.set(ino, window);
        }
        self.end_allocation(range)
    }

    fn wish(&self, ino: u64, pgoff: u64, want: u64) -> Result<Wish> {
        let inode = self.get(ino)?;
        let map = inode.as_file()?;
        let before = map.last_before(pgoff).filter(|e| e.pgoff_end() >= pgoff);
        let behind = before.and_then(|e| e.block.checked_add(pgoff - e.pgoff));
        let offset = pgoff % PIECE;
        let left = PIECE - offset;
        // Nothing comes after this: the file grows.
        let grows = map.next(pgoff).is_none();
        let size = inode.attr.size.div_ceil(BLOCK_SIZE);
        let known = size.saturating_sub(pgoff);
        let whole = if want >= PIECE || offset == 0 && grows && (known >= PIECE || pgoff >= PIECE) {
            1
        } else if offset == 0 && grows && want >= LARGE {
            PLENTY
        } else {
            0
        };
        let ahead = if whole != 0 {
            PIECE
        } else if grows && before.is_some() {
            // As much again as there is.
            want.saturating_add(pgoff).max(known)
        } else if grows {
            known
        } else if before.is_some() {
            MIDDLE
        } else {
            want
        };
        Ok(Wish {
            behind,
            ahead: ahead.min(left).max(want),
            whole,
        })
    }

    /// Returns blocks for a file, and its window with these in it (empty: none).
    fn find_for(&self, ino: u64, want: u64, wish: &Wish) -> Option<(Range<u64>, Range<u64>)> {
        let split = |start: u64, len: u64| {
            let window = start..start.saturating_add(len);
            let range = start..start.saturating_add(want.min(len));
            Some((range, if len > want { window } else { 0..0 }))
        };
        // What is free behind the page before.
        let run = wish.behind.and_then(|start| {
            let end = start.saturating_add(wish.ahead).min(self.blocks);
            let run = self.next_free_for(Some(ino), start, end)?;
            (run.start == start).then_some(run)
        });
        let run = run.unwrap_or(0..0);
        let len = run.end - run.start;
        let fits = run.start % PIECE == 0 && len == PIECE || wish.whole == 0;
        if len >= want && fits {
            return split(run.start, len);
        }
        if wish.whole != 0 {
            if let Some(start) = self.find_whole(ino, wish.whole) {
                return split(start, PIECE);
            }
        }
        if len >= want {
            return split(run.start, len);
        }
        let run = self
            .find_part(Some(ino), want, wish.ahead)
            .filter(|run| run.end - run.start >= want)
            .or_else(|| self.find_part(None, want, want))?;
        split(run.start, (run.end - run.start).min(wish.ahead))
    }

    /// Returns where the first free piece begins that is one of at least `pieces` in a run.
    fn find_whole(&self, ino: u64, pieces: u64) -> Option<u64> {
        let mut from = self.first_free;
        let mut patience = PATIENCE;
        while let Some(run) = self.next_free_for(Some(ino), from, self.blocks) {
            let start = run.start.checked_next_multiple_of(PIECE)?;
            if start.checked_add(pieces.checked_mul(PIECE)?)? <= run.end {
                return Some(start);
            }
            from = run.end;
            // Who may do without does not look everywhere.
            patience = patience.saturating_sub((pieces > 1).into());
            if patience == 0 {
                break;
            }
        }
        None
    }

    /// Returns a run of free blocks. Of the first runs that are not part of a whole free piece the
    /// shortest that has `ahead` blocks, or the longest that has a good part of them; or else the first
    /// run that has these, or the longest.
    fn find_part(&self, windows_of: Option<u64>, want: u64, ahead: u64) -> Option<Range<u64>> {
        let len = |run: &Range<u64>| run.end - run.start;
        let enough = want.max(ahead / 4);
        let (mut fits, mut most, mut first, mut longest) = (0..0, 0..0, 0..0, 0..0);
        let mut patience = PATIENCE;
        let mut from = self.first_free;

        while let Some(run) = self.next_free_for(windows_of, from, self.blocks) {
            from = run.end;
            // What is in front of its whole pieces, and behind them.
            let head = run.start..run.start.next_multiple_of(PIECE).min(run.end);
            let tail = (run.end - run.end % PIECE).max(run.start)..run.end;
            let parts = if head.end < tail.start {
                [head, tail]
            } else {
                [run.clone(), 0..0]
            };
            for part in parts {
                if len(&part) >= ahead && (fits.is_empty() || len(&part) < len(&fits)) {
                    fits = part.clone();
                }
                if len(&part) >= enough && len(&part) > len(&most) {
                    most = part;
                }
            }
            if len(&run) >= enough && first.is_empty() {
                first = run.clone();
            }
            if len(&run) > len(&longest) {
                longest = run;
            }
            let cost = match (fits.is_empty(), most.is_empty() && first.is_empty()) {
                (false, _) => GOOD,
                (true, false) => 1,
                (true, true) => 0,
            };
            patience = patience.saturating_sub(cost);
            if patience == 0 || len(&fits) == ahead {
                break;
            }
        }
        [fits, most, first, longest]
            .into_iter()
            .find(|run| !run.is_empty())
    }

    /// Returns the first run of free blocks in `from..end` that is in nobody else's window. `None` for
    /// the file: windows do not matter.
    fn next_free_for(&self, windows_of: Option<u64>, from: u64, end: u64) -> Option<Range<u64>> {
        let mut from = from;
        loop {
            let run = self.next_free(from, end)?;
            let window = windows_of.and_then(|ino| self.windows.of_others(ino, run.start, run.end));
            match window {
                None => return Some(run),
                Some(taken) if taken.start > run.start => return Some(run.start..taken.start),
                Some(taken) => from = taken.end,
            }
        }
    }
}
