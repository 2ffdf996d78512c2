// SPDX-License-Identifier: GPL-2.0

//! An inode in core.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! Nothing here takes a lock, and what is read may be changing, as everywhere in the VFS. What may only
//! be changed under a lock is a method of that lock's guard (see [`InodeLock`](super::InodeLock)). Times
//! and the number of links change under locks of other inodes too, so that there the callers hold them.

pub(super) mod any;
pub(super) mod file_cache;
pub(super) mod lock;
pub(super) mod locked;
mod lookup;
pub(super) mod stamp;
pub(super) mod time;

use crate::{
    bindings,
    vfs::{
        AnyInode,
        FileSystem,
        SuperBlock,
        Time,
        Times, //
    },
};
use core::{
    marker::PhantomData,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    prelude::*,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
};

/// An inode of filesystem `F`.
///
/// # Invariants
///
/// - "live": that of [`AnyInode`], which it is.
/// - "of F": its super block is a [`SuperBlock`] of `F`, and outlives it.
/// - "kind": its type, in `i_mode`, does not change once it is finished ([`NewInode`](super::NewInode)).
/// - "cache": `i_private` is null, or the `FileCache` of `F` that [`cache_or_new`](Self::cache_or_new)
///   has left there. Nothing else uses the field.
#[repr(transparent)]
pub(crate) struct Inode<F: FileSystem> {
    any: AnyInode,
    _fs: PhantomData<F>,
}

impl<F: FileSystem> Deref for Inode<F> {
    type Target = AnyInode;

    fn deref(&self) -> &AnyInode {
        &self.any
    }
}

// SAFETY: An inode may be used, and its last reference dropped, on any thread.
unsafe impl<F: FileSystem> Send for Inode<F> {}
// SAFETY: All methods follow the VFS's rules for concurrent access.
unsafe impl<F: FileSystem> Sync for Inode<F> {}

// SAFETY: `ihold` and `iput` count references.
unsafe impl<F: FileSystem> AlwaysRefCounted for Inode<F> {
    fn inc_ref(&self) {
        // SAFETY: The inode is live, and whoever has `&self` has, or borrows, a reference that counts.
        unsafe { bindings::ihold(self.as_ptr()) };
    }

    /// # Safety
    ///
    /// As the trait says. `obj`: the caller hands a reference to it over.
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The reference is ours to drop: clause `obj`.
        unsafe { bindings::iput(obj.as_ptr().cast()) };
    }
}

