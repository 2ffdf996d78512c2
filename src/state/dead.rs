// SPDX-License-Identifier: GPL-2.0

//! Dead inodes: they have no name and no user any more, and are not freed yet.
//!
//! An inode of many extents is freed piece by piece, so that nobody waits for all of it. On the medium it is
//! what any inode without links is, an orphan, and needs nothing beside that: whoever reads the log
//! frees what is left. Here the dead are told from the orphans that somebody still has open. Their
//! blocks have an owner until they are unmapped, but nobody who loses anything with them.
//!
//! # Locking
//!
//! The caller holds the state lock.

use super::{
    file::mapping::EXTENTS,
    inode::InodeKind,
    Op,
    State,
    Transaction,
    ROOT_INO, //
};
use crate::errno::euclean;
use kernel::{
    prelude::*,
    rbtree::RBTreeNode, //
};

impl State {
    /// An orphan is dead from now on: its last user is gone. It may be dead already.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EBUSY` if it has links, `ENOMEM`.
    pub(crate) fn declare_dead(&mut self, ino: u64) -> Result {
        if self.get(ino)?.attr.nlink != 0 {
            return Err(EBUSY);
        }
        self.dead.insert(RBTreeNode::new(ino, (), GFP_KERNEL)?);
        Ok(())
    }

    /// Returns the same state with all orphans dead: nobody uses an inode yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn with_dead_orphans(mut self) -> Result<Self> {
        for (ino, inode) in self.inodes.iter() {
            // A damaged log may have those that cannot be freed.
            let can_go = match &inode.kind {
                InodeKind::Dir(dir) => *ino != ROOT_INO && dir.is_empty(),
                _ => true,
            };
            if inode.attr.nlink == 0 && can_go {
                self.dead.insert(RBTreeNode::new(*ino, (), GFP_KERNEL)?);
            }
        }
        Ok(self)
    }

    /// Returns whether an inode is dead, so that nobody has what it owns.
    pub(crate) fn is_dead(&self, ino: u64) -> bool {
        self.dead.get(&ino).is_some()
    }

    /// Returns the first dead inode.
    pub(crate) fn next_dead(&self) -> Option<u64> {
        Some(*self.dead.cursor_lower_bound(&0)?.current().0)
    }

    /// Returns how many there are. Takes as long as that.
    pub(crate) fn count_dead(&self) -> u64 {
        self.dead.keys().count() as u64
    }

    /// Returns whether one transaction can free all of an inode, in a time that is no matter.
    ///
    /// # Errors
    ///
    /// `ENOENT`.
    pub(crate) fn is_small(&self, ino: u64) -> Result<bool> {
        Ok(match &self.get(ino)?.kind {
            InodeKind::File(map) => map.len() <= EXTENTS / 2,
            _ => true,
        })
    }

    /// Builds the transaction that frees an orphan with all of its blocks; or, if it has many, some of
    /// these, so that there is more to be done. Returns whether it is gone then, too.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EBUSY` if it has links, `ENOMEM`.
    pub(crate) fn evict(&self, ino: u64) -> Result<(Transaction, bool)> {
        let inode = self.get(ino)?;
        if inode.attr.nlink != 0 {
            return Err(EBUSY);
        }
        let mut tx = Transaction::new();
        if let InodeKind::File(_) = inode.kind {
            let first = self.last_step(ino, 0)?;
            self.push_unmap(&mut tx, ino, first..u64::MAX)?;
            if first != 0 {
                return Ok((tx, false));
            }
        }
        tx.push(Op::FreeInode { ino })?;
        Ok((tx, true))
    }

    /// Checks that the dead are inodes without links.
    pub(in crate::state) fn check_dead(&self) -> Result {
        for ino in self.dead.keys() {
            if self.get(*ino).map_err(|_| euclean())?.attr.nlink != 0 {
                return Err(euclean());
            }
        }
        Ok(())
    }
}
