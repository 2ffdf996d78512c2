// SPDX-License-Identifier: GPL-2.0

//! The platform's own scrub: NFIT's Address Range Scrub (ARS), which finds what it knows of poison without
//! reading it, and enters it in the driver's list.
//!
//! `nfit/scrub` of the disk's bus in sysfs starts it when it is written to, says how often it has ended, with a
//! `+` while it runs, and wakes who polls it. Where there is none (e820, virtio, QEMU's NVDIMM) there is no file.

use crate::error::{
    Error,
    Result, //
};
use rustix::event::{
    poll,
    PollFd,
    PollFlags,
    Timespec, //
};
use std::{
    fs::{
        self,
        File,
        OpenOptions, //
    },
    io::{
        self,
        Read,
        Seek, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// How long one sleeps without a look whether to stop: half a second.
const NAP: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 500_000_000,
};

/// A bus that can be scrubbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bus(PathBuf);

impl Bus {
    /// That of a disk, by its name; `None` if there is none that can be scrubbed. `sys`: where sysfs is.
    pub fn of(sys: &Path, disk: &str) -> Option<Self> {
        let device = fs::canonicalize(sys.join("class/block").join(disk).join("device")).ok()?;
        let bus = device.ancestors().find(|dir| {
            let name = dir.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix("ndbus")
                .is_some_and(|number| number.parse::<u32>().is_ok())
        })?;
        let file = bus.join("nfit/scrub");
        file.exists().then_some(Self(file))
    }

    /// Starts it, unless it runs already.
    ///
    /// # Errors
    ///
    /// What the platform says.
    pub fn start(&self) -> Result<()> {
        match fs::write(&self.0, "1\n") {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => Ok(()),
            other => other.map_err(|error| Error::from(error).about(&self.0)),
        }
    }

    /// Waits until it does not run. False if `stop` said so before.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or makes no sense.
    pub fn wait(&self, stop: impl Fn() -> bool) -> Result<bool> {
        let wait = || {
            let mut file = OpenOptions::new().read(true).open(&self.0)?;
            while runs(&mut file)? {
                if stop() {
                    return Ok(false);
                }
                let mut fds = [PollFd::new(&file, PollFlags::PRI | PollFlags::ERR)];
                match poll(&mut fds, Some(&NAP)) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
            Ok(true)
        };
        wait().map_err(|error: Error| error.about(&self.0))
    }
}

/// Whether the file says that it runs.
fn runs(file: &mut File) -> Result<bool> {
    let mut text = String::new();
    file.seek(io::SeekFrom::Start(0))?;
    file.read_to_string(&mut text)?;
    let text = text.trim_end();
    let (count, runs) = match text.strip_suffix('+') {
        Some(count) => (count, true),
        None => (text, false),
    };
    match count.parse::<u64>() {
        Ok(_) => Ok(runs),
        Err(_) => Err(Error::new(format!("a line that makes no sense: {text:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A sysfs with a disk on a bus, which can be scrubbed or not.
    fn sys(scrub: Option<&str>) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let bus = dir.path().join("devices/ndbus3");
        let device = bus.join("region0/namespace0.0");
        fs::create_dir_all(&device).unwrap();
        fs::create_dir_all(dir.path().join("class/block/pmem0")).unwrap();
        symlink(&device, dir.path().join("class/block/pmem0/device")).unwrap();
        if let Some(text) = scrub {
            fs::create_dir(bus.join("nfit")).unwrap();
            fs::write(bus.join("nfit/scrub"), text).unwrap();
        }
        dir
    }

    #[test]
    fn a_bus_is_found_and_started() {
        let dir = sys(Some("2\n"));
        let bus = Bus::of(dir.path(), "pmem0").unwrap();
        assert!(bus.0.ends_with("devices/ndbus3/nfit/scrub"));
        bus.start().unwrap();
        assert_eq!(fs::read_to_string(&bus.0).unwrap(), "1\n");
        assert!(bus.wait(|| false).unwrap());
    }

    #[test]
    fn no_bus_and_no_disk() {
        assert_eq!(Bus::of(sys(None).path(), "pmem0"), None);
        assert_eq!(Bus::of(sys(Some("0\n")).path(), "pmem1"), None);
    }

    #[test]
    fn it_is_waited_for_while_it_runs() {
        let dir = sys(Some("7+\n"));
        let bus = Bus::of(dir.path(), "pmem0").unwrap();
        assert!(!bus.wait(|| true).unwrap());
        let file = bus.0.clone();
        let end = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            fs::write(file, "8\n").unwrap();
        });
        assert!(bus.wait(|| false).unwrap());
        end.join().unwrap();
        fs::write(&bus.0, "x\n").unwrap();
        assert!(bus.wait(|| false).is_err());
    }
}
