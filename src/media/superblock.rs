// SPDX-License-Identifier: GPL-2.0

//! The superblock: what the filesystem is, and where its log is.
//!
//! There are two copies, in the first and in the last block. Each has a checksum and a generation, which
//! counts how often a superblock was written; the newest one with a right checksum is the truth. The
//! copies are written one after the other, with a fence in between. Each block has two places, used by
//! turns: so the superblock before is whole while a new one is written, even if only one of the blocks
//! is good.
//!
//! # Locking
//!
//! None in here: the caller serialises writers.

use super::{
    bytes::SliceSink,
    log::Region,
    Medium,
    Reader,
    Sink,
    BLOCK_SIZE, //
};
use crate::{
    crc32c,
    errno::euclean, //
};
use kernel::prelude::*;

/// Bytes of a superblock, all of which its checksum covers.
pub(crate) const SUPER_SIZE: usize = 512;

/// Bytes of a block that have superblocks: two, used by turns.
pub(crate) const PLACE_SIZE: usize = 2 * SUPER_SIZE;

/// Most bytes of a label.
pub(crate) const LABEL_BYTES: usize = 64;

const MAGIC: [u8; 8] = *b"daxrmap\0";
const VERSION: u32 = 1;

/// Where the checksum is.
const CRC_AT: usize = 12;

/// What a filesystem alone knows: the key of its directories' hashes.
pub(crate) type Secret = [u8; 16];

/// Smallest and largest filesystem, in blocks.
const MIN_BLOCKS: u64 = 512;
const MAX_BLOCKS: u64 = 1 << 40;

/// Which additions to the format a filesystem uses, a bit each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Features {
    /// Who does not know one may read and write.
    pub(crate) compat: u64,
    /// Who does not know one may read only.
    pub(crate) ro_compat: u64,
    /// Who does not know one may not mount at all.
    pub(crate) incompat: u64,
}

impl Features {
    /// compat: the superblock has a secret. Who does not know of it writes zeroes in its place.
    const SECRET: u64 = 1;

    /// incompat: files may have blocks that were given to them and not written yet.
    pub(crate) const UNWRITTEN: u64 = 1;

    /// The names of incompat features, for people.
    #[cfg_attr(MODULE, expect(dead_code, reason = "for dump"))]
    pub(crate) const NAMES: [(u64, &'static str); 1] = [(Self::UNWRITTEN, "unwritten")];

    /// Those that this version knows.
    pub(crate) const KNOWN: Self = Self {
        compat: Self::SECRET,
        ro_compat: 0,
        incompat: Self::UNWRITTEN,
    };

    /// Whether the filesystem can be mounted, and if so, whether it can be written.
    pub(crate) fn can_write(&self) -> Option<bool> {
        if self.incompat & !Self::KNOWN.incompat != 0 {
            return None;
        }
        Some(self.ro_compat & !Self::KNOWN.ro_compat == 0)
    }

    /// Whether it has all of these incompat features.
    pub(crate) fn has(&self, incompat: u64) -> bool {
        self.incompat & incompat == incompat
    }
}

/// A superblock. All that is in it is checked against each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Superblock {
    /// The additions that it uses.
    pub(crate) features: Features,
    /// Its name for machines.
    pub(crate) uuid: [u8; 16],
    /// Its name for people, in UTF-8, filled up with zeroes.
    pub(crate) label: [u8; LABEL_BYTES],
    /// Size of the filesystem, in blocks.
    pub(crate) blocks: u64,
    /// How often a superblock was written.
    pub(crate) generation: u64,
    /// The log's two regions.
    pub(crate) regions: [Region; 2],
    /// Which of them has the log: 0 or 1.
    pub(crate) active: u32,
    /// The sequence number of that region's first record.
    pub(crate) first_seq: u64,
    /// That of the first record of the log before, which is in the other region. 0: there is none.
    pub(crate) previous_seq: u64,
    /// When it was made: seconds since 1970.
    pub(crate) made: i64,
    /// See [`secret`](Self::secret). Zeroes: there is none.
    pub(crate) secret: Secret,
}

impl Superblock {
    /// The filesystem's secret. Those that earlier versions have made, or have written since, have
    /// none.
    pub(crate) fn secret(&self) -> Option<Secret> {
        let has = self.features.compat & Features::SECRET != 0;
        (has && self.secret != Secret::default()).then_some(self.secret)
    }

    /// Gives it a secret.
    pub(crate) fn set_secret(&mut self, secret: Secret) {
        self.features.compat |= Features::SECRET;
        self.secret = secret;
    }

