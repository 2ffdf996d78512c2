// SPDX-License-Identifier: GPL-2.0

//! Unwritten blocks: the file has them, and reads zeroes, whatever is in them.
//!
//! fallocate(2) gives them and FALLOC_FL_ZERO_RANGE makes them, without touching a byte. The first write
//! or write fault makes them written ([`convert`]): it zeroes them, durably, and only then says that
//! they are written. So a power cut leaves zeroes, or zeroes and what was written, and never what another file
//! once had there. Only then is the page mapped, or the user's data copied: not the other way round,
//! since a fault that comes in between would zero what was copied.
//!
//! Nothing is lost with an unwritten block that fails. Nobody maps it (who reads has the zero page), and
//! a write takes another block, as for a hole.
//!
//! # Locking
//!
//! As in [`writable`](super::writable): the file's `invalidate_lock`, exclusively, pages unmapped and
//! forgotten first: zero pages may be mapped. While blocks are zeroed they are
//! [touched](crate::dax::Pmem), because a failure does not look for who has them.

use super::fresh::new_blocks;
use crate::{
    dax::PMD_BLOCKS,
    fs::Mount,
    state::{
        Mapping,
        State, //
    },
    vfs::InvalidateLock,
};
use core::ops::Range;
use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};

/// Gives a file new blocks, unwritten, in the place of what it has there; for as many pages as it returns
/// blocks, at least 1: for all of a hole, if they begin at a huge page and there is such a run.
///
/// # Errors
///
/// `ERESTARTSYS` if a page is pinned now; `ENOSPC`, `ENOMEM`, `EIO`.
pub(super) fn give(lock: &InvalidateLock<'_, Mount>, pages: Range<u64>) -> Result<Range<u64>> {
    let inode = lock.inode();
    let (fs, ino) = (inode.fs(), inode.ino());
    let all = pages.end.saturating_sub(pages.start);
    let to_pmd = to_pmd(pages.start);
    let want = if to_pmd == PMD_BLOCKS && all > PMD_BLOCKS {
        all - all % PMD_BLOCKS
    } else {
        all.min(to_pmd)
    };
    lock.break_layout(pages.start..pages.start.saturating_add(want))?;
    let (new, ()) = new_blocks(
        fs,
        |state| state.allocate_for(ino, pages.start, want),
        |_| Ok(()),
        |state, new, ()| {
            let tx = state.remap_unwritten(ino, pages.start, new.start, new.end - new.start)?;
            state.commit(tx)
        },
    )?;
    Ok(new)
}

/// What has become of some unwritten pages.
pub(super) enum Converted {
    /// So many are written, one at least: they are full of zeroes.
    Written(u64),
    /// So many, one at least, are at bad blocks: others are to be put in their place.
    Bad(u64),
}

/// Makes unwritten pages from `pages.start` on, of which [`look_ahead`] has said `mapping`, written, full of
/// zeroes: those of `pages`, or fewer.
///
/// It may be more than is asked for: as many as are written in one run before these, up to
/// [`Meta::zero_limits`](crate::fs::meta::Meta::zero_limits). So who writes in turn mostly finds blocks that are
/// written, and who writes here and there pays for what he writes.
///
/// # Errors
///
/// `ERESTARTSYS` if a page is pinned now; `EIO` if the first page is not unwritten, or the device is
/// gone; `ENOSPC` if the log is full; `ENOMEM`.
pub(super) fn convert(
    lock: &InvalidateLock<'_, Mount>,
    pages: Range<u64>,
    mapping: Mapping,
) -> Result<Converted> {
    let inode = lock.inode();
    let (fs, ino, pgoff) = (inode.fs(), inode.ino(), pages.start);
    let wanted = pages.end.saturating_sub(pgoff);
    let mut mapping = mapping;
    loop {
        let reaped = fs.meta().reaped();
        let Mapping::Unwritten { block, len, .. } = mapping else {
            return Err(EIO);
        };
        lock.break_layout(pgoff..pgoff.saturating_add(len))?;
        let touching = fs.device().touch_lock.touch();
        let Some(good) = good_len(fs, &(block..block.saturating_add(len))) else {
            let wanted = block..block.saturating_add(len.min(wanted));
            return Ok(Converted::Bad(bad_len(fs, &wanted)));
        };
        touching.test_delay();
        let blocks = block..block.saturating_add(good);
        let zeroed = fs.device().zero(blocks.clone());
        drop(touching);
        let mut state = fs.meta().lock();
        if state.next_bad(blocks.start, blocks.end).is_some()
            || fs.device().next_bad(&blocks).is_some()
        {
            // It has failed meanwhile, and nobody has put anything there.
            drop(state);
            mapping = look_ahead(fs, ino, &pages)?;
            continue;
        }
        zeroed?;
        let tx = state.convert(ino, pgoff, good, true)?;
        let done = state.commit(tx);
        drop(state);
        match done {
            Err(e) if e == ENOSPC && fs.meta().makes_room(reaped) => {
                mapping = look_ahead(fs, ino, &pages)?;
            }
            done => return done.map(|()| Converted::Written(good)),
        }
    }
}

