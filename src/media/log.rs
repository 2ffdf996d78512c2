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

    /// Begins a record that leaves `reserve` bytes of the region.
    pub(crate) fn record<'a, M: Medium>(
        &'a mut self,
        medium: &'a M,
        reserve: u64,
    ) -> RecordWriter<'a, M> {
        RecordWriter {
            medium,
            room: self.room(reserve),
            at: self
                .region
                .first_byte()
                .saturating_add(self.head)
                .saturating_add(HEADER_SIZE as u64),
            len: 0,
            crc: !0,
            buf: [0; BUFFER],
            used: 0,
            log: self,
        }
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

/// Bytes that are collected before they are stored.
const BUFFER: usize = 256;

/// A record that is being written. It is none before [`finish`](Self::finish).
pub(crate) struct RecordWriter<'a, M: Medium> {
    log: &'a mut Log,
    medium: &'a M,
    /// Bytes of payload that fit.
    room: u64,
    /// Where the next bytes are stored.
    at: u64,
    /// Bytes of payload so far, those in `buf` included.
    len: u64,
    /// Checksum of what was stored.
    crc: u32,
    buf: [u8; BUFFER],
    used: usize,
}

impl<'a, M: Medium> RecordWriter<'a, M> {
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

    fn store(&mut self) -> Result {
        let bytes = self.buf.get(..self.used).ok_or(EINVAL)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.crc = crc32c(self.crc, bytes);
        self.medium.store(self.at, bytes)?;
        self.at = self.at.saturating_add(bytes.len() as u64);
        self.used = 0;
        Ok(())
    }

    /// Makes it a record, durable after the next fence. Returns the log.
    ///
    /// # Errors
    ///
    /// What the medium says.
    pub(crate) fn finish(mut self, kind: RecordKind) -> Result<&'a mut Log> {
        self.store()?;
        let Self {
            log,
            medium,
            len,
            crc,
            ..
        } = self;
        let short = u32::try_from(len).map_err(|_| ENOSPC)?;
        let size = record_size(len).ok_or(ENOSPC)?;
        let at = log.region.first_byte().saturating_add(log.head);
        let crc = crc32c(crc, &header(0, log.seq, short, kind, log.tag)?);
        medium.store(at, &header(crc, log.seq, short, kind, log.tag)?)?;
        medium.flush(at, len.saturating_add(HEADER_SIZE as u64))?;
        log.head = log.head.saturating_add(size);
        log.seq = log.seq.wrapping_add(1);
        Ok(log)
    }
}

impl<M: Medium> Sink for RecordWriter<'_, M> {
    fn put(&mut self, mut bytes: &[u8]) -> Result {
        let len = self.len.saturating_add(bytes.len() as u64);
        if len > self.room {
            return Err(ENOSPC);
        }
        self.len = len;
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