    /// Where the two copies are, in bytes.
    pub(crate) fn places(blocks: u64) -> [u64; 2] {
        [0, blocks.saturating_sub(1).saturating_mul(BLOCK_SIZE)]
    }

    /// The region that has the log.
    pub(crate) fn active_region(&self) -> Region {
        let [first, second] = self.regions;
        if self.active == 0 {
            first
        } else {
            second
        }
    }

    /// As it is on the medium.
    ///
    /// # Errors
    ///
    /// None that can happen.
    pub(crate) fn encode(&self) -> Result<[u8; SUPER_SIZE]> {
        let mut out = [0; SUPER_SIZE];
        let mut to = SliceSink::new(&mut out);
        to.put(&MAGIC)?;
        to.put_u32(VERSION)?;
        to.put_u32(0)?;
        to.put_u64(self.features.compat)?;
        to.put_u64(self.features.ro_compat)?;
        to.put_u64(self.features.incompat)?;
        to.put(&self.uuid)?;
        to.put(&self.label)?;
        to.put_u64(BLOCK_SIZE)?;
        to.put_u64(self.blocks)?;
        to.put_u64(self.generation)?;
        for region in &self.regions {
            to.put_u64(region.start)?;
            to.put_u64(region.blocks)?;
        }
        to.put_u64(u64::from(self.active))?;
        to.put_u64(self.first_seq)?;
        to.put_u64(self.previous_seq)?;
        to.put(&self.made.to_le_bytes())?;
        to.put(&self.secret)?;
        let crc = crc32c(!0, &out);
        if let Some(place) = out.get_mut(CRC_AT..CRC_AT + 4) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        Ok(out)
    }

    /// From what is on the medium, which may be anything.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if it is a whole one whose parts do not fit each other; `EOPNOTSUPP` if it is of
    /// another version.
    fn decode(bytes: &[u8; SUPER_SIZE]) -> Result<Slot> {
        let mut from = Reader::new(bytes);
        if from.fixed::<8>()? != MAGIC {
            return Ok(Slot::Empty);
        }
        let version = from.u32()?;
        let crc = from.u32()?;
        let mut zeroed = *bytes;
        if let Some(place) = zeroed.get_mut(CRC_AT..CRC_AT + 4) {
            place.fill(0);
        }
        if crc32c(!0, &zeroed) != crc {
            return Ok(Slot::Cut);
        }
        if version != VERSION {
            return Err(crate::errno::eopnotsupp());
        }
        let features = Features {
            compat: from.u64()?,
            ro_compat: from.u64()?,
            incompat: from.u64()?,
        };
        let uuid = from.fixed()?;
        let label = from.fixed()?;
        let block_size = from.u64()?;
        let blocks = from.u64()?;
        let generation = from.u64()?;
        let mut regions = [Region::default(); 2];
        for region in &mut regions {
            region.start = from.u64()?;
            region.blocks = from.u64()?;
        }
        let active = from.u64()?;
        let sb = Self {
            features,
            uuid,
            label,
            blocks,
            generation,
            regions,
            active: u32::try_from(active).map_err(|_| euclean())?,
            first_seq: from.u64()?,
            previous_seq: from.u64()?,
            made: i64::from_le_bytes(from.fixed()?),
            secret: from.fixed()?,
        };
        if block_size != BLOCK_SIZE {
            return Err(euclean());
        }
        sb.check()?;
        Ok(Slot::Whole(sb))
    }

    /// Checks that the parts fit each other.
    ///
    /// # Errors
    ///
    /// `EUCLEAN`.
    pub(crate) fn check(&self) -> Result {
        let [first, second] = self.regions;
        let inside = |region: Region| {
            // Not over the superblocks.
            let end = region.start.checked_add(region.blocks)?;
            (region.start >= 1 && region.blocks >= 1 && end < self.blocks).then_some(end)
        };
        let ok = (MIN_BLOCKS..=MAX_BLOCKS).contains(&self.blocks)
            && self.active < 2
            && match (inside(first), inside(second)) {
                (Some(first_end), Some(second_end)) => {
                    first_end <= second.start || second_end <= first.start
                }
                _ => false,
            };
        if !ok {
            return Err(euclean());
        }
        Ok(())
    }

