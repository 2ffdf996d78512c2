// SPDX-License-Identifier: GPL-2.0

//! Mounting an image that anybody may have made: a log whose checksums are right, whatever it says.
//!
//! The input is records: a byte for the kind, two for the size of the payload, the payload.

use crate::{
    image::{
        Image,
        BLOCKS, //
    },
    journal::Journal,
    state::{
        Attr,
        State,
        ROOT_INO, //
    },
    SECRET, //
};

const FILE: u32 = 0o100644;

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
    image.write_log(data);
    let Ok(opened) = Journal::open(&image, BLOCKS, SECRET) else {
        return;
    };
    let (mut journal, mut state) = (opened.journal, opened.state);
    // A log that says that it is on bad blocks is not written.
    if state.check().is_err() || journal.needs_repair(&state) {
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
        let other = Journal::open(&image, BLOCKS, SECRET).unwrap().state;
        other.check().unwrap();
        assert_eq!(numbers(&other), numbers(&state));
    }
}
