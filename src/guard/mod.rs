// SPDX-License-Identifier: GPL-2.0

//! The guard: failures of pages that other filesystems have, which are told of here, as nobody else tells.
//!
//! The kernel tells the owners of a failed DAX page as far as it finds them, and takes the page from those
//! only that it tells. The others read on, as if nothing had happened. The guard does for every fsdax device
//! what this filesystem does for its own, from outside: with exported symbols only, and without the other
//! filesystem's help. The steps are those of [`failure`](crate::failure); the ground is [`ground`].
//!
//! 1. *publish* ([`list`]): the failed page enters the driver's list of bad blocks. From here on the driver
//!    answers each access with an error, of files too that nobody has opened.
//! 2. *resolve* ([`walk`]): `folio->mapping` names the owner of a page that is not shared. For everything
//!    else, each DAX file in core is asked whether it has the page frame.
//! 3. *kill*: per owner, under its `invalidate_lock`. Who asked to be told early, and has a place for the
//!    page in his address space, is told, also if the kernel would not.
//! 4. *report*: fanotify, tracepoints, counters, a line in the log, a uevent.
//!
//! It hears of failures in two ways. *Watch* ([`watch`]): after the kernel has dealt with one in its own
//! way, for every device; in nobody's way. *Hold* ([`hold`]): as the holder of a device that has none (below
//! ext4, or below device mapper), so that all is done before memory_failure() returns, and the removal of
//! the device is heard of. [`control`] is what the tools ask.
//!
//! While it watches it also hears what CXL memory devices say of their media, which the kernel itself acts on
//! for no filesystem, and has the kernel act on it ([`cxl`]).
//!
//! It can also look for failures itself, on any device: [`scrub`].
//!
//! A filesystem of another module that registers ([`registered`]) is asked who has a page, instead of that.
//!
//! # Locking
//!
//! `mf_mutex` and dax SRCU (a device that is held: [`hold`]), then one failure of a device at a time
//! ([`place`]), then the `invalidate_lock` of the file that `folio->mapping` names, whose `s_umount` is had
//! at once or not at all. The worker that finds all others ([`walk`]) has none of these: it takes `s_umount`
//! of one super block after the other, shared, then the `invalidate_lock` of one file of it, then what
//! [`failure`](crate::failure) says. Whoever has `mf_mutex` waits for the worker, but for a while only. The
//! list of devices, and who watches, are each under a mutex, for taking and dropping.

mod control;
mod cxl;
mod device;
mod devices;
mod disks;
mod ground;
mod hold;
mod list;
mod pages;
mod place;
mod registered;
mod removal;
mod scrub;
mod shared;
mod strays;
mod walk;
mod watch;

use self::{
    devices::Devices,
    registered::Registrations,
    shared::Shared,
    watch::Watch, //
};
use crate::{
    dax,
    events::Hub,
    support::Control, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The guard: all devices, and whether they are watched.
#[pin_data]
struct Guard {
    devices: Arc<Devices>,
    #[pin]
    watch: Watch,
    shared: Arc<Shared>,
}

/// The guard, while the module is loaded. It does nothing until it is asked to.
///
/// Fields are dropped in order: nobody registers (the modules that could are gone); nobody asks; nobody
/// watches, and what was heard is dealt with; no device is guarded, so that none is held; then there are no
/// workers any more.
pub(crate) struct Registration {
    _entries: dax::Entries<Registrations>,
    _control: Control<Guard>,
    _watching: Watching,
    _disks: dax::Disks<Guard>,
    _workers: Workers,
}

/// Ends the watch when it is dropped. Holders may have workers started meanwhile.
struct Watching(Arc<Guard>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.watch.stop();
        self.0.shared.queue.flush();
    }
}

/// Waits for all workers when it is dropped: they have references to what is shared, and the last one must
/// not be dropped by one of them.
struct Workers(Arc<Guard>);

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.shared.queue.drain();
    }
}

impl Registration {
    /// The guard, which watches nothing yet. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EEXIST`.
    pub(crate) fn new(_ready: dax::Ready, events: Arc<Hub>) -> Result<Self> {
        let shared = Shared::new(events.clone())?;
        let devices = Devices::new(shared.clone())?;
        let registrations = Registrations::new(devices.clone(), events)?;
        let guard = Arc::pin_init(
            pin_init!(Guard {
                watch <- Watch::new(devices.clone(), shared.clone()),
                devices,
                shared,
            }),
            GFP_KERNEL,
        )?;
        let workers = Workers(guard.clone());
        let disks = dax::Disks::new(guard.clone())?;
        let watching = Watching(guard.clone());
        Ok(Self {
            _entries: dax::Entries::new(registrations),
            _control: Control::new(guard)?,
            _watching: watching,
            _disks: disks,
            _workers: workers,
        })
    }
}
