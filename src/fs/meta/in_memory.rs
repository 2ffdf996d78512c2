// SPDX-License-Identifier: GPL-2.0

//! Changes of the metadata that are of memory alone, so that the journal has nothing to say of them.
//!
//! All of them are undone by a crash, and are meant to be: blocks in flight are free again, a number
//! that no inode has is not taken. What a file, a name or the bad set is changed by is a transaction,
//! [`MetaGuard::commit`], and nothing here comes near these.
//!
//! # Locking
//!
//! These are methods of the commit lock's guard; readers are locked out for each.

use super::guard::MetaGuard;
use crate::state::{
    Attr,
    Transaction, //
};
use core::ops::Range;
use kernel::prelude::*;

/// Blocks in flight: allocated, and no file has them yet.
impl MetaGuard<'_> {
    /// See [`State::allocate_for`](crate::state::State::allocate_for): the blocks are in flight, and what
    /// comes behind them is the file's window.
    pub(crate) fn allocate_for(&mut self, ino: u64, pgoff: u64, want: u64) -> Result<Range<u64>> {
        self.allocate(|state| state.allocate_for(ino, pgoff, want))
    }

    /// See [`State::release`](crate::state::State::release): blocks in flight are free again.
    pub(crate) fn release(&mut self, range: Range<u64>) -> Result {
        self.change().release(range)
    }
}

/// Numbers of inodes: each of these takes one, for the inode that its transaction is to make. The
/// transaction is for [`MetaGuard::commit`]; if that does not come the number is not used again, until
/// the next mount.
impl MetaGuard<'_> {
    /// See [`State::create`](crate::state::State::create).
    pub(crate) fn create(
        &mut self,
        dir: u64,
        name: &[u8],
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        self.change().create(dir, name, attr)
    }

    /// See [`State::mkdir`](crate::state::State::mkdir).
    pub(crate) fn mkdir(
        &mut self,
        dir: u64,
        name: &[u8],
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        self.change().mkdir(dir, name, attr)
    }

    /// See [`State::symlink`](crate::state::State::symlink).
    pub(crate) fn symlink(
        &mut self,
        dir: u64,
        name: &[u8],
        target: &[u8],
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        self.change().symlink(dir, name, target, attr)
    }

    /// See [`State::tmpfile`](crate::state::State::tmpfile).
    pub(crate) fn tmpfile(&mut self, attr: Attr) -> Result<(u64, Transaction)> {
        self.change().tmpfile(attr)
    }

    /// See [`State::rename_whiteout`](crate::state::State::rename_whiteout).
    pub(crate) fn rename_whiteout(
        &mut self,
        old: (u64, &[u8]),
        new: (u64, &[u8]),
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        self.change().rename_whiteout(old, new, attr)
    }
}
