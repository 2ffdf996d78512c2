// SPDX-License-Identifier: GPL-2.0

//! Directories and attributes: from the VFS's calls to transactions and back.
//!
//! A transaction changes the state; then the inodes in core are made to agree with it. The other way
//! round only for what the VFS itself works out (owner of a new object, chmod, times).
//!
//! # Locking
//!
//! The VFS holds the `i_rwsem` of what is changed (see [`crate::vfs::Namespace`]); each function takes
//! the state lock for its look-up or its transaction.

use super::{
    resize,
    state::{
        self,
        Attr,
        Op,
        RenameMode,
        State,
        Transaction, //
    },
    Mount, //
};
use crate::{
    dax,
    vfs::{
        self,
        Dentry,
        DirEmitter,
        Inode,
        InodeLock,
        Namespace,
        NewAttr,
        SetAttr,
        SuperBlock,
        Time,
        Times, //
    },
};
use kernel::{
    bindings::fiemap_extent_info,
    prelude::*,
    sync::aref::ARef, //
};

const _: () = assert!(
    state::FIRST_COOKIE == 2,
    "positions 0 and 1 of a directory are the VFS's, for . and .."
);

fn stored(time: Time) -> state::Time {
    state::Time {
        sec: time.sec,
        nsec: time.nsec,
    }
}

fn in_core(time: state::Time) -> Time {
    Time {
        sec: time.sec,
        nsec: time.nsec,
    }
}

/// `attr` with the times of the inode in core.
fn with_times(attr: Attr, times: Times) -> Attr {
    Attr {
        atime: stored(times.atime),
        mtime: stored(times.mtime),
        ctime: stored(times.ctime),
        ..attr
    }
}

/// `attr` with owner, permissions and times of the inode in core.
fn with_owner(attr: Attr, inode: &Inode<Mount>) -> Attr {
    Attr {
        mode: inode.mode().into(),
        uid: inode.uid(),
        gid: inode.gid(),
        ..with_times(attr, inode.times())
    }
}

/// The inode `ino`.
///
/// # Errors
///
/// `ENOENT` if there is none, or none with a name that is not in core already; `ENOMEM`.
pub(super) fn inode(sb: &SuperBlock<Mount>, ino: u64) -> Result<ARef<Inode<Mount>>> {
    sb.inode(ino, |new| {
        let attr = sb.fs().meta().lock().get(ino)?.attr;
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
        Ok(())
    })
}

/// Makes the inode in core agree with the state in what a change of the namespace changes.
fn refresh(inode: &Inode<Mount>) {
    let Some(attr) = inode.fs().meta().lock().inode(inode.ino()).map(|i| i.attr) else {
        return;
    };
    inode.set_nlink(attr.nlink);
    inode.set_times(Times {
        atime: inode.times().atime,
        mtime: in_core(attr.mtime),
        ctime: in_core(attr.ctime),
    });
}

/// Makes a file or a directory.
fn make(dir: &Inode<Mount>, dentry: &Dentry<Mount>, new_attr: &NewAttr, is_dir: bool) -> Result {
    let meta = dir.fs().meta();
    meta.check_alive()?;
    let new = dir.sb().unnumbered_inode()?;
    new.init_owner(new_attr, dir);
    let now = dir.now();
    let attr = Attr {
        mode: new.inode().mode().into(),
        uid: new.inode().uid(),
        gid: new.inode().gid(),
        btime: stored(now),
        generation: vfs::random(),
        ..with_times(Attr::default(), now.into())
    };
    let ino = {
        let mut state = meta.lock();
        let (ino, tx) = if is_dir {
            state.mkdir(dir.ino(), dentry.name(), attr)?
        } else {
            state.create(dir.ino(), dentry.name(), attr)?
        };
        state.commit(tx)?;
        ino
    };
    // No handle finds it in between, and makes an inode of its own: nobody knows the generation yet.
    let new = new.number(ino)?;
    let nlink = if is_dir { 2 } else { 1 };
    new.set_attr(0, nlink, now.into(), attr.generation);
    new.finish_as(dentry);
    refresh(dir);
    Ok(())
}

