// SPDX-License-Identifier: GPL-2.0

//! Who listens, and how events come to them.
//!
//! # Locking
//!
//! A mutex, for coming and going, which sleeps and is not taken by who tells. The list is under a spin
//! lock: an event is put into the queues of all readers under one hold of it, so that all readers get
//! events in the same order.

use super::{
    reader::Reader,
    record::Event, //
};
use crate::{
    bindings::{
        self,
        daxrmap_events as EventsArg, //
    },
    support::{
        is_admin,
        open_stream,
        plain,
        Signals,
        Stream, //
    },
    vfs::Dev,
};
use kernel::{
    new_mutex, new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            AtomicFlag,
            Relaxed, //
        },
        poll::PollCondVar,
        Arc,
        Mutex,
        SpinLock, //
    },
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceWriter, //
    },
};

plain!(EventsArg {
    version: u32,
    flags: u32,
    major: u32,
    minor: u32,
    records: u32,
    reserved: [u32; 7]
});

/// Who listens.
struct Listeners {
    readers: KVec<Arc<Reader>>,
    /// Who is signalled, while anybody listens, and if the kernel says so.
    signals: Option<Signals>,
}

/// All readers of the module's events.
#[pin_data]
pub(crate) struct Hub {
    /// Whether there is one.
    is_heard: AtomicFlag,
    #[pin]
    coming: Mutex<()>,
    #[pin]
    listeners: SpinLock<Listeners>,
}

impl Hub {
    /// Nobody listens yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let listeners = Listeners {
            readers: KVec::new(),
            signals: None,
        };
        Arc::pin_init(
            pin_init!(Self {
                is_heard: AtomicFlag::new(false),
                coming <- new_mutex!((), "daxrmap::Hub"),
                listeners <- new_spinlock!(listeners, "daxrmap::Listeners"),
            }),
            GFP_KERNEL,
        )
    }

    /// Tells all readers of an event. Does not wait, and needs no memory.
    fn tell(&self, event: &Event) {
        for reader in &self.listeners.lock().readers {
            reader.hear(event);
        }
    }

    /// DAXRMAP_IOC_EVENTS: a new file descriptor. `own`: the device of the mount that is asked.
    ///
    /// # Errors
    ///
    /// What include/uapi/daxrmap.h says.
    pub(crate) fn open(self: &Arc<Self>, own: Option<Dev>, arg: UserPtr) -> Result<c_int> {
        if !is_admin(true) {
            return Err(EPERM);
        }
        let asked: EventsArg = UserSlice::new(arg, size_of::<EventsArg>())
            .reader()
            .read()?;
        if asked.version != bindings::DAXRMAP_EVENTS_VERSION
            || asked.flags != 0
            || asked.records > bindings::DAXRMAP_EVENTS_MAX
            || asked.reserved.iter().any(|&word| word != 0)
        {
            return Err(EINVAL);
        }
        let wanted = match (asked.major, asked.minor) {
            (0, 0) => own,
            (major, minor) => Some(Dev::new(major, minor).ok_or(EINVAL)?),
        };
        if own.is_some() && wanted != own {
            return Err(ENODEV);
        }
        let records = match asked.records {
            0 => bindings::DAXRMAP_EVENTS_RECORDS,
            records => records,
        };
        let reader = Reader::new(wanted, records as usize)?;
        self.enter(reader.clone())?;
        // From here on it is one of them, until this is dropped.
        let listening = Listening {
            hub: self.clone(),
            reader,
        };
        open_stream(Arc::new(listening, GFP_KERNEL)?)
    }

    /// Adds a reader.
    fn enter(&self, reader: Arc<Reader>) -> Result {
        let _coming = self.coming.lock();
        let (count, told) = {
            let listeners = self.listeners.lock();
            (listeners.readers.len(), listeners.signals.is_some())
        };
        let mut readers = KVec::with_capacity(count.saturating_add(1), GFP_KERNEL)?;
        // Without it nobody knows how many were told, and events say so.
        let signals = if told { None } else { Signals::new().ok() };
        let mut listeners = self.listeners.lock();
        // There is room for all: nobody else comes or goes.
        for reader in listeners.readers.drain_all() {
            let _ = readers.push_within_capacity(reader);
        }
        let _ = readers.push_within_capacity(reader);
        let old = core::mem::replace(&mut listeners.readers, readers);
        if signals.is_some() {
            listeners.signals = signals;
        }
        self.is_heard.store(true, Relaxed);
        drop(listeners);
        drop(old);
        Ok(())
    }

    /// Removes a reader.
    fn leave(&self, reader: &Arc<Reader>) {
        let _coming = self.coming.lock();
        let mut listeners = self.listeners.lock();
        let index = listeners
            .readers
            .iter()
            .position(|it| Arc::ptr_eq(it, reader));
        let left = index.and_then(|index| listeners.readers.remove(index).ok());
        let mut signals = None;
        if listeners.readers.is_empty() {
            self.is_heard.store(false, Relaxed);
            signals = listeners.signals.take();
        }
        // What is dropped here may sleep.
        drop(listeners);
        drop((left, signals));
    }
}

/// A reader that is one of them: what its file has.
struct Listening {
    hub: Arc<Hub>,
    reader: Arc<Reader>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.hub.leave(&self.reader);
    }
}

impl Stream for Listening {
    const NAME: &'static CStr = Reader::NAME;

    fn read(&self, to: UserSliceWriter, wait: bool) -> Result<usize> {
        self.reader.read(to, wait)
    }

    fn changes(&self) -> &PollCondVar {
        self.reader.changes()
    }

    fn is_ready(&self) -> bool {
        self.reader.is_ready()
    }
}

/// A moment, for [`Source::told_since`]; none if nobody listens.
pub(crate) struct Moment(Option<u64>);

/// Who tells: a device.
#[derive(Clone)]
pub(crate) struct Source {
    hub: Arc<Hub>,
    dev: Dev,
    flags: u32,
}

impl Source {
    /// This device, with a filesystem of ours on it.
    pub(crate) fn own(hub: Arc<Hub>, dev: Dev) -> Self {
        Self { hub, dev, flags: 0 }
    }

    /// This device, for which the guard speaks.
    pub(crate) fn guarded(hub: Arc<Hub>, dev: Dev) -> Self {
        let flags = super::record::Flag::GUARD;
        Self { hub, dev, flags }
    }

    /// Whether the guard speaks.
    pub(crate) fn is_guarded(&self) -> bool {
        self.flags != 0
    }

    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.hub.is_heard.load(Relaxed)
    }

    /// Tells whoever listens of the event that `make` makes. Does not wait, and needs no memory; if nobody
    /// listens, nothing is made.
    pub(crate) fn tell(&self, make: impl FnOnce() -> Event) {
        if self.hub.is_heard.load(Relaxed) {
            self.hub.tell(&make().on(self.dev).with(self.flags));
        }
    }

    /// This moment.
    pub(crate) fn moment(&self) -> Moment {
        Moment(if self.hub.is_heard.load(Relaxed) {
            let listeners = self.hub.listeners.lock();
            listeners.signals.as_ref().map(Signals::now)
        } else {
            None
        })
    }

    /// How many processes the current task has told of failed memory since a moment; `None` if that is
    /// not known.
    pub(crate) fn told_since(&self, moment: Moment) -> Option<u32> {
        let since = moment.0?;
        let listeners = self.hub.listeners.lock();
        listeners.signals.as_ref()?.told_by_current(since)
    }
}
