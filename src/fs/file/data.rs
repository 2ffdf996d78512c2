// SPDX-License-Identifier: GPL-2.0

//! The data of regular files: read, write, page faults, and the extents that these use.
//!
//! # Locking
//!
//! read(2): `i_rwsem` shared; write(2): exclusive. Both move bytes under the `invalidate_lock`, shared,
//! with page faults disabled, because the user's buffer may be a mapping of the same file; what
//! is missing of the buffer is faulted in between, without it. A failure notification takes that
//! lock exclusively, so it waits for bytes that are on the move.

use super::{
    extent_cache::look_up,
    fallocate,
    heal,
    reflink,
    resize,
    writable::{
        fits_huge,
        lock_writable,
        try_lock_writable, //
    },
    write_back, //
};
use crate::{
    dax::{
        self,
        Extent,
        Fallocate,
        Fault,
        FaultResult,
        FileData,
        Purpose,
        ReadIter,
        Remap,
        WriteIter, //
    },
    errno::ehwpoison,
    fs::Mount,
    state::Mapping,
    support::fatal_signal_pending,
    vfs::{
        Inode,
        InodeLock,
        InvalidateLockShared, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Bytes that move under one hold of the `invalidate_lock`.
const CHUNK: u64 = 2 << 20;

/// Times in a row that not one byte may move although the user's buffer was faulted in.
const PATIENCE: u32 = 64;

/// Moves bytes in chunks: `step` moves some and says how many, or fails with `EFAULT` if the user's
/// page was not there. Returns what was moved in all, or the first error if nothing was; who is killed
/// moves no more.
fn in_chunks<I>(
    io: &mut I,
    fault_in: impl Fn(&mut I, usize) -> Result,
    mut step: impl FnMut(&mut I) -> Result<Option<usize>>,
) -> Result<usize> {
    let mut total = 0usize;
    let mut idle = 0;
    let result = loop {
        if fatal_signal_pending() {
            break Err(EINTR);
        }
        match step(io) {
            Ok(None) => break Ok(()),
            Ok(Some(n)) if n > 0 => {
                total = total.saturating_add(n);
                idle = 0;
                continue;
            }
            Ok(Some(_)) => {}
            Err(e) if e == EFAULT => {}
            Err(e) => break Err(e),
        }
        idle += 1;
        if idle > PATIENCE {
            break Err(EFAULT);
        }
        if let Err(e) = fault_in(io, kernel::page::PAGE_SIZE) {
            break Err(e);
        }
    };
    match result {
        Err(e) if total == 0 => Err(e),
        _ => Ok(total),
    }
}

/// What an access to a bad block gets; counts it.
fn refusal(fs: &Mount, purpose: Purpose) -> Error {
    match purpose {
        Purpose::Fault { pages, .. } => {
            // A huge fault will be tried again page by page.
            if pages == 1 {
                fs.engine().counters.late_faults.add(1);
            }
            ehwpoison()
        }
        _ => {
            fs.engine().counters.late_io.add(1);
            EIO
        }
    }
}

impl dax::Extents for Mount {
    fn pmem(&self) -> &dax::Pmem {
        self.device()
    }

    fn map(inode: &Inode<Self>, pgoff: u64, max: u64, purpose: Purpose) -> Result<Extent> {
        let fs = inode.fs();
        let mapping = match purpose {
            // Without the `invalidate_lock`.
            Purpose::Report => fs.meta().read_alive()?.map(inode.ino(), pgoff, max)?,
            _ => look_up(inode, pgoff, max)?,
        };
        let writes = matches!(purpose, Purpose::Write | Purpose::Fault { write: true, .. });
        let (block, len, shared, bad) = match mapping {
            // Blocks to write have been made, under the lock that is still held.
            Mapping::Hole { .. } | Mapping::Unwritten { .. } if writes => return Err(EIO),
            Mapping::Data { shared: true, .. } if writes => return Err(EIO),
            Mapping::Hole { len } => return Ok(Extent::Hole { len }),
            Mapping::Unwritten { block, len, .. } if purpose == Purpose::Report => {
                return Ok(Extent::Unwritten { block, len });
            }
            // It reads as a hole, and is not touched, be it bad or good.
            Mapping::Unwritten { len, .. } => return Ok(Extent::Hole { len }),
            Mapping::Data {
                block,
                len,
                shared,
                bad,
            } => (block, len, shared, bad),
        };
        // Nobody may touch a bad block; that one has it is another matter.
        let len = match purpose {
            Purpose::Report => len,
            _ if bad => return Err(refusal(fs, purpose)),
            // The driver is asked by the fault itself: see `resolve`.
            Purpose::Fault { .. } => len,
            Purpose::Read | Purpose::Write => fs
                .good_len(&(block..block.saturating_add(len)))
                .ok_or_else(|| refusal(fs, purpose))?,
        };
        let shared = match purpose {
            // A shared block is mapped page by page only: one folio cannot be a PMD for one
            // owner and a page for another.
            Purpose::Fault { pages, .. } if shared && pages > 1 => return Err(EAGAIN),
            // What the flag does for a fault: fs/dax.c counts one more sharer, and unmaps the
            // page from everybody. Right for the first time that this file gets the page,
            // ruinous for each further process that maps it.
            Purpose::Fault { .. } => shared && !dax::has_page(inode, pgoff),
            Purpose::Report => shared,
            Purpose::Read | Purpose::Write => false,
        };
        Ok(Extent::Data { block, len, shared })
    }
}

impl FileData for Mount {
    fn read(inode: &Inode<Self>, io: &mut ReadIter<'_>) -> Result<usize> {
        // Nothing is no access, either.
        if io.left() == 0 {
            return Ok(0);
        }
        let lock = inode.try_lock_shared();
        if lock.is_none() && io.nowait() {
            return Err(EAGAIN);
        }
        let _lock = lock.unwrap_or_else(|| inode.lock_shared());
        let moved = in_chunks(io, ReadIter::fault_in, |io| {
            if io.left() == 0 || io.pos() >= inode.size() {
                return Ok(None);
            }
            let invalidate = if io.nowait() {
                inode.try_invalidate_lock_shared().ok_or(EAGAIN)?
            } else {
                inode.invalidate_lock_shared()
            };
            io.transfer(CHUNK as usize, &invalidate).map(Some)
        });
        io.accessed();
        moved
    }

    fn write(inode: &Inode<Self>, io: &mut WriteIter<'_>) -> Result<usize> {
        let lock = inode.try_lock();
        if lock.is_none() && io.nowait() {
            return Err(EAGAIN);
        }
        let lock = lock.unwrap_or_else(|| inode.lock());
        if io.checks()? == 0 {
            return Ok(0);
        }
        // A buffer that is not there at all fails here, before anything has changed.
        io.fault_in(kernel::page::PAGE_SIZE)?;
        io.modified()?;
        if io.pos() > inode.size() {
            if io.nowait() {
                return Err(EAGAIN);
            }
            // The gap up to the position becomes part of the file: its bytes must be zero.
            resize::zero_gap(&lock)?;
        }
        in_chunks(io, WriteIter::fault_in, |io| {
            let left = io.left() as u64;
            if left == 0 {
                return Ok(None);
            }
            let pos = io.pos();
            let end = pos.saturating_add(left.min(CHUNK));
            let first = pos >> dax::BLOCK_SHIFT;
            let pages = first..end.div_ceil(dax::BLOCK_SIZE);
            let locked = if io.nowait() {
                try_lock_writable(inode, pages)
            } else {
                lock_writable(inode, pages, false)
            };
            let (invalidate, count) = match locked {
                Err(e) if e == ehwpoison() => {
                    let healed = heal::write_over(&lock, io)?;
                    written_to(&lock, io.pos(), healed)?;
                    return Ok(Some(healed));
                }
                locked => locked?,
            };
            // At least one page is writable, and that one holds `pos`.
            let end = end.min(first.saturating_add(count) << dax::BLOCK_SHIFT);
            let moved = io.transfer::<Self>((end - pos) as usize, &invalidate);
            drop(invalidate);
            let moved = moved?;
            written_to(&lock, io.pos(), moved)?;
            Ok(Some(moved))
        })
    }

    fn fault(inode: &Inode<Self>, fault: &mut Fault<'_, Self>) -> FaultResult {
        let Some(pages) = fault.pages() else {
            return FaultResult::FALLBACK;
        };
        if !fault.is_write() {
            let lock = inode.invalidate_lock_shared();
            let _counting = is_first_of_shared(&lock, &pages).then(|| dax::lock_counts(inode));
            return resolve(fault, &lock, &pages);
        }
        if let Err(e) = fault.modified() {
            return FaultResult::from_error(e);
        }
        if pages.end - pages.start > 1 {
            if !fits_huge(inode, &pages) {
                return FaultResult::FALLBACK;
            }
        } else {
            // Mostly the page has its block.
            let lock = inode.invalidate_lock_shared();
            if let Ok(Mapping::Data {
                shared: false,
                bad: false,
                ..
            }) = look_up(inode, pages.start, 1)
            {
                return resolve(fault, &lock, &pages);
            }
        }
        match lock_writable(inode, pages.clone(), true) {
            Ok((lock, _)) => resolve(fault, &lock, &pages),
            Err(e) if e == EAGAIN => FaultResult::FALLBACK,
            Err(e) => {
                if e == ehwpoison() {
                    inode.fs().engine().counters.late_faults.add(1);
                }
                FaultResult::from_error(e)
            }
        }
    }

    fn write_back(what: &mut dax::Writeback<'_, Self>) -> Result {
        write_back::write_back(what)
    }

    fn remap(range: &Remap<'_, Self>) -> Result<u64> {
        reflink::remap(range)
    }

    fn check_room(inode: &Inode<Self>, what: Fallocate, range: &Range<u64>) -> Result {
        fallocate::check_room(inode, what, range)
    }

    fn fallocate(lock: &InodeLock<'_, Self>, what: Fallocate, range: Range<u64>) -> Result {
        fallocate::fallocate(lock, what, range)
    }

    fn fiemap(inode: &Inode<Self>, call: &mut dax::Fiemap<'_>) -> Result {
        call.answer(inode)
    }
}

/// `moved` bytes are in place, up to byte `pos`: the end of the file is not before that. Where none
/// could be written the end stays.
fn written_to(lock: &InodeLock<'_, Mount>, pos: u64, moved: usize) -> Result {
    if moved == 0 || pos <= lock.inode().size() {
        return Ok(());
    }
    resize::set_size(lock, pos)
}

/// Has the fault resolved. If the driver lists the page's block as bad, and nobody knew, its owners are told soon.
fn resolve(
    fault: &mut Fault<'_, Mount>,
    lock: &InvalidateLockShared<'_, Mount>,
    pages: &Range<u64>,
) -> FaultResult {
    let result = fault.resolve(lock);
    if result.is_poison() {
        if let Ok(Mapping::Data {
            block, bad: false, ..
        }) = look_up(lock.inode(), pages.start, 1)
        {
            let fs = lock.inode().fs();
            fs.good_len(&(block..block.saturating_add(1)));
            fs.engine().counters.late_faults.add(1);
        }
    }
    result
}

/// Whether the file is about to get a page that it shares (see `Extents::map`), which must be counted.
/// The blocks of a file do not become shared under its lock. A huge fault never gets a shared page.
fn is_first_of_shared(lock: &InvalidateLockShared<'_, Mount>, pages: &Range<u64>) -> bool {
    let inode = lock.inode();
    if pages.end - pages.start > 1 || dax::has_page(inode, pages.start) {
        return false;
    }
    let mapping = look_up(inode, pages.start, 1);
    matches!(mapping, Ok(Mapping::Data { shared: true, .. }))
}
