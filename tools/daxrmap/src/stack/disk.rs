// SPDX-License-Identifier: GPL-2.0

//! Disks, and the lists of bad blocks that their drivers keep.

use super::scan;
use crate::{
    abi::SECTOR,
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
use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    },
};

/// A file of sysfs is a page at most, and the kernel's zero at the end is of it.
const MOST: usize = 4095;

/// Tells all of a disk's list, in sectors; `None` if sysfs is to be read.
pub type Whole = fn(DeviceNumber) -> Result<Option<Ranges>>;

/// A disk.
#[derive(Debug)]
pub struct Disk {
    /// Its number.
    pub number: DeviceNumber,
    /// Number of bytes.
    pub size: u64,
    pub(super) dir: PathBuf,
    pub(super) whole: Whole,
}

/// A disk's list of bad blocks.
#[derive(Debug, Default)]
pub struct List {
    /// In sectors, in order.
    pub sectors: Vec<Range>,
    /// Why there may be more.
    pub more: Option<Error>,
}

impl Disk {
    /// Its name below /dev.
    pub fn name(&self) -> String {
        let name = self.dir.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The physical address of its first byte.
    pub fn address(&self) -> Option<u64> {
        let text = fs::read_to_string(self.dir.join("device/resource")).ok()?;
        let digits = text.trim_end().strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok()
    }

    /// Its list of bad blocks, from who can tell all of it. If that is nobody, from sysfs, and what that does
    /// not show is looked for on the device.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or makes no sense.
    pub fn bad_blocks(&self) -> Result<List> {
        // Not sysfs first: the kernel warns when a list is read there that is longer than it can show.
        if let Some(all) = (self.whole)(self.number)? {
            return Ok(List {
                sectors: all.iter().cloned().collect(),
                more: None,
            });
        }
        let path = self.dir.join("badblocks");
        let text = fs::read_to_string(&path).map_err(|error| Error::from(error).about(&path))?;
        let mut list = list(&text).map_err(|error| error.about(&path))?;
        let Some(more) = list.more.take() else {
            return Ok(list);
        };
        let end = list.sectors.last().map_or(0, |range| range.end);
        let device = Path::new("/dev").join(self.dir.file_name().unwrap_or_default());
        match scan::unreadable(&device, end.saturating_mul(SECTOR)..self.size) {
            Ok(found) => {
                let sectors = found.iter();
                list.sectors
                    .extend(sectors.map(|range| range.start / SECTOR..range.end / SECTOR));
            }
            Err(_) => list.more = Some(more.about(path)),
        }
        Ok(list)
    }

    /// Puts sectors on its list.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if the list is full.
    pub fn list(&self, sectors: &Range) -> Result<()> {
        let path = self.dir.join("badblocks");
        let line = format!("{} {}\n", sectors.start, sectors.end - sectors.start);
        // All of it in one write(2), which is what the kernel wants.
        fs::write(&path, line).map_err(|error| Error::from(error).about(path))
    }
}

/// The list as sysfs has it: a line with sector and count for each range.
fn list(text: &str) -> Result<List> {
    let mut list = List::default();
    let cut = text.len() >= MOST;
    for line in text.split_inclusive('\n') {
        // What is behind the end of the last line is a part of one.
        let Some(line) = line.strip_suffix('\n') else {
            if cut {
                break;
            }
            return Err(no_sense(line));
        };
        let range = line
            .split_once(' ')
            .and_then(|(sector, count)| {
                let sector: u64 = sector.parse().ok()?;
                Some(sector..sector.checked_add(count.parse().ok()?)?)
            })
            .ok_or_else(|| no_sense(line))?;
        list.sectors.push(range);
    }
    if cut {
        let end = list.sectors.last().map_or(0, |range| range.end);
        list.more = Some(Error::new(format!(
            "the kernel shows only the first page of this list: what is bad behind sector {end} is not known"
        )));
    }
    Ok(list)
}

fn no_sense(line: &str) -> Error {
    Error::new(format!("a line that makes no sense: {line:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list() {
        assert!(list("").unwrap().sectors.is_empty());
        let two = list("8 16\n4096 1\n").unwrap();
        assert_eq!(two.sectors, [8..24, 4096..4097]);
        assert!(two.more.is_none());
        for bad in ["8\n", "8 x\n", "-8 1\n", "18446744073709551615 1\n", "8 1"] {
            assert!(list(bad).is_err(), "{bad}");
        }
    }

    /// What the kernel shows of a list that is longer than a page.
    #[test]
    fn a_list_that_is_cut_off() {
        let whole = (0..512)
            .map(|i| format!("{} 8\n", 1_000_000 + 16 * i))
            .collect::<Vec<_>>()
            .concat();
        let cut = list(&whole[..MOST]).unwrap();
        assert_eq!(cut.sectors.len(), MOST / 10);
        let more = cut.more.unwrap().to_string();
        let end = 1_000_000 + 16 * (cut.sectors.len() as u64 - 1) + 8;
        assert!(
            more.ends_with(&format!("behind sector {end} is not known")),
            "{more}"
        );
        // As long as can be, and the last line is whole: there may be more.
        let full = "10 8\n".repeat(819);
        assert_eq!(full.len(), MOST);
        assert!(list(&full).unwrap().more.is_some());
    }
}
