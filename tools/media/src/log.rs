// SPDX-License-Identifier: GPL-2.0

//! Reads the log, record by record, as a mount does; and the records that stand behind its end.

use crate::{
    disk::{
        Disk,
        Image, //
    },
    error::Result,
    media::{
        Medium,
        Reader,
        Region,
        Replay, //
    },
    operation::Operation,
    state::Op,
    superblock::Copies,
    BLOCK_SIZE,
};
use kernel::prelude::KVVec;

/// Records begin at a multiple of so many bytes.
const ALIGN: u64 = 64;
/// Bytes of a record before its payload.
const HEADER: usize = 32;
const MAGIC: &[u8] = b"DXLR";

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Operations that happened together.
    Transaction,
    /// A part of a checkpoint.
    Checkpoint,
    /// The last part of a checkpoint.
    CheckpointEnd,
}

/// Where a record is, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its sequence number.
    pub seq: u64,
    /// What it is.
    pub kind: Kind,
    /// First byte on the device.
    pub at: u64,
    /// Number of bytes, up to where the next one begins.
    pub size: u64,
}

impl Place {
    /// The block that it begins in.
    pub fn block(&self) -> u64 {
        self.at / BLOCK_SIZE
    }
}

/// Records of the log that are there behind its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Later {
    /// How many.
    pub records: u64,
    /// The first one's block.
    pub block: u64,
    /// The greatest sequence number.
    pub last_seq: u64,
    /// Blocks of the region, from the end on, that cannot be read.
    pub unreadable: u64,
}

/// Tells this filesystem's log from what others have left on the medium.
pub(crate) fn tag(uuid: &[u8; 16]) -> u64 {
    number(uuid)
}

/// The 8 bytes at the start, as a number.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |n, &byte| (n << 8) | u64::from(byte))
}

/// Reads a log from its start.
pub(crate) struct Walk<'a, M> {
    medium: &'a M,
    region: Region,
    replay: Replay,
    payload: KVVec<u8>,
}

impl<'a, M: Medium> Walk<'a, M> {
    pub(crate) fn new(medium: &'a M, region: Region, tag: u64, seq: u64) -> Self {
        Self {
            medium,
            region,
            replay: Replay::new(region, tag, seq),
            payload: KVVec::new(),
        }
    }

    /// From where a checkpoint has ended.
    pub(crate) fn behind_checkpoint(
        medium: &'a M,
        region: Region,
        tag: u64,
        (at, seq): (u64, u64),
    ) -> Self {
        let head = at.saturating_sub(region.start * BLOCK_SIZE);
        Self {
            medium,
            region,
            replay: Replay::from_transaction(region, tag, head, seq),
            payload: KVVec::new(),
        }
    }

    /// Reads the next record; `None` at the end.
    ///
    /// # Errors
    ///
    /// What the medium says.
    pub(crate) fn next(&mut self) -> kernel::error::Result<Option<Place>> {
        let began = self.replay.is_complete();
        let (seq, at) = (self.seq(), self.at());
        if !self.replay.next(self.medium, &mut self.payload)? {
            return Ok(None);
        }
        let kind = match (began, self.replay.is_complete()) {
            (true, _) => Kind::Transaction,
            (false, true) => Kind::CheckpointEnd,
            (false, false) => Kind::Checkpoint,
        };
        Ok(Some(Place {
            seq,
            kind,
            at,
            size: self.at() - at,
        }))
    }

    /// The next operations of the record that was read last, as many as are any: an error is the last.
    pub(crate) fn operations(&self) -> impl Iterator<Item = kernel::error::Result<Op>> + '_ {
        let mut from = Some(Reader::new(&self.payload));
        std::iter::from_fn(move || {
            let mut reader = from.filter(|reader| !reader.is_empty())?;
            let op = Op::decode(&mut reader);
            from = op.is_ok().then_some(reader);
            Some(op)
        })
    }

    /// Whether the checkpoint was read to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.replay.is_complete()
    }

    /// The number that the next record has, if there is one.
    pub(crate) fn seq(&self) -> u64 {
        self.replay.log().seq()
    }

    /// Where it would be: first byte on the device.
    pub(crate) fn at(&self) -> u64 {
        self.region.start * BLOCK_SIZE + self.used()
    }

    /// How many bytes of the region were read.
    pub(crate) fn used(&self) -> u64 {
        self.replay.log().head()
    }
}

/// Bytes that are looked through at a time.
const CHUNK: u64 = 1 << 20;
/// After so many bytes that are all zero, the region was never used: it may be large. No record has
/// so many in it.
const UNUSED: u64 = 64 << 20;

/// A record that checks, wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    /// First byte on the device.
    pub(crate) at: u64,
    /// Number of bytes, up to where the next one begins.
    pub(crate) size: u64,
}

/// Looks for records of this log from byte `at` on, to the end of the region, and gives them to
/// `visit`. Returns how many blocks cannot be read.
///
/// Ends where the region was never used.
pub(crate) fn scan(
    medium: &impl Medium,
    region: Region,
    tag: u64,
    at: u64,
    mut visit: impl FnMut(Found),
) -> u64 {
    let end = region.range().end.saturating_mul(BLOCK_SIZE);
    let mut buf = vec![0; CHUNK as usize];
    let mut step = CHUNK;
    let mut unreadable = 0;
    let mut from = at;
    let mut zeroes = 0;
    while from < end && zeroes < UNUSED {
        // Up to a multiple of the step, so that all but the first begin at a block.
        let to = (from + 1).next_multiple_of(step).min(end);
        let Some(bytes) = buf.get_mut(..(to - from) as usize) else {
            break;
        };
        if medium.read(from, bytes).is_err() {
            if step == CHUNK {
                // A block at a time, from here to the end.
                step = BLOCK_SIZE;
            } else {
                unreadable += 1;
                from = to;
            }
            continue;
        }
        if bytes.iter().all(|&byte| byte == 0) {
            zeroes += to - from;
            from = to;
            continue;
        }
        zeroes = 0;
        for (at, header) in (from..)
            .step_by(ALIGN as usize)
            .zip(bytes.chunks(ALIGN as usize))
        {
            if let Some(found) = checked(medium, end, tag, at, header) {
                visit(found);
            }
        }
        from = to;
    }
    unreadable
}

