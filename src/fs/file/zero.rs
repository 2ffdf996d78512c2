// SPDX-License-Identifier: GPL-2.0

//! Ranges that are to be zeroes: FALLOC_FL_ZERO_RANGE and FALLOC_FL_WRITE_ZEROES. What is bad in them heals.
//!
//! # Locking
//!
//! The file's `invalidate_lock`, exclusively, which the caller holds.

use super::{
    unwritten::{
        bad_len,
        convert,
        forget_bytes,
        give,
        look_ahead,
        to_pmd,
        Converted, //
    },
    writable::replace, //
};
use crate::{
    fs::Mount,
    state::Mapping,
    trace::{
        self,
        HealedBy, //
    },
    vfs::InvalidateLock,
};
use core::ops::Range;
use kernel::prelude::*;

/// What there is where zeroes were asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Zeroes {
    /// Blocks with zeroes in them.
    Written,
    /// Unwritten blocks.
    Unwritten,
    /// Zeroes in the blocks that were written, and unwritten ones else: what costs least for few.
    AsTheyAre,
}

/// Zeroes a run of whole pages: in place, unless others have these blocks too, or they are bad.
pub(super) fn zero(
    lock: &InvalidateLock<'_, Mount>,
    mapping: Mapping,
    pages: Range<u64>,
    zeroes: Zeroes,
) -> Result<u64> {
    let inode = lock.inode();
    let fs = inode.fs();
    let mut pages = pages;
    let mut lost = None;
    match mapping {
        Mapping::Unwritten { .. } if zeroes == Zeroes::Written => {
            let mapping = look_ahead(fs, inode.ino(), &pages)?;
            match convert(lock, pages.clone(), mapping)? {
                Converted::Written(len) => return Ok(len),
                Converted::Bad(len) => pages.end = pages.start.saturating_add(len),
            }
        }
        Mapping::Unwritten {
            len, bad: false, ..
        } => return Ok(len),
        Mapping::Data {
            block,
            len,
            shared,
            bad,
        } => {
            let blocks = block..block.saturating_add(len);
            let good = if bad { None } else { fs.good_len(&blocks) };
            match good {
                None => {
                    // The driver may list it, and nobody knew: it is a bad block like others.
                    let bad = pages.start.saturating_add(bad_len(fs, &blocks));
                    pages.end = pages.end.min(bad);
                    lost = Some(block);
                }
                Some(len) if !shared && zeroes == Zeroes::Unwritten => {
                    let good = pages.start..pages.start.saturating_add(len);
                    let blocks = block..block.saturating_add(len);
                    return forget_bytes(lock, good, blocks).map(|()| len);
                }
                Some(len) if !shared => {
                    let len = len.min(to_pmd(pages.start));
                    lock.break_layout(pages.start..pages.start.saturating_add(len))?;
                    fs.device().zero(block..block.saturating_add(len))?;
                    return Ok(len);
                }
                Some(_) => {}
            }
        }
        Mapping::Hole { .. } | Mapping::Unwritten { .. } => {}
    }
    let new = if zeroes == Zeroes::Written {
        replace(lock, pages.clone(), None)?
    } else {
        give(lock, pages.clone())?
    };
    let done = new.end - new.start;
    if let Some(block) = lost {
        fs.engine().counters.healed.add(done);
        let healed = pages.start..pages.start.saturating_add(done);
        fs.tell_healed(inode, &healed, block);
        trace::heal(inode, &healed, block, Some(new.start), HealedBy::ZeroRange);
    }
    Ok(done)
}
