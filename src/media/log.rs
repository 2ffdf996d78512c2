// SPDX-License-Identifier: GPL-2.0

//! Writing the metadata log: records one after the other in a region of blocks.
//!
//! A record has a sequence number, one more than the record before it, and a checksum over all of it. So
//! what is left of older logs in the region, or of a record that a crash has cut, does not look like
//! the next record. Reading ends at the first place where none is.
//!
//! A region begins with a checkpoint: the whole state in as many records as it takes, the last of which
//! says that it is the last. Transactions follow.
//!
//! # Locking
//!
//! None in here: a [`Log`] has one writer.

use super::{
    bytes::SliceSink,
    Medium,
    Sink,
    BLOCK_SIZE, //
};
use crate::crc32c;
use core::ops::Range;
use kernel::prelude::*;

/// Records begin at a multiple of so many bytes: a cache line.
pub(crate) const RECORD_ALIGN: u64 = 64;

/// Bytes of a record before its payload.
pub(crate) const HEADER_SIZE: usize = 32;

/// Most bytes of a record's payload: who reads it has it all in memory.
const MAX_PAYLOAD: u64 = 16 << 20;

/// "DXLR".
pub(super) const MAGIC: u32 = 0x524c_5844;

/// A run of blocks that a log may be in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Region {
    /// First block.
    pub(crate) start: u64,
    /// Number of blocks.
    pub(crate) blocks: u64,
}

impl Region {
    pub(super) fn first_byte(&self) -> u64 {
        self.start.saturating_mul(BLOCK_SIZE)
    }

