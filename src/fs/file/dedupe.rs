// SPDX-License-Identifier: GPL-2.0

//! Whether two ranges hold the same bytes, for FIDEDUPERANGE.
//!
//! # Locking
//!
//! Both files' `invalidate_lock`s are held exclusively, and their pages unmapped: nobody changes a byte.
//! The state lock is taken for each look-up.

use crate::{
    dax::{
        self,
        Remap, //
    },
    errno::ehwpoison,
    fs::Mount,
    state::Mapping,
    support::fatal_signal_pending,
    vfs::Inode, //
};
use kernel::prelude::*;

/// Bytes of a page.
const PAGE: usize = dax::BLOCK_SIZE as usize;

/// Compares `len` bytes of both sides. What is a hole, or unwritten, in one may be
/// zeroes in the other.
///
/// # Errors
///
/// `EIO` if one of them cannot be read; `ENOMEM`, `EINTR`.
pub(super) fn is_same(range: &Remap<'_, Mount>, len: u64) -> Result<bool> {
    let (a, b) = (&range.src, &range.dst);
    let pages = len.div_ceil(dax::BLOCK_SIZE);
    let mut buf = KVec::from_elem(0u8, 2 * PAGE, GFP_KERNEL)?;
    let (one, other) = buf.split_at_mut_checked(PAGE).ok_or(EIO)?;
    let mut done = 0;
    while done < pages {
        let at = |pos: u64| (pos >> dax::BLOCK_SHIFT).saturating_add(done);
        let max = pages - done;
        let first = map(a.inode, at(a.pos), max)?;
        let second = map(b.inode, at(b.pos), max.min(first.len()))?;
        let max = second.len().max(1);
        for i in 0..max {
            if fatal_signal_pending() {
                return Err(EINTR);
            }
            let (x, y) = (block(&first, i)?, block(&second, i)?);
            if x == y {
                continue;
            }
            read(a.inode, x, one)?;
            read(b.inode, y, other)?;
            let left = len.saturating_sub((done + i).saturating_mul(dax::BLOCK_SIZE));
            let left = usize::try_from(left).unwrap_or(PAGE).min(PAGE);
            if one.get(..left) != other.get(..left) {
                return Ok(false);
            }
        }
        done = done.saturating_add(max);
    }
    Ok(true)
}

fn map(inode: &Inode<Mount>, pgoff: u64, max: u64) -> Result<Mapping> {
    inode.fs().meta().read_alive()?.map(inode.ino(), pgoff, max)
}

/// Reads a block, or the zeroes of a hole.
fn read(inode: &Inode<Mount>, block: Option<u64>, buf: &mut [u8]) -> Result {
    let Some(block) = block else {
        buf.fill(0);
        return Ok(());
    };
    let fs = inode.fs();
    let at = block.checked_mul(dax::BLOCK_SIZE).ok_or(ERANGE)?;
    match fs.device().read(at, buf) {
        Err(e) if e == ehwpoison() => {
            // On the driver's list, and nobody knew.
            fs.discover(block..block.saturating_add(1));
            Err(EIO)
        }
        result => result,
    }
}

/// The nth block of a mapping; `None` for zeroes that need no block, `EIO` for a bad one.
fn block(mapping: &Mapping, n: u64) -> Result<Option<u64>> {
    match mapping {
        Mapping::Hole { .. } | Mapping::Unwritten { .. } => Ok(None),
        Mapping::Data { bad: true, .. } => Err(EIO),
        Mapping::Data { block, .. } => Ok(Some(block.saturating_add(n))),
    }
}
