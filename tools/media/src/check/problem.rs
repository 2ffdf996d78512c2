// SPDX-License-Identifier: GPL-2.0

//! The problems that fsck finds, and the lines that tell of them.

pub use super::links::Broken;
use crate::{
    error::Error,
    log::{
        Later, //
        Place,
    },
    superblock::Content,
    BLOCK_SIZE,
};
use std::fmt;

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A copy of the superblock is not what it should be.
    Copy {
        /// The first or the second one.
        index: usize,
        /// Where it should be.
        block: u64,
        /// What is there instead.
        content: Content,
    },
    /// Both copies are from before the last checkpoint.
    OldSuperblocks {
        /// The first block of the region that they should tell of.
        block: u64,
    },
    /// The filesystem is larger than the device.
    TooLarge {
        /// Blocks of the filesystem.
        blocks: u64,
        /// Blocks of the device.
        device: u64,
    },
    /// The checkpoint cannot be read to its end; the log before it tells the same.
    Checkpoint {
        /// In this block.
        block: u64,
        /// What the system says.
        error: Option<Error>,
        /// What comes behind it was found.
        goes_on: bool,
    },
    /// The checkpoint cannot be read to its end, and nothing else tells what was in it.
    NoCheckpoint {
        /// In this block.
        block: u64,
        /// What the system says, or what is wrong.
        why: String,
    },
    /// There is no root directory.
    NoRoot,
    /// The log cannot be read on, but there is more of it, or may be.
    Log {
        /// Where it ends: first byte on the device.
        at: u64,
        /// The number of the record that is missing.
        seq: u64,
        /// What the system says.
        error: Option<Error>,
        /// What there is behind.
        later: Later,
    },
    /// A record checks, but makes no sense.
    Record {
        /// Which.
        place: Place,
        /// What is wrong with it.
        why: String,
        /// What there is behind.
        later: Later,
    },
    /// Names or numbers of links contradict each other.
    Links(Broken),
    /// An ACL is not valid, or says something else than the mode.
    Acl {
        /// Of this inode.
        inode: u64,
        /// Whether it is the access ACL; else the default one.
        is_access: bool,
        /// The permissions that it says, if it is valid.
        permissions: Option<u32>,
    },
    /// The superblock lacks a feature that the log needs: an earlier version would mount it.
    Features,
    /// Something else contradicts itself: extents, owners or space.
    Inconsistent,
}

impl Problem {
    /// Whether it can be corrected.
    pub fn can_correct(&self) -> bool {
        !matches!(
            self,
            Self::TooLarge { .. } | Self::NoCheckpoint { .. } | Self::NoRoot | Self::Inconsistent
        )
    }

    /// Whether correcting it loses something that has happened.
    pub fn loses(&self) -> bool {
        matches!(
            self,
            Self::Log { .. } | Self::Record { .. } | Self::Checkpoint { goes_on: false, .. }
        )
    }
}

/// Bytes of a name as text, without anything that a terminal would take for more.
fn name(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn later(later: &Later, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match later.records {
        0 => {}
        1 => write!(f, "; 1 later record is there, in block {}", later.block)?,
        n => write!(
            f,
            "; {n} later records are there, from block {} on",
            later.block
        )?,
    }
    match later.unreadable {
        0 => Ok(()),
        1 => write!(f, "; 1 block behind cannot be read"),
        n => write!(f, "; {n} blocks behind cannot be read"),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy {
                index,
                block,
                content,
            } => {
                let which = if *index == 0 { "first" } else { "second" };
                write!(f, "the {which} superblock (block {block}) ")?;
                match content {
                    Content::Good(_) => write!(f, "is not the newest"),
                    Content::None => write!(f, "is not there"),
                    Content::Damaged => write!(f, "is damaged"),
                    Content::Version(version) => write!(f, "is of version {version}"),
                    Content::Unreadable(error) => write!(f, "cannot be read: {error}"),
                }
            }
            Self::OldSuperblocks { block } => write!(
                f,
                "both superblocks are older than the log, which is in the region from block {block} on"
            ),
            Self::TooLarge { blocks, device } => write!(
                f,
                "the filesystem has {blocks} blocks, the device only {device}"
            ),
            Self::Checkpoint {
                block,
                error,
                goes_on,
            } => {
                write!(f, "the checkpoint is damaged in block {block}")?;
                if let Some(error) = error {
                    write!(f, ": {error}")?;
                }
                write!(f, "; the log before it has all that was in it")?;
                if !goes_on {
                    write!(f, ", but what came after it is not found")?;
                }
                Ok(())
            }
            Self::NoCheckpoint { block, why } => write!(
                f,
                "the checkpoint is damaged in block {block}: {why}; there is nothing else to read"
            ),
            Self::NoRoot => write!(f, "there is no root directory"),
            Self::Log {
                at,
                seq,
                error,
                later: behind,
            } => {
                let block = at / BLOCK_SIZE;
                write!(f, "the log is damaged in block {block}, at record {seq}")?;
                if let Some(error) = error {
                    write!(f, ": {error}")?;
                }
                later(behind, f)
            }
            Self::Record {
                place,
                why,
                later: behind,
            } => {
                let (seq, block) = (place.seq, place.block());
                write!(f, "record {seq} of the log, in block {block}, is wrong: {why}")?;
                later(behind, f)
            }
            Self::Links(broken) => broken.fmt(f),
            Self::Acl {
                inode,
                permissions: Some(permissions),
                ..
            } => write!(
                f,
                "inode {inode} has other permissions than its ACL says: {permissions:04o}"
            ),
            Self::Acl {
                inode, is_access, ..
            } => {
                let which = if *is_access { "an" } else { "a default" };
                write!(f, "inode {inode} has {which} ACL that is not valid")
            }
            Self::Features => write!(
                f,
                "the superblock lacks a feature that the log makes use of"
            ),
            Self::Inconsistent => write!(
                f,
                "extents, their owners and the space in use contradict each other"
            ),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInode {
                directory,
                name: bytes,
                inode,
            } => write!(
                f,
                "\"{}\" in directory {directory} names inode {inode}, which cannot be named",
                name(bytes)
            ),
            Self::SecondName {
                directory,
                name: bytes,
                inode,
            } => write!(
                f,
                "\"{}\" in directory {directory} is a second name of directory {inode}",
                name(bytes)
            ),
            Self::Type {
                directory,
                name: bytes,
                inode,
            } => write!(
                f,
                "\"{}\" in directory {directory} has another type than inode {inode}",
                name(bytes)
            ),
            Self::Parent { inode, says, is_in } => write!(
                f,
                "directory {inode} says that it is in {says}, and is in {is_in}"
            ),
            Self::Unreachable { inode, found } => write!(
                f,
                "inode {inode} cannot be reached: it goes to lost+found as \"{}\"",
                name(found)
            ),
            Self::Links { inode, says, has } => {
                write!(
                    f,
                    "inode {inode} says that it has {says} links, and has {has}"
                )
            }
        }
    }
}
