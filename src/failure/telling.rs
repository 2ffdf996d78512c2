// SPDX-License-Identifier: GPL-2.0

//! How the processes that map failed pages are signalled: for the first pages of a failure by
//! `mf_dax_kill_procs`, which walks all processes for each; for all others with one walk.
//!
//! Both tell the same processes the same. The kernel's own function is what a few pages need; with very
//! many owners its walks would be as many as there are, over as many processes as there are.
//!
//! # Locking
//!
//! Nothing is kept locked. [`Telling::prepare`] takes no lock of a file; [`Telling::kill`] is under the
//! owner's `invalidate_lock`.

use crate::{
    dax::Processes,
    vfs::AnyInvalidateLock, //
};
use core::ops::Range;
use kernel::prelude::*;

/// Pages for which `mf_dax_kill_procs` is asked.
const ONE_BY_ONE: u64 = 16;

/// How far the processes of one failure have been signalled.
pub(crate) struct Telling {
    /// Pages for which the kernel's function has walked all processes.
    pages: u64,
    /// Those that we have walked ourselves.
    processes: Option<Processes>,
    /// They cannot be.
    never: bool,
}

impl Telling {
    /// Nobody has been.
    pub(crate) fn new() -> Self {
        Self {
            pages: 0,
            processes: None,
            never: false,
        }
    }

    /// So many pages more of a mapped file are to come. Sleeps.
    pub(super) fn prepare(&mut self, pages: u64) {
        let few = self.pages.saturating_add(pages) <= ONE_BY_ONE;
        if !few && self.processes.is_none() && !self.never {
            self.processes = Processes::now();
            self.never = self.processes.is_none();
        }
    }

    /// Signals who maps these pages of the file, by the rules of memory_failure(), after they were unmapped
    /// from all if anybody is. `pfn`: the frame of the first one.
    ///
    /// # Errors
    ///
    /// Those of [`AnyInvalidateLock::kill_procs`].
    pub(crate) fn kill(
        &mut self,
        lock: &AnyInvalidateLock<'_>,
        pages: &Range<u64>,
        pfn: Option<u64>,
        flags: c_int,
    ) -> Result {
        let (Some(processes), Some(pfn)) = (&mut self.processes, pfn) else {
            self.pages = self.pages.saturating_add(pages.end - pages.start);
            return lock.kill_procs(pages.clone(), flags);
        };
        let mut result = Ok(());
        for (page, pfn) in pages.clone().zip(pfn..) {
            if !lock.tell(page, pfn, processes) {
                result = result.and(lock.kill_procs(page..page.saturating_add(1), flags));
            }
        }
        result
    }
}
