// SPDX-License-Identifier: GPL-2.0

//! The filesystem as what the failure engine stands on: who owns a block, where a page is, which
//! blocks are bad.
//!
//! Each function answers one question of the engine, and none of them does anything about a failure but
//! [`publish`](Metadata::publish), which makes it known.
//!
//! # Locking
//!
//! Each takes the state lock for one look-up, or the commit lock for one change, and drops it; the caller holds neither.

use super::{
    meta::Meta,
    mount::Mount, //
};
use crate::{
    failure::Metadata,
    rmap::{
        Cursor,
        OwnerRecord,
        Sharing, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Inodes that are looked at under one hold of the lock.
const INODES: usize = 1024;

impl Metadata for Meta {
    type Fs = Mount;

    fn publish(&self, range: &Range<u64>) -> Result<u64> {
        self.lock().found_bad(range).inspect_err(|_| {
            // Nobody would know later that these blocks are bad. So no block is to be used, and
            // that needs no memory.
            self.health().shut_down();
        })
    }

    fn is_unshared(&self, block: u64) -> bool {
        self.read().owners().sharing(block, 1).0 == Sharing::One
    }

    fn owners(&self, range: &Range<u64>, cursor: &mut Cursor, out: &mut [OwnerRecord]) -> usize {
        loop {
            let state = self.read();
            let found = state.owners().owners(range.clone(), cursor, out);
            // With an unwritten block nobody loses anything, and since it is in the bad set nothing will
            // be written there; nor does anybody with a dead inode. None at all would be the end.
            let kept = OwnerRecord::keep(out, found, |owner| {
                !owner.unwritten && !state.is_dead(owner.ino)
            });
            if found == 0 || kept != 0 {
                return kept;
            }
        }
    }

    fn extent(&self, ino: u64, pgoff: u64, max: u64) -> (Option<u64>, u64) {
        let state = self.read();
        let file = state.inode(ino).and_then(|inode| inode.as_file().ok());
        let Some(next) = file.and_then(|file| file.next(pgoff)) else {
            return (None, max);
        };
        let here = next.clip(&(pgoff..pgoff.saturating_add(max)));
        match here.filter(|extent| extent.pgoff == pgoff) {
            Some(extent) if extent.unwritten => (None, extent.len),
            Some(extent) => (Some(extent.block), extent.len),
            None => (None, max.min(next.pgoff.saturating_sub(pgoff))),
        }
    }

    fn lost_owners(
        &self,
        range: &Range<u64>,
        cursor: &mut Cursor,
        out: &mut [OwnerRecord],
    ) -> (usize, bool) {
        self.read().next_lost_before(range.end, cursor, out)
    }

    fn generation(&self, ino: u64) -> Option<u32> {
        let state = self.read();
        let generation = state.inode(ino)?.attr.generation;
        (!state.is_dead(ino)).then_some(generation)
    }

    fn next_file(&self, ino: u64) -> Option<u64> {
        let mut from = ino;
        loop {
            let state = self.read();
            let mut last = None;
            for (ino, inode) in state.inodes_from(from).take(INODES) {
                if inode.as_file().is_ok() {
                    return Some(ino);
                }
                last = Some(ino);
            }
            from = last?.checked_add(1)?;
        }
    }

    fn is_bad(&self, block: u64) -> bool {
        self.read().is_bad(block)
    }

    fn wait_for_touching(&self) {
        self.health().wait_for_touching();
    }

    fn first_good(&self, range: &Range<u64>) -> Option<Range<u64>> {
        self.read().first_good(range)
    }

    fn shut_down(&self) {
        self.health().removed();
    }
}
