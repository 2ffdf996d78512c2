// SPDX-License-Identifier: GPL-2.0

//! Tracepoints: what happened to a failed block, for trace-cmd, perf and tracefs.
//!
//! Documentation/failure.rst documents their fields. While a tracepoint is off, its function here costs
//! a call of a C function whose static key says so. (`kernel::tracepoint::declare_trace` would save the
//! call, but finds only tracepoints that are in `kernel::bindings`.) C header:
//! `include/trace/events/daxrmap.h`
//!
//! # Locking
//!
//! None: these functions never sleep, and may be called under any lock.

use crate::{
    bindings,
    vfs::{
        Dev,
        FileSystem,
        Inode, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Outcome of [`owner`]: not in core.
pub(crate) const ABSENT: u32 = bindings::daxrmap_outcome_DAXRMAP_OUTCOME_ABSENT;
/// Outcome of [`owner`]: in core, mapped by nobody.
pub(crate) const UNMAPPED: u32 = bindings::daxrmap_outcome_DAXRMAP_OUTCOME_UNMAPPED;
/// Outcome of [`owner`]: mapped, and told.
pub(crate) const KILLED: u32 = bindings::daxrmap_outcome_DAXRMAP_OUTCOME_KILLED;
/// Outcome of [`owner`]: had lost the blocks by the time it was locked.
pub(crate) const MOVED: u32 = bindings::daxrmap_outcome_DAXRMAP_OUTCOME_MOVED;

/// What healed a file.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum HealedBy {
    /// write(2).
    Write = bindings::daxrmap_healed_by_DAXRMAP_HEALED_BY_WRITE,
    /// `FALLOC_FL_ZERO_RANGE`.
    ZeroRange = bindings::daxrmap_healed_by_DAXRMAP_HEALED_BY_ZERO_RANGE,
    /// `FALLOC_FL_PUNCH_HOLE`.
    PunchHole = bindings::daxrmap_healed_by_DAXRMAP_HEALED_BY_PUNCH_HOLE,
}

/// How many owners of a failure were dealt with, and how.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    /// All that were found.
    pub(crate) owners: u64,
    /// Of these, those that somebody mapped, and that were told.
    pub(crate) told: u64,
    /// Of these, those that were not in core.
    pub(crate) absent: u64,
}

fn count(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

fn errno(result: Result) -> c_int {
    result.err().map_or(0, |e| e.to_errno())
}

/// `daxrmap:publish`: these blocks are in the bad set; how many of them were not before.
pub(crate) fn publish(dev: Dev, blocks: &Range<u64>, mf_flags: c_int, newly_bad: Result<u64>) {
    let (bad, err) = (newly_bad.unwrap_or(0), errno(newly_bad.map(|_| ())));
    // SAFETY: Takes nothing but numbers.
    unsafe {
        bindings::daxrmap_trace_publish(
            dev.as_raw(),
            blocks.start,
            count(blocks),
            mf_flags,
            bad,
            err,
        )
    };
}

/// `daxrmap:notify`: all owners of these blocks have been dealt with.
pub(crate) fn notify(
    dev: Dev,
    blocks: &Range<u64>,
    mf_flags: c_int,
    totals: Totals,
    result: Result,
) {
    // SAFETY: Takes nothing but numbers.
    unsafe {
        bindings::daxrmap_trace_notify(
            dev.as_raw(),
            blocks.start,
            count(blocks),
            mf_flags,
            totals.owners,
            totals.told,
            totals.absent,
            errno(result),
        )
    };
}

/// `daxrmap:owner`: what was done about pages `pages` of file `ino`, which are blocks from `block` on;
/// `outcome` is one of the constants above.
pub(crate) fn owner(
    dev: Dev,
    ino: u64,
    pages: &Range<u64>,
    block: u64,
    outcome: u32,
    result: Result,
) {
    // SAFETY: Takes nothing but numbers.
    unsafe {
        bindings::daxrmap_trace_owner(
            dev.as_raw(),
            ino,
            pages.start,
            count(pages),
            block,
            outcome,
            errno(result),
        )
    };
}

/// Whether anybody listens to [`heal`], so that what only that needs can be left undone.
pub(crate) fn heal_enabled() -> bool {
    // SAFETY: Asks a static key.
    unsafe { bindings::daxrmap_trace_heal_enabled() }
}

/// `daxrmap:heal`: pages of a file, which were bad blocks from `old` on, are blocks from `new` on now,
/// or a hole.
pub(crate) fn heal<F: FileSystem>(
    inode: &Inode<F>,
    pages: &Range<u64>,
    old: u64,
    new: Option<u64>,
    by: HealedBy,
) {
    let new = new.map_or(-1, |block| i64::try_from(block).unwrap_or(i64::MAX));
    // SAFETY: Takes nothing but numbers.
    unsafe {
        bindings::daxrmap_trace_heal(
            inode.sb().dev().as_raw(),
            inode.ino(),
            pages.start,
            count(pages),
            old,
            new,
            by as u32,
        )
    };
}
