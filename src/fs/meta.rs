// SPDX-License-Identifier: GPL-2.0

//! The metadata of a mount under its lock.
//!
//! # Locking
//!
//! The state lock is a mutex, innermost of all. It is held for one look-up or one transaction, in a
//! [`NoFsScope`]: reclaim under it must not come back to this filesystem. No user memory is touched
//! under it, and nothing else is waited for.

use super::{
    mount::Mount,
    namespace,
    state::{
        Mapping,
        State,
        Transaction, //
    },
};
use crate::{
    failure::{
        Ground,
        Published, //
    },
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    vfs::{
        Inode,
        NoFsScope,
        SuperBlock, //
    },
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
        aref::ARef,
        atomic::{
            AtomicFlag,
            Relaxed, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        new_mutex,
        Mutex, //
    },
};

/// The metadata of a mount.
#[pin_data]
pub(crate) struct Meta {
    #[pin]
    state: Mutex<State>,
    /// The device's, for the log.
    name: CString,
    /// No more access to the device.
    shut_down: AtomicFlag,
}

/// The state lock.
pub(crate) struct MetaGuard<'a> {
    // Dropped in this order: the lock, then the scope.
    state: Guard<'a, State, MutexBackend>,
    name: &'a CStr,
    _nofs: NoFsScope,
}

impl Deref for MetaGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for MetaGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Meta {
    pub(crate) fn new(state: State, name: CString) -> impl PinInit<Self> {
        pin_init!(Self {
            name,
            state <- new_mutex!(state, "daxrmap::State"),
            shut_down: AtomicFlag::new(false),
        })
    }

    /// Takes the state lock.
    pub(crate) fn lock(&self) -> MetaGuard<'_> {
        let _nofs = NoFsScope::new();
        MetaGuard {
            state: self.state.lock(),
            name: &self.name,
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

    /// Whether the device is gone or not to be trusted, so that every access is `EIO`.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Relaxed)
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
    /// Makes a transaction so. All of it happens, or nothing.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EUCLEAN` once the state is known to be inconsistent.
    pub(crate) fn commit(&mut self, tx: Transaction) -> Result {
        let was = self.state.is_corrupt();
        let result = self.state.commit(tx);
        if !was && self.state.is_corrupt() {
            pr_crit!(
                "{}: metadata is inconsistent, no more changes: errno {}\n",
                self.name,
                result.err().map_or(0, |e| e.to_errno())
            );
        }
        result
    }
}

impl Ground for Meta {
    type Fs = Mount;

    fn publish(&self, range: &Range<u64>) -> Result<Published> {
        let mut state = self.lock();
        let newly_bad = state.mark_bad(range.clone()).inspect_err(|_| {
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

    fn read_in(&self, sb: &SuperBlock<Mount>, ino: u64) -> Result<ARef<Inode<Mount>>> {
        namespace::inode(sb, ino)
    }

    fn next_file(&self, ino: u64) -> Option<u64> {
        let state = self.lock();
        let mut inodes = state.inodes_from(ino);
        inodes
            .find(|(_, inode)| inode.as_file().is_ok())
            .map(|(ino, _)| ino)
    }

    fn is_bad(&self, block: u64) -> bool {
        self.lock().is_bad(block)
    }

    fn shut_down(&self) {
        self.shut_down.store(true, Relaxed);
    }
}
