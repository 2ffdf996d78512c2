// SPDX-License-Identifier: GPL-2.0

//! Filesystems of other modules that register for a dax device (include/daxrmap.h).
//!
//! What [`hold`](super::hold) does for filesystems that know nothing of it is done here for one that says
//! itself who has a page: the ground is its word ([`site`]). The guard becomes the device's holder for it
//! ([`sink`]).
//!
//! # Locking
//!
//! A mutex, for the list of registrations. Devices are taken and given up without it, as that waits for
//! notifiers.

mod sink;
mod site;

use self::{
    sink::Sink, //
    site::{
        Named,
        Site, //
    },
};
use super::devices::Devices;
use crate::{
    dax::{
        self,
        AnyDax,
        DaxRef,
        Device,
        Filesystem,
        Key,
        Registrar, //
    },
    errno::ealready,
    events::{
        Hub,
        Source, //
    },
    failure::{
        Counters,
        Engine, //
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        Mutex, //
    },
};

/// One registration.
struct Member {
    key: Key,
    device: Device<Sink, AnyDax>,
    site: Arc<Site>,
}

impl Member {
    /// Gives the device up. Sleeps; see [`Registrar::leave`].
    fn close(self) {
        self.site.stop();
        // From here on no notifier is in there; a removal that one has begun may be.
        drop(self.device);
        self.site.wait_for_removal();
    }
}

/// All registrations.
#[pin_data]
pub(super) struct Registrations {
    #[pin]
    list: Mutex<KVec<Member>>,
    devices: Arc<Devices>,
    events: Arc<Hub>,
}

impl Registrations {
    /// None yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(devices: Arc<Devices>, events: Arc<Hub>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                list <- new_mutex!(KVec::new(), "daxrmap::Registrations"),
                devices,
                events,
            }),
            GFP_KERNEL,
        )
    }

    /// See [`Registrar::enter`]; `named`: what the log calls the device.
    fn try_enter(
        &self,
        key: Key,
        dax: DaxRef<'_>,
        size: u64,
        fs: Filesystem,
        named: Named,
    ) -> Result<(), (&'static str, Error)> {
        let why = |why| move |e| (why, e);
        let no_memory = why("no memory");
        if size == 0 || size % dax::BLOCK_SIZE != 0 {
            return Err(("its size is no number of pages", EINVAL));
        }
        if self
            .list
            .lock()
            .iter()
            .any(|other| other.key.dax == key.dax)
        {
            return Err(("a filesystem is registered for the device", ealready()));
        }
        let device = AnyDax::new(dax, self.devices.disk(dax))
            .map_err(why("it is neither a pmem disk nor a device in fsdev mode"))?;
        if device.disk().is_none() && !fs.hears() {
            return Err((
                "the device has no list of bad blocks, and nobody publishes",
                EINVAL,
            ));
        }
        let device = Arc::new(device, GFP_KERNEL).map_err(|e| no_memory(e.into()))?;
        let pfns = device
            .pfns(size / dax::BLOCK_SIZE)
            .map_err(why("the device has not so many pages in one piece"))?;
        let first = pfns.start;
        let site = Site::new(fs, device.clone(), pfns, &named.name).map_err(no_memory)?;
        let counters = Arc::new(Counters::new(), GFP_KERNEL).map_err(|e| no_memory(e.into()))?;
        let events = Source::guarded(self.events.clone(), named.dev);
        let engine = Engine::new(
            named.name,
            named.dev,
            0,
            size,
            site.ground(),
            counters,
            events,
        )
        .map_err(no_memory)?;
        engine.set_first_pfn(first);
        let sink = Sink::new(engine, site.clone()).map_err(no_memory)?;
        let device = Device::take(device, sink)
            .map_err(why("the device has a holder already, or is gone"))?;
        let registered = Member { key, device, site };
        let mut list = self.list.lock();
        if let Err(e) = list.reserve(1, GFP_KERNEL) {
            drop(list);
            registered.close();
            return Err(no_memory(e.into()));
        }
        // There is room.
        let _ = list.push_within_capacity(registered);
        Ok(())
    }

    /// The log is told of who is not registered.
    fn not_there<T>() -> Result<T> {
        pr_warn!("what is to be given up is not registered\n");
        Err(ENOENT)
    }
}

impl Registrar for Registrations {
    fn enter(&self, key: Key, dax: DaxRef<'_>, size: u64, fs: Filesystem) -> Result {
        let named = Named::of(dax, self.devices.disk(dax).as_deref())?;
        let name = CString::try_from(&*named.name)?;
        match self.try_enter(key, dax, size, fs, named) {
            Ok(()) => {
                pr_info!("{}: a filesystem is registered\n", &*name);
                Ok(())
            }
            Err((why, e)) => {
                let errno = e.to_errno();
                pr_warn!(
                    "{}: a registration is refused: {} (errno {})\n",
                    &*name,
                    why,
                    errno
                );
                Err(e)
            }
        }
    }

    fn stop(&self, key: Key) -> Result {
        let list = self.list.lock();
        let site = list
            .iter()
            .find(|it| it.key == key)
            .map(|it| it.site.clone());
        drop(list);
        match site {
            Some(site) => {
                site.stop();
                Ok(())
            }
            None => Self::not_there(),
        }
    }

    fn leave(&self, key: Key) -> Result {
        let mut list = self.list.lock();
        let index = list.iter().position(|it| it.key == key);
        let registered = index.and_then(|index| list.remove(index).ok());
        drop(list);
        match registered {
            Some(registered) => {
                registered.close();
                Ok(())
            }
            None => Self::not_there(),
        }
    }
}
