// SPDX-License-Identifier: GPL-2.0

//! The metadata of a mount under their locks: names, files, space, the bad set.
//!
//! Who wants to know something asks [`Meta::read`], or, if it is a block that he is to touch, [`Meta::read_alive`].
//! Who wants to change something, by what he finds, takes the commit lock, [`Meta::lock`], and asks the
//! [`MetaGuard`]; or gives [`Meta::transact`] a function that builds a transaction.
//!
//! - [`guard`]: what may be done under the lock; [`in_memory`]: what of it the journal has no part in.
//!   [`watch`]: what the log is told of the journal then. [`shared`]: who looks, beside that.
//! - [`health`]: whether the device is to be trusted. Needs no lock.
//!
//! # Locking
//!
//! Two locks, innermost of all: the commit lock, a mutex, held for one transaction, from the first look until it is
//! durable and applied; and inside of it the state lock, a read-write semaphore, exclusively only while something changes
//! in memory, and shared for one look. So who looks waits for no log. Both are held in a
//! [`NoFsScope`](crate::support::NoFsScope): reclaim under them must not come back to this filesystem. No user memory is
//! touched under them, and nothing else is waited for.

mod guard;
mod health;
mod in_memory;
mod shared;
mod watch;

pub(crate) use self::guard::MetaGuard;

