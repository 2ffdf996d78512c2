// SPDX-License-Identifier: GPL-2.0

//! The ground that is a mount of a filesystem of ours: its owner tree has all owners of each block, in core
//! or not.
//!
//! An unshared block that is mapped is what `folio->mapping` says; for everything else the owner tree is
//! asked, batch by batch ([`tree`]). fanotify is told by a worker ([`events`]).
//!
//! # Locking
//!
//! A failure is dealt with inside of the mount's gate. The state lock, which the owner tree is under, is
//! taken and dropped inside of the functions of [`Metadata`].

mod events;
mod metadata;
mod tree;

pub(crate) use self::metadata::Metadata;

use self::events::Events;
use super::{
    engine::{
        cause,
        Engine, //
    },
    ground::{
        Failure,
        Ground,
        Tells, //
    },
    report::Outcome,
};
use crate::{
    dax,
    events::{
        Cause,
        Kind, //
    },
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    vfs::{
        Entered,
        FileId,
        Gate,
        Handle,
        InCore,
        Inode,
        MountWork,
        Visit, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    str::CString,
    sync::{
        Arc,
        ArcBorrow, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// A mount, as what a failure stands on.
pub(crate) struct Mounted<M: Metadata> {
    /// What the log calls it.
    name: CString,
    metadata: Arc<M>,
    gate: Arc<Gate<M::Fs>>,
    events: MountWork<M::Fs, Events<M>>,
}

impl<M: Metadata> Mounted<M> {
    /// The mount of device `name` that is behind `gate`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(name: &CStr, metadata: Arc<M>, gate: Arc<Gate<M::Fs>>) -> Result<Self> {
        let events = MountWork::new(gate.clone(), Events::new(name, metadata.clone())?)?;
        Ok(Self {
            name: CString::try_from(name)?,
            metadata,
            gate,
            events,
        })
    }

    /// Has fanotify told of all owners from this batch on by a walk.
    fn leave_to_walk(&self, failure: &mut Failure<Self>) {
        let task = self.events.task();
        task.note_rest(&failure.range, &failure.notes.batch);
        failure.notes.enough = true;
    }
}

/// How far the owners of a failure have been noted for fanotify.
pub(crate) struct Noted {
    /// Where the batch of owners begins that is being told.
    batch: Cursor,
    /// No more need be noted: fanotify is told of the owners by a walk that is noted already, or nobody listens.
    enough: bool,
}

impl Default for Noted {
    fn default() -> Self {
        Self {
            batch: Cursor::new(),
            enough: false,
        }
    }
}

impl<M: Metadata> Engine<Mounted<M>> {
    /// Deals with blocks that nobody has told of, but that the driver knows as bad: what `listed`
    /// returns. It is asked inside of the gate, where nothing can clear them any more; blocks that are
    /// in the bad set by then are left out. May sleep; no lock of a file may be held. The caller keeps
    /// the device alive, see [`Pmem::while_alive`](dax::Pmem::while_alive), as it is for a notification.
    ///
    /// # Errors
    ///
    /// The first one that an owner gave; all owners were tried.
    pub(crate) fn discovered(&self, listed: impl FnOnce() -> Option<Range<u64>>) -> Result {
        let counted = |range: &Range<u64>| {
            self.counters.discovered.add(range.end - range.start);
            self.announce(Kind::Discovered, range, |event| {
                event.because(Cause::Listed)
            });
        };
        let find = || self.ground.metadata.first_good(&listed()?);
        let found = || Some((find().inspect(counted)?, Noted::default()));
        self.failed(found, 0, Cause::Listed)
    }
}

impl<M: Metadata> dax::FailureSink for Engine<Mounted<M>> {
    fn notify_failure(this: ArcBorrow<'_, Self>, offset: u64, len: u64, mf_flags: c_int) -> Result {
        let range = this.blocks(offset, len)?;
        if mf_flags & dax::MF_MEM_PRE_REMOVE != 0 {
            this.removed(&range, mf_flags)
        } else {
            let found = || Some((range, Noted::default()));
            this.failed(found, mf_flags, cause())
        }
    }
}

impl<M: Metadata> Ground for Mounted<M> {
    type File = Inode<M::Fs>;

    /// Without one, inodes are on their way in or out, and nobody's: the bad set will answer for them.
    type Visit<'a> = Option<Visit<'a, M::Fs>>;

    type Notes = Noted;

    fn visit<R>(&self, f: impl FnOnce(&Self::Visit<'_>) -> R) -> R {
        self.gate.enter(|entered| match entered {
            Entered::Up(visit) => f(&Some(visit)),
            Entered::Down | Entered::Ending => f(&None),
        })
    }

    fn publish(&self, range: &Range<u64>) -> Result<u64> {
        self.metadata.publish(range).inspect_err(|e| {
            pr_crit!(
                "{}: block {} count {} failed, and cannot be remembered: shutting down (errno {})\n",
                &*self.name,
                range.start,
                range.end - range.start,
                e.to_errno()
            );
        })
    }

    fn resolve(
        &self,
        engine: &impl Tells<Self>,
        visit: &Self::Visit<'_>,
        failure: &mut Failure<Self>,
    ) {
        failure.notes.enough = visit.as_ref().is_some_and(|visit| !visit.sb().is_watched());
        let range = &failure.range;
        let single = range.end - range.start == 1 && self.metadata.is_unshared(range.start);
        if !(single && self.shortcut(engine, visit.as_ref(), failure)) {
            self.ask_tree(engine, visit.as_ref(), failure);
        }
    }

    fn extent(&self, file: &Self::File, pgoff: u64, max: u64) -> (Option<u64>, u64) {
        self.metadata.extent(file.ino(), pgoff, max)
    }

    fn is_untouched(&self, file: &Self::File, owner: &OwnerRecord) -> bool {
        let pages = owner.pgoff..owner.pgoff.saturating_add(owner.len);
        dax::is_untouched(file, &pages)
            && self.extent(file, owner.pgoff, owner.len) == (Some(owner.block), owner.len)
    }

    fn note(&self, failure: &mut Failure<Self>, owner: &OwnerRecord, outcome: Outcome) {
        if outcome != Outcome::Moved && !failure.notes.enough && !self.events.task().note(*owner) {
            self.leave_to_walk(failure);
        }
    }

    fn finish(&self, visit: &Self::Visit<'_>) {
        if let Some(visit) = visit.as_ref().filter(|_| self.events.task().is_due()) {
            self.events.start(visit);
        }
        // When this returns the kernel takes the pages out of its map.
        self.metadata.wait_for_touching();
    }

    fn absent(&self, ino: u64) -> Option<Handle> {
        let generation = self.metadata.generation(ino)?;
        Some(FileId { ino, generation }.to_handle())
    }

    fn is_bad(&self, block: u64) -> bool {
        self.metadata.is_bad(block)
    }

    fn shut_down(&self) {
        self.metadata.shut_down();
    }

    fn each_file(&self, mut each: impl FnMut(&Self::File) -> Result<bool>) -> Result {
        let mut result = Ok(());
        let mut next = self.metadata.next_file(0);
        while let Some(ino) = next {
            let step = self.gate.enter(|entered| match entered {
                Entered::Down => Ok(true),
                // Unmount puts each inode out, which waits as we do here.
                Entered::Ending => Ok(false),
                Entered::Up(visit) => match visit.in_core(ino) {
                    InCore::No => Ok(true),
                    InCore::Leaving => Ok(false),
                    InCore::Yes(inode) => each(&inode),
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
                .and_then(|ino| self.metadata.next_file(ino));
        }
        result
    }
}
