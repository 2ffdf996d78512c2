// SPDX-License-Identifier: GPL-2.0

//! The store: all metadata of a mount, in memory and on the medium, changed together.
//!
//! Memory has what the medium has, but for blocks in flight and for failures that could not be written
//! down. A transaction is made durable first, then applied in memory. A failure enters memory first:
//! nothing may keep it from being known.
//!
//! When blocks of the log go bad the log moves, before anything else is written. When it cannot move, no
//! more changes are made; all can still be read.
//!
//! # Locking
//!
//! The caller holds the commit lock for all calls: nobody else changes anything. Others may read the state
//! meanwhile. They are kept out, by [`Access`], while it changes in memory, and not while something is written.

use super::{
    incompat,
    Journal,
    Opened, //
};
use crate::{
    media::{
        Medium,
        LABEL_BYTES, //
    },
    state::{
        Op,
        State,
        Transaction, //
    },
};
use core::ops::{
    DerefMut,
    Range, //
};
use kernel::prelude::*;

/// How a store comes to the state: only the store changes it, and others may read it in between.
pub(crate) trait Access {
    /// To read it.
    fn get(&self) -> &State;

    /// To change it: nobody else reads it meanwhile.
    fn change(&mut self) -> impl DerefMut<Target = State>;
}

impl Access for State {
    fn get(&self) -> &State {
        self
    }

    fn change(&mut self) -> impl DerefMut<Target = State> {
        self
    }
}

/// The metadata of a mount.
pub(crate) struct Store<M: Medium, A: Access = State> {
    state: A,
    journal: Journal,
    medium: M,
    /// Changes are made.
    writable: bool,
    /// Changes may be made: nothing is on the medium that this version cannot keep true.
    can_write: bool,
    /// Some of the bad set may not be on the medium.
    unrecorded: bool,
    /// A copy of the superblock is not the newest, is damaged, or lacks the secret or a feature.
    stale: bool,
    /// Nothing is to be written for a while.
    frozen: bool,
    /// Blocks that were found bad when the log moved, and that nobody was told of yet.
    found: u64,
}

/// What became of blocks that were to enter the bad set.
pub(crate) struct Marked {
    /// How many of them were not known as bad before.
    pub(crate) newly_bad: u64,
    /// Whether the next mount knows too.
    pub(crate) durable: Result,
}

impl<M: Medium> Store<M> {
    /// A filesystem that was read. No changes are made before [`make_writable`](Self::make_writable).
    pub(crate) fn new(opened: Opened, medium: M) -> Self {
        let generation = opened.journal.superblock().generation;
        let stale = opened.copies.iter().any(|copy| *copy != Ok(generation));
        Self {
            state: opened.state,
            journal: opened.journal,
            medium,
            writable: false,
            can_write: opened.can_write,
            unrecorded: false,
            stale: stale || opened.lacks,
            frozen: false,
            found: 0,
        }
    }

    /// The same store, with its state where `share` puts it; and what that tells beside it.
    ///
    /// # Errors
    ///
    /// Those of `share`.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for readers beside it"))]
    pub(crate) fn shared<A: Access, R>(
        self,
        share: impl FnOnce(State) -> Result<(A, R)>,
    ) -> Result<(Store<M, A>, R)> {
        let (state, rest) = share(self.state)?;
        let store = Store {
            state,
            journal: self.journal,
            medium: self.medium,
            writable: self.writable,
            can_write: self.can_write,
            unrecorded: self.unrecorded,
            stale: self.stale,
            frozen: self.frozen,
            found: self.found,
        };
        Ok((store, rest))
    }
}

impl<M: Medium, A: Access> Store<M, A> {
    /// How many blocks were found bad on the medium since the last time, where the log is or was to
    /// go. They are in the bad set.
    #[cfg_attr(not(MODULE), allow(dead_code, reason = "for the counters"))]
    pub(crate) fn take_found(&mut self) -> u64 {
        core::mem::take(&mut self.found)
    }

