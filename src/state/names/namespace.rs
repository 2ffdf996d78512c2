// SPDX-License-Identifier: GPL-2.0

//! Builds the transactions that create and remove inodes and names.
//!
//! Each checks what POSIX wants checked, and sets link counts and times. Permissions are the
//! caller's (the VFS has checked them). Nothing changes before the transaction is applied, but that the
//! number of a new inode is taken.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::{
    errno::{
        enotempty,
        euclean, //
    },
    state::{
        check_name,
        parts::name::copy_name,
        Attr,
        Directory,
        FileType,
        Op,
        State,
        StoredInode,
        Timestamp,
        Transaction, //
    },
};
use kernel::prelude::*;

/// Most links of one inode: as many as XFS allows, and what a signed number of 32 bits holds.
pub(crate) const MAX_LINKS: u32 = (1 << 31) - 1;

impl State {
    /// Builds the transaction that creates a regular or special file with one link, and returns its
    /// inode number too. The times of the directory become `attr.ctime`.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such directory (any more), `ENOTDIR`, `EEXIST`, those of
    /// [`check_name`], `EINVAL` if the mode is that of something else, `ENOSPC` if too many names
    /// have the same hash, `ENOMEM`.
    pub(crate) fn create(
        &mut self,
        dir: u64,
        name: &[u8],
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        match attr.file_type() {
            Some(FileType::Regular | FileType::Special) => {}
            _ => return Err(EINVAL),
        }
        self.new_entry(dir, name, Attr { nlink: 1, ..attr })
    }

    /// Builds the transaction that creates a directory, and returns its inode number too.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create), `EINVAL` if the mode is not that of a directory, `EMLINK`.
    pub(crate) fn mkdir(
        &mut self,
        dir: u64,
        name: &[u8],
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        if !attr.is_dir() {
            return Err(EINVAL);
        }
        self.new_entry(dir, name, Attr { nlink: 2, ..attr })
    }

    /// Appends the creation of anything, with a name.
    pub(in crate::state) fn new_entry(
        &mut self,
        dir: u64,
        name: &[u8],
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        let parent = self.check_new_name(dir, name)?.attr;
        let mut tx = Transaction::new();
        let ino = self.push_new_inode(&mut tx, attr, dir)?;
        tx.push(link_op(dir, name, ino)?)?;
        tx.push(Op::SetAttr {
            ino: dir,
            attr: Attr {
                nlink: add_links(parent.nlink, i64::from(attr.is_dir()))?,
                ..touched(parent, attr.ctime)
            },
        })?;
        Ok((ino, tx))
    }

    /// Builds the transaction that creates a file without a name (`O_TMPFILE`), and returns its
    /// inode number too.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is not a regular file, `ENOMEM`.
    pub(crate) fn tmpfile(&mut self, attr: Attr) -> Result<(u64, Transaction)> {
        if attr.file_type() != Some(FileType::Regular) {
            return Err(EINVAL);
        }
        let mut tx = Transaction::new();
        let ino = self.push_new_inode(&mut tx, Attr { nlink: 0, ..attr }, 0)?;
        Ok((ino, tx))
    }

