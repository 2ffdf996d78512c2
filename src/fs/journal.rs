// SPDX-License-Identifier: GPL-2.0

//! The state and the medium: mkfs, mount, and making each transaction durable.
//!
//! Pure; so far it builds on the host only. Documentation/format.rst says what is on the medium.
//!
//! A transaction is durable when it is appended, and applied to the state in memory after that. When
//! the log's region is full, all of the state goes to the other one, as a checkpoint, and the
//! superblocks are told. A checkpoint always fits: it is never longer than the log that it replaces
//! (see `state/checkpoint.rs`), and both regions are of one size.
//!
//! # Locking
//!
//! The caller holds the state lock exclusively, from the transaction's `reserve` to its `apply`.

use super::state::{
    Attr,
    Op,
    OpSink,
    State,
    Transaction, //
};
use crate::{
    errno::{
        eopnotsupp,
        euclean, //
    },
    media::{
        Features,
        Log,
        Medium,
        Reader,
        RecordKind,
        RecordWriter,
        Region,
        Replay,
        Sink,
        Superblock,
        LABEL_MAX, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// Payload after which a checkpoint begins another record.
const CHECKPOINT_RECORD: u64 = 16 << 10;

/// Smallest region, in blocks.
const MIN_REGION: u64 = 16;

/// One region for so many blocks of the filesystem.
const BLOCKS_PER_REGION_BLOCK: u64 = 64;

/// What a new filesystem is to be.
pub(crate) struct Format {
    /// Size, in blocks.
    pub(crate) blocks: u64,
    /// Its name for machines.
    pub(crate) uuid: [u8; 16],
    /// Its name for people.
    pub(crate) label: [u8; LABEL_MAX],
    /// When it is made: seconds since 1970.
    pub(crate) made: i64,
    /// The root directory.
    pub(crate) root: Attr,
}

/// The log of a mounted filesystem.
pub(crate) struct Journal {
    sb: Superblock,
    log: Log,
}

impl Journal {
    /// Makes a filesystem. What was on the medium is lost once this has begun to write the
    /// superblocks, which it does last.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is too small or too large; what the medium says; `ENOMEM`.
    pub(crate) fn format(medium: &impl Medium, format: &Format) -> Result {
        let region = (format.blocks / BLOCKS_PER_REGION_BLOCK).max(MIN_REGION);
        let end = format.blocks.saturating_sub(1);
        let regions = [1, end.saturating_sub(region)].map(|start| Region {
            start,
            blocks: region,
        });
        let sb = Superblock {
            features: Features::default(),
            uuid: format.uuid,
            label: format.label,
            blocks: format.blocks,
            generation: 1,
            regions,
            active: 0,
            first_seq: 1,
            made: format.made,
        };
        sb.check().map_err(|_| EINVAL)?;
        let state = State::new(format.blocks, format.root)?;
        let mut log = Log::begin(sb.active_region(), tag(&sb), sb.first_seq);
        write_checkpoint(&mut log, medium, &state)?;
        medium.fence();
        sb.write(medium)
    }

    /// Reads a filesystem of a device that has so many blocks. Writes nothing.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is none; `EUCLEAN` if it is damaged; `EOPNOTSUPP` if it is of a version or has
    /// features that are not known here; `EIO` if some of it cannot be read; `ENOMEM`.
    pub(crate) fn open(medium: &impl Medium, device_blocks: u64) -> Result<(Journal, State)> {
        let sb = Superblock::read(medium, device_blocks)?;
        if sb.features.can_write().is_none() {
            return Err(eopnotsupp());
        }
        let mut state = State::empty(sb.blocks)?;
        for range in metadata(&sb) {
            state.take(range)?;
        }
        let mut replay = Replay::new(sb.active_region(), tag(&sb), sb.first_seq);
        let mut payload = KVVec::new();
        while replay.next(medium, &mut payload)? {
            replay_record(&mut state, &payload)?;
        }
        if !replay.is_complete() || !state.has_root() {
            return Err(euclean());
        }
        for range in metadata(&sb) {
            if !state.is_in_flight(range) {
                return Err(euclean());
            }
        }
        let log = replay.into_log();
        Ok((Journal { sb, log }, state))
    }

    /// The superblock.
    pub(crate) fn superblock(&self) -> &Superblock {
        &self.sb
    }

    /// Makes a transaction durable. `state` is what it was before.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if the log has no room for it, nor has a new one; what the medium says. It has not
    /// happened then, though it may be found to have if there is a crash now.
    pub(crate) fn append(
        &mut self,
        medium: &impl Medium,
        state: &State,
        tx: &Transaction,
    ) -> Result {
        let reserve = if grows(tx) { self.reserve() } else { 0 };
        match self.try_append(medium, tx, reserve) {
            Err(e) if e == ENOSPC => {}
            result => return result,
        }
        self.checkpoint(medium, state)?;
        self.try_append(medium, tx, reserve)
    }

    fn try_append(&mut self, medium: &impl Medium, tx: &Transaction, reserve: u64) -> Result {
        self.log
            .append(medium, RecordKind::Transaction, reserve, |record| {
                tx.ops().iter().try_for_each(|op| op.encode(record))
            })
    }

    /// How much of a region only those transactions may use that make the state no larger: an
    /// eighth, which also has room for the heads of a checkpoint's records.
    fn reserve(&self) -> u64 {
        self.log.region().bytes() / 8
    }

    /// Writes all of the state to the other region, which is the log then.
    ///
    /// # Errors
    ///
    /// What the medium says. The log is the old one then, and as it was.
    pub(crate) fn checkpoint(&mut self, medium: &impl Medium, state: &State) -> Result {
        self.checkpoint_to(medium, state, 1 - self.sb.active.min(1), self.sb.regions)
    }

    /// Moves the log's region that a bad block is in to blocks that are good. The old ones are free
    /// then, but for those that are bad. What is in memory is the truth: nothing is read. Returns
    /// whether the block was in one.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there is no run of free blocks as long as the region; what the medium says;
    /// `ENOMEM`. Nothing has changed then.
    pub(crate) fn retire(
        &mut self,
        medium: &impl Medium,
        state: &mut State,
        block: u64,
    ) -> Result<bool> {
        let [first, second] = self.sb.regions;
        let (index, old) = if first.range().contains(&block) {
            (0, first)
        } else if second.range().contains(&block) {
            (1, second)
        } else {
            return Ok(false);
        };
        let new = state.allocate(old.blocks, 1, old.start)?;
        let region = Region {
            start: new.start,
            blocks: new.end.saturating_sub(new.start),
        };
        let regions = if index == 0 {
            [region, second]
        } else {
            [first, region]
        };
        // The log goes to the new place in any case: one write of the superblocks does it all.
        let moved = if region.blocks == old.blocks {
            self.checkpoint_to(medium, state, index, regions)
        } else {
            Err(ENOSPC)
        };
        let unused = if moved.is_ok() { old.range() } else { new };
        state.release(unused)?;
        moved.map(|()| true)
    }

    fn checkpoint_to(
        &mut self,
        medium: &impl Medium,
        state: &State,
        active: u32,
        regions: [Region; 2],
    ) -> Result {
        let first_seq = self.log.seq();
        let sb = Superblock {
            active,
            first_seq,
            regions,
            generation: self.sb.generation.wrapping_add(1),
            ..self.sb
        };
        let mut log = Log::begin(sb.active_region(), tag(&sb), first_seq);
        write_checkpoint(&mut log, medium, state)?;
        // The superblocks must not be durable before what they point to.
        medium.fence();
        sb.write(medium)?;
        self.sb = sb;
        self.log = log;
        Ok(())
    }
}

/// Tells this filesystem's log from what others have left on the medium.
fn tag(sb: &Superblock) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sb.uuid;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The blocks that no file can have.
fn metadata(sb: &Superblock) -> [Range<u64>; 4] {
    let [first, second] = sb.regions;
    let end = sb.blocks.saturating_sub(1);
    [0..1, first.range(), second.range(), end..sb.blocks]
}

/// Whether a transaction may make the checkpoint longer, by more than a failure may.
fn grows(tx: &Transaction) -> bool {
    tx.ops()
        .iter()
        .any(|op| matches!(op, Op::NewInode { .. } | Op::Link { .. } | Op::Map { .. }))
}

/// Applies the operations of one record.
fn replay_record(state: &mut State, payload: &[u8]) -> Result {
    let mut from = Reader::new(payload);
    let mut tx = Transaction::new();
    while !from.is_empty() {
        tx.push(Op::decode(&mut from)?)?;
    }
    state.commit(tx)
}

/// Puts the operations of a checkpoint in records.
struct Checkpoint<'a, M: Medium> {
    medium: &'a M,
    /// Some, but for an error.
    record: Option<RecordWriter<'a, M>>,
}

impl<M: Medium> OpSink for Checkpoint<'_, M> {
    fn op(&mut self, encode: &dyn Fn(&mut dyn Sink) -> Result) -> Result {
        let mut record = self.record.take().ok_or(EIO)?;
        if record.len() >= CHECKPOINT_RECORD {
            let log = record.finish(RecordKind::Checkpoint)?;
            record = log.record(self.medium, 0);
        }
        encode(&mut record)?;
        self.record = Some(record);
        Ok(())
    }
}

/// Writes the state to the start of a log. It is durable after the caller's fence.
fn write_checkpoint(log: &mut Log, medium: &impl Medium, state: &State) -> Result {
    let mut checkpoint = Checkpoint {
        medium,
        record: Some(log.record(medium, 0)),
    };
    state.checkpoint(&mut checkpoint)?;
    let record = checkpoint.record.take().ok_or(EIO)?;
    record.finish(RecordKind::CheckpointEnd)?;
    Ok(())
}
