// SPDX-License-Identifier: GPL-2.0

//! A device that others have their filesystems on, as what a failure stands on.
//!
//! Blocks are the pages of the whole device, and a file's XArray says which of them it has. The file that
//! `folio->mapping` names loses the page at once; then a worker finds all who have it ([`walk`]).
//!
//! [`walk`]: super::walk
//!
//! # Locking
//!
//! One failure of the device is dealt with at a time: [`Place::visit`]. Whoever does may have `mf_mutex`,
//! so nothing here waits for `s_umount`; the worker does.

use super::{
    place::Place,
    strays, //
};
use crate::{
    dax,
    failure::{
        Failure,
        Ground,
        Tells,
        Via, //
    },
    rmap::OwnerRecord,
    support::Signals,
    vfs::{
        each_super,
        AnyInode,
        AnyInvalidateLock, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    sync::Arc,
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// A [`Place`], as a ground.
pub(super) struct Others(pub(super) Arc<Place>);

/// A worker that finds all who have pages.
pub(super) trait Finds: Send + Sync {
    /// Has it do so for a failure, and waits for it, but not for ever. Needs no memory.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it was not done by then: it goes on. The first error of an owner.
    fn find(&self, failure: &Failure<Others>) -> Result;
}

/// Who finds the owners of a failure.
pub(super) enum By {
    /// A worker, which is to be asked.
    Finder(Arc<dyn Finds>),
    /// This is the worker.
    Worker {
        /// Who asked for nothing is to be told early too.
        all_early: bool,
        /// Who was signalled.
        signals: Option<Arc<Signals>>,
    },
}

/// What is to be known of one failure.
pub(super) struct Told {
    /// The moment since when who was signalled was signalled for it.
    pub(super) since: u64,
    /// Whether who maps it has been signalled by mf_dax_kill_procs(), or by the kernel in that way. It
    /// signals a process each time whose private copy of the page is mapped, so it is asked once. Who came
    /// since, or is of another owner, is told by [`AnyInvalidateLock::signal_early`].
    pub(super) killed: bool,
    pub(super) by: By,
}

impl Others {
    /// The file that `folio->mapping` names loses the page at once. The worker finds it too, and counts it.
    fn shortcut(&self, engine: &impl Tells<Self>, failure: &mut Failure<Self>) {
        let place = &self.0;
        let Some(pfn) = place.only_pfn(&failure.range) else {
            return;
        };
        let Some((file, pgoff)) = dax::folio_file(pfn, &place.puts) else {
            return;
        };
        engine.counters().shortcut.add(1);
        engine.found_by(Via::Shortcut);
        let owner = OwnerRecord {
            block: failure.range.start,
            len: 1,
            ino: file.ino(),
            pgoff,
            unwritten: false,
        };
        let errno = engine.take_at_once(&file, owner, failure);
        failure.notes.killed = true;
        failure.result = failure.result.and(errno);
    }
}

impl Ground for Others {
    type File = AnyInode;
    type Visit<'a> = ();
    type Notes = Told;

    fn visit<R>(&self, f: impl FnOnce(&()) -> R) -> R {
        self.0.visit(|| f(&()))
    }

    fn publish(&self, range: &Range<u64>) -> Result<u64> {
        self.0.list.enter(&self.0.pmem, range)
    }

    fn resolve(&self, engine: &impl Tells<Self>, _visit: &(), failure: &mut Failure<Self>) {
        // If they are about to go, nobody gets a page any more, and the worker says so.
        let _ = self.0.pages.while_kept(|| self.shortcut(engine, failure));
        if let By::Finder(finder) = &failure.notes.by {
            let result = finder.find(failure);
            failure.result = failure.result.and(result);
        }
    }

    fn extent(&self, file: &AnyInode, pgoff: u64, max: u64) -> (Option<u64>, u64) {
        let end = pgoff.saturating_add(max);
        let clip = |len: u64| len.clamp(1, max.max(1));
        match dax::frame(file, pgoff, end) {
            Some(frames) if frames.pgoff == pgoff => (self.0.block(frames.pfn), clip(frames.count)),
            Some(frames) => (None, clip(frames.pgoff.saturating_sub(pgoff))),
            None => (None, max),
        }
    }

    /// The kernel's function tells who maps them: it waits for a fault that has no lock of the file, as EROFS's.
    fn prepare(&self, _pages: u64, _failure: &mut Failure<Self>) {}

    fn kill(
        &self,
        lock: &AnyInvalidateLock<'_>,
        pages: &Range<u64>,
        _pfn: Option<u64>,
        failure: &mut Failure<Self>,
    ) -> Result {
        let killed = if failure.notes.killed {
            Ok(())
        } else {
            lock.kill_procs(pages.clone(), failure.flags)
        };
        // The worker comes after who does not do this.
        if let By::Worker {
            all_early,
            signals: Some(signals),
        } = &failure.notes.by
        {
            for page in pages.clone() {
                let since = failure.notes.since;
                let told = lock.signal_early(page, *all_early, signals, since);
                self.0.signalled.add(told);
            }
        }
        killed
    }

    fn tells_processes(&self, failure: &Failure<Self>) -> bool {
        // Else the kernel has told some, or what named the file by its folio.
        !failure.notes.killed
    }

    fn finish(&self, _visit: &()) {}

    fn is_bad(&self, block: u64) -> bool {
        self.0.pmem.is_bad(block)
    }

    fn each_file(&self, mut each: impl FnMut(&AnyInode) -> Result<bool>) -> Result {
        let mut result = Ok(());
        loop {
            let mut again = false;
            each_super(|sb| {
                sb.each_file(&self.0.puts, |file| {
                    let has = file.any_invalidate_lock().find_frames(0, &self.0.pfns);
                    if has.is_none() {
                        return;
                    }
                    match each(file) {
                        Ok(done) => again |= !done,
                        Err(e) => result = result.and(Err(e)),
                    }
                });
            });
            if !again {
                break;
            }
            fsleep(Delta::from_millis(1));
        }
        strays::take(&self.0, &(0..u64::MAX));
        result
    }
}
