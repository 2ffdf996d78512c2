// SPDX-License-Identifier: GPL-2.0

//! A device or an image, to be read and written: what the module's code calls a medium.
//!
//! A fence is a sync of all that was written, so that a program that is killed, or a machine that
//! stops, leaves what the module would leave.

use crate::{
    error::{
        Error, //
        Result,
    },
    media::Medium,
    BLOCK_SIZE,
};
use kernel::prelude::EIO;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt, //
};

/// Bytes that can be read and written.
pub trait Disk {
    /// Reads all of `buf` at byte `at`.
    ///
    /// # Errors
    ///
    /// What the system says; `UnexpectedEof` behind the end.
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at byte `at`.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// What was written is durable when this returns.
    ///
    /// # Errors
    ///
    /// What the system says of anything that was written since the last time.
    fn sync(&self) -> io::Result<()>;
}

impl Disk for File {
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buf, at)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl<D: Disk> Disk for &D {
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        (**self).read(at, buf)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).write(at, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        (**self).sync()
    }
}

const BLOCK: usize = BLOCK_SIZE as usize;

/// A disk as it would be: what is written stays in memory, a block at a time.
pub struct Overlay<D> {
    below: Option<D>,
    blocks: RefCell<BTreeMap<u64, Box<[u8; BLOCK]>>>,
}

impl<D: Disk> Overlay<D> {
    /// Nothing is written yet. Without a disk below, all is zero.
    pub fn new(below: Option<D>) -> Self {
        Self {
            below,
            blocks: RefCell::default(),
        }
    }

    fn read_below(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        match &self.below {
            Some(below) => below.read(at, buf),
            None => {
                buf.fill(0);
                Ok(())
            }
        }
    }
}

/// The parts of `len` bytes at `at`, block by block: the block, where in it, and how many bytes.
fn pieces(at: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = at.checked_add(done as u64)?;
        let inside = (at % BLOCK_SIZE) as usize;
        let n = (BLOCK - inside).min(len - done);
        done += n;
        (n != 0).then_some((at / BLOCK_SIZE, inside, n))
    })
}

impl<D: Disk> Disk for Overlay<D> {
    fn read(&self, at: u64, mut buf: &mut [u8]) -> io::Result<()> {
        let blocks = self.blocks.borrow();
        for (block, inside, n) in pieces(at, buf.len()) {
            let (now, later) = buf.split_at_mut(n);
            match blocks.get(&block) {
                Some(bytes) => now.copy_from_slice(&bytes[inside..inside + n]),
                None => self.read_below(block * BLOCK_SIZE + inside as u64, now)?,
            }
            buf = later;
        }
        Ok(())
    }

    fn write(&self, at: u64, mut bytes: &[u8]) -> io::Result<()> {
        let mut blocks = self.blocks.borrow_mut();
        for (block, inside, n) in pieces(at, bytes.len()) {
            let (now, later) = bytes.split_at(n);
            if let std::collections::btree_map::Entry::Vacant(place) = blocks.entry(block) {
                let mut old = Box::new([0; BLOCK]);
                if n != BLOCK {
                    self.read_below(block * BLOCK_SIZE, &mut old[..])?;
                }
                place.insert(old);
            }
            if let Some(place) = blocks.get_mut(&block) {
                place[inside..inside + n].copy_from_slice(now);
            }
            bytes = later;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk as the module's code wants it.
pub(crate) struct Image<'a, D> {
    disk: &'a D,
    /// Bytes from here on are not on the medium.
    size: u64,
    /// The first thing that failed since it was last asked for: the module's code says only that
    /// something did.
    failed: RefCell<Option<Error>>,
}

impl<'a, D: Disk> Image<'a, D> {
    /// The first `blocks` blocks of a disk.
    pub(crate) fn new(disk: &'a D, blocks: u64) -> Self {
        Self {
            disk,
            size: blocks.saturating_mul(BLOCK_SIZE),
            failed: RefCell::default(),
        }
    }

    /// What the module's code says, or the disk, if that has more to say.
    pub(crate) fn result<T>(&self, result: kernel::error::Result<T>) -> Result<T> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(result?),
        }
    }

    fn note(&self, what: impl FnOnce() -> String, result: io::Result<()>) -> kernel::error::Result {
        result.map_err(|error| {
            let mut failed = self.failed.borrow_mut();
            failed.get_or_insert_with(|| Error::io(what(), &error));
            EIO
        })
    }

    fn inside(&self, at: u64, len: usize) -> kernel::error::Result {
        match at.checked_add(len as u64) {
            Some(end) if end <= self.size => Ok(()),
            _ => Err(EIO),
        }
    }
}

impl<D: Disk> Medium for Image<'_, D> {
    fn read(&self, at: u64, buf: &mut [u8]) -> kernel::error::Result {
        self.inside(at, buf.len())?;
        let what = || format!("cannot read block {}", at / BLOCK_SIZE);
        self.note(what, self.disk.read(at, buf))
    }

    fn store(&self, at: u64, bytes: &[u8]) -> kernel::error::Result {
        self.inside(at, bytes.len())?;
        let what = || format!("cannot write block {}", at / BLOCK_SIZE);
        self.note(what, self.disk.write(at, bytes))
    }

    fn flush(&self, _at: u64, _len: u64) -> kernel::error::Result {
        Ok(())
    }

    fn fence(&self) -> kernel::error::Result {
        self.note(|| "cannot write".to_owned(), self.disk.sync())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_over_a_disk() {
        let below = Overlay::<File>::new(None);
        below.write(4000, &[1; 200]).unwrap();
        let over = Overlay::new(Some(&below));
        over.write(4090, &[2; 10]).unwrap();
        over.write(3 * BLOCK_SIZE, &[3; BLOCK]).unwrap();
        let mut buf = [9; 300];
        over.read(3950, &mut buf).unwrap();
        let mut expected = [0; 300];
        expected[50..250].fill(1);
        expected[140..150].fill(2);
        assert_eq!(buf, expected);
        below.read(4090, &mut buf[..10]).unwrap();
        assert_eq!(buf[..10], [1; 10]);
        over.read(3 * BLOCK_SIZE - 1, &mut buf[..3]).unwrap();
        assert_eq!(buf[..3], [0, 3, 3]);
    }

    struct Broken;

    impl Disk for Broken {
        fn read(&self, _at: u64, _buf: &mut [u8]) -> io::Result<()> {
            Err(io::Error::from_raw_os_error(5))
        }
        fn write(&self, _at: u64, _bytes: &[u8]) -> io::Result<()> {
            Ok(())
        }
        fn sync(&self) -> io::Result<()> {
            Err(io::Error::from_raw_os_error(28))
        }
    }

    #[test]
    fn what_the_disk_says_is_not_lost() {
        let image = Image::new(&Broken, 10);
        let result = image.read(8200, &mut [0; 8]);
        let error = image.result(result).unwrap_err();
        assert_eq!(error.to_string(), "cannot read block 2: Input/output error");
        let result = image.fence();
        let error = image.result(result).unwrap_err();
        assert_eq!(error.to_string(), "cannot write: No space left on device");
        assert_eq!(image.result(Ok(())), Ok(()));
        // Not asked at all.
        let result = image.read(40950, &mut [0; 11]);
        assert_eq!(
            image.result(result).unwrap_err().to_string(),
            "Input/output error"
        );
    }
}
