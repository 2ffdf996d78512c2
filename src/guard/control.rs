// SPDX-License-Identifier: GPL-2.0

//! What the tools ask of the guard: ioctls on `/dev/daxrmap`.
//!
//! C header: include/uapi/daxrmap.h.
//!
//! # Locking
//!
//! None; what is called here has its locks.

use super::{
    device::Guarded,
    scrub,
    Guard, //
};
use crate::{
    bindings::{
        daxrmap_guard as Status,
        daxrmap_guard_bad as Bad,
        daxrmap_guard_device as DeviceStatus,
        daxrmap_guard_hold as HoldArg,
        daxrmap_guard_uncovered as Uncovered,
        DAXRMAP_GUARD_CXL as CXL,
        DAXRMAP_GUARD_FORCE as FORCE,
        DAXRMAP_GUARD_HELD as HELD,
        DAXRMAP_GUARD_OWN as OWN,
        DAXRMAP_GUARD_WATCH as WATCH,
        DAXRMAP_IOC_EVENTS,
        DAXRMAP_IOC_GUARD_BAD,
        DAXRMAP_IOC_GUARD_DEVICE,
        DAXRMAP_IOC_GUARD_HOLD,
        DAXRMAP_IOC_GUARD_RELEASE,
        DAXRMAP_IOC_GUARD_SET,
        DAXRMAP_IOC_GUARD_STATUS,
        DAXRMAP_IOC_GUARD_UNCOVERED,
        DAXRMAP_IOC_SCRUB, //
    },
    support::{
        is_admin,
        plain,
        Answer, //
    },
    vfs::Dev,
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

plain!(Status {
    flags: u32,
    devices: u32,
    events: u64,
    dropped: u64,
    cxl_records: u64,
    cxl_losses: u64,
    cxl_overflows: u64,
    reserved: [u64; 2]
});
plain!(DeviceStatus {
    major: u32,
    minor: u32,
    flags: u32,
    reserved0: u32,
    name: [u8; 32],
    first_pfn: u64,
    pages: u64,
    events: u64,
    failed_pages: u64,
    owners: u64,
    owners_mapped: u64,
    signalled: u64,
    joined: u64,
    uncovered: u64,
    cxl: u64,
    reserved: [u64; 6]
});
plain!(HoldArg {
    major: u32,
    minor: u32,
    flags: u32,
    reserved: u32
});
plain!(Bad {
    major: u32,
    minor: u32,
    index: u64,
    sector: u64,
    count: u64,
    reserved: [u64; 2]
});
plain!(Uncovered {
    major: u32,
    minor: u32,
    index: u64,
    page: u64,
    count: u64,
    reserved: [u64; 2]
});

impl Answer for Guard {
    fn ioctl(&self, cmd: u32, arg: usize) -> Result<c_int> {
        if !is_admin(true) {
            return Err(EPERM);
        }
        let arg = UserPtr::from_addr(arg);
        let done = match cmd {
            DAXRMAP_IOC_EVENTS => return self.shared.events.open(None, arg),
            DAXRMAP_IOC_GUARD_SET => self.set(arg),
            DAXRMAP_IOC_GUARD_STATUS => self.status(arg),
            DAXRMAP_IOC_GUARD_DEVICE => self.device(arg),
            DAXRMAP_IOC_GUARD_HOLD => self.hold(arg),
            DAXRMAP_IOC_GUARD_RELEASE => self.release(arg),
            DAXRMAP_IOC_GUARD_UNCOVERED => self.uncovered(arg),
            DAXRMAP_IOC_GUARD_BAD => self.bad(arg),
            DAXRMAP_IOC_SCRUB => scrub::scrub(self, arg),
            _ => Err(ENOTTY),
        };
        done.map(|()| 0)
    }
}

/// The number of a block device, from user space.
///
/// # Errors
///
/// `EINVAL` if there can be no such device.
fn number(major: u32, minor: u32) -> Result<Dev> {
    Dev::new(major, minor).ok_or(EINVAL)
}

/// What user space is told of a device.
fn snapshot(device: &Guarded) -> DeviceStatus {
    let dev = device.place.pmem.disk_number();
    let flag = |is: bool, flag: u32| if is { flag } else { 0 };
    let counters = &device.engine.counters;
    let (joined, uncovered) = device.place.list.joined_and_uncovered();
    let mut status = DeviceStatus {
        major: dev.major(),
        minor: dev.minor(),
        flags: flag(device.is_held(), HELD) | flag(device.is_own(), OWN),
        first_pfn: device.place.pfns.start,
        pages: device
            .place
            .pfns
            .end
            .saturating_sub(device.place.pfns.start),
        events: device.place.dealt.get(),
        failed_pages: counters.failed_blocks.get(),
        owners: counters.owners.get(),
        owners_mapped: counters.owners_mapped.get(),
        signalled: device.place.signalled.get(),
        joined,
        uncovered,
        cxl: device.place.cxl.get(),
        ..DeviceStatus::default()
    };
    let name = device.place.pmem.disk_name().to_bytes();
    // The last byte stays 0.
    let room = status.name.len().saturating_sub(1);
    for (to, from) in status.name.iter_mut().take(room).zip(name) {
        *to = *from;
    }
    status
}

impl Guard {
    /// # Errors
    ///
    /// `EINVAL` if it is neither 0 nor 1; those of [`Watch::start`](super::watch::Watch::start); `EFAULT`.
    fn set(&self, arg: UserPtr) -> Result {
        let on: u32 = UserSlice::new(arg, size_of::<u32>()).reader().read()?;
        match on {
            0 => self.watch.stop(),
            1 => self.watch.start()?,
            _ => return Err(EINVAL),
        }
        Ok(())
    }

    /// # Errors
    ///
    /// `EFAULT`.
    fn status(&self, arg: UserPtr) -> Result {
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let cxl = &self.shared.cxl;
        let status = Status {
            flags: flag(self.watch.is_on(), WATCH) | flag(self.watch.hears_cxl(), CXL),
            devices: self.devices.count(),
            events: self.shared.heard.load(Relaxed),
            dropped: self.shared.dropped.load(Relaxed),
            cxl_records: cxl.records.load(Relaxed),
            cxl_losses: cxl.losses.load(Relaxed),
            cxl_overflows: cxl.overflows.load(Relaxed),
            ..Status::default()
        };
        UserSlice::new(arg, size_of::<Status>())
            .writer()
            .write(&status)
    }

    /// # Errors
    ///
    /// `ENODEV` if there are no more; `EINVAL`, `EFAULT`.
    fn device(&self, arg: UserPtr) -> Result {
        let (mut reader, mut writer) =
            UserSlice::new(arg, size_of::<DeviceStatus>()).reader_writer();
        let asked: DeviceStatus = reader.read()?;
        if asked.reserved0 != 0 || asked.reserved.iter().any(|&word| word != 0) {
            return Err(EINVAL);
        }
        let after = match (asked.major, asked.minor) {
            (0, 0) => None,
            (major, minor) => Some(number(major, minor)?),
        };
        let device = self.devices.next(after).ok_or(ENODEV)?;
        writer.write(&snapshot(&device))
    }

    /// # Errors
    ///
    /// `ENODEV` if it is no fsdax device; those of [`Guarded::hold`]; `EINVAL`, `EFAULT`.
    fn hold(&self, arg: UserPtr) -> Result {
        let asked: HoldArg = UserSlice::new(arg, size_of::<HoldArg>()).reader().read()?;
        if asked.flags & !FORCE != 0 || asked.reserved != 0 {
            return Err(EINVAL);
        }
        let device = self.devices.get(number(asked.major, asked.minor)?)?;
        device.hold(asked.flags & FORCE != 0)
    }

    /// # Errors
    ///
    /// `ENODEV` if it is no fsdax device, `ENOENT` if it is not held; `EINVAL`, `EFAULT`.
    fn release(&self, arg: UserPtr) -> Result {
        let asked: HoldArg = UserSlice::new(arg, size_of::<HoldArg>()).reader().read()?;
        if asked.flags != 0 || asked.reserved != 0 {
            return Err(EINVAL);
        }
        self.devices
            .get(number(asked.major, asked.minor)?)?
            .release()
    }

    /// # Errors
    ///
    /// `ENODEV` if it is no fsdax device, `ENOENT` if there are no more; `EINVAL`, `EFAULT`.
    fn uncovered(&self, arg: UserPtr) -> Result {
        let (mut reader, mut writer) = UserSlice::new(arg, size_of::<Uncovered>()).reader_writer();
        let asked: Uncovered = reader.read()?;
        if asked.reserved.iter().any(|&word| word != 0) {
            return Err(EINVAL);
        }
        let device = self.devices.get(number(asked.major, asked.minor)?)?;
        let pages = device.place.list.uncovered(asked.index).ok_or(ENOENT)?;
        writer.write(&Uncovered {
            page: pages.start,
            count: pages.end.saturating_sub(pages.start),
            ..asked
        })
    }

    /// # Errors
    ///
    /// `ENODEV` if it is no fsdax device, `ENOENT` if there are no more; `EINVAL`, `EFAULT`.
    fn bad(&self, arg: UserPtr) -> Result {
        let (mut reader, mut writer) = UserSlice::new(arg, size_of::<Bad>()).reader_writer();
        let asked: Bad = reader.read()?;
        if asked.reserved.iter().any(|&word| word != 0) {
            return Err(EINVAL);
        }
        let device = self.devices.get(number(asked.major, asked.minor)?)?;
        let sectors = device.place.pmem.bad_sectors(asked.index);
        let sectors = sectors.ok_or(ENOENT)?;
        writer.write(&Bad {
            sector: sectors.start,
            count: sectors.end.saturating_sub(sectors.start),
            ..asked
        })
    }
}