    /// What is in memory.
    pub(crate) fn state(&self) -> &State {
        self.state.get()
    }

    /// The same, for what is not on the medium: blocks in flight, numbers of inodes that are to be.
    pub(crate) fn change(&mut self) -> impl DerefMut<Target = State> + use<'_, M, A> {
        self.state.change()
    }

    /// The log.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Whether changes are made.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Allows changes from here on. The log moves off bad blocks. Returns how many inodes are dead, and
    /// to be [reaped](Self::reap): whoever had them open did not survive.
    ///
    /// # Errors
    ///
    /// `EROFS` if its features do not allow it, or the log is on bad blocks and cannot move; what the
    /// medium says; `ENOMEM`.
    pub(crate) fn make_writable(&mut self) -> Result<u64> {
        if !self.can_write {
            return Err(EROFS);
        }
        self.writable = true;
        let result = self.catch_up();
        if result.is_err() {
            self.writable = false;
        }
        result.map(|()| self.state.get().count_dead())
    }

    /// Writes what the medium lacks: the log off bad blocks, both superblocks, the bad set.
    fn catch_up(&mut self) -> Result {
        if self.journal.needs_repair(self.state.get()) {
            self.repair()?;
        } else if self.stale {
            self.journal.checkpoint(&self.medium, self.state.get())?;
        }
        self.stale = false;
        self.record_all_bad()
    }

    /// Refuses changes from here on, with `EROFS`.
    pub(crate) fn make_read_only(&mut self) {
        self.writable = false;
    }

    /// Writes nothing from here on. The caller holds off whoever changes something; failures still come,
    /// and inodes still die.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// Ends a [`freeze`](Self::freeze): writes what came in the meantime, if the medium is still `alive`.
    ///
    /// # Errors
    ///
    /// What the medium says, `ENOSPC`, `ENOMEM`: failures are written down by the next transaction.
    pub(crate) fn thaw(&mut self, alive: bool) -> Result {
        self.frozen = false;
        if !alive || !self.writable {
            return Ok(());
        }
        self.catch_up()
    }

    /// Frees an inode that nobody has a name or a use for any more, if that is little. Else it is dead from
    /// here on, and to be [reaped](Self::reap); so it is if nothing can be written now, or that fails. Returns
    /// whether it is gone.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit), [`State::evict`] and [`State::declare_dead`].
    pub(crate) fn evict(&mut self, ino: u64) -> Result<bool> {
        let freed = if self.frozen || !self.writable || !self.state.get().is_small(ino)? {
            Ok(false)
        } else {
            self.evict_now(ino)
        };
        if freed != Ok(true) {
            self.state.change().declare_dead(ino)?;
        }
        freed
    }

    /// Frees an inode, or a piece of it. Returns whether it is gone.
    fn evict_now(&mut self, ino: u64) -> Result<bool> {
        let (tx, is_all) = self.state.get().evict(ino)?;
        self.commit(tx)?;
        Ok(is_all)
    }

    /// Frees a piece of what is dead. Returns whether there was anything; while nothing is to be written there
    /// is not.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit) and [`State::evict`].
    pub(crate) fn reap(&mut self) -> Result<bool> {
        if self.frozen {
            return Ok(false);
        }
        let Some(ino) = self.state.get().next_dead() else {
            return Ok(false);
        };
        self.evict_now(ino).map(|_| true)
    }

    /// Gives the filesystem another name for people, durably.
    ///
    /// # Errors
    ///
    /// `EROFS`; what the medium says.
    pub(crate) fn set_label(&mut self, label: &[u8; LABEL_BYTES]) -> Result {
        if !self.writable || self.frozen {
            return Err(EROFS);
        }
        self.journal
            .set_label(&self.medium, self.state.get(), label)
    }

    /// Makes a transaction durable, and applies it to the state: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// `EROFS`; `ENOSPC` if the log has no room; `ENOMEM`; what the medium says; `EUCLEAN` once the
    /// state is known to be inconsistent.
    pub(crate) fn commit(&mut self, mut tx: Transaction) -> Result {
        if !self.writable || self.frozen {
            return Err(EROFS);
        }
        let mut again = true;
        loop {
            if self.journal.needs_repair(self.state.get()) {
                self.repair()?;
            }
            // Should this fail, it is not for anything that is wrong with the log.
            self.journal
                .note(&self.medium, self.state.get(), incompat(tx.ops()))?;
            // Not a reason to refuse this: it may be what makes room for that.
            let _ = self.record_all_bad();
            self.state.change().reserve(&mut tx)?;
            let appended = self
                .journal
                .append(&self.medium, self.state.get(), tx.ops());
            match appended {
                Ok(()) => return self.state.change().apply(tx),
                // Bad blocks that nobody has reported yet.
                Err(e) if e == EIO && again => {
                    let before = self.state.get().bad_blocks();
                    let known = self.journal.find_bad(&self.medium, &mut self.state);
                    self.count_found(before);
                    if !known {
                        self.journal.distrust();
                    }
                }
                Err(e) => return Err(e),
            }
            again = false;
        }
    }

    /// Adds blocks to the bad set. That needs no memory, unless there is no end of it, and is done
    /// whether the medium can be told or not.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the range is empty or not all on the device; `ENOMEM`. Nothing has changed then.
    pub(crate) fn mark_bad(&mut self, range: Range<u64>) -> Result<Marked> {
        let newly_bad = self.state.change().mark_bad(range.clone())?;
        let durable = if newly_bad == 0 {
            Ok(())
        } else {
            self.record_bad(range)
        };
        self.unrecorded |= durable.is_err();
        Ok(Marked { newly_bad, durable })
    }

    /// Writes down what could not be when it went bad.
    fn record_all_bad(&mut self) -> Result {
        if !self.unrecorded {
            return Ok(());
        }
        let (mut from, end) = (0, self.state.get().total_blocks());
        while let Some(bad) = self.state.get().next_bad(from, end) {
            from = bad.end;
            self.record_bad(bad)?;
        }
        self.unrecorded = false;
        Ok(())
    }

    fn record_bad(&mut self, range: Range<u64>) -> Result {
        if !self.writable || self.frozen {
            return Err(EROFS);
        }
        if self.journal.needs_repair(self.state.get()) {
            let generation = self.journal.superblock().generation;
            self.repair()?;
            if self.journal.superblock().generation != generation {
                // The checkpoint has it.
                return Ok(());
            }
        }
        let len = range.end.saturating_sub(range.start);
        let op = Op::MarkBad {
            block: range.start,
            len,
        };
        self.journal.append(&self.medium, self.state.get(), &[op])
    }

    /// Writes all of it to the other region of the log.
    ///
    /// # Errors
    ///
    /// As [`Journal::checkpoint`].
    #[cfg(not(MODULE))]
    pub(crate) fn checkpoint(&mut self) -> Result {
        self.journal.checkpoint(&self.medium, self.state.get())
    }

    /// Counts the blocks that are bad now and were not when there were `before` of them.
    fn count_found(&mut self, before: u64) {
        let found = self.state.get().bad_blocks().saturating_sub(before);
        self.found = self.found.saturating_add(found);
    }

    /// Moves the log off bad blocks. Not an error if there is one good region left.
    fn repair(&mut self) -> Result {
        let before = self.state.get().bad_blocks();
        let result = self.journal.repair(&self.medium, &mut self.state);
        self.count_found(before);
        if self.journal.is_usable(self.state.get()) {
            return Ok(());
        }
        match result {
            Err(e) if e == ENOMEM => Err(e),
            Err(e) if e != ENOSPC => {
                self.writable = false;
                Err(e)
            }
            _ => {
                self.writable = false;
                Err(EROFS)
            }
        }
    }
}
