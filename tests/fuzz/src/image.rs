// SPDX-License-Identifier: GPL-2.0

//! An image with a filesystem, for the targets that read one.

use crate::{
    journal::{
        Format,
        Journal, //
    },
    media::{
        Log,
        Medium,
        RecordKind,
        Sink,
        Superblock,
        BLOCK_SIZE, //
    },
    state::Attr,
    SECRET, //
};
use kernel::prelude::*;
use std::cell::RefCell;

/// Its size.
pub(crate) const BLOCKS: u64 = 640;
const DIR: u32 = 0o040755;

/// A medium that is as it was after mkfs when it is dropped.
pub(crate) struct Image {
    bytes: RefCell<std::vec::Vec<u8>>,
    undo: RefCell<std::vec::Vec<(usize, std::vec::Vec<u8>)>>,
}

thread_local! {
    static FORMATTED: RefCell<std::vec::Vec<u8>> = RefCell::new(formatted());
}

fn formatted() -> std::vec::Vec<u8> {
    let image = Image {
        bytes: RefCell::new(std::vec![0; (BLOCKS * BLOCK_SIZE) as usize]),
        undo: RefCell::default(),
    };
    let root = Attr {
        mode: DIR,
        ..Attr::default()
    };
    let format = Format {
        blocks: BLOCKS,
        region: None,
        uuid: [7; 16],
        label: [0; 64],
        first_seq: 1,
        made: 0,
        secret: SECRET,
        root,
    };
    Journal::format(&image, &format).unwrap();
    image.undo.take();
    image.bytes.take()
}

impl Image {
    /// As mkfs makes it.
    pub(crate) fn new() -> Self {
        Image {
            bytes: RefCell::new(FORMATTED.take()),
            undo: RefCell::default(),
        }
    }

    /// Writes the input's records as the log: a byte for the kind, two for the size of the payload, the
    /// payload.
    pub(crate) fn write_log(&self, mut data: &[u8]) {
        let sb = Superblock::read(self, BLOCKS).unwrap().sb;
        let tag = u64::from_le_bytes([7; 8]);
        let mut log = Log::begin(sb.active_region(), tag, sb.first_seq);
        let mut complete = false;
        while let [kind, low, high, rest @ ..] = data {
            // In the right order: a log that is written on behind a record of the wrong kind has those
            // behind that in it.
            let kind = match (complete, kind % 2) {
                (true, _) => RecordKind::Transaction,
                (false, 0) => RecordKind::Checkpoint,
                (false, _) => RecordKind::CheckpointEnd,
            };
            complete |= kind == RecordKind::CheckpointEnd;
            let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
            let (payload, rest) = rest.split_at(len);
            data = rest;
            if log
                .append(self, kind, 0, |record| record.put(payload))
                .is_err()
            {
                return;
            }
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let mut bytes = self.bytes.take();
        if bytes.is_empty() {
            return;
        }
        for (at, old) in self.undo.take().into_iter().rev() {
            bytes[at..at + old.len()].copy_from_slice(&old);
        }
        FORMATTED.set(bytes);
    }
}

impl Medium for Image {
    fn read(&self, at: u64, buf: &mut [u8]) -> Result {
        let at = at as usize;
        let bytes = self.bytes.borrow();
        buf.copy_from_slice(bytes.get(at..at + buf.len()).ok_or(EIO)?);
        Ok(())
    }

    fn store(&self, at: u64, new: &[u8]) -> Result {
        let at = at as usize;
        let mut bytes = self.bytes.borrow_mut();
        let place = bytes.get_mut(at..at + new.len()).ok_or(EIO)?;
        self.undo.borrow_mut().push((at, place.to_vec()));
        place.copy_from_slice(new);
        Ok(())
    }

    fn flush(&self, _at: u64, _len: u64) -> Result {
        Ok(())
    }

    fn fence(&self) -> Result {
        Ok(())
    }
}
