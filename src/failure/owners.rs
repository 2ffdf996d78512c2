// SPDX-License-Identifier: GPL-2.0

//! Steps 3 and 4 of a failure: whose the failed blocks are, and telling each owner.
//!
//! An unshared block that is mapped is what `folio->mapping` says; for everything else the owner tree is
//! asked, batch by batch. An owner is looked at once more under its `invalidate_lock`, before anybody is
//! signalled: what it has there stands still from then on.
//!
//! # Locking
//!
//! Those of [`failure`](super): the gate's mutex is held by the caller, and per owner its
//! `invalidate_lock` is taken, exclusively. The state lock must not be held over a kill or an unmap,
//! which wait for DAX entries: it is taken and dropped inside of [`Ground`]'s functions.

use super::{
    engine::{
        Engine,
        Failure, //
    },
    ground::Ground,
    report::{
        Outcome,
        Via, //
    },
};
use crate::{
    dax,
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    trace,
    vfs::{
        Inode,
        Visit, //
    },
};
use core::mem::size_of;
use kernel::prelude::*;

/// Owners that are looked up at once, under one hold of the state lock: a page of them.
const BATCH: usize = dax::BLOCK_SIZE as usize / size_of::<OwnerRecord>();

/// Owners that are looked up at once when memory is short.
const SMALL_BATCH: usize = 8;

impl<G: Ground> Engine<G> {
    /// An unshared block is where `folio->mapping` says, if somebody has mapped it. A first mapping
    /// of a *shared* block sets the field too, so the owner tree has been asked for the number of
    /// owners already. False: not answered.
    pub(super) fn shortcut(&self, visit: Option<&Visit<'_, G::Fs>>, failure: &mut Failure) -> bool {
        let block = failure.range.start;
        let Some(visit) = visit else { return false };
        let Some(pfn) = self.pfn(block) else {
            return false;
        };
        let Some((inode, pgoff)) = dax::folio_owner(visit, pfn) else {
            return false;
        };
        let owner = OwnerRecord {
            block,
            len: 1,
            ino: inode.ino(),
            pgoff,
        };
        self.last.lock().set_via(Via::Shortcut);
        let told = self.tell(&inode, owner, failure);
        if told {
            self.counters.shortcut.add(1);
        }
        told
    }

    /// Step 4 for every owner of the range that the owner tree has.
    pub(super) fn ask_tree(&self, visit: Option<&Visit<'_, G::Fs>>, failure: &mut Failure) {
        let mut cursor = Cursor::new();
        let mut small = [OwnerRecord::default(); SMALL_BATCH];
        // Its owners are told with or without memory, and nobody is waited for to get some.
        let mut large = KVec::from_elem(OwnerRecord::default(), BATCH, GFP_NOWAIT | __GFP_NOWARN);
        let batch = match &mut large {
            Ok(large) => large.as_mut_slice(),
            Err(_) => &mut small[..],
        };
        let mut any = false;
        loop {
            failure.batch = cursor.clone();
            let n = self.ground.owners(&failure.range, &mut cursor, batch);
            if n == 0 {
                break;
            }
            if !any {
                any = true;
                self.counters.tree.add(1);
                self.last.lock().set_via(Via::Tree);
            }
            // Whom there is no room for come all together.
            if !failure.walked && !self.events.task().has_room(n) {
                self.leave_to_walk(failure);
            }
            for owner in batch.iter().take(n) {
                match visit.and_then(|visit| visit.in_core(owner.ino).usable()) {
                    Some(inode) => {
                        self.tell(&inode, *owner, failure);
                    }
                    None => self.note(failure, *owner, Outcome::Absent, Ok(())),
                }
            }
        }
    }

    /// Step 4 for one owner. False if it owns nothing of the range any more.
    fn tell(&self, inode: &Inode<G::Fs>, owner: OwnerRecord, failure: &mut Failure) -> bool {
        self.test_delay();
        let lock = inode.invalidate_lock();
        // From here on the file's extents stand still. Walk those pages that still are where the
        // owner tree, or the folio, said.
        let mut told = false;
        let mut done = 0;
        while done < owner.len {
            let (pgoff, block) = (owner.pgoff + done, owner.block + done);
            let (found, len) = self.ground.extent(owner.ino, pgoff, owner.len - done);
            done = done.saturating_add(len.max(1));
            let piece = OwnerRecord {
                block,
                len,
                pgoff,
                ..owner
            };
            if found != Some(block) {
                self.note(failure, piece, Outcome::Moved, Ok(()));
                continue;
            }
            told = true;
            let pages = pgoff..pgoff + len;
            let (outcome, errno) = if inode.is_mapped() {
                let errno = lock.kill_procs(pages.clone(), failure.flags);
                (Outcome::Killed, errno)
            } else {
                (Outcome::Unmapped, Ok(()))
            };
            // The signals went to some; the page must go from all.
            lock.unmap(pages.clone());
            if pages.clone().any(|page| dax::is_dirty(inode, page)) {
                dax::lose(inode);
            }
            for page in pages {
                lock.unmark_head(page, |pfn| self.is_bad_pfn(pfn));
            }
            failure.result = failure.result.and(errno);
            self.note(failure, piece, outcome, errno);
        }
        told
    }

    fn is_bad_pfn(&self, pfn: u64) -> bool {
        self.block(pfn)
            .is_some_and(|block| self.ground.is_bad(block))
    }

    /// Has fanotify told of all owners from this batch on by a walk.
    fn leave_to_walk(&self, failure: &mut Failure) {
        self.events.task().note_rest(&failure.range, &failure.batch);
        failure.walked = true;
    }

    fn note(&self, failure: &mut Failure, owner: OwnerRecord, outcome: Outcome, errno: Result) {
        if outcome != Outcome::Moved && !failure.walked && !self.events.task().note(owner) {
            self.leave_to_walk(failure);
        }
        let counters = &self.counters;
        match outcome {
            Outcome::Moved => counters.moved.add(1),
            Outcome::Killed => {
                counters.owners.add(1);
                counters.owners_mapped.add(1);
            }
            Outcome::Absent | Outcome::Unmapped => counters.owners.add(1),
        }
        let pages = owner.pgoff..owner.pgoff.saturating_add(owner.len);
        trace::owner(
            self.dev,
            owner.ino,
            &pages,
            owner.block,
            outcome as u32,
            errno,
        );
        let errno = errno.err().map_or(0, |e| e.to_errno());
        self.last.lock().owner(owner, outcome, errno);
    }
}
