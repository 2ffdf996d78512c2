// SPDX-License-Identifier: GPL-2.0

//! Both copies of the superblock, and what is wrong with each.

use crate::{
    disk::Disk,
    errno::eopnotsupp,
    error::Error,
    media::{Features, Superblock, PLACE_SIZE as SIZE},
    BLOCK_SIZE,
};
use kernel::prelude::EINVAL;
use uuid::Uuid;

/// A run of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First block.
    pub start: u64,
    /// Number of blocks.
    pub blocks: u64,
}

/// What a superblock says. Documentation/format.rst tells what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Super {
    /// Features: compat, ro_compat, incompat.
    pub features: [u64; 3],
    /// Its name for machines.
    pub uuid: Uuid,
    /// Its name for people, without the zeroes at the end.
    pub label: Vec<u8>,
    /// Size in blocks.
    pub blocks: u64,
    /// How often a superblock was written.
    pub generation: u64,
    /// The log's regions.
    pub regions: [Region; 2],
    /// Which of them has the log.
    pub active: u32,
    /// The sequence number of that region's first record.
    pub first_seq: u64,
    /// That of the log before, in the other region; 0 if it is not there.
    pub previous_seq: u64,
    /// When it was made: seconds since 1970.
    pub made: i64,
}

impl Super {
    /// The names of those of its incompat features that are known here.
    pub fn incompat_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let [.., incompat] = self.features;
        let known = Features::NAMES.into_iter();
        known.filter_map(move |(bit, name)| (incompat & bit != 0).then_some(name))
    }
}

impl From<&Superblock> for Super {
    fn from(sb: &Superblock) -> Self {
        let len = sb.label.iter().position(|&byte| byte == 0);
        Self {
            features: [
                sb.features.compat,
                sb.features.ro_compat,
                sb.features.incompat,
            ],
            uuid: Uuid::from_bytes(sb.uuid),
            label: sb.label[..len.unwrap_or(sb.label.len())].to_vec(),
            blocks: sb.blocks,
            generation: sb.generation,
            regions: sb.regions.map(|region| Region {
                start: region.start,
                blocks: region.blocks,
            }),
            active: sb.active,
            first_seq: sb.first_seq,
            previous_seq: sb.previous_seq,
            made: sb.made,
        }
    }
}

/// What is where a copy should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A superblock that checks.
    Good(Super),
    /// Nothing of ours.
    None,
    /// A superblock whose checksum or contents are wrong.
    Damaged,
    /// A superblock of another version of the format.
    Version(u32),
    /// It cannot be read.
    Unreadable(Error),
}

impl Content {
    /// Whether there is a superblock, in whatever state.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Good(_) | Self::Damaged | Self::Version(_))
    }
}

/// A copy.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Where it was looked for.
    pub block: u64,
    /// What is there.
    pub content: Content,
    pub(crate) raw: Option<Superblock>,
}

/// Both copies.
#[derive(Clone, Debug)]
pub struct Copies {
    /// The first block's, and that of the last one.
    pub copies: [Copy; 2],
}

/// Reads a copy. Its bytes come too, if they could be read.
fn read(disk: &impl Disk, block: u64) -> (Copy, [u8; SIZE]) {
    let mut bytes = [0; SIZE];
    let mut raw = None;
    let content = match disk.read(block.saturating_mul(BLOCK_SIZE), &mut bytes) {
        Err(error) => Content::Unreadable(Error::io(format!("cannot read block {block}"), &error)),
        Ok(()) => match Superblock::newest(&bytes) {
            Ok(sb) => {
                raw = Some(sb);
                Content::Good(Super::from(&sb))
            }
            Err(e) if e == EINVAL => Content::None,
            Err(e) if e == eopnotsupp() => Content::Version(version(&bytes)),
            Err(_) => Content::Damaged,
        },
    };
    let copy = Copy {
        block,
        content,
        raw,
    };
    (copy, bytes)
}

/// 8 bytes of a superblock as a number.
fn number(bytes: &[u8; SIZE], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

/// The version of the one that is not of ours.
fn version(bytes: &[u8; SIZE]) -> u32 {
    let versions = SLOTS
        .into_iter()
        .filter(|at| bytes[*at..].starts_with(MAGIC))
        .map(|at| number(bytes, at + VERSION_AT) as u32);
    versions.max().unwrap_or_default()
}

/// Where superblocks are in the first bytes of a block.
const SLOTS: [usize; 2] = [0, SIZE / 2];
const MAGIC: &[u8] = b"daxrmap\0";
const VERSION_AT: usize = 8;
/// Where a superblock says how large the filesystem is.
const BLOCKS_AT: usize = 128;

impl Copies {
    /// Looks for both copies on a device of so many blocks.
    ///
    /// The second one is where the first says that the filesystem ends, or at the device's end. If it
    /// is not there, it may be where a damaged first copy says: more is not known.
    pub fn find(disk: &impl Disk, device_blocks: u64) -> Self {
        let (first, bytes) = read(disk, 0);
        let last = device_blocks.saturating_sub(1);
        let end = match &first.content {
            Content::Good(sb) => sb.blocks.saturating_sub(1),
            _ => last,
        };
        let (mut second, _) = read(disk, end);
        for slot in SLOTS {
            let claim = number(&bytes, slot + BLOCKS_AT).saturating_sub(1);
            if first.content == Content::Damaged
                && !matches!(second.content, Content::Good(_))
                && (1..last).contains(&claim)
            {
                let (claimed, _) = read(disk, claim);
                if matches!(&claimed.content, Content::Good(sb) if sb.blocks == claim + 1) {
                    second = claimed;
                }
            }
        }
        Self {
            copies: [first, second],
        }
    }

    /// Which copy is the truth; `None` if none can be read.
    pub fn best(&self) -> Option<usize> {
        let [first, second] = &self.copies;
        match (&first.raw, &second.raw) {
            (Some(a), Some(b)) if a.uuid == b.uuid && b.generation > a.generation => Some(1),
            (Some(_), _) => Some(0),
            (None, Some(_)) => Some(1),
            (None, None) => None,
        }
    }

    /// The superblock.
    pub fn superblock(&self) -> Option<&Super> {
        match &self.copies.get(self.best()?)?.content {
            Content::Good(sb) => Some(sb),
            _ => None,
        }
    }

    /// As the module's code has it.
    pub(crate) fn raw(&self) -> Option<&Superblock> {
        self.copies.get(self.best()?)?.raw.as_ref()
    }

    /// Whether there is a superblock of ours at all, in whatever state.
    pub fn any(&self) -> bool {
        self.copies.iter().any(|copy| copy.content.is_ours())
    }
}
