// SPDX-License-Identifier: GPL-2.0

//! The metadata of a mount under its lock.
//!
//! # Locking
//!
//! The state lock is a mutex, innermost of all. It is held for one look-up or one transaction, in a
//! [`NoFsScope`]: reclaim under it must not come back to this filesystem. No user memory is touched
//! under it, and nothing else is waited for.

use super::{
    medium::PmemMedium,
    mount::Mount, //
};
use crate::{
    dax::Pmem,
    errno::erofs,
    failure::{
        Counters,
        Ground,
        Published, //
    },
    journal::Store,
    media::LABEL_MAX,
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    state::{
        Mapping,
        State,
        Transaction, //
    },
    support::{
        NoFsScope,
        RateLimit, //
    },
    trace, //
    vfs::Dev,
};
use core::ops::{
    Deref,
    DerefMut,
    Range, //
};
use kernel::{
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            AtomicFlag,
            Relaxed, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        new_mutex,
        Arc,
        Mutex, //
    },
};

/// Inodes that are looked at under one hold of the lock.
const INODES: usize = 1024;

/// The metadata of a mount.
#[pin_data]
pub(crate) struct Meta {
    #[pin]
    store: Mutex<Store<PmemMedium>>,
    /// What it is about.
    pmem: Arc<Pmem>,
    /// The device's, for the log.
    name: CString,
    dev: Dev,
    /// What happened so far.
    counters: Arc<Counters>,
    /// For the line about blocks that nobody has.
    #[pin]
    lines: RateLimit,
    /// No more access to the device.
    shut_down: AtomicFlag,
    /// How often blocks went bad.
    failures: Atomic<u64>,
    /// How often the state lock was taken to find where pages are.
    look_ups: Atomic<u64>,
}

/// The state lock.
pub(crate) struct MetaGuard<'a> {
    // Dropped in this order: the lock, then the scope.
    store: Guard<'a, Store<PmemMedium>, MutexBackend>,
    meta: &'a Meta,
    _nofs: NoFsScope,
}

impl Deref for MetaGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.store.state()
    }
}

impl DerefMut for MetaGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.store.state_mut()
    }
}

impl Meta {
    pub(crate) fn new(
        store: Store<PmemMedium>,
        pmem: Arc<Pmem>,
        name: CString,
        dev: Dev,
        counters: Arc<Counters>,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            pmem,
            lines <- RateLimit::new(&name, "free blocks"),
            name,
            dev,
            counters,
            store <- new_mutex!(store, "daxrmap::Store"),
            shut_down: AtomicFlag::new(false),
            failures: Atomic::new(0),
            look_ups: Atomic::new(0),
        })
    }

    /// Takes the state lock.
    pub(crate) fn lock(&self) -> MetaGuard<'_> {
        let _nofs = NoFsScope::new();
        MetaGuard {
            store: self.store.lock(),
            meta: self,
            _nofs,
        }
    }

    /// Takes the state lock, to find blocks that will be used.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone. Who is let in here before that has happened still holds the
    /// file's `invalidate_lock`.
    pub(crate) fn lock_alive(&self) -> Result<MetaGuard<'_>> {
        let state = self.lock();
        // Under the lock, as in `publish`: it is as good as asking the bad set.
        self.check_alive()?;
        Ok(state)
    }

    /// Makes the transaction that `build` makes of the state so, under one hold of the lock. All of
    /// it happens, or nothing.
    ///
    /// # Errors
    ///
    /// What `build` says; those of [`MetaGuard::commit`].
    pub(crate) fn transact(&self, build: impl FnOnce(&State) -> Result<Transaction>) -> Result {
        let mut state = self.lock();
        let tx = build(&state)?;
        state.commit(tx)
    }

    /// Frees an inode that nobody has a name or a use for any more. Nobody sees that it goes in several
    /// transactions; after a crash the next mount does the rest.
    ///
    /// # Errors
    ///
    /// As [`Store::evict`]; `EIO` if the device is gone.
    pub(crate) fn evict(&self, ino: u64) -> Result {
        while !self.lock().evict(ino)? {}
        Ok(())
    }

    /// Whether the device is gone or not to be trusted, so that every access is `EIO`.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Relaxed)
    }

    /// What was written before, by whatever way, is durable when this returns.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone, or cannot do that: then it is not to be trusted any more.
    pub(crate) fn flush(&self) -> Result {
        self.check_alive()?;
        self.pmem
            .requests
            .send()
            .inspect_err(|_| self.flush_failed())
    }

    /// A flush request has failed. What should be durable by now may be lost.
    fn flush_failed(&self) {
        if !self.shut_down.xchg(true, Relaxed) {
            pr_crit!(
                "{}: the device could not make durable what was written, shutting down: errno {}\n",
                &*self.name,
                EIO.to_errno()
            );
        }
    }

    /// How often blocks went bad. Whoever has taken a file's `invalidate_lock` and sees a number has all
    /// failures before it behind him; one that comes later waits for that lock. So, like
    /// [`is_shut_down`](Self::is_shut_down), this needs no order of its own.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Counts that the state lock was taken to find where pages are.
    pub(crate) fn count_look_up(&self) {
        self.look_ups.fetch_add(1, Relaxed);
    }

    /// How often that was.
    pub(crate) fn look_ups(&self) -> u64 {
        self.look_ups.load(Relaxed)
    }

    /// Blocks that nobody owns were found to be bad, and so many of them were not known as such.
    fn count_retired(&self, newly_bad: u64) {
        self.counters.failed_blocks.add(newly_bad);
        self.counters.discovered.add(newly_bad);
    }

    /// `EIO` if it [`is_shut_down`](Self::is_shut_down).
    pub(crate) fn check_alive(&self) -> Result {
        if self.is_shut_down() {
            return Err(EIO);
        }
        Ok(())
    }
}

