// SPDX-License-Identifier: GPL-2.0

//! The metadata log: records one after the other in a region of blocks.
//!
//! A record has a sequence number, one more than the one before it, and a checksum over all of it. So
//! what is left of older logs in the region, or of a record that a crash has cut, does not look like
//! the next one. Reading ends at the first that is not.
//!
//! A region begins with a checkpoint, the whole state in as many records as it takes, the last of
//! which says so. Transactions follow. When the region is full, a checkpoint is written to the other
//! one, and the superblock is told.

use super::{
    bytes::SliceSink,
    Medium,
    Reader,
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
const MAGIC: u32 = 0x524c_5844;

/// A run of blocks that a log may be in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Region {
    /// First block.
    pub(crate) start: u64,
    /// Number of blocks.
    pub(crate) blocks: u64,
}

impl Region {
    fn first_byte(&self) -> u64 {
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

    fn from_number(number: u32) -> Option<Self> {
        [Self::Transaction, Self::Checkpoint, Self::CheckpointEnd]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

/// How many bytes of a region a record with so much payload takes.
fn record_size(payload: u64) -> Option<u64> {
    payload
        .checked_add(HEADER_SIZE as u64)?
        .checked_next_multiple_of(RECORD_ALIGN)
}

/// A log that is written.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    region: Region,
    /// Tells the logs of different filesystems apart.
    tag: u64,
    /// Where the next record will be, in bytes of the region.
    head: u64,
    /// The next record's sequence number.
    seq: u64,
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

    /// The region that it is in.
    pub(crate) fn region(&self) -> Region {
        self.region
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
        medium.fence();
        let mut record = self.record(medium, reserve);
        fill(&mut record)?;
        record.finish(kind)?;
        medium.fence();
        Ok(())
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

fn header(crc: u32, seq: u64, len: u32, kind: RecordKind, tag: u64) -> Result<[u8; HEADER_SIZE]> {
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
}

/// What a record begins with.
struct Header {
    crc: u32,
    seq: u64,
    len: u32,
    kind: RecordKind,
}

/// Reads a log from its start.
pub(crate) struct Replay {
    log: Log,
    /// The checkpoint is complete.
    complete: bool,
}

impl Replay {
    /// From the first record of `region`, which has the sequence number `seq`.
    pub(crate) fn new(region: Region, tag: u64, seq: u64) -> Self {
        Self {
            log: Log::begin(region, tag, seq),
            complete: false,
        }
    }

    /// From the first record after the checkpoint of a log that begins with the sequence number
    /// `seq`. What cannot be read before that is passed over. `None` if the checkpoint's last record
    /// is not found.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn after_checkpoint(
        medium: &impl Medium,
        region: Region,
        tag: u64,
        seq: u64,
    ) -> Result<Option<Self>> {
        let mut payload = KVVec::new();
        let mut head = 0;
        while head < region.bytes() {
            let mut replay = Self::new(region, tag, seq);
            replay.log.head = head;
            // Each record of the checkpoint takes a line at least.
            let most = seq.saturating_add(head / RECORD_ALIGN);
            match replay.header(medium) {
                Ok(Some(found))
                    if found.kind == RecordKind::CheckpointEnd
                        && (seq..=most).contains(&found.seq) =>
                {
                    replay.log.seq = found.seq;
                    match replay.next(medium, &mut payload) {
                        Ok(true) => return Ok(Some(replay)),
                        Err(e) if e == ENOMEM => return Err(e),
                        _ => {}
                    }
                }
                _ => {}
            }
            head = head.saturating_add(RECORD_ALIGN);
        }
        Ok(None)
    }

    /// The greatest sequence number of the transactions that stand behind where reading has ended, if
    /// there are any: then a record before them is damaged, and they are lost. No crash does that. It
    /// looks only so far as the damaged one may reach, but for very long ones.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn cut_off(&self, medium: &impl Medium) -> Result<Option<u64>> {
        const FAR: u64 = 1 << 20;
        let log = &self.log;
        let end = log.region.bytes().min(log.head.saturating_add(FAR));
        let mut payload = KVVec::new();
        let mut greatest = None;
        let mut head = log.head;
        while head < end {
            head = head.saturating_add(RECORD_ALIGN);
            let mut replay = Self {
                log: Log {
                    head,
                    ..log.clone()
                },
                complete: true,
            };
            let Ok(Some(found)) = replay.header(medium) else {
                continue;
            };
            if found.kind != RecordKind::Transaction || found.seq <= log.seq {
                continue;
            }
            replay.log.seq = found.seq;
            match replay.next(medium, &mut payload) {
                Ok(true) => greatest = greatest.max(Some(found.seq)),
                Err(e) if e == ENOMEM => return Err(e),
                _ => {}
            }
        }
        Ok(greatest)
    }

    /// From byte `head` of a region on, which is known to be where the transaction with the sequence
    /// number `seq` begins.
    #[cfg_attr(MODULE, expect(dead_code, reason = "for fsck"))]
    pub(crate) fn from_transaction(region: Region, tag: u64, head: u64, seq: u64) -> Self {
        Self {
            log: Log {
                head,
                ..Log::begin(region, tag, seq)
            },
            complete: true,
        }
    }

    /// Whether the checkpoint was read to its end. What comes after it are transactions.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// What stands at the head, if it may be a record of this filesystem that fits there.
    fn header(&self, medium: &impl Medium) -> Result<Option<Header>> {
        let log = &self.log;
        if log.head.saturating_add(HEADER_SIZE as u64) > log.region.bytes() {
            return Ok(None);
        }
        let mut bytes = [0; HEADER_SIZE];
        medium.read(log.region.first_byte().saturating_add(log.head), &mut bytes)?;
        let mut from = Reader::new(&bytes);
        let magic = from.u32()?;
        let crc = from.u32()?;
        let seq = from.u64()?;
        let len = from.u32()?;
        let kind = RecordKind::from_number(from.u32()?);
        let tag = from.u64()?;
        if magic != MAGIC || tag != log.tag || u64::from(len) > log.room(0) {
            return Ok(None);
        }
        Ok(kind.map(|kind| Header {
            crc,
            seq,
            len,
            kind,
        }))
    }

    /// Reads the payload of the next record. False at the log's end.
    ///
    /// # Errors
    ///
    /// `EIO` if the medium cannot be read there: whether a record is there is not known. `ENOMEM`.
    pub(crate) fn next(&mut self, medium: &impl Medium, payload: &mut KVVec<u8>) -> Result<bool> {
        payload.clear();
        let Some(found) = self.header(medium)? else {
            return Ok(false);
        };
        let log = &mut self.log;
        if found.seq != log.seq {
            return Ok(false);
        }
        let Header {
            crc,
            seq,
            len,
            kind,
        } = found;
        payload.resize(usize::try_from(len).map_err(|_| ENOMEM)?, 0, GFP_KERNEL)?;
        let at = log.region.first_byte().saturating_add(log.head);
        medium.read(at.saturating_add(HEADER_SIZE as u64), payload)?;
        let sum = crc32c(!0, payload);
        if crc32c(sum, &header(0, seq, len, kind, log.tag)?) != crc {
            payload.clear();
            return Ok(false);
        }
        match (self.complete, kind) {
            (false, RecordKind::Checkpoint) | (true, RecordKind::Transaction) => {}
            (false, RecordKind::CheckpointEnd) => self.complete = true,
            // Left of a checkpoint that no superblock was told of: it may have the same numbers.
            (true, _) | (false, RecordKind::Transaction) => {
                payload.clear();
                return Ok(false);
            }
        }
        let size = record_size(len.into()).ok_or(ENOMEM)?;
        log.head = log.head.saturating_add(size);
        log.seq = log.seq.wrapping_add(1);
        Ok(true)
    }

    /// The log as far as it was read.
    #[cfg_attr(MODULE, expect(dead_code, reason = "for fsck"))]
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The log, to be written on from where reading has ended.
    pub(crate) fn into_log(self) -> Log {
        self.log
    }
}
