// SPDX-License-Identifier: GPL-2.0

//! New objects: an inode in core and one in the state, by one transaction.
//!
//! # Locking
//!
//! The VFS holds the directory's `i_rwsem` exclusively, but for what gets no name.

use super::acl;
use crate::{
    fs::{
        meta::MetaGuard,
        time::{
            stored,
            with_times, //
        },
        Mount, //
    },
    state::{
        xattr_op,
        Attr,
        Transaction, //
    },
    support::random,
    vfs::{
        self,
        Dentry,
        Inode,
        Label,
        LinkTarget,
        NewAttr,
        NewInode,
        Time,
        UnnumberedInode, //
    },
};
use kernel::prelude::*;

/// A new object, before it has a number.
struct Draft {
    new: UnnumberedInode<Mount>,
    /// Labels and ACLs.
    xattrs: KVec<Label>,
    attr: Attr,
    now: Time,
}

impl Draft {
    /// `dentry`: what it will be called, for the security modules. `now`: when it is made.
    fn new(
        dir: &Inode<Mount>,
        dentry: Option<&Dentry<Mount>>,
        new_attr: &NewAttr<'_>,
        now: Time,
    ) -> Result<Self> {
        dir.fs().meta().check_alive()?;
        let new = dir.sb().unnumbered_inode()?;
        new.init_owner(new_attr, dir);
        let xattrs = vfs::new_labels(new.inode(), dir, dentry)?;
        let attr = Attr {
            mode: new.inode().mode().into(),
            uid: new.inode().uid(),
            gid: new.inode().gid(),
            btime: stored(now),
            generation: random(),
            rdev: new_attr.rdev(),
            ..with_times(Attr::default(), now.into())
        };
        Ok(Self {
            new,
            xattrs,
            attr,
            now,
        })
    }

    /// Takes what `dir` has for it: ACLs, and permissions.
    fn inherit(mut self, dir: &Inode<Mount>) -> Result<Self> {
        let xattrs = &mut self.xattrs;
        self.new.init_acls(dir, |kind, value| {
            let mut name = KVec::new();
            name.extend_from_slice(acl::name(kind), GFP_KERNEL)?;
            Ok(xattrs.push((name, value), GFP_KERNEL)?)
        })?;
        self.attr.mode = self.new.inode().mode().into();
        Ok(self)
    }

    /// Appends labels and ACLs, and makes the transaction so.
    fn commit(&self, state: &mut MetaGuard<'_>, ino: u64, mut tx: Transaction) -> Result {
        for (name, value) in &self.xattrs {
            tx.push(xattr_op(ino, name, value)?)?;
        }
        state.commit(tx)
    }

    /// The inode in core. No handle finds it before it is finished, and makes an inode of its own:
    /// nobody knows the generation yet.
    fn into_inode(self, ino: u64, size: u64, nlink: u32) -> Result<NewInode<Mount>> {
        let new = self.new.number(ino)?;
        new.set_attr(size, nlink, self.now.into(), self.attr.generation);
        new.set_rdev(self.attr.rdev);
        Ok(new)
    }
}

/// Makes anything that has a name.
pub(super) fn make(
    dir: &Inode<Mount>,
    dentry: &Dentry<Mount>,
    new_attr: &NewAttr<'_>,
    now: Time,
) -> Result {
    let draft = Draft::new(dir, Some(dentry), new_attr, now)?.inherit(dir)?;
    let target = new_attr.target();
    // Nothing may fail after the transaction.
    let string = if new_attr.is_symlink() {
        Some(LinkTarget::new(target)?)
    } else {
        None
    };
    let meta = dir.fs().meta();
    let ino = meta.with_room(|| {
        let mut state = meta.lock();
        let (name, attr) = (dentry.name(), draft.attr);
        let (ino, tx) = if new_attr.is_dir() {
            state.mkdir(dir.ino(), name, attr)?
        } else if string.is_some() {
            state.symlink(dir.ino(), name, target, attr)?
        } else {
            state.create(dir.ino(), name, attr)?
        };
        draft.commit(&mut state, ino, tx)?;
        Ok(ino)
    })?;
    let nlink = if new_attr.is_dir() { 2 } else { 1 };
    let new = draft.into_inode(ino, target.len() as u64, nlink)?;
    if let Some(string) = string {
        new.set_target(string);
    }
    new.finish_as(dentry);
    Ok(())
}

/// Makes a regular file that has no name.
pub(super) fn make_unnamed(dir: &Inode<Mount>, new_attr: &NewAttr<'_>) -> Result<NewInode<Mount>> {
    let now = dir.now();
    let draft = Draft::new(dir, None, new_attr, now)?.inherit(dir)?;
    let meta = dir.fs().meta();
    let ino = meta.with_room(|| {
        let mut state = meta.lock();
        let (ino, tx) = state.tmpfile(draft.attr)?;
        draft.commit(&mut state, ino, tx)?;
        Ok(ino)
    })?;
    draft.into_inode(ino, 0, 0)
}

/// Renames, and leaves a whiteout at the old name, which inherits nothing. There is no inode in core
/// for it until somebody looks.
pub(super) fn rename_whiteout(
    old_dir: &Inode<Mount>,
    old: &Dentry<Mount>,
    new_dir: &Inode<Mount>,
    new: &Dentry<Mount>,
    whiteout: &NewAttr<'_>,
    now: Time,
) -> Result {
    let draft = Draft::new(old_dir, Some(old), whiteout, now)?;
    let meta = old_dir.fs().meta();
    meta.with_room(|| {
        let mut state = meta.lock();
        let (ino, tx) = state.rename_whiteout(
            (old_dir.ino(), old.name()),
            (new_dir.ino(), new.name()),
            draft.attr,
        )?;
        if ino == 0 {
            return Ok(());
        }
        draft.commit(&mut state, ino, tx)
    })
}
