// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap monitor` prints: a line of text, or of JSON, for each event.

use super::{
    date::date,
    File,
    Name, //
};
use serde::Serialize;
use std::{
    fmt,
    os::unix::ffi::OsStrExt, //
};

/// What happened.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// The reader was slow: events are missing here.
    EventsLost,
    /// Memory failed.
    Failure,
    /// A file had something there.
    Owner,
    /// A file had something there, before the monitor came.
    Lost,
    /// A file has good blocks again.
    Healed,
    /// Bad blocks are in use again.
    Cleared,
    /// The driver knew of bad blocks.
    Discovered,
    /// Metadata were moved off failed memory.
    Metadata,
    /// There is no more room.
    Space,
    /// No more changes.
    ReadOnly,
    /// No more access.
    Shutdown,
    /// The device was removed.
    Gone,
    /// A filesystem was mounted.
    Mounted,
    /// It was unmounted.
    Unmounted,
    /// A failure is dealt with.
    Done,
    /// What this program does not know yet.
    Unknown,
}

impl Happened {
    /// The type of a record of the kernel.
    pub fn of(kind: u16) -> Self {
        const KINDS: [Happened; 14] = [
            Happened::EventsLost,
            Happened::Failure,
            Happened::Owner,
            Happened::Healed,
            Happened::Cleared,
            Happened::Discovered,
            Happened::Metadata,
            Happened::Space,
            Happened::ReadOnly,
            Happened::Shutdown,
            Happened::Gone,
            Happened::Mounted,
            Happened::Unmounted,
            Happened::Done,
        ];
        let known = KINDS.get(usize::from(kind));
        known.copied().unwrap_or(Self::Unknown)
    }

    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EventsLost => "events_lost",
            Self::Failure => "failure",
            Self::Owner => "owner",
            Self::Lost => "lost",
            Self::Healed => "healed",
            Self::Cleared => "cleared",
            Self::Discovered => "discovered",
            Self::Metadata => "metadata",
            Self::Space => "space",
            Self::ReadOnly => "read_only",
            Self::Shutdown => "shutdown",
            Self::Gone => "gone",
            Self::Mounted => "mounted",
            Self::Unmounted => "unmounted",
            Self::Done => "done",
            Self::Unknown => "unknown",
        }
    }

    /// Whether somebody ought to do something about it.
    pub fn wants_hooks(self) -> bool {
        matches!(
            self,
            Self::Owner | Self::Lost | Self::ReadOnly | Self::Shutdown | Self::Gone
        )
    }

    /// The priority of syslog(3).
    pub fn priority(self) -> u8 {
        match self {
            Self::Shutdown | Self::ReadOnly | Self::Gone => 2,
            Self::Failure | Self::Owner | Self::Lost => 3,
            Self::EventsLost | Self::Space | Self::Discovered | Self::Metadata => 4,
            _ => 6,
        }
    }
}

/// An event.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct EventReport {
    /// Nanoseconds since 1970.
    #[serde(serialize_with = "time_string")]
    pub time: u64,
    /// What happened.
    #[serde(rename = "type")]
    pub happened: Happened,
    /// The how manieth of this reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The device, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Name>,
    /// Where the filesystem is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<Name>,
    /// First byte on the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical: Option<u64>,
    /// Number of bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// The file.
    #[serde(flatten)]
    pub file: Option<File>,
    /// Its generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// First byte in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// How many events are missing, or owners were found, or it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How many processes were told by a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<u64>,
    /// How it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// The host's address of the first byte, on memory behind CXL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<u64>,
    /// The serial numbers of the memory devices that have it, behind CXL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub serials: Vec<String>,
    /// It is the metadata log.
    #[serde(skip_serializing_if = "is_not")]
    pub log: bool,
    /// It is no filesystem of daxrmap.
    #[serde(skip_serializing_if = "is_not")]
    pub guard: bool,
    /// Not all could be told.
    #[serde(skip_serializing_if = "is_not")]
    pub error: bool,
}

