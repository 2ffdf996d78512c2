// SPDX-License-Identifier: GPL-2.0

//! fsck of an image that anybody may have made, and that was damaged after that.
//!
//! The input is a byte of flags, a byte for the number of bytes that are damaged, three bytes for each
//! of these (where, and which bits), and the log as the target `mount` has it.

use crate::{
    image::{
        Image, //
        BLOCKS,
    },
    journal::Journal,
    media::{
        Medium, //
        BLOCK_SIZE,
    },
    SECRET,
};
use daxrmap_media::{
    check::check,
    disk::Disk, //
};
use std::{
    io,
    time::Duration, //
};

/// The system's number of it.
const ENOSPC: i32 = 28;

/// A checkpoint comes after the log, so that there are two logs.
const CHECKPOINT: u8 = 1;
/// Something is written after that.
const GO_ON: u8 = 2;

impl Disk for Image {
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        Medium::read(self, at, buf).map_err(|_| io::Error::from_raw_os_error(5))
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.store(at, bytes)
            .map_err(|_| io::Error::from_raw_os_error(5))
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Where damage is: in the superblocks, or at the starts of the log's regions.
fn place(where_: u16) -> u64 {
    let offset = u64::from(where_ >> 2);
    match where_ & 3 {
        0 => offset % 1024,
        1 => (BLOCKS - 1) * BLOCK_SIZE + offset % 1024,
        2 => BLOCK_SIZE + offset,
        _ => (BLOCKS - 17) * BLOCK_SIZE + offset,
    }
}

fn go_on(image: &Image, flags: u8) {
    let Ok(opened) = Journal::open(image, BLOCKS, SECRET) else {
        return;
    };
    let (mut journal, mut state) = (opened.journal, opened.state);
    if state.check().is_err() {
        return;
    }
    // If it is not on bad blocks.
    if flags & CHECKPOINT != 0 && journal.checkpoint(image, &state).is_err() {
        return;
    }
    if flags & GO_ON != 0 {
        for block in [100, 200, 300] {
            let mut tx = crate::state::Transaction::new();
            let op = crate::state::Op::MarkBad { block, len: 1 };
            tx.push(op).unwrap();
            if journal.append(image, &state, tx.ops()).is_err() {
                return;
            }
            state.commit(tx).unwrap();
        }
    }
}

/// What fsck has nothing against, a mount takes.
fn mounts(image: &Image) {
    let opened = Journal::open(image, BLOCKS, SECRET).unwrap();
    opened.state.check().unwrap();
    assert!(!opened.damaged);
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let [flags, count, rest @ ..] = data else {
        return;
    };
    let count = usize::from(*count % 8).min(rest.len() / 3);
    let (damage, log) = rest.split_at(count * 3);
    let image = Image::new();
    image.write_log(log);
    go_on(&image, *flags);
    for damage in damage.chunks_exact(3) {
        let at = place(u16::from_le_bytes([damage[0], damage[1]]));
        let mut byte = [0];
        Medium::read(&image, at, &mut byte).unwrap();
        image.store(at, &[byte[0] ^ damage[2]]).unwrap();
    }
    let now = Duration::from_secs(7);
    let Ok(found) = check(&image, BLOCKS, now) else {
        return;
    };
    for problem in &found.problems {
        assert!(!problem.to_string().is_empty());
    }
    if found.is_clean() {
        mounts(&image);
        return;
    }
    if !found.can_correct() {
        return;
    }
    let figures = found.figures.unwrap();
    let before = found.problems.len();
    match found.correct(&image) {
        Ok(()) => {}
        // The log is on bad blocks, and there are no good ones for it.
        Err(error) if error.errno() == ENOSPC => {
            assert!(figures.bad != 0);
            let again = check(&image, BLOCKS, now).unwrap();
            assert!(again.can_correct() && again.problems.len() <= before);
            return;
        }
        Err(error) => panic!("{error}"),
    }
    let again = check(&image, BLOCKS, now).unwrap();
    assert!(again.is_clean(), "{:?}", again.problems);
    let same = again.figures.unwrap();
    assert_eq!(
        [figures.inodes, figures.extents, figures.owned, figures.bad],
        [same.inodes, same.extents, same.owned, same.bad]
    );
    // A log that moves leaves its bad blocks.
    assert!(same.free <= figures.free && figures.free <= same.free + figures.bad);
    mounts(&image);
}
