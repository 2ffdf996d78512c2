// SPDX-License-Identifier: GPL-2.0

//! New blocks: allocated, filled, and given to a file.
//!
//! A free block may be on the driver's list of bad blocks, since a scrub has found it there, or fail
//! while it is filled. That is nobody's business: nobody owns it, so there is nobody to tell. It enters
//! the bad set at once, what was allocated with it is free again, other blocks are taken, and the
//! writer does not notice. It ends: each time the allocator has a block less to give.
//!
//! # Locking
//!
//! The commit lock, to allocate, and to give; not while blocks are filled. The blocks are in flight
//! meanwhile, so that nobody else can get them, or return them to use. The driver is asked under the
//! lock: it only looks. From before they are allocated until they are filled they are
//! [touched](crate::dax::Pmem): a failure waits for that, and nobody else does who could be found.

use crate::fs::{
    meta::MetaGuard,
    Mount, //
};
use core::ops::Range;
use kernel::prelude::*;

/// Takes the blocks that `allocate` returns, has `fill` put into them what they are to hold, durably,
/// and `adopt` give them to a file. All three may be called again, with other blocks. Returns the
/// blocks, and what `fill` said of them. `adopt` is under the same hold of the lock that the blocks
/// were found good under.
///
/// # Errors
///
/// What these say; `EIO` if the device is gone. The blocks are free again then.
pub(super) fn new_blocks<T>(
    fs: &Mount,
    mut allocate: impl FnMut(&mut MetaGuard<'_>) -> Result<Range<u64>>,
    mut fill: impl FnMut(&Range<u64>) -> Result<T>,
    mut adopt: impl FnMut(&mut MetaGuard<'_>, &Range<u64>, &T) -> Result,
) -> Result<(Range<u64>, T)> {
    loop {
        let reaped = fs.meta().reaped();
        let touching = fs.device().touch_lock.touch();
        let new = {
            let mut state = fs.meta().lock();
            match allocate(&mut state) {
                Ok(new) if gave_back(fs, &mut state, &new)? => continue,
                Ok(new) => new,
                Err(e) => {
                    drop(state);
                    drop(touching);
                    if e == ENOSPC && fs.meta().makes_room(reaped) {
                        continue;
                    }
                    return Err(e);
                }
            }
        };
        touching.test_delay();
        let filled = fill(&new);
        drop(touching);
        let mut state = fs.meta().lock();
        if gave_back(fs, &mut state, &new)? {
            // What went wrong may have been that.
            continue;
        }
        let adopted = filled.and_then(|filled| {
            // Bad blocks that there was no memory to remember have shut the mount down.
            fs.meta().check_alive()?;
            adopt(&mut state, &new, &filled)?;
            Ok(filled)
        });
        match adopted {
            Ok(filled) => return Ok((new, filled)),
            Err(e) => {
                state.release(new)?;
                drop(state);
                if e != ENOSPC || !fs.meta().makes_room(reaped) {
                    return Err(e);
                }
            }
        }
    }
}

/// If one of the `new` blocks is bad, gives all of them back; those that the driver lists, and free
/// ones behind them, are in the bad set then.
fn gave_back(fs: &Mount, state: &mut MetaGuard<'_>, new: &Range<u64>) -> Result<bool> {
    let end = state.total_blocks();
    let mut from = new.start;
    let mut retired = Ok(());
    while retired.is_ok() && from < new.end {
        match fs.device().next_bad(&(from..end)) {
            Some(listed) if listed.start < new.end => {
                from = listed.end;
                retired = state.retire(&listed);
            }
            _ => break,
        }
    }
    let is_bad = state.next_bad(new.start, new.end).is_some();
    if is_bad || retired.is_err() {
        state.release(new.clone())?;
    }
    retired.map(|()| is_bad)
}
