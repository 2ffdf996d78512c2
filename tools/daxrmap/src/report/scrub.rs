// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap scrub` prints.

use super::Name;
use crate::{
    scrub::state::Find,
    size, //
};
use serde::Serialize;
use std::fmt;

/// `daxrmap scrub`
#[derive(Debug, Serialize)]
pub struct ScrubReport {
    /// The mount point, or the device.
    pub target: Name,
    /// Whether free blocks were read too.
    pub all: bool,
    /// Whether it came to its end.
    pub complete: bool,
    /// The byte of the device before which all is done.
    pub position: u64,
    /// The byte from which it went on, if an earlier one had stopped there.
    pub resumed_from: Option<u64>,
    /// Bytes that were read and are good, those of an earlier one too.
    pub read: u64,
    /// Bytes that this one has looked at.
    pub bytes: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Whether the platform's own scrub was started.
    pub ars: bool,
    /// Pages that the devices' own lists (CXL) name, if there are such lists.
    pub device_pages: Option<u64>,
    /// Those of them that were not known before.
    pub device_new: Option<u64>,
    /// Pages that were known as bad, and not read.
    pub known_pages: u64,
    /// Finds for which something went wrong.
    pub untold: u64,
    /// What was found.
    pub found: Vec<Find>,
}

impl fmt::Display for ScrubReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "read:             {}", size::human(self.read))?;
        if let (Some(named), Some(new)) = (self.device_pages, self.device_new) {
            writeln!(f, "device's list:    {named} pages, {new} of them new")?;
        }
        writeln!(f, "known as bad:     {} pages", self.known_pages)?;
        writeln!(f, "found:            {} pages", self.found.len())?;
        for find in &self.found {
            let (disk, page, offset) = (&find.disk, find.page, find.offset);
            writeln!(f, "  {disk} page {page}: byte {offset} of the device")?;
        }
        if self.untold != 0 {
            writeln!(
                f,
                "not all told:     {} pages, see the kernel's log",
                self.untold
            )?;
        }
        if !self.complete {
            writeln!(f, "stopped at:       byte {}", self.position)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{
        json,
        to_value, //
    };
    use std::path::Path;

    #[test]
    fn text_and_json() {
        let mut report = ScrubReport {
            target: Path::new("/mnt").into(),
            all: false,
            complete: true,
            position: 8192,
            resumed_from: None,
            read: 4096,
            bytes: 8192,
            seconds: 0.5,
            ars: false,
            device_pages: None,
            device_new: None,
            known_pages: 0,
            untold: 0,
            found: Vec::new(),
        };
        let text = "read:             4 KiB\n\
                    known as bad:     0 pages\n\
                    found:            0 pages\n";
        assert_eq!(report.to_string(), text);
        report.found.push(Find {
            disk: "pmem0".to_owned(),
            page: 7,
            offset: 4096,
        });
        report.complete = false;
        report.device_pages = Some(3);
        report.device_new = Some(1);
        report.untold = 1;
        let text = "read:             4 KiB\n\
                    device's list:    3 pages, 1 of them new\n\
                    known as bad:     0 pages\n\
                    found:            1 pages\n  \
                      pmem0 page 7: byte 4096 of the device\n\
                    not all told:     1 pages, see the kernel's log\n\
                    stopped at:       byte 8192\n";
        assert_eq!(report.to_string(), text);
        let expected = json!({
            "target": {"path": "/mnt"}, "all": false, "complete": false, "position": 8192,
            "resumed_from": null, "read": 4096, "bytes": 8192, "seconds": 0.5, "ars": false,
            "device_pages": 3, "device_new": 1, "known_pages": 0, "untold": 1,
            "found": [{"disk": "pmem0", "page": 7, "offset": 4096}],
        });
        assert_eq!(to_value(report).unwrap(), expected);
    }
}
