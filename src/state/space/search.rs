// SPDX-License-Identifier: GPL-2.0

//! Finds free blocks: asks the free tree, and leaves out what is in it and still not to be had.
//!
//! Those are blocks in flight, bad ones that no transaction has taken out yet, and the windows of other
//! files. Each of them that is met costs one way down the tree more; nothing else is met that is too short.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::{
    rmap::Fit,
    state::State, //
};
use core::ops::Range;

impl State {
    /// Returns the first free blocks from `from` on that fit. `windows_of`: they are in the window of no
    /// other file; `None`: windows do not matter.
    pub(in crate::state) fn first_fit(
        &self,
        windows_of: Option<u64>,
        from: u64,
        fit: &Fit,
    ) -> Option<Range<u64>> {
        let mut from = from;
        loop {
            let run = self.space.tree().first(from, fit)?;
            let mut at = run.start;
            while let Some(part) = self.to_be_had(windows_of, at..run.end) {
                if let Some(found) = fit.of(&part) {
                    return Some(found);
                }
                at = part.end;
            }
            from = run.end;
        }
    }

    /// Returns the first free blocks, from `from` to the end of the device and then from its start, that are
    /// `most` of what `fit` counts. If there are none, as many as can be had in a row, or half as many, if
    /// that is `least` or more.
    pub(in crate::state) fn long_fit(
        &self,
        windows_of: Option<u64>,
        from: u64,
        fit: fn(u64) -> Fit,
        most: u64,
        least: u64,
    ) -> Option<Range<u64>> {
        // What there is at most is known, but for what is in the way there.
        let mut n = most.min(fit(1).longest(&self.space.tree().longest()));
        while n >= least {
            let mut found = self.first_fit(windows_of, from, &fit(n));
            if found.is_none() && from > 0 {
                found = self.first_fit(windows_of, 0, &fit(n));
            }
            if found.is_some() || n <= least {
                return found;
            }
            n = (n / 2).max(least);
        }
        None
    }

    /// Returns the free blocks from `start` on, as far as they are free until `end`.
    pub(in crate::state) fn free_at(
        &self,
        windows_of: Option<u64>,
        start: u64,
        end: u64,
    ) -> Option<Range<u64>> {
        let run = self.space.tree().next(start, end)?;
        let part = self.to_be_had(windows_of, run)?;
        (part.start == start).then_some(part)
    }

    /// Returns the first of these blocks, which are in the tree, that can be had.
    fn to_be_had(&self, windows_of: Option<u64>, run: Range<u64>) -> Option<Range<u64>> {
        let mut from = run.start;
        while from < run.end {
            let window = windows_of.and_then(|ino| self.windows.of_others(ino, from, run.end));
            let taken = [
                self.bad.next(from, run.end),
                self.in_flight.next(from, run.end),
                window,
            ];
            match taken.into_iter().flatten().min_by_key(|taken| taken.start) {
                None => return Some(from..run.end),
                Some(taken) if taken.start > from => return Some(from..taken.start),
                Some(taken) => from = taken.end,
            }
        }
        None
    }
}