/// What stands at the first of these pages, for all of them at most; what is unwritten, for as many pages as
/// [`convert`] is to make written.
///
/// # Errors
///
/// `EIO` if the device is gone; those of `State::map`.
pub(super) fn look_ahead(fs: &Mount, ino: u64, pages: &Range<u64>) -> Result<Mapping> {
    let wanted = pages.end.saturating_sub(pages.start);
    let state = fs.meta().read_alive()?;
    let mapping = state.map(ino, pages.start, wanted)?;
    if !matches!(mapping, Mapping::Unwritten { .. }) {
        return Ok(mapping);
    }
    let most = fs.meta().zero_limits().ahead.load(Relaxed);
    let ahead = written_before(&state, ino, pages.start)?.min(most);
    let want = wanted.max(ahead).min(to_pmd(pages.start));
    if want == wanted {
        return Ok(mapping);
    }
    state.map(ino, pages.start, want)
}

/// Makes pages that are at `blocks`, good ones of this file alone, unwritten.
///
/// # Errors
///
/// `ERESTARTSYS` if a page is pinned now; `ENOSPC` if the log is full; `ENOMEM`, `EIO`.
pub(super) fn forget_bytes(
    lock: &InvalidateLock<'_, Mount>,
    pages: Range<u64>,
    blocks: Range<u64>,
) -> Result {
    let inode = lock.inode();
    lock.break_layout(pages.clone())?;
    inode.fs().meta().transact(|state| {
        let (ino, len) = (inode.ino(), pages.end.saturating_sub(pages.start));
        if state.next_bad(blocks.start, blocks.end).is_some() {
            // It has failed meanwhile: it is looked at once more, and another one taken.
            return Err(ERESTARTSYS);
        }
        state.convert(ino, pages.start, len, false)
    })
}

/// Pages from this one to the next that a huge page can begin with.
pub(super) fn to_pmd(pgoff: u64) -> u64 {
    PMD_BLOCKS - pgoff % PMD_BLOCKS
}

/// How many written pages of one run end where this page begins.
fn written_before(state: &State, ino: u64, pgoff: u64) -> Result<u64> {
    let before = state.get(ino)?.as_file()?.last_before(pgoff);
    let before = before.filter(|e| !e.unwritten && e.pgoff_end() >= pgoff);
    Ok(before.map_or(0, |e| pgoff.saturating_sub(e.pgoff)))
}

/// How many of these blocks are good, from the first one on, by what is known and by the driver's list.
/// None if that is not.
fn good_len(fs: &Mount, blocks: &Range<u64>) -> Option<u64> {
    let known = fs.meta().read().next_bad(blocks.start, blocks.end);
    let end = known.map_or(blocks.end, |bad| bad.start);
    if end == blocks.start {
        return None;
    }
    fs.good_len(&(blocks.start..end))
}

/// How many of these blocks, of which the first is bad, are bad; 1 if nobody says so any more.
pub(super) fn bad_len(fs: &Mount, blocks: &Range<u64>) -> u64 {
    let known = fs.meta().read().next_bad(blocks.start, blocks.end);
    let listed = || fs.device().next_bad(blocks);
    known
        .filter(|bad| bad.start == blocks.start)
        .or_else(listed)
        .filter(|bad| bad.start == blocks.start)
        .map_or(1, |bad| bad.end - bad.start)
}
