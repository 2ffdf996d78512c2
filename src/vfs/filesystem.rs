// SPDX-License-Identifier: GPL-2.0

//! The trait of a filesystem: what the VFS asks of a mount as a whole.
//!
//! All else in `vfs` is generic over a [`FileSystem`]. The traits for what it does with inodes and names
//! stand on this one.
//!
//! # Locking
//!
//! The VFS holds `s_umount` exclusively for `reconfigure`, `freeze` and `thaw`. The other functions are
//! called with it or without; none of them may take it.

use crate::bindings;
use core::marker::PhantomData;
use kernel::prelude::*;

/// What statfs(2) tells.
pub(crate) struct StatFs {
    /// Bytes per block.
    pub(crate) block_size: u32,
    /// Blocks in all.
    pub(crate) blocks: u64,
    /// Blocks that can be allocated.
    pub(crate) free: u64,
    /// Inodes in use and free together.
    pub(crate) files: u64,
    /// Inodes that can be made.
    pub(crate) free_files: u64,
}

/// What a filesystem remembers of one regular file in core. Any number of tasks may use it at once.
pub(crate) trait FileCache: Send + Sync + 'static {
    /// One that remembers nothing.
    fn new() -> impl PinInit<Self>;

    /// What was remembered may not be true any more. Does not sleep.
    fn forget(&self);
}

/// The VFS's tables for regular files of `F`, which a layer above this one makes.
///
/// # Invariants
///
/// - "tables": the callbacks of all tables may be called for any regular file of an `F`, as the VFS calls
///   them.
pub(crate) struct RegularFiles<F> {
    /// Of the inode.
    pub(in crate::vfs) inode: &'static bindings::inode_operations,
    /// Of an open file.
    pub(in crate::vfs) file: &'static bindings::file_operations,
    /// Of the mapping.
    pub(in crate::vfs) mapping: &'static bindings::address_space_operations,
    /// What is set in `i_flags`: `S_` numbers.
    pub(in crate::vfs) flags: u32,
    _fs: PhantomData<F>,
}

impl<F> RegularFiles<F> {
    /// # Safety
    ///
    /// "tables": the callbacks of all tables may be called for any regular file of an `F` that has
    /// `flags`, as the VFS calls them.
    pub(crate) const unsafe fn new(
        inode: &'static bindings::inode_operations,
        file: &'static bindings::file_operations,
        mapping: &'static bindings::address_space_operations,
        flags: u32,
    ) -> Self {
        // INVARIANT: "tables": clause "tables".
        Self {
            inode,
            file,
            mapping,
            flags,
            _fs: PhantomData,
        }
    }
}

/// A filesystem; a value of the type is one mount.
pub(crate) trait FileSystem: Sized + Send + Sync + 'static {
    /// Name, as in `mount -t`.
    const NAME: &'static CStr;
    /// Magic number, as in statfs(2).
    const MAGIC: u32;

    /// What all mounts have in common; made when the type is registered.
    type Common: Send + Sync + 'static;

    /// What is remembered of a regular file in core.
    type FileCache: FileCache;

    /// What is called for regular files: their data are of a layer above this one.
    const REGULAR_FILES: RegularFiles<Self>;

    /// Changes are made no more, or from here on: a remount.
    ///
    /// # Errors
    ///
    /// An errno for mount(2), after one log line that gives the reason.
    fn reconfigure(&self, read_only: bool) -> Result;

    /// The device is going away; no more I/O.
    fn shutdown(&self);

    /// Nothing on the medium changes from here on; who would change something is held off. Failures
    /// still come.
    ///
    /// # Errors
    ///
    /// An errno for the ioctl.
    fn freeze(&self) -> Result;

    /// The end of [`freeze`](Self::freeze). What could not be written in the meantime is now.
    fn thaw(&self);

    /// What is asked for by fsync(2), sync(2) and their like, after the cache lines of files were written
    /// back.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone, or cannot make durable what was written.
    fn sync(&self) -> Result;

    /// Numbers for statfs(2).
    fn statfs(&self) -> StatFs;

    /// The last reference to an inode without links is gone: its blocks are free, now or soon.
    fn evict_unlinked(&self, ino: u64);

    /// Unmount has begun, and soon the device is not ours any more: finishes what goes on in the background.
    fn ending(&self);
}
