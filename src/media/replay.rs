// SPDX-License-Identifier: GPL-2.0

//! Reads the metadata log: from its start, or past what cannot be read.
//!
//! What is read may be anything. Nothing of a record is believed before its checksum is right.
//!
//! # Locking
//!
//! None: nobody else has the medium yet.

use super::{
    log::{
        header,
        record_size,
        HEADER_SIZE,
        MAGIC,
        RECORD_ALIGN, //
    },
    Log,
    Medium,
    Reader,
    RecordKind,
    Region,
    BLOCK_SIZE, //
};
use crate::crc32c;
use kernel::prelude::*;

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

/// The places where records may begin: cache lines that begin as records do, in blocks that can be read.
struct Lines<'a, M: Medium> {
    medium: &'a M,
    region: Region,
    /// The next line to look at, and the end, in bytes of the region.
    head: u64,
    end: u64,
    bytes: KVVec<u8>,
    /// Which block of the region that is, and whether it can be read.
    block: Option<(u64, bool)>,
}

impl<'a, M: Medium> Lines<'a, M> {
    fn new(medium: &'a M, region: Region, head: u64, end: u64) -> Result<Self> {
        let mut bytes = KVVec::new();
        bytes.resize(BLOCK_SIZE as usize, 0, GFP_KERNEL)?;
        Ok(Self {
            medium,
            region,
            head,
            end: end.min(region.bytes()),
            bytes,
            block: None,
        })
    }

    fn is_readable(&mut self, block: u64) -> bool {
        match self.block {
            Some((last, readable)) if last == block => readable,
            _ => {
                let at = block.saturating_mul(BLOCK_SIZE);
                let at = self.region.first_byte().saturating_add(at);
                let readable = self.medium.read(at, &mut self.bytes).is_ok();
                self.block = Some((block, readable));
                readable
            }
        }
    }
}

impl<M: Medium> Iterator for Lines<'_, M> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while self.head < self.end {
            let head = self.head;
            self.head = head.saturating_add(RECORD_ALIGN);
            if !self.is_readable(head / BLOCK_SIZE) {
                continue;
            }
            let line = (head % BLOCK_SIZE) as usize;
            let magic = self
                .bytes
                .get(line..line.saturating_add(size_of_val(&MAGIC)));
            if magic == Some(&MAGIC.to_le_bytes()) {
                return Some(head);
            }
        }
        None
    }
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
        for head in Lines::new(medium, region, 0, region.bytes())? {
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
        let from = log.head.saturating_add(RECORD_ALIGN);
        let mut payload = KVVec::new();
        let mut greatest = None;
        for head in Lines::new(medium, log.region, from, log.head.saturating_add(FAR))? {
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
