// SPDX-License-Identifier: GPL-2.0

//! Inodes on their way into core: from what is stored, or for a new object.
//!
//! C source: fs/inode.c (`iget_locked`, `new_inode`, `insert_inode_locked`).
//!
//! # Locking
//!
//! Nobody else sees such an inode; who looks up its number waits until it is finished or failed.

use super::{
    attributes,
    file,
    namespace,
    readdir,
    Dentry,
    FileData,
    FileFlags,
    FileSystem,
    Inode,
    Namespace,
    NewAttr,
    Times, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};

/// A random number, for a generation: handles of other inodes, also of other mounts, shall not name
/// this one.
pub(crate) fn random() -> u32 {
    // SAFETY: May be called anywhere.
    unsafe { bindings::get_random_u32() }
}

/// Random bytes, for a secret.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: May be called anywhere; writes `N` bytes to `bytes`, which has so many.
    unsafe { bindings::get_random_bytes(bytes.as_mut_ptr().cast(), N) };
    bytes
}

/// An inode for a new object, before it has a number. Dropped, it goes away.
///
/// # Invariants
///
/// The inode is not hashed, and this value owns the only reference to it.
pub(crate) struct UnnumberedInode<F: FileSystem>(NonNull<bindings::inode>, PhantomData<F>);

impl<F: Namespace + FileData> UnnumberedInode<F> {
    /// # Safety
    ///
    /// `ptr` is a fresh inode of an `F`; the caller hands over the only reference to it.
    pub(super) unsafe fn from_raw(ptr: NonNull<bindings::inode>) -> Self {
        // INVARIANT: By the caller's promise.
        Self(ptr, PhantomData)
    }

    /// The inode.
    pub(crate) fn inode(&self) -> &Inode<F> {
        // SAFETY: By the type invariant the inode is live while `self` is.
        unsafe { Inode::from_raw(self.0.as_ptr()) }
    }

    /// Takes owner, group and mode for a new object in `dir`, by the rules of the VFS (setgid
    /// directories, idmapped mounts, fsuid).
    pub(crate) fn init_owner(&self, attr: &NewAttr<'_>, dir: &Inode<F>) {
        // SAFETY: The idmap lives as long as the VFS call that `attr` came with.
        unsafe { bindings::inode_init_owner(attr.idmap, self.0.as_ptr(), dir.as_ptr(), attr.mode) };
    }

    /// Gives the inode its number, which no inode in core has.
    ///
    /// # Errors
    ///
    /// `EBUSY` if one has it after all.
    pub(crate) fn number(self, ino: u64) -> Result<NewInode<F>> {
        // SAFETY: By the type invariant nobody else uses the inode.
        unsafe { (*self.0.as_ptr()).i_ino = ino };
        // SAFETY: As above.
        to_result(unsafe { bindings::insert_inode_locked(self.0.as_ptr()) })?;
        let this = ManuallyDrop::new(self);
        // SAFETY: Hashing made it `I_NEW`; the reference passes on.
        Ok(unsafe { NewInode::from_raw(this.0) })
    }
}

impl<F: FileSystem> Drop for UnnumberedInode<F> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference is ours.
        unsafe { bindings::iput(self.0.as_ptr()) };
    }
}

/// An inode that only its maker sees: hashed, locked, `I_NEW`. Dropped unfinished, it goes away.
///
/// # Invariants
///
/// The inode is `I_NEW`, and this value owns a reference to it.
pub(crate) struct NewInode<F: FileSystem>(NonNull<bindings::inode>, PhantomData<F>);

impl<F: Namespace + FileData> NewInode<F> {
    /// # Safety
    ///
    /// `ptr` is an `I_NEW` inode of an `F`; the caller hands over one reference to it.
    pub(super) unsafe fn from_raw(ptr: NonNull<bindings::inode>) -> Self {
        // INVARIANT: By the caller's promise.
        Self(ptr, PhantomData)
    }

    /// The inode.
    pub(crate) fn inode(&self) -> &Inode<F> {
        // SAFETY: By the type invariant the inode is live while `self` is.
        unsafe { Inode::from_raw(self.0.as_ptr()) }
    }

