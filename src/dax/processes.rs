// SPDX-License-Identifier: GPL-2.0

//! Telling the processes that map failed pages of many files: one walk over all processes, for all of
//! them. And what is told to processes that asked for nothing.
//!
//! C source: mm/memory-failure.c (`mf_dax_kill_procs`, whose rules these are), kernel/signal.c
//! (`send_sig_mceerr`).
//!
//! # Locking
//!
//! The walk takes no lock but RCU. Telling takes the mapping's `i_mmap_rwsem`; it is a method of the guard
//! of the `invalidate_lock`, held exclusively, without which somebody might be about to map the page.
//! Nothing here waits for memory.

use crate::{
    bindings,
    vfs::AnyInvalidateLock, //
};
use core::ptr::NonNull;

/// The way to `vm.memory_failure_early_kill`, while the module is loaded.
pub(crate) struct EarlyKill(());

impl EarlyKill {
    /// Called once, when the module is loaded; sleeps.
    pub(crate) fn open() -> Self {
        // SAFETY: Called once, before anybody asks.
        unsafe { bindings::daxrmap_early_kill_open() };
        Self(())
    }
}

impl Drop for EarlyKill {
    fn drop(&mut self) {
        // SAFETY: It was opened, and the module goes: nobody asks any more.
        unsafe { bindings::daxrmap_early_kill_close() };
    }
}

/// Whether processes that asked for nothing are told early; `None` if that cannot be found out. Sleeps.
pub(crate) fn early_kill_is_default() -> Option<bool> {
    // SAFETY: What it reads stays until the module goes.
    let answer = unsafe { bindings::daxrmap_early_kill() };
    (answer >= 0).then_some(answer != 0)
}

/// All processes of one moment.
///
/// # Invariants
///
/// - "set": `set` is what `daxrmap_processes_new` gave, and nobody else has it.
pub(crate) struct Processes {
    set: NonNull<bindings::daxrmap_processes>,
    all_early: bool,
}

impl Processes {
    /// Those of this moment. `None` without memory, or if it cannot be found out who is told early.
    pub(crate) fn now() -> Option<Self> {
        let all_early = early_kill_is_default()?;
        // SAFETY: Takes RCU itself.
        let set = NonNull::new(unsafe { bindings::daxrmap_processes_new() })?;
        // INVARIANT: "set": just made.
        Some(Self { set, all_early })
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // SAFETY: It is one, and ours: invariant "set".
        unsafe { bindings::daxrmap_processes_free(self.set.as_ptr()) };
    }
}

impl AnyInvalidateLock<'_> {
    /// As [`kill_procs`](Self::kill_procs), for one page that is this page frame. False if nothing was done, so
    /// that `kill_procs` is to be asked: somebody maps it who was not there when the processes were walked,
    /// or the current task is to be forced, or more are to be told than there is room for.
    pub(crate) fn tell(&self, page: u64, pfn: u64, processes: &mut Processes) -> bool {
        // SAFETY: The inode is live: invariant "live" of `AnyInode`. The set is one, and used by nobody else:
        // invariant "set", and we have it exclusively.
        unsafe {
            bindings::daxrmap_processes_tell(
                processes.set.as_ptr(),
                self.any_inode().as_ptr(),
                page as usize,
                pfn as usize,
                processes.all_early,
            )
        }
    }
}
