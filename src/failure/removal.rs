// SPDX-License-Identifier: GPL-2.0

//! The removal of the device, which comes the same way as a failure.
//!
//! C source: drivers/dax/super.c (`kill_dax`), fs/dax.c (`dax_break_layout`).
//!
//! # Locking
//!
//! As for a failure, but that the gate is left between two files, and where it must be waited.

use super::{
    Engine,
    Ground, //
};
use crate::{
    dax, trace,
    vfs::{
        Entered,
        InCore,
        Inode, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
};

impl<G: Ground> Engine<G> {
    /// The device is about to go, its memory still good: stop new mappings, revoke those that
    /// are, and forget every page, so that no DAX entry outlives the memory map.
    ///
    /// A page that is pinned for an instant comes free; one that is pinned for good must hold the
    /// removal, or its user would write to memory that is gone. It is waited for outside of the gate:
    /// a failure notification may have to come through, and so may unmount.
    pub(super) fn removed(&self, range: &Range<u64>, flags: c_int) -> Result {
        pr_warn!(
            "{}: the device is being removed, shutting down\n",
            &*self.name
        );
        self.counters.notifies.add(1);
        self.ground.shut_down();
        // Who is inside may not have seen that, with a file or without: wait for him.
        self.gate.enter(|_| ());
        let mut result = Ok(());
        let mut next = self.ground.next_file(0);
        while let Some(ino) = next {
            let step = self.gate.enter(|entered| match entered {
                Entered::Down => Ok(true),
                // Unmount puts each inode out, which waits as we do here.
                Entered::Ending => Ok(false),
                Entered::Up(visit) => match visit.in_core(ino) {
                    InCore::No => Ok(true),
                    InCore::Leaving => Ok(false),
                    InCore::Yes(inode) => self.revoke(&inode, flags),
                },
            });
            if step == Ok(false) {
                fsleep(Delta::from_millis(1));
                continue;
            }
            if result.is_ok() {
                result = step.map(|_| ());
            }
            next = ino
                .checked_add(1)
                .and_then(|ino| self.ground.next_file(ino));
        }
        // Files are revoked as a whole, whoever owns what.
        trace::notify(self.dev, range, flags, trace::Totals::default(), result);
        result
    }

    /// Takes the pages of a file from whoever maps them. False if one is in use for some other
    /// purpose, and all is to be done again.
    fn revoke(&self, inode: &Inode<G::Fs>, flags: c_int) -> Result<bool> {
        let lock = inode.invalidate_lock();
        let mut result = Ok(true);
        let pages = inode.size().div_ceil(dax::BLOCK_SIZE);
        let mut pgoff = 0;
        while pgoff < pages && inode.is_mapped() {
            let (found, len) = self.ground.extent(inode.ino(), pgoff, pages - pgoff);
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
