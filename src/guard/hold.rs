// SPDX-License-Identifier: GPL-2.0

//! *Hold*: the guard as the holder of a device that has none.
//!
//! The driver tells the holder of a failure before the kernel does anything of its own, and waits: so all
//! is done when memory_failure() returns. And it tells of the device's removal, before the page structs go.
//!
//! Then nothing must be left that has a page: no page table entry, no DAX entry. The driver tells of
//! the removal while the device is still alive, so a page that is taken away then may be mapped again. So
//! only the page structs are kept at that time ([`pages`](super::pages)), so that the driver has to wait; a
//! worker takes all pages away once the device is not alive any more, when nobody can get new ones, waits
//! for files that are being evicted meanwhile, and lets the page structs go.
//!
//! # Locking
//!
//! A notification comes under dax SRCU, for a failure under `mf_mutex` too. The removal's worker holds
//! nothing; only the removal waits for it, for as long as somebody pins a page.

use super::{
    ground::{
        By,
        Finds,
        Others,
        Told, //
    },
    place::Place,
    shared::Remembering,
    walk, //
};
use crate::{
    dax,
    failure::Engine,
    vfs::Memory, //
};
use core::ops::Range;
use kernel::{
    impl_has_work, new_mutex, new_work,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc,
        ArcBorrow,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    workqueue::{
        Work,
        WorkItem, //
    },
};

/// A removal that was told of.
struct Removing {
    blocks: Range<u64>,
    flags: c_int,
}

/// The holder of a device.
#[pin_data]
pub(super) struct Hold {
    engine: Arc<Engine<Others>>,
    place: Arc<Place>,
    finder: Arc<dyn Finds>,
    remembering: Remembering,
    #[pin]
    removing: Mutex<Option<Removing>>,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl HasWork<Self> for Hold { self.work }
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
        Arc::pin_init(
            pin_init!(Self {
                engine,
                place,
                finder,
                remembering,
                removing <- new_mutex!(None, "daxrmap::Hold"),
                work <- new_work!("daxrmap::Hold"),
            }),
            GFP_KERNEL,
        )
    }

    fn remove(self: Arc<Self>, blocks: Range<u64>, flags: c_int) -> Result {
        // The worker lets go.
        if !self.place.pages.keep() {
            return Err(ENXIO);
        }
        *self.removing.lock() = Some(Removing { blocks, flags });
        // An error says that it is about to run anyway.
        let _ = self.place.shared.queue.enqueue(self.clone());
        Ok(())
    }
}

impl dax::FailureSink for Hold {
    fn notify_failure(this: ArcBorrow<'_, Self>, offset: u64, len: u64, mf_flags: c_int) -> Result {
        let blocks = this.engine.blocks(offset, len)?;
        if mf_flags & dax::MF_MEM_PRE_REMOVE != 0 {
            return Arc::from(this).remove(blocks, mf_flags);
        }
        let shared = &this.place.shared;
        shared.heard.fetch_add(1, Relaxed);
        let notes = Told {
            since: this.remembering.signals.now(),
            killed: false,
            by: By::Finder(this.finder.clone()),
        };
        let pfns = this.place.pfns_of(&blocks);
        let result = this.engine.failed(|| Some((blocks, notes)), mf_flags);
        shared.told_by_holder(pfns.start);
        result
    }
}

impl WorkItem for Hold {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let Some(removing) = this.removing.lock().take() else {
            return;
        };
        let place = &this.place;
        while place.pmem.while_alive(|| ()).is_some() {
            fsleep(Delta::from_millis(1));
        }
        // The log has what went wrong, and the pages go in any case.
        let _ = this.engine.removed(&removing.blocks, removing.flags);
        walk::take_strays(place, &removing.blocks);
        // A file that is being evicted is not found among those in core.
        place.pages.wait_for_users();
        place.pages.let_go();
    }
}
