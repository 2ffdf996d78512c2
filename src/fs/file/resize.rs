// SPDX-License-Identifier: GPL-2.0

//! The size of a file: truncate, and growth by write and clone.
//!
//! Bytes beyond the end of the file in its last page are not zero for certain: user space may have
//! written them through mmap. They are zeroed when the end moves, in either direction.
//!
//! # Locking
//!
//! `i_rwsem` exclusively for every change of the size; to shrink also `invalidate_lock`, under which
//! blocks go and the size changes together.

use super::writable::{
    look_closely,
    retry_while_pinned,
    zero_in_page, //
};
use crate::{
    dax,
    fs::{
        time::with_times,
        Mount, //
    },
    state::{
        Attr,
        Mapping,
        Op,
        State,
        Transaction, //
    },
    vfs::{
        Inode,
        InodeLock,
        InvalidateLock, //
    },
};
use kernel::prelude::*;

/// Sets the size to `size` bytes.
///
/// # Errors
///
/// `ENOMEM`, `EINTR`, `EIO`; `ENOSPC` if it grows and the last page is shared and cannot be copied.
/// Nothing has changed then, unless it was to lose many extents: it may have lost some, from its end on. What it
/// still has is as it was.
pub(in crate::fs) fn truncate(lock: &InodeLock<'_, Mount>, size: u64) -> Result {
    let inode = lock.inode();
    inode.fs().meta().check_alive()?;
    if size > inode.size() {
        return grow(lock, size);
    }
    retry_while_pinned(inode, |invalidate| {
        let first = size.div_ceil(dax::BLOCK_SIZE);
        invalidate.break_layout(first..u64::MAX)?;
        let mut now = inode.size();
        let done = shorten(&invalidate, size, &mut now);
        lock.set_size(now);
        invalidate.truncate_mappings(now);
        done
    })
}

/// Takes what a file has behind byte `size`, from its end on: in several transactions if there is much,
/// each of which leaves a file that is shorter. Before the last of them, what is behind the new end in its page
/// is zeroed. `now` is its size.
fn shorten(lock: &InvalidateLock<'_, Mount>, size: u64, now: &mut u64) -> Result {
    let inode = lock.inode();
    let (ino, meta) = (inode.ino(), inode.fs().meta());
    let first = size.div_ceil(dax::BLOCK_SIZE);
    loop {
        let start = meta.read().last_step(ino, first)?;
        let to = if start != first {
            start.saturating_mul(dax::BLOCK_SIZE).min(*now)
        } else {
            match zero_tail(lock, size) {
                // Others have the page, and there is no block for a copy. It is made when the end moves
                // on; to make a file shorter must not need space.
                Err(e) if e == ENOSPC => {}
                zeroed => zeroed?,
            }
            size
        };
        meta.transact(|state| {
            let mut tx = state.unmap_range(ino, start, u64::MAX)?;
            push_size(state, &mut tx, inode, to)?;
            Ok(tx)
        })?;
        *now = to;
        if start == first {
            return Ok(());
        }
        meta.let_others();
    }
}

/// Moves the end of the file to `size` bytes, which is beyond what it was.
///
/// # Errors
///
/// As [`truncate`].
pub(super) fn grow(lock: &InodeLock<'_, Mount>, size: u64) -> Result {
    zero_gap(lock)?;
    set_size(lock, size)
}

/// Zeroes what is behind the end of the file in its last page, because the end is about to move on.
///
/// # Errors
///
/// As [`truncate`].
pub(super) fn zero_gap(lock: &InodeLock<'_, Mount>) -> Result {
    let inode = lock.inode();
    retry_while_pinned(inode, |invalidate| zero_tail(&invalidate, inode.size()))
}

/// Records a new size whose bytes are in place.
///
/// # Errors
///
/// `ENOMEM`.
pub(super) fn set_size(lock: &InodeLock<'_, Mount>, size: u64) -> Result {
    let inode = lock.inode();
    inode.fs().meta().transact(|state| {
        let mut tx = Transaction::new();
        push_size(state, &mut tx, inode, size)?;
        Ok(tx)
    })?;
    lock.set_size(size);
    Ok(())
}

/// Appends the change of the size, with the times in core: what is longer or shorter after a crash has
/// changed when that says.
pub(super) fn push_size(
    state: &State,
    tx: &mut Transaction,
    inode: &Inode<Mount>,
    size: u64,
) -> Result {
    let ino = inode.ino();
    let attr = with_times(state.get(ino)?.attr, inode.times());
    tx.push(Op::SetAttr {
        ino,
        attr: Attr { size, ..attr },
    })
}

/// Zeroes the bytes of the file's page around byte `end` that lie behind it. A hole has none, nor has an
/// unwritten block; those of a bad block cannot be read, so they need not be zeroed.
///
/// # Errors
///
/// `ERESTARTSYS` if the page must be copied and is pinned now; `ENOSPC`, `ENOMEM`, `EIO`.
pub(super) fn zero_tail(lock: &InvalidateLock<'_, Mount>, end: u64) -> Result {
    let at = end % dax::BLOCK_SIZE;
    if at == 0 {
        return Ok(());
    }
    let page = end >> dax::BLOCK_SHIFT;
    match look_closely(lock.inode(), page)? {
        Mapping::Hole { .. } | Mapping::Unwritten { .. } | Mapping::Data { bad: true, .. } => {
            Ok(())
        }
        Mapping::Data { .. } => {
            let page_end = end.saturating_add(dax::BLOCK_SIZE - at);
            zero_in_page(lock, end..page_end)
        }
    }
}
