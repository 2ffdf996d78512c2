// SPDX-License-Identifier: GPL-2.0

//! Inodes on their way into core: from what is stored, or for a new object.
//!
//! C source: fs/inode.c (`iget_locked`, `new_inode`, `insert_inode_locked`).
//!
//! # Locking
//!
//! Nobody else sees such an inode; who looks up its number waits until it is finished or given up.

use super::{
    dir,
    inode, //
};
use crate::{
    bindings,
    vfs::{
        attr::acl,
        AclKind,
        Dentry,
        FileFlags,
        FileSystem,
        Inode,
        Namespace,
        NewAttr,
        SuperBlock,
        Times, //
    },
};
use core::{
    cell::Cell,
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};

/// The target of a symbolic link, as the VFS wants it: a C string.
///
/// # Invariants
///
/// - "string": the last byte is NUL.
pub(crate) struct LinkTarget(KVec<u8>);

impl LinkTarget {
    /// Copies the target.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(target: &[u8]) -> Result<Self> {
        let mut string = KVec::with_capacity(target.len().saturating_add(1), GFP_KERNEL)?;
        string.extend_from_slice(target, GFP_KERNEL)?;
        string.push(0, GFP_KERNEL)?;
        // INVARIANT: "string": just pushed.
        Ok(Self(string))
    }

    /// The string, which kfree() is to free.
    fn into_raw(self) -> *mut c_char {
        let (string, _, _) = self.0.into_raw_parts();
        string.cast()
    }
}

/// An inode for a new object, before it has a number. Dropping it is giving it up.
///
/// # Invariants
///
/// - "unseen": the inode is live, an `F`'s, and not hashed, and this value owns a reference to it. Nobody
///   else changes it.
pub(crate) struct UnnumberedInode<F: FileSystem>(NonNull<bindings::inode>, PhantomData<F>);

impl<F: Namespace> UnnumberedInode<F> {
    /// # Safety
    ///
    /// `ptr`: a fresh inode of an `F`, not hashed; the caller hands over the only reference to it.
    pub(in crate::vfs) unsafe fn from_raw(ptr: NonNull<bindings::inode>) -> Self {
        // INVARIANT: "unseen": clause `ptr`.
        Self(ptr, PhantomData)
    }

    /// The inode.
    pub(crate) fn inode(&self) -> &Inode<F> {
        // SAFETY: It is a live inode of an `F` while `self` is: invariant "unseen".
        unsafe { Inode::from_raw(self.0.as_ptr()) }
    }

    /// Takes owner, group and mode for a new object in `dir`, by the rules of the VFS (setgid
    /// directories, idmapped mounts, fsuid).
    pub(crate) fn init_owner(&self, attr: &NewAttr<'_>, dir: &Inode<F>) {
        // SAFETY: The idmap lives as long as the VFS call that `attr` came with: invariant "idmap" of
        // `NewAttr`. The inode is live and nobody else changes it: invariant "unseen".
        unsafe { bindings::inode_init_owner(attr.idmap, self.0.as_ptr(), dir.as_ptr(), attr.mode) };
    }

    /// Gives the inode what an object that is made in `dir` begins with, and calls `f` with that: ACLs,
    /// and permissions, by `dir`'s default ACL, or the process's umask if there is none. It is to have
    /// its owner and mode already.
    ///
    /// # Errors
    ///
    /// What `f` says; `EUCLEAN` if the default ACL is not valid; `ENOMEM`.
    pub(crate) fn init_acls(
        &self,
        dir: &Inode<F>,
        f: impl FnMut(AclKind, KVec<u8>) -> Result,
    ) -> Result {
        // SAFETY: Nobody else sees or changes the inode: invariant "unseen".
        unsafe { acl::init_new(self.inode(), dir, f) }
    }

    /// Gives the inode its number, which no inode in core has.
    ///
    /// # Errors
    ///
    /// `EBUSY` if one has it after all.
    pub(crate) fn number(self, ino: u64) -> Result<NewInode<F>> {
        // SAFETY: The inode is live and nobody else changes it: invariant "unseen".
        unsafe { (*self.0.as_ptr()).i_ino = ino };
        // SAFETY: The inode is live and not hashed: invariant "unseen".
        to_result(unsafe { bindings::insert_inode_locked(self.0.as_ptr()) })?;
        let this = ManuallyDrop::new(self);
        // SAFETY: Hashing made it `I_NEW`; the reference of invariant "unseen" passes on.
        Ok(unsafe { NewInode::from_raw(this.0) })
    }
}

