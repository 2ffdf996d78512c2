// SPDX-License-Identifier: GPL-2.0

//! What a filesystem remembers of a regular file while its inode is in core: its [`FileCache`].
//!
//! `i_private` has it. It is made when there is something to remember, and freed with the inode.
//!
//! # Locking
//!
//! Reaching the cache takes no lock. It forgets everything at the end of each exclusive hold of the
//! file's `invalidate_lock`. So what was true when the cache was told, and changes under that lock only,
//! is true for who asks it under the lock, in either mode.

use crate::{
    bindings,
    vfs::{
        FileCache,
        FileSystem,
        Inode, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full, //
    },
    types::ForeignOwnable, //
};

/// How it is owned by the inode.
type Owned<F> = Pin<KBox<<F as FileSystem>::FileCache>>;

impl<F: FileSystem> Inode<F> {
    fn private(&self) -> &Atomic<*mut c_void> {
        // SAFETY: The inode is live: invariant "live"; no reference is made.
        let field = unsafe { &raw mut (*self.as_ptr()).i_private };
        // SAFETY: The field is aligned, lives as long as the inode, and is used here only: invariant
        // "cache". `free` comes after the last use.
        unsafe { Atomic::from_ptr(field) }
    }

    /// What is remembered, if anything is.
    pub(crate) fn cache(&self) -> Option<&F::FileCache> {
        let ptr = self.private().load(Acquire);
        if ptr.is_null() {
            return None;
        }
        // SAFETY: It came from `into_foreign` in `cache_or_new`: invariant "cache". It is freed with the
        // inode.
        let cache: Pin<&F::FileCache> = unsafe { Owned::<F>::borrow(ptr) };
        Some(cache.get_ref())
    }

    /// What is remembered, or what is to remember from now on. `None` if there is no memory, or the
    /// inode is no regular file. Does not wait.
    pub(crate) fn cache_or_new(&self) -> Option<&F::FileCache> {
        if !self.is_regular() {
            return None;
        }
        if self.private().load(Acquire).is_null() {
            let new: Result<Owned<F>> =
                KBox::pin_init(F::FileCache::new(), GFP_NOWAIT | __GFP_NOWARN);
            let new = new.ok()?.into_foreign();
            // INVARIANT: "cache": from `into_foreign`, for an inode of the same `F`.
            if self
                .private()
                .cmpxchg(core::ptr::null_mut(), new, Full)
                .is_err()
            {
                // SAFETY: It came from `into_foreign` above, and nobody else has seen it.
                drop(unsafe { Owned::<F>::from_foreign(new) });
            }
        }
        self.cache()
    }

    /// The `invalidate_lock` is about to be given up, which was held exclusively.
    pub(in crate::vfs) fn forget(&self) {
        if let Some(cache) = self.cache() {
            cache.forget();
        }
    }
}

/// Frees what was remembered.
///
/// # Safety
///
/// `inode`: a regular file of an `F` that nobody uses any more, and that is not freed yet.
pub(in crate::vfs) unsafe fn free<F: FileSystem>(inode: *mut bindings::inode) {
    // SAFETY: It is there, and nobody else looks at the field: clause `inode`.
    let ptr = unsafe { (*inode).i_private };
    if !ptr.is_null() {
        // SAFETY: It came from `cache_or_new`: invariant "cache" of `Inode`. Nobody will look at the
        // field again: clause `inode`.
        drop(unsafe { Owned::<F>::from_foreign(ptr) });
    }
}
