// SPDX-License-Identifier: GPL-2.0

//! Which pages of which files are lost: at bad blocks. What is unwritten is not: nothing is lost with it.
//!
//! The bad set is walked in the order of blocks, and the owners of each run of it with a [`Cursor`].
//! In between the bad set may grow and, where nobody owns a block, shrink: a page that is lost
//! throughout keeps its block, and that stays bad. But the runs that the walk sees are not the same
//! ones each time, so nothing of the cursor may depend on where a run ends.
//!
//! The caller holds the state lock for each step, and may drop it in between.

use crate::{
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    state::State, //
};

/// Runs of bad blocks that are looked at in one step.
const RUNS: usize = 64;

impl State {
    /// Puts the next owners of bad blocks into `out`, clipped to these, and returns how many, and
    /// whether there are no more. Without more there may be none this time.
    ///
    /// Every owner (a page of a file at a block) that was lost all the time is visited exactly once;
    /// one that came or went in the meantime is visited at most once.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for an ioctl"))]
    pub(crate) fn next_lost(&self, cursor: &mut Cursor, out: &mut [OwnerRecord]) -> (usize, bool) {
        self.next_lost_before(self.blocks, cursor, out)
    }

    /// As [`next_lost`](Self::next_lost), of the blocks before `end`. Where the walk begins the cursor
    /// says.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for fanotify"))]
    pub(crate) fn next_lost_before(
        &self,
        end: u64,
        cursor: &mut Cursor,
        out: &mut [OwnerRecord],
    ) -> (usize, bool) {
        for _ in 0..RUNS {
            if let Some(crowd) = cursor.crowd() {
                let whole = self.bad.overlap(crowd.clone()) == crowd.end - crowd.start;
                let found = if whole {
                    self.owners.owners(crowd, cursor, out)
                } else {
                    usize::from(self.next_of_torn(cursor, out))
                };
                let found = lost(out, found);
                if found > 0 {
                    return (found, false);
                }
                continue;
            }
            let Some(run) = self.bad.next(cursor.block(), end) else {
                return (0, true);
            };
            *cursor = Cursor::at(run.start);
            let end = run.end;
            match self.owners.owners(run, cursor, out) {
                0 => *cursor = Cursor::at(end),
                found => {
                    let found = lost(out, found);
                    if found > 0 {
                        return (found, false);
                    }
                }
            }
        }
        (0, false)
    }

    /// As [`next_lost`](Self::next_lost), for one record, where some blocks of the crowd that the
    /// cursor is in are good again. Returns whether there is one.
    fn next_of_torn(&self, cursor: &mut Cursor, out: &mut [OwnerRecord]) -> bool {
        let (Some(crowd), Some(slot)) = (cursor.crowd(), out.first_mut()) else {
            return false;
        };
        let mut rec = [OwnerRecord::default()];
        if self.owners.owners(crowd, cursor, &mut rec) == 0 {
            return false;
        }
        let [rec] = rec;
        let bad = self.bad.next(rec.block, rec.end());
        let Some(lost) = bad.and_then(|bad| rec.clip(&bad)) else {
            return false;
        };
        cursor.back_to(&lost);
        *slot = lost;
        true
    }
}

/// Keeps those of the first `found` owners that have lost something, and returns how many they are: what is
/// unwritten holds nothing.
fn lost(out: &mut [OwnerRecord], found: usize) -> usize {
    OwnerRecord::keep(out, found, |rec| !rec.unwritten)
}
