// SPDX-License-Identifier: GPL-2.0

//! Stamps: the time of an inode's last change, such that whoever has seen one change can tell that
//! another came after it.
//!
//! The clock that stamps files is coarse: it moves on once in a tick. A change that follows a stat(2)
//! within the same tick gets a fine time therefore, later than what stat(2) has told (multigrain
//! timestamps: Documentation/filesystems/multigrain-ts.rst). NFS takes it for the version of a file.
//!
//! # Locking
//!
//! The caller holds the inodes' `i_rwsem`, which keeps changes of names and attributes from each other.
//! Page faults and lazytime set times without it: theirs are later, and win.

use crate::{
    bindings,
    vfs::{
        FileSystem,
        Inode,
        Time, //
    },
};

/// One time of change for up to `N` inodes that one operation changes. Dropped, it goes back to what it
/// was: an operation that fails is no change. Source: `inode_set_ctime_current` (fs/inode.c).
pub(crate) struct Stamps<'a, F: FileSystem, const N: usize> {
    /// Each inode with the time that it had, and the one that it got.
    of: [Option<(&'a Inode<F>, Time, Time)>; N],
}

impl<'a, F: FileSystem, const N: usize> Stamps<'a, F, N> {
    /// Stamps `inodes`. The same one may be there twice.
    pub(crate) fn new(inodes: [Option<&'a Inode<F>>; N]) -> Self {
        Self {
            of: inodes.map(|inode| {
                let inode = inode?;
                let was = inode.times().ctime;
                // SAFETY: The inode is live: invariant "live" of `Inode`.
                let now = unsafe { bindings::inode_set_ctime_current(inode.as_ptr()) };
                Some((inode, was, Time::from_raw(now)))
            }),
        }
    }

    /// The time: no inode has had it before, as far as anybody has seen.
    pub(crate) fn now(&self) -> Time {
        let stamps = self.of.iter().flatten().map(|(_, _, now)| *now);
        stamps.max().unwrap_or_default()
    }

    /// Lets the inodes keep the time: the operation has succeeded.
    pub(crate) fn keep(mut self) {
        let now = self.now();
        for (inode, _, _) in self.of.iter_mut().filter_map(Option::take) {
            inode.set_ctime(now);
        }
    }
}

impl<F: FileSystem, const N: usize> Drop for Stamps<'_, F, N> {
    fn drop(&mut self) {
        for (inode, was, now) in self.of.iter().rev().flatten() {
            if inode.times().ctime == *now {
                inode.set_ctime(*was);
            }
        }
    }
}