use self::{
    guard::metadata_blocks,
    health::Health,
    shared::{
        Shared,
        StateRead, //
    },
};
use crate::{
    dax::Pmem,
    events::Source,
    failure::Counters,
    state::{
        State,
        Transaction, //
    },
    support::{
        fatal_signal_pending,
        Reader, //
    },
    vfs::Dev, //
};
use kernel::{
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// See [`ZeroLimits::ahead`]. A database has space allocated so that writes are cheap. To convert costs a
/// transaction, and zeroes for each block: the first is to be shared by many writes, the second makes one of
/// them wait.
///
/// Measured with writes of 4 KiB in turn, by counted instructions, for 1, 16, 128 and 512 blocks: the median is
/// 21 us without, and 4 us with any; the 99th percentile 24, 51, 10 and 4; the longest 36, 72, 278 and 1040.
const AHEAD: u64 = 128;

/// See [`ZeroLimits::in_place`]. A transaction costs as much as the zeroes of some ten blocks.
const IN_PLACE: u64 = 8;

/// How many blocks are zeroed where a transaction, or some, would do. Only tests change it.
pub(crate) struct ZeroLimits {
    /// Unwritten blocks that one write makes written beyond those that it writes to, at most, in a file that
    /// is written in turn.
    pub(crate) ahead: Atomic<u64>,
    /// Written blocks that FALLOC_FL_ZERO_RANGE leaves written, if it is about no more pages than these.
    pub(crate) in_place: Atomic<u64>,
}

/// The metadata of a mount.
#[pin_data]
pub(crate) struct Meta {
    #[pin]
    store: Mutex<Shared>,
    /// How many wait for that.
    waiting: Atomic<u32>,
    /// What is in memory, for who only reads it.
    state: Reader<State>,
    #[pin]
    health: Health,
    /// How many blocks the superblocks and the log have.
    metadata: Atomic<u64>,
    /// How often the state lock was taken to find where pages are.
    look_ups: Atomic<u64>,
    /// See [`Meta::zero_limits`].
    zero_limits: ZeroLimits,
    /// How many pieces of what is dead were freed.
    reaped: Atomic<u64>,
}

impl Meta {
    /// The metadata that were read from `pmem`, whose device is `dev` and has this name in the log. `state`: who
    /// reads the store's. `events` are told of what happens to them.
    pub(crate) fn new(
        store: Shared,
        state: Reader<State>,
        pmem: Arc<Pmem>,
        name: CString,
        dev: Dev,
        counters: Arc<Counters>,
        events: Source,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            metadata: Atomic::new(metadata_blocks(store.journal())),
            store <- new_mutex!(store, "daxrmap::Store"),
            waiting: Atomic::new(0),
            state,
            health <- Health::new(pmem, name, dev, counters, events),
            look_ups: Atomic::new(0),
            zero_limits: ZeroLimits {
                ahead: Atomic::new(AHEAD),
                in_place: Atomic::new(IN_PLACE),
            },
            reaped: Atomic::new(0),
        })
    }

    /// Takes the commit lock.
    pub(crate) fn lock(&self) -> MetaGuard<'_> {
        self.waiting.fetch_add(1, Relaxed);
        let guard = MetaGuard::lock(&self.store, &self.health, &self.metadata);
        self.waiting.fetch_sub(1, Relaxed);
        guard
    }

    /// The metadata as they are between two changes: nobody sees what a crash may take back. Who has this does not
    /// take the commit lock.
    pub(crate) fn read(&self) -> StateRead<'_> {
        StateRead::new(&self.state)
    }

    /// As [`read`](Self::read), to find blocks that will be used.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone. Who is let in here before that has happened still holds the
    /// file's `invalidate_lock`.
    pub(crate) fn read_alive(&self) -> Result<StateRead<'_>> {
        let state = self.read();
        self.check_alive()?;
        Ok(state)
    }

    /// Makes the transaction that `build` makes of the state so, under one hold of the lock. All of
    /// it happens, or nothing. `build` is asked again if there was no room, and what is dead made some: see
    /// [`with_room`](Self::with_room).
    ///
    /// # Errors
    ///
    /// What `build` says; those of [`MetaGuard::commit`].
    pub(crate) fn transact(&self, mut build: impl FnMut(&State) -> Result<Transaction>) -> Result {
        self.with_room(|| {
            let mut state = self.lock();
            let tx = build(&state)?;
            state.commit(tx)
        })
    }

    /// Does `f`, which makes a transaction; again if there was no room, and what is dead makes some.
    ///
    /// # Errors
    ///
    /// What `f` says.
    pub(crate) fn with_room<T>(&self, mut f: impl FnMut() -> Result<T>) -> Result<T> {
        loop {
            let reaped = self.reaped();
            match f() {
                Err(e) if e == ENOSPC && self.makes_room(reaped) => {}
                result => return result,
            }
        }
    }

    /// How many pieces of what is dead were freed so far.
    pub(crate) fn reaped(&self) -> u64 {
        self.reaped.load(Relaxed)
    }

    /// After an `ENOSPC`: frees a piece of what is dead, unless somebody else has done so since
    /// [`reaped`](Self::reaped) was asked, before what has failed. Returns whether that is worth another try.
    pub(crate) fn makes_room(&self, reaped: u64) -> bool {
        if fatal_signal_pending() {
            return false;
        }
        let freed = {
            let mut state = self.lock();
            self.reaped() != reaped || self.reap_piece(&mut state) == Ok(true)
        };
        if freed {
            self.let_others();
        }
        freed
    }

    /// Frees an inode that nobody has a name or a use for any more. Returns false if it is only dead now: then a
    /// worker is to [reap](Self::reap) it.
    ///
    /// # Errors
    ///
    /// As [`MetaGuard::evict`]; `EIO` if the device is gone.
    pub(crate) fn evict(&self, ino: u64) -> Result<bool> {
        self.lock().evict(ino)
    }

    /// Frees a piece of what is dead: a transaction that is short for who waits for the lock. Returns whether
    /// there was anything; while nothing is to be written there is not.
    ///
    /// Nobody sees that an inode goes in pieces. After a crash all orphans are dead, and the next mount goes on.
    ///
    /// # Errors
    ///
    /// As [`MetaGuard::reap`]; `EIO` if the device is gone.
    pub(crate) fn reap(&self) -> Result<bool> {
        self.reap_piece(&mut self.lock())
    }

    /// Frees a piece, and counts it before anybody else has the lock.
    fn reap_piece(&self, state: &mut MetaGuard<'_>) -> Result<bool> {
        let freed = state.reap()?;
        self.reaped.fetch_add(freed.into(), Relaxed);
        Ok(freed)
    }

    /// Lets those have the commit lock who wait for it, if anybody does, between two steps of what takes many. May
    /// sleep.
    ///
    /// Who gives a mutex back and takes it again at once mostly has it again: those who wait spin for it, or have
    /// to wake up first (Documentation/locking/mutex-design.rst of the kernel). A pause
    /// that is short beside a step, and long beside what taking a free mutex needs, is enough.
    pub(crate) fn let_others(&self) {
        if self.waiting.load(Relaxed) != 0 {
            fsleep(Delta::from_micros(20));
        }
    }

    /// Whether the device is gone or not to be trusted, so that every access is `EIO`.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.health.is_shut_down()
    }

    /// What was written before, by whatever way, is durable when this returns.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone, or cannot do that: then it is not to be trusted any more.
    pub(crate) fn flush(&self) -> Result {
        self.health.flush()
    }

    /// Whether the device is to be trusted, for who finds that it is not.
    pub(in crate::fs) fn health(&self) -> &Health {
        &self.health
    }

    /// How often blocks went bad. Whoever has taken a file's `invalidate_lock` and sees a number has all
    /// failures before it behind him; one that comes later waits for that lock. So, like
    /// [`is_shut_down`](Self::is_shut_down), this needs no order of its own.
    pub(crate) fn failures(&self) -> u64 {
        self.health.failures()
    }

    /// How many blocks no file can have: superblocks and log.
    pub(crate) fn metadata_blocks(&self) -> u64 {
        self.metadata.load(Relaxed)
    }

    /// Counts that the state lock was taken to find where pages are.
    pub(crate) fn count_look_up(&self) {
        self.look_ups.fetch_add(1, Relaxed);
    }

    /// How often that was.
    pub(crate) fn look_ups(&self) -> u64 {
        self.look_ups.load(Relaxed)
    }

    /// When blocks are zeroed to save transactions.
    pub(crate) fn zero_limits(&self) -> &ZeroLimits {
        &self.zero_limits
    }

    /// `EIO` if it [`is_shut_down`](Self::is_shut_down).
    pub(crate) fn check_alive(&self) -> Result {
        self.health.check_alive()
    }
}
