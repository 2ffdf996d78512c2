// SPDX-License-Identifier: GPL-2.0

//! The tables of device-mapper: asked of /dev/mapper/control, as text, and what they mean.
//!
//! A table says which part of the device is which part of others. Only those whose bytes are all at one
//! place below, and can be found from there, are understood: `linear` and `striped`, of which LVM makes
//! the volumes that have DAX.

use crate::{
    abi::{
        DmIoctl,
        DmTargetSpec,
        DM_BUFFER_FULL_FLAG,
        DM_STATUS_TABLE_FLAG,
        DM_TABLE_STATUS,
        SECTOR, //
    },
    error::{
        bad_answer,
        Error,
        Result, //
    },
    number::DeviceNumber,
    sys::{
        self,
        Buffer, //
    },
};
use std::{
    fs::OpenOptions,
    os::fd::AsFd, //
};
use zerocopy::{
    FromBytes,
    IntoBytes, //
};

/// Whom to ask.
const CONTROL: &str = "/dev/mapper/control";
/// Words of room for a table, at first and at most.
const ROOM: u32 = 1 << 11;
const MOST: u32 = 1 << 21;

/// The argument of the request.
type Request = Buffer<DmIoctl, u64>;

/// A part of a device, as the kernel tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// First byte.
    pub start: u64,
    /// Number of bytes.
    pub length: u64,
    /// What does it.
    pub target: String,
    /// How.
    pub params: String,
}

/// Where the bytes of a part are: a device, and the first byte there.
pub type Place = (DeviceNumber, u64);

/// A part that is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// First byte.
    pub start: u64,
    /// Number of bytes.
    pub length: u64,
    /// Bytes that are in one place before the next place's turn comes. With one place, all of them.
    pub chunk: u64,
    /// The places.
    pub places: Vec<Place>,
}

/// The live table of a device.
///
/// # Errors
///
/// If there is nobody to ask, or the answer makes no sense.
pub fn table(device: DeviceNumber) -> Result<Vec<Line>> {
    let ask = || {
        let control = OpenOptions::new().read(true).write(true).open(CONTROL)?;
        let mut room = ROOM;
        loop {
            let mut request = Request::new(&question(device, room), room);
            sys::ioctl(control.as_fd(), DM_TABLE_STATUS, &mut request)?;
            if request.head().flags & DM_BUFFER_FULL_FLAG == 0 {
                return lines(&request);
            }
            if room >= MOST {
                return Err(bad_answer("a table without end"));
            }
            room *= 8;
        }
    };
    ask().map_err(|error: Error| error.about(CONTROL))
}

fn question(device: DeviceNumber, room: u32) -> DmIoctl {
    let head = size_of::<DmIoctl>() as u32;
    DmIoctl {
        version: [4, 0, 0],
        data_size: head + room * size_of::<u64>() as u32,
        data_start: head,
        flags: DM_STATUS_TABLE_FLAG,
        dev: device.encoded().into(),
        ..DmIoctl::default()
    }
}

/// The lines of the kernel's answer.
fn lines(request: &Request) -> Result<Vec<Line>> {
    let head = request.head();
    let start = (head.data_start as usize).checked_sub(size_of::<DmIoctl>());
    let data = request.records(request.room())?.as_bytes();
    let data = start
        .and_then(|start| data.get(start..))
        .ok_or_else(|| bad_answer("a table outside of its room"))?;
    let mut lines = Vec::new();
    let mut at = 0;
    for _ in 0..head.target_count {
        let rest = data.get(at..).unwrap_or_default();
        let (spec, params) = DmTargetSpec::read_from_prefix(rest)
            .map_err(|_| bad_answer("a table that is cut off"))?;
        let sectors = |n: u64| {
            n.checked_mul(SECTOR)
                .ok_or_else(|| bad_answer("a table with a range that cannot be"))
        };
        lines.push(Line {
            start: sectors(spec.sector_start)?,
            length: sectors(spec.length)?,
            target: text(&spec.target_type),
            params: text(params),
        });
        // From the start of the first one.
        at = spec.next as usize;
    }
    Ok(lines)
}

/// What is before the first zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

impl Line {
    /// What it means.
    ///
    /// # Errors
    ///
    /// If it is a target that is not understood: one whose bytes may be anywhere, or changed.
    pub fn understood(&self) -> Result<Target> {
        let makes_no_sense = || {
            Error::new(format!(
                "the table of device-mapper makes no sense: {} {}",
                self.target, self.params
            ))
        };
        let words: Vec<_> = self.params.split_ascii_whitespace().collect();
        let (chunk, places) = match self.target.as_str() {
            "linear" => (self.length, places(&words)),
            "striped" => {
                let [stripes, chunk, rest @ ..] = words.as_slice() else {
                    return Err(makes_no_sense());
                };
                let stripes: Option<usize> = stripes.parse().ok();
                let places = places(rest).filter(|places| Some(places.len()) == stripes);
                (sectors(chunk).unwrap_or(0), places)
            }
            other => {
                return Err(Error::new(format!(
                    "cannot tell which bytes of it are where below: its device-mapper target \
                     \"{other}\" is neither linear nor striped"
                )))
            }
        };
        let places = places.ok_or_else(makes_no_sense)?;
        let ways = places.len() as u64;
        let fits = self.start.checked_add(self.length).is_some()
            && self.length != 0
            && chunk != 0
            && match self.target.as_str() {
                "linear" => ways == 1,
                _ => ways != 0 && self.length % ways == 0 && (self.length / ways) % chunk == 0,
            }
            && places
                .iter()
                .all(|place| place.1.checked_add(self.length).is_some());
        if !fits {
            return Err(makes_no_sense());
        }
        Ok(Target {
            start: self.start,
            length: self.length,
            chunk,
            places,
        })
    }
}

