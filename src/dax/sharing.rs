// SPDX-License-Identifier: GPL-2.0

//! The lock that fs/dax.c lacks: for the count of files that a shared page is associated with.
//!
//! A folio counts its files (`folio->mapping` for one, `folio->share` for more): up when a file gets a
//! DAX entry for the page, down when the entry goes (fs/dax.c, `dax_associate_entry`, `dax_folio_put`).
//! The kernel counts under the lock of the file's entries, of which each file has its own: when two
//! files count at once, one is lost. The first to leave then makes the page one of no file, while
//! somebody maps it.
//!
//! # Locking
//!
//! One mutex for all mounts, since that count is all it protects: inside of `invalidate_lock`, outside
//! of the DAX entry. It is held for a fault that associates a shared page, and for the deletion of
//! entries. No fault waits for it with an entry locked, so its holder may wait for entries.

use crate::{
    support::NoFsScope,
    vfs::AnyInode, //
};
use kernel::{
    prelude::*,
    sync::{
        global_lock,
        GlobalGuard, //
    },
};

global_lock! {
    // SAFETY: `dax::init` initialises it before it gives a `Ready`, without which no filesystem is
    // registered: `Registration::new`. Who takes it has an inode of one.
    unsafe(uninit) static COUNTS: Mutex<()> = ();
}

/// # Safety
///
/// "once": called once, before anything is mounted.
pub(super) unsafe fn init() {
    // SAFETY: Nobody uses the lock yet: clause "once".
    unsafe { COUNTS.init() };
}

/// The lock, held. While this value lives nobody else changes the counts, and memory reclaim of this task
/// evicts no inodes, which would take the lock again.
pub(crate) struct Counting {
    // The guard is dropped first.
    _guard: GlobalGuard<COUNTS>,
    _nofs: NoFsScope,
}

/// Takes the lock, for what happens to pages of the file; sleeps.
pub(crate) fn lock_counts(_inode: &AnyInode) -> Counting {
    let nofs = NoFsScope::new();
    Counting {
        _guard: COUNTS.lock(),
        _nofs: nofs,
    }
}
