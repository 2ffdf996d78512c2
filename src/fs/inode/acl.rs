// SPDX-License-Identifier: GPL-2.0

//! POSIX ACLs: extended attributes that the VFS decides by, and that go with the mode.
//!
//! # Locking
//!
//! The VFS holds the inode's `i_rwsem` for changes; each function takes the state lock for its look-up,
//! or the commit lock for its transaction.

use crate::{
    errno::{
        enodata,
        euclean, //
    },
    fs::{
        time::stored,
        Mount, //
    },
    state::{
        acl,
        Attr,
        StoredInode, //
    },
    vfs::{
        AclKind,
        Acls,
        Inode,
        InodeLock,
        NewInode,
        Stamps, //
    },
};
use kernel::prelude::*;

/// The name of the extended attribute.
pub(super) fn name(kind: AclKind) -> &'static [u8] {
    match kind {
        AclKind::Access => acl::ACCESS,
        AclKind::Default => acl::DEFAULT,
    }
}

/// Notes in core what the inode has not, so that nobody need ask for it.
pub(super) fn read_in(new: &NewInode<Mount>, stored: &StoredInode) {
    for kind in AclKind::ALL {
        if stored.xattrs.get(name(kind)).is_none() {
            new.set_no_acl(kind);
        }
    }
}

impl Acls for Mount {
    fn with_acl<T>(
        inode: &Inode<Self>,
        kind: AclKind,
        f: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<Option<T>> {
        let found = {
            let state = inode.fs().meta().read();
            state.xattr(inode.ino(), name(kind)).and_then(f)
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(e) if e == enodata() => Ok(None),
            Err(e) => {
                if e == euclean() && inode.fs().lines().allows() {
                    pr_err!(
                        "{}: inode {} has an ACL that is not valid\n",
                        inode.sb().id(),
                        inode.ino()
                    );
                }
                Err(e)
            }
        }
    }

    fn set_acl(lock: &InodeLock<'_, Self>, kind: AclKind, acl: Option<&[u8]>, mode: u16) -> Result {
        let inode = lock.inode();
        let ino = inode.ino();
        let meta = inode.fs().meta();
        meta.with_room(|| {
            let mut state = meta.lock();
            let stored_now = state.get(ino)?;
            let nothing = acl.is_none() && stored_now.xattrs.get(name(kind)).is_none();
            if nothing && mode == inode.mode() {
                return Ok(());
            }
            let stamps = Stamps::new([Some(inode)]);
            let attr = Attr {
                mode: mode.into(),
                ctime: stored(stamps.now()),
                ..stored_now.attr
            };
            let tx = state.replace_xattr(ino, name(kind), acl, attr)?;
            state.commit(tx)?;
            drop(state);
            lock.set_mode(mode);
            stamps.keep();
            Ok(())
        })
    }
}
