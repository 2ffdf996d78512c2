// SPDX-License-Identifier: GPL-2.0

//! The super operations: from the VFS's calls about a mount, and about inodes that come and go, to the
//! filesystem's.
//!
//! C header: [`include/linux/fs/super_types.h`](srctree/include/linux/fs/super_types.h)
//!
//! # Locking
//!
//! Each callback says what the VFS holds.

use super::{
    gate::MountInfo,
    options, //
};
use crate::{
    bindings,
    vfs::{
        answer::from_result,
        inode::file_cache,
        Inode,
        Mountable,
        SuperBlock, //
    },
};
use core::marker::PhantomData;
use kernel::prelude::*;

/// The super operations of `F`.
struct Table<F>(PhantomData<F>);

impl<F: Mountable> Table<F> {
    const OPS: bindings::super_operations = bindings::super_operations {
        statfs: Some(Self::statfs),
        evict_inode: Some(Self::evict_inode),
        free_inode: Some(Self::free_inode),
        put_super: Some(Self::put_super),
        shutdown: Some(Self::shutdown),
        sync_fs: Some(Self::sync_fs),
        freeze_fs: Some(Self::freeze_fs),
        unfreeze_fs: Some(Self::unfreeze_fs),
        show_options: Some(options::show),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `dentry`: a live one of a mounted `F`, for the call.
    /// - `buf`: a cleared place for the answer, for this call alone.
    unsafe extern "C" fn statfs(
        dentry: *mut bindings::dentry,
        buf: *mut kernel::bindings::kstatfs,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The dentry is live: clause `dentry`.
            let sb = unsafe { (*dentry).d_sb };
            // SAFETY: Its super block is a mounted one of an `F`: clause `dentry`.
            let sb = unsafe { SuperBlock::<F>::from_raw(sb) };
            let stat = sb.fs().statfs();
            // SAFETY: It is there for this call alone: clause `buf`; kernel::bindings has the type as
            // opaque, ours is the same C type.
            let buf = unsafe { &mut *buf.cast::<bindings::kstatfs>() };
            buf.f_type = F::MAGIC as c_long;
            buf.f_bsize = stat.block_size as c_long;
            buf.f_blocks = stat.blocks;
            buf.f_bfree = stat.free;
            buf.f_bavail = stat.free;
            buf.f_files = stat.files;
            buf.f_ffree = stat.free_files;
            buf.f_namelen = 255;
            // fanotify's events name the file system so, and there are none without it.
            let fsid = sb.fsid();
            buf.f_fsid.val = [fsid as c_int, (fsid >> 32) as c_int];
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS. `inode`: one of an `F` whose last reference is gone, so that nobody else uses
    /// it; it is freed after the call.
    unsafe extern "C" fn evict_inode(inode: *mut bindings::inode) {
        // SAFETY: It is live until this function returns, and so is the super block: clause `inode`.
        let inode = unsafe { Inode::<F>::from_raw(inode) };
        F::evict(inode);
        // SAFETY: Nobody else uses the inode, or its mapping, any more: clause `inode`.
        unsafe { bindings::truncate_inode_pages_final(&raw mut (*inode.as_ptr()).i_data) };
        // SAFETY: Nobody else uses the inode any more: clause `inode`; the mapping is empty.
        unsafe { bindings::clear_inode(inode.as_ptr()) };
        // An inode that never became visible was never the filesystem's.
        if inode.nlink() == 0 {
            inode.fs().evict_unlinked(inode.ino());
        }
    }

    /// # Safety
    ///
    /// Called by RCU. `inode`: one of an `F` that nobody uses any more, and that is to be freed.
    unsafe extern "C" fn free_inode(inode: *mut bindings::inode) {
        // SAFETY: It is there, and nobody else uses it: clause `inode`.
        let mode = u32::from(unsafe { (*inode).i_mode });
        if mode & bindings::S_IFMT == bindings::S_IFLNK {
            // SAFETY: A symbolic link has its target there, or null: the type is what it was when
            // `NewInode` was finished, by `Inode`'s invariant "kind".
            let target = unsafe { (*inode).__bindgen_anon_5.i_link };
            // SAFETY: `NewInode` has left it to the inode; it came from a `KVec`, and is used no more:
            // clause `inode`.
            unsafe { bindings::kfree(target.cast()) };
        }
        if mode & bindings::S_IFMT == bindings::S_IFREG {
            // SAFETY: It is a regular file of an `F` that nobody uses any more: clause `inode`.
            unsafe { file_cache::free::<F>(inode) };
        }
        // SAFETY: It came from `new_inode` or `iget_locked`, without an `alloc_inode` of ours, and nobody
        // uses it any more: clause `inode`.
        unsafe { bindings::free_inode_nonrcu(inode) };
    }

    /// # Safety
    ///
    /// Called by the VFS. `sb`: live, of an `F`, and was mounted; its inodes are gone.
    unsafe extern "C" fn put_super(sb: *mut bindings::super_block) {
        // SAFETY: It is live: clause `sb`.
        let info = unsafe { (*sb).s_fs_info };
        // SAFETY: It was mounted: clause `sb`. So its `s_fs_info` is set, until `kill_sb` ends.
        let info = unsafe { &*info.cast::<MountInfo<F>>() };
        info.gate().emptied();
    }

    /// # Safety
    ///
    /// Called by the VFS. `sb`: a mounted one of an `F`, whose device is gone.
    unsafe extern "C" fn shutdown(sb: *mut bindings::super_block) {
        // SAFETY: It is a mounted one of an `F`: clause `sb`.
        unsafe { SuperBlock::<F>::from_raw(sb) }.fs().shutdown();
    }

    /// # Safety
    ///
    /// Called by the VFS. `sb`: a mounted one of an `F`.
    unsafe extern "C" fn sync_fs(sb: *mut bindings::super_block, wait: c_int) -> c_int {
        if wait == 0 {
            // Another call comes, which is to wait.
            return 0;
        }
        // SAFETY: It is a mounted one of an `F`: clause `sb`.
        let sb = unsafe { SuperBlock::<F>::from_raw(sb) };
        from_result(|| sb.fs().sync().map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS. `sb`: a mounted one of an `F` that nobody writes to any more, its `s_umount`
    /// held exclusively.
    unsafe extern "C" fn freeze_fs(sb: *mut bindings::super_block) -> c_int {
        // SAFETY: It is a mounted one of an `F`: clause `sb`.
        let sb = unsafe { SuperBlock::<F>::from_raw(sb) };
        from_result(|| sb.fs().freeze().map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS. `sb`: a mounted one of an `F` that is frozen, its `s_umount` held exclusively.
    unsafe extern "C" fn unfreeze_fs(sb: *mut bindings::super_block) -> c_int {
        // SAFETY: It is a mounted one of an `F`: clause `sb`.
        unsafe { SuperBlock::<F>::from_raw(sb) }.fs().thaw();
        0
    }
}

pub(in crate::vfs) fn super_operations<F: Mountable>() -> &'static bindings::super_operations {
    &Table::<F>::OPS
}
