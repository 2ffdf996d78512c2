// SPDX-License-Identifier: GPL-2.0

//! Lists of bad blocks that a driver forgets: those of memory that the firmware just calls persistent
//! ("e820"), and of memory behind CXL, at each boot, and whenever the driver is bound anew. An NVDIMM (NFIT)
//! keeps its own. (A CXL device keeps a list as well, but the driver's has more: what events and machine checks have
//! told of. It is known again by its namespace's uuid, as its region is made anew and may be elsewhere.)
//!
//! A list that is in the kernel now is the truth only if what was written down has been put back into it.
//! Else it is new, and what is written down is true as well. [`SavedList::life`] tells which it is.

use super::state::{
    Identity,
    SavedList,
    State, //
};
use crate::{
    cxl,
    error::{
        Error,
        Result, //
    },
    ranges::{
        Range,
        Ranges, //
    },
    stack::{
        Disk,
        Sysfs, //
    },
};
use std::fs;

/// What provides memory whose list is forgotten.
const FORGETFUL: [&str; 2] = ["e820", cxl::PROVIDER];

/// This machine, since it was booted.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its devices.
    pub sysfs: Sysfs,
    /// Another one after each boot.
    pub boot: String,
}

impl Machine {
    /// The one that we are on.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell one boot from another.
    pub fn this() -> Result<Self> {
        let path = "/proc/sys/kernel/random/boot_id";
        let boot = fs::read_to_string(path).map_err(|error| Error::from(error).about(path))?;
        Ok(Self {
            sysfs: Sysfs::default(),
            boot: boot.trim_end().to_owned(),
        })
    }
}

/// A device whose list is forgotten.
struct Forgetful {
    identity: Identity,
    disk: Disk,
    life: String,
}

/// Those that there are, in order.
fn forgetful(machine: &Machine) -> Result<Vec<Forgetful>> {
    let mut found = Vec::new();
    for name in machine.sysfs.pmem_disks() {
        let block = machine.sysfs.named(&name)?;
        let provider = block.provider().unwrap_or_default();
        if !FORGETFUL.contains(&provider.as_str()) {
            continue;
        }
        // Of the namespace, or of what makes it one with page structs.
        let uuid = block.read("device/uuid").ok();
        let uuid = uuid.filter(|_| provider == cxl::PROVIDER);
        let disk = block.disk(block.device()?)?;
        let Some(address) = disk.address() else {
            return Err(Error::new("sysfs does not say where its memory is").about(name));
        };
        found.push(Forgetful {
            identity: Identity {
                device: name,
                size: disk.size,
                address: if uuid.is_some() { 0 } else { address },
                uuid,
            },
            disk,
            // A disk that was bound anew has another number.
            life: format!(
                "{} {}",
                machine.boot,
                block.read("diskseq").unwrap_or_default()
            ),
        });
    }
    Ok(found)
}

fn ranges(sectors: &[(u64, u64)]) -> Vec<Range> {
    let range = |&(start, count): &(u64, u64)| start..start.saturating_add(count);
    sectors.iter().map(range).collect()
}

fn sectors(ranges: &Ranges) -> Vec<(u64, u64)> {
    let range = |range: &Range| (range.start, range.end - range.start);
    ranges.iter().map(range).collect()
}

/// Writes the lists of all such devices into `state`. Returns what is incomplete.
///
/// # Errors
///
/// If a list cannot be read.
pub fn save(machine: &Machine, state: &mut State) -> Result<Vec<Error>> {
    let mut errors = Vec::new();
    for device in forgetful(machine)? {
        let list = device.disk.bad_blocks()?;
        let mut bad = list.sectors;
        let saved = state
            .lists
            .iter()
            .position(|saved| saved.of == device.identity);
        if let Some(saved) = saved.map(|at| &state.lists[at]) {
            let known = ranges(&saved.sectors);
            if saved.life != device.life {
                bad.extend(known);
            } else if let Some(shown) = list.more.as_ref().map(|_| bad.last().cloned()) {
                // What the kernel does not show may well still be there.
                let end = shown.map_or(0, |last| last.end);
                let behind = known.into_iter().filter(|range| range.end > end);
                bad.extend(behind.map(|range| range.start.max(end)..range.end));
            }
        }
        errors.extend(list.more);
        let sectors = sectors(&bad.into());
        match saved {
            Some(at) => state.lists[at].sectors = sectors,
            None if sectors.is_empty() => {}
            None => state.lists.push(SavedList {
                of: device.identity,
                life: device.life,
                sectors,
            }),
        }
    }
    state.lists.retain(|saved| !saved.sectors.is_empty());
    Ok(errors)
}

/// Puts the lists in `state` back, and notes that they are there. Returns what could not be put back.
///
/// # Errors
///
/// If there is no telling which devices there are.
pub fn restore(machine: &Machine, state: &mut State) -> Result<Vec<Error>> {
    let mut errors = Vec::new();
    let devices = forgetful(machine)?;
    for saved in &mut state.lists {
        let found = devices.iter().find(|device| device.identity == saved.of);
        let Some(device) = found else {
            errors.push(Error::new(format!(
                "the device of this name, with {} bytes at {:#x}, is not there: its list is not put back",
                saved.of.size, saved.of.address
            )).about(&saved.of.device));
            continue;
        };
        // It was put back already: what is on it no more was healed since.
        if saved.life == device.life {
            continue;
        }
        let failed = ranges(&saved.sectors)
            .iter()
            .filter_map(|range| device.disk.list(range).err())
            .last();
        match failed {
            None => saved.life.clone_from(&device.life),
            Some(error) => errors.push(error),
        }
    }
    Ok(errors)
}

#[cfg(test)]
mod tests;
