// SPDX-License-Identifier: GPL-2.0

//! Blocks that may be written in place: allocation for holes, copy on write for shared blocks, zeroes for
//! unwritten ones.
//!
//! write(2), faults and the zeroing of partial pages all get their blocks here, before
//! `dax_iomap_rw` or `dax_iomap_fault` runs; these only ever see blocks of one owner. So none of the
//! in-kernel ways of copy on write (`srcmap`, `IOMAP_F_SHARED` for writes) is used, whose traps
//! Documentation/failure.rst lists.
//!
//! # Locking
//!
//! Blocks change under the file's `invalidate_lock`, exclusively, its pages unmapped and forgotten
//! first; then the lock is downgraded, and the write or the fault goes on under it. So nobody who
//! reads or writes an old block through this file is left when the file gives it up.

use super::{
    extent_cache::{
        look_up,
        remembered, //
    },
    fresh::new_blocks,
    unwritten::{
        convert,
        look_ahead,
        to_pmd,
        Converted, //
    },
};
use crate::{
    dax,
    errno::ehwpoison,
    fs::Mount,
    state::Mapping,
    support::fatal_signal_pending,
    vfs::{
        Inode,
        InvalidateLock,
        InvalidateLockShared, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// Runs `f` with the file's `invalidate_lock`, again while it fails with `ERESTARTSYS` because a page is
/// pinned for an instant. `f` has the lock for itself: it drops it, or gives it on in another form.
///
/// # Errors
///
/// `EINTR` if the task is killed meanwhile; what `f` says.
pub(super) fn retry_while_pinned<'a, T>(
    inode: &'a Inode<Mount>,
    mut f: impl FnMut(InvalidateLock<'a, Mount>) -> Result<T>,
) -> Result<T> {
    retry(|| f(inode.invalidate_lock()))
}

/// As [`retry_while_pinned`], of an `f` that takes and drops the locks itself.
///
/// # Errors
///
/// As [`retry_while_pinned`].
pub(super) fn retry<T>(mut f: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match f() {
            Err(e) if e == ERESTARTSYS => {}
            result => return result,
        }
        if fatal_signal_pending() {
            return Err(EINTR);
        }
        fsleep(Delta::from_millis(1));
    }
}

/// Takes the `invalidate_lock` shared, with the file's pages from `pages.start` on writable in place.
/// Returns how many: all of `pages`, or fewer, but at least one, up to a bad block or the end of
/// the space. With `fault`, pages beyond the end of the file are let alone, and count as writable:
/// the fault that wanted them fails by itself; and several pages must [`fits_huge`], since a fault
/// is about one of them.
///
/// # Errors
///
/// `EAGAIN` if a huge fault does not fit; `EHWPOISON` if the first block is bad, `ENOSPC`,
/// `ENOMEM`, `EINTR`, `EIO`.
pub(super) fn lock_writable<'a>(
    inode: &'a Inode<Mount>,
    pages: Range<u64>,
    fault: bool,
) -> Result<(InvalidateLockShared<'a, Mount>, u64)> {
    let count = pages.end.saturating_sub(pages.start);
    {
        let lock = inode.invalidate_lock_shared();
        if is_writable(inode, pages.clone())? {
            return Ok((lock, count));
        }
    }
    retry_while_pinned(inode, |lock| {
        let mut wanted = pages.clone();
        if fault {
            // Others may have come to share some of it since somebody looked.
            if count > 1 && !fits_huge(inode, &pages) {
                return Err(EAGAIN);
            }
            wanted.end = wanted.end.min(inode.size().div_ceil(dax::BLOCK_SIZE));
        }
        let mut done = wanted.start;
        while done < wanted.end {
            match make_writable(&lock, done..wanted.end) {
                Ok(n) => done = done.saturating_add(n),
                Err(e) if e == ERESTARTSYS || done == wanted.start => return Err(e),
                Err(_) => return Ok((lock.downgrade(), done - wanted.start)),
            }
        }
        Ok((lock.downgrade(), count))
    })
}

/// As [`lock_writable`], for who would rather not wait.
///
/// # Errors
///
/// `EAGAIN` if somebody else has the lock, or not all of the pages are writable.
pub(super) fn try_lock_writable(
    inode: &Inode<Mount>,
    pages: Range<u64>,
) -> Result<(InvalidateLockShared<'_, Mount>, u64)> {
    let lock = inode.try_invalidate_lock_shared().ok_or(EAGAIN)?;
    let count = pages.end.saturating_sub(pages.start);
    if !is_writable(inode, pages)? {
        return Err(EAGAIN);
    }
    Ok((lock, count))
}