impl MetaGuard<'_> {
    /// Makes a transaction so, durably. All of it happens, or nothing.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone; `EROFS`; `ENOSPC` if the log has no room; `ENOMEM`; `EUCLEAN` once
    /// the state is known to be inconsistent.
    pub(crate) fn commit(&mut self, tx: Transaction) -> Result {
        self.meta.check_alive()?;
        self.watch(|store| store.commit(tx))
    }

    /// Makes a change, and tells the log what is not as it was before.
    fn watch<T>(&mut self, change: impl FnOnce(&mut Store<PmemMedium>) -> Result<T>) -> Result<T> {
        let name = &*self.meta.name;
        let store = &mut *self.store;
        let regions = store.journal().superblock().regions;
        let (writable, corrupt) = (store.is_writable(), store.state().is_corrupt());
        let result = change(store);
        if self.meta.pmem.requests.check().is_err() {
            self.meta.flush_failed();
        }
        let found = store.take_found();
        if found != 0 {
            self.meta.count_retired(found);
            pr_warn!(
                "{}: {} blocks are on the driver's list of bad blocks, where the metadata log is or was to go\n",
                name,
                found
            );
        }
        let errno = || result.as_ref().map_or_else(|e| e.to_errno(), |_| 0);
        if !corrupt && store.state().is_corrupt() {
            pr_crit!(
                "{}: metadata is inconsistent, no more changes: errno {}\n",
                name,
                errno()
            );
        }
        let now = store.journal().superblock().regions;
        for (old, new) in regions.iter().zip(now).filter(|(old, new)| **old != *new) {
            pr_warn!(
                "{}: a part of the metadata log was on bad blocks: moved from block {} to {}\n",
                name,
                old.start,
                new.start
            );
        }
        if writable && !store.is_writable() && !self.meta.is_shut_down() {
            pr_crit!(
                "{}: the metadata log is on bad blocks and cannot move, read-only now: errno {}\n",
                name,
                errno()
            );
        }
        result
    }

    /// Adds blocks to the bad set; returns how many of them are new there. They are bad from here on,
    /// whether that can be made durable or not.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the range is empty or not all on the device; `ENOMEM`. Nothing has changed then.
    pub(crate) fn mark_bad(&mut self, range: &Range<u64>) -> Result<u64> {
        // What files remember of these blocks is not true any more, with the first moment at which
        // they are in the bad set.
        self.meta.failures.fetch_add(1, Relaxed);
        let marked = self.watch(|store| store.mark_bad(range.clone()))?;
        match marked.durable {
            // It was said why nothing is written.
            Err(e) if e != erofs() && !self.meta.is_shut_down() => pr_err!(
                "{}: that {} blocks from {} on are bad could not be written down yet: errno {}\n",
                &*self.meta.name,
                range.end.saturating_sub(range.start),
                range.start,
                e.to_errno()
            ),
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
        while let Some(blocks) = self.owners().next_gap(from, listed.end) {
            from = blocks.end;
            let newly_bad = self.mark_bad(&blocks)?;
            if newly_bad == 0 {
                continue;
            }
            self.meta.count_retired(newly_bad);
            trace::publish(self.meta.dev, &blocks, 0, Ok(newly_bad));
            if self.meta.lines.allows() {
                pr_warn!(
                    "{}: block {} count {} is on the driver's list of bad blocks: taken out of use, nobody has it\n",
                    &*self.meta.name,
                    blocks.start,
                    blocks.end - blocks.start
                );
            }
        }
        Ok(())
    }

    /// From here on changes are made, see [`Store::make_writable`].
    pub(crate) fn make_writable(&mut self) -> Result<u64> {
        self.watch(Store::make_writable)
    }

    /// Frees an inode that nobody has a name or a use for any more, or a part of it, see
    /// [`Store::evict`].
    ///
    /// # Errors
    ///
    /// As [`Store::evict`]; `EIO` if the device is gone.
    fn evict(&mut self, ino: u64) -> Result<bool> {
        self.meta.check_alive()?;
        self.watch(|store| store.evict(ino))
    }

    /// Nothing is written from here on, see [`Store::freeze`].
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone.
    pub(crate) fn freeze(&mut self) -> Result {
        self.meta.check_alive()?;
        self.store.freeze();
        Ok(())
    }

    /// The end of that, see [`Store::thaw`].
    pub(crate) fn thaw(&mut self) -> Result {
        let alive = !self.meta.is_shut_down();
        self.watch(|store| store.thaw(alive))
    }

    /// The filesystem's name for people.
    pub(crate) fn label(&self) -> [u8; LABEL_MAX] {
        self.store.journal().superblock().label
    }

    /// Gives it another one, durably.
    ///
    /// # Errors
    ///
    /// As [`Store::set_label`]; `EIO` if the device is gone.
    pub(crate) fn set_label(&mut self, label: &[u8; LABEL_MAX]) -> Result {
        self.meta.check_alive()?;
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

impl Ground for Meta {
    type Fs = Mount;

    fn publish(&self, range: &Range<u64>) -> Result<Published> {
        let mut state = self.lock();
        let newly_bad = state.mark_bad(range).inspect_err(|_| {
            // Nobody would know later that these blocks are bad. So no block is to be used, and
            // that needs no memory.
            self.shut_down.store(true, Relaxed);
        })?;
        let (sharing, _) = state.owners().sharing(range.start, 1);
        Ok(Published { newly_bad, sharing })
    }

    fn owners(&self, range: &Range<u64>, cursor: &mut Cursor, out: &mut [OwnerRecord]) -> usize {
        self.lock().owners().owners(range.clone(), cursor, out)
    }

    fn extent(&self, ino: u64, pgoff: u64, max: u64) -> (Option<u64>, u64) {
        // In runs of equal sharing and badness, shorter than need be, but never wrong.
        match self.lock().map(ino, pgoff, max) {
            Ok(Mapping::Data { block, len, .. }) => (Some(block), len),
            Ok(Mapping::Hole { len }) => (None, len),
            Err(_) => (None, max),
        }
    }

    fn lost_owners(
        &self,
        range: &Range<u64>,
        cursor: &mut Cursor,
        out: &mut [OwnerRecord],
    ) -> (usize, bool) {
        self.lock().next_lost_before(range.end, cursor, out)
    }

    fn generation(&self, ino: u64) -> Option<u32> {
        Some(self.lock().inode(ino)?.attr.generation)
    }

    fn next_file(&self, ino: u64) -> Option<u64> {
        let mut from = ino;
        loop {
            let state = self.lock();
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
        self.lock().is_bad(block)
    }

    fn wait_for_touching(&self) {
        self.pmem.touch_lock.wait();
    }

    fn first_good(&self, range: &Range<u64>) -> Option<Range<u64>> {
        let state = self.lock();
        let mut from = range.start;
        while from < range.end {
            match state.next_bad(from, range.end) {
                Some(bad) if bad.start == from => from = bad.end,
                Some(bad) => return Some(from..bad.start),
                None => return Some(from..range.end),
            }
        }
        None
    }

    fn shut_down(&self) {
        self.shut_down.store(true, Relaxed);
    }
}
