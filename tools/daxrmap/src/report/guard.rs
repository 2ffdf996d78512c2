// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap guard status` prints.

use crate::abi::{
    Guard,
    GuardDevice,
    DAXRMAP_GUARD_CXL,
    DAXRMAP_GUARD_HELD,
    DAXRMAP_GUARD_OWN,
    DAXRMAP_GUARD_WATCH, //
};
use serde::Serialize;
use std::fmt;

/// Pages of a device.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Pages {
    /// First one.
    pub page: u64,
    /// How many.
    pub count: u64,
}

/// A device that the guard knows of.
#[derive(Debug, Serialize)]
pub struct GuardDeviceReport {
    device: String,
    held: bool,
    own: bool,
    first_pfn: u64,
    pages: u64,
    events: u64,
    failed_pages: u64,
    owners: u64,
    owners_mapped: u64,
    signalled: u64,
    joined: u64,
    uncovered: u64,
    uncovered_pages: Vec<Pages>,
    /// Pages whose failure a CXL device has told of.
    cxl: u64,
    /// What tells the kernel of failures.
    told_by: String,
    /// Devices with an XFS that is the holder itself: this one, or partitions of it.
    xfs: Vec<String>,
}

impl GuardDeviceReport {
    /// What the kernel says, and what there is on it.
    pub fn new(
        numbers: &GuardDevice,
        uncovered: Vec<Pages>,
        xfs: Vec<String>,
        told_by: String,
    ) -> Self {
        let name = numbers.name.split(|&byte| byte == 0).next();
        Self {
            device: String::from_utf8_lossy(name.unwrap_or_default()).into_owned(),
            held: numbers.flags & DAXRMAP_GUARD_HELD != 0,
            own: numbers.flags & DAXRMAP_GUARD_OWN != 0,
            first_pfn: numbers.first_pfn,
            pages: numbers.pages,
            events: numbers.events,
            failed_pages: numbers.failed_pages,
            owners: numbers.owners,
            owners_mapped: numbers.owners_mapped,
            signalled: numbers.signalled,
            joined: numbers.joined,
            uncovered: numbers.uncovered,
            uncovered_pages: uncovered,
            cxl: numbers.cxl,
            told_by,
            xfs,
        }
    }
}

/// `daxrmap guard status`
#[derive(Debug, Serialize)]
pub struct GuardReport {
    watch: bool,
    events: u64,
    dropped: u64,
    /// Whether what CXL devices say is heard.
    hears_cxl: bool,
    cxl_records: u64,
    cxl_losses: u64,
    cxl_overflows: u64,
    devices: Vec<GuardDeviceReport>,
}

impl GuardReport {
    /// What the kernel says.
    pub fn new(numbers: &Guard, devices: Vec<GuardDeviceReport>) -> Self {
        Self {
            watch: numbers.flags & DAXRMAP_GUARD_WATCH != 0,
            events: numbers.events,
            dropped: numbers.dropped,
            hears_cxl: numbers.flags & DAXRMAP_GUARD_CXL != 0,
            cxl_records: numbers.cxl_records,
            cxl_losses: numbers.cxl_losses,
            cxl_overflows: numbers.cxl_overflows,
            devices,
        }
    }
}

impl fmt::Display for GuardReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "watch:            {}",
            if self.watch { "on" } else { "off" }
        )?;
        writeln!(f, "failures heard:   {}", self.events)?;
        writeln!(f, "dropped:          {}", self.dropped)?;
        writeln!(
            f,
            "CXL devices:      {}",
            if self.hears_cxl { "heard" } else { "not heard" }
        )?;
        writeln!(f, "CXL records:      {}", self.cxl_records)?;
        writeln!(f, "CXL failures:     {}", self.cxl_losses)?;
        if self.cxl_overflows != 0 {
            writeln!(
                f,
                "advice:           {} times a CXL device has said that its poison list is not complete",
                self.cxl_overflows
            )?;
        }
        for device in &self.devices {
            write!(f, "\n{device}")?;
        }
        Ok(())
    }
}

