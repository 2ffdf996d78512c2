// SPDX-License-Identifier: GPL-2.0

//! What may only be done to an inode under one of its locks.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! Each function is a method of the guard that it needs; it takes nothing.

use crate::{
    bindings,
    vfs::{
        FileSystem,
        InodeLock,
        InvalidateLock,
        Times, //
    },
};

/// What [`SetAttr::copy`](crate::vfs::SetAttr::copy) replaces: all that setattr changes but the size.
#[derive(Clone, Copy)]
pub(crate) struct OldAttr {
    mode: u16,
    uid: u32,
    gid: u32,
    times: Times,
}

impl<F: FileSystem> InodeLock<'_, F> {
    /// Sets the permissions; the type that `mode` has is not looked at.
    pub(crate) fn set_mode(&self, mode: u16) {
        const TYPE: u16 = bindings::S_IFMT as u16;
        // INVARIANT: "kind" of `Inode`: the type stays what it is.
        let inode = self.inode();
        let mode = inode.mode() & TYPE | mode & !TYPE;
        // SAFETY: The inode is live: invariant "live"; its `i_rwsem` is held exclusively: invariant
        // "held".
        unsafe { (*inode.as_ptr()).i_mode = mode };
    }

    /// What the inode in core has now of that.
    pub(in crate::vfs) fn old_attr(&self) -> OldAttr {
        let inode = self.inode();
        OldAttr {
            mode: inode.mode(),
            uid: inode.uid(),
            gid: inode.gid(),
            times: inode.times(),
        }
    }

    /// Puts back what [`SetAttr::copy`](crate::vfs::SetAttr::copy) replaced.
    pub(crate) fn restore(&self, old: OldAttr) {
        let inode = self.inode();
        self.set_mode(old.mode);
        // SAFETY: The inode is live: invariant "live"; its `i_rwsem` is held exclusively: invariant
        // "held".
        unsafe { bindings::daxrmap_i_uid_write(inode.as_ptr(), old.uid) };
        // SAFETY: The inode is live: invariant "live"; its `i_rwsem` is held exclusively: invariant
        // "held".
        unsafe { bindings::daxrmap_i_gid_write(inode.as_ptr(), old.gid) };
        inode.set_times(old.times);
    }

    /// Sets the size in bytes. The lock serialises writers of the field.
    pub(crate) fn set_size(&self, size: u64) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // SAFETY: The inode is live: invariant "live"; its `i_rwsem` is held exclusively: invariant
        // "held".
        unsafe { bindings::daxrmap_i_size_write(self.inode().as_ptr(), size) };
    }
}

impl<F: FileSystem> InvalidateLock<'_, F> {
    /// Unmaps what lies beyond `size` bytes from every process, private copies too.
    /// Source: `truncate_pagecache` (mm/truncate.c), to be called after the size has changed.
    pub(crate) fn truncate_mappings(&self, size: u64) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // SAFETY: The inode is live: invariant "live". Nobody can fault pages in again: invariant "held".
        unsafe { bindings::truncate_pagecache(self.inode().as_ptr(), size) };
    }
}
