// SPDX-License-Identifier: GPL-2.0

//! Operations: what can change in the state, one thing at a time.
//!
//! An operation is plain data, fit to be logged and replayed. Nothing is changed here: a
//! [`Transaction`](super::Transaction) has some of them, and [`State::apply`](super::State::apply) makes
//! them so.
//!
//! # Locking
//!
//! None: what is made here is nobody else's yet.

use super::parts::{
    attr::Attr,
    name::{
        Name,
        TargetPath,
        Value, //
    },
};
use crate::media::Features;

/// One change of the state. See [`State::apply`](super::State::apply) for what makes one
/// inconsistent.
#[derive(Debug)]
pub(crate) enum Op {
    /// Creates an inode without links, extents, entries, target or extended attributes.
    NewInode {
        /// Its number, not in use.
        ino: u64,
        /// Its attributes.
        attr: Attr,
        /// For a directory: what its ".." is.
        parent: u64,
    },
    /// Frees an inode with no links, extents or entries left, and what else it has.
    FreeInode {
        /// Its number.
        ino: u64,
    },
    /// Replaces the attributes. The file type stays.
    SetAttr {
        /// The inode.
        ino: u64,
        /// All of its attributes.
        attr: Attr,
    },
    /// Adds a name to a directory. Link counts are changed by `SetAttr`.
    Link {
        /// The directory.
        dir: u64,
        /// A name that it does not have.
        name: Name,
        /// The inode to name.
        ino: u64,
    },
    /// Removes a name from a directory. Link counts are changed by `SetAttr`.
    Unlink {
        /// The directory.
        dir: u64,
        /// A name that it has.
        name: Name,
    },
    /// Changes the ".." of a directory that moves.
    SetParent {
        /// The directory.
        ino: u64,
        /// Its new parent.
        parent: u64,
    },
    /// Maps pages of a file, which are a hole, to blocks: free ones, in flight, or (to share them)
    /// owned.
    Map {
        /// The file.
        ino: u64,
        /// First page.
        pgoff: u64,
        /// First block.
        block: u64,
        /// Number of pages.
        len: u64,
        /// The blocks hold nothing of the file yet: its pages are zeroes. Nobody owns them then: an unwritten
        /// block has exactly one owner.
        unwritten: bool,
    },
    /// Makes pages of a file a hole. Blocks that lose their last owner are free, unless bad.
    Unmap {
        /// The file.
        ino: u64,
        /// First page.
        pgoff: u64,
        /// Number of pages; may reach beyond the last extent.
        len: u64,
    },
    /// Moves all pages of a file from one on, with their blocks, up or down. Where they come to be
    /// first, below or above, there is a hole.
    Shift {
        /// The file.
        ino: u64,
        /// First page that moves.
        from: u64,
        /// Where that page comes to be.
        to: u64,
    },
    /// Says where a symbolic link leads, which is new.
    SetTarget {
        /// The symbolic link.
        ino: u64,
        /// 1 to 4095 bytes.
        target: TargetPath,
    },
    /// Sets an extended attribute, new or not. Times are changed by `SetAttr`.
    SetXattr {
        /// The inode.
        ino: u64,
        /// Its name, with the namespace.
        name: Name,
        /// Its value.
        value: Value,
    },
    /// Removes an extended attribute. Times are changed by `SetAttr`.
    RemoveXattr {
        /// The inode.
        ino: u64,
        /// A name that it has.
        name: Name,
    },
    /// Makes sure that no inode gets a number below this one. First of a checkpoint, so that numbers
    /// are not used again.
    NextIno {
        /// The number.
        ino: u64,
    },
    /// Adds blocks to the bad set.
    MarkBad {
        /// First block.
        block: u64,
        /// Number of blocks.
        len: u64,
    },
    /// Takes blocks out of the bad set, which nobody owns and which are not in flight: they are
    /// free.
    UnmarkBad {
        /// First block.
        block: u64,
        /// Number of blocks; all of them are bad.
        len: u64,
    },
    /// Makes pages of a file written, or unwritten, where they are. Some may be so already.
    Convert {
        /// The file.
        ino: u64,
        /// First page.
        pgoff: u64,
        /// Number of pages; none of them is a hole.
        len: u64,
        /// Whether they are written from here on. If not, nobody shares their blocks.
        written: bool,
    },
}

impl Op {
    /// Which incompat features of the superblock say that there may be such an operation in the log. They
    /// are noted there before its first use, so that whoever does not know it does not come that far.
    pub(crate) fn incompat(&self) -> u64 {
        match self {
            Op::Map {
                unwritten: true, ..
            }
            | Op::Convert { .. } => Features::UNWRITTEN,
            _ => 0,
        }
    }

    /// Whether applying it may need memory that is not its own.
    pub(super) fn takes_memory(&self) -> bool {
        !matches!(
            self,
            Op::FreeInode { .. }
                | Op::SetAttr { .. }
                | Op::Unlink { .. }
                | Op::SetParent { .. }
                | Op::SetTarget { .. }
                | Op::RemoveXattr { .. }
                | Op::NextIno { .. }
        )
    }
}
