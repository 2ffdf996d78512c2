// SPDX-License-Identifier: GPL-2.0

//! One mount: its metadata, its device, who deals with failures, and what watches over blocks that are
//! about to be used.
//!
//! How it comes to be is told in [`open`](super::open), what the VFS asks of it in
//! [`filesystem`](super::filesystem).
//!
//! # Locking
//!
//! None of its own: what a mount has is shared, and has its locks. Dropping a [`Mount`] waits for
//! notifiers, so nothing that they take may be held.

use super::{
    debugfs::{
        self,
        DebugData, //
    },
    discoveries::Discoveries,
    meta::Meta,
    reaper::Workers, //
};
use crate::{
    dax::{
        self,
        Device, //
    },
    events::{
        Event,
        Hub,
        Kind,
        Source, //
    },
    failure::{
        Engine,
        Mounted, //
    },
    support::{
        fatal_signal_pending,
        RateLimit, //
    },
    vfs::Inode,
};
use core::ops::Range;
use kernel::{
    debugfs::{
        Dir,
        Scope, //
    },
    prelude::*,
    str::CString,
    sync::Arc,
};

/// One mount.
///
/// Fields are dropped in order: nobody looks at debugfs any more, then all work is done, then the
/// device's notifiers have ended, then the rest goes.
#[pin_data]
pub(crate) struct Mount {
    #[pin]
    debug: Scope<DebugData>,
    /// For what may not be done where it is found.
    workers: Workers,
    /// Bad blocks whose owners are about to be told.
    discoveries: Arc<Discoveries>,
    device: Arc<Device<Engine<Mounted<Meta>>>>,
    engine: Arc<Engine<Mounted<Meta>>>,
    meta: Arc<Meta>,
    events: Arc<Hub>,
    name: CString,
    /// For lines about single inodes.
    #[pin]
    lines: RateLimit,
    _ends: Ends,
}

/// What all mounts share.
pub(crate) struct Common {
    /// Each mount has a directory in this one, of debugfs.
    pub(crate) debug: Dir,
    /// Who listens to what happens.
    pub(crate) events: Arc<Hub>,
}

/// Tells who listens that the mount has ended, when it is dropped.
struct Ends(Source);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.tell(|| Event::new(Kind::Unmounted));
    }
}

impl Mount {
    /// A mount of a device that was taken and whose metadata were read. Its directory in debugfs is called
    /// `id`.
    pub(super) fn new<'a>(
        common: &'a Common,
        id: &'a CStr,
        device: Arc<Device<Engine<Mounted<Meta>>>>,
        engine: Arc<Engine<Mounted<Meta>>>,
        meta: Arc<Meta>,
    ) -> impl PinInit<Self, Error> + 'a {
        let data = DebugData::new(meta.clone(), engine.clone(), device.clone());
        let source = engine.events.clone();
        try_pin_init!(Mount {
            debug <- debugfs::scope(&common.debug, id, data),
            workers: Workers::new(id, meta.clone())?,
            discoveries: Discoveries::new()?,
            device,
            engine,
            meta,
            events: common.events.clone(),
            name: CString::try_from(id)?,
            lines <- RateLimit::new(id, "inodes"),
            // The last: what is not made has not ended.
            _ends: Ends(source),
        }? Error)
    }

    /// The device's name, for the log.
    pub(super) fn name(&self) -> &CStr {
        &self.name
    }

    /// Who listens to what happens.
    pub(super) fn events(&self) -> &Arc<Hub> {
        &self.events
    }

    /// Tells who listens that these pages of a file, which stood from `block` on, are good again.
    pub(super) fn tell_healed(&self, inode: &Inode<Self>, pages: &Range<u64>, block: u64) {
        let blocks = block..block.saturating_add(pages.end.saturating_sub(pages.start));
        self.engine.announce(Kind::Healed, &blocks, |event| {
            let offset = pages.start.saturating_mul(dax::BLOCK_SIZE);
            let event = event.of_file(inode.dev(), inode.ino(), offset);
            event.named(inode.handle())
        });
    }

    /// The metadata.
    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Who works in the background.
    pub(super) fn workers(&self) -> &Workers {
        &self.workers
    }

    /// Frees all that is dead; what is left of it, if the task is killed or nothing can be written, is the next
    /// mount's.
    pub(in crate::fs) fn reap_all(&self) {
        while !fatal_signal_pending() && self.meta.reap() == Ok(true) {
            self.meta.let_others();
        }
    }

    /// The limit for lines about single inodes.
    pub(super) fn lines(&self) -> &RateLimit {
        &self.lines
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device<Engine<Mounted<Meta>>> {
        &self.device
    }

    /// Who deals with failures, and counts them.
    pub(crate) fn engine(&self) -> &Engine<Mounted<Meta>> {
        &self.engine
    }

    /// How many of these blocks, which have owners and are about to be used, are not on the driver's
    /// list of bad blocks, from the first one on. None if that is: who asks gets an error, the owners
    /// are told soon.
    pub(super) fn good_len(&self, blocks: &Range<u64>) -> Option<u64> {
        match self.device.next_bad(blocks) {
            None => Some(blocks.end.saturating_sub(blocks.start)),
            Some(bad) if bad.start > blocks.start => Some(bad.start - blocks.start),
            Some(bad) => {
                self.discover(bad);
                None
            }
        }
    }

    /// A block that was about to be used is on the driver's list of bad blocks. Its owners are told
    /// soon, by a worker: here locks are held that this takes.
    pub(crate) fn discover(&self, range: Range<u64>) {
        if !self.discoveries.add(range) {
            return;
        }
        let (engine, discoveries) = (self.engine.clone(), self.discoveries.clone());
        let device = self.device.clone();
        let spawned = self.workers.queue().try_spawn(GFP_NOWAIT, move || {
            while let Some(range) = discoveries.next() {
                // Who asks has been answered, and the log has what went wrong. A device that is gone
                // has no owners to tell: all of it is an error.
                let discovered = || engine.discovered(|| device.next_bad(&range));
                let _ = device.while_alive(discovered);
            }
        });
        if spawned.is_err() {
            self.discoveries.has_no_worker();
        }
    }
}
