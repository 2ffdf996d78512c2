// SPDX-License-Identifier: GPL-2.0

//! Attributes: what stat(2), chmod(2), utimensat(2) and chattr(1) tell and change.
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h),
//! [`include/linux/fileattr.h`](srctree/include/linux/fileattr.h)
//!
//! # Locking
//!
//! As Documentation/filesystems/locking.rst says: the inode's `i_rwsem` exclusively for `set_attr` and
//! `set_flags`; none for the rest.

use super::acl::{
    self,
    Acl, //
};
use crate::{
    bindings,
    vfs::{
        inode::locked::OldAttr,
        Acls,
        FileSystem,
        Inode,
        InodeLock,
        Time, //
    },
};
use kernel::prelude::*;

/// The flags that chattr(1) sets, as `FS_IOC_GETFLAGS` has them.
#[derive(Clone, Copy, Default)]
pub(crate) struct FileFlags(pub(in crate::vfs) u32);

impl FileFlags {
    /// Nothing of it may change.
    pub(crate) const IMMUTABLE: u32 = bindings::FS_IMMUTABLE_FL;
    /// It may only grow.
    pub(crate) const APPEND: u32 = bindings::FS_APPEND_FL;
    /// dump(8) leaves it out.
    pub(crate) const NODUMP: u32 = bindings::FS_NODUMP_FL;
    /// Reading it does not change its time of access.
    pub(crate) const NOATIME: u32 = bindings::FS_NOATIME_FL;

    pub(in crate::vfs) const ALL: u32 =
        Self::IMMUTABLE | Self::APPEND | Self::NODUMP | Self::NOATIME;

    /// What the VFS obeys (`i_flags`).
    const IN_CORE: u32 = bindings::S_IMMUTABLE | bindings::S_APPEND | bindings::S_NOATIME;

    /// Adds one of the above.
    pub(crate) fn insert(&mut self, flag: u32) {
        self.0 |= flag & Self::ALL;
    }

    /// Whether it has one of the above.
    pub(crate) fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    fn in_core(self) -> u32 {
        [
            (Self::IMMUTABLE, bindings::S_IMMUTABLE),
            (Self::APPEND, bindings::S_APPEND),
            (Self::NOATIME, bindings::S_NOATIME),
        ]
        .into_iter()
        .filter(|(flag, _)| self.has(*flag))
        .fold(0, |all, (_, in_core)| all | in_core)
    }
}

/// The flag that chattr(1) and `FS_XFLAG_DAX` call DAX. It is not stored: every file has it, and of a
/// directory it says that what is made there will have it.
const DAX: u32 = bindings::FS_DAX_FL;

impl<F: FileSystem> Inode<F> {
    /// [`DAX`] for what can have it.
    pub(in crate::vfs) fn dax_flag(&self) -> u32 {
        match u32::from(self.mode()) & bindings::S_IFMT {
            bindings::S_IFREG | bindings::S_IFDIR => DAX,
            _ => 0,
        }
    }

    /// Makes the VFS obey these flags. Caller: `i_rwsem`, or nobody else has the inode yet.
    pub(crate) fn set_flags(&self, flags: FileFlags) {
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::inode_set_flags(self.as_ptr(), flags.in_core(), FileFlags::IN_CORE) };
    }
}

/// A change of attributes (chmod, chown, truncate, utimes), checked for permission.
///
/// # Invariants
///
/// - "call": `idmap` and `attr` are the VFS's, for a call that has not returned while this value lives.
pub(crate) struct SetAttr<'a, F: FileSystem> {
    idmap: *mut bindings::mnt_idmap,
    attr: &'a bindings::iattr,
    lock: &'a InodeLock<'a, F>,
}

impl<'a, F: FileSystem> SetAttr<'a, F> {
    /// # Safety
    ///
    /// `idmap`: the VFS's, for a call that has not returned while the value lives.
    pub(in crate::vfs) unsafe fn new(
        idmap: *mut bindings::mnt_idmap,
        attr: &'a bindings::iattr,
        lock: &'a InodeLock<'a, F>,
    ) -> Self {
        // INVARIANT: "call": clause `idmap`; `attr` is borrowed.
        Self { idmap, attr, lock }
    }

    /// The lock of the inode whose attributes they are.
    pub(crate) fn lock(&self) -> &'a InodeLock<'a, F> {
        self.lock
    }

    /// The new size in bytes, if it is to change.
    pub(crate) fn size(&self) -> Option<u64> {
        let set = self.attr.ia_valid & bindings::ATTR_SIZE != 0;
        set.then(|| u64::try_from(self.attr.ia_size).unwrap_or(0))
    }

    /// The access ACL that the inode is to have, if it has one and the permissions in its mode change,
    /// which they have in core by now.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the one that it has is not valid; `ENOMEM`.
    pub(crate) fn acl(&self) -> Result<Option<Acl>> {
        if self.attr.ia_valid & bindings::ATTR_MODE == 0 {
            return Ok(None);
        }
        acl::by_mode(self.lock.inode())
    }

    /// Copies everything but the size into the inode in core, and returns what was there.
    pub(crate) fn copy(&self) -> OldAttr {
        let inode = self.lock.inode();
        let before = self.lock.old_attr();
        // SAFETY: The inode is live: invariant "live" of `Inode`; its `i_rwsem` is held exclusively:
        // invariant "held" of the guard. `idmap` and `attr` are the VFS's, for this call: invariant
        // "call".
        unsafe { bindings::setattr_copy(self.idmap, inode.as_ptr(), self.attr) };
        before
    }
}

/// What stat(2) and chattr(1) tell that an inode in core does not have.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stat {
    /// Blocks (pages) that the file owns, shared ones too.
    pub(crate) blocks: u64,
    /// The time of birth.
    pub(crate) btime: Time,
    /// What chattr(1) has set.
    pub(crate) flags: FileFlags,
}

/// The attributes of a filesystem's inodes. Errors are those of the system calls' man pages.
pub(crate) trait Attributes: Acls {
    /// Changes attributes. `i_rwsem` is held exclusively.
    fn set_attr(change: &SetAttr<'_, Self>) -> Result;
    /// Makes the times durable that `inode` has in core. No lock need be held.
    fn times_changed(inode: &Inode<Self>) -> Result;
    /// What stat(2) and chattr(1) are to tell, besides what the inode in core has.
    fn stat(inode: &Inode<Self>) -> Stat;
    /// Sets the flags, durably and in core. `i_rwsem` is held exclusively.
    fn set_flags(lock: &InodeLock<'_, Self>, flags: FileFlags) -> Result;
}
