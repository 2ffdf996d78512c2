// SPDX-License-Identifier: GPL-2.0

//! *Hold*: the guard as the holder of a device that has none.
//!
//! The driver tells the holder of a failure before the kernel does anything of its own, and waits: so all
//! is done when memory_failure() returns. And it tells of the device's removal, before the page structs go.
//!
//! The removal is [`removal`](super::removal)'s.
//!
//! # Locking
//!
//! A notification comes under dax SRCU, for a failure under `mf_mutex` too.

use super::{
    ground::{
        By,
        Finds,
        Others,
        Told, //
    },
    place::Place,
    removal::Removal,
    shared::Remembering, //
};
use crate::{
    dax::{
        self,
        Pmem, //
    },
    failure::{
        cause,
        Engine, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc,
        ArcBorrow, //
    },
};

/// The holder of a device.
pub(super) struct Hold {
    engine: Arc<Engine<Others>>,
    place: Arc<Place>,
    finder: Arc<dyn Finds>,
    remembering: Remembering,
    removal: Arc<Removal<Others, Pmem>>,
}

impl Hold {
    /// A holder for a device that nobody holds yet.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel does not tell of signals; `ENOMEM`.
    pub(super) fn new(
        engine: Arc<Engine<Others>>,
        place: Arc<Place>,
        finder: Arc<dyn Finds>,
    ) -> Result<Arc<Self>> {
        let remembering = place.shared.clone().remember()?;
        let removal = Removal::new(engine.clone(), place.pmem.clone(), place.pages.clone())?;
        let hold = Self {
            engine,
            place,
            finder,
            remembering,
            removal,
        };
        Ok(Arc::new(hold, GFP_KERNEL)?)
    }
}

impl dax::FailureSink for Hold {
    fn notify_failure(this: ArcBorrow<'_, Self>, offset: u64, len: u64, mf_flags: c_int) -> Result {
        let blocks = this.engine.blocks(offset, len)?;
        let shared = &this.place.shared;
        if mf_flags & dax::MF_MEM_PRE_REMOVE != 0 {
            return this.removal.clone().begin(blocks, mf_flags, &shared.queue);
        }
        shared.heard.fetch_add(1, Relaxed);
        let notes = Told {
            since: this.remembering.signals.now(),
            killed: false,
            by: By::Finder(this.finder.clone()),
        };
        let pfns = this.place.pfns_of(&blocks);
        let result = this
            .engine
            .failed(|| Some((blocks, notes)), mf_flags, cause());
        shared.told_by_holder(pfns.start);
        result
    }
}
