// SPDX-License-Identifier: GPL-2.0

//! One reader: its queue, which is made when it comes, and who waits for it.
//!
//! # Locking
//!
//! A mutex: one read(2) of a reader at a time. Inside of it, and of the list of readers, a spin lock for
//! the queue, which is held for copying a few records in memory, never to user space.

use super::{
    record::{
        Event,
        RECORD, //
    },
    ring::{
        Item,
        Ring, //
    },
};
use crate::{
    support::Stream,
    vfs::Dev, //
};
use kernel::{
    new_mutex, new_poll_condvar, new_spinlock,
    prelude::*,
    sync::{
        poll::PollCondVar,
        Arc,
        Mutex,
        SpinLock, //
    },
    uaccess::UserSliceWriter,
};

/// Items that are copied at once.
const BATCH: usize = 4;

/// The memory of a queue.
struct Slots(KVVec<Option<Item<Event>>>);

impl AsRef<[Option<Item<Event>>]> for Slots {
    fn as_ref(&self) -> &[Option<Item<Event>>] {
        &self.0
    }
}

impl AsMut<[Option<Item<Event>>]> for Slots {
    fn as_mut(&mut self) -> &mut [Option<Item<Event>>] {
        &mut self.0
    }
}

/// A reader.
#[pin_data]
pub(super) struct Reader {
    /// What it wants to know of; all, if there is none.
    wanted: Option<Dev>,
    #[pin]
    reading: Mutex<()>,
    #[pin]
    ring: SpinLock<Ring<Event, Slots>>,
    #[pin]
    changes: PollCondVar,
}

impl Reader {
    /// One who wants to know of a device, or of all, and has room for so many records.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(wanted: Option<Dev>, records: usize) -> Result<Arc<Self>> {
        let mut slots = KVVec::with_capacity(records, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..records {
            slots.push(None, GFP_KERNEL_ACCOUNT)?;
        }
        let ring = Ring::new(Slots(slots));
        Arc::pin_init(
            pin_init!(Self {
                wanted,
                reading <- new_mutex!((), "daxrmap::Reader"),
                ring <- new_spinlock!(ring, "daxrmap::Ring"),
                changes <- new_poll_condvar!("daxrmap::Reader"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Gets an event, if it wants to know of it. Does not wait, and needs no memory.
    pub(super) fn hear(&self, event: &Event) {
        if self.wanted.is_some_and(|wanted| !event.concerns(wanted)) {
            return;
        }
        let added = self.ring.lock().push(event);
        // If not, there is something to read since before.
        if added {
            self.changes.notify_all();
        }
    }

    /// Waits until there is something. Others may read it first.
    fn wait(&self) -> Result {
        let mut ring = self.ring.lock();
        while ring.is_empty() {
            if self.changes.wait_interruptible(&mut ring) {
                return Err(ERESTARTSYS);
            }
        }
        Ok(())
    }

    /// Reads what is there, without waiting. Returns how many bytes.
    fn read_some(&self, to: &mut UserSliceWriter) -> Result<usize> {
        let _reading = self.reading.lock();
        let mut bytes = 0usize;
        while to.len() >= RECORD {
            let mut items = [const { None }; BATCH];
            let room = items.len().min(to.len() / RECORD);
            let some = items.get_mut(..room).unwrap_or_default();
            let found = self.ring.lock().peek(some);
            if found == 0 {
                break;
            }
            let mut copied = 0;
            let mut result = Ok(());
            for item in some.iter().take(found).flatten() {
                let record = match item {
                    Item::Record(number, event) => event.numbered(*number),
                    Item::Lost(first, count) => Event::lost(*first, *count),
                };
                result = to.write(&record);
                if result.is_err() {
                    break;
                }
                copied += 1;
            }
            // What could not be copied is there for the next one.
            self.ring.lock().remove(copied);
            bytes = bytes.saturating_add(copied.saturating_mul(RECORD));
            if let Err(e) = result {
                if bytes == 0 {
                    return Err(e);
                }
                break;
            }
        }
        if bytes == 0 {
            return Err(EAGAIN);
        }
        Ok(bytes)
    }
}

impl Stream for Reader {
    const NAME: &'static CStr = c"[daxrmap-events]";

    fn read(&self, mut to: UserSliceWriter, wait: bool) -> Result<usize> {
        if to.len() < RECORD {
            return Err(EINVAL);
        }
        loop {
            match self.read_some(&mut to) {
                Err(e) if e == EAGAIN && wait => self.wait()?,
                done => return done,
            }
        }
    }

    fn changes(&self) -> &PollCondVar {
        &self.changes
    }

    fn is_ready(&self) -> bool {
        !self.ring.lock().is_empty()
    }
}
