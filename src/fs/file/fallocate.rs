// SPDX-License-Identifier: GPL-2.0

//! fallocate(2): holes punched and filled, ranges zeroed, copied, taken out and put in. Punching and
//! zeroing heal what is bad in them. What is filled or zeroed is [`unwritten`], but
//! for FALLOC_FL_WRITE_ZEROES.
//!
//! # Locking
//!
//! `i_rwsem` exclusively, by the caller; `invalidate_lock` exclusively for each step.

use super::{
    resize,
    shift::{
        self,
        Move, //
    },
    unwritten,
    writable::{
        look_closely,
        make_writable,
        retry_while_pinned,
        zero_in_page, //
    },
    zero::{
        zero,
        Zeroes, //
    },
};
use crate::{
    dax::{
        self,
        Fallocate, //
    },
    fs::Mount,
    rmap::FileExtent,
    state::{
        Mapping,
        State, //
    },
    support::fatal_signal_pending,
    trace::{
        self,
        HealedBy, //
    },
    vfs::{
        Inode,
        InodeLock,
        InvalidateLock, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};

/// Does what [`Fallocate`] says to bytes `range`.
///
/// # Errors
///
/// `EIO` if a bad block is zeroed in part, or would move; nothing has changed then. `EIO` for a bad
/// block that others have too and is to be copied; `ENOSPC`, `ENOMEM`, `EINTR` of who is killed: what
/// comes before it is done, and stays, but the end of the file is where it was.
pub(super) fn fallocate(lock: &InodeLock<'_, Mount>, what: Fallocate, range: Range<u64>) -> Result {
    let inode = lock.inode();
    inode.fs().meta().check_alive()?;
    let size = inode.size();
    if range.end > size && what.grows() {
        resize::zero_gap(lock)?;
    }
    match what {
        Fallocate::Allocate { .. } => {
            let pages = touched_pages(&range);
            for_runs(inode, pages, |mapping, pages, invalidate| match mapping {
                Mapping::Hole { .. } | Mapping::Unwritten { bad: true, .. } => {
                    let new = unwritten::give(invalidate, pages)?;
                    Ok(new.end - new.start)
                }
                Mapping::Data { len, .. } | Mapping::Unwritten { len, .. } => Ok(len),
            })?;
        }
        Fallocate::Unshare { .. } => {
            let pages = touched_pages(&range);
            for_runs(inode, pages, |mapping, pages, invalidate| match mapping {
                // What is lost cannot be copied; alone, it is lost for this file only.
                Mapping::Data {
                    shared: true,
                    bad: true,
                    ..
                } => Err(EIO),
                Mapping::Data { shared: true, .. } => make_writable(invalidate, pages),
                Mapping::Hole { .. } | Mapping::Unwritten { bad: true, .. } => {
                    let new = unwritten::give(invalidate, pages)?;
                    Ok(new.end - new.start)
                }
                Mapping::Data { len, .. } | Mapping::Unwritten { len, .. } => Ok(len),
            })?;
        }
        Fallocate::Collapse => {
            let size = size.checked_sub(range.end - range.start).ok_or(EINVAL)?;
            shift::shift(lock, Move::Collapse, whole_pages(&range), size)?;
        }
        Fallocate::Insert => {
            let size = size.checked_add(range.end - range.start).ok_or(EFBIG)?;
            shift::shift(lock, Move::Insert, whole_pages(&range), size)?;
        }
        Fallocate::PunchHole => {
            let parts = Parts::of(&range, size);
            zero_edges(inode, &parts)?;
            punch(inode, parts.whole)?;
        }
        Fallocate::ZeroRange { .. } | Fallocate::WriteZeroes => {
            let parts = Parts::of(&range, size);
            let few = inode.fs().meta().zero_limits().in_place.load(Relaxed);
            let zeroes = if what == Fallocate::WriteZeroes {
                Zeroes::Written
            } else if parts.whole.end - parts.whole.start <= few {
                Zeroes::AsTheyAre
            } else {
                Zeroes::Unwritten
            };
            zero_edges(inode, &parts)?;
            for_runs(inode, parts.whole, |mapping, pages, invalidate| {
                zero(invalidate, mapping, pages, zeroes)
            })?;
        }
    }
    if range.end > size && what.grows() {
        resize::set_size(lock, range.end)?;
    }
    Ok(())
}

/// Whether there are blocks for all of that: asked before anything is done, since what is done until
/// there are no more is of no use to anybody.
///
/// A hole and a bad block take one each, an unwritten block that is bad too. A page that others have takes
/// one as well, but the last owner of a block keeps it; if all of them are in the range, that is every
/// second page at the worst. So what fails here cannot be done; what does not may still meet `ENOSPC`, for
/// that or because others write.
///
/// # Errors
///
/// `ENOSPC`; `EINTR`; `EIO` if the device is gone.
pub(super) fn check_room(inode: &Inode<Mount>, what: Fallocate, range: &Range<u64>) -> Result {
    let (pages, copies, heals) = match what {
        Fallocate::Allocate { .. } => (touched_pages(range), false, false),
        Fallocate::Unshare { .. } => (touched_pages(range), true, false),
        Fallocate::ZeroRange { .. } | Fallocate::WriteZeroes => {
            (Parts::of(range, inode.size()).whole, true, true)
        }
        Fallocate::PunchHole | Fallocate::Collapse | Fallocate::Insert => return Ok(()),
    };
    let meta = inode.fs().meta();
    let (mut new, mut shared) = (0u64, 0u64);
    let mut next = pages.start;
    while next < pages.end {
        let mut reaped = meta.reaped();
        let (mapping, mut free) = {
            let state = meta.read_alive()?;
            let mapping = state.map(inode.ino(), next, pages.end - next)?;
            (mapping, state.free_blocks())
        };
        let len = mapping.len();
        match mapping {
            Mapping::Hole { .. } | Mapping::Unwritten { bad: true, .. } => {
                new = new.saturating_add(len);
            }
            Mapping::Data { bad: true, .. } if heals => new = new.saturating_add(len),
            Mapping::Data { shared: true, .. } if copies => shared = shared.saturating_add(len),
            Mapping::Data { .. } | Mapping::Unwritten { .. } => {}
        }
        let needed = new.saturating_add(shared.div_ceil(2));
        while needed > free {
            if !meta.makes_room(reaped) {
                return Err(ENOSPC);
            }
            reaped = meta.reaped();
            free = meta.read().free_blocks();
        }
        if fatal_signal_pending() {
            return Err(EINTR);
        }
        next = next.saturating_add(len.max(1));
    }
    Ok(())
}

/// Pages that have bytes of the range.
fn touched_pages(range: &Range<u64>) -> Range<u64> {
    range.start >> dax::BLOCK_SHIFT..range.end.div_ceil(dax::BLOCK_SIZE)
}

/// Bytes from page to page.
fn whole_pages(range: &Range<u64>) -> Range<u64> {
    range.start >> dax::BLOCK_SHIFT..range.end >> dax::BLOCK_SHIFT
}

/// A range of bytes: pages that are all in it, and parts of up to two others.
struct Parts {
    whole: Range<u64>,
    edges: [Range<u64>; 2],
}

impl Parts {
    fn of(range: &Range<u64>, size: u64) -> Self {
        // Of the last page, what is behind the end of the file is nothing.
        let end = if range.end < size {
            range.end
        } else {
            range
                .end
                .checked_next_multiple_of(dax::BLOCK_SIZE)
                .unwrap_or(range.end)
        };
        let first = range.start.div_ceil(dax::BLOCK_SIZE);
        let last = end >> dax::BLOCK_SHIFT;
        let byte = |page: u64| page.saturating_mul(dax::BLOCK_SIZE);
        let head = range.start..end.min(byte(first));
        let tail = byte(last).max(head.end)..end;
        Parts {
            whole: first..last.max(first),
            edges: [head, tail],
        }
    }
}

/// Calls `f` for runs of `pages` that are of one kind, with the lock and what they are, until all are
/// done; it returns for how many pages it did it, at least 1, and no more than there is time for between
/// two looks whether the task was killed.
///
/// # Errors
///
/// `EINTR` if it was; what `f` says.
fn for_runs(
    inode: &Inode<Mount>,
    pages: Range<u64>,
    mut f: impl FnMut(Mapping, Range<u64>, &InvalidateLock<'_, Mount>) -> Result<u64>,
) -> Result {
    let mut next = pages.start;
    while next < pages.end {
        if fatal_signal_pending() {
            return Err(EINTR);
        }
        let done = retry_while_pinned(inode, |invalidate| {
            let fs = inode.fs();
            let mapping = fs
                .meta()
                .read_alive()?
                .map(inode.ino(), next, pages.end - next)?;
            f(mapping, next..next + mapping.len(), &invalidate)
        })?;
        next = next.saturating_add(done.max(1));
    }
    Ok(())
}

/// Makes whole pages a hole.
fn punch(inode: &Inode<Mount>, pages: Range<u64>) -> Result {
    if pages.is_empty() {
        return Ok(());
    }
    retry_while_pinned(inode, |invalidate| {
        invalidate.break_layout(pages.clone())?;
        let mut next = pages.start;
        while next < pages.end {
            next = punch_some(inode, next..pages.end)?;
            if next < pages.end {
                if fatal_signal_pending() {
                    return Err(EINTR);
                }
                inode.fs().meta().let_others();
            }
        }
        Ok(())
    })
}

/// Makes the first of these pages a hole, as many as one transaction is to change. Returns where they end.
fn punch_some(inode: &Inode<Mount>, pages: Range<u64>) -> Result<u64> {
    let fs = inode.fs();
    let mut end = pages.end;
    let mut bad = 0;
    let mut runs = KVec::new();
    fs.meta().transact(|state| {
        let len = state.step_len(inode.ino(), pages.start, pages.end - pages.start)?;
        let some = pages.start..pages.start.saturating_add(len);
        end = some.end;
        bad = state.bad_pages(inode.ino(), some.clone())?;
        if bad != 0 && (trace::heal_enabled() || fs.engine().events.is_heard()) {
            runs = bad_runs(state, inode.ino(), some)?;
        }
        state.unmap_range(inode.ino(), pages.start, len)
    })?;
    fs.engine().counters.healed.add(bad);
    for run in &runs {
        let pages = run.pgoff..run.pgoff_end();
        fs.tell_healed(inode, &pages, run.block);
        trace::heal(inode, &pages, run.block, None, HealedBy::PunchHole);
    }
    Ok(end)
}

/// Which of these pages of a file are at bad blocks: what nobody knows any more once they are a hole.
fn bad_runs(state: &State, ino: u64, mut pages: Range<u64>) -> Result<KVec<FileExtent>> {
    let mut runs = KVec::<FileExtent>::new();
    while pages.start < pages.end {
        let pgoff = pages.start;
        let mapping = state.map(ino, pgoff, pages.end - pgoff)?;
        if let Mapping::Data {
            block,
            len,
            bad: true,
            ..
        } = mapping
        {
            match runs.last_mut() {
                // Only shared by others than what is before it.
                Some(last) if last.pgoff_end() == pgoff && last.block_end() == block => {
                    last.len = last.len.saturating_add(len);
                }
                _ => {
                    let run = FileExtent {
                        pgoff,
                        block,
                        len,
                        unwritten: false,
                    };
                    runs.push(run, GFP_KERNEL)?;
                }
            }
        }
        pages.start = pgoff.saturating_add(mapping.len());
    }
    Ok(runs)
}

/// Zeroes the parts of pages at the edges, if none of these pages is bad.
fn zero_edges(inode: &Inode<Mount>, parts: &Parts) -> Result {
    let edges = parts.edges.iter().filter(|edge| !edge.is_empty());
    retry_while_pinned(inode, |invalidate| {
        let map = |edge: &Range<u64>| look_closely(inode, edge.start >> dax::BLOCK_SHIFT);
        for edge in edges.clone() {
            if matches!(map(edge)?, Mapping::Data { bad: true, .. }) {
                return Err(EIO);
            }
        }
        for edge in edges.clone() {
            if matches!(map(edge)?, Mapping::Data { .. }) {
                zero_in_page(&invalidate, edge.clone())?;
            }
        }
        Ok(())
    })
}
