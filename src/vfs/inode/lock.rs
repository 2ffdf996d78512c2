// SPDX-License-Identifier: GPL-2.0

//! The two sleeping locks of an inode, as guards.
//!
//! - [`InodeLock`], [`InodeLockShared`]: `i_rwsem`. It serialises write(2), truncate and reflink of one
//!   file, and changes of a directory's entries.
//! - [`InvalidateLock`], [`InvalidateLockShared`]: the mapping's `invalidate_lock`. While a task holds it
//!   in either mode, nobody else changes the file's extents; while a task holds it exclusively, nobody
//!   else faults a page of the file in.
//!
//! Their order (include/linux/fs.h, mm/filemap.c): `i_rwsem`, then `mmap_lock`, then `invalidate_lock`.
//!
//! # The lock is the capability
//!
//! What may only be done to an inode under one of its locks is a method of that lock's guard, which
//! knows the inode: there is no other inode to name. Those of this layer are in
//! [`locked`](super::locked), those that need DAX in `dax` (layout.rs, poison.rs).
//! `scripts/checks/refused.sh` sees that the examples do not compile, for just these errors. Without a
//! lock there is no such method:
//!
//! ```compile_fail,E0599
//! use crate::vfs::{FileSystem, Inode};
//! fn shrink<F: FileSystem>(inode: &Inode<F>) {
//!     inode.set_size(0);
//! }
//! ```
//!
//! Nor with the other lock, or with the right one in the wrong mode:
//!
//! ```compile_fail,E0599
//! use crate::vfs::{FileSystem, InodeLock};
//! fn forget<F: FileSystem>(lock: &InodeLock<'_, F>) {
//!     let _ = lock.break_layout(0..1);
//! }
//! ```
//!
//! ```compile_fail,E0599
//! use crate::vfs::{FileSystem, InvalidateLockShared};
//! fn tell<F: FileSystem>(lock: &InvalidateLockShared<'_, F>) {
//!     let _ = lock.kill_procs(0..1, 0);
//! }
//! ```
//!
//! Once a lock is dropped, or another one was made of it, it is of no use any more:
//!
//! ```compile_fail,E0382
//! use crate::vfs::{FileSystem, InvalidateLock};
//! fn late<F: FileSystem>(lock: InvalidateLock<'_, F>) {
//!     drop(lock);
//!     lock.unmap(0..1);
//! }
//! ```
//!
//! ```compile_fail,E0382
//! use crate::vfs::{FileSystem, InvalidateLock};
//! fn too_much<F: FileSystem>(lock: InvalidateLock<'_, F>) {
//!     let _shared = lock.downgrade();
//!     lock.truncate_mappings(0);
//! }
//! ```
//!
//! It cannot outlive its inode, and stays with the task that has taken it:
//!
//! ```compile_fail,E0505
//! use crate::vfs::{FileSystem, Inode};
//! use kernel::sync::aref::ARef;
//! fn orphan<F: FileSystem>(inode: ARef<Inode<F>>) {
//!     let lock = inode.invalidate_lock();
//!     drop(inode);
//!     lock.unmap(0..1);
//! }
//! ```
//!
//! ```compile_fail,E0277
//! use crate::vfs::{FileSystem, InodeLock};
//! fn to_any_task<T: Send>(_it: T) {}
//! fn hand_over<F: FileSystem>(lock: InodeLock<'_, F>) {
//!     to_any_task(lock);
//! }
//! ```

use crate::{
    bindings,
    vfs::{
        AnyInode,
        FileSystem,
        Inode, //
    },
};
use core::{
    mem::ManuallyDrop,
    ops::Deref, //
};
use kernel::types::NotThreadSafe;

macro_rules! guard {
    ($(#[$doc:meta])* $name:ident, $lock:ident, $unlock:ident) => {
        $(#[$doc])*
        ///
        /// # Invariants
        ///
        /// - "held": this task holds that lock of `inode`, in that mode, and nobody else gives it up.
        pub(crate) struct $name<'a, F: FileSystem> {
            inode: &'a Inode<F>,
            _task: NotThreadSafe,
        }

        impl<'a, F: FileSystem> $name<'a, F> {
            /// Takes the lock; sleeps.
            fn new(inode: &'a Inode<F>) -> Self {
                // SAFETY: The inode is live: invariant "live" of `Inode`.
                unsafe { bindings::$lock(inode.as_ptr()) };
                // INVARIANT: "held": just taken.
                Self { inode, _task: NotThreadSafe }
            }

            /// The inode whose lock this is.
            #[allow(dead_code, reason = "one accessor for all guards; not each needs it")]
            pub(crate) fn inode(&self) -> &'a Inode<F> {
                self.inode
            }
        }

        impl<F: FileSystem> Drop for $name<'_, F> {
            fn drop(&mut self) {
                // SAFETY: This task holds the lock in this mode, and gives it up here: invariant "held".
                unsafe { bindings::$unlock(self.inode.as_ptr()) };
            }
        }
    };
}

