// SPDX-License-Identifier: GPL-2.0

//! The way to a mounted super block for those who come from below, such as a failing device.
//!
//! Whoever comes through the VFS holds the mount up by the file or path that he uses. An event of the
//! device holds nothing. It asks the [`Gate`], which this layer opens when a mount is complete and
//! closes, waiting for whoever is inside, before the mount is taken down. So an inode reference taken
//! inside of the gate cannot outlive the super block.
//!
//! # Locking
//!
//! The gate's mutex is outside of every lock of a file, and inside of `s_umount`.

use super::{
    FileSystem,
    SuperBlock, //
};
use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::{
        new_mutex,
        Mutex, //
    },
};

/// A pointer to a super block, which may cross threads.
struct Mounted(NonNull<bindings::super_block>);

// SAFETY: A super block is used by all CPUs.
unsafe impl Send for Mounted {}

/// See the module's documentation.
///
/// # Invariants
///
/// While `mounted` is some, that super block is mounted, and its `s_fs_info` is set, for `F`.
#[pin_data]
pub(crate) struct Gate<F: FileSystem> {
    #[pin]
    mounted: Mutex<Option<Mounted>>,
    _fs: core::marker::PhantomData<F>,
}

impl<F: FileSystem> Gate<F> {
    /// A closed gate.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            mounted <- new_mutex!(None, "daxrmap::Gate"),
            _fs: core::marker::PhantomData,
        })
    }

    /// # Safety
    ///
    /// `sb` is mounted for `F`, and `close` is called before it is taken down.
    pub(super) unsafe fn open(&self, sb: NonNull<bindings::super_block>) {
        // INVARIANT: By the caller's promise.
        *self.mounted.lock() = Some(Mounted(sb));
    }

    /// Waits for whoever is inside, and lets nobody in any more.
    pub(super) fn close(&self) {
        *self.mounted.lock() = None;
    }

    /// Runs `f` with the super block; with `None` before the mount is complete and once it begins
    /// to end. One at a time. Inode references that `f` takes must be dropped in it.
    pub(crate) fn enter<R>(&self, f: impl FnOnce(Option<&SuperBlock<F>>) -> R) -> R {
        let guard = self.mounted.lock();
        let sb = guard.as_ref().map(|mounted| {
            // SAFETY: By the type invariant, for as long as the mutex is held.
            unsafe { SuperBlock::from_raw(mounted.0.as_ptr()) }
        });
        f(sb)
    }
}
