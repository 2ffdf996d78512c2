// SPDX-License-Identifier: GPL-2.0

//! Sharing blocks between files: FICLONE, FICLONERANGE, FIDEDUPERANGE, copy_file_range.
//!
//! Many extents are shared by several transactions, up to 16 extents each: each is all or nothing, and
//! in between, or after a crash, a part of the range is shared, from its start on.
//!
//! # Locking
//!
//! Both files' `i_rwsem`, then both `invalidate_lock`s, exclusively, until all is done. Both ranges are
//! unmapped and forgotten first: the source's pages may stand in a PMD-size entry, or be mapped
//! writable. So nobody changes what [`dedupe`] compares.

use super::{
    dedupe,
    resize,
    writable::retry, //
};
use crate::{
    dax::{
        self,
        Remap, //
    },
    errno::ebade,
    fs::Mount,
    support::fatal_signal_pending,
    vfs::{
        self,
        InodeLock, //
    },
};
use kernel::prelude::*;

/// Shares a range; see [`FileData::remap`](crate::dax::FileData::remap).
///
/// # Errors
///
/// `EIO` if a block of the source is bad; `EBADE` if the bytes were to be the same and are not; `EINVAL`
/// and others, as in ioctl_ficlonerange(2). `ENOSPC`, `ENOMEM`, `EINTR`, and `EIO` of a block that
/// fails in the middle: what was shared before that stays so.
pub(super) fn remap(range: &Remap<'_, Mount>) -> Result<u64> {
    range.with_both_locked(|len, dst_lock| retry(|| share(range, len, dst_lock)))
}

fn share(range: &Remap<'_, Mount>, len: u64, dst_lock: &InodeLock<'_, Mount>) -> Result<u64> {
    let (src, dst) = (&range.src, &range.dst);
    let meta = dst.inode.fs().meta();
    meta.check_alive()?;
    // The last block may be part of the range if that ends at both files' end; what lies beyond
    // is zeroed when the end moves.
    let pages = len.div_ceil(dax::BLOCK_SIZE);
    let from = src.pos >> dax::BLOCK_SHIFT;
    let to = dst.pos >> dax::BLOCK_SHIFT;
    let end = dst.pos.checked_add(len).ok_or(EFBIG)?;

    let (from_ino, to_ino) = (src.inode.ino(), dst.inode.ino());
    let (src_invalidate, other) = vfs::lock_two(src.inode, dst.inode);
    let dst_invalidate = other.as_ref().unwrap_or(&src_invalidate);
    // What cannot be cloned must not lose its mappings over the attempt: who maps a page that is
    // failing right now is about to be told.
    let mut checked = 0;
    while checked < pages {
        let (state, from) = (meta.read(), from.saturating_add(checked));
        let step = state.step_len(from_ino, from, pages - checked)?;
        state.check_clone(from_ino, from, step)?;
        checked = checked.saturating_add(step.max(1));
        drop(state);
        if checked < pages {
            meta.let_others();
        }
    }
    let dst_pages = to..to.saturating_add(pages);
    src_invalidate.write_back(from..from.saturating_add(pages))?;
    src_invalidate.break_layout(from..from.saturating_add(pages))?;
    if range.dedupe {
        dst_invalidate.write_back(dst_pages.clone())?;
    }
    dst_invalidate.break_layout(dst_pages)?;
    if range.dedupe && !dedupe::is_same(range, len)? {
        return Err(ebade());
    }
    let size = dst.inode.size();
    if dst.pos > size {
        resize::zero_tail(dst_invalidate, size)?;
    }
    let mut done = 0;
    while done < pages {
        let mut batch = 0;
        let mut size = dst.inode.size();
        meta.transact(|state| {
            // What an earlier try has set was not stored.
            size = dst.inode.size();
            let (from, to) = (from.saturating_add(done), to.saturating_add(done));
            batch = state.step_len(from_ino, from, pages.saturating_sub(done))?;
            // What is there goes.
            batch = state.step_len(to_ino, to, batch)?;
            let mut tx = state.clone_range(from_ino, from, to_ino, to, batch)?;
            let shared = to.saturating_add(batch).saturating_mul(dax::BLOCK_SIZE);
            if shared.min(end) > size {
                size = shared.min(end);
                resize::push_size(state, &mut tx, dst.inode, size)?;
            }
            Ok(tx)
        })?;
        if size > dst.inode.size() {
            dst_lock.set_size(size);
        }
        done = done.saturating_add(batch.max(1));
        if done < pages {
            if fatal_signal_pending() {
                return Err(EINTR);
            }
            meta.let_others();
        }
    }
    Ok(len)
}