impl<F: FileSystem> Drop for UnnumberedInode<F> {
    fn drop(&mut self) {
        // SAFETY: The reference is ours to drop: invariant "unseen".
        unsafe { bindings::iput(self.0.as_ptr()) };
    }
}

/// An inode that only its maker sees: hashed, locked, `I_NEW`. Dropping it unfinished is giving it up.
///
/// # Invariants
///
/// - "new": the inode is live, an `F`'s, and `I_NEW`, and this value owns a reference to it. Others may
///   find it, in the hash or in the list of all inodes, and wait or go on: nobody else changes it.
pub(crate) struct NewInode<F: FileSystem> {
    inode: NonNull<bindings::inode>,
    /// The inode's, if it is a symbolic link when it is finished.
    target: Cell<Option<LinkTarget>>,
    _fs: PhantomData<F>,
}

impl<F: Namespace> NewInode<F> {
    /// # Safety
    ///
    /// `ptr`: an `I_NEW` inode of an `F`, made so by this task; the caller hands over one reference to
    /// it.
    pub(in crate::vfs) unsafe fn from_raw(ptr: NonNull<bindings::inode>) -> Self {
        // INVARIANT: "new": clause `ptr`.
        Self {
            inode: ptr,
            target: Cell::new(None),
            _fs: PhantomData,
        }
    }

    /// The inode.
    pub(crate) fn inode(&self) -> &Inode<F> {
        // SAFETY: It is a live inode of an `F` while `self` is: invariant "new".
        unsafe { Inode::from_raw(self.inode.as_ptr()) }
    }

    /// Sets owner, group and mode from what is stored.
    pub(crate) fn set_owner(&self, mode: u16, uid: u32, gid: u32) {
        let inode = self.inode.as_ptr();
        // SAFETY: The inode is live and nobody else changes it: invariant "new".
        unsafe { (*inode).i_mode = mode };
        // SAFETY: The inode is live and nobody else changes it: invariant "new".
        unsafe { bindings::daxrmap_i_uid_write(inode, uid) };
        // SAFETY: The inode is live and nobody else changes it: invariant "new".
        unsafe { bindings::daxrmap_i_gid_write(inode, gid) };
    }

    /// Sets size (bytes), links, times and generation.
    pub(crate) fn set_attr(&self, size: u64, nlink: u32, times: Times, generation: u32) {
        let inode = self.inode.as_ptr();
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // SAFETY: The inode is live and nobody else changes it: invariant "new".
        unsafe { bindings::daxrmap_i_size_write(inode, size) };
        // SAFETY: The inode is live and nobody else changes it: invariant "new".
        unsafe { (*inode).i_generation = generation };
        self.inode().set_nlink(nlink);
        self.inode().set_times(times);
    }

    /// Sets the number of a device: the major one times 2^20 plus the minor one.
    pub(crate) fn set_rdev(&self, rdev: u32) {
        // SAFETY: The inode is live and nobody else changes it: invariant "new".
        unsafe { (*self.inode.as_ptr()).i_rdev = rdev };
    }

    /// Sets what chattr(1) has set.
    pub(crate) fn set_flags(&self, flags: FileFlags) {
        self.inode().set_flags(flags);
    }

    /// Notes that there is no such ACL.
    pub(crate) fn set_no_acl(&self, kind: AclKind) {
        acl::note_none(self.inode(), kind);
    }

    /// Sets where a symbolic link leads; for all else it is forgotten.
    pub(crate) fn set_target(&self, target: LinkTarget) {
        self.target.set(Some(target));
    }