guard! {
    /// `i_rwsem`, exclusive.
    InodeLock, daxrmap_inode_lock, daxrmap_inode_unlock
}
guard! {
    /// `i_rwsem`, shared.
    InodeLockShared, daxrmap_inode_lock_shared, daxrmap_inode_unlock_shared
}
/// The `invalidate_lock` of an inode of any filesystem, exclusive.
///
/// # Invariants
///
/// - "held": this task holds that lock of `inode`, exclusively, and nobody else gives it up.
pub(crate) struct AnyInvalidateLock<'a> {
    inode: &'a AnyInode,
    _task: NotThreadSafe,
}

impl<'a> AnyInvalidateLock<'a> {
    /// Takes the lock; sleeps.
    fn new(inode: &'a AnyInode) -> Self {
        // SAFETY: The inode is live: invariant "live" of `AnyInode`.
        unsafe { bindings::daxrmap_invalidate_lock(inode.as_ptr()) };
        // INVARIANT: "held": just taken.
        Self {
            inode,
            _task: NotThreadSafe,
        }
    }

    /// The inode whose lock this is.
    pub(crate) fn any_inode(&self) -> &'a AnyInode {
        self.inode
    }
}

impl Drop for AnyInvalidateLock<'_> {
    fn drop(&mut self) {
        // SAFETY: This task holds the lock in this mode, and gives it up here: invariant "held".
        unsafe { bindings::daxrmap_invalidate_unlock(self.inode.as_ptr()) };
    }
}

impl AnyInode {
    /// Takes `invalidate_lock` exclusively, of another's inode. An [`Inode`] has a lock of its own kind,
    /// at whose end what is remembered of the file is forgotten.
    pub(crate) fn any_invalidate_lock(&self) -> AnyInvalidateLock<'_> {
        AnyInvalidateLock::new(self)
    }
}

/// `invalidate_lock`, exclusive. What is remembered of the file is forgotten at the end.
pub(crate) struct InvalidateLock<'a, F: FileSystem> {
    inode: &'a Inode<F>,
    /// Given up after what is remembered was forgotten.
    held: AnyInvalidateLock<'a>,
}

impl<'a, F: FileSystem> InvalidateLock<'a, F> {
    /// Takes the lock; sleeps.
    fn new(inode: &'a Inode<F>) -> Self {
        let held = AnyInvalidateLock::new(inode);
        Self { inode, held }
    }

    /// The inode whose lock this is.
    pub(crate) fn inode(&self) -> &'a Inode<F> {
        self.inode
    }
}

impl<'a, F: FileSystem> Deref for InvalidateLock<'a, F> {
    type Target = AnyInvalidateLock<'a>;

    fn deref(&self) -> &AnyInvalidateLock<'a> {
        &self.held
    }
}

impl<F: FileSystem> Drop for InvalidateLock<'_, F> {
    fn drop(&mut self) {
        self.inode.forget();
    }
}

guard! {
    /// `invalidate_lock`, shared.
    InvalidateLockShared, daxrmap_invalidate_lock_shared, daxrmap_invalidate_unlock_shared
}

impl<'a, F: FileSystem> InodeLock<'a, F> {
    /// # Safety
    ///
    /// `inode`: this task holds its `i_rwsem` exclusively for `'a`, as the VFS does for many callbacks.
    /// The guard is not dropped: whoever took the lock gives it up.
    pub(crate) unsafe fn assume_held(inode: &'a Inode<F>) -> Self {
        // INVARIANT: "held": clause `inode`.
        Self {
            inode,
            _task: NotThreadSafe,
        }
    }

    /// Takes the lock if nobody holds it.
    fn try_new(inode: &'a Inode<F>) -> Option<Self> {
        // SAFETY: The inode is live: invariant "live" of `Inode`.
        let taken = unsafe { bindings::daxrmap_inode_trylock(inode.as_ptr()) };
        // Not `then_some`: a guard that is made in vain unlocks what others hold.
        // INVARIANT: "held": it was taken.
        taken.then(|| Self {
            inode,
            _task: NotThreadSafe,
        })
    }
}

