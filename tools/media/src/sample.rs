// SPDX-License-Identifier: GPL-2.0

//! Puts something into a filesystem, for tests: what a mount would write, and what none would.

use crate::{
    disk::{
        Disk,
        Image, //
    },
    error::Result,
    journal::{
        Journal,
        Opened, //
    },
    state::{
        xattr_op,
        Attr,
        Op,
        State,
        Timestamp,
        Transaction,
        ROOT_INO, //
    },
};
use kernel::prelude::KVec;

/// Something that happens. An inode is named by its number: the root is 1, the first new one 2.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// A file in a directory.
    File(u64, &'a [u8]),
    /// A directory in a directory.
    Dir(u64, &'a [u8]),
    /// Another name in a directory.
    Link(u64, &'a [u8], u64),
    /// A name is removed; the file stays, as if it were open.
    Unlink(u64, &'a [u8]),
    /// A file gets blocks: page, number.
    Fill(u64, u64, u64),
    /// Blocks are bad: first, number.
    Bad(u64, u64),
    /// A number of links that is wrong.
    Nlink(u64, u32),
    /// A name that no link is counted for.
    Name(u64, &'a [u8], u64),
    /// A name is gone that a link is counted for.
    NoName(u64, &'a [u8]),
    /// A directory says that it is in another one.
    Parent(u64, u64),
    /// An inode is freed.
    Free(u64),
    /// A file is given blocks whatever they are: block, number.
    Take(u64, u64, u64),
    /// An extended attribute: of which inode, name, value.
    Xattr(u64, &'a [u8], &'a [u8]),
    /// The log goes to the other region.
    Checkpoint,
    /// A file gets blocks that are not written: page, number.
    Prepare(u64, u64, u64),
    /// Pages of a file become written, or unwritten: page, number.
    Convert(u64, u64, u64, bool),
}

const FILE: u32 = 0o100644;
const DIR: u32 = 0o040755;

fn name(bytes: &[u8]) -> kernel::error::Result<KVec<u8>> {
    let mut name = KVec::new();
    name.extend_from_slice(bytes, kernel::prelude::GFP_KERNEL)?;
    Ok(name)
}

fn one(op: Op) -> kernel::error::Result<Transaction> {
    let mut tx = Transaction::new();
    tx.push(op)?;
    Ok(tx)
}

fn transaction(state: &mut State, step: Step<'_>) -> kernel::error::Result<Option<Transaction>> {
    let attr = |mode| Attr {
        mode,
        ..Attr::default()
    };
    let now = Timestamp::default();
    let op = match step {
        Step::File(dir, name) => return Ok(Some(state.create(dir, name, attr(FILE))?.1)),
        Step::Dir(dir, name) => return Ok(Some(state.mkdir(dir, name, attr(DIR))?.1)),
        Step::Link(dir, name, ino) => return Ok(Some(state.link(dir, name, ino, now)?)),
        Step::Unlink(dir, name) => return Ok(Some(state.unlink(dir, name, now)?)),
        Step::Fill(ino, pgoff, len) => {
            let blocks = state.allocate(len, 0)?;
            Op::Map {
                ino,
                pgoff,
                block: blocks.start,
                len: blocks.end - blocks.start,
                unwritten: false,
            }
        }
        Step::Bad(block, len) => Op::MarkBad { block, len },
        Step::Nlink(ino, nlink) => Op::SetAttr {
            ino,
            attr: Attr {
                nlink,
                ..state.get(ino)?.attr
            },
        },
        Step::Name(dir, bytes, ino) => Op::Link {
            dir,
            name: name(bytes)?,
            ino,
        },
        Step::NoName(dir, bytes) => Op::Unlink {
            dir,
            name: name(bytes)?,
        },
        Step::Parent(ino, parent) => Op::SetParent { ino, parent },
        Step::Free(ino) => Op::FreeInode { ino },
        Step::Take(ino, block, len) => Op::Map {
            ino,
            pgoff: 0,
            block,
            len,
            unwritten: false,
        },
        Step::Xattr(ino, name, value) => xattr_op(ino, name, value)?,
        Step::Checkpoint => return Ok(None),
        Step::Prepare(ino, pgoff, len) => {
            let blocks = state.allocate(len, 0)?;
            let len = blocks.end - blocks.start;
            return Ok(Some(state.remap_unwritten(
                ino,
                pgoff,
                blocks.start,
                len,
            )?));
        }
        Step::Convert(ino, pgoff, len, written) => {
            return Ok(Some(state.convert(ino, pgoff, len, written)?))
        }
    };
    Ok(Some(one(op)?))
}

/// Makes it happen. What the log takes and the state does not is in the log only, and is the last.
///
/// # Errors
///
/// If it is not possible.
pub fn fill(disk: &impl Disk, blocks: u64, steps: &[Step<'_>]) -> Result<()> {
    let image = Image::new(disk, blocks);
    let opened = Journal::open(&image, blocks, [1; 16]);
    let Opened {
        mut journal,
        mut state,
        ..
    } = image.result(opened)?;
    debug_assert!(state.get(ROOT_INO).is_ok());
    for step in steps {
        let mut run = || match transaction(&mut state, *step)? {
            None => journal.checkpoint(&image, &state),
            Some(mut tx) => {
                state.reserve(&mut tx)?;
                journal.append(&image, &state, tx.ops())?;
                let _ = state.apply(tx);
                Ok(())
            }
        };
        let done = run();
        image.result(done)?;
    }
    Ok(())
}