fn is_not(flag: &bool) -> bool {
    !flag
}

fn time_string<S: serde::Serializer>(time: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment(*time))
}

/// A point in time, as RFC 3339 has it, to the microsecond.
pub fn moment(nanoseconds: u64) -> String {
    let seconds = date((nanoseconds / 1_000_000_000) as i64);
    let seconds = seconds.trim_end_matches(" UTC").replace(' ', "T");
    format!("{seconds}.{:06}Z", nanoseconds % 1_000_000_000 / 1000)
}

impl EventReport {
    /// One of which nothing but that is known.
    pub fn new(happened: Happened, time: u64) -> Self {
        Self {
            time,
            happened,
            sequence: None,
            device: None,
            mount: None,
            physical: None,
            length: None,
            file: None,
            generation: None,
            offset: None,
            count: None,
            told: None,
            cause: None,
            address: None,
            serials: Vec::new(),
            log: false,
            guard: false,
            error: false,
        }
    }

    /// What is known, as bytes: for the journal, and for the environment of hooks.
    pub fn facts(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut facts = vec![
            ("EVENT", self.happened.name().into()),
            ("TIME", moment(self.time).into_bytes()),
        ];
        let name = |name: &Name| name.plain().as_os_str().as_bytes().to_vec();
        let path = self.file.as_ref().and_then(|file| file.paths.first());
        for (what, value) in [
            ("DEVICE", self.device.as_ref().map(name)),
            ("MOUNTPOINT", self.mount.as_ref().map(name)),
            ("PATH", path.map(name)),
            ("CAUSE", self.cause.map(Into::into)),
            (
                "SERIALS",
                Some(self.serials.join(" ").into_bytes()).filter(|text| !text.is_empty()),
            ),
        ] {
            facts.extend(value.map(|value| (what, value)));
        }
        for (what, value) in [
            ("INODE", self.file.as_ref().map(|file| file.inode)),
            ("GENERATION", self.generation.map(u64::from)),
            ("OFFSET", self.offset),
            ("LENGTH", self.length),
            ("PHYSICAL", self.physical),
            ("ADDRESS", self.address),
            ("TOLD", self.told),
            ("COUNT", self.count),
        ] {
            facts.extend(value.map(|value| (what, value.to_string().into_bytes())));
        }
        facts
    }

    /// What it says, a line for each name of the file, without the time.
    pub fn messages(&self) -> Vec<String> {
        let device = self.device.as_ref().map_or("?", |name| name.text.as_str());
        let mount = self.mount.as_ref();
        let place = match mount {
            Some(mount) => format!("{} ({device})", mount.text),
            None => device.to_owned(),
        };
        let said = self.said();
        match &self.file {
            Some(file) => {
                let texts = file.texts().into_iter();
                let where_ = |text: String| match file.paths.is_empty() {
                    true => format!("{place}: {text}"),
                    false => text,
                };
                texts
                    .map(|text| format!("{}: {said}", where_(text)))
                    .collect()
            }
            None if self.happened == Happened::EventsLost => vec![said],
            None => vec![format!("{place}: {said}")],
        }
    }

    fn said(&self) -> String {
        let what = match self.happened {
            Happened::EventsLost => {
                return format!("{} events lost", self.count.unwrap_or(0));
            }
            Happened::Failure => "memory failed",
            Happened::Owner => "lost",
            Happened::Lost => "is lost already",
            Happened::Healed => "healed",
            Happened::Cleared => "bad blocks are in use again",
            Happened::Discovered => "the driver knows of bad blocks",
            Happened::Metadata => "metadata moved off failed memory",
            Happened::Space if self.log => "the metadata log is full",
            Happened::Space => "no space left",
            Happened::ReadOnly => "makes no more changes",
            Happened::Shutdown => "shut down",
            Happened::Gone => "the device is gone",
            Happened::Mounted => "mounted",
            Happened::Unmounted => "unmounted",
            Happened::Done => "the failure is dealt with",
            Happened::Unknown => "an event that this program does not know",
        };
        let mut parts = Vec::new();
        let mut part = |name: &str, value: Option<u64>| {
            parts.extend(value.map(|value| format!("{name} {value}")));
        };
        part("offset", self.offset);
        part("length", self.length);
        part("physical", self.physical);
        part("owners", self.count);
        part("processes told", self.told);
        parts.extend(self.cause.map(|cause| format!("cause {cause}")));
        if let Some(address) = self.address {
            let serials = self.serials.join(", ");
            parts.push(format!("address {address:#x} of memory device {serials}"));
        }
        parts.extend(
            self.error
                .then(|| "not all could be told, see the kernel's log".to_owned()),
        );
        match parts.is_empty() {
            true => what.to_owned(),
            false => format!("{what}: {}", parts.join(", ")),
        }
    }
}

