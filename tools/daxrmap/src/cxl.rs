// SPDX-License-Identifier: GPL-2.0

//! Persistent memory behind CXL: which memory devices a pmem device is made of, and the lines that they
//! say are poisoned.
//!
//! A device keeps the list itself. The kernel reads it when it is asked to (`trigger_poison_list`), and tells of
//! each entry in a trace event, `cxl:cxl_poison`, with the host's address; nowhere else. It is read here in an
//! instance of tracefs of our own, so that nobody else's events are in it, and ours in nobody else's.

use crate::{
    abi::SECTOR,
    error::{
        Error,
        Result, //
    },
    ranges::{
        Range,
        Ranges, //
    },
    stack::Sysfs,
};
use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    },
    process,
};

/// What the kernel calls the bus that has CXL's regions.
pub const PROVIDER: &str = "CXL";
/// Where tracefs is.
const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// Memory fails by pages.
const PAGE: u64 = 4096;

/// What a pmem device is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The region's name, which may be another after a boot.
    pub region: String,
    /// The region's first address.
    pub start: u64,
    /// How many bytes in a row are on one device.
    pub granularity: u64,
    /// The names of the memory devices, in the order in which they share the region. They too may be
    /// others after a boot.
    pub memdevs: Vec<String>,
    /// Their serial numbers, which stay.
    pub serials: Vec<u64>,
}

/// Where bytes of a pmem device are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The host's address of the first one.
    pub address: u64,
    /// The serial numbers of the memory devices that have them.
    pub serials: Vec<u64>,
}

/// Where these bytes of the pmem device with this name are; `None` if it is not CXL.
pub fn place(pmem: &str, bytes: &Range) -> Option<Place> {
    let identity = identity(pmem)?;
    let block = Sysfs::default().named(pmem).ok()?;
    let start = block.disk(block.device().ok()?).ok()?.address()?;
    let address = start.checked_add(bytes.start)?;
    let end = start.checked_add(bytes.end)?;
    Some(Place {
        address,
        serials: identity.with(&(address..end)),
    })
}

impl Identity {
    /// The serial numbers of the memory devices that have these addresses.
    fn with(&self, addresses: &Range) -> Vec<u64> {
        let stripe = |address: u64| address.saturating_sub(self.start) / self.granularity.max(1);
        let first = stripe(addresses.start);
        let last = stripe(addresses.end.saturating_sub(1));
        let ways = self.serials.len() as u64;
        let among = (first..=last).take(self.serials.len());
        let serials = among.filter_map(|n| {
            let way = usize::try_from(n.checked_rem(ways)?).ok()?;
            self.serials.get(way).copied()
        });
        serials.collect()
    }
}

/// What the pmem device with this name is made of; `None` if it is not CXL.
pub fn identity(pmem: &str) -> Option<Identity> {
    let block = Sysfs::default().named(pmem).ok()?;
    if block.provider().as_deref() != Some(PROVIDER) {
        return None;
    }
    let disk = block.disk(block.device().ok()?).ok()?;
    identity_at(Path::new("/sys/bus/cxl/devices"), disk.address()?)
}

fn identity_at(devices: &Path, address: u64) -> Option<Identity> {
    let read = |path: PathBuf| Some(fs::read_to_string(path).ok()?.trim_end().to_owned());
    let number = |path| parsed(&read(path)?);
    let mut names: Vec<_> = fs::read_dir(devices)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("region"))
        .collect();
    names.sort_unstable();
    names.into_iter().find_map(|region| {
        let dir = devices.join(&region);
        let start = number(dir.join("resource"))?;
        let size = number(dir.join("size"))?;
        if !(start..start.checked_add(size)?).contains(&address) {
            return None;
        }
        let ways = number(dir.join("interleave_ways"))?;
        let memdevs: Option<Vec<_>> = (0..ways)
            .map(|way| {
                // A decoder of an endpoint, whose other end is the memory device.
                let decoder = devices.join(read(dir.join(format!("target{way}")))?);
                let endpoint = fs::canonicalize(decoder).ok()?;
                let memdev = fs::canonicalize(endpoint.parent()?.join("uport")).ok()?;
                memdev.file_name()?.to_str().map(str::to_owned)
            })
            .collect();
        let memdevs = memdevs?;
        let serials: Option<Vec<_>> = memdevs
            .iter()
            .map(|memdev| number(devices.join(memdev).join("serial")))
            .collect();
        Some(Identity {
            granularity: number(dir.join("interleave_granularity"))?,
            region,
            start,
            memdevs,
            serials: serials?,
        })
    })
}