/// Removes a name, by what the state knows of it.
fn remove(
    dir: &Inode<Mount>,
    dentry: &Dentry<Mount>,
    build: impl FnOnce(&State, u64, &[u8], state::Time) -> Result<Transaction>,
) -> Result {
    let now = stored(dir.now());
    let meta = dir.fs().meta();
    meta.transact(|state| build(state, dir.ino(), dentry.name(), now))?;
    refresh(dir);
    dentry.inode().map(refresh);
    Ok(())
}

/// The transaction that replaces the attributes of an inode.
fn set_attr_tx(ino: u64, attr: Attr) -> Result<Transaction> {
    let mut tx = Transaction::new();
    tx.push(Op::SetAttr { ino, attr })?;
    Ok(tx)
}

impl Namespace for Mount {
    fn lookup(dir: &Inode<Self>, name: &[u8]) -> Result<Option<ARef<Inode<Self>>>> {
        let found = dir.fs().meta().lock().lookup(dir.ino(), name);
        match found {
            Ok(ino) => inode(dir.sb(), ino).map(Some),
            Err(e) if e == ENOENT => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn create(dir: &Inode<Self>, dentry: &Dentry<Self>, attr: &NewAttr) -> Result {
        make(dir, dentry, attr, false)
    }

    fn mkdir(dir: &Inode<Self>, dentry: &Dentry<Self>, attr: &NewAttr) -> Result {
        make(dir, dentry, attr, true)
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
        no_replace: bool,
    ) -> Result {
        let mode = if no_replace {
            RenameMode::NoReplace
        } else {
            RenameMode::Replace
        };
        let now = stored(old_dir.now());
        let (from, to) = (old_dir.ino(), new_dir.ino());
        let meta = old_dir.fs().meta();
        meta.transact(|state| state.rename(from, old.name(), to, new.name(), mode, now))?;
        refresh(old_dir);
        refresh(new_dir);
        old.inode().map(refresh);
        new.inode().map(refresh);
        Ok(())
    }

    fn read_dir(dir: &Inode<Self>, emitter: &mut DirEmitter<'_>) -> Result {
        let meta = dir.fs().meta();
        let mut name = [0u8; state::NAME_MAX];
        loop {
            // Copied, because the user's buffer may fault while it is written to.
            let (cookie, len, ino, dtype) = {
                let state = meta.lock();
                let Some((cookie, entry)) = state.next_entry(dir.ino(), emitter.pos()) else {
                    return Ok(());
                };
                let len = entry.name.len();
                name.get_mut(..len).ok_or(EIO)?.copy_from_slice(&entry.name);
                (cookie, len, entry.ino, entry.dtype)
            };
            emitter.set_pos(cookie);
            if !emitter.emit(name.get(..len).ok_or(EIO)?, ino, dtype) {
                return Ok(());
            }
            emitter.set_pos(cookie.saturating_add(1));
        }
    }

    fn set_attr(
        inode: &Inode<Self>,
        change: &SetAttr<'_, Self>,
        lock: &InodeLock<'_, Self>,
    ) -> Result {
        if let Some(size) = change.size().filter(|_| inode.is_regular()) {
            resize::truncate(inode, size, lock)?;
        }
        let before = change.copy(lock);
        let meta = inode.fs().meta();
        meta.transact(|state| {
            let attr = state.get(inode.ino())?.attr;
            set_attr_tx(inode.ino(), with_owner(attr, inode))
        })
        .inspect_err(|_| inode.restore(before, lock))
    }

    fn times_changed(inode: &Inode<Self>) -> Result {
        inode.fs().meta().transact(|state| {
            let attr = state.get(inode.ino())?.attr;
            set_attr_tx(inode.ino(), with_times(attr, inode.times()))
        })
    }

    fn blocks(inode: &Inode<Self>) -> u64 {
        let state = inode.fs().meta().lock();
        let extents = state.inode(inode.ino()).and_then(|i| i.as_file().ok());
        extents.map_or(0, |map| map.pages())
    }

    fn btime(inode: &Inode<Self>) -> Time {
        let state = inode.fs().meta().lock();
        state
            .inode(inode.ino())
            .map_or(Time::default(), |i| in_core(i.attr.btime))
    }

    fn fiemap(inode: &Inode<Self>, info: *mut fiemap_extent_info, start: u64, len: u64) -> Result {
        dax::fiemap(inode, info, start, len)
    }
}