impl<F: FileSystem> Inode<F> {
    /// # Safety
    ///
    /// `ptr`: a live inode of an `F`, and stays one for `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *const bindings::inode) -> &'a Self {
        // INVARIANT: "live" and "of F": clause `ptr`. "kind": `set_mode` and the VFS keep it so.
        // "cache": a new inode has null, and for an `F` only file_cache.rs writes the field.
        // SAFETY: It is live for `'a`: clause `ptr`. The layout is transparent, and of C's fields
        // only `Opaque` has any.
        unsafe { &*ptr.cast() }
    }

    /// The inode that a file is open on.
    ///
    /// # Safety
    ///
    /// `file`: an open file of an `F`, and stays open for `'a`.
    pub(crate) unsafe fn of_file<'a>(file: *const bindings::file) -> &'a Self {
        // SAFETY: The file is open: clause `file`; the field does not change.
        let inode = unsafe { (*file).f_inode };
        // SAFETY: An open file holds its inode, which is an `F`'s: clause `file`.
        unsafe { Self::from_raw(inode) }
    }

    /// The inode of a dentry, whose name may change meanwhile.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it has none.
    ///
    /// # Safety
    ///
    /// `dentry`: one of an `F` that is in use for `'a`, and so keeps the inode that it has; or under a
    /// lock that keeps it negative.
    pub(in crate::vfs) unsafe fn of_dentry<'a>(
        dentry: *const bindings::dentry,
    ) -> Result<&'a Self> {
        // SAFETY: The dentry is in use, and the field stays: clause `dentry`.
        let inode = unsafe { (*dentry).d_inode };
        if inode.is_null() {
            return Err(ENOENT);
        }
        // SAFETY: The dentry holds it for `'a`, and is an `F`'s: clause `dentry`.
        Ok(unsafe { Self::from_raw(inode) })
    }

    /// # Safety
    ///
    /// `ptr`: a live inode of an `F`; the caller hands over one reference to it.
    pub(crate) unsafe fn from_raw_owned(ptr: NonNull<bindings::inode>) -> ARef<Self> {
        // SAFETY: The reference is handed over, and keeps it an `Inode<F>`: clause `ptr`.
        unsafe { ARef::from_raw(ptr.cast()) }
    }

    /// The same reference, as one to an inode of any filesystem.
    pub(in crate::vfs) fn into_any(inode: ARef<Self>) -> ARef<AnyInode> {
        // SAFETY: The reference is handed over, and its inode is one: the layout is transparent, and both
        // count references in the same way.
        unsafe { ARef::from_raw(ARef::into_raw(inode).cast()) }
    }

    /// The generation: it tells inodes apart that have the same number one after the other, or on two
    /// mounts.
    pub(crate) fn generation(&self) -> u32 {
        // SAFETY: The inode is live: invariant "live"; the field does not change once it is visible.
        unsafe { (*self.as_ptr()).i_generation }
    }

    /// The super block.
    pub(crate) fn sb(&self) -> &SuperBlock<F> {
        // SAFETY: The inode is live: invariant "live"; the field does not change.
        let sb = unsafe { (*self.as_ptr()).i_sb };
        // SAFETY: It is one of an `F` and outlives the inode: invariant "of F".
        unsafe { SuperBlock::from_raw(sb) }
    }

    /// The filesystem.
    pub(crate) fn fs(&self) -> &F {
        self.sb().fs()
    }

    /// Number of links.
    pub(crate) fn nlink(&self) -> u32 {
        // SAFETY: The inode is live: invariant "live".
        unsafe { (*self.as_ptr()).__bindgen_anon_1.i_nlink }
    }

    /// Sets the number of links. Caller: the `i_rwsem` of the directories concerned.
    pub(crate) fn set_nlink(&self, n: u32) {
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::set_nlink(self.as_ptr(), n) };
    }

    /// Owner, as the filesystem stores it.
    pub(crate) fn uid(&self) -> u32 {
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::daxrmap_i_uid_read(self.as_ptr()) }
    }

    /// Group, as the filesystem stores it.
    pub(crate) fn gid(&self) -> u32 {
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::daxrmap_i_gid_read(self.as_ptr()) }
    }

    /// Reads the times.
    pub(crate) fn times(&self) -> Times {
        let mut raw = [bindings::timespec64::default(); 3];
        let [atime, mtime, ctime] = &mut raw;
        // SAFETY: The inode is live: invariant "live"; the three places are writable.
        unsafe { bindings::daxrmap_get_times(self.as_ptr(), atime, mtime, ctime) };
        let [atime, mtime, ctime] = raw.map(Time::from_raw);
        Times {
            atime,
            mtime,
            ctime,
        }
    }

    /// Sets the times.
    pub(crate) fn set_times(&self, t: Times) {
        let (a, m, c) = (t.atime.into_raw(), t.mtime.into_raw(), t.ctime.into_raw());
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::daxrmap_set_times(self.as_ptr(), a, m, c) };
    }

    /// Sets the time of the last change of the inode.
    pub(crate) fn set_ctime(&self, ctime: Time) {
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::daxrmap_set_ctime(self.as_ptr(), ctime.into_raw()) };
    }

    /// The time now, in the granularity of this filesystem, for what is new. What changes has
    /// [`Stamps`](super::Stamps).
    pub(crate) fn now(&self) -> Time {
        // SAFETY: The inode is live: invariant "live".
        Time::from_raw(unsafe { bindings::current_time(self.as_ptr()) })
    }
}