fn parsed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The instance of tracefs, which goes with this.
struct Trace(PathBuf);

impl Trace {
    fn new() -> Result<Self> {
        let tracefs = TRACEFS
            .into_iter()
            .map(Path::new)
            .find(|dir| dir.join("instances").is_dir())
            .ok_or_else(|| Error::new("tracefs is not mounted").about(TRACEFS[0]))?;
        let dir = tracefs
            .join("instances")
            .join(format!("daxrmap-{}", process::id()));
        fs::create_dir(&dir).map_err(|error| Error::from(error).about(&dir))?;
        Ok(Self(dir))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.0.join(name);
        fs::write(&path, text).map_err(|error| Error::from(error).about(path))
    }

    fn read(&self) -> Result<String> {
        let path = self.0.join("trace");
        fs::read_to_string(&path).map_err(|error| Error::from(error).about(path))
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // There is nothing to be done if it does not go.
        let _ = fs::remove_dir(&self.0);
    }
}

/// Asks the memory devices of the pmem device with this name for their poison lists. Returns its failed pages, in
/// bytes from its start; `None` if it is not CXL, or has no such list.
///
/// # Errors
///
/// If there is no asking, or the answer makes no sense.
pub fn read_poison_list(pmem: &str) -> Result<Option<Ranges>> {
    let Some(identity) = identity(pmem) else {
        return Ok(None);
    };
    let block = Sysfs::default().named(pmem)?;
    let disk = block.disk(block.device()?)?;
    let Some(address) = disk.address() else {
        return Err(Error::new("sysfs does not say where its memory is").about(pmem));
    };
    let devices = Path::new("/sys/bus/cxl/devices");
    let triggers: Vec<_> = identity
        .memdevs
        .iter()
        .map(|memdev| devices.join(memdev).join("trigger_poison_list"))
        .collect();
    if !triggers.iter().all(|trigger| trigger.exists()) {
        return Ok(None);
    }
    let trace = Trace::new()?;
    // A thousand entries of some 300 bytes for each device, and room for who is slow.
    trace.write("buffer_size_kb", "2048")?;
    trace.write("events/cxl/cxl_poison/enable", "1")?;
    for trigger in triggers {
        fs::write(&trigger, "1").map_err(|error| Error::from(error).about(trigger))?;
    }
    let lines = poisoned(&trace.read()?, &identity).map_err(|error| error.about(pmem))?;
    Ok(Some(pages(&lines, address, disk.size)))
}