fn sectors(text: &str) -> Option<u64> {
    text.parse::<u64>().ok()?.checked_mul(SECTOR)
}

/// Pairs of a device and a sector.
fn places(words: &[&str]) -> Option<Vec<Place>> {
    let pairs = words.chunks(2);
    pairs
        .map(|pair| match pair {
            [device, sector] => Some((device.parse().ok()?, sectors(sector)?)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(length: u64, target: &str, params: &str) -> Line {
        Line {
            start: 4 * SECTOR,
            length: length * SECTOR,
            target: target.to_owned(),
            params: params.to_owned(),
        }
    }

    fn number(major: u32, minor: u32) -> DeviceNumber {
        DeviceNumber { major, minor }
    }

    #[test]
    fn what_is_understood() {
        let linear = line(16, "linear", "259:0 2048").understood().unwrap();
        assert_eq!((linear.start, linear.length), (4 * SECTOR, 16 * SECTOR));
        assert_eq!(linear.chunk, linear.length);
        assert_eq!(linear.places, [(number(259, 0), 2048 * SECTOR)]);
        let striped = line(64, "striped", "2 8 259:0 0 259:1 16");
        let striped = striped.understood().unwrap();
        assert_eq!(striped.chunk, 8 * SECTOR);
        let places = [(number(259, 0), 0), (number(259, 1), 16 * SECTOR)];
        assert_eq!(striped.places, places);
    }

    #[test]
    fn what_is_not() {
        for (target, params) in [
            ("crypt", "aes-xts-plain64 :64:logon:x 0 259:0 0"),
            ("mirror", "core 1 1024 2 259:0 0 259:1 0"),
            ("thin", "253:0 1"),
            ("error", ""),
        ] {
            let error = line(64, target, params).understood().unwrap_err();
            let expected = format!("target \"{target}\" is neither linear nor striped");
            assert!(error.to_string().ends_with(&expected), "{error}");
        }
        for (length, target, params) in [
            (64, "linear", ""),
            (64, "linear", "259:0"),
            (64, "linear", "259:0 -1"),
            (64, "linear", "259:0 99999999999999999999"),
            (64, "linear", "/dev/pmem0 0"),
            (64, "linear", "259:0 0 259:1 0"),
            (0, "linear", "259:0 0"),
            (64, "striped", "2 8"),
            (64, "striped", "0 8"),
            (64, "striped", "2 0 259:0 0 259:1 0"),
            (64, "striped", "3 8 259:0 0 259:1 0"),
            (64, "striped", "2 7 259:0 0 259:1 0"),
            (65, "striped", "2 8 259:0 0 259:1 0"),
        ] {
            let error = line(length, target, params).understood().unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains("makes no sense"),
                "{target} {params}: {error}"
            );
        }
    }

    /// The kernel's answer, of targets of 8 sectors each, with this after their heads.
    fn answer(count: u32, specs: &[(&str, &str, u32)]) -> Result<Vec<Line>> {
        let mut request = Request::new(&question(number(253, 0), 64), 64);
        request.head_mut().target_count = count;
        let room = request.room_mut().as_mut_bytes();
        let mut at = 0;
        for (i, &(target, params, next)) in (0u64..).zip(specs) {
            let mut spec = DmTargetSpec {
                sector_start: 8 * i,
                length: 8,
                next,
                ..DmTargetSpec::default()
            };
            spec.target_type[..target.len()].copy_from_slice(target.as_bytes());
            let size = size_of::<DmTargetSpec>();
            room[at..at + size].copy_from_slice(spec.as_bytes());
            room[at + size..][..params.len()].copy_from_slice(params.as_bytes());
            at = next as usize;
        }
        lines(&request)
    }

    #[test]
    fn a_table() {
        let lines = answer(2, &[("linear", "259:0 0", 48), ("striped", "x", 96)]).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].start, lines[0].length), (0, 8 * SECTOR));
        assert_eq!(lines[0].target, "linear");
        assert_eq!(lines[0].params, "259:0 0");
        assert_eq!(lines[1].start, 8 * SECTOR);
        assert_eq!(
            (lines[1].target.as_str(), lines[1].params.as_str()),
            ("striped", "x")
        );
        assert!(answer(0, &[]).unwrap().is_empty());
    }

    #[test]
    fn answers_that_cannot_be() {
        assert!(answer(2, &[("linear", "259:0 0", 500)]).is_err());
        assert!(answer(2, &[("linear", "259:0 0", u32::MAX)]).is_err());
        let mut request = Request::new(&question(number(253, 0), 64), 64);
        request.head_mut().data_start = 0;
        assert!(lines(&request).is_err());
        request.head_mut().data_start = u32::MAX;
        assert!(lines(&request).is_err());
    }
}
