// SPDX-License-Identifier: GPL-2.0

//! A registered filesystem type: what mount(2) finds by its name.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h). How a type is registered is in
//! [`register`](super::register).
//!
//! # Locking
//!
//! None: nothing in it changes. Dropping it sleeps.

use crate::{
    bindings,
    vfs::FileSystem, //
};
use core::pin::Pin;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// A registered filesystem type; dropping it unregisters it. The module owns it, from its init to its
/// exit: nothing may fail in init after it.
///
/// # Invariants
///
/// - "registered": `inner` is initialised for `F`, and registered.
#[pin_data(PinnedDrop)]
pub(crate) struct Registration<F: FileSystem> {
    #[pin]
    pub(in crate::vfs) inner: Opaque<bindings::file_system_type>,
    pub(in crate::vfs) common: F::Common,
}

// SAFETY: The type is used by all CPUs once registered; unregistering may happen on any. `common` is
// `Send`.
unsafe impl<F: FileSystem> Send for Registration<F> {}
// SAFETY: `&Registration` gives access to `common` only, which is `Sync`; C code that uses `inner`
// follows its own rules.
unsafe impl<F: FileSystem> Sync for Registration<F> {}

#[pinned_drop]
impl<F: FileSystem> PinnedDrop for Registration<F> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: It is registered: invariant "registered". It is not in use: mounts hold the module,
        // which drops this as it goes.
        unsafe { bindings::unregister_filesystem(self.inner.get()) };
        // Inodes may still be on their way to `free_inode`.
        // SAFETY: May be called wherever one may sleep.
        unsafe { bindings::rcu_barrier() };
    }
}
