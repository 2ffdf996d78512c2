// SPDX-License-Identifier: GPL-2.0

//! A kernel without ACLs: the VFS says EOPNOTSUPP, and takes the umask for new objects.
//!
//! The functions are those of posix.rs, and do nothing. There is nothing to lock.

use super::{
    AclKind,
    Acls, //
};
use crate::{
    bindings,
    vfs::{
        FileSystem,
        Inode, //
    },
};
use kernel::prelude::*;

pub(in crate::vfs) const SB_FLAG: usize = 0;

/// There is none.
pub(crate) enum Acl {}

impl Acl {
    pub(crate) fn to_bytes<F: FileSystem>(&self, _inode: &Inode<F>) -> Result<KVec<u8>> {
        match *self {}
    }

    pub(crate) fn cache<F: FileSystem>(&self, _inode: &Inode<F>, _kind: AclKind) {
        match *self {}
    }
}

pub(in crate::vfs) const fn get<F: Acls>(
) -> Option<unsafe extern "C" fn(*mut bindings::inode, c_int, bool) -> *mut bindings::posix_acl> {
    None
}

pub(in crate::vfs) const fn set<F: Acls>() -> Option<
    unsafe extern "C" fn(
        *mut bindings::mnt_idmap,
        *mut bindings::dentry,
        *mut bindings::posix_acl,
        c_int,
    ) -> c_int,
> {
    None
}

pub(in crate::vfs) fn by_mode<F: FileSystem>(_inode: &Inode<F>) -> Result<Option<Acl>> {
    Ok(None)
}

/// # Safety
///
/// Nothing is asked for; the function of posix.rs, which this one stands for, asks for something.
pub(in crate::vfs) unsafe fn init_new<F: FileSystem>(
    _inode: &Inode<F>,
    _dir: &Inode<F>,
    _f: impl FnMut(AclKind, KVec<u8>) -> Result,
) -> Result {
    Ok(())
}

pub(in crate::vfs) fn note_none<F: FileSystem>(_inode: &Inode<F>, _kind: AclKind) {}
