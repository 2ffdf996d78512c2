// SPDX-License-Identifier: GPL-2.0

//! What is below a mount: from the block device that it is on, through partitions and device-mapper, to
//! the disks that keep lists of bad blocks; and which bytes are which.

mod disk;
mod scan;
mod sysfs;

pub use disk::{
    Disk,
    Whole, //
};
pub use sysfs::{
    Kind,
    Sysfs, //
};

use crate::{
    abi::SECTOR,
    dm,
    error::{
        Error,
        Result, //
    },
    number::DeviceNumber,
    ranges::{
        Range,
        Ranges, //
    },
};

/// Devices on devices, before we believe that there is no end to them.
const DEPTH: u32 = 32;
/// Memory fails by pages: a bad sector takes the whole of its page.
const PAGE: u64 = 4096;

/// A device, by what its bytes are.
#[derive(Debug)]
enum Layer {
    /// A disk, by its number in `disks`.
    Disk(usize),
    /// Parts of others.
    Parts(Vec<Part>),
}

/// A part of a device: as [`dm::Target`], with the devices themselves.
#[derive(Debug)]
struct Part {
    start: u64,
    length: u64,
    chunk: u64,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    layer: Layer,
    at: u64,
}

/// A block device with all that is below it.
#[derive(Debug)]
pub struct Stack {
    size: u64,
    top: Layer,
    disks: Vec<Disk>,
}

/// What the disks list as bad.
#[derive(Debug, Default)]
pub struct Bad {
    /// In bytes of the device on top, whole pages.
    pub ranges: Ranges,
    /// Why there may be more.
    pub errors: Vec<Error>,
}

impl Stack {
    /// Looks what is below `device`. `table` tells the table of a device-mapper device.
    ///
    /// # Errors
    ///
    /// If there is something that cannot be seen through, or a disk that keeps no list.
    pub fn new(
        device: DeviceNumber,
        sysfs: &Sysfs,
        table: &mut dyn FnMut(DeviceNumber) -> Result<Vec<dm::Line>>,
    ) -> Result<Self> {
        let mut disks = Vec::new();
        let top = look(device, sysfs, table, &mut disks, DEPTH)?;
        let size = sysfs.block(device)?.size()?;
        Ok(Self { size, top, disks })
    }

    /// Number of bytes of the device on top.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What the disks list as bad now.
    ///
    /// # Errors
    ///
    /// If a list cannot be read.
    pub fn bad(&self) -> Result<Bad> {
        let mut bad = Bad::default();
        let mut ranges = Vec::new();
        for (i, disk) in self.disks.iter().enumerate() {
            let list = disk.bad_blocks()?;
            bad.errors.extend(list.more);
            for range in list.sectors {
                let start = range.start.saturating_mul(SECTOR) / PAGE * PAGE;
                let end = range.end.saturating_mul(SECTOR).div_ceil(PAGE);
                self.top.up(i, start..end.saturating_mul(PAGE), &mut ranges);
            }
        }
        bad.ranges = ranges.into();
        Ok(bad)
    }

    /// The disks.
    pub fn disks(&self) -> &[Disk] {
        &self.disks
    }

    /// The disk that has this byte, where, and how many bytes from it on follow each other there and here;
    /// `None` if it is behind the end.
    pub fn down(&self, byte: u64) -> Option<(&Disk, u64, u64)> {
        let (disk, at, together) = self.top.down(byte)?;
        let disk = &self.disks[disk];
        let left = disk.size.checked_sub(at).filter(|&left| left != 0)?;
        Some((disk, at, together.min(left)))
    }

    /// One that is a disk.
    #[cfg(test)]
    pub(crate) fn for_test(name: &str, size: u64) -> Self {
        Self {
            size,
            top: Layer::Disk(0),
            disks: vec![Disk {
                number: DeviceNumber {
                    major: 259,
                    minor: 0,
                },
                size,
                dir: std::path::Path::new("/sys/block").join(name),
                whole: |_| Ok(None),
            }],
        }
    }

    /// The page frame of this byte; `None` if it is behind the end, or nobody says.
    pub fn pfn(&self, byte: u64) -> Option<u64> {
        let (disk, byte, _) = self.top.down(byte)?;
        Some(self.disks[disk].address()?.checked_add(byte)? / PAGE)
    }

