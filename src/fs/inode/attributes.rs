// SPDX-License-Identifier: GPL-2.0

//! Attributes: from the VFS's to the state's and back.
//!
//! # Locking
//!
//! The VFS holds the inode's `i_rwsem` for what changes attributes, but for times; each function takes
//! the state lock for its look-up, or the commit lock for its transaction.

use super::acl;
use crate::{
    fs::time::{
        in_core,
        stored,
        with_times, //
    },
    fs::{
        file::resize,
        Mount, //
    },
    state::{
        flags,
        xattr_op,
        Attr,
        Op,
        Transaction, //
    },
    vfs::{
        AclKind,
        Attributes,
        FileFlags,
        Inode,
        InodeLock,
        SetAttr,
        Stamps,
        Stat, //
    },
};
use kernel::prelude::*;

/// Flags, as the VFS and as the state has them.
const FLAGS: [(u32, u32); 4] = [
    (FileFlags::IMMUTABLE, flags::IMMUTABLE),
    (FileFlags::APPEND, flags::APPEND),
    (FileFlags::NODUMP, flags::NODUMP),
    (FileFlags::NOATIME, flags::NOATIME),
];

/// As the VFS has them.
pub(super) fn flags_in_core(stored: u32) -> FileFlags {
    let mut all = FileFlags::default();
    for (flag, bit) in FLAGS {
        if stored & bit != 0 {
            all.insert(flag);
        }
    }
    all
}

fn stored_flags(in_core: FileFlags) -> u32 {
    FLAGS
        .into_iter()
        .filter(|(flag, _)| in_core.has(*flag))
        .fold(0, |all, (_, bit)| all | bit)
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

/// The transaction that replaces the attributes of an inode.
fn set_attr_tx(ino: u64, attr: Attr) -> Result<Transaction> {
    let mut tx = Transaction::new();
    tx.push(Op::SetAttr { ino, attr })?;
    Ok(tx)
}

/// Makes what is in core so for good: owner, permissions, the ACL that goes with them, and times.
fn set_owner(change: &SetAttr<'_, Mount>) -> Result {
    let inode = change.lock().inode();
    let ino = inode.ino();
    let acl = change.acl()?;
    let value = match &acl {
        Some(acl) => Some(acl.to_bytes(inode)?),
        None => None,
    };
    let meta = inode.fs().meta();
    meta.with_room(|| {
        let acl_op = match &value {
            Some(value) => Some(xattr_op(ino, acl::name(AclKind::Access), value)?),
            None => None,
        };
        let mut state = meta.lock();
        let attr = state.get(ino)?.attr;
        let mut tx = set_attr_tx(ino, with_owner(attr, inode))?;
        if let Some(op) = acl_op {
            tx.push(op)?;
        }
        state.commit(tx)
    })?;
    if let Some(acl) = acl {
        acl.cache(inode, AclKind::Access);
    }
    Ok(())
}

impl Attributes for Mount {
    fn set_attr(change: &SetAttr<'_, Self>) -> Result {
        let lock = change.lock();
        let inode = lock.inode();
        // First, so that a new size is on the medium with the times that go with it.
        let (size, before) = (inode.size(), change.copy());
        let resized = match change.size().filter(|_| inode.is_regular()) {
            Some(size) => resize::truncate(lock, size),
            None => Ok(()),
        };
        let done = resized.and_then(|()| set_owner(change));
        done.inspect_err(|_| {
            let times = inode.times();
            lock.restore(before);
            // A size that has changed has changed when it did.
            if inode.size() != size {
                inode.set_times(times);
            }
        })
    }

    fn times_changed(inode: &Inode<Self>) -> Result {
        inode.fs().meta().transact(|state| {
            let before = state.get(inode.ino())?.attr;
            let now = with_times(before, inode.times());
            let attr = Attr {
                // A change of names is on its way from the state to the inode in core, perhaps.
                ctime: now.ctime.max(before.ctime),
                mtime: if before.is_dir() {
                    before.mtime
                } else {
                    now.mtime
                },
                ..now
            };
            set_attr_tx(inode.ino(), attr)
        })
    }

    fn stat(inode: &Inode<Self>) -> Stat {
        let state = inode.fs().meta().read();
        state
            .inode(inode.ino())
            .map_or(Stat::default(), |stored| Stat {
                blocks: stored.as_file().map_or(0, |map| map.pages()),
                btime: in_core(stored.attr.btime),
                flags: flags_in_core(stored.attr.flags),
            })
    }

    fn set_flags(lock: &InodeLock<'_, Self>, flags: FileFlags) -> Result {
        let inode = lock.inode();
        let stamps = Stamps::new([Some(inode)]);
        inode.fs().meta().transact(|state| {
            let attr = Attr {
                flags: stored_flags(flags),
                ctime: stored(stamps.now()),
                ..state.get(inode.ino())?.attr
            };
            set_attr_tx(inode.ino(), attr)
        })?;
        inode.set_flags(flags);
        stamps.keep();
        Ok(())
    }
}
