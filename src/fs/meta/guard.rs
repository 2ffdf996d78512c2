// SPDX-License-Identifier: GPL-2.0

//! The commit lock, held: what may be done with the metadata of a mount.
//!
//! All can be read, by [`Deref`], and stays as it is. Changes go by the journal, which makes them durable
//! before they are seen: [`MetaGuard::commit`], and the functions beside it for what is not a transaction. There is no
//! `DerefMut`: it would be a way around the journal. What is of memory alone is in
//! [`in_memory`](super::in_memory). Nothing here touches user memory, waits for a DAX entry, or drops an
//! inode reference.
//!
//! ```compile_fail,E0596
//! fn around_the_journal(mount: &crate::fs::Mount) {
//!     let mut state = mount.meta().lock();
//!     let _ = state.take(1..2);
//! }
//! ```
//!
//! # Locking
//!
//! This is the lock: see [`Meta`](super::Meta).

use super::{
    health::{
        Health,
        Room, //
    },
    shared::Shared,
    watch::Watch, //
};
use crate::{
    errno::euclean,
    journal::Journal,
    media::LABEL_BYTES,
    state::{
        State,
        Transaction, //
    },
    support::NoFsScope, //
};
use core::ops::{
    Deref,
    DerefMut,
    Range, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        Mutex, //
    },
};

/// How many blocks no file can have: superblocks and log.
pub(super) fn metadata_blocks(journal: &Journal) -> u64 {
    let len = |range: Range<u64>| range.end.saturating_sub(range.start);
    journal.metadata().into_iter().map(len).sum()
}

/// There is room for data again once one block of so many is free.
const ROOM: u64 = 128;

/// The commit lock, held.
pub(crate) struct MetaGuard<'a> {
    // Dropped in this order: the lock, then the scope.
    store: Guard<'a, Shared, MutexBackend>,
    health: &'a Health,
    metadata: &'a Atomic<u64>,
    _nofs: NoFsScope,
}

impl Deref for MetaGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.store.state()
    }
}

impl<'a> MetaGuard<'a> {
    /// Takes the lock. `metadata` is to say how many blocks the metadata have, to who has none of the locks.
    pub(super) fn lock(
        store: &'a Mutex<Shared>,
        health: &'a Health,
        metadata: &'a Atomic<u64>,
    ) -> Self {
        let _nofs = NoFsScope::new();
        MetaGuard {
            store: store.lock(),
            health,
            metadata,
            _nofs,
        }
    }

    /// What is in memory, to change what the medium does not have. Not for who takes the lock: what he
    /// may so change has a name, in [`in_memory`](super::in_memory).
    pub(super) fn change(&mut self) -> impl DerefMut<Target = State> + use<'_, 'a> {
        self.store.change()
    }

    /// Allocates blocks, and tells that there is no room for them, or that there is, or what was found
    /// not to be consistent.
    pub(super) fn allocate(
        &mut self,
        allocate: impl FnOnce(&mut State) -> Result<Range<u64>>,
    ) -> Result<Range<u64>> {
        let watch = Watch::new(&self.store);
        let blocks = allocate(&mut self.store.change());
        match &blocks {
            // Who gets this reaps what is dead, and tries again.
            Err(e) if *e == ENOSPC && self.next_dead().is_some() => {}
            Err(e) if *e == ENOSPC => self.health.filled(Room::Data, true),
            Err(e) if *e == euclean() => watch.tell(&mut self.store, self.health, e.to_errno()),
            Ok(_) if self.free_blocks() > self.total_blocks() / ROOM => {
                self.health.filled(Room::Data, false);
            }
            _ => {}
        }
        blocks
    }

    /// Makes a transaction so, durably. All of it happens, or nothing.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone; `EROFS`; `ENOSPC` if the log has no room; `ENOMEM`; `EUCLEAN` once
    /// the state is known to be inconsistent.
    pub(crate) fn commit(&mut self, tx: Transaction) -> Result {
        self.health.check_alive()?;
        self.watch(|store| store.commit(tx))
    }

    /// Makes a change, and tells the log what is not as it was before.
    fn watch<T>(&mut self, change: impl FnOnce(&mut Shared) -> Result<T>) -> Result<T> {
        let watch = Watch::new(&self.store);
        let result = change(&mut self.store);
        let errno = result.as_ref().map_or_else(|e| e.to_errno(), |_| 0);
        watch.tell(&mut self.store, self.health, errno);
        self.metadata
            .store(metadata_blocks(self.store.journal()), Relaxed);
        result
    }

