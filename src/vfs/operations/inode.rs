// SPDX-License-Identifier: GPL-2.0

//! The inode operations that all inodes have, and those of what has nothing but attributes.
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h),
//! [`include/linux/fileattr.h`](srctree/include/linux/fileattr.h)
//!
//! # Locking
//!
//! As Documentation/filesystems/locking.rst says: the inode's `i_rwsem` exclusively for `setattr` and
//! `fileattr_set`; none for the rest.

use crate::{
    bindings,
    errno::eopnotsupp,
    vfs::{
        answer::from_result,
        attr::{
            acl,
            xattr, //
        },
        Attributes,
        FileFlags,
        Inode,
        InodeLock,
        SetAttr,
        Xattrs, //
    },
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// The inode operations.
pub(in crate::vfs) struct Table<F>(PhantomData<F>);

impl<F: Attributes + Xattrs> Table<F> {
    /// Those that all inodes have.
    pub(in crate::vfs) const COMMON: bindings::inode_operations = bindings::inode_operations {
        setattr: Some(Self::setattr),
        getattr: Some(Self::getattr),
        update_time: Some(Self::update_time),
        sync_lazytime: Some(Self::sync_lazytime),
        listxattr: Some(xattr::listxattr::<F>),
        get_inode_acl: acl::get::<F>(),
        set_acl: acl::set::<F>(),
        fileattr_get: Some(Self::fileattr_get),
        fileattr_set: Some(Self::fileattr_set),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    const SYMLINK: bindings::inode_operations = bindings::inode_operations {
        // What `NewInode::set_target` has put there.
        get_link: Some(bindings::simple_get_link),
        get_inode_acl: None,
        set_acl: None,
        ..Self::COMMON
    };

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `dentry`: a positive one of an `F`, which keeps its inode for the call; that one's `i_rwsem` is
    ///   held exclusively.
    /// - `attr`: what is to change, for this call alone.
    unsafe extern "C" fn setattr(
        idmap: *mut bindings::mnt_idmap,
        dentry: *mut bindings::dentry,
        attr: *mut bindings::iattr,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The dentry is positive, and the lock that this wants is held: clause
            // `dentry`. The attributes are there for the call: clause `attr`.
            to_result(unsafe { bindings::setattr_prepare(idmap, dentry, attr) })?;
            // SAFETY: It is an `F`'s and keeps its inode for the call: clause `dentry`.
            let inode = unsafe { Inode::<F>::of_dentry(dentry) }?;
            // SAFETY: The VFS holds the lock for us: clause `dentry`; the guard is never dropped.
            let lock = ManuallyDrop::new(unsafe { InodeLock::assume_held(inode) });
            // SAFETY: It is there for the call: clause `attr`.
            let valid = unsafe { (*attr).ia_valid };
            // SAFETY: It is there for the call: clause `attr`.
            let size = unsafe { (*attr).ia_size };
            // Of a new size truncate(2) leaves the times to the filesystem; ftruncate(2) and O_TRUNC
            // want them changed, whatever the size was.
            if valid & bindings::ATTR_SIZE != 0 && u64::try_from(size) != Ok(inode.size()) {
                let times = bindings::ATTR_MTIME | bindings::ATTR_CTIME;
                // SAFETY: It is there for the call, and nobody else uses it: clause `attr`.
                unsafe { (*attr).ia_valid = valid | times };
            }
            // SAFETY: It is there for the call, and nobody changes it from here on: clause `attr`.
            let attr = unsafe { &*attr };
            // SAFETY: It is the VFS's for this call: clause `idmap`.
            let change = unsafe { SetAttr::new(idmap, attr, &lock) };
            F::set_attr(&change).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `path`: one on an `F`, positive, for the call.
    /// - `stat`: a cleared place for the answer, for this call alone.
    unsafe extern "C" fn getattr(
        idmap: *mut bindings::mnt_idmap,
        path: *const bindings::path,
        stat: *mut bindings::kstat,
        mask: u32,
        _flags: c_uint,
    ) -> c_int {
        // SAFETY: The path is there for the call: clause `path`.
        let dentry = unsafe { (*path).dentry };
        // SAFETY: A path holds its dentry, which keeps its inode: clause `path`.
        let raw = unsafe { (*dentry).d_inode };
        // SAFETY: It is positive, and an `F`'s: clause `path`.
        let inode = unsafe { Inode::<F>::from_raw(raw) };
        // SAFETY: The inode is live, and there is a place for the answer: clauses `idmap`, `path` and
        // `stat`.
        unsafe { bindings::generic_fillattr(idmap, mask, raw, stat) };
        // SAFETY: It is a place for the answer that is ours for the call, and that the VFS has
        // cleared: clause `stat`.
        let stat = unsafe { &mut *stat };
        let more = F::stat(inode);
        stat.blocks = more
            .blocks
            .saturating_mul(u64::from(bindings::PAGE_SIZE as u32) / 512);
        stat.btime = more.btime.into_raw();
        stat.result_mask |= bindings::STATX_BTIME;
        // SAFETY: The inode is live: clause `path`. The place is ours. STATX_ATTR_DAX is the VFS's.
        unsafe { bindings::generic_fill_statx_attr(raw, stat) };
        if more.flags.has(FileFlags::NODUMP) {
            stat.attributes |= u64::from(bindings::STATX_ATTR_NODUMP);
        }
        stat.attributes_mask |= u64::from(bindings::STATX_ATTR_NODUMP);
        0
    }

    /// With lazytime, what only read(2) and write(2) change stays in core until the inode leaves it, a
    /// sync, or half a day has passed: `sync_lazytime`.
    ///
    /// # Safety
    ///
    /// Called by the VFS. `inode`: a live one of an `F`.
    unsafe extern "C" fn update_time(
        inode: *mut bindings::inode,
        kind: bindings::fs_update_time,
        flags: c_uint,
    ) -> c_int {
        const LAZY: c_int = bindings::inode_state_flags_enum_I_DIRTY_TIME as c_int;
        from_result(|| {
            // SAFETY: It is a live one of an `F`: clause `inode`.
            let this = unsafe { Inode::<F>::from_raw(inode) };
            if flags & bindings::IOCB_NOWAIT as c_uint != 0 && !this.sb().is_lazytime() {
                return Err(EAGAIN);
            }
            // SAFETY: It is live: clause `inode`.
            let dirty = unsafe { bindings::inode_update_time(inode, kind, flags) };
            if dirty <= 0 {
                return Ok(dirty);
            }
            if dirty == LAZY {
                // SAFETY: It is live: clause `inode`.
                unsafe { bindings::__mark_inode_dirty(inode, LAZY) };
                return Ok(0);
            }
            F::times_changed(this).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS. `inode`: a live one of an `F`.
    unsafe extern "C" fn sync_lazytime(inode: *mut bindings::inode) {
        // There is nobody to tell; the log has what went wrong, if it is more than want of memory.
        // SAFETY: It is a live one of an `F`: clause `inode`.
        let _ = F::times_changed(unsafe { Inode::from_raw(inode) });
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `dentry`: a positive one of an `F`, which keeps its inode for the call.
    /// - `answer`: a place for it, for this call alone.
    unsafe extern "C" fn fileattr_get(
        dentry: *mut bindings::dentry,
        answer: *mut kernel::bindings::file_kattr,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is an `F`'s and keeps its inode for the call: clause `dentry`.
            let inode = unsafe { Inode::<F>::of_dentry(dentry) }?;
            let flags = F::stat(inode).flags.0 | inode.dax_flag();
            // kernel::bindings has the type as opaque, ours is the same C type.
            // SAFETY: There is a place for the answer: clause `answer`.
            unsafe { bindings::fileattr_fill_flags(answer.cast(), flags) };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS, for somebody who may do this.
    /// - `dentry`: a positive one of an `F`, which keeps its inode for the call; that one's `i_rwsem` is
    ///   held exclusively.
    /// - `wanted`: what is to be set, for this call alone.
    unsafe extern "C" fn fileattr_set(
        _idmap: *mut bindings::mnt_idmap,
        dentry: *mut bindings::dentry,
        wanted: *mut kernel::bindings::file_kattr,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is there for the call, and nobody changes it: clause `wanted`; ours is the
            // same C type.
            let wanted = unsafe { &*wanted.cast::<bindings::file_kattr>() };
            // SAFETY: It is an `F`'s and keeps its inode for the call: clause `dentry`.
            let inode = unsafe { Inode::<F>::of_dentry(dentry) }?;
            // SAFETY: It is there for the call: clause `wanted`.
            let has_more = unsafe { bindings::daxrmap_fileattr_has_fsx(wanted) };
            let (kept, dax) = (wanted.flags & FileFlags::ALL, inode.dax_flag());
            if has_more || wanted.flags & !(FileFlags::ALL | dax) != 0 {
                return Err(eopnotsupp());
            }
            // `chattr -x` cannot be done. Who sets all flags to what he wants, and has never heard of
            // this one, means the others.
            if wanted.flags & dax != dax && kept == F::stat(inode).flags.0 {
                return Err(eopnotsupp());
            }
            // SAFETY: The VFS holds the lock for us: clause `dentry`; the guard is never dropped.
            let lock = ManuallyDrop::new(unsafe { InodeLock::assume_held(inode) });
            F::set_flags(&lock, FileFlags(kept)).map(|()| 0)
        })
    }
}

/// Those that all inodes have.
pub(crate) const fn common_inode_operations<F: Attributes + Xattrs>() -> bindings::inode_operations
{
    Table::<F>::COMMON
}

pub(in crate::vfs) fn symlink_inode_operations<F: Attributes + Xattrs>(
) -> &'static bindings::inode_operations {
    &Table::<F>::SYMLINK
}

pub(in crate::vfs) fn special_inode_operations<F: Attributes + Xattrs>(
) -> &'static bindings::inode_operations {
    &Table::<F>::COMMON
}
