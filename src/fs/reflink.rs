// SPDX-License-Identifier: GPL-2.0

//! Sharing blocks between files: FICLONE, FICLONERANGE, copy_file_range.
//!
//! # Locking
//!
//! Both files' `i_rwsem`, then both `invalidate_lock`s, exclusively. Both ranges are unmapped and
//! forgotten first: the source's pages may stand in a PMD-size entry, or be mapped writable.

use super::{
    resize,
    writable::retry_while_pinned,
    Mount, //
};
use crate::{
    dax,
    vfs::{
        self,
        CloneSide,
        InodeLock, //
    },
};
use kernel::prelude::*;

/// Shares `len` bytes; see [`vfs::FileData::clone_range`].
///
/// # Errors
///
/// `EIO` if a block of the source is bad; `EINVAL` and others, as in ioctl_ficlonerange(2).
pub(super) fn clone_range(
    src: &CloneSide<'_, Mount>,
    dst: &CloneSide<'_, Mount>,
    len: u64,
) -> Result<u64> {
    CloneSide::with_both_locked(src, dst, len, |len, dst_lock| {
        retry_while_pinned(|| share(src, dst, len, dst_lock))
    })
}

fn share(
    src: &CloneSide<'_, Mount>,
    dst: &CloneSide<'_, Mount>,
    len: u64,
    dst_lock: &InodeLock<'_, Mount>,
) -> Result<u64> {
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
    meta.lock().clone_range(from_ino, from, to_ino, to, pages)?;
    dax::write_back(src.inode, from..from.saturating_add(pages), &src_invalidate)?;
    dax::break_layout(src.inode, from..from.saturating_add(pages), &src_invalidate)?;
    dax::break_layout(dst.inode, to..to.saturating_add(pages), dst_invalidate)?;
    let size = dst.inode.size();
    if dst.pos > size {
        resize::zero_tail(dst.inode, size, dst_invalidate)?;
    }
    meta.transact(|state| {
        let mut tx = state.clone_range(from_ino, from, to_ino, to, pages)?;
        if end > size {
            resize::push_size(state, &mut tx, to_ino, end)?;
        }
        Ok(tx)
    })?;
    if end > size {
        dst.inode.set_size(end, dst_lock);
    }
    Ok(len)
}
