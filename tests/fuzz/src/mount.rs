// SPDX-License-Identifier: GPL-2.0

//! Mounting an image that anybody may have made: a log whose checksums are right, whatever it says.
//!
//! The input is records: a byte for the kind, two for the size of the payload, the payload.

use crate::{
    fs::{
        journal::{
            Format,
            Journal, //
        },
        state::{
            Attr,
            State,
            ROOT_INO, //
        },
    },
    media::{
        Log,
        Medium,
        RecordKind,
        Sink,
        Superblock,
        BLOCK_SIZE, //
    },
};
use kernel::prelude::*;
use std::cell::RefCell;

const BLOCKS: u64 = 640;
const DIR: u32 = 0o040755;
const FILE: u32 = 0o100644;

/// A medium that is as it was after mkfs when it is dropped.
struct Image {
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
        uuid: [7; 16],
        label: [0; 64],
        first_seq: 1,
        made: 0,
        root,
    };
    Journal::format(&image, &format).unwrap();
    image.undo.take();
    image.bytes.take()
}

impl Image {
    fn new() -> Self {
        Image {
            bytes: RefCell::new(FORMATTED.take()),
            undo: RefCell::default(),
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

    fn fence(&self) {}
}

/// Writes the input's records as the log.
fn write_log(image: &Image, mut data: &[u8]) {
    let sb = Superblock::read(image, BLOCKS).unwrap();
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
            .append(image, kind, 0, |record| record.put(payload))
            .is_err()
        {
            return;
        }
    }
}

/// What must not change when it is written as a checkpoint and read again.
fn numbers(state: &State) -> [u64; 5] {
    [
        state.inode_count(),
        state.free_blocks(),
        state.bad_blocks(),
        state.owners().len() as u64,
        state.owners().iter().map(|rec| rec.len).sum(),
    ]
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let image = Image::new();
    write_log(&image, data);
    let Ok(opened) = Journal::open(&image, BLOCKS) else {
        return;
    };
    let (mut journal, mut state) = (opened.journal, opened.state);
    if state.check().is_err() {
        return;
    }
    // It is as good as any other: it can be changed, written, and read again.
    let attr = Attr {
        mode: FILE,
        ..Attr::default()
    };
    if let Ok((_, mut tx)) = state.create(ROOT_INO, b"new", attr) {
        state.reserve(&mut tx).unwrap();
        journal.append(&image, &state, tx.ops()).unwrap();
        state.apply(tx).unwrap();
        state.check().unwrap();
    }
    for again in [false, true] {
        if again {
            journal.checkpoint(&image, &state).unwrap();
        }
        let other = Journal::open(&image, BLOCKS).unwrap().state;
        other.check().unwrap();
        assert_eq!(numbers(&other), numbers(&state));
    }
}