/// What is poisoned, in the host's addresses, by the text of the trace.
fn poisoned(trace: &str, identity: &Identity) -> Result<Vec<Range>> {
    let mut found = Vec::new();
    for line in trace.lines().filter(|line| line.contains(" cxl_poison: ")) {
        let field = |name: &str| {
            line.split_ascii_whitespace()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        if field("region") != Some(identity.region.as_str()) || field("trace_type") == Some("Clear")
        {
            continue;
        }
        let number = |name| field(name).and_then(parsed);
        let (Some(hpa), Some(length)) = (number("hpa"), number("dpa_length")) else {
            return Err(Error::new(format!(
                "a trace event that makes no sense: {line:?}"
            )));
        };
        // All ones: it is mapped nowhere.
        if hpa != u64::MAX {
            found.extend(spread(hpa, length, identity));
        }
    }
    Ok(found)
}

/// The addresses of bytes in a row of one device: what does not fit into the device's part of a stripe is in the
/// same place of the next one.
fn spread(hpa: u64, length: u64, identity: &Identity) -> Vec<Range> {
    let ways = identity.memdevs.len() as u64;
    if ways < 2 || identity.granularity == 0 {
        return vec![hpa..hpa.saturating_add(length)];
    }
    let mut runs = Vec::new();
    let (mut at, mut left) = (hpa, length);
    while left > 0 {
        let into = at.saturating_sub(identity.start) % identity.granularity;
        let here = (identity.granularity - into).min(left);
        runs.push(at..at.saturating_add(here));
        left -= here;
        at = at
            .saturating_add(here)
            .saturating_add(identity.granularity.saturating_mul(ways - 1));
    }
    runs
}

/// The pages that have any of these addresses, in bytes of a device that begins at `address`.
fn pages(lines: &[Range], address: u64, size: u64) -> Ranges {
    let page = |line: &Range| {
        let start = line.start.max(address).min(address.saturating_add(size)) - address;
        let end = line.end.max(address).min(address.saturating_add(size)) - address;
        (start < end).then(|| start / PAGE * PAGE..end.next_multiple_of(PAGE))
    };
    lines.iter().filter_map(page).collect::<Vec<_>>().into()
}

/// How many pages a device's list names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Poison {
    /// Pages that the device names.
    pub named: u64,
    /// Those of them that were not on the driver's list of bad blocks.
    pub new: u64,
}

/// Asks for the poison list, and puts it on the driver's list of bad blocks, where filesystems find it at mount.
/// `tell`: the kernel is to deal with the failure of each page that is new, as after a machine check. `None` if
/// the device has no such list.
///
/// # Errors
///
/// Those of [`read_poison_list`]; if the driver's list is full; if the kernel cannot be told.
pub fn enter_poison_list(pmem: &str, tell: bool) -> Result<Option<Poison>> {
    if identity(pmem).is_none() {
        return Ok(None);
    }
    // What is known before the device speaks: who hears it may be about to make it known.
    let block = Sysfs::default().named(pmem)?;
    let disk = block.disk(block.device()?)?;
    let known: Ranges = disk.bad_blocks()?.sectors.into();
    let Some(pages) = read_poison_list(pmem)? else {
        return Ok(None);
    };
    let sectors: Vec<_> = pages
        .iter()
        .map(|range| range.start / SECTOR..range.end / SECTOR)
        .collect();
    let new = Ranges::from(sectors).without(&known);
    let count = |ranges: &Ranges, unit: u64| -> u64 {
        ranges
            .iter()
            .map(|range| (range.end - range.start).div_ceil(unit))
            .sum()
    };
    for range in new.iter() {
        if let Some(address) = disk.address().filter(|_| tell) {
            for sector in range
                .clone()
                .step_by(usize::try_from(PAGE / SECTOR).unwrap_or(1))
            {
                fail(address.saturating_add(sector.saturating_mul(SECTOR)))?;
            }
        }
        disk.list(range)?;
    }
    Ok(Some(Poison {
        named: count(&pages, PAGE),
        new: count(&new, PAGE / SECTOR),
    }))
}

