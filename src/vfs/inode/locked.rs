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

/// What setattr changes, but for the size.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    mode: u16,
    uid: u32,
    gid: u32,
    times: Times,
}

impl<F: FileSystem> InodeLock<'_, F> {
    /// Sets the permissions; the type that `mode` has is not looked at.
    pub(crate) fn set_mode(&self, mode: u16) {
        const TYPE: u16 = bindings::S_IFMT as u16;
        // "kind" stays true.
        let inode = self.inode();
        let mode = inode.mode() & TYPE | mode & !TYPE;
        // SAFETY: The inode is live, its `i_rwsem` held exclusively.
        unsafe { (*inode.as_ptr()).i_mode = mode };
    }

    /// What setattr changes, but for the size.
    pub(in crate::vfs) fn owner(&self) -> Owner {
        let inode = self.inode();
        Owner {
            mode: inode.mode(),
            uid: inode.uid(),
            gid: inode.gid(),
            times: inode.times(),
        }
    }

    /// Puts back what [`SetAttr::copy`](crate::vfs::SetAttr::copy) replaced.
    pub(crate) fn restore(&self, owner: Owner) {
        let inode = self.inode();
        self.set_mode(owner.mode);
        // SAFETY: The inode is live, its `i_rwsem` held exclusively.
        unsafe { bindings::daxrmap_i_uid_write(inode.as_ptr(), owner.uid) };
        // SAFETY: The inode is live, its `i_rwsem` held exclusively.
        unsafe { bindings::daxrmap_i_gid_write(inode.as_ptr(), owner.gid) };
        inode.set_times(owner.times);
    }

    /// Sets the size in bytes. The lock serialises writers of the field.
    pub(crate) fn set_size(&self, size: u64) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // SAFETY: The inode is live and its `i_rwsem` held.
        unsafe { bindings::daxrmap_i_size_write(self.inode().as_ptr(), size) };
    }
}

impl<F: FileSystem> InvalidateLock<'_, F> {
    /// Unmaps what lies beyond `size` bytes from every process, private copies too.
    /// Source: `truncate_pagecache` (mm/truncate.c), to be called after the size has changed.
    pub(crate) fn truncate_mappings(&self, size: u64) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // SAFETY: The inode is live, and nobody can fault pages in again.
        unsafe { bindings::truncate_pagecache(self.inode().as_ptr(), size) };
    }
}