    /// Installs the operations for the inode's type. One field after the other:
    /// there is no `&mut` to an inode that others can find.
    fn install_operations(&self) {
        let inode = self.inode.as_ptr();
        let mode = self.inode().mode();
        match (u32::from(mode) & bindings::S_IFMT, self.target.take()) {
            (bindings::S_IFDIR, _) => {
                // SAFETY: The inode is live and nobody else changes it: invariant "new".
                unsafe { (*inode).i_op = dir::dir_inode_operations::<F>() };
                // SAFETY: The inode is live and nobody else changes it: invariant "new".
                unsafe { (*inode).__bindgen_anon_3.i_fop = dir::dir_file_operations::<F>() };
            }
            (bindings::S_IFREG, _) => {
                // SAFETY: The inode is live and nobody else changes it: invariant "new". The table is
                // one for regular files of an `F`: invariant "tables" of `RegularFiles`.
                unsafe { (*inode).i_op = F::REGULAR_FILES.inode };
                // SAFETY: The inode is live and nobody else changes it: invariant "new". The table is
                // one for regular files of an `F`: invariant "tables" of `RegularFiles`.
                unsafe { (*inode).__bindgen_anon_3.i_fop = F::REGULAR_FILES.file };
                // SAFETY: The inode is live and nobody else changes it: invariant "new". The table is
                // one for regular files of an `F`: invariant "tables" of `RegularFiles`.
                unsafe { (*inode).i_data.a_ops = F::REGULAR_FILES.mapping };
                // SAFETY: The inode is live and nobody else changes it: invariant "new".
                unsafe { (*inode).i_flags |= F::REGULAR_FILES.flags };
            }
            (bindings::S_IFLNK, Some(target)) => {
                // SAFETY: The inode is live and nobody else changes it: invariant "new". The target ends
                // with NUL: invariant "string" of `LinkTarget`. It is the inode's from here on:
                // `free_inode` frees it.
                unsafe { (*inode).__bindgen_anon_5.i_link = target.into_raw() };
                // SAFETY: The inode is live and nobody else changes it: invariant "new".
                unsafe { (*inode).i_op = inode::symlink_inode_operations::<F>() };
            }
            // With a link that leads nowhere: no operation asks for its target then.
            _ => {
                // SAFETY: The inode is live and nobody else changes it: invariant "new".
                unsafe { (*inode).i_op = inode::special_inode_operations::<F>() };
                // SAFETY: The inode is live: invariant "new".
                let rdev = unsafe { (*inode).i_rdev };
                // SAFETY: The inode is live and nobody else changes it: invariant "new".
                unsafe { bindings::init_special_inode(inode, mode, rdev) };
            }
        }
    }

    /// Makes the inode visible.
    pub(crate) fn finish(self) -> ARef<Inode<F>> {
        self.install_operations();
        let inode = self.into_raw();
        // SAFETY: It is `I_NEW`: invariant "new".
        unsafe { bindings::unlock_new_inode(inode.as_ptr()) };
        // SAFETY: The reference of invariant "new" passes on.
        unsafe { Inode::from_raw_owned(inode) }
    }

    /// Makes the inode visible as what `dentry` names, which is negative: a positive one is a BUG.
    pub(crate) fn finish_as(self, dentry: &Dentry<F>) {
        self.install_operations();
        let inode = self.into_raw();
        // SAFETY: The dentry is live and its parent locked: invariant "stable" of `Dentry`. C looks
        // whether it is negative. The inode is `I_NEW`: invariant "new", whose reference passes to the
        // dentry.
        unsafe { bindings::d_instantiate_new(dentry.as_ptr(), inode.as_ptr()) };
    }

    /// The inode, with the reference to it. Its operations are installed: there is no target left.
    fn into_raw(self) -> NonNull<bindings::inode> {
        ManuallyDrop::new(self).inode
    }
}

impl<F: FileSystem> Drop for NewInode<F> {
    fn drop(&mut self) {
        // SAFETY: It is `I_NEW`, and the reference is ours to give up: invariant "new".
        unsafe { bindings::iget_failed(self.inode.as_ptr()) };
    }
}

impl<F: Namespace> SuperBlock<F> {
    /// The inode `ino`, from the cache or set up by `init`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, or what `init` says.
    pub(crate) fn inode(
        &self,
        ino: u64,
        init: impl FnOnce(&NewInode<F>) -> Result,
    ) -> Result<ARef<Inode<F>>> {
        // SAFETY: The super block is live: invariant "info" of `SuperBlock`.
        let raw = unsafe { bindings::iget_locked(self.as_ptr(), ino) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: `iget_locked` returned a live inode of this super block, with a reference.
        if !unsafe { bindings::daxrmap_inode_is_new(raw.as_ptr()) } {
            // SAFETY: It is one of this super block, and came with a reference.
            return Ok(unsafe { Inode::from_raw_owned(raw) });
        }
        // SAFETY: It is new, made so by this call, one of this super block, and came with a reference.
        let new = unsafe { NewInode::from_raw(raw) };
        init(&new)?;
        Ok(new.finish())
    }

    /// An inode in core without a number as yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn unnumbered_inode(&self) -> Result<UnnumberedInode<F>> {
        // SAFETY: The super block is live: invariant "info" of `SuperBlock`.
        let raw = unsafe { bindings::new_inode(self.as_ptr()) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: It is new, one of this super block, not hashed, and came with the only reference.
        Ok(unsafe { UnnumberedInode::from_raw(raw) })
    }
}
