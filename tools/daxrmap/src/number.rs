// SPDX-License-Identifier: GPL-2.0

//! Block devices by their numbers.

use crate::error::{
    Error, //
    Result,
};
use std::{
    fmt,
    path::{
        Path,
        PathBuf, //
    },
    str::FromStr, //
};

/// A block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceNumber {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl DeviceNumber {
    /// As the kernel puts it into one number for user space (`new_encode_dev`).
    pub fn encoded(self) -> u32 {
        (self.minor & 0xff) | (self.major << 8) | ((self.minor & !0xff) << 12)
    }

    /// Its name below /dev; `None` if sysfs does not tell.
    pub fn name(self) -> Option<PathBuf> {
        let link = format!("/sys/dev/block/{}:{}", self.major, self.minor);
        let target = std::fs::read_link(link).ok()?;
        Some(Path::new("/dev").join(target.file_name()?))
    }
}

impl FromStr for DeviceNumber {
    type Err = Error;

    /// `MAJOR:MINOR`, as sysfs and device-mapper have it.
    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| text.parse().ok();
        text.trim_end()
            .split_once(':')
            .and_then(|(major, minor)| {
                Some(Self {
                    major: number(major)?,
                    minor: number(minor)?,
                })
            })
            .ok_or_else(|| Error::new(format!("not the number of a device: {text:?}")))
    }
}

impl fmt::Display for DeviceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers() {
        let encoded = |major, minor| DeviceNumber { major, minor }.encoded();
        assert_eq!(encoded(259, 3), 0x10303);
        assert_eq!(encoded(8, 0x12345), 0x1230_0845);
    }

    #[test]
    fn from_text_and_back() {
        let number: DeviceNumber = "259:12\n".parse().unwrap();
        assert_eq!((number.major, number.minor), (259, 12));
        assert_eq!(number.to_string(), "259:12");
        for bad in [
            "",
            "259",
            "259:",
            ":1",
            "259:-1",
            "a:b",
            "1:2:3",
            "/dev/pmem0",
        ] {
            assert!(bad.parse::<DeviceNumber>().is_err(), "{bad}");
        }
    }
}
