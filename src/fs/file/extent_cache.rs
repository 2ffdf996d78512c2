// SPDX-License-Identifier: GPL-2.0

//! Where a file's pages are, without the state lock: what it last said is remembered, for holes and for good
//! blocks of one owner.
//!
//! Two things could make that wrong. The file's extents change, or come to be shared: only under its
//! exclusive `invalidate_lock`, at the end of which all is forgotten. Or a block goes bad: what is
//! remembered has the number of failures of the mount that it was told under ([`Meta::failures`]),
//! and says nothing any more once that is another one. So whoever asks gets what the state lock would
//! have said at a moment since it took the `invalidate_lock`.
//!
//! [`Meta::failures`]: crate::fs::meta::Meta::failures
//!
//! # Locking
//!
//! A spin lock for each file, held for a few loads or stores; inside of everything but memory.

use crate::{
    fs::Mount,
    state::Mapping,
    vfs::{
        FileCache,
        Inode, //
    },
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

/// Runs that are remembered of a file.
const RUNS: usize = 8;

/// More pages are asked for than are wanted, up to a multiple of so many: 1 GiB. No PMD crosses that.
const AHEAD: u64 = 1 << 18;

/// Pages at good blocks that no other file has, or of a hole.
#[derive(Clone, Copy, Default)]
struct KnownRun {
    pgoff: u64,
    block: Option<u64>,
    /// 0: nothing.
    len: u64,
    /// How many failures there had been.
    failures: u64,
}

#[derive(Default)]
struct Runs {
    runs: [KnownRun; RUNS],
    /// The one to be forgotten next.
    oldest: usize,
}

/// What is remembered of one file.
#[pin_data]
pub(crate) struct ExtentCache {
    #[pin]
    runs: SpinLock<Runs>,
}

impl FileCache for ExtentCache {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            runs <- new_spinlock!(Runs::default(), "daxrmap::ExtentCache"),
        })
    }

    fn forget(&self) {
        *self.runs.lock() = Runs::default();
    }
}

impl ExtentCache {
    /// Where page `pgoff` is: the block, if it has one, and for how many pages it goes on like that.
    fn find(&self, pgoff: u64, failures: u64) -> Option<(Option<u64>, u64)> {
        let runs = self.runs.lock();
        runs.runs.iter().find_map(|run| {
            let skip = pgoff.checked_sub(run.pgoff).filter(|n| *n < run.len)?;
            let block = run.block.map(|block| block.saturating_add(skip));
            (run.failures == failures).then_some((block, run.len - skip))
        })
    }

    fn remember(&self, run: KnownRun) {
        let mut runs = self.runs.lock();
        let oldest = runs.oldest;
        if let Some(slot) = runs.runs.get_mut(oldest) {
            *slot = run;
        }
        runs.oldest = oldest.wrapping_add(1) % RUNS;
    }
}

/// What is remembered of where page `pgoff` is, for at most `max` pages. Without the `invalidate_lock`
/// it is what it was a moment ago.
pub(super) fn remembered(inode: &Inode<Mount>, pgoff: u64, max: u64) -> Option<Mapping> {
    let failures = inode.fs().meta().failures();
    let (block, len) = inode.cache()?.find(pgoff, failures)?;
    let len = len.min(max);
    Some(match block {
        Some(block) => Mapping::Data {
            block,
            len,
            shared: false,
            bad: false,
        },
        None => Mapping::Hole { len },
    })
}

/// What stands at page `pgoff` of the file, for at most `max` pages, as `State::map`. The caller holds the
/// `invalidate_lock`, at least shared.
///
/// # Errors
///
/// `EIO` if the device is gone; those of `State::map`.
pub(super) fn look_up(inode: &Inode<Mount>, pgoff: u64, max: u64) -> Result<Mapping> {
    if max == 0 {
        return Err(EINVAL);
    }
    let meta = inode.fs().meta();
    if let Some(mapping) = remembered(inode, pgoff, max) {
        meta.check_alive()?;
        return Ok(mapping);
    }
    let (mapping, failures) = {
        // Before the look: a block that is bad by that number is found bad.
        let failures = meta.failures();
        let state = meta.read_alive()?;
        meta.count_look_up();
        let ahead = max.max(AHEAD - pgoff % AHEAD);
        (state.map(inode.ino(), pgoff, ahead)?, failures)
    };
    let known = match mapping {
        Mapping::Hole { len } => Some((None, len)),
        Mapping::Data {
            block,
            len,
            shared: false,
            bad: false,
        } => Some((Some(block), len)),
        _ => None,
    };
    if let (Some((block, len)), Some(cache)) = (known, inode.cache_or_new()) {
        cache.remember(KnownRun {
            pgoff,
            block,
            len,
            failures,
        });
    }
    Ok(mapping.up_to(max))
}