impl fmt::Display for GuardDeviceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.held, self.own) {
            (true, _) => "held",
            (_, true) => "a daxrmap filesystem, which needs no guard",
            _ => "not held",
        };
        writeln!(f, "device:           {}", self.device)?;
        writeln!(f, "state:            {state}")?;
        writeln!(f, "told of by:       {}", self.told_by)?;
        writeln!(f, "first pfn:        {:#x}", self.first_pfn)?;
        writeln!(f, "pages:            {}", self.pages)?;
        writeln!(f, "failures:         {}", self.events)?;
        writeln!(f, "failed pages:     {}", self.failed_pages)?;
        writeln!(f, "told by CXL:      {}", self.cxl)?;
        writeln!(f, "owners found:     {}", self.owners)?;
        writeln!(f, "owners mapped:    {}", self.owners_mapped)?;
        writeln!(f, "told by guard:    {}", self.signalled)?;
        writeln!(f, "good, but listed: {}", self.joined)?;
        writeln!(f, "not covered:      {}", self.uncovered)?;
        for Pages { page, count } in &self.uncovered_pages {
            match count {
                0 | 1 => writeln!(f, "not covered:      page {page}")?,
                _ => writeln!(
                    f,
                    "not covered:      pages {page} to {}",
                    page.saturating_add(count - 1)
                )?,
            }
        }
        for name in &self.xfs {
            writeln!(
                f,
                "advice:           XFS is on {name} itself, where it can deadlock when pages fail: \
                 daxrmap guard wrap /dev/{name}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::*,
        *, //
    };

    fn status() -> GuardReport {
        let mut device = GuardDevice {
            major: 259,
            flags: DAXRMAP_GUARD_HELD,
            first_pfn: 0x100000,
            pages: 131072,
            events: 2,
            failed_pages: 3,
            owners: 5,
            owners_mapped: 4,
            signalled: 1,
            joined: 7,
            uncovered: 3,
            cxl: 2,
            ..GuardDevice::default()
        };
        device.name[..5].copy_from_slice(b"pmem0");
        let pages = |page, count| Pages { page, count };
        let uncovered = vec![pages(12, 1), pages(20, 2)];
        let device = GuardDeviceReport::new(
            &device,
            uncovered,
            vec!["pmem0p1".to_owned()],
            "X".to_owned(),
        );
        let guard = Guard {
            flags: DAXRMAP_GUARD_WATCH | DAXRMAP_GUARD_CXL,
            events: 9,
            dropped: 1,
            cxl_records: 6,
            cxl_losses: 2,
            cxl_overflows: 1,
            ..Guard::default()
        };
        GuardReport::new(&guard, vec![device])
    }

    #[test]
    fn status_as_text() {
        let text = "watch:            on
failures heard:   9
dropped:          1
CXL devices:      heard
CXL records:      6
CXL failures:     2
advice:           1 times a CXL device has said that its poison list is not complete

device:           pmem0
state:            held
told of by:       X
first pfn:        0x100000
pages:            131072
failures:         2
failed pages:     3
told by CXL:      2
owners found:     5
owners mapped:    4
told by guard:    1
good, but listed: 7
not covered:      3
not covered:      page 12
not covered:      pages 20 to 21
advice:           XFS is on pmem0p1 itself, where it can deadlock when pages fail: daxrmap guard wrap /dev/pmem0p1
";
        assert_eq!(status().to_string(), text);
    }

    #[test]
    fn status_as_json() {
        let expected = json!({
            "watch": true, "events": 9, "dropped": 1,
            "hears_cxl": true, "cxl_records": 6, "cxl_losses": 2, "cxl_overflows": 1,
            "devices": [{
                "device": "pmem0", "held": true, "own": false, "first_pfn": 0x100000,
                "pages": 131072, "events": 2, "failed_pages": 3, "owners": 5, "owners_mapped": 4,
                "signalled": 1, "joined": 7, "uncovered": 3,
                "uncovered_pages": [{"page": 12, "count": 1}, {"page": 20, "count": 2}],
                "cxl": 2, "told_by": "X", "xfs": ["pmem0p1"],
            }],
        });
        assert_eq!(to_value(status()).unwrap(), expected);
    }
}
