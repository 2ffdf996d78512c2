// SPDX-License-Identifier: GPL-2.0

//! One event: what user space reads of it.
//!
//! C header: include/uapi/daxrmap.h, which says what each type means. There is nothing to lock.

use crate::{
    bindings::{
        self,
        daxrmap_event as Record, //
    },
    support::plain,
    vfs::{
        Dev,
        Handle, //
    },
};
use kernel::{
    prelude::*,
    time::{
        ClockSource,
        RealTime, //
    },
};

plain!(Record {
    size: u16,
    type_: u16,
    flags: u32,
    sequence: u64,
    time: u64,
    major: u32,
    minor: u32,
    physical: u64,
    length: u64,
    ino: u64,
    offset: u64,
    count: u64,
    generation: u32,
    told: u32,
    cause: u32,
    handle_bytes: u32,
    handle_type: i32,
    handle: [u8; 32],
    fs_major: u32,
    fs_minor: u32,
    reserved: [u32; 3]
});

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Failure,
    Owner,
    Done,
    Healed,
    Cleared,
    Discovered,
    Metadata,
    Space,
    ReadOnly,
    ShutDown,
    Gone,
    Mounted,
    Unmounted,
}

impl Kind {
    fn number(self) -> u32 {
        match self {
            Self::Failure => bindings::DAXRMAP_EVENT_FAILURE,
            Self::Owner => bindings::DAXRMAP_EVENT_OWNER,
            Self::Done => bindings::DAXRMAP_EVENT_DONE,
            Self::Healed => bindings::DAXRMAP_EVENT_HEALED,
            Self::Cleared => bindings::DAXRMAP_EVENT_CLEARED,
            Self::Discovered => bindings::DAXRMAP_EVENT_DISCOVERED,
            Self::Metadata => bindings::DAXRMAP_EVENT_METADATA,
            Self::Space => bindings::DAXRMAP_EVENT_SPACE,
            Self::ReadOnly => bindings::DAXRMAP_EVENT_READ_ONLY,
            Self::ShutDown => bindings::DAXRMAP_EVENT_SHUTDOWN,
            Self::Gone => bindings::DAXRMAP_EVENT_GONE,
            Self::Mounted => bindings::DAXRMAP_EVENT_MOUNTED,
            Self::Unmounted => bindings::DAXRMAP_EVENT_UNMOUNTED,
        }
    }
}

/// What found memory that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// memory_failure().
    MemoryFailure,
    /// The removal of the device.
    Removal,
    /// The driver's list of bad blocks.
    Listed,
    /// A scrub.
    Scrub,
    /// The device, which has told of it.
    Device,
}

impl Cause {
    fn number(self) -> u32 {
        match self {
            Self::MemoryFailure => bindings::DAXRMAP_CAUSE_MEMORY_FAILURE,
            Self::Removal => bindings::DAXRMAP_CAUSE_REMOVAL,
            Self::Listed => bindings::DAXRMAP_CAUSE_LISTED,
            Self::Scrub => bindings::DAXRMAP_CAUSE_SCRUB,
            Self::Device => bindings::DAXRMAP_CAUSE_DEVICE,
        }
    }
}

/// Flags of an event.
pub(crate) struct Flag;

impl Flag {
    /// It is the metadata log.
    pub(crate) const LOG: u32 = bindings::DAXRMAP_EVENT_F_LOG;
    /// The guard tells it.
    pub(super) const GUARD: u32 = bindings::DAXRMAP_EVENT_F_GUARD;
    /// The file was mapped.
    pub(crate) const MAPPED: u32 = bindings::DAXRMAP_EVENT_F_MAPPED;
    /// The file was not in core.
    pub(crate) const ABSENT: u32 = bindings::DAXRMAP_EVENT_F_ABSENT;
    /// Something went wrong.
    pub(crate) const ERROR: u32 = bindings::DAXRMAP_EVENT_F_ERROR;
}

/// An event.
pub(crate) struct Event(Record);

impl Clone for Event {
    fn clone(&self) -> Self {
        Self(Record { ..self.0 })
    }
}

impl Event {
    /// One of this kind, of now.
    pub(crate) fn new(kind: Kind) -> Self {
        Self(Record {
            // It is 144.
            size: size_of::<Record>() as u16,
            // There are few.
            type_: kind.number() as u16,
            time: u64::try_from(RealTime::ktime_get()).unwrap_or(0),
            ..Record::default()
        })
    }

    /// It is about these bytes of the device.
    pub(crate) fn at(mut self, physical: u64, length: u64) -> Self {
        (self.0.physical, self.0.length) = (physical, length);
        self
    }

    /// That is why.
    pub(crate) fn because(mut self, cause: Cause) -> Self {
        self.0.cause = cause.number();
        self
    }

    /// With these flags too.
    pub(crate) fn with(mut self, flags: u32) -> Self {
        self.0.flags |= flags;
        self
    }

    /// With this number.
    pub(crate) fn counting(mut self, count: u64) -> Self {
        self.0.count = count;
        self
    }

    /// Of the file `ino` on `dev`, from byte `offset` on.
    pub(crate) fn of_file(mut self, dev: Dev, ino: u64, offset: u64) -> Self {
        (self.0.fs_major, self.0.fs_minor) = (dev.major(), dev.minor());
        (self.0.ino, self.0.offset) = (ino, offset);
        self
    }

    /// The file has this handle.
    pub(crate) fn named(mut self, handle: Option<Handle>) -> Self {
        if let Some(handle) = handle {
            self.0.generation = handle.generation;
            self.0.handle_bytes = handle.len;
            self.0.handle_type = handle.kind;
            self.0.handle = handle.bytes;
        }
        self
    }

    /// So many processes were told, if that is known.
    pub(crate) fn told(mut self, told: Option<u32>) -> Self {
        if let Some(told) = told {
            self.0.told = told;
            self.0.flags |= bindings::DAXRMAP_EVENT_F_TOLD;
        }
        self
    }

    /// It is on this device.
    pub(super) fn on(mut self, dev: Dev) -> Self {
        (self.0.major, self.0.minor) = (dev.major(), dev.minor());
        self
    }

    /// Whether it concerns a device.
    pub(super) fn concerns(&self, dev: Dev) -> bool {
        let numbers = (dev.major(), dev.minor());
        (self.0.major, self.0.minor) == numbers || (self.0.fs_major, self.0.fs_minor) == numbers
    }

    /// As user space gets it.
    pub(super) fn numbered(&self, sequence: u64) -> Record {
        Record { sequence, ..self.0 }
    }

    /// What user space gets where `count` events are lost.
    pub(super) fn lost(sequence: u64, count: u64) -> Record {
        Record {
            size: size_of::<Record>() as u16,
            type_: bindings::DAXRMAP_EVENT_LOST as u16,
            sequence,
            count,
            time: u64::try_from(RealTime::ktime_get()).unwrap_or(0),
            ..Record::default()
        }
    }
}

/// Bytes of a record.
pub(super) const RECORD: usize = size_of::<Record>();
