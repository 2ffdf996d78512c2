// SPDX-License-Identifier: GPL-2.0

//! Extended attributes: from the VFS's calls to transactions.
//!
//! # Locking
//!
//! The VFS holds the inode's `i_rwsem` for changes; each function takes the state lock for its look-up,
//! or the commit lock for its transaction. What is copied out goes to the VFS's own memory.

use crate::{
    fs::{
        time::stored,
        Mount, //
    },
    state::{
        SetMode,
        Xattr, //
    },
    support::is_admin,
    vfs::{
        Inode,
        Stamps,
        XattrChange,
        XattrList,
        Xattrs, //
    },
};
use kernel::prelude::*;

/// What the name of an extended attribute that only administrators see begins with.
const TRUSTED: &[u8] = b"trusted.";

impl Xattrs for Mount {
    fn with_xattr<T>(
        inode: &Inode<Self>,
        name: &[u8],
        f: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        f(inode.fs().meta().read().xattr(inode.ino(), name)?)
    }

    fn set_xattr(inode: &Inode<Self>, name: &[u8], change: XattrChange<'_>) -> Result {
        let ino = inode.ino();
        let stamps = Stamps::new([Some(inode)]);
        let time = stored(stamps.now());
        let meta = inode.fs().meta();
        let set = match change {
            XattrChange::Set(value) => Some((value, SetMode::Any)),
            XattrChange::Create(value) => Some((value, SetMode::Create)),
            XattrChange::Replace(value) => Some((value, SetMode::Replace)),
            XattrChange::Remove => None,
        };
        match set {
            Some((value, mode)) => meta.with_room(|| {
                // Before the lock: it may be much.
                let xattr = Xattr::copy(name, value)?;
                let mut state = meta.lock();
                let tx = state.set_xattr(ino, xattr, mode, time)?;
                state.commit(tx)
            }),
            None => meta.transact(|state| state.remove_xattr(ino, name, time)),
        }?;
        stamps.keep();
        Ok(())
    }

    fn list_xattrs(inode: &Inode<Self>, list: &mut XattrList<'_>) -> Result {
        let sees_all = is_admin(false);
        let state = inode.fs().meta().read();
        for xattr in state.get(inode.ino())?.xattrs.iter() {
            if sees_all || !xattr.name.starts_with(TRUSTED) {
                list.add(&xattr.name)?;
            }
        }
        Ok(())
    }
}