    /// Which bytes have this page frame: mostly one page, or none.
    pub fn with_pfn(&self, pfn: u64) -> Vec<Range> {
        let mut found = Vec::new();
        for (i, disk) in self.disks.iter().enumerate() {
            let byte = disk
                .address()
                .and_then(|address| pfn.checked_mul(PAGE)?.checked_sub(address));
            if let Some(byte) = byte.filter(|&byte| byte < disk.size) {
                self.top.up(i, byte..byte.saturating_add(PAGE), &mut found);
            }
        }
        found
    }
}

fn look(
    device: DeviceNumber,
    sysfs: &Sysfs,
    table: &mut dyn FnMut(DeviceNumber) -> Result<Vec<dm::Line>>,
    disks: &mut Vec<Disk>,
    depth: u32,
) -> Result<Layer> {
    let dir = sysfs.block(device)?;
    let here = |error: Error| error.about(dir.name());
    let Some(depth) = depth.checked_sub(1) else {
        return Err(here(Error::new("there is no end to what is below it")));
    };
    Ok(match dir.kind().map_err(here)? {
        Kind::Disk => {
            let known = disks.iter().position(|disk| disk.number == device);
            Layer::Disk(match known {
                Some(known) => known,
                None => {
                    disks.push(dir.disk(device).map_err(here)?);
                    disks.len() - 1
                }
            })
        }
        Kind::Partition { of, start, length } => Layer::Parts(vec![Part {
            start: 0,
            length,
            chunk: length.max(1),
            places: vec![Place {
                layer: look(of, sysfs, table, disks, depth)?,
                at: start,
            }],
        }]),
        Kind::Mapped => {
            let lines = table(device).map_err(here)?;
            let mut parts = Vec::new();
            for line in lines {
                let target = line.understood().map_err(here)?;
                let mut places = Vec::new();
                for (device, at) in target.places {
                    let layer = look(device, sysfs, table, disks, depth)?;
                    places.push(Place { layer, at });
                }
                parts.push(Part {
                    start: target.start,
                    length: target.length,
                    chunk: target.chunk,
                    places,
                });
            }
            Layer::Parts(parts)
        }
    })
}

impl Layer {
    /// Adds to `found` which bytes of this are those of a disk.
    fn up(&self, disk: usize, range: Range, found: &mut Vec<Range>) {
        match self {
            Self::Disk(this) if *this == disk => found.push(range),
            Self::Disk(_) => {}
            Self::Parts(parts) => {
                for part in parts {
                    part.up(disk, &range, found);
                }
            }
        }
    }

    /// The disk that has this byte of it, where, and how many bytes follow each other there.
    fn down(&self, byte: u64) -> Option<(usize, u64, u64)> {
        let parts = match self {
            Self::Disk(disk) => return Some((*disk, byte, u64::MAX)),
            Self::Parts(parts) => parts,
        };
        parts.iter().find_map(|part| {
            let byte = byte
                .checked_sub(part.start)
                .filter(|&byte| byte < part.length)?;
            let ways = part.places.len() as u64;
            let (chunk, in_chunk) = (byte / part.chunk, byte % part.chunk);
            let place = &part.places[(chunk % ways) as usize];
            let below = place.at + chunk / ways * part.chunk + in_chunk;
            let (disk, at, together) = place.layer.down(below)?;
            let left = (part.chunk - in_chunk).min(part.length - byte);
            Some((disk, at, together.min(left)))
        })
    }
}

impl Part {
    fn up(&self, disk: usize, range: &Range, found: &mut Vec<Range>) {
        let ways = self.places.len() as u64;
        let width = self.length / ways;
        for (way, place) in (0..).zip(&self.places) {
            let mut below = Vec::new();
            place.layer.up(disk, range.clone(), &mut below);
            for range in below {
                let start = range.start.max(place.at);
                let end = range.end.min(place.at + width);
                if start >= end {
                    continue;
                }
                // In bytes of this place, chunk by chunk.
                let (mut at, end) = (start - place.at, end - place.at);
                while at < end {
                    let chunk = at / self.chunk;
                    let next = end.min((chunk + 1).saturating_mul(self.chunk));
                    let from = self.start + (chunk * ways + way) * self.chunk + at % self.chunk;
                    found.push(from..from + (next - at));
                    at = next;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
