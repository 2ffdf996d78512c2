// SPDX-License-Identifier: GPL-2.0

//! What a filesystem remembers of a regular file while its inode is in core.
//!
//! It hangs on `i_private`, is made when something is to be remembered, and goes with the inode.
//!
//! # Locking
//!
//! None to reach it. It forgets at the end of each exclusive hold of the file's `invalidate_lock`, so
//! what it says under that lock, shared, is as true as it was when it was told.

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
        // SAFETY: The inode is live, and no reference is made.
        let field = unsafe { &raw mut (*self.as_ptr()).i_private };
        // SAFETY: The field is aligned, lives as long as the inode, and is used here only, until
        // `free` is called.
        unsafe { Atomic::from_ptr(field) }
    }

    /// What is remembered, if anything is.
    pub(crate) fn cache(&self) -> Option<&F::FileCache> {
        let ptr = self.private().load(Acquire);
        if ptr.is_null() {
            return None;
        }
        // SAFETY: It came from `into_foreign` below, and is freed with the inode only.
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
            if self
                .private()
                .cmpxchg(core::ptr::null_mut(), new, Full)
                .is_err()
            {
                // SAFETY: Nobody else has seen it.
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
        // SAFETY: It came from `cache_or_new`, of an inode of the same `F`, and nobody will look at the field
        // again: clause `inode`.
        drop(unsafe { Owned::<F>::from_foreign(ptr) });
    }
}
