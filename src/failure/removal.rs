// SPDX-License-Identifier: GPL-2.0

//! The removal of the device: its memory is good, but about to go. It is told of in the same way as a
//! failure.
//!
//! C source: drivers/dax/super.c (`kill_dax`), fs/dax.c (`dax_break_layout`).
//!
//! # Locking
//!
//! As for a failure. But [`Ground::each_file`] leaves the gate after each file, and while a page of one is
//! pinned: waiting for that inside would hold up failures and unmount.

use super::{
    engine::Engine,
    ground::{
        Ground,
        OwnerFile, //
    },
};
use crate::{
    dax,
    events::{
        Cause,
        Kind, //
    },
    trace,
    vfs::AnyInvalidateLock, //
};
use core::ops::Range;
use kernel::prelude::*;

impl<G: Ground> Engine<G> {
    /// Stops new mappings, revokes those that there are, and makes every file forget its pages, so that
    /// no DAX entry outlives the memory map. `range`: blocks of the mount, all of them; it is only told
    /// of.
    ///
    /// A page that is pinned for an instant comes free. One that is pinned for good must hold the removal
    /// up, or its user would write to memory that is gone.
    ///
    /// # Errors
    ///
    /// The first one that a file gave; all files were tried.
    pub(crate) fn removed(&self, range: &Range<u64>, flags: c_int) -> Result {
        pr_warn!(
            "{}: the device is being removed, shutting down\n",
            &*self.name
        );
        self.counters.notifies.add(1);
        if !self.events.is_guarded() {
            self.announce(Kind::Gone, range, |event| event.because(Cause::Removal));
        }
        self.ground.shut_down();
        // Who is inside may not have seen that, with a file or without: wait for him.
        self.ground.visit(|_| ());
        let result = self.ground.each_file(|file| self.revoke(file, flags));
        // Files are revoked as a whole, whoever owns what.
        trace::notify(self.dev, range, flags, trace::Totals::default(), result);
        result
    }

    /// Takes the pages of a file from whoever maps them. False if a page is pinned: then all is to be
    /// done again.
    fn revoke(&self, file: &G::File, flags: c_int) -> Result<bool> {
        file.locked(|lock| self.revoke_locked(file, lock, flags))
    }

    /// See [`revoke`](Self::revoke). `lock`: the file's.
    fn revoke_locked(
        &self,
        file: &G::File,
        lock: &AnyInvalidateLock<'_>,
        flags: c_int,
    ) -> Result<bool> {
        let inode = file.inode();
        let mut result = Ok(true);
        let pages = inode.size().div_ceil(dax::BLOCK_SIZE);
        let mut pgoff = 0;
        while pgoff < pages && inode.is_mapped() {
            let (found, len) = self.ground.extent(file, pgoff, pages - pgoff);
            let end = pgoff.saturating_add(len.max(1));
            if found.is_some() {
                let told = lock.kill_procs(pgoff..end, flags);
                result = result.and_then(|done| told.map(|()| done));
            }
            pgoff = end;
        }
        match lock.break_layout(0..u64::MAX) {
            Err(e) if e == ERESTARTSYS => Ok(false),
            broken => result.and_then(|done| broken.map(|()| done)),
        }
    }
}