/// Has the kernel deal with the failure of the page at this address.
fn fail(address: u64) -> Result<()> {
    const HARD_OFFLINE: &str = "/sys/devices/system/memory/hard_offline_page";
    match fs::write(HARD_OFFLINE, format!("{address:#x}")) {
        // The kernel's word for a page that nobody has.
        Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => Ok(()),
        result => result.map_err(|error| Error::from(error).about(HARD_OFFLINE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn two() -> Identity {
        Identity {
            region: "region0".to_owned(),
            start: 0x10_0000_0000,
            granularity: 256,
            memdevs: vec!["mem1".to_owned(), "mem0".to_owned()],
            serials: vec![0xabcd_0001, 0xabcd_0002],
        }
    }

    fn line(region: &str, kind: &str, hpa: &str, length: &str) -> String {
        format!(
            "  sh-93  [000] ..... 9.1: cxl_poison: memdev=mem0 host=0000:0d:00.0 serial=2 trace_type={kind} \
             region={region} region_uuid=x hpa={hpa} hpa_alias0=0xffffffffffffffff dpa=0x0 dpa_length={length} \
             source=Injected flags= overflow_time=0\n"
        )
    }

    #[test]
    fn what_the_trace_says() {
        let mut one = two();
        one.memdevs.truncate(1);
        let trace = line("region0", "List", "0x1000001000", "0x80")
            + &line("region1", "List", "0x1000002000", "0x40")
            + &line("region0", "Clear", "0x1000003000", "0x40")
            + &line("region0", "List", "0xffffffffffffffff", "0x40");
        let found = poisoned(&trace, &one).unwrap();
        assert_eq!(found, [0x10_0000_1000..0x10_0000_1080]);
        let bad = line("region0", "List", "here", "0x40");
        assert!(poisoned(&bad, &one).is_err());
        assert!(poisoned("", &one).unwrap().is_empty());
    }

    #[test]
    fn a_range_that_two_devices_share() {
        let at = two().start;
        let runs = spread(at + 0xc0, 0x180, &two());
        assert_eq!(
            runs,
            [
                at + 0xc0..at + 0x100,
                at + 0x200..at + 0x300,
                at + 0x400..at + 0x440
            ]
        );
    }

    #[test]
    fn whose_bytes_they_are() {
        let at = two().start;
        assert_eq!(two().with(&(at..at + 64)), [0xabcd_0001]);
        assert_eq!(two().with(&(at + 0x100..at + 0x140)), [0xabcd_0002]);
        assert_eq!(
            two().with(&(at + 0x300..at + 0x1300)),
            [0xabcd_0002, 0xabcd_0001]
        );
        let nobody = Identity {
            serials: Vec::new(),
            ..two()
        };
        assert!(nobody.with(&(at..at + 64)).is_empty());
    }

    #[test]
    fn pages_of_the_device() {
        let lines = [0x1000..0x1040, 0x2fc0..0x3040, 0x9000..0x9040];
        let found: Vec<_> = pages(&lines, 0x2000, 0x4000).iter().cloned().collect();
        assert_eq!(found, [0..0x2000]);
    }

    #[test]
    fn who_a_device_is() {
        let dir = tempfile::tempdir().unwrap();
        let devices = dir.path();
        let file = |path: &str, text: &str| {
            let path = devices.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (name, text) in [
            ("resource", "0x1000000000\n"),
            ("size", "0x20000000\n"),
            ("interleave_ways", "2\n"),
            ("interleave_granularity", "256\n"),
            ("target0", "decoder3.0\n"),
            ("target1", "decoder2.0\n"),
        ] {
            file(&format!("region0/{name}"), text);
        }
        for (port, memdev, serial) in [(2, "mem0", "0xabcd0002\n"), (3, "mem1", "0xabcd0001\n")] {
            file(&format!("{memdev}/serial"), serial);
            file(&format!("endpoint{port}/decoder{port}.0/mode"), "pmem\n");
            let endpoint = devices.join(format!("endpoint{port}"));
            symlink(devices.join(memdev), endpoint.join("uport")).unwrap();
            symlink(
                endpoint.join(format!("decoder{port}.0")),
                devices.join(format!("decoder{port}.0")),
            )
            .unwrap();
        }
        assert_eq!(identity_at(devices, 0x10_0000_2000), Some(two()));
        assert_eq!(identity_at(devices, 0x20_0000_2000), None);
    }
}