    /// Sets owner, group and mode from what is stored.
    pub(crate) fn set_owner(&self, mode: u16, uid: u32, gid: u32) {
        let inode = self.0.as_ptr();
        // SAFETY: By the type invariant nobody else uses the inode yet.
        unsafe { (*inode).i_mode = mode };
        // SAFETY: As above.
        unsafe { bindings::daxrmap_i_uid_write(inode, uid) };
        // SAFETY: As above.
        unsafe { bindings::daxrmap_i_gid_write(inode, gid) };
    }

    /// Sets size (bytes), links, times and generation.
    pub(crate) fn set_attr(&self, size: u64, nlink: u32, times: Times, generation: u32) {
        let inode = self.0.as_ptr();
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // SAFETY: By the type invariant nobody else uses the inode yet.
        unsafe { bindings::daxrmap_i_size_write(inode, size) };
        // SAFETY: As above.
        unsafe { (*inode).i_generation = generation };
        self.inode().set_nlink(nlink);
        self.inode().set_times(times);
    }

    /// Sets the number of a device: the major one times 2^20 plus the minor one.
    pub(crate) fn set_rdev(&self, rdev: u32) {
        // SAFETY: By the type invariant nobody else uses the inode yet.
        unsafe { (*self.0.as_ptr()).i_rdev = rdev };
    }

    /// Sets what chattr(1) has set.
    pub(crate) fn set_flags(&self, flags: FileFlags) {
        self.inode().set_flags(flags);
    }

    /// Sets where a symbolic link leads: a string with its NUL. The inode, which must be one, is to be
    /// finished then.
    pub(crate) fn set_target(&self, target: KVec<u8>) {
        let (target, _, _) = target.into_raw_parts();
        // SAFETY: By the type invariant nobody else uses the inode yet. `free_inode` frees it.
        unsafe { (*self.0.as_ptr()).__bindgen_anon_5.i_link = target.cast() };
    }

    /// Installs the operations for the inode's type; a regular file is DAX.
    fn install_operations(&self) {
        let raw = self.0.as_ptr();
        // SAFETY: By the type invariant nobody else uses the inode yet.
        let inode = unsafe { &mut *raw };
        match u32::from(inode.i_mode) & bindings::S_IFMT {
            bindings::S_IFDIR => {
                inode.i_op = namespace::dir_inode_operations::<F>();
                inode.__bindgen_anon_3.i_fop = readdir::dir_file_operations::<F>();
            }
            bindings::S_IFREG => {
                inode.i_op = attributes::file_inode_operations::<F>();
                inode.__bindgen_anon_3.i_fop = file::file_operations::<F>();
                inode.i_data.a_ops = file::address_space_operations::<F>();
                inode.i_flags |= bindings::S_DAX;
            }
            bindings::S_IFLNK => inode.i_op = attributes::symlink_inode_operations::<F>(),
            _ => {
                inode.i_op = attributes::special_inode_operations::<F>();
                let (mode, rdev) = (inode.i_mode, inode.i_rdev);
                // SAFETY: As above.
                unsafe { bindings::init_special_inode(raw, mode, rdev) };
            }
        }
    }

    /// Makes the inode visible.
    pub(crate) fn finish(self) -> ARef<Inode<F>> {
        self.install_operations();
        let this = ManuallyDrop::new(self);
        // SAFETY: By the type invariant it is `I_NEW`.
        unsafe { bindings::unlock_new_inode(this.0.as_ptr()) };
        // SAFETY: The reference passes from `this`, which is not dropped.
        unsafe { Inode::from_raw_owned(this.0) }
    }

    /// Makes the inode visible as what `dentry` names.
    pub(crate) fn finish_as(self, dentry: &Dentry<F>) {
        self.install_operations();
        let this = ManuallyDrop::new(self);
        // SAFETY: The dentry is negative and locked by its parent's `i_rwsem`; it takes the
        // reference over.
        unsafe { bindings::d_instantiate_new(dentry.as_ptr(), this.0.as_ptr()) };
    }
}

impl<F: FileSystem> Drop for NewInode<F> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant it is `I_NEW`, and ours to give up.
        unsafe { bindings::iget_failed(self.0.as_ptr()) };
    }
}