    /// Its blocks.
    pub(crate) fn range(&self) -> Range<u64> {
        self.start..self.start.saturating_add(self.blocks)
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> u64 {
        self.blocks.saturating_mul(BLOCK_SIZE)
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RecordKind {
    /// Operations that happened together.
    Transaction,
    /// A part of a checkpoint, not its last.
    Checkpoint,
    /// The last part of a checkpoint.
    CheckpointEnd,
}

impl RecordKind {
    fn number(self) -> u32 {
        match self {
            Self::Transaction => 1,
            Self::Checkpoint => 2,
            Self::CheckpointEnd => 3,
        }
    }

    pub(super) fn from_number(number: u32) -> Option<Self> {
        [Self::Transaction, Self::Checkpoint, Self::CheckpointEnd]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

/// How many bytes of a region a record with so much payload takes.
pub(super) fn record_size(payload: u64) -> Option<u64> {
    payload
        .checked_add(HEADER_SIZE as u64)?
        .checked_next_multiple_of(RECORD_ALIGN)
}

/// A log that is written.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(super) region: Region,
    /// Tells the logs of different filesystems apart.
    pub(super) tag: u64,
    /// Where the next record will be, in bytes of the region.
    pub(super) head: u64,
    /// The next record's sequence number.
    pub(super) seq: u64,
}

impl Log {
    /// A log that begins anew in a region.
    pub(crate) fn begin(region: Region, tag: u64, seq: u64) -> Self {
        Self {
            region,
            tag,
            head: 0,
            seq,
        }
    }

    /// The next record's sequence number.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Where the next record will be, in bytes of the region.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// How many bytes a record's payload may have that leaves `reserve` bytes of the region.
    pub(crate) fn room(&self, reserve: u64) -> u64 {
        self.region
            .bytes()
            .saturating_sub(self.head)
            .saturating_sub(HEADER_SIZE as u64)
            .saturating_sub(reserve)
            .min(MAX_PAYLOAD)
    }

    /// Appends a record that is durable when this returns, and not before everything that was
    /// flushed earlier. `fill` puts its payload. Needs no memory.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if not `reserve` bytes of the region would be left; what the medium says, and what
    /// `fill` says. The log is as it was then, but for a record that was not acknowledged and may be
    /// found if there is a crash now.
    pub(crate) fn append<M: Medium>(
        &mut self,
        medium: &M,
        kind: RecordKind,
        reserve: u64,
        fill: impl FnOnce(&mut RecordWriter<'_, M>) -> Result,
    ) -> Result {
        // What the record shows must not be less durable than the record.
        medium.fence()?;
        let mut record = self.record(medium, reserve);
        fill(&mut record)?;
        record.finish(kind)?;
        medium.fence()
    }

    /// Begins a record that leaves `reserve` bytes of the region, as those after it do.
    pub(crate) fn record<'a, M: Medium>(
        &'a mut self,
        medium: &'a M,
        reserve: u64,
    ) -> RecordWriter<'a, M> {
        RecordWriter {
            medium,
            reserve,
            room: self.room(reserve),
            at: self.head_byte(),
            len: 0,
            crc: !0,
            buf: [0; BUFFER],
            used: HEADER_SIZE,
            log: self,
        }
    }

    /// Where on the medium the next record will be.
    fn head_byte(&self) -> u64 {
        self.region.first_byte().saturating_add(self.head)
    }
}

pub(super) fn header(
    crc: u32,
    seq: u64,
    len: u32,
    kind: RecordKind,
    tag: u64,
) -> Result<[u8; HEADER_SIZE]> {
    let mut out = [0; HEADER_SIZE];
    let mut to = SliceSink::new(&mut out);
    to.put_u32(MAGIC)?;
    to.put_u32(crc)?;
    to.put_u64(seq)?;
    to.put_u32(len)?;
    to.put_u32(kind.number())?;
    to.put_u64(tag)?;
    Ok(out)
}

/// Bytes that are collected before they are stored, with the header: all of most records.
const BUFFER: usize = HEADER_SIZE + 192;

/// A record that is being written, and then the next one. It is none before [`finish`](Self::finish).
pub(crate) struct RecordWriter<'a, M: Medium> {
    log: &'a mut Log,
    medium: &'a M,
    /// Bytes of the region to be left.
    reserve: u64,
    /// Bytes of payload that fit.
    room: u64,
    /// Where the record is.
    at: u64,
    /// Bytes of payload so far, those in `buf` included.
    len: u64,
    /// Checksum of the payload that was stored.
    crc: u32,
    /// What comes next, behind room for the header, which comes last.
    buf: [u8; BUFFER],
    used: usize,
}

impl<M: Medium> RecordWriter<'_, M> {
    /// Bytes of payload so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// As [`put`](Sink::put): so few bytes that a call to copy them would cost more than they do.
    fn put_few<const N: usize>(&mut self, bytes: [u8; N]) -> Result {
        let len = self.len.saturating_add(N as u64);
        let rest = self.buf.get_mut(self.used..).unwrap_or_default();
        match rest.first_chunk_mut() {
            Some(to) if len <= self.room => {
                *to = bytes;
                self.used = self.used.saturating_add(N);
                self.len = len;
                Ok(())
            }
            _ => self.put(&bytes),
        }
    }

    /// Stores what was collected.
    fn store(&mut self) -> Result {
        let bytes = self.buf.get(HEADER_SIZE..self.used).unwrap_or_default();
        let stored = self.len.saturating_sub(bytes.len() as u64);
        if !bytes.is_empty() {
            self.crc = crc32c(self.crc, bytes);
            self.medium
                .store_through(payload_at(self.at, stored), bytes)?;
            self.used = HEADER_SIZE;
        }
        Ok(())
    }

    /// Makes it a record, durable after the next fence, and begins the next one.
    ///
    /// # Errors
    ///
    /// What the medium says. It is not to be used any more then.
    pub(crate) fn finish(&mut self, kind: RecordKind) -> Result {
        let collected = self.used.saturating_sub(HEADER_SIZE) as u64;
        if collected != self.len {
            self.store()?;
        }
        let log = &mut *self.log;
        let len = u32::try_from(self.len).map_err(|_| ENOSPC)?;
        let size = record_size(self.len).ok_or(ENOSPC)?;
        let bytes = self.buf.get_mut(..self.used).ok_or(EINVAL)?;
        let (start, rest) = bytes.split_first_chunk_mut().ok_or(EINVAL)?;
        *start = header(0, log.seq, len, kind, log.tag)?;
        let crc = crc32c(crc32c(self.crc, rest), start);
        // Behind the magic number.
        let place = start.split_at_mut_checked(4).ok_or(EINVAL)?.1;
        *place.first_chunk_mut().ok_or(EINVAL)? = crc.to_le_bytes();
        self.medium.store_through(self.at, bytes)?;
        log.head = log.head.saturating_add(size);
        log.seq = log.seq.wrapping_add(1);

        self.room = log.room(self.reserve);
        self.at = log.head_byte();
        self.len = 0;
        self.crc = !0;
        self.used = HEADER_SIZE;
        Ok(())
    }
}

/// Where a byte of the payload is, of a record that begins at byte `at`.
fn payload_at(at: u64, byte: u64) -> u64 {
    at.saturating_add(HEADER_SIZE as u64).saturating_add(byte)
}

impl<M: Medium> Sink for RecordWriter<'_, M> {
    fn put(&mut self, mut bytes: &[u8]) -> Result {
        let len = self.len.saturating_add(bytes.len() as u64);
        if len > self.room {
            return Err(ENOSPC);
        }
        if bytes.len() > BUFFER {
            self.store()?;
            self.crc = crc32c(self.crc, bytes);
            self.medium
                .store_through(payload_at(self.at, self.len), bytes)?;
            self.len = len;
            return Ok(());
        }
        while !bytes.is_empty() {
            if self.used == BUFFER {
                self.store()?;
            }
            let room = self.buf.get_mut(self.used..).unwrap_or_default();
            let n = room.len().min(bytes.len());
            let (now, later) = bytes.split_at_checked(n).ok_or(EINVAL)?;
            if let Some(to) = room.get_mut(..n) {
                to.copy_from_slice(now);
            }
            self.used = self.used.saturating_add(n);
            self.len = self.len.saturating_add(n as u64);
            bytes = later;
        }
        Ok(())
    }

    fn put_u8(&mut self, value: u8) -> Result {
        self.put_few(value.to_le_bytes())
    }

    fn put_u32(&mut self, value: u32) -> Result {
        self.put_few(value.to_le_bytes())
    }

    fn put_u64(&mut self, value: u64) -> Result {
        self.put_few(value.to_le_bytes())
    }
}
