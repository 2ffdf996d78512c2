// SPDX-License-Identifier: GPL-2.0

//! Makes a filesystem: what mkfs writes. In the tools only.
//!
//! # Locking
//!
//! None: nobody else has the medium.

use super::{
    tag,
    write_checkpoint,
    Journal, //
};
use crate::{
    media::{
        Features,
        Log,
        Medium,
        Region,
        Secret,
        Superblock,
        LABEL_BYTES, //
    },
    state::{
        Attr,
        State, //
    },
};
use core::ops::RangeInclusive;
use kernel::prelude::*;

/// Smallest region, in blocks: an empty filesystem's checkpoint, and any transaction that frees
/// something.
const MIN_REGION: u64 = 16;

/// So many blocks are left for data at least.
const MIN_DATA: u64 = 16;

/// One block of a region for so many of the filesystem, if nobody says how long it is to be.
const BLOCKS_PER_REGION_BLOCK: u64 = 64;

/// How many blocks each region of the log of a new filesystem of so many blocks can have.
pub(crate) fn region_blocks(blocks: u64) -> RangeInclusive<u64> {
    // A superblock at either end.
    let rest = blocks.saturating_sub(2).saturating_sub(MIN_DATA);
    MIN_REGION..=rest / 2
}

/// What a new filesystem is to be.
pub(crate) struct Format {
    /// Size, in blocks.
    pub(crate) blocks: u64,
    /// Size of each region of the log, in blocks, see [`region_blocks`]. `None`: a 64th of all.
    pub(crate) region: Option<u64>,
    /// Its name for machines.
    pub(crate) uuid: [u8; 16],
    /// Its name for people.
    pub(crate) label: [u8; LABEL_BYTES],
    /// The first record's sequence number. If there was a filesystem with the same uuid here, it must
    /// not be near the numbers of that one's records: these may look like those of this log.
    pub(crate) first_seq: u64,
    /// When it is made: seconds since 1970.
    pub(crate) made: i64,
    /// The key of its directories' hashes, which nobody else may know, see [`Superblock::secret`].
    pub(crate) secret: Secret,
    /// The root directory.
    pub(crate) root: Attr,
}

impl Journal {
    /// Makes a filesystem. What was on the medium is lost once this has begun.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it, or its log, is too small or too large; what the medium says; `ENOMEM`.
    pub(crate) fn format(medium: &impl Medium, format: &Format) -> Result {
        let usual = || (format.blocks / BLOCKS_PER_REGION_BLOCK).max(MIN_REGION);
        let region = format.region.unwrap_or_else(usual);
        if !region_blocks(format.blocks).contains(&region) {
            return Err(EINVAL);
        }
        let end = format.blocks.saturating_sub(1);
        let regions = [1, end.saturating_sub(region)].map(|start| Region {
            start,
            blocks: region,
        });
        let mut sb = Superblock {
            features: Features::default(),
            uuid: format.uuid,
            label: format.label,
            blocks: format.blocks,
            generation: 1,
            regions,
            active: 0,
            first_seq: format.first_seq,
            previous_seq: 0,
            made: format.made,
            secret: Secret::default(),
        };
        sb.set_secret(format.secret);
        sb.check().map_err(|_| EINVAL)?;
        let state = State::new(format.blocks, format.root, format.secret)?;
        // Also what an older filesystem has left beside the places of this generation.
        Superblock::erase(medium, format.blocks)?;
        let mut log = Log::begin(sb.active_region(), tag(&sb), sb.first_seq);
        write_checkpoint(&mut log, medium, &state, 0)?;
        medium.fence()?;
        // Who makes one wants a device that has nothing wrong there.
        match sb.write(medium, [true; 2])? {
            2 => Ok(()),
            _ => Err(EIO),
        }
    }
}
