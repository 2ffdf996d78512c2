// SPDX-License-Identifier: GPL-2.0

//! POSIX ACLs. The VFS decides by them, keeps them in core and speaks with user space; a filesystem
//! stores them, in the form that extended attributes have.
//!
//! C header: [`include/linux/posix_acl.h`](srctree/include/linux/posix_acl.h)
//!
//! A kernel without `CONFIG_FS_POSIX_ACL` has none.
//!
//! # Locking
//!
//! The inode's `i_rwsem` exclusively for what changes an ACL, the directory's for what a new object
//! begins with; none for the rest.

#[cfg(not(CONFIG_FS_POSIX_ACL))]
mod none;
#[cfg(CONFIG_FS_POSIX_ACL)]
mod posix;

#[cfg(not(CONFIG_FS_POSIX_ACL))]
pub(in crate::vfs) use self::none::{
    by_mode,
    get,
    init_new,
    note_none,
    set,
    Acl,
    SB_FLAG, //
};
#[cfg(CONFIG_FS_POSIX_ACL)]
pub(in crate::vfs) use self::posix::{
    by_mode,
    get,
    init_new,
    note_none,
    set,
    Acl,
    SB_FLAG, //
};

use crate::vfs::{
    FileSystem,
    Inode,
    InodeLock, //
};
use kernel::prelude::*;

/// What an ACL is for.
#[derive(Clone, Copy)]
pub(crate) enum AclKind {
    /// It says who may do what.
    Access,
    /// Of a directory: what is made in it begins with this.
    Default,
}

impl AclKind {
    /// Both of them.
    pub(crate) const ALL: [Self; 2] = [Self::Access, Self::Default];
}

/// The ACLs of a filesystem's inodes.
pub(crate) trait Acls: FileSystem {
    /// Calls `f` with an ACL; `None` if there is none.
    ///
    /// # Errors
    ///
    /// What `f` says: `EUCLEAN` if the ACL is not valid.
    fn with_acl<T>(
        inode: &Inode<Self>,
        kind: AclKind,
        f: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<Option<T>>;
    /// Sets an ACL, or removes it, and the mode: type and permissions.
    fn set_acl(lock: &InodeLock<'_, Self>, kind: AclKind, acl: Option<&[u8]>, mode: u16) -> Result;
}
