// SPDX-License-Identifier: GPL-2.0

//! All metadata of one mount, in memory.
//!
//! The only way to change it is a [`Transaction`]: build it (with the functions here that end in
//! one), [`State::reserve`] the memory that it needs, make it persistent, [`State::apply`] it.
//! Reserving may fail and then nothing has changed; applying cannot fail for memory.
//!
//! - [`parts`]: what it is made of. [`inode`], [`op`], [`transaction`]: made of these.
//! - [`State`], here: all of it, to be read. Above it, what builds transactions: [`names`], [`file`](mod@file),
//!   [`space`].
//! - [`dead`]: inodes that nobody has a use for, and that go piece by piece.
//! - [`reserve`], [`apply`]: what changes it. [`check`]: what must hold in it.
//! - [`codec`], [`checkpoint`]: operations as bytes, and all of the state as operations.
//!
//! # Units
//!
//! Blocks are 4 KiB, counted from the start of the mount's part of the device; all of
//! `0..total_blocks()` are data as far as this module knows. Page offsets count 4 KiB pages in a
//! file.
//!
//! # Locking
//!
//! None in here. For `&self` the caller holds the state lock, shared, or the commit lock, without which nothing
//! changes; that is what *holds the state lock* means below. For `&mut self` he holds both, the state lock
//! exclusively. The commit lock is held from when a transaction is built until it is applied, without a break. Both are
//! sleeping locks, because memory is allocated and freed under them.

mod apply;
mod check;
mod checkpoint;
mod codec;
mod dead;
mod file;
mod inode;
mod names;
mod op;
mod parts;
mod reserve;
mod space;
mod transaction;

pub(crate) use self::checkpoint::OpSink;
pub(crate) use self::{
    file::mapping::Mapping,
    inode::{
        InodeKind,
        StoredInode,
        ROOT_INO, //
    },
    names::{
        listing::Listing,
        rename::RenameMode,
        xattr::{
            xattr_op,
            SetMode, //
        },
    },
    op::Op,
    parts::{
        acl,
        attr::{
            flags,
            Attr,
            FileType,
            Timestamp, //
        },
        directory::{
            Directory,
            FIRST_COOKIE, //
        },
        name::check_name,
        range_set::RangeSet,
        xattr_set::{
            Xattr,
            XattrSet, //
        },
    },
    space::place::{
        Place,
        PlaceCursor, //
    },
    transaction::Transaction, //
};
#[cfg(not(MODULE))]
pub(crate) use self::{
    file::mapping::EXTENTS,
    parts::{
        directory::COLLISIONS,
        name::Name, //
    },
};

#[cfg(MODULE)]
pub(crate) use self::parts::name::NAME_MAX;

use self::parts::{
    free_space::FreeSpace,
    windows::Windows, //
};
use crate::{
    media::Secret,
    rmap::{
        OwnerTree,
        MAX_BLOCKS, //
    },
};
use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    }, //
};

/// So many ranges can become bad without an allocation, after each reserve.
const SPARE_BAD: usize = 64;

/// All metadata of one mount.
///
/// # Invariants
///
/// Those that [`State::check`] checks, unless `corrupt`.
pub(crate) struct State {
    /// Size of the device.
    blocks: u64,
    /// The key of the directories' hashes.
    secret: Secret,
    inodes: RBTree<u64, StoredInode>,
    /// Those of them that are dead, see [`dead`].
    dead: RBTree<u64, ()>,
    /// Number of entries of `inodes`.
    inode_count: usize,
    /// One record for each extent of each file.
    owners: OwnerTree,
    /// Blocks known to be poisoned.
    bad: RangeSet,
    /// Blocks that are allocated and not mapped yet; each allocation apart.
    in_flight: RangeSet,
    /// Number of blocks with an owner.
    owned: u64,
    /// Number of bad blocks that have no owner and are not in flight.
    bad_unowned: u64,
    /// What has no owner, to find room in.
    space: FreeSpace,
    /// What files are to get next.
    windows: Windows,
    /// Greater than every inode number that was ever seen.
    next_ino: u64,
    /// Changes with everything that may use up reserved memory.
    version: u64,
    /// An inconsistent operation was met: no more changes.
    corrupt: bool,
}

