// SPDX-License-Identifier: GPL-2.0

//! The removal of a device that others have their files on, as its holder deals with it.
//!
//! The driver tells of the device's removal before the page structs go. Then nothing must be left that has a
//! page: no page table entry, no DAX entry. The driver tells of it while the device is still alive, so a page
//! that is taken away then may be mapped again. So only the page structs are kept at that time
//! ([`pages`](super::pages)), so that the driver has to wait; a worker takes all pages away once the device is
//! not alive any more, when nobody can get new ones, waits for files that are being evicted meanwhile, and lets
//! the page structs go.
//!
//! # Locking
//!
//! The worker holds nothing; only the removal waits for it, for as long as somebody pins a page.

use super::pages::Pages;
use crate::{
    dax::Holdable,
    failure::{
        Engine,
        Ground, //
    },
    support::OwnedQueue,
    vfs::Memory, //
};
use core::ops::Range;
use kernel::{
    impl_has_work, new_mutex, new_work,
    prelude::*,
    sync::{
        Arc,
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

/// What deals with the removal of a device.
#[pin_data]
pub(super) struct Removal<G: Ground, D: Holdable> {
    engine: Arc<Engine<G>>,
    device: Arc<D>,
    pages: Arc<Pages>,
    #[pin]
    removing: Mutex<Option<Removing>>,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl{G: Ground, D: Holdable} HasWork<Self> for Removal<G, D> { self.work }
}

impl<G: Ground, D: Holdable> Removal<G, D> {
    /// What deals with that of `device`, which has `pages`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(
        engine: Arc<Engine<G>>,
        device: Arc<D>,
        pages: Arc<Pages>,
    ) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                engine,
                device,
                pages,
                removing <- new_mutex!(None, "daxrmap::Removal"),
                work <- new_work!("daxrmap::Removal"),
            }),
            GFP_KERNEL,
        )
    }

    /// The device is about to go: a worker of `queue` deals with that.
    ///
    /// # Errors
    ///
    /// `ENXIO` if its page structs go already.
    pub(super) fn begin(
        self: Arc<Self>,
        blocks: Range<u64>,
        flags: c_int,
        queue: &OwnedQueue,
    ) -> Result {
        // The worker lets go.
        if !self.pages.keep() {
            return Err(ENXIO);
        }
        *self.removing.lock() = Some(Removing { blocks, flags });
        // An error says that it is about to run anyway.
        let _ = queue.enqueue(self);
        Ok(())
    }
}

impl<G: Ground, D: Holdable> WorkItem for Removal<G, D> {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let Some(removing) = this.removing.lock().take() else {
            return;
        };
        while this.device.is_alive() {
            fsleep(Delta::from_millis(1));
        }
        // The log has what went wrong, and the pages go in any case.
        let _ = this.engine.removed(&removing.blocks, removing.flags);
        // A file that is being evicted is not found among those in core.
        this.pages.wait_for_users();
        this.pages.let_go();
    }
}
