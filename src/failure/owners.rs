// SPDX-License-Identifier: GPL-2.0

//! Step 4 of a failure: telling an owner.
//!
//! An owner is looked at once more under its `invalidate_lock`, before anybody is
//! signalled: what it has there stands still from then on.
//!
//! # Locking
//!
//! Those of [`failure`](super): one failure of the ground at a time, and per owner its
//! `invalidate_lock` is taken, exclusively. No lock of a filesystem may be held over a kill or an unmap,
//! which wait for DAX entries: it is taken and dropped inside of [`Ground`]'s functions.

use super::{
    engine::Engine,
    ground::{
        Failure,
        Ground,
        OwnerFile,
        Tells, //
    },
    report::{
        Counters,
        Outcome,
        Via, //
    },
};
use crate::{
    dax,
    events::{
        Flag,
        Kind, //
    },
    rmap::OwnerRecord,
    trace,
    vfs::{
        AnyInvalidateLock,
        Dev,
        Handle, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

impl<G: Ground> Tells<G> for Engine<G> {
    fn tell(&self, file: &G::File, owner: OwnerRecord, failure: &mut Failure<G>) -> bool {
        self.test_delay();
        let inode = file.inode();
        if self.ground.is_untouched(file, &owner) {
            self.note(failure, owner, inode.dev(), Outcome::Unmapped, Ok(()));
            self.tell_owner(&owner, inode.dev(), || inode.handle(), 0, Some(0));
            return true;
        }
        if inode.is_mapped() {
            self.ground.prepare(owner.len, failure);
        }
        file.locked(|lock| self.tell_locked(file, lock, owner, failure))
    }

    fn take_at_once(&self, file: &G::File, owner: OwnerRecord, failure: &mut Failure<G>) -> Result {
        file.locked(|lock| {
            let (found, len) = self.ground.extent(file, owner.pgoff, owner.len);
            if found != Some(owner.block) {
                return Ok(());
            }
            let pages = owner.pgoff..owner.pgoff.saturating_add(len);
            let pfn = self.pfn(owner.block);
            self.take_pages(lock, pages, pfn, file.inode().is_mapped(), failure)
        })
    }

    fn note_absent(&self, owner: OwnerRecord, failure: &mut Failure<G>) {
        self.note(failure, owner, self.dev, Outcome::Absent, Ok(()));
        self.tell_owner(
            &owner,
            self.dev,
            || self.ground.absent(owner.ino),
            Flag::ABSENT,
            Some(0),
        );
    }

    fn found_by(&self, via: Via) {
        self.last.lock().set_via(via);
    }

    fn pfn(&self, block: u64) -> Option<u64> {
        self.pfn(block)
    }

    fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl<G: Ground> Engine<G> {
    /// See [`tell`](Tells::tell). `lock`: the file's.
    fn tell_locked(
        &self,
        file: &G::File,
        lock: &AnyInvalidateLock<'_>,
        owner: OwnerRecord,
        failure: &mut Failure<G>,
    ) -> bool {
        let inode = file.inode();
        // From here on the file's extents stand still. Walk those pages that still are where the
        // ground, or the folio, said.
        let mut told = false;
        let mut done = 0;
        while done < owner.len {
            let (pgoff, block) = (owner.pgoff + done, owner.block + done);
            let (found, len) = self.ground.extent(file, pgoff, owner.len - done);
            done = done.saturating_add(len.max(1));
            let piece = OwnerRecord {
                block,
                len,
                pgoff,
                ..owner
            };
            if found != Some(block) {
                self.note(failure, piece, inode.dev(), Outcome::Moved, Ok(()));
                continue;
            }
            told = true;
            let pages = pgoff..pgoff + len;
            let mapped = inode.is_mapped();
            let moment = mapped.then(|| self.events.moment());
            let errno = self.take_pages(lock, pages, self.pfn(block), mapped, failure);
            let processes = match moment {
                Some(moment) if self.ground.tells_processes(failure) => {
                    self.events.told_since(moment)
                }
                Some(_) => None,
                None => Some(0),
            };
            let outcome = if mapped {
                Outcome::Killed
            } else {
                Outcome::Unmapped
            };
            failure.result = failure.result.and(errno);
            self.note(failure, piece, inode.dev(), outcome, errno);
            let flags = if mapped { Flag::MAPPED } else { 0 };
            self.tell_owner(&piece, inode.dev(), || inode.handle(), flags, processes);
        }
        told
    }

    /// Signals who maps these failed pages, if anybody does, and takes them from everybody. `pfn`: the frame
    /// of the first one.
    fn take_pages(
        &self,
        lock: &AnyInvalidateLock<'_>,
        pages: Range<u64>,
        pfn: Option<u64>,
        mapped: bool,
        failure: &mut Failure<G>,
    ) -> Result {
        let errno = if mapped {
            self.ground.kill(lock, &pages, pfn, failure)
        } else {
            Ok(())
        };
        // The signals went to some; the page must go from all.
        lock.unmap(pages.clone());
        if pages
            .clone()
            .any(|page| dax::is_dirty(lock.any_inode(), page))
        {
            dax::lose(lock.any_inode());
        }
        for page in pages {
            lock.unmark_head(page, |pfn| self.is_bad_pfn(pfn));
        }
        errno
    }

    /// Tells who listens of an owner, which is a file of `dev`, and for which so many processes were told.
    fn tell_owner(
        &self,
        owner: &OwnerRecord,
        dev: Dev,
        handle: impl FnOnce() -> Option<Handle>,
        flags: u32,
        processes: Option<u32>,
    ) {
        let blocks = owner.block..owner.block.saturating_add(owner.len);
        self.announce(Kind::Owner, &blocks, |event| {
            let offset = owner.pgoff.saturating_mul(dax::BLOCK_SIZE);
            self.last.lock().add_processes(processes);
            let event = event.of_file(dev, owner.ino, offset).named(handle());
            event.with(flags).told(processes)
        });
    }

    fn is_bad_pfn(&self, pfn: u64) -> bool {
        self.block(pfn)
            .is_some_and(|block| self.ground.is_bad(block))
    }

    /// Notes what became of an owner, which is a file of `dev`.
    fn note(
        &self,
        failure: &mut Failure<G>,
        owner: OwnerRecord,
        dev: Dev,
        outcome: Outcome,
        errno: Result,
    ) {
        self.ground.note(failure, &owner, outcome);
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
        trace::owner(dev, owner.ino, &pages, owner.block, outcome as u32, errno);
        let errno = errno.err().map_or(0, |e| e.to_errno());
        self.last.lock().owner(owner, outcome, errno);
    }
}
