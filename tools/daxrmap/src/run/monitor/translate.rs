// SPDX-License-Identifier: GPL-2.0

//! From the kernel's records, and from what is lost already, to what people are told.

use crate::{
    abi::{
        self,
        Event, //
    },
    cxl,
    monitor::{
        follow::{
            self,
            Follow,
            Watched, //
        },
        paths::{
            Found,
            Opened, //
        },
    },
    names::Names,
    number::DeviceNumber,
    report::{
        EventReport,
        File,
        Happened,
        LostReport,
        Name,
        State, //
    },
};
use std::{
    collections::{
        HashMap,
        HashSet, //
    },
    ffi::OsStr,
    path::{
        Path,
        PathBuf, //
    },
    time::{
        SystemTime,
        UNIX_EPOCH, //
    },
};

/// A file, by the mount point through which it was looked for.
type Key = (PathBuf, u64, u32);

/// Why the failure that each device is telling of came about. The kernel says that once, before it tells of the
/// owners, and tells of no other failure of that device meanwhile.
#[derive(Default)]
pub(super) struct Causes(HashMap<(u32, u32), u32>);

impl Causes {
    fn of(&mut self, event: &Event) -> u32 {
        let device = (event.major, event.minor);
        match Happened::of(event.kind) {
            // Among them may be what we would have to know.
            Happened::EventsLost => self.0.clear(),
            Happened::Failure => {
                self.0.insert(device, event.cause);
            }
            Happened::Owner if event.cause == 0 => {
                return self.0.get(&device).copied().unwrap_or(0);
            }
            Happened::Done => {
                self.0.remove(&device);
            }
            _ => {}
        }
        event.cause
    }
}

/// What people are told of these, in order.
pub(super) fn events(events: &[Event], follow: &Follow, causes: &mut Causes) -> Vec<EventReport> {
    let mut files = find(events, follow);
    events
        .iter()
        .map(|event| {
            let mount = follow.of(event);
            let mut report = report(event, mount);
            report.cause = cause(causes.of(event));
            if report.happened == Happened::Failure {
                on_cxl(&mut report, event);
            }
            if event.ino != 0 {
                let key = mount.map(|mount| key(mount, event));
                let file = key.and_then(|key| files.get_mut(&key));
                report.file = Some(match file {
                    Some((state, paths)) => self::file(event.ino, *state, paths),
                    None => self::file(event.ino, State::Unknown, &[]),
                });
            }
            report
        })
        .collect()
}

/// Says which memory device has failed, if it is one behind CXL.
fn on_cxl(report: &mut EventReport, event: &Event) {
    let name = follow::device(event).and_then(|device| device.name());
    let name = name
        .as_deref()
        .and_then(Path::file_name)
        .and_then(OsStr::to_str);
    let bytes = event.physical..event.physical.saturating_add(event.length);
    if let Some(place) = name.and_then(|name| cxl::place(name, &bytes)) {
        report.address = Some(place.address);
        report.serials = place
            .serials
            .iter()
            .map(|serial| format!("{serial:#x}"))
            .collect();
    }
}

fn key(mount: &Watched, event: &Event) -> Key {
    (mount.path().to_owned(), event.ino, event.generation)
}

fn file(inode: u64, state: State, paths: &[PathBuf]) -> File {
    File {
        inode,
        state,
        paths: paths.iter().map(|path| path.as_path().into()).collect(),
    }
}

/// The names of all files that these are about. A mount is open only meanwhile.
fn find(events: &[Event], follow: &Follow) -> HashMap<Key, (State, Vec<PathBuf>)> {
    let mut opened = HashMap::new();
    let mut files = HashMap::new();
    let mut walks: HashMap<PathBuf, HashSet<u64>> = HashMap::new();
    for event in events.iter().filter(|event| event.ino != 0) {
        let Some(mount) = follow.of(event) else {
            continue;
        };
        let key = key(mount, event);
        if files.contains_key(&key) {
            continue;
        }
        let dir = opened
            .entry(key.0.clone())
            .or_insert_with(|| Opened::new(mount.path(), mount.device()).ok());
        let found = dir.as_ref().map_or(Found::Gone, |dir| dir.find(event));
        let answer = match found {
            Found::Named(path) => (State::Named, vec![path]),
            Found::Unlinked => (State::Unlinked, Vec::new()),
            Found::Gone => (State::Unknown, Vec::new()),
            Found::Somewhere => {
                walks.entry(key.0.clone()).or_default().insert(event.ino);
                (State::Unknown, Vec::new())
            }
        };
        files.insert(key, answer);
    }
    for (mount, wanted) in walks {
        let names = Names::find(&mount, &wanted);
        for ((at, ino, _), answer) in &mut files {
            let paths = names.of(*ino);
            if *at == mount && wanted.contains(ino) && !paths.is_empty() {
                *answer = (State::Named, paths.to_vec());
            }
        }
    }
    files
}