/// The record that begins with these bytes, if one does.
fn checked(medium: &impl Medium, end: u64, tag: u64, at: u64, header: &[u8]) -> Option<Found> {
    let header = header.get(..HEADER)?;
    let word = |at: usize| number(&header[at..at + 4]);
    if !header.starts_with(MAGIC) || number(&header[24..]) != tag {
        return None;
    }
    let kind = match word(20) {
        1 => Kind::Transaction,
        2 => Kind::Checkpoint,
        3 => Kind::CheckpointEnd,
        _ => return None,
    };
    let len = word(16);
    if len > end.checked_sub(at)?.checked_sub(HEADER as u64)? {
        return None;
    }
    let mut payload = vec![0; len as usize];
    medium.read(at + HEADER as u64, &mut payload).ok()?;
    let mut zeroed = [0; HEADER];
    zeroed.copy_from_slice(header);
    zeroed[4..8].fill(0);
    let sum = crate::crc32c(crate::crc32c(!0, &payload), &zeroed);
    (u64::from(sum) == word(4)).then(|| Found {
        seq: number(&header[8..]),
        kind,
        at,
        size: (HEADER as u64 + len).next_multiple_of(ALIGN),
    })
}

/// Looks for transactions of this log from byte `at` on, to the end of the region, whose sequence
/// number is `seq` or more: the log goes on there, but cannot be read up to there.
pub(crate) fn later(medium: &impl Medium, region: Region, tag: u64, at: u64, seq: u64) -> Later {
    let mut later = Later::default();
    later.unreadable = scan(medium, region, tag, at, |found| {
        if found.kind == Kind::Transaction && found.seq >= seq {
            if later.records == 0 {
                later.block = found.at / BLOCK_SIZE;
            }
            later.records += 1;
            later.last_seq = later.last_seq.max(found.seq);
        }
    });
    later
}

/// Where a checkpoint that begins with the number `seq` ends, though it cannot be read to there: byte
/// on the device, and number of the record there. Its last record tells; if that is missing too, the
/// transaction behind it does, when no other one can be missing.
pub(crate) fn end_of_checkpoint(
    medium: &impl Medium,
    region: Region,
    tag: u64,
    seq: u64,
) -> Option<(u64, u64)> {
    let start = region.start.saturating_mul(BLOCK_SIZE);
    let mut end = None;
    let mut first: Option<Found> = None;
    // The number of the checkpoint's last record.
    let mut last = seq;
    scan(medium, region, tag, start, |found| {
        // Each record of the checkpoint takes a line at least.
        let most = seq.saturating_add(found.at.saturating_sub(start) / ALIGN);
        match found.kind {
            _ if found.seq < seq => {}
            Kind::Transaction if first.is_none_or(|first| found.seq < first.seq) => {
                first = Some(found);
            }
            Kind::Transaction => {}
            // Behind a transaction there is none, but for what is left of others.
            _ if first.is_some() || end.is_some() || found.seq > most => {}
            Kind::CheckpointEnd => {
                end = Some((found.at + found.size, found.seq.saturating_add(1)));
            }
            Kind::Checkpoint => last = last.max(found.seq.saturating_add(1)),
        }
    });
    end.or_else(|| {
        let first = first.filter(|first| last.checked_add(1) == Some(first.seq))?;
        Some((first.at, first.seq))
    })
}

/// A record as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it is, and what it is.
    pub place: Place,
    /// Its operations, as many as are any.
    pub operations: Vec<Operation>,
    /// All of it are operations.
    pub is_whole: bool,
}

/// How a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Where the next record would be: first byte on the device.
    pub at: u64,
    /// The number that it would have.
    pub seq: u64,
    /// Bytes of the region that were read.
    pub used: u64,
    /// The checkpoint is whole.
    pub is_complete: bool,
    /// What could not be read there.
    pub error: Option<crate::error::Error>,
    /// What there is behind.
    pub later: Later,
}

/// Gives all records of the log to `visit`, and tells how it ends. `None` if there is no superblock.
///
/// # Errors
///
/// What `visit` says.
pub fn walk<E>(
    disk: &impl Disk,
    copies: &Copies,
    mut visit: impl FnMut(Record) -> std::result::Result<(), E>,
) -> std::result::Result<Option<End>, E> {
    let Some(sb) = copies.raw() else {
        return Ok(None);
    };
    let image = Image::new(disk, sb.blocks);
    let tag = tag(&sb.uuid);
    let region = sb.active_region();
    let mut walk = Walk::new(&image, region, tag, sb.first_seq);
    let error = loop {
        let next = walk.next();
        let next: Result<_> = image.result(next);
        match next {
            Err(error) => break Some(error),
            Ok(None) => break None,
            Ok(Some(place)) => {
                let ops: Vec<_> = walk.operations().collect();
                let is_whole = ops.iter().all(|op| op.is_ok());
                visit(Record {
                    place,
                    operations: ops.into_iter().flatten().map(Operation::from).collect(),
                    is_whole,
                })?;
            }
        }
    };
    Ok(Some(End {
        at: walk.at(),
        seq: walk.seq(),
        used: walk.used(),
        is_complete: walk.is_complete(),
        error,
        later: later(&image, region, tag, walk.at(), walk.seq()),
    }))
}