    /// Builds the transaction that gives a file one more name. It may have none (`O_TMPFILE`).
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create), `ENOENT` if there is no such inode, `EPERM` if it is a
    /// directory, `EMLINK`.
    pub(crate) fn link(
        &self,
        dir: u64,
        name: &[u8],
        ino: u64,
        now: Timestamp,
    ) -> Result<Transaction> {
        let attr = self.get(ino)?.attr;
        if attr.is_dir() {
            return Err(EPERM);
        }
        let parent = self.check_new_name(dir, name)?.attr;
        let mut tx = Transaction::new();
        tx.push(link_op(dir, name, ino)?)?;
        push_links(&mut tx, ino, attr, 1, now)?;
        tx.push(Op::SetAttr {
            ino: dir,
            attr: touched(parent, now),
        })?;
        Ok(tx)
    }

    /// Builds the transaction that removes a name of a file. A file without a name left is an
    /// orphan: it stays until its last user is gone, see [`dead`](crate::state::dead).
    ///
    /// # Errors
    ///
    /// `ENOENT`, `ENOTDIR` if `dir` is not a directory, `EISDIR` if the name is that of one,
    /// `ENOMEM`.
    pub(crate) fn unlink(&self, dir: u64, name: &[u8], now: Timestamp) -> Result<Transaction> {
        let ino = self.lookup(dir, name)?;
        let attr = self.get(ino)?.attr;
        if attr.is_dir() {
            return Err(EISDIR);
        }
        let mut tx = Transaction::new();
        tx.push(unlink_op(dir, name)?)?;
        push_links(&mut tx, ino, attr, -1, now)?;
        tx.push(Op::SetAttr {
            ino: dir,
            attr: touched(self.get(dir)?.attr, now),
        })?;
        Ok(tx)
    }

    /// Builds the transaction that removes an empty directory, which then is an orphan.
    ///
    /// # Errors
    ///
    /// `ENOENT`, `ENOTDIR`, `ENOTEMPTY`, `ENOMEM`.
    pub(crate) fn rmdir(&self, dir: u64, name: &[u8], now: Timestamp) -> Result<Transaction> {
        let ino = self.lookup(dir, name)?;
        let inode = self.get(ino)?;
        if !inode.as_dir()?.is_empty() {
            return Err(enotempty());
        }
        let parent = self.get(dir)?.attr;
        let mut tx = Transaction::new();
        tx.push(unlink_op(dir, name)?)?;
        tx.push(orphan_dir_op(ino, inode.attr, now))?;
        tx.push(Op::SetAttr {
            ino: dir,
            attr: Attr {
                nlink: add_links(parent.nlink, -1)?,
                ..touched(parent, now)
            },
        })?;
        Ok(tx)
    }

    /// Appends the inode, and returns its number. `EINVAL` if the mode makes no sense.
    pub(in crate::state) fn push_new_inode(
        &mut self,
        tx: &mut Transaction,
        attr: Attr,
        parent: u64,
    ) -> Result<u64> {
        attr.file_type().ok_or(EINVAL)?;
        let ino = self.next_ino;
        let next_ino = ino.checked_add(1).ok_or(ENOSPC)?;
        tx.push(Op::NewInode { ino, attr, parent })?;
        self.next_ino = next_ino;
        Ok(ino)
    }

    /// Returns the directory `dir`, if a name can be added to it.
    pub(in crate::state) fn check_new_name(&self, dir: u64, name: &[u8]) -> Result<&StoredInode> {
        let inode = self.get(dir)?;
        let entries = self.live_dir(dir)?;
        check_name(name)?;
        entries.check_vacant(name)?;
        Ok(inode)
    }

    /// Returns a directory that is not removed.
    pub(in crate::state) fn live_dir(&self, ino: u64) -> Result<&Directory> {
        let inode = self.get(ino)?;
        let dir = inode.as_dir()?;
        if inode.attr.nlink == 0 {
            return Err(ENOENT);
        }
        Ok(dir)
    }
}

/// Returns the attributes of a directory whose entries change.
pub(in crate::state) fn touched(attr: Attr, now: Timestamp) -> Attr {
    Attr {
        mtime: now,
        ctime: now,
        ..attr
    }
}

/// Returns a link count after a change; `EMLINK` if it is too large, `EUCLEAN` if it was too small.
pub(in crate::state) fn add_links(nlink: u32, change: i64) -> Result<u32> {
    let nlink = i64::from(nlink)
        .checked_add(change)
        .filter(|&nlink| nlink >= 0)
        .ok_or_else(euclean)?;
    let nlink = u32::try_from(nlink).map_err(|_| EMLINK)?;
    if nlink > MAX_LINKS && change > 0 {
        return Err(EMLINK);
    }
    Ok(nlink)
}

/// Appends the change of the link count of a file.
pub(in crate::state) fn push_links(
    tx: &mut Transaction,
    ino: u64,
    attr: Attr,
    change: i64,
    now: Timestamp,
) -> Result {
    tx.push(Op::SetAttr {
        ino,
        attr: Attr {
            nlink: add_links(attr.nlink, change)?,
            ctime: now,
            ..attr
        },
    })
}

/// Returns the operation that makes a directory without a name an orphan.
pub(in crate::state) fn orphan_dir_op(ino: u64, attr: Attr, now: Timestamp) -> Op {
    Op::SetAttr {
        ino,
        attr: Attr {
            nlink: 0,
            ctime: now,
            ..attr
        },
    }
}

/// Returns the operation that adds a name.
pub(in crate::state) fn link_op(dir: u64, name: &[u8], ino: u64) -> Result<Op> {
    Ok(Op::Link {
        dir,
        name: copy_name(name)?,
        ino,
    })
}

/// Returns the operation that removes a name.
pub(in crate::state) fn unlink_op(dir: u64, name: &[u8]) -> Result<Op> {
    Ok(Op::Unlink {
        dir,
        name: copy_name(name)?,
    })
}
