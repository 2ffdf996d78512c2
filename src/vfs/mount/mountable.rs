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
//! `mount` and `root` run with `s_umount` held exclusively. `evict` runs when nobody else has the inode;
//! what is held depends on who has dropped the last reference.

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

    /// Makes a mount of the device of `sb`, which is the filesystem's from here on.
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

    /// Waits for whoever still has a page of the inode. Its last reference is gone, and its pages are
    /// about to go.
    fn evict(inode: &Inode<Self>);
}
