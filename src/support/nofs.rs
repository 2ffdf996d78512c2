// SPDX-License-Identifier: GPL-2.0

//! Allocation under a filesystem's lock.
//!
//! Memory reclaim may evict inodes, and evict takes the filesystem's locks. Inside of a [`NoFsScope`]
//! every allocation of this task keeps reclaim out of filesystems (`GFP_NOFS`), whatever flags it is
//! made with. C header: [`include/linux/sched/mm.h`](srctree/include/linux/sched/mm.h)

use crate::bindings;
use kernel::{
    prelude::*,
    types::NotThreadSafe, //
};

/// Ends when dropped. Scopes of one task must end in the reverse order of their beginning, which
/// fields and variables do by themselves.
pub(crate) struct NoFsScope {
    flags: c_uint,
    _task: NotThreadSafe,
}

impl NoFsScope {
    /// Begins a scope.
    pub(crate) fn new() -> Self {
        // SAFETY: Paired with the restore in `drop`, on the same task.
        let flags = unsafe { bindings::daxrmap_memalloc_nofs_save() };
        Self {
            flags,
            _task: NotThreadSafe,
        }
    }
}

impl Drop for NoFsScope {
    fn drop(&mut self) {
        // SAFETY: Paired with the save in `new`, on the same task.
        unsafe { bindings::daxrmap_memalloc_nofs_restore(self.flags) };
    }
}