impl<'a, F: FileSystem> InodeLockShared<'a, F> {
    /// Takes the lock if nobody holds it exclusively.
    fn try_new(inode: &'a Inode<F>) -> Option<Self> {
        // SAFETY: The inode is live: invariant "live" of `Inode`.
        let taken = unsafe { bindings::daxrmap_inode_trylock_shared(inode.as_ptr()) };
        // Not `then_some`: a guard that is made in vain unlocks what others hold.
        // INVARIANT: "held": it was taken.
        taken.then(|| Self {
            inode,
            _task: NotThreadSafe,
        })
    }
}

impl<'a, F: FileSystem> InvalidateLockShared<'a, F> {
    /// Takes the lock if nobody holds it exclusively.
    fn try_new(inode: &'a Inode<F>) -> Option<Self> {
        // SAFETY: The inode is live: invariant "live" of `Inode`.
        let taken = unsafe { bindings::daxrmap_invalidate_trylock_shared(inode.as_ptr()) };
        // Not `then_some`: a guard that is made in vain unlocks what others hold.
        // INVARIANT: "held": it was taken.
        taken.then(|| Self {
            inode,
            _task: NotThreadSafe,
        })
    }
}

impl<'a, F: FileSystem> InvalidateLock<'a, F> {
    /// Keeps the lock, but lets other shared holders in. Never sleeps; nobody can change the
    /// file's extents in between.
    pub(crate) fn downgrade(self) -> InvalidateLockShared<'a, F> {
        let this = ManuallyDrop::new(self);
        this.inode.forget();
        // SAFETY: The inode is live: invariant "live" of `Inode`; its mapping is there as long.
        let lock = unsafe { &raw mut (*this.inode.mapping()).invalidate_lock };
        // SAFETY: This task holds the lock exclusively: invariant "held" of `held`.
        unsafe { bindings::downgrade_write(lock) };
        // INVARIANT: "held": it was downgraded, and the exclusive guard, `held` in it, is not dropped.
        InvalidateLockShared {
            inode: this.inode,
            _task: NotThreadSafe,
        }
    }
}

impl<F: FileSystem> Inode<F> {
    /// Takes `i_rwsem` exclusively.
    pub(crate) fn lock(&self) -> InodeLock<'_, F> {
        InodeLock::new(self)
    }

    /// Takes `i_rwsem` exclusively, or not at all if it would wait.
    pub(crate) fn try_lock(&self) -> Option<InodeLock<'_, F>> {
        InodeLock::try_new(self)
    }

    /// Takes `i_rwsem` shared.
    pub(crate) fn lock_shared(&self) -> InodeLockShared<'_, F> {
        InodeLockShared::new(self)
    }

    /// Takes `i_rwsem` shared, or not at all if it would wait.
    pub(crate) fn try_lock_shared(&self) -> Option<InodeLockShared<'_, F>> {
        InodeLockShared::try_new(self)
    }

    /// Takes `invalidate_lock` exclusively.
    pub(crate) fn invalidate_lock(&self) -> InvalidateLock<'_, F> {
        InvalidateLock::new(self)
    }

    /// Takes `invalidate_lock` shared.
    pub(crate) fn invalidate_lock_shared(&self) -> InvalidateLockShared<'_, F> {
        InvalidateLockShared::new(self)
    }

    /// Takes `invalidate_lock` shared, or not at all if it would wait.
    pub(crate) fn try_invalidate_lock_shared(&self) -> Option<InvalidateLockShared<'_, F>> {
        InvalidateLockShared::try_new(self)
    }
}

/// Both inodes' `invalidate_lock`, exclusive; the guard of `b` is `None` if both are one inode.
/// Taken in the order of the VFS (`filemap_invalidate_lock_two`): by address of the mapping.
pub(crate) fn lock_two<'a, F: FileSystem>(
    a: &'a Inode<F>,
    b: &'a Inode<F>,
) -> (InvalidateLock<'a, F>, Option<InvalidateLock<'a, F>>) {
    let other = (a.as_ptr() != b.as_ptr()).then_some(b);
    let mapping = other.map_or(core::ptr::null_mut(), |other| other.mapping());
    // SAFETY: Both inodes are live: invariant "live" of `Inode`; a null second mapping is left out.
    unsafe { bindings::filemap_invalidate_lock_two(a.mapping(), mapping) };
    // INVARIANT: "held": both were just taken, or the one if both are one.
    let guard = |inode: &'a Inode<F>| InvalidateLock {
        inode,
        held: AnyInvalidateLock {
            inode,
            _task: NotThreadSafe,
        },
    };
    (guard(a), other.map(guard))
}