    /// Adds blocks to the bad set; returns how many of them are new there. They are bad from here on,
    /// whether that can be made durable or not.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the range is empty or not all on the device; `ENOMEM`. Nothing has changed then.
    pub(crate) fn found_bad(&mut self, range: &Range<u64>) -> Result<u64> {
        let marked = self.watch(|store| store.mark_bad(range.clone()));
        // Behind the moment from which on they are in the bad set: who finds this number finds them there.
        self.health.count_failure();
        let marked = marked?;
        match marked.durable {
            // It was said why nothing is written.
            Err(e) if e != EROFS && !self.health.is_shut_down() => {
                self.health.not_recorded(range, e);
            }
            _ => {}
        }
        Ok(marked.newly_bad)
    }

    /// Those of these blocks that nobody owns enter the bad set, since the driver lists them: a
    /// discovery with nobody to tell. Those that are owned are left to who uses them.
    ///
    /// # Errors
    ///
    /// `EINVAL` if not all are on the device; `ENOMEM`. What is not in the bad set is found again by
    /// the next one who gets it.
    pub(crate) fn retire(&mut self, listed: &Range<u64>) -> Result {
        let mut from = listed.start;
        while let Some(free) = self.owners().next_gap(from, listed.end) {
            from = free.start;
            while let Some(blocks) = self.first_good(&(from..free.end)) {
                from = blocks.end;
                let newly_bad = self.found_bad(&blocks)?;
                self.health.retired(&blocks, newly_bad);
            }
            from = free.end;
        }
        Ok(())
    }

    /// From here on changes are made, see [`Shared::make_writable`].
    pub(crate) fn make_writable(&mut self) -> Result<u64> {
        self.watch(Shared::make_writable)
    }

    /// Frees an inode that nobody has a name or a use for any more, or declares it dead, see [`Shared::evict`].
    ///
    /// # Errors
    ///
    /// As [`Shared::evict`]; `EIO` if the device is gone.
    pub(super) fn evict(&mut self, ino: u64) -> Result<bool> {
        self.health.check_alive()?;
        self.watch(|store| store.evict(ino))
    }

    /// Frees a piece of what is dead, see [`Shared::reap`].
    ///
    /// # Errors
    ///
    /// As [`Shared::reap`]; `EIO` if the device is gone.
    pub(super) fn reap(&mut self) -> Result<bool> {
        self.health.check_alive()?;
        if self.next_dead().is_none() {
            // Nothing was written, so nobody is to think that there is room in the log again.
            return Ok(false);
        }
        self.watch(Shared::reap)
    }

    /// Nothing is written from here on, see [`Shared::freeze`].
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone.
    pub(crate) fn freeze(&mut self) -> Result {
        self.health.check_alive()?;
        self.store.freeze();
        Ok(())
    }

    /// The end of that, see [`Shared::thaw`].
    pub(crate) fn thaw(&mut self) -> Result {
        let alive = !self.health.is_shut_down();
        self.watch(|store| store.thaw(alive))
    }

    /// The filesystem's name for people.
    pub(crate) fn label(&self) -> [u8; LABEL_BYTES] {
        self.store.journal().superblock().label
    }

    /// Gives it another one, durably.
    ///
    /// # Errors
    ///
    /// As [`Shared::set_label`]; `EIO` if the device is gone.
    pub(crate) fn set_label(&mut self, label: &[u8; LABEL_BYTES]) -> Result {
        self.health.check_alive()?;
        self.watch(|store| store.set_label(label))
    }

    /// From here on no changes are made.
    pub(crate) fn make_read_only(&mut self) {
        self.store.make_read_only();
    }

    /// Whether changes are made.
    pub(crate) fn is_writable(&self) -> bool {
        self.store.is_writable()
    }

    /// How many bytes of the log's region are in use, and how many it has.
    pub(crate) fn log_used(&self) -> (u64, u64) {
        self.store.journal().used()
    }

    /// The blocks that no file can have: superblocks, then the log.
    pub(crate) fn metadata(&self) -> [Range<u64>; 4] {
        self.store.journal().metadata()
    }
}
