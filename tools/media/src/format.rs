// SPDX-License-Identifier: GPL-2.0

//! Makes a filesystem, for mkfs.

use crate::{
    disk::{
        Disk,
        Image, //
    },
    error::Result,
    journal::{
        region_blocks,
        Format,
        Journal, //
    },
    media::{
        Superblock,
        LABEL_BYTES, //
    },
    state::{
        Attr,
        Timestamp, //
    },
    superblock::Super,
    BLOCK_SIZE, //
};
use std::{
    ops::RangeInclusive,
    time::Duration, //
};
use uuid::Uuid;

/// Smallest filesystem, in blocks.
pub const MIN_BLOCKS: u64 = 512;
/// Largest filesystem, in blocks.
pub const MAX_BLOCKS: u64 = 1 << 40;
/// Most bytes of a label.
pub const MAX_LABEL: usize = LABEL_BYTES;

const ROOT_MODE: u32 = 0o040755;

/// What the filesystem is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Size, in blocks: [`MIN_BLOCKS`] to [`MAX_BLOCKS`].
    pub blocks: u64,
    /// Size of each of the log's two regions, in blocks: one of [`log_blocks`]. `None`: the usual.
    pub log: Option<u64>,
    /// Its name for machines.
    pub uuid: Uuid,
    /// Its name for people: [`MAX_LABEL`] bytes at most.
    pub label: String,
    /// When it is made: since 1970.
    pub now: Duration,
    /// Anything that was never used with this uuid: the log's first sequence number is made of it.
    pub random: u64,
    /// What nobody else knows, and nobody is told: the key of the directories' hashes.
    pub secret: [u8; 16],
}

/// How many blocks each of the log's two regions can have in a filesystem of so many blocks.
pub fn log_blocks(blocks: u64) -> RangeInclusive<u64> {
    region_blocks(blocks)
}

/// Makes a filesystem, and returns its superblock.
///
/// # Errors
///
/// `EINVAL` if an option is not as it should be; what the disk says.
pub fn format(disk: &impl Disk, options: &Options) -> Result<Super> {
    let image = Image::new(disk, options.blocks);
    let mut label = [0; MAX_LABEL];
    let Some(place) = label.get_mut(..options.label.len()) else {
        return Ok(Err(kernel::prelude::EINVAL)?);
    };
    place.copy_from_slice(options.label.as_bytes());
    let now = Timestamp {
        sec: i64::try_from(options.now.as_secs()).unwrap_or_default(),
        nsec: options.now.subsec_nanos(),
    };
    let format = Format {
        blocks: options.blocks,
        region: options.log,
        uuid: options.uuid.into_bytes(),
        label,
        // Not near the end of the numbers, and not 0.
        first_seq: (options.random >> 2) + 1,
        made: now.sec,
        secret: options.secret,
        root: Attr {
            mode: ROOT_MODE,
            atime: now,
            mtime: now,
            ctime: now,
            btime: now,
            // Handles of an older filesystem here are not for this one.
            generation: options.random as u32,
            ..Attr::default()
        },
    };
    // What else is in these blocks is not read, but others may know it for theirs.
    let zeroed = Superblock::places(options.blocks)
        .into_iter()
        .try_for_each(|at| disk.write(at, &[0; BLOCK_SIZE as usize]))
        .and_then(|()| disk.sync());
    zeroed.map_err(|error| crate::error::Error::io("cannot write", &error))?;
    image.result(Journal::format(&image, &format))?;
    let read = Superblock::read(&image, options.blocks);
    Ok(Super::from(&image.result(read)?.sb))
}
