// SPDX-License-Identifier: GPL-2.0

//! The guard of the module, as /dev/daxrmap lets it be asked, and what is kept for it from boot to boot.
//!
//! - [`contents`]: what is on a device, and whether it may be held. [`bad`]: a driver's list of bad blocks.
//! - [`lists`]: lists of bad blocks that a driver forgets. [`wrap`]: device-mapper devices over an XFS.
//!   [`state`]: the file where both are written down.

pub mod bad;
pub mod contents;
pub mod lists;
pub mod state;
pub mod wrap;

use crate::{
    abi::{
        self,
        Events,
        Guard,
        GuardDevice,
        GuardHold,
        GuardUncovered,
        Scrub, //
    },
    error::{
        bad_answer,
        Error,
        Result, //
    },
    number::DeviceNumber,
    sys::{
        self,
        Buffer,
        Plain, //
    },
};
use rustix::ioctl::Opcode;
use std::{
    fs::{
        File,
        OpenOptions, //
    },
    io,
    os::fd::{
        AsFd,
        OwnedFd, //
    },
};

/// Whom to ask.
const CONTROL: &str = "/dev/daxrmap";
/// More devices than there can be: the kernel goes round in circles.
const MOST_DEVICES: usize = 1 << 16;
/// More ranges than the kernel keeps.
const MOST_RANGES: usize = 1 << 20;

/// The guard, to be asked.
#[derive(Debug)]
pub struct Control(File);

impl Control {
    /// Opens /dev/daxrmap.
    ///
    /// # Errors
    ///
    /// If the module is not loaded, or we may not.
    pub fn open() -> Result<Self> {
        let there = Self::open_if_there()?;
        there.ok_or_else(|| {
            Error::new("there is no such device: load the module first (modprobe daxrmap)")
                .about(CONTROL)
        })
    }

    /// Opens /dev/daxrmap; `None` if the module is not loaded.
    ///
    /// # Errors
    ///
    /// If we may not.
    fn open_if_there() -> Result<Option<Self>> {
        match OpenOptions::new().read(true).write(true).open(CONTROL) {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::from(error).about(CONTROL)),
        }
    }

    fn ask<H: Plain>(&self, request: Opcode, head: &H) -> Result<H> {
        let mut buffer = Buffer::<H, u64>::new(head, 0);
        match sys::ioctl(self.0.as_fd(), request, &mut buffer) {
            Ok(()) => Ok(H::read_from_bytes(buffer.head().as_bytes()).expect("it is as long")),
            Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => Err(Error::new(
                "the module in the kernel does not know this request, being of another version",
            )
            .about(CONTROL)),
            Err(error) => Err(error.into()),
        }
    }

    /// Watches for memory failures, or does not.
    ///
    /// # Errors
    ///
    /// Those of the module.
    pub fn watch(&self, on: bool) -> Result<()> {
        // A number of four bytes, in the first half of a word, as this machine has it.
        self.ask(abi::DAXRMAP_IOC_GUARD_SET, &[u32::from(on), 0])
            .map(drop)
            .map_err(|error| error.about(CONTROL))
    }

    /// How the guard is.
    ///
    /// # Errors
    ///
    /// Those of the module.
    pub fn status(&self) -> Result<Guard> {
        self.ask(abi::DAXRMAP_IOC_GUARD_STATUS, &Guard::default())
            .map_err(|error| error.about(CONTROL))
    }

    /// All devices that it knows of.
    ///
    /// # Errors
    ///
    /// If the module's answer makes no sense.
    pub fn devices(&self) -> Result<Vec<GuardDevice>> {
        devices(|last| {
            let question = GuardDevice {
                major: last.major,
                minor: last.minor,
                ..GuardDevice::default()
            };
            self.ask(abi::DAXRMAP_IOC_GUARD_DEVICE, &question)
        })
        .map_err(|error| error.about(CONTROL))
    }

    /// The pages of a device that failed and are not on the driver's list: first one, and how many.
    ///
    /// # Errors
    ///
    /// If the module's answer makes no sense.
    pub fn uncovered(&self, device: DeviceNumber) -> Result<Vec<(u64, u64)>> {
        let mut ranges = Vec::new();
        for index in 0.. {
            let question = GuardUncovered {
                major: device.major,
                minor: device.minor,
                index,
                ..GuardUncovered::default()
            };
            match self.ask(abi::DAXRMAP_IOC_GUARD_UNCOVERED, &question) {
                Ok(answer) => ranges.push((answer.page, answer.count)),
                // The device may be gone meanwhile.
                Err(error)
                    if [libc::ENOENT, libc::ENODEV]
                        .map(Some)
                        .contains(&error.errno()) =>
                {
                    break
                }
                Err(error) => return Err(error.about(CONTROL)),
            }
            if ranges.len() > MOST_RANGES {
                return Err(bad_answer("ranges without end").about(CONTROL));
            }
        }
        Ok(ranges)
    }

    /// Reads pages of a disk, some of these at least, and says what it has found.
    ///
    /// # Errors
    ///
    /// If it is no fsdax device, or goes meanwhile.
    pub fn scrub(&self, device: DeviceNumber, page: u64, count: u64) -> Result<Scrub> {
        let question = Scrub {
            major: device.major,
            minor: device.minor,
            page,
            count,
            ..Scrub::default()
        };
        self.ask(abi::DAXRMAP_IOC_SCRUB, &question)
            .map_err(|error| match error.errno() {
                Some(libc::ENODEV) => Error::new("what is below it is no disk in fsdax mode"),
                Some(libc::ENXIO) => Error::new("the device is gone"),
                Some(libc::EOPNOTSUPP) => {
                    Error::new("this CPU could not survive what is to be found")
                }
                _ => error,
            })
    }

    /// Has events delivered of every device, from now on.
    ///
    /// # Errors
    ///
    /// Those of the module.
    pub fn events(&self) -> Result<OwnedFd> {
        let question = Events {
            version: abi::DAXRMAP_EVENTS_VERSION,
            records: abi::DAXRMAP_EVENTS_MAX,
            ..Events::default()
        };
        let fd = sys::ioctl_for_fd(self.0.as_fd(), abi::DAXRMAP_IOC_EVENTS, &question);
        fd.map_err(|error| match error.raw_os_error() {
            Some(libc::ENOTTY) => Error::new(
                "the module in the kernel does not know this request, being of another version",
            ),
            _ => error.into(),
        })
        .map_err(|error: Error| error.about(CONTROL))
    }

    /// Becomes the holder of a device, whatever is on it: who asks knows that.
    ///
    /// # Errors
    ///
    /// If it has one, or is no fsdax device.
    pub fn hold(&self, device: DeviceNumber) -> Result<()> {
        let question = GuardHold {
            major: device.major,
            minor: device.minor,
            flags: abi::DAXRMAP_GUARD_FORCE,
            reserved: 0,
        };
        match self.ask(abi::DAXRMAP_IOC_GUARD_HOLD, &question) {
            Ok(_) => Ok(()),
            Err(error) => Err(why_not(error)),
        }
    }

    /// Is it no more.
    ///
    /// # Errors
    ///
    /// If it was not.
    pub fn release(&self, device: DeviceNumber) -> Result<()> {
        let question = GuardHold {
            major: device.major,
            minor: device.minor,
            ..GuardHold::default()
        };
        match self.ask(abi::DAXRMAP_IOC_GUARD_RELEASE, &question) {
            Ok(_) => Ok(()),
            Err(error) if error.errno() == Some(libc::ENOENT) => {
                Err(Error::new("the guard does not hold it"))
            }
            Err(error) => Err(why_not(error)),
        }
    }
}