/// Whether all of `pages` are blocks of this file alone, and good. The caller holds the
/// `invalidate_lock`.
fn is_writable(inode: &Inode<Mount>, pages: Range<u64>) -> Result<bool> {
    let mut pgoff = pages.start;
    while pgoff < pages.end {
        match look_up(inode, pgoff, pages.end - pgoff)? {
            Mapping::Data {
                len,
                shared: false,
                bad: false,
                ..
            } => pgoff = pgoff.saturating_add(len),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether a PMD can be tried for a write: all of it is in the file, and is one run of blocks of this
/// file alone, be they written or not, or one hole. True until the `invalidate_lock` is dropped, if it is
/// held exclusively.
pub(super) fn fits_huge(inode: &Inode<Mount>, pages: &Range<u64>) -> bool {
    let want = pages.end.saturating_sub(pages.start);
    if pages.end > inode.size().div_ceil(dax::BLOCK_SIZE) {
        return false;
    }
    if let Some(Mapping::Data { len, .. }) = remembered(inode, pages.start, want) {
        if len == want {
            return true;
        }
    }
    let state = inode.fs().meta().read();
    let (mut pgoff, mut next) = (pages.start, None);
    while pgoff < pages.end {
        match state.map(inode.ino(), pgoff, pages.end - pgoff) {
            Ok(Mapping::Hole { len }) => return len == want,
            Ok(
                Mapping::Data {
                    block,
                    len,
                    shared: false,
                    bad: false,
                }
                | Mapping::Unwritten {
                    block,
                    len,
                    bad: false,
                },
            ) if next.is_none_or(|next| next == block) => {
                pgoff = pgoff.saturating_add(len);
                next = block.checked_add(len);
            }
            _ => return false,
        }
    }
    true
}

/// Makes a run of pages from `pages.start` on writable in place; returns its length, at least 1.
///
/// # Errors
///
/// `EHWPOISON` if the first block is bad; `ERESTARTSYS` if a page is pinned now; `ENOSPC`, `ENOMEM`,
/// `EIO`.
pub(super) fn make_writable(lock: &InvalidateLock<'_, Mount>, pages: Range<u64>) -> Result<u64> {
    let inode = lock.inode();
    let fs = inode.fs();
    let mapping = look_ahead(fs, inode.ino(), &pages)?;
    let (len, source) = match mapping {
        Mapping::Data { bad: true, .. } => return Err(ehwpoison()),
        Mapping::Data {
            len, shared: false, ..
        } => return Ok(len),
        Mapping::Data { block, len, .. } => {
            let blocks = block..block.saturating_add(len);
            (fs.good_len(&blocks).ok_or_else(ehwpoison)?, Some(block))
        }
        Mapping::Unwritten { .. } => match convert(lock, pages.clone(), mapping)? {
            Converted::Written(len) => return Ok(len),
            Converted::Bad(len) => (len, None),
        },
        Mapping::Hole { len } => (len, None),
    };
    let new = replace(lock, pages.start..pages.start + len, source)?;
    Ok(new.end - new.start)
}

/// Puts new blocks in the place of a hole, or of shared blocks from `source` on, for as many pages as it
/// returns blocks, at least 1. They hold zeroes or a copy, durably, before the file has them.
///
/// # Errors
///
/// `EHWPOISON` if the source is bad, `EIO` if it cannot be read; others as [`make_writable`].
pub(super) fn replace(
    lock: &InvalidateLock<'_, Mount>,
    pages: Range<u64>,
    source: Option<u64>,
) -> Result<Range<u64>> {
    let inode = lock.inode();
    let (fs, ino) = (inode.fs(), inode.ino());
    // Whole PMDs where they fit, else what comes before the next one.
    let want = (pages.end - pages.start).min(to_pmd(pages.start));
    let pages = pages.start..pages.start + want;
    lock.break_layout(pages.clone())?;
    let (new, ()) = new_blocks(
        fs,
        |state| state.allocate_for(ino, pages.start, want),
        |new| match source {
            Some(block) => {
                let len = new.end - new.start;
                fs.device().copy(block..block + len, new.start)
            }
            None => fs.device().zero(new.clone()),
        },
        |state, new, ()| {
            let len = new.end - new.start;
            // It may have gone bad while it was copied.
            if source.is_some_and(|block| state.next_bad(block, block + len).is_some()) {
                return Err(ehwpoison());
            }
            let tx = state.remap(ino, pages.start, new.start, len)?;
            state.commit(tx)
        },
    )?;
    Ok(new)
}

/// What stands at one page. A block that the driver lists is a bad one here; its owners are told
/// soon.
pub(super) fn look_closely(inode: &Inode<Mount>, page: u64) -> Result<Mapping> {
    let fs = inode.fs();
    let mapping = fs.meta().read().map(inode.ino(), page, 1)?;
    Ok(match mapping {
        Mapping::Data {
            block,
            len,
            shared,
            bad,
        } => Mapping::Data {
            block,
            len,
            shared,
            bad: bad || fs.good_len(&(block..block.saturating_add(1))).is_none(),
        },
        hole => hole,
    })
}

/// Zeroes these bytes of a file, which are in one page that is neither a hole nor unwritten.
///
/// # Errors
///
/// As [`make_writable`]; `EINVAL` if they are not in one page.
pub(super) fn zero_in_page(lock: &InvalidateLock<'_, Mount>, bytes: Range<u64>) -> Result {
    let inode = lock.inode();
    let page = bytes.start >> dax::BLOCK_SHIFT;
    make_writable(lock, page..page + 1)?;
    let fs = inode.fs();
    let Mapping::Data { block, .. } = fs.meta().read().map(inode.ino(), page, 1)? else {
        return Err(EIO);
    };
    let at = usize::try_from(bytes.start % dax::BLOCK_SIZE).map_err(|_| EIO)?;
    let len = usize::try_from(bytes.end.saturating_sub(bytes.start)).map_err(|_| EIO)?;
    // In the instant since somebody looked it may have come on the driver's list.
    let asked = |e| if e == ehwpoison() { EIO } else { e };
    fs.device().zero_bytes(block, at, len).map_err(asked)
}