    /// Reads the newest copy that checks. `blocks` is the size of the device: the second copy is at
    /// the filesystem's end, which may be before the device's; it is looked for where the first one
    /// says, or at the device's end.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is none of ours; `EUCLEAN` if there is and none checks, or it is larger than
    /// the device; `EOPNOTSUPP` if it is of another version; `EIO` if nothing can be read.
    pub(crate) fn read(medium: &impl Medium, blocks: u64) -> Result<Found> {
        let [first_at, end_at] = Self::places(blocks);
        let first = Self::read_place(medium, first_at);
        let second = match &first {
            Ok(sb) if sb.blocks <= blocks => Self::read_place(medium, Self::places(sb.blocks)[1]),
            _ => Self::read_place(medium, end_at),
        };
        let copies = [&first, &second].map(|copy| copy.map_or_else(Err, |sb| Ok(sb.generation)));
        let sb = match (first, second) {
            (Ok(a), Ok(b)) if b.uuid == a.uuid && b.generation > a.generation => b,
            (Ok(a), _) => a,
            (Err(_), Ok(b)) => b,
            // What the first says is more to the point, unless it says nothing.
            (Err(a), Err(b)) => return Err(if a == EINVAL { b } else { a }),
        };
        if sb.blocks > blocks {
            return Err(euclean());
        }
        Ok(Found { sb, copies })
    }

    /// The newer of the two that are at a place.
    fn read_place(medium: &impl Medium, at: u64) -> Result<Self> {
        let mut bytes = [0; PLACE_SIZE];
        medium.read(at, &mut bytes)?;
        Self::newest(&bytes)
    }

    /// The newer of the two that are in the first bytes of a block.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is none of ours; `EUCLEAN` if it does not check; `EOPNOTSUPP` if it is of
    /// another version.
    pub(crate) fn newest(bytes: &[u8; PLACE_SIZE]) -> Result<Self> {
        let mut newest: Option<Self> = None;
        let mut cut = false;
        for slot in bytes.chunks_exact(SUPER_SIZE) {
            match Self::decode(slot.try_into().map_err(|_| EINVAL)?)? {
                Slot::Empty => {}
                Slot::Cut => cut = true,
                Slot::Whole(sb) if newest.is_some_and(|n| n.generation >= sb.generation) => {}
                Slot::Whole(sb) => newest = Some(sb),
            }
        }
        newest.ok_or(if cut { euclean() } else { EINVAL })
    }

    /// Writes the copies that are `wanted`, one after the other; returns how many were written. One
    /// makes it so: it is what a mount would take.
    ///
    /// # Errors
    ///
    /// What the medium says if no copy could be written; `EIO` if none is wanted.
    pub(crate) fn write(&self, medium: &impl Medium, wanted: [bool; 2]) -> Result<usize> {
        let bytes = self.encode()?;
        let mut written = 0;
        let mut error = EIO;
        for (place, _) in Self::places(self.blocks)
            .into_iter()
            .zip(wanted)
            .filter(|(_, wanted)| *wanted)
        {
            match put(medium, slot_at(place, self.generation), &bytes) {
                Ok(()) => written += 1,
                Err(e) => error = e,
            }
        }
        if written == 0 {
            return Err(error);
        }
        Ok(written)
    }

    /// Makes sure that none of a filesystem of so many blocks is found.
    ///
    /// # Errors
    ///
    /// What the medium says.
    #[cfg_attr(MODULE, expect(dead_code, reason = "for mkfs"))]
    pub(crate) fn erase(medium: &impl Medium, blocks: u64) -> Result {
        for place in Self::places(blocks) {
            for slot in [0, 1] {
                put(medium, slot_at(place, slot), &[0; SUPER_SIZE])?;
            }
        }
        Ok(())
    }
}

/// What stands where a superblock may be.
enum Slot {
    /// Nothing of ours.
    Empty,
    /// One of which not all is there: its checksum is wrong.
    Cut,
    Whole(Superblock),
}

/// A superblock that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The newest.
    pub(crate) sb: Superblock,
    /// The generation of each copy, or why it cannot be had.
    pub(crate) copies: [Result<u64>; 2],
}

/// Where a superblock of a generation is: writing it must not touch the one before.
fn slot_at(place: u64, generation: u64) -> u64 {
    let slot = generation.wrapping_sub(1) % 2;
    place.saturating_add(slot.saturating_mul(SUPER_SIZE as u64))
}

/// Stores bytes that are durable when this returns.
fn put(medium: &impl Medium, at: u64, bytes: &[u8; SUPER_SIZE]) -> Result {
    medium.store(at, bytes)?;
    medium.flush(at, SUPER_SIZE as u64)?;
    medium.fence()
}
