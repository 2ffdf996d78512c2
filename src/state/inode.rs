// SPDX-License-Identifier: GPL-2.0

//! An inode: its attributes, its extended attributes, and what only an inode of its kind has.
//!
//! # Locking
//!
//! The caller holds the state lock.

use super::parts::{
    attr::Attr,
    directory::Directory,
    name::TargetPath,
    xattr_set::XattrSet, //
};
use crate::rmap::ExtentMap;
use kernel::prelude::*;

/// Inode number of the root directory.
pub(crate) const ROOT_INO: u64 = 1;

/// What an inode is, with what only that has.
pub(crate) enum InodeKind {
    /// A regular file.
    File(ExtentMap),
    /// A directory.
    Dir(Directory),
    /// A symbolic link: where it leads. Empty until that is told, in the same transaction.
    Symlink(TargetPath),
    /// A device, FIFO or socket.
    Special,
}

/// An inode.
pub(crate) struct StoredInode {
    /// What stat(2) tells.
    pub(crate) attr: Attr,
    /// What it is.
    pub(crate) kind: InodeKind,
    /// Extended attributes.
    pub(crate) xattrs: XattrSet,
}

impl StoredInode {
    /// Returns the directory; `ENOTDIR` if it is not one.
    pub(crate) fn as_dir(&self) -> Result<&Directory> {
        match &self.kind {
            InodeKind::Dir(dir) => Ok(dir),
            _ => Err(ENOTDIR),
        }
    }

    /// Returns the extents; `EISDIR` if it is a directory, `EINVAL` if it is not a regular file
    /// otherwise.
    pub(crate) fn as_file(&self) -> Result<&ExtentMap> {
        match &self.kind {
            InodeKind::File(map) => Ok(map),
            InodeKind::Dir(_) => Err(EISDIR),
            _ => Err(EINVAL),
        }
    }

    /// Returns where the symbolic link leads; `EINVAL` if it is not one.
    pub(crate) fn target(&self) -> Result<&[u8]> {
        match &self.kind {
            InodeKind::Symlink(target) => Ok(target),
            _ => Err(EINVAL),
        }
    }
}
