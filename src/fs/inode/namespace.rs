// SPDX-License-Identifier: GPL-2.0

//! Directories: from the VFS's calls to transactions and back.
//!
//! A transaction changes the state; then the inodes in core are made to agree with it. The other way
//! round only for what the VFS itself works out (owner of a new object, chmod, times).
//!
//! # Locking
//!
//! The VFS holds the `i_rwsem` of what is changed (see [`crate::vfs::Namespace`]); each function takes
//! the state lock for its look-up, or the commit lock for its transaction.

use super::{
    acl,
    attributes::flags_in_core,
    batch::Batch,
    create, //
};
use crate::{
    fs::{
        time::{
            in_core,
            stored, //
        },
        Mount, //
    },
    state::{
        self,
        FileType,
        Listing,
        RenameMode,
        State,
        Transaction, //
    },
    support::fatal_signal_pending,
    vfs::{
        Dentry,
        DirEmitter,
        Inode,
        LinkTarget,
        Namespace,
        NewAttr,
        Rename,
        Stamps,
        SuperBlock,
        Time,
        Times, //
    },
};
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

const _: () = assert!(
    state::FIRST_COOKIE == 2,
    "positions 0 and 1 of a directory are the VFS's, for . and .."
);

/// The inode `ino`.
///
/// # Errors
///
/// `ENOENT` if there is none, or none with a name that is not in core already; `EIO` if it makes no
/// sense; `ENOMEM`.
pub(in crate::fs) fn inode(sb: &SuperBlock<Mount>, ino: u64) -> Result<ARef<Inode<Mount>>> {
    sb.inode(ino, |new| {
        let state = sb.fs().meta().read();
        let stored = state.get(ino)?;
        let attr = stored.attr;
        if attr.nlink == 0 {
            return Err(ENOENT);
        }
        let times = Times {
            atime: in_core(attr.atime),
            mtime: in_core(attr.mtime),
            ctime: in_core(attr.ctime),
        };
        let mode = u16::try_from(attr.mode).map_err(|_| EIO)?;
        new.set_owner(mode, attr.uid, attr.gid);
        new.set_attr(attr.size, attr.nlink, times, attr.generation);
        new.set_rdev(attr.rdev);
        new.set_flags(flags_in_core(attr.flags));
        acl::read_in(new, stored);
        if attr.file_type() == Some(FileType::Symlink) {
            let target = stored.target()?;
            // A damaged log may have one that leads nowhere.
            if target.is_empty() {
                return Err(EIO);
            }
            new.set_target(LinkTarget::new(target)?);
        }
        Ok(())
    })
}

/// Makes the inode in core agree with the state in what a change of the namespace changes.
fn refresh(inode: &Inode<Mount>) {
    let Some(attr) = inode.fs().meta().read().inode(inode.ino()).map(|i| i.attr) else {
        return;
    };
    inode.set_nlink(attr.nlink);
    let times = inode.times();
    inode.set_times(Times {
        atime: times.atime,
        // Of all else, it may be newer in core (lazytime).
        mtime: if attr.is_dir() {
            in_core(attr.mtime)
        } else {
            times.mtime
        },
        ctime: in_core(attr.ctime),
    });
}

/// A change of names that changes `inodes`, at the time that it is given.
fn change<const N: usize>(
    inodes: [Option<&Inode<Mount>>; N],
    make: impl FnOnce(Time) -> Result,
) -> Result {
    let stamps = Stamps::new(inodes);
    make(stamps.now())?;
    stamps.keep();
    inodes.into_iter().flatten().for_each(refresh);
    Ok(())
}

/// Removes a name, by what the state knows of it.
fn remove(
    dir: &Inode<Mount>,
    dentry: &Dentry<Mount>,
    build: impl Fn(&State, u64, &[u8], state::Timestamp) -> Result<Transaction>,
) -> Result {
    change([Some(dir), dentry.inode()], |now| {
        let meta = dir.fs().meta();
        meta.transact(|state| build(state, dir.ino(), dentry.name(), stored(now)))
    })
}

impl Namespace for Mount {
    fn lookup(dir: &Inode<Self>, name: &[u8]) -> Result<Option<ARef<Inode<Self>>>> {
        let found = dir.fs().meta().read().lookup(dir.ino(), name);
        match found {
            Ok(ino) => inode(dir.sb(), ino).map(Some),
            Err(e) if e == ENOENT => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn make(dir: &Inode<Self>, dentry: &Dentry<Self>, attr: &NewAttr<'_>) -> Result {
        change([Some(dir)], |now| create::make(dir, dentry, attr, now))
    }

    fn make_unnamed(dir: &Inode<Self>, attr: &NewAttr<'_>) -> Result<ARef<Inode<Self>>> {
        Ok(create::make_unnamed(dir, attr)?.finish())
    }

    fn link(inode: &Inode<Self>, dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result {
        change([Some(dir), Some(inode)], |now| {
            let meta = dir.fs().meta();
            let (name, now) = (dentry.name(), stored(now));
            meta.transact(|state| state.link(dir.ino(), name, inode.ino(), now))
        })
    }

    fn unlink(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result {
        remove(dir, dentry, State::unlink)
    }

    fn rmdir(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result {
        remove(dir, dentry, State::rmdir)
    }

    fn rename(
        old_dir: &Inode<Self>,
        old: &Dentry<Self>,
        new_dir: &Inode<Self>,
        new: &Dentry<Self>,
        how: &Rename<'_>,
    ) -> Result {
        let inodes = [Some(old_dir), Some(new_dir), old.inode(), new.inode()];
        change(inodes, |now| {
            let mode = match how {
                Rename::Replace => RenameMode::Replace,
                Rename::NoReplace => RenameMode::NoReplace,
                Rename::Exchange => RenameMode::Exchange,
                Rename::Whiteout(attr) => {
                    return create::rename_whiteout(old_dir, old, new_dir, new, attr, now);
                }
            };
            let (from, to, now) = (old_dir.ino(), new_dir.ino(), stored(now));
            let meta = old_dir.fs().meta();
            meta.transact(|state| state.rename(from, old.name(), to, new.name(), mode, now))
        })
    }

    fn read_dir(dir: &Inode<Self>, emitter: &mut DirEmitter<'_>) -> Result {
        let meta = dir.fs().meta();
        let pos = emitter.pos();
        let next = emitter.take_next();
        let is_narrow = emitter.is_narrow();
        let mut listing = if is_narrow {
            Listing::narrow(pos, next)
        } else {
            Listing::wide(pos)
        };
        let mut batch = Batch::new()?;
        loop {
            batch.fill(meta, dir.ino(), listing.from());
            let before = listing.from();
            for (cookie, name, ino, dtype) in batch.iter() {
                let Some(pos) = listing.place(cookie) else {
                    continue;
                };
                emitter.set_pos(pos);
                if !emitter.emit(name, ino, dtype) {
                    if is_narrow {
                        emitter.leave_next(cookie);
                    }
                    return Ok(());
                }
                emitter.set_pos(pos.saturating_add(1));
            }
            if listing.from() == before {
                return Ok(());
            }
            // Of those that are not wanted there may be many.
            if fatal_signal_pending() {
                return Err(EINTR);
            }
        }
    }
}
