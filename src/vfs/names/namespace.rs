// SPDX-License-Identifier: GPL-2.0

//! Directories: names that come, go and move.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! As Documentation/filesystems/locking.rst says: the directories' `i_rwsem` exclusively for every
//! change, shared for `lookup` and `read_dir`; the victim's too in `unlink`, `rmdir` and `rename`, the
//! inode's in `link`.

use crate::{
    bindings,
    vfs::{
        Attributes,
        Dentry,
        DirEmitter,
        Inode,
        Ioctl,
        Xattrs, //
    },
};
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

/// What a new object is to be like, as the VFS tells it.
///
/// # Invariants
///
/// - "idmap": `idmap` is the VFS's, for a call that has not returned while this value lives. It is made
///   in callbacks, which keep it, and lend it to the filesystem.
pub(crate) struct NewAttr<'a> {
    pub(in crate::vfs) idmap: *mut bindings::mnt_idmap,
    pub(in crate::vfs) mode: u16,
    pub(in crate::vfs) rdev: u32,
    pub(in crate::vfs) target: &'a [u8],
}

impl<'a> NewAttr<'a> {
    /// # Safety
    ///
    /// `idmap`: the VFS's, for a call that has not returned while the value lives.
    pub(in crate::vfs) unsafe fn new(
        idmap: *mut bindings::mnt_idmap,
        mode: u16,
        kind: u32,
    ) -> Self {
        // INVARIANT: "idmap": clause `idmap`.
        Self {
            idmap,
            mode: mode | kind as u16,
            rdev: 0,
            target: &[],
        }
    }

    /// The number of a device: the major one times 2^20 plus the minor one. 0 for all else.
    pub(crate) fn rdev(&self) -> u32 {
        self.rdev
    }

    /// Where a symbolic link leads; nothing for all else.
    pub(crate) fn target(&self) -> &'a [u8] {
        self.target
    }

    /// Whether it is a directory.
    pub(crate) fn is_dir(&self) -> bool {
        u32::from(self.mode) & bindings::S_IFMT == bindings::S_IFDIR
    }

    /// Whether it is a symbolic link.
    pub(crate) fn is_symlink(&self) -> bool {
        u32::from(self.mode) & bindings::S_IFMT == bindings::S_IFLNK
    }
}

/// What rename does, see renameat2(2).
pub(crate) enum Rename<'a> {
    /// Replaces what has the new name.
    Replace,
    /// `EEXIST` if something has it.
    NoReplace,
    /// Gives it the old name.
    Exchange,
    /// Replaces, and leaves a whiteout at the old name, for overlayfs: a device of number 0.
    Whiteout(NewAttr<'a>),
}

/// The namespace of a filesystem. Errors are those of the system calls' man pages.
pub(crate) trait Namespace: Attributes + Xattrs + Ioctl {
    /// The inode that `name` in `dir` names; `None` if there is none. `name` has 1 to 255 bytes.
    fn lookup(dir: &Inode<Self>, name: &[u8]) -> Result<Option<ARef<Inode<Self>>>>;
    /// Makes a file, directory, symbolic link, device, FIFO or socket.
    fn make(dir: &Inode<Self>, dentry: &Dentry<Self>, attr: &NewAttr<'_>) -> Result;
    /// Makes a regular file without a name, as if in `dir`.
    fn make_unnamed(dir: &Inode<Self>, attr: &NewAttr<'_>) -> Result<ARef<Inode<Self>>>;
    /// Gives an inode one more name.
    fn link(inode: &Inode<Self>, dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Removes a name of anything but a directory.
    fn unlink(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Removes an empty directory.
    fn rmdir(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Renames.
    fn rename(
        old_dir: &Inode<Self>,
        old: &Dentry<Self>,
        new_dir: &Inode<Self>,
        new: &Dentry<Self>,
        how: &Rename<'_>,
    ) -> Result;
    /// Gives the emitter the entries from its position (2 or more) on, until it is full.
    fn read_dir(dir: &Inode<Self>, emitter: &mut DirEmitter<'_>) -> Result;
}
