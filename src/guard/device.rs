// SPDX-License-Identifier: GPL-2.0

//! A device that is guarded: an fsdax disk.
//!
//! # Locking
//!
//! Who holds the device is under a mutex, for taking and releasing it, which sleeps: notifiers are waited
//! for. They do not take it.

use super::{
    ground::{
        By,
        Finds,
        Others,
        Told, //
    },
    hold::Hold,
    place::Place,
    shared::Shared,
    walk::{
        Finder,
        Walker, //
    },
};
use crate::{
    dax::{
        self,
        Device,
        HeldBy,
        Pmem, //
    },
    errno::ealready,
    events::{
        Cause,
        Source, //
    },
    failure::{
        Counters,
        Engine, //
    },
};
use core::any::TypeId;
use kernel::{
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        Mutex, //
    },
};

/// A device, and what deals with its failures.
#[pin_data]
pub(super) struct Guarded {
    pub(super) engine: Arc<Engine<Others>>,
    pub(super) place: Arc<Place>,
    finder: Arc<dyn Finds>,
    /// While the guard is its holder.
    #[pin]
    hold: Mutex<Option<Device<Hold>>>,
}

impl Guarded {
    /// A disk, all of it. Sleeps.
    ///
    /// # Errors
    ///
    /// Those of [`Place::new`].
    pub(super) fn new(pmem: Arc<Pmem>, shared: Arc<Shared>) -> Result<Arc<Self>> {
        let name = CString::try_from(pmem.disk_name())?;
        let len = pmem.blocks().saturating_mul(dax::BLOCK_SIZE);
        let dev = pmem.disk_number();
        let events = Source::guarded(shared.events.clone(), dev);
        let place = Place::new(pmem, shared)?;
        let counters = Arc::new(Counters::new(), GFP_KERNEL)?;
        let engine = Engine::new(name, dev, 0, len, Others(place.clone()), counters, events)?;
        engine.set_first_pfn(place.pfns.start);
        let walker = Walker::new(engine.clone(), place.clone())?;
        let finder = Arc::new(Finder(walker), GFP_KERNEL)?;
        Arc::pin_init(
            pin_init!(Self {
                engine,
                place,
                finder,
                hold <- new_mutex!(None, "daxrmap::Guarded"),
            }),
            GFP_KERNEL,
        )
    }

    /// Whether a page frame is one of the device.
    pub(super) fn has(&self, pfn: u64) -> bool {
        self.place.pfns.contains(&pfn)
    }

    /// Whether a filesystem of ours has the device, which deals with its failures itself.
    pub(super) fn is_own(&self) -> bool {
        match dax::held_by(&self.place.pmem) {
            HeldBy::Sink(kind) => kind != TypeId::of::<Hold>(),
            HeldBy::Nobody | HeldBy::Other => false,
        }
    }

    /// Whether the guard is its holder.
    pub(super) fn is_held(&self) -> bool {
        self.hold.lock().is_some()
    }

    /// Deals with the failure of a page that the kernel has dealt with in its own way. `since`: the moment
    /// since when who was signalled was signalled for that. `killed`: the kernel has signalled who maps it. `cause`: what
    /// found it.
    pub(super) fn watched(&self, pfn: u64, since: u64, killed: bool, cause: Cause) {
        let Some(block) = self.place.block(pfn) else {
            return;
        };
        if self.is_own() {
            return;
        }
        // The log has what went wrong.
        let _ = self.failed(block, since, killed, cause);
    }

    /// Deals with the failure of a block that nobody holds, which `cause` found. `since`, `killed`: as
    /// [`watched`](Self::watched) has it.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::failed`].
    pub(super) fn failed(&self, block: u64, since: u64, killed: bool, cause: Cause) -> Result {
        let notes = Told {
            since,
            killed,
            by: By::Finder(self.finder.clone()),
        };
        let range = block..block.saturating_add(1);
        self.engine.failed(|| Some((range, notes)), 0, cause)
    }

    /// Becomes the holder. `force`: also if nobody has the disk open, so that nothing is known of what is
    /// on it.
    ///
    /// # Errors
    ///
    /// `EALREADY` if it is; `EBUSY` if somebody else is, or the device is gone; `EPERM` without `force`, if
    /// nobody has it open; `ENOMEM`.
    pub(super) fn hold(&self, force: bool) -> Result {
        let mut hold = self.hold.lock();
        let name = self.place.pmem.disk_name();
        if hold.is_some() {
            return Err(ealready());
        }
        if !force && !self.place.pmem.is_open() {
            pr_warn!(
                "{}: not held: nothing has it open, and if XFS is mounted on it later, that has no DAX \
                 then\n",
                name
            );
            return Err(EPERM);
        }
        let (engine, place) = (self.engine.clone(), self.place.clone());
        let sink = Hold::new(engine, place, self.finder.clone())?;
        match Device::take(self.place.pmem.clone(), sink) {
            Ok(device) => *hold = Some(device),
            Err(e) => {
                pr_warn!(
                    "{}: not held: it has a holder already, or is gone (errno {})\n",
                    name,
                    e.to_errno()
                );
                return Err(e);
            }
        }
        pr_info!("{}: held\n", name);
        Ok(())
    }

    /// Is the holder no more; waits for notifiers.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it is not.
    pub(super) fn release(&self) -> Result {
        let device = self.hold.lock().take().ok_or(ENOENT)?;
        drop(device);
        self.place.shared.forget_told();
        pr_info!("{}: released\n", self.place.pmem.disk_name());
        Ok(())
    }
}
