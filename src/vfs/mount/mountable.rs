// SPDX-License-Identifier: GPL-2.0

//! How a filesystem comes and goes: mount, root, the end of an inode.
//!
//! Without the proof that what mounts use is ready, a type is not registered:
//!
//! ```compile_fail,E0308
//! use crate::vfs::{Export, Mountable, Registration};
//! fn early<F: Mountable + Export>(module: &'static ThisModule, common: F::Common) {
//!     let _ = Registration::<F>::new((), module, common);
//! }
//! ```
//!
//! # Locking
//!
//! `mount` and `root` run with `s_umount` held exclusively; for `evict` nobody else has the inode.

use crate::vfs::{
    FileSystem,
    Inode,
    NewSuper,
    SuperBlock, //
};
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

/// A filesystem that can be mounted.
pub(crate) trait Mountable: FileSystem {
    /// The proof that what its mounts use is ready, without which the type is not registered.
    type Ready;

    /// Takes the device of `sb` over.
    ///
    /// # Errors
    ///
    /// An errno for mount(2), after one log line that gives the reason.
    fn mount(sb: &NewSuper<Self>) -> Result<Arc<Self>>;

    /// The root directory.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn root(sb: &SuperBlock<Self>) -> Result<ARef<Inode<Self>>>;

    /// The last reference to the inode is gone, and its pages are about to go: waits for whoever still
    /// has one of them.
    fn evict(inode: &Inode<Self>);
}