impl fmt::Display for EventReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = moment(self.time);
        let mut lines = self.messages().into_iter();
        lines.try_for_each(|line| writeln!(f, "{time} {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::*,
        *, //
    };

    fn owner() -> EventReport {
        EventReport {
            sequence: Some(7),
            device: Some(name(b"/dev/pmem0")),
            mount: Some(name(b"/mnt")),
            physical: Some(40960),
            length: Some(4096),
            file: Some(file(2, State::Named, &[b"/mnt/a b", b"/mnt/\xff"])),
            generation: Some(9),
            offset: Some(8192),
            told: Some(0),
            cause: Some("memory failure"),
            ..EventReport::new(Happened::Owner, 1_795_289_445_000_001_999)
        }
    }

    #[test]
    fn a_line_for_each_name() {
        let rest = "lost: offset 8192, length 4096, physical 40960, processes told 0, cause memory failure";
        let expected = format!(
            "2026-11-21T19:30:45.000001Z /mnt/a\\ b: {rest}\n\
             2026-11-21T19:30:45.000001Z /mnt/\\377: {rest}\n"
        );
        assert_eq!(owner().to_string(), expected);
        let unlinked = EventReport {
            file: Some(file(3, State::Unlinked, &[])),
            ..owner()
        };
        let expected = format!("/mnt (/dev/pmem0): (unlinked) inode 3: {rest}");
        assert_eq!(unlinked.messages(), [expected]);
    }

    #[test]
    fn one_object() {
        let expected = json!({
            "time": "2026-11-21T19:30:45.000001Z", "type": "owner", "sequence": 7,
            "device": {"path": "/dev/pmem0"}, "mount": {"path": "/mnt"},
            "physical": 40960, "length": 4096, "inode": 2, "state": "named",
            "paths": [{"path": "/mnt/a b"}, {"path": "/mnt/\u{fffd}", "path_hex": "2f6d6e742fff"}],
            "generation": 9, "offset": 8192, "told": 0, "cause": "memory failure",
        });
        assert_eq!(to_value(owner()).unwrap(), expected);
    }

    #[test]
    fn what_is_not_about_files() {
        let lost = EventReport {
            count: Some(12),
            ..EventReport::new(Happened::EventsLost, 0)
        };
        assert_eq!(lost.messages(), ["12 events lost"]);
        let full = EventReport {
            device: Some(name(b"/dev/pmem0")),
            log: true,
            ..EventReport::new(Happened::Space, 0)
        };
        assert_eq!(full.messages(), ["/dev/pmem0: the metadata log is full"]);
        let done = EventReport {
            count: Some(3),
            told: Some(2),
            error: true,
            ..EventReport::new(Happened::Done, 0)
        };
        let text = "?: the failure is dealt with: owners 3, processes told 2, \
                    not all could be told, see the kernel's log";
        assert_eq!(done.messages(), [text]);
    }

    #[test]
    fn names_are_those_of_json() {
        for kind in 0..20 {
            let happened = Happened::of(kind);
            assert_eq!(to_value(happened).unwrap(), happened.name());
        }
        assert_eq!(Happened::of(13), Happened::Done);
        assert_eq!(Happened::of(14), Happened::Unknown);
    }
}
