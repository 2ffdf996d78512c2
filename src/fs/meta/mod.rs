// SPDX-License-Identifier: GPL-2.0

//! The metadata of a mount under their lock: names, files, space, the bad set.
//!
//! Who wants to know or change something takes the lock, [`Meta::lock`], and asks the [`MetaGuard`];
//! or gives [`Meta::transact`] a function that builds a transaction. Who wants a block to touch it takes
//! [`Meta::lock_alive`].
//!
//! - [`guard`]: what may be done under the lock; [`in_memory`]: what of it the journal has no part in.
//!   [`watch`]: what the log is told of the journal then.
//! - [`health`]: whether the device is to be trusted. Needs no lock.
//!
//! # Locking
//!
//! The state lock is a mutex, innermost of all. It is held for one look-up or one transaction, in a
//! [`NoFsScope`](crate::support::NoFsScope): reclaim under it must not come back to this filesystem. No
//! user memory is touched under it, and nothing else is waited for.

mod guard;
mod health;
mod in_memory;
mod watch;

pub(crate) use self::guard::MetaGuard;

use self::health::Health;
use super::medium::PmemMedium;
use crate::{
    dax::Pmem,
    events::Source,
    failure::Counters,
    journal::Store,
    state::{
        State,
        Transaction, //
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

/// The metadata of a mount.
#[pin_data]
pub(crate) struct Meta {
    #[pin]
    store: Mutex<Store<PmemMedium>>,
    #[pin]
    health: Health,
    /// How often the state lock was taken to find where pages are.
    look_ups: Atomic<u64>,
}

impl Meta {
    /// The metadata that were read from `pmem`, whose device is `dev` and has this name in the log. `events` are told of what happens to them.
    pub(crate) fn new(
        store: Store<PmemMedium>,
        pmem: Arc<Pmem>,
        name: CString,
        dev: Dev,
        counters: Arc<Counters>,
        events: Source,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            store <- new_mutex!(store, "daxrmap::Store"),
            health <- Health::new(pmem, name, dev, counters, events),
            look_ups: Atomic::new(0),
        })
    }

    /// Takes the state lock.
    pub(crate) fn lock(&self) -> MetaGuard<'_> {
        MetaGuard::lock(&self.store, &self.health)
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
        while !self.lock().evict_some(ino)? {
            self.let_others();
        }
        Ok(())
    }

    /// Lets those have the state lock who wait for it, between two steps of what takes many. May sleep.
    ///
    /// Who gives a mutex back and takes it again at once mostly has it again: those who wait spin for it, or have
    /// to wake up first (Documentation/locking/mutex-design.rst of the kernel). A pause
    /// that is short beside a step, and long beside what taking a free mutex needs, is enough.
    pub(crate) fn let_others(&self) {
        fsleep(Delta::from_micros(20));
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

    /// Counts that the state lock was taken to find where pages are.
    pub(crate) fn count_look_up(&self) {
        self.look_ups.fetch_add(1, Relaxed);
    }

    /// How often that was.
    pub(crate) fn look_ups(&self) -> u64 {
        self.look_ups.load(Relaxed)
    }

    /// `EIO` if it [`is_shut_down`](Self::is_shut_down).
    pub(crate) fn check_alive(&self) -> Result {
        self.health.check_alive()
    }
}