impl State {
    /// Creates the state of an empty filesystem of so many blocks. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` if `blocks` is 0 or too many or `root` is not a directory; `ENOMEM`.
    #[cfg_attr(MODULE, expect(dead_code, reason = "for mkfs"))]
    pub(crate) fn new(blocks: u64, root: Attr, secret: Secret) -> Result<State> {
        if !root.is_dir() {
            return Err(EINVAL);
        }
        let mut state = Self::empty(blocks, secret)?;
        let inode = StoredInode {
            attr: Attr { nlink: 2, ..root },
            kind: InodeKind::Dir(Directory::new(ROOT_INO, secret)),
            xattrs: XattrSet::new(),
        };
        state
            .inodes
            .insert(RBTreeNode::new(ROOT_INO, inode, GFP_KERNEL)?);
        state.inode_count = 1;
        Ok(state)
    }

    /// Creates the state of a filesystem of so many blocks that has no root yet: a checkpoint is to
    /// make it one. Nobody who makes names may know the secret. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` if `blocks` is 0 or too many; `ENOMEM`.
    pub(crate) fn empty(blocks: u64, secret: Secret) -> Result<State> {
        if blocks == 0 || blocks > MAX_BLOCKS {
            return Err(EINVAL);
        }
        let mut state = State {
            blocks,
            secret,
            inodes: RBTree::new(),
            dead: RBTree::new(),
            inode_count: 0,
            owners: OwnerTree::new(),
            bad: RangeSet::new(),
            in_flight: RangeSet::new(),
            owned: 0,
            bad_unowned: 0,
            space: FreeSpace::new(blocks)?,
            windows: Windows::new(),
            next_ino: ROOT_INO + 1,
            version: 0,
            corrupt: false,
        };
        state.bad.reserve(SPARE_BAD)?;
        Ok(state)
    }

    /// Returns an inode.
    pub(crate) fn inode(&self, ino: u64) -> Option<&StoredInode> {
        self.inodes.get(&ino)
    }

    /// Returns an inode; `ENOENT` if there is none with that number.
    pub(crate) fn get(&self, ino: u64) -> Result<&StoredInode> {
        self.inode(ino).ok_or(ENOENT)
    }

    /// Returns the number of inodes.
    pub(crate) fn inode_count(&self) -> u64 {
        self.inode_count as u64
    }

    /// Returns the inode with the least number that is `ino` or more.
    pub(crate) fn next_inode(&self, ino: u64) -> Option<(u64, &StoredInode)> {
        let ino = *self.inodes.cursor_lower_bound(&ino)?.current().0;
        Some((ino, self.inodes.get(&ino)?))
    }

    /// Visits the inodes from number `ino` on, ascending. Walks that drop the lock continue from the
    /// last number plus 1.
    pub(crate) fn inodes_from(&self, ino: u64) -> impl Iterator<Item = (u64, &StoredInode)> + '_ {
        let mut next = Some(ino);
        core::iter::from_fn(move || {
            let (ino, inode) = self.next_inode(next?)?;
            next = ino.checked_add(1);
            Some((ino, inode))
        })
    }

    /// Returns the inode number that `name` in directory `dir` stands for.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such directory or name, `ENOTDIR` if `dir` is not a directory.
    pub(crate) fn lookup(&self, dir: u64, name: &[u8]) -> Result<u64> {
        let (_, entry) = self.get(dir)?.as_dir()?.find(name).ok_or(ENOENT)?;
        Ok(entry.ino)
    }

    /// Returns the owner tree, to ask it.
    pub(crate) fn owners(&self) -> &OwnerTree {
        &self.owners
    }

    /// Returns whether an inconsistent operation was met. Nothing can be changed then.
    pub(crate) fn is_corrupt(&self) -> bool {
        self.corrupt
    }
}