/// What the record itself says.
fn report(event: &Event, mount: Option<&Watched>) -> EventReport {
    let happened = Happened::of(event.kind);
    let is = |flag: u32| event.flags & flag != 0;
    let of_file = event.ino != 0;
    let bytes = event.length != 0;
    let counted = matches!(happened, Happened::EventsLost | Happened::Done);
    let on = follow::device(event).filter(|_| happened != Happened::EventsLost);
    EventReport {
        sequence: Some(event.sequence),
        device: on.map(device_name),
        mount: mount.map(|mount| mount.path().into()),
        physical: bytes.then_some(event.physical),
        length: bytes.then_some(event.length),
        generation: of_file.then_some(event.generation),
        offset: of_file.then_some(event.offset),
        count: counted.then_some(event.count),
        told: is(abi::DAXRMAP_EVENT_F_TOLD).then_some(event.told.into()),
        log: is(abi::DAXRMAP_EVENT_F_LOG),
        guard: is(abi::DAXRMAP_EVENT_F_GUARD),
        error: is(abi::DAXRMAP_EVENT_F_ERROR),
        ..EventReport::new(happened, event.time)
    }
}

fn device_name(device: DeviceNumber) -> Name {
    let unnamed = || PathBuf::from(device.to_string());
    device.name().unwrap_or_else(unnamed).as_path().into()
}

/// The kernel's `DAXRMAP_CAUSE_*`.
fn cause(cause: u32) -> Option<&'static str> {
    Some(match cause {
        1 => "memory failure",
        2 => "removal",
        3 => "read",
        4 => "listed",
        5 => "scrub",
        6 => "device",
        _ => return None,
    })
}

/// What is lost already, range by range.
pub(super) fn lost(report: LostReport, mount: &Watched) -> Vec<EventReport> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(0));
    let block_size = daxrmap_media::BLOCK_SIZE;
    let new = || EventReport {
        device: Some(device_name(mount.device())),
        mount: Some(Path::new(mount.path()).into()),
        guard: !mount.is_ours(),
        ..EventReport::new(Happened::Lost, now)
    };
    let mut events = Vec::new();
    for lost in report.files {
        for range in &lost.lost {
            events.push(EventReport {
                file: Some(lost.file.clone()),
                generation: lost.generation,
                offset: Some(range.offset),
                length: Some(range.length),
                physical: Some(range.block.saturating_mul(block_size)),
                count: Some(range.owners),
                ..new()
            });
        }
    }
    for lost in report.metadata.into_iter().flatten() {
        events.push(EventReport {
            length: Some(lost.length),
            physical: Some(lost.block.saturating_mul(block_size)),
            ..new()
        });
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u16) -> Event {
        Event {
            kind,
            sequence: 3,
            major: 1,
            minor: 0,
            ..Event::default()
        }
    }

    #[test]
    fn records_as_people_are_told() {
        let follow = Follow::default();
        let lost = Event {
            major: 0,
            count: 12,
            ..event(0)
        };
        let owner = Event {
            physical: 8192,
            length: 4096,
            ino: 7,
            generation: 2,
            told: 4,
            cause: 1,
            flags: abi::DAXRMAP_EVENT_F_TOLD,
            ..event(2)
        };
        let unknown = event(99);
        let told = events(&[lost, owner, unknown], &follow, &mut Causes::default());
        let happened: Vec<_> = told.iter().map(|event| event.happened).collect();
        let expected = [Happened::EventsLost, Happened::Owner, Happened::Unknown];
        assert_eq!(happened, expected);
        assert_eq!(told[0].messages(), ["12 events lost"]);
        let line = told[1].messages().remove(0);
        let end = "(no name found) inode 7: lost: offset 0, length 4096, physical 8192, \
                   processes told 4, cause memory failure";
        assert!(line.ends_with(end), "{line}");
        assert_eq!(told[1].told, Some(4));
        assert_eq!(told[2].physical, None);
    }

    #[test]
    fn owners_of_a_failure_have_its_cause() {
        let mut causes = Causes::default();
        let mut told = |kind, minor, cause| {
            let event = Event {
                minor,
                cause,
                ..event(kind)
            };
            causes.of(&event)
        };
        assert_eq!(told(2, 0, 0), 0);
        assert_eq!(told(1, 0, 1), 1);
        assert_eq!(told(1, 1, 5), 5);
        assert_eq!((told(2, 0, 0), told(2, 1, 0)), (1, 5));
        assert_eq!((told(13, 0, 1), told(2, 0, 0)), (1, 0));
        // Something is missing.
        told(0, 0, 0);
        assert_eq!(told(2, 1, 0), 0);
    }
}