/// All devices: `next` tells that behind the one that it is given, the first one behind zeroes.
fn devices(mut next: impl FnMut(&GuardDevice) -> Result<GuardDevice>) -> Result<Vec<GuardDevice>> {
    let mut all = Vec::new();
    let mut last = GuardDevice::default();
    loop {
        last = match next(&last) {
            Ok(device) => device,
            Err(error) if error.errno() == Some(libc::ENODEV) => return Ok(all),
            Err(error) => return Err(error),
        };
        let known = |one: &GuardDevice| (one.major, one.minor) == (last.major, last.minor);
        if all.len() >= MOST_DEVICES || all.iter().any(known) || last.major == 0 {
            return Err(bad_answer("devices without end"));
        }
        all.push(last);
    }
}

/// What the module's refusal means.
fn why_not(error: Error) -> Error {
    let text = match error.errno() {
        Some(libc::ENODEV) => "it is no disk in fsdax mode",
        Some(libc::EBUSY) => {
            "a filesystem that is mounted on it holds it itself (XFS and daxrmap do): \
             `daxrmap guard on` watches it all the same"
        }
        Some(libc::EALREADY) => "the guard holds it already",
        _ => return error,
    };
    Error::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errno(number: i32) -> Error {
        io::Error::from_raw_os_error(number).into()
    }

    #[test]
    fn all_devices() {
        let minors = [3, 1, 7];
        let found = devices(|last| {
            let at = minors
                .iter()
                .position(|&minor| (259, minor) == (last.major, last.minor));
            let next = at.map_or(0, |at| at + 1);
            let minor = *minors.get(next).ok_or_else(|| errno(libc::ENODEV))?;
            Ok(GuardDevice {
                major: 259,
                minor,
                ..GuardDevice::default()
            })
        });
        let found: Vec<_> = found.unwrap().iter().map(|device| device.minor).collect();
        assert_eq!(found, minors);
    }

    #[test]
    fn answers_that_cannot_be() {
        let same = GuardDevice {
            major: 259,
            ..GuardDevice::default()
        };
        assert!(devices(|_| Ok(same)).is_err());
        assert!(devices(|_| Ok(GuardDevice::default())).is_err());
        assert!(devices(|_| Err(errno(libc::EIO))).is_err());
    }

    #[test]
    fn refusals() {
        let why = |number| why_not(errno(number)).to_string();
        assert!(why(libc::EBUSY).contains("guard on"));
        assert_eq!(why(libc::EALREADY), "the guard holds it already");
        assert_eq!(why(libc::EIO), "Input/output error");
    }
}
