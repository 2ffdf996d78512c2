// SPDX-License-Identifier: GPL-2.0

//! When an inode changed, so that whoever has seen its last change can tell that there was another.
//!
//! The clock that stamps files is coarse: it moves on once in a tick. A change that follows a stat(2)
//! within the same tick gets a fine time therefore, later than what stat(2) has told (multigrain
//! timestamps: Documentation/filesystems/multigrain-ts.rst). NFS takes it for the version of a file.
//!
//! # Locking
//!
//! The inodes' `i_rwsem`, held by the caller, keeps changes of names and attributes from each other. The
//! times that page faults and lazytime set come without it, and are later: they win.

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
    /// With the time it had, and the one it got.
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

    /// The operation has succeeded.
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
