// SPDX-License-Identifier: GPL-2.0

//! Builds the transactions that rename: move a name, replace another one by it, or exchange two.
//!
//! That no directory moves into itself is the VFS's business, which holds the locks for that.
//!
//! # Locking
//!
//! The caller holds the state lock.

use super::namespace::{
    add_links,
    link_op,
    orphan_dir_op,
    push_links,
    touched,
    unlink_op, //
};
use crate::{
    errno::enotempty,
    state::{
        Attr,
        Op,
        State,
        Timestamp,
        Transaction, //
    },
};
use kernel::prelude::*;

/// What rename does if the new name exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RenameMode {
    /// Replaces it.
    Replace,
    /// Fails with `EEXIST` (`RENAME_NOREPLACE`).
    NoReplace,
    /// Gives it to the other inode; the new name has to exist (`RENAME_EXCHANGE`).
    Exchange,
}

impl State {
    /// Builds the transaction that renames. It has no operations if both names are of one inode.
    /// A replaced inode may be an orphan then.
    ///
    /// In the kernel, that no directory moves into itself is the VFS's to see to, which has looked at all
    /// directories above (`lock_rename()`): as many as somebody cares to make, and the state lock is
    /// not held for that.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the old name, a directory, or (to exchange) the new name does not exist;
    /// `EEXIST`; `ENOTDIR` if `old_dir` or `new_dir` is not a directory or a directory is to replace
    /// something else; `EISDIR` if something else is to replace a directory; `ENOTEMPTY`; `EINVAL`
    /// if a directory is to move into itself; those of [`check_name`](crate::state::check_name); `ENOSPC`,
    /// `EMLINK`, `ENOMEM`.
    pub(crate) fn rename(
        &self,
        old_dir: u64,
        old_name: &[u8],
        new_dir: u64,
        new_name: &[u8],
        mode: RenameMode,
        now: Timestamp,
    ) -> Result<Transaction> {
        let mut tx = Transaction::new();
        let ino = self.lookup(old_dir, old_name)?;
        let attr = self.get(ino)?.attr;
        let target = self
            .live_dir(new_dir)?
            .find(new_name)
            .map(|(_, entry)| entry.ino);

        match mode {
            RenameMode::NoReplace if target.is_some() => return Err(EEXIST),
            RenameMode::Exchange if target.is_none() => return Err(ENOENT),
            _ => {}
        }
        if target == Some(ino) {
            return Ok(tx);
        }
        #[cfg(not(MODULE))]
        self.check_no_loop(ino, new_dir)?;

        // How many directories, and so links, the two parents gain.
        let mut old_links = -i64::from(attr.is_dir());
        let mut new_links = i64::from(attr.is_dir());

        tx.push(unlink_op(old_dir, old_name)?)?;
        if let Some(target) = target {
            let other = self.get(target)?;
            tx.push(unlink_op(new_dir, new_name)?)?;
            new_links = new_links.saturating_sub(i64::from(other.attr.is_dir()));

            if mode == RenameMode::Exchange {
                #[cfg(not(MODULE))]
                self.check_no_loop(target, old_dir)?;
                old_links = old_links.saturating_add(i64::from(other.attr.is_dir()));
                push_move(&mut tx, target, other.attr, old_dir, old_name, now)?;
            } else if other.attr.is_dir() {
                if !attr.is_dir() {
                    return Err(EISDIR);
                }
                if !other.as_dir()?.is_empty() {
                    return Err(enotempty());
                }
                tx.push(orphan_dir_op(target, other.attr, now))?;
            } else {
                if attr.is_dir() {
                    return Err(ENOTDIR);
                }
                push_links(&mut tx, target, other.attr, -1, now)?;
            }
        } else {
            self.check_new_name(new_dir, new_name)?;
        }
        push_move(&mut tx, ino, attr, new_dir, new_name, now)?;

        if old_dir == new_dir {
            old_links = old_links.saturating_add(new_links);
        } else {
            self.push_dir(&mut tx, new_dir, new_links, now)?;
        }
        self.push_dir(&mut tx, old_dir, old_links, now)?;
        Ok(tx)
    }

    /// Builds the transaction that renames, and leaves something else at the old name: a whiteout, for
    /// overlayfs (`RENAME_WHITEOUT`). Returns its inode number too, 0 if there was nothing to do.
    ///
    /// # Errors
    ///
    /// Those of [`rename`](Self::rename), which replaces; `EINVAL` if the whiteout would be a
    /// directory.
    pub(crate) fn rename_whiteout(
        &mut self,
        (old_dir, old_name): (u64, &[u8]),
        (new_dir, new_name): (u64, &[u8]),
        whiteout: Attr,
    ) -> Result<(u64, Transaction)> {
        if whiteout.is_dir() {
            return Err(EINVAL);
        }
        let now = whiteout.ctime;
        let mode = RenameMode::Replace;
        let mut tx = self.rename(old_dir, old_name, new_dir, new_name, mode, now)?;
        if tx.ops().is_empty() {
            return Ok((0, tx));
        }
        let ino = self.push_new_inode(
            &mut tx,
            Attr {
                nlink: 1,
                ..whiteout
            },
            0,
        )?;
        // There is room: the old name is gone by then, whether the new one takes its place or not.
        tx.push(link_op(old_dir, old_name, ino)?)?;
        Ok((ino, tx))
    }

    /// Appends the change of a directory that has gained so many subdirectories.
    fn push_dir(&self, tx: &mut Transaction, ino: u64, links: i64, now: Timestamp) -> Result {
        let attr = self.get(ino)?.attr;
        tx.push(Op::SetAttr {
            ino,
            attr: Attr {
                nlink: add_links(attr.nlink, links)?,
                ..touched(attr, now)
            },
        })
    }

    /// Checks that `ino` is neither `dir` nor above it: it could not be moved there. `EINVAL`.
    #[cfg(not(MODULE))]
    fn check_no_loop(&self, ino: u64, dir: u64) -> Result {
        if self.get(ino)?.as_dir().is_err() {
            return Ok(());
        }
        let mut dir = dir;
        // As many steps as there are inodes are enough, if there is no loop yet.
        for _ in self.inodes.keys() {
            if dir == ino {
                return Err(EINVAL);
            }
            if dir == crate::state::ROOT_INO {
                return Ok(());
            }
            dir = self.get(dir)?.as_dir()?.parent();
        }
        Err(crate::errno::euclean())
    }
}

/// Appends the operations that give an inode a name in another directory, or in the same one.
fn push_move(
    tx: &mut Transaction,
    ino: u64,
    attr: Attr,
    dir: u64,
    name: &[u8],
    now: Timestamp,
) -> Result {
    tx.push(link_op(dir, name, ino)?)?;
    if attr.is_dir() {
        tx.push(Op::SetParent { ino, parent: dir })?;
    }
    push_links(tx, ino, attr, 0, now)
}
