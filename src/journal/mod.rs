// SPDX-License-Identifier: GPL-2.0

//! The journal: what makes each change of the metadata durable, and finds it again at the next mount.
//!
//! The state is in memory, [`crate::state`]. On the medium is a log: a checkpoint, which is the whole
//! state, and the transactions after it. A transaction is durable when it is appended to the log, and
//! applied to the state in memory after that. When the log's region is full, all of the state goes to the
//! other one, as a checkpoint, and the superblocks are told. A checkpoint always fits: it is never longer
//! than the log that it replaces (see `state/checkpoint.rs`), and of a region that is longer than the other
//! one the rest is not used.
//!
//! Pure: it builds in the module, in the tools and on the host, and of the device it knows only
//! [`Medium`]. Documentation/format.rst says what is on the medium.
//!
//! - [`store`]: the state and its log together, as a mount has them.
//! - `format`: making a filesystem, in the tools. [`open`]: reading one. [`repair`]: moving the log off
//!   bad blocks.
//!
//! # Locking
//!
//! The caller holds the commit lock, from the transaction's `reserve` to its `apply`. The state does not change
//! meanwhile, but others may read it.

#[cfg(not(MODULE))]
mod format;
mod open;
mod repair;
mod store;

#[cfg(not(MODULE))]
pub(crate) use self::format::{
    region_blocks,
    Format, //
};
pub(crate) use self::open::Opened;
#[cfg(MODULE)]
pub(crate) use self::store::Access;
pub(crate) use self::store::Store;

