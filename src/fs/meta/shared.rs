// SPDX-License-Identifier: GPL-2.0

//! The state of a mount as two have it: the store, which changes it, and whoever looks.
//!
//! # Locking
//!
//! The state lock, a read-write semaphore: exclusively for a change in memory, shared for a look. The store is
//! under the commit lock, outside of it.

use crate::{
    fs::medium::PmemMedium,
    journal::{
        Access,
        Store, //
    },
    state::State,
    support::{
        NoFsScope,
        ReadGuard,
        Reader,
        Writer, //
    },
};
use core::ops::{
    Deref,
    DerefMut, //
};

/// The store of a mount, whose state others read.
pub(super) type Shared = Store<PmemMedium, Writer<State>>;

impl Access for Writer<State> {
    fn get(&self) -> &State {
        Writer::get(self)
    }

    fn change(&mut self) -> impl DerefMut<Target = State> {
        Writer::change(self)
    }
}

/// The state, to be read.
pub(crate) struct StateRead<'a> {
    // Dropped in this order: the lock, then the scope.
    state: ReadGuard<'a, State>,
    _nofs: NoFsScope,
}

impl<'a> StateRead<'a> {
    /// Takes the state lock, shared.
    pub(super) fn new(state: &'a Reader<State>) -> Self {
        let _nofs = NoFsScope::new();
        Self {
            state: state.read(),
            _nofs,
        }
    }
}

impl Deref for StateRead<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}
