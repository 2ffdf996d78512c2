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
    fresh::new_blocks,
    writable::retry_while_pinned, //
};
use crate::{
    dax::{
        self,
        Pmem,
        WriteIter,
        PMD_BLOCKS, //
    },
    fs::Mount,
    state::Mapping,
    trace::{
        self,
        HealedBy, //
    },
    vfs::{
        InodeLock, //
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
pub(super) fn write_over(lock: &InodeLock<'_, Mount>, io: &mut WriteIter<'_>) -> Result<usize> {
    let inode = lock.inode();
    let pages = whole_pages(lock, io.pos(), io.left() as u64).ok_or(EIO)?;
    retry_while_pinned(inode, |invalidate| {
        let fs = inode.fs();
        let want = (pages.end - pages.start).min(PMD_BLOCKS);
        let mapping = fs
            .meta()
            .read_alive()?
            .map(inode.ino(), pages.start, want)?;
        let Some((old, len)) = lost_run(fs, mapping) else {
            return Ok(0);
        };
        invalidate.break_layout(pages.start..pages.start + len)?;
        // What was copied to blocks that turned out to be bad is copied again.
        let mut bytes = 0;
        let healed = new_blocks(
            fs,
            |state| state.allocate_for(inode.ino(), pages.start, len),
            |new| {
                io.revert(core::mem::take(&mut bytes));
                let blocks = copy(fs.device(), io, new.clone(), &mut bytes)?;
                Ok(new.start..new.start.saturating_add(blocks))
            },
            |state, _, used| {
                let len = used.end - used.start;
                let tx = state.remap(inode.ino(), pages.start, used.start, len)?;
                state.commit(tx)
            },
        );
        let (new, used) = match healed {
            Ok(healed) => healed,
            Err(e) => {
                io.revert(bytes);
                return Err(e);
            }
        };
        if used.end < new.end {
            // Nothing is lost if this fails, but free blocks until the next mount.
            let _ = fs.meta().lock().release(used.end..new.end);
        }
        let blocks = used.end - used.start;
        fs.engine().counters.healed.add(blocks);
        let healed = pages.start..pages.start.saturating_add(blocks);
        fs.tell_healed(inode, &healed, old);
        trace::heal(inode, &healed, old, Some(used.start), HealedBy::Write);
        Ok(bytes)
    })
}

/// The first block of a mapping, and how many follow, that are bad or on the driver's list of bad
/// blocks. None if the first one is good.
fn lost_run(fs: &Mount, mapping: Mapping) -> Option<(u64, u64)> {
    let Mapping::Data {
        block, len, bad, ..
    } = mapping
    else {
        return None;
    };
    if bad {
        return Some((block, len));
    }
    let listed = fs.device().next_bad(&(block..block.saturating_add(len)))?;
    (listed.start == block).then_some((block, listed.end - listed.start))
}

/// The pages that a write of `bytes` at `pos` leaves nothing of: what lies behind the end of the file
/// is nothing.
fn whole_pages(lock: &InodeLock<'_, Mount>, pos: u64, bytes: u64) -> Option<Range<u64>> {
    if pos % dax::BLOCK_SIZE != 0 {
        return None;
    }
    let end = pos.checked_add(bytes)?;
    let end = if end < lock.inode().size() {
        end >> dax::BLOCK_SHIFT
    } else {
        end.div_ceil(dax::BLOCK_SIZE)
    };
    let start = pos >> dax::BLOCK_SHIFT;
    (start < end).then_some(start..end)
}

/// Copies the user's data to whole blocks, as far as it can be had; returns to how many, at least one.
/// `done` counts the bytes that were taken from the user, those before an error too.
fn copy(
    device: &Pmem,
    io: &mut WriteIter<'_>,
    blocks: Range<u64>,
    done: &mut usize,
) -> Result<u64> {
    let mut copied = 0;
    for block in blocks {
        let want = io.left().min(dax::BLOCK_SIZE as usize);
        if (want as u64) < dax::BLOCK_SIZE {
            device.zero(block..block + 1)?;
        }
        let n = io.copy_to_block(device, block, want)?;
        if n < want {
            io.revert(n);
            break;
        }
        copied += 1;
        *done = done.saturating_add(n);
    }
    if copied == 0 {
        return Err(EFAULT);
    }
    Ok(copied)
}
