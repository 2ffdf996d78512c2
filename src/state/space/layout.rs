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
    rmap::{
        Fit,
        PIECE, //
    },
    state::State, //
};
use core::ops::Range;
use kernel::prelude::*;

/// A file that begins with so many pages at once may become large: it gets a whole piece where there
/// is a run of [`PLENTY`] of them.
const LARGE: u64 = 64;

/// Whole free pieces in a run that are not kept for who is sure to need one.
const PLENTY: u64 = 3;

/// What comes behind a page in the middle of a file is likely to be copied as well.
const MIDDLE: u64 = 16;

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
    /// the file, or whole pieces of it. They are in flight until a transaction maps them or they are
    /// [`release`](Self::release)d. May sleep.
    ///
    /// Behind the page before, if these blocks are free; else, where a huge page may come to fit, at the
    /// start of a piece; else where no whole free piece must be broken, if there is such a
    /// place. Fewer than `want` only if there is no such run, or free blocks behind the page before are fewer.
    ///
    /// # Errors
    ///
    /// As [`allocate`](Self::allocate); those of [`map`](Self::map).
    pub(crate) fn allocate_for(&mut self, ino: u64, pgoff: u64, want: u64) -> Result<Range<u64>> {
        self.start_allocation(want)?;
        let wish = self.wish(ino, pgoff, want)?;
        let found = self.find_for(ino, want, &wish);
        let (range, window) = found.unzip();
        let range = self.end_allocation(range)?;
        if let Some(window) = window.filter(|window| !window.is_empty()) {
            self.windows.set(ino, window);
        }
        Ok(range)
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
            self.free_at(Some(ino), start, end)
        });
        let run = run.unwrap_or(0..0);
        let len = run.end - run.start;
        if len >= want && wish.whole == 0 {
            return split(run.start, len);
        }
        if wish.whole != 0 {
            if run.start % PIECE == 0 && len >= PIECE {
                return split(run.start, len - len % PIECE);
            }
            let most = want / PIECE;
            let whole = if most > 1 {
                self.long_fit(Some(ino), 0, Fit::Pieces, most, 1)
            } else {
                self.first_fit(Some(ino), 0, &Fit::Pieces(wish.whole))
            };
            if let Some(whole) = whole {
                let len = (whole.end - whole.start).min(most.max(1).saturating_mul(PIECE));
                return split(whole.start, len);
            }
        }
        if len >= want {
            return split(run.start, len);
        }
        let run = self
            .find_part(Some(ino), want, wish.ahead, want)
            .or_else(|| self.find_part(None, want, want, 1))?;
        split(run.start, (run.end - run.start).min(wish.ahead))
    }

    /// Returns a run of free blocks, of at least `least`: if there is one that is not of a whole free piece
    /// and has `ahead` blocks, or a good part of them, the first such; else the first that has a good part
    /// of them, or the longest.
    fn find_part(
        &self,
        windows_of: Option<u64>,
        want: u64,
        ahead: u64,
        least: u64,
    ) -> Option<Range<u64>> {
        let enough = want.max(ahead / 4);
        self.long_fit(windows_of, 0, Fit::Part, ahead, enough)
            .or_else(|| self.long_fit(windows_of, 0, Fit::Run, enough, least))
    }
}
