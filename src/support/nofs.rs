// SPDX-License-Identifier: GPL-2.0

//! Allocation under a filesystem's lock.
//!
//! Memory reclaim may evict inodes, and evict takes the filesystem's locks. Inside of a [`NoFsScope`]
//! every allocation of this task keeps reclaim out of filesystems (`GFP_NOFS`), whatever flags it is
//! made with. C header: [`include/linux/sched/mm.h`](srctree/include/linux/sched/mm.h)
//!
//! # Locking
//!
//! None. A scope stays with its task.

use crate::bindings;
use kernel::{
    prelude::*,
    types::NotThreadSafe, //
};

/// A scope in which this task's allocations keep reclaim out of filesystems; it ends when this is
/// dropped. Scopes of one task must end in the reverse order of their beginning, as variables do by
/// themselves. Otherwise a scope ends early: reclaim may then come back for a lock that is held.
///
/// # Invariants
///
/// - "saved": `flags` is what this task had before the scope.
pub(crate) struct NoFsScope {
    flags: c_uint,
    _task: NotThreadSafe,
}

impl NoFsScope {
    /// Begins a scope.
    pub(crate) fn new() -> Self {
        // SAFETY: May be called by any task, for itself.
        let flags = unsafe { bindings::daxrmap_memalloc_nofs_save() };
        // INVARIANT: "saved": just so; the value stays with the task.
        Self {
            flags,
            _task: NotThreadSafe,
        }
    }
}

impl Drop for NoFsScope {
    fn drop(&mut self) {
        // SAFETY: They are what the task had: invariant "saved".
        unsafe { bindings::daxrmap_memalloc_nofs_restore(self.flags) };
    }
}
