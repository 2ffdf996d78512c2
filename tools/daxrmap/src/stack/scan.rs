// SPDX-License-Identifier: GPL-2.0

//! What is bad behind the end of what sysfs shows of a list: the driver refuses to read it.

use crate::{
    progress::Progress,
    ranges::{
        Range,
        Ranges, //
    },
};
use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::{
        FileExt,
        OpenOptionsExt, //
    },
    path::Path,
};

/// What is read at a time, and what is bad at least.
const CHUNK: u64 = 1 << 20;
const PAGE: u64 = 4096;

/// The bytes of a device in this range that cannot be read, in whole pages.
///
/// # Errors
///
/// If it cannot be opened, or fails in another way than that.
pub fn unreadable(device: &Path, range: Range) -> io::Result<Ranges> {
    let file = OpenOptions::new()
        .read(true)
        // The page cache would read more than it is asked for, and remember.
        .custom_flags(libc::O_DIRECT)
        .open(device)?;
    let mut room = vec![0; (CHUNK + PAGE) as usize];
    let first = room.as_ptr().align_offset(PAGE as usize);
    let mut progress = Progress::of("MiB of a device");
    let found = refused(range, |at| {
        progress.step();
        let len = (at.end - at.start) as usize;
        let read = file.read_at(&mut room[first..first + len], at.start)?;
        // There is less before what is refused.
        Ok(read == len)
    })?;
    Ok(found.into())
}

/// The pages of a range that `read` refuses: says `EIO`, or that there is less.
fn refused(
    range: Range,
    mut read: impl FnMut(Range) -> io::Result<bool>,
) -> io::Result<Vec<Range>> {
    let mut found = Vec::new();
    let mut todo = Vec::new();
    let mut at = range.start / PAGE * PAGE;
    while at < range.end {
        let next = range.end.min((at / CHUNK + 1) * CHUNK);
        todo.push(at..next);
        at = next;
        while let Some(part) = todo.pop() {
            match read(part.clone()) {
                Ok(true) => {}
                Err(error) if error.raw_os_error() != Some(libc::EIO) => return Err(error),
                _ if part.end - part.start <= PAGE => found.push(part),
                _ => {
                    let pages = (part.end - part.start).div_ceil(PAGE);
                    let middle = part.start + pages / 2 * PAGE;
                    todo.extend([middle..part.end, part.start..middle]);
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A driver that refuses these pages: says so, or gives what is before.
    fn driver(bad: &[u64]) -> impl FnMut(Range) -> io::Result<bool> + '_ {
        move |at| {
            assert!(at.start % PAGE == 0 && at.start < at.end && at.end - at.start <= CHUNK);
            let pages = at.start / PAGE..at.end.div_ceil(PAGE);
            match bad.iter().find(|page| pages.contains(page)) {
                None => Ok(true),
                Some(&page) if page == pages.start => Err(io::Error::from_raw_os_error(libc::EIO)),
                Some(_) => Ok(false),
            }
        }
    }

    #[test]
    fn just_what_is_refused() {
        let bad = [3, 4, 255, 256, 700, 1023];
        let found = refused(PAGE..1024 * PAGE, driver(&bad)).unwrap();
        let pages: Vec<_> = found.iter().map(|part| part.start / PAGE).collect();
        assert_eq!(pages, bad);
        assert!(found.iter().all(|part| part.end - part.start == PAGE));
        // From the page that the list ended in, and no farther than the device.
        let found = refused(5 * PAGE + 512..256 * PAGE + 512, driver(&[4, 5, 256])).unwrap();
        let expected = [5 * PAGE..6 * PAGE, 256 * PAGE..256 * PAGE + 512];
        assert_eq!(found, expected);
        assert!(refused(PAGE..PAGE, driver(&[1])).unwrap().is_empty());
    }

    #[test]
    fn what_fails_otherwise() {
        let gone = |_| Err(io::Error::from_raw_os_error(libc::ENXIO));
        assert!(refused(0..PAGE, gone).is_err());
        assert!(unreadable(Path::new("/no/such"), 0..PAGE).is_err());
    }

    #[test]
    fn a_device_that_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, vec![1; 3 * PAGE as usize]).unwrap();
        // Not all filesystems have O_DIRECT.
        if let Ok(found) = unreadable(&path, 0..3 * PAGE) {
            assert!(found.is_empty());
        }
    }
}