use crate::{
    media::{
        Log,
        Medium,
        RecordKind,
        RecordWriter,
        Region,
        Sink,
        Superblock,
        LABEL_BYTES, //
    },
    state::{
        Op,
        OpSink,
        State, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Payload after which a checkpoint begins another record.
const CHECKPOINT_RECORD: u64 = 16 << 10;

/// The log of a mounted filesystem.
pub(crate) struct Journal {
    sb: Superblock,
    log: Log,
    /// The active region cannot be read in full, though none of its blocks need be in the bad set.
    damaged: bool,
}

impl Journal {
    /// A log of which nothing is to be used any more: its next record is a checkpoint, with the sequence
    /// number `seq`, which must be greater than that of any record that may still be on the medium.
    pub(crate) fn abandoned(sb: Superblock, seq: u64) -> Self {
        Self {
            log: Log::begin(sb.active_region(), tag(&sb), seq),
            sb,
            damaged: true,
        }
    }

    /// The superblock.
    pub(crate) fn superblock(&self) -> &Superblock {
        &self.sb
    }

    /// The blocks that no file can have: first superblock, the log's two regions, last superblock.
    pub(crate) fn metadata(&self) -> [Range<u64>; 4] {
        metadata(&self.sb)
    }

    /// How many bytes of the log's region are in use, and how many there are.
    pub(crate) fn used(&self) -> (u64, u64) {
        (self.log.head(), capacity(&self.sb))
    }

    /// Makes operations durable, all or none. `state` is the state before them.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if the log has no room for them, nor has a new one; what the medium says. They have
    /// not happened then, though they may be found to have if there is a crash now. `EIO` also if the
    /// log is on bad blocks, see [`repair`](Self::repair), or for the superblocks, see [`note`](Self::note).
    pub(crate) fn append(&mut self, medium: &impl Medium, state: &State, ops: &[Op]) -> Result {
        if self.is_bad(state, self.sb.active) {
            return Err(EIO);
        }
        self.note(medium, state, incompat(ops))?;
        let reserve = self.reserve(kept(ops));
        match self.try_append(medium, ops, reserve) {
            Err(e) if e == ENOSPC => {}
            result => return result,
        }
        self.checkpoint(medium, state)?;
        self.try_append(medium, ops, reserve)
    }

    fn try_append(&mut self, medium: &impl Medium, ops: &[Op], reserve: u64) -> Result {
        self.log
            .append(medium, RecordKind::Transaction, reserve, |record| {
                ops.iter().try_for_each(|op| op.encode(record))
            })
    }

    /// How many bytes of its region a transaction leaves that is to keep so many sixteenths of what is used at
    /// all. These also have room for the heads of a checkpoint's records.
    fn reserve(&self, sixteenths: u64) -> u64 {
        let kept = (capacity(&self.sb) / 16).saturating_mul(sixteenths);
        unused(&self.sb).saturating_add(kept)
    }

    /// Writes all of the state to the other region, which is the log then.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if that is on bad blocks; what the medium says. The log is the old one then, and as it
    /// was.
    pub(crate) fn checkpoint(&mut self, medium: &impl Medium, state: &State) -> Result {
        let other = self.other();
        if self.is_bad(state, other) {
            return Err(ENOSPC);
        }
        self.checkpoint_to(medium, state, other, self.sb.regions)
    }

    /// Gives the filesystem another name for people: superblocks only.
    ///
    /// # Errors
    ///
    /// What the medium says; `EIO` if both are on bad blocks. Should there be a crash now, it may have
    /// either.
    pub(crate) fn set_label(
        &mut self,
        medium: &impl Medium,
        state: &State,
        label: &[u8; LABEL_BYTES],
    ) -> Result {
        let sb = Superblock {
            label: *label,
            ..self.sb
        };
        self.rewrite(medium, state, sb)
    }

    /// Makes durable, in both superblocks, that the log may have operations that need these incompat
    /// features (see [`Op::incompat`]). Nothing is written if they say so already.
    ///
    /// # Errors
    ///
    /// What the medium says; `EIO` if both are on bad blocks. Nothing has changed then, though the features
    /// may be found if there is a crash now, which is harmless.
    pub(crate) fn note(&mut self, medium: &impl Medium, state: &State, incompat: u64) -> Result {
        if self.sb.features.has(incompat) {
            return Ok(());
        }
        let mut sb = self.sb;
        sb.features.incompat |= incompat;
        self.rewrite(medium, state, sb)
    }

    /// Writes another superblock in place of this one; the log stays.
    fn rewrite(&mut self, medium: &impl Medium, state: &State, sb: Superblock) -> Result {
        let generation = self.sb.generation.wrapping_add(1);
        let sb = Superblock { generation, ..sb };
        sb.write(medium, good_copies(&sb, state))?;
        self.sb = sb;
        Ok(())
    }

    /// Which region has no log.
    fn other(&self) -> u32 {
        1 - self.sb.active.min(1)
    }

    fn checkpoint_to(
        &mut self,
        medium: &impl Medium,
        state: &State,
        active: u32,
        regions: [Region; 2],
    ) -> Result {
        let first_seq = self.log.seq();
        let kept = active != self.sb.active && !self.damaged;
        let sb = Superblock {
            active,
            first_seq,
            previous_seq: if kept { self.sb.first_seq } else { 0 },
            regions,
            generation: self.sb.generation.wrapping_add(1),
            ..self.sb
        };
        let mut log = Log::begin(sb.active_region(), tag(&sb), first_seq);
        // A shorter log must have room for what frees something, as the one before it had.
        let kept = match capacity(&sb) {
            less if less < capacity(&self.sb) => less / 8,
            _ => 0,
        };
        let reserve = unused(&sb).saturating_add(kept);
        write_checkpoint(&mut log, medium, state, reserve)?;
        // The superblocks must not be durable before what they point to.
        medium.fence()?;
        sb.write(medium, good_copies(&sb, state))?;
        self.sb = sb;
        self.log = log;
        self.damaged = false;
        Ok(())
    }
}

/// Which copies of the superblock are not on bad blocks.
fn good_copies(sb: &Superblock, state: &State) -> [bool; 2] {
    let [first, .., second] = metadata(sb);
    [first, second].map(|block| state.next_bad(block.start, block.end).is_none())
}

/// How many bytes of each region are used: what both have.
fn capacity(sb: &Superblock) -> u64 {
    let [first, second] = sb.regions;
    first.bytes().min(second.bytes())
}

/// How many bytes at the end of the active region are not used.
fn unused(sb: &Superblock) -> u64 {
    sb.active_region().bytes().saturating_sub(capacity(sb))
}

/// Tells this filesystem's log from what others have left on the medium.
fn tag(sb: &Superblock) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sb.uuid;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// See [`Journal::metadata`].
fn metadata(sb: &Superblock) -> [Range<u64>; 4] {
    let [first, second] = sb.regions;
    let end = sb.blocks.saturating_sub(1);
    [0..1, first.range(), second.range(), end..sb.blocks]
}

/// Which incompat features these operations need.
fn incompat(ops: &[Op]) -> u64 {
    ops.iter().fold(0, |all, op| all | op.incompat())
}

/// How many sixteenths of the log these operations keep for others: none if they do not make the checkpoint longer
/// by more than a failure may, so that what removes things always can; two if they do.
///
/// One, if they only write to what fallocate gave: that there was room for it has been said already.
fn kept(ops: &[Op]) -> u64 {
    let kept = |op: &Op| match op {
        Op::NewInode { .. }
        | Op::Link { .. }
        | Op::Map { .. }
        | Op::SetTarget { .. }
        | Op::SetXattr { .. }
        | Op::Convert { written: false, .. } => 2,
        Op::Convert { written: true, .. } => 1,
        Op::Shift { from, to, .. } if to > from => 2,
        _ => 0,
    };
    ops.iter().map(kept).max().unwrap_or(0)
}

/// Puts the operations of a checkpoint in records.
struct Checkpoint<'a, M: Medium> {
    record: RecordWriter<'a, M>,
}

impl<M: Medium> OpSink for Checkpoint<'_, M> {
    fn op(&mut self, encode: &dyn Fn(&mut dyn Sink) -> Result) -> Result {
        if self.record.len() >= CHECKPOINT_RECORD {
            self.record.finish(RecordKind::Checkpoint)?;
        }
        encode(&mut self.record)
    }
}

/// Writes the state to the start of a log, leaving `reserve` bytes of its region. It is durable after
/// the caller's fence.
fn write_checkpoint(log: &mut Log, medium: &impl Medium, state: &State, reserve: u64) -> Result {
    let record = log.record(medium, reserve);
    let mut checkpoint = Checkpoint { record };
    state.checkpoint(&mut checkpoint)?;
    checkpoint.record.finish(RecordKind::CheckpointEnd)
}
