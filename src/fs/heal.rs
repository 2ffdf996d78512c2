// SPDX-License-Identifier: GPL-2.0

//! Healing: a write that covers a whole bad block puts a good one in its place.
//!
//! The bad block stays quarantined; other owners of it have lost their data as before. The user's data
//! is copied to the new block before the file has that: a block of which only a part can be had from
//! the user's buffer must not become one of zeroes, which would be read as if they were data.
//!
//! # Locking
//!
//! As in [`writable`](super::writable): the file's `invalidate_lock`, exclusively, with page faults
//! disabled while bytes move.

use super::{
    state::Mapping,
    writable::retry_while_pinned,
    Mount, //
};
use crate::{
    dax::{
        self,
        PMD_BLOCKS, //
    },
    vfs::{
        trace::{
            self,
            HealedBy, //
        },
        Inode,
        InodeLock,
        WriteIter, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Writes over the bad blocks that the file has from the position of `io` on. Returns how many bytes
/// were written; none if the block is not bad any more.
///
/// # Errors
///
/// `EIO` if the first block is not written as a whole: nothing has changed then. `EFAULT` if not all
/// of a block can be copied without a page fault. `ENOSPC`, `ENOMEM`, `EINTR`.
pub(super) fn write_over(
    inode: &Inode<Mount>,
    io: &mut WriteIter<'_>,
    lock: &InodeLock<'_, Mount>,
) -> Result<usize> {
    let pages = whole_pages(io.pos(), io.left() as u64, inode.size(), lock).ok_or(EIO)?;
    retry_while_pinned(|| {
        let invalidate = inode.invalidate_lock();
        let fs = inode.fs();
        let want = (pages.end - pages.start).min(PMD_BLOCKS);
        let mapping = fs
            .meta()
            .lock_alive()?
            .map(inode.ino(), pages.start, want)?;
        let Mapping::Data {
            block: old,
            len,
            bad: true,
            ..
        } = mapping
        else {
            return Ok(0);
        };
        dax::break_layout(inode, pages.start..pages.start + len, &invalidate)?;
        let touching = fs.device().touch();
        let new = {
            let mut state = fs.meta().lock();
            state.allocate_for(inode.ino(), pages.start, len)?
        };
        touching.test_delay();
        let copied = copy(inode, io, new.clone());
        drop(touching);
        // Done with `new`, in any case: what the file does not get is free again.
        match copied.and_then(|copied| adopt(inode, pages.start, new.clone(), &copied)) {
            Ok(copied) => {
                fs.engine().counters.healed.add(copied.blocks);
                let healed = pages.start..pages.start.saturating_add(copied.blocks);
                trace::heal(inode, &healed, old, Some(new.start), HealedBy::Write);
                Ok(copied.bytes)
            }
            Err((e, bytes)) => {
                io.revert(bytes);
                fs.meta().lock().release(new)?;
                Err(e)
            }
        }
    })
}

/// The pages that a write of `bytes` at `pos` leaves nothing of: what lies behind the end of the file
/// is nothing.
fn whole_pages(
    pos: u64,
    bytes: u64,
    size: u64,
    _lock: &InodeLock<'_, Mount>,
) -> Option<Range<u64>> {
    if pos % dax::BLOCK_SIZE != 0 {
        return None;
    }
    let end = pos.checked_add(bytes)?;
    let end = if end < size {
        end >> dax::BLOCK_SHIFT
    } else {
        end.div_ceil(dax::BLOCK_SIZE)
    };
    let start = pos >> dax::BLOCK_SHIFT;
    (start < end).then_some(start..end)
}

/// What was copied.
struct Copied {
    blocks: u64,
    bytes: usize,
}

/// Copies the user's data to whole blocks, as far as it can be had; at least one. Fails with how many
/// bytes to revert.
fn copy(
    inode: &Inode<Mount>,
    io: &mut WriteIter<'_>,
    blocks: Range<u64>,
) -> Result<Copied, (Error, usize)> {
    let device = inode.fs().device();
    let mut done = Copied {
        blocks: 0,
        bytes: 0,
    };
    for block in blocks {
        let want = io.left().min(dax::BLOCK_SIZE as usize);
        let result = if (want as u64) < dax::BLOCK_SIZE {
            device.zero(block..block + 1)
        } else {
            Ok(())
        };
        match result.and_then(|()| io.copy_to_block(device, block, want)) {
            Ok(n) if n == want => {
                done.blocks += 1;
                done.bytes = done.bytes.saturating_add(n);
            }
            Ok(n) => {
                io.revert(n);
                break;
            }
            Err(e) => return Err((e, done.bytes)),
        }
    }
    if done.blocks == 0 {
        return Err((EFAULT, 0));
    }
    Ok(done)
}

/// Gives the file those of the `new` blocks that have its data. Fails with how many bytes to revert.
fn adopt(
    inode: &Inode<Mount>,
    pgoff: u64,
    new: Range<u64>,
    copied: &Copied,
) -> Result<Copied, (Error, usize)> {
    let used = new.start..new.start.saturating_add(copied.blocks);
    let mut state = inode.fs().meta().lock();
    let result = if state.next_bad(used.start, used.end).is_some() {
        // One has failed meanwhile. The next attempt gets others.
        Err(EFAULT)
    } else {
        state
            .remap(inode.ino(), pgoff, used.start, copied.blocks)
            .and_then(|tx| state.commit(tx))
    };
    result.map_err(|e| (e, copied.bytes))?;
    if used.end < new.end {
        // Nothing is lost if this fails, but free blocks until the next mount.
        let _ = state.release(used.end..new.end);
    }
    Ok(Copied { ..*copied })
}
