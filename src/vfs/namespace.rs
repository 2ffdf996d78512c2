// SPDX-License-Identifier: GPL-2.0

//! Directories and attributes: inode operations, and the file operations of directories.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! As Documentation/filesystems/locking.rst says: the directories' `i_rwsem` exclusively for every
//! change, shared for `lookup` and `readdir`; the inode's own for `set_attr`; the victim's too in
//! `unlink`, `rmdir` and `rename`.

use super::{
    inode::{
        Owner,
        Time,
        Times, //
    },
    Dentry,
    FileData,
    FileSystem,
    Inode,
    InodeLock, //
};
use crate::{
    bindings,
    errno::enametoolong, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop, //
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::aref::ARef, //
};

/// What a new object is to be like, as the VFS tells it.
pub(crate) struct NewAttr {
    pub(super) idmap: *mut bindings::mnt_idmap,
    pub(super) mode: u16,
}

/// A change of attributes (chmod, chown, truncate, utimes), checked for permission.
pub(crate) struct SetAttr<'a, F: FileSystem> {
    idmap: *mut bindings::mnt_idmap,
    attr: &'a bindings::iattr,
    inode: &'a Inode<F>,
}

impl<F: FileSystem> SetAttr<'_, F> {
    /// The new size in bytes, if it is to change.
    pub(crate) fn size(&self) -> Option<u64> {
        let set = self.attr.ia_valid & bindings::ATTR_SIZE != 0;
        set.then(|| u64::try_from(self.attr.ia_size).unwrap_or(0))
    }

    /// Copies everything but the size into the inode in core, and returns what was there.
    pub(crate) fn copy(&self, _lock: &InodeLock<'_, F>) -> Owner {
        let before = self.inode.owner();
        // SAFETY: The inode is live, its `i_rwsem` held exclusively.
        unsafe { bindings::setattr_copy(self.idmap, self.inode.as_ptr(), self.attr) };
        before
    }
}

/// Where `readdir` puts entries.
pub(crate) struct DirEmitter<'a>(&'a mut bindings::dir_context);

impl DirEmitter<'_> {
    /// The position: the cookie of the next entry. 0 and 1 are `.` and `..`.
    pub(crate) fn pos(&self) -> u64 {
        u64::try_from(self.0.pos).unwrap_or(0)
    }

    /// Moves on.
    pub(crate) fn set_pos(&mut self, pos: u64) {
        self.0.pos = i64::try_from(pos).unwrap_or(i64::MAX);
    }

    /// Gives one entry; false when the buffer is full. May fault, so no lock that a fault of this
    /// filesystem takes may be held. `dtype` is a `DT_` number.
    pub(crate) fn emit(&mut self, name: &[u8], ino: u64, dtype: u8) -> bool {
        let Ok(len) = c_int::try_from(name.len()) else {
            return false;
        };
        // SAFETY: The context is the VFS's own; `len` bytes are at `name`.
        unsafe { bindings::daxrmap_dir_emit(self.0, name.as_ptr().cast(), len, ino, dtype.into()) }
    }
}

/// The namespace of a filesystem. Errors are those of the system calls' man pages.
pub(crate) trait Namespace: FileSystem {
    /// The inode that `name` in `dir` names; `None` if there is none.
    fn lookup(dir: &Inode<Self>, name: &[u8]) -> Result<Option<ARef<Inode<Self>>>>;
    /// Makes a regular file.
    fn create(dir: &Inode<Self>, dentry: &Dentry<Self>, attr: &NewAttr) -> Result;
    /// Makes a directory.
    fn mkdir(dir: &Inode<Self>, dentry: &Dentry<Self>, attr: &NewAttr) -> Result;
    /// Removes a name of a file.
    fn unlink(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Removes an empty directory.
    fn rmdir(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Renames; `no_replace`: an existing target is `EEXIST`.
    fn rename(
        old_dir: &Inode<Self>,
        old: &Dentry<Self>,
        new_dir: &Inode<Self>,
        new: &Dentry<Self>,
        no_replace: bool,
    ) -> Result;
    /// Gives the entries from `emitter.pos()` (2 or more) on.
    fn read_dir(dir: &Inode<Self>, emitter: &mut DirEmitter<'_>) -> Result;
    /// Changes attributes.
    fn set_attr(
        inode: &Inode<Self>,
        change: &SetAttr<'_, Self>,
        lock: &InodeLock<'_, Self>,
    ) -> Result;
    /// The times of `inode` in core have changed: make it so for good.
    fn times_changed(inode: &Inode<Self>) -> Result;
    /// Blocks that the file owns, for stat(2).
    fn blocks(inode: &Inode<Self>) -> u64;
    /// The time of birth.
    fn btime(inode: &Inode<Self>) -> Time;
    /// Gives extents to FIEMAP.
    fn fiemap(
        inode: &Inode<Self>,
        info: *mut kernel::bindings::fiemap_extent_info,
        start: u64,
        len: u64,
    ) -> Result;
}

struct Table<F>(PhantomData<F>);

impl<F: Namespace + FileData> Table<F> {
    const DIR_INODE: bindings::inode_operations = bindings::inode_operations {
        lookup: Some(Self::lookup),
        create: Some(Self::create),
        mkdir: Some(Self::mkdir),
        unlink: Some(Self::unlink),
        rmdir: Some(Self::rmdir),
        rename: Some(Self::rename),
        setattr: Some(Self::setattr),
        getattr: Some(Self::getattr),
        update_time: Some(Self::update_time),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    const FILE_INODE: bindings::inode_operations = bindings::inode_operations {
        setattr: Some(Self::setattr),
        getattr: Some(Self::getattr),
        update_time: Some(Self::update_time),
        fiemap: Some(Self::fiemap),
        // SAFETY: As above.
        ..unsafe { core::mem::zeroed() }
    };

    const DIR_FILE: bindings::file_operations = bindings::file_operations {
        llseek: Some(bindings::generic_file_llseek),
        read: Some(bindings::generic_read_dir),
        iterate_shared: Some(Self::iterate_shared),
        unlocked_ioctl: Some(super::ioctl::unlocked_ioctl::<F>),
        compat_ioctl: bindings::compat_ptr_ioctl,
        fsync: Some(bindings::noop_fsync),
        // SAFETY: As above.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS with a directory and a dentry of an `F`.
    unsafe extern "C" fn lookup(
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        _flags: c_uint,
    ) -> *mut bindings::dentry {
        // SAFETY: By the caller's promise.
        let dir = unsafe { Inode::<F>::from_raw(dir) };
        // SAFETY: By the caller's promise.
        let d = unsafe { Dentry::<F>::from_raw(dentry) };
        let found = if d.name().len() > bindings::NAME_MAX as usize {
            Err(enametoolong())
        } else {
            F::lookup(dir, d.name())
        };
        let inode = match found {
            Ok(Some(inode)) => ARef::into_raw(inode).as_ptr().cast(),
            Ok(None) => core::ptr::null_mut(),
            Err(e) => return e.to_ptr(),
        };
        // SAFETY: The reference to the inode, if any, passes to the dentry.
        unsafe { bindings::d_splice_alias(inode, dentry) }
    }

    /// # Safety
    ///
    /// Called by the VFS with a directory and a negative dentry of an `F`.
    unsafe extern "C" fn create(
        idmap: *mut bindings::mnt_idmap,
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        mode: bindings::umode_t,
        _excl: bool,
    ) -> c_int {
        // SAFETY: By the caller's promise.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: By the caller's promise.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        let mode = mode | bindings::S_IFREG as u16;
        from_result(|| F::create(dir, dentry, &NewAttr { idmap, mode }).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS with a directory and a negative dentry of an `F`.
    unsafe extern "C" fn mkdir(
        idmap: *mut bindings::mnt_idmap,
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        mode: bindings::umode_t,
    ) -> *mut bindings::dentry {
        // SAFETY: By the caller's promise.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: By the caller's promise.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        let mode = mode | bindings::S_IFDIR as u16;
        match F::mkdir(dir, dentry, &NewAttr { idmap, mode }) {
            Ok(()) => core::ptr::null_mut(),
            Err(e) => e.to_ptr(),
        }
    }

    /// # Safety
    ///
    /// Called by the VFS with a directory and a positive dentry of an `F`.
    unsafe extern "C" fn unlink(dir: *mut bindings::inode, dentry: *mut bindings::dentry) -> c_int {
        // SAFETY: By the caller's promise.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: By the caller's promise.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        from_result(|| F::unlink(dir, dentry).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS with a directory and a positive dentry of an `F`.
    unsafe extern "C" fn rmdir(dir: *mut bindings::inode, dentry: *mut bindings::dentry) -> c_int {
        // SAFETY: By the caller's promise.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: By the caller's promise.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        from_result(|| F::rmdir(dir, dentry).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS with directories and dentries of an `F`.
    unsafe extern "C" fn rename(
        _idmap: *mut bindings::mnt_idmap,
        old_dir: *mut bindings::inode,
        old: *mut bindings::dentry,
        new_dir: *mut bindings::inode,
        new: *mut bindings::dentry,
        flags: c_uint,
    ) -> c_int {
        from_result(|| {
            if flags & !bindings::RENAME_NOREPLACE != 0 {
                return Err(EINVAL);
            }
            // SAFETY: By the caller's promise.
            let old_dir = unsafe { Inode::from_raw(old_dir) };
            // SAFETY: By the caller's promise.
            let old = unsafe { Dentry::from_raw(old) };
            // SAFETY: By the caller's promise.
            let new_dir = unsafe { Inode::from_raw(new_dir) };
            // SAFETY: By the caller's promise.
            let new = unsafe { Dentry::from_raw(new) };
            F::rename(old_dir, old, new_dir, new, flags != 0).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS with a positive dentry of an `F`, its inode's `i_rwsem` held.
    unsafe extern "C" fn setattr(
        idmap: *mut bindings::mnt_idmap,
        dentry: *mut bindings::dentry,
        attr: *mut bindings::iattr,
    ) -> c_int {
        from_result(|| {
            // SAFETY: By the caller's promise.
            to_result(unsafe { bindings::setattr_prepare(idmap, dentry, attr) })?;
            // SAFETY: By the caller's promise.
            let inode = unsafe { Dentry::<F>::from_raw(dentry) }
                .inode()
                .ok_or(ENOENT)?;
            // SAFETY: The VFS holds the lock for us; the guard is never dropped.
            let lock = ManuallyDrop::new(unsafe { InodeLock::assume_held(inode) });
            let change = SetAttr {
                idmap,
                // SAFETY: The VFS's `iattr` lives for the call.
                attr: unsafe { &*attr },
                inode,
            };
            F::set_attr(inode, &change, &lock).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS with a path on an `F` and a place for the answer.
    unsafe extern "C" fn getattr(
        idmap: *mut bindings::mnt_idmap,
        path: *const bindings::path,
        stat: *mut bindings::kstat,
        mask: u32,
        _flags: c_uint,
    ) -> c_int {
        // SAFETY: By the caller's promise.
        let dentry = unsafe { (*path).dentry };
        // SAFETY: A path holds its dentry.
        let raw = unsafe { (*dentry).d_inode };
        // SAFETY: A path's dentry is positive.
        let inode = unsafe { Inode::<F>::from_raw(raw) };
        // SAFETY: By the caller's promise.
        unsafe { bindings::generic_fillattr(idmap, mask, raw, stat) };
        // SAFETY: By the caller's promise.
        let stat = unsafe { &mut *stat };
        stat.blocks = F::blocks(inode).saturating_mul(u64::from(bindings::PAGE_SIZE as u32) / 512);
        stat.btime = F::btime(inode).into_raw();
        stat.result_mask |= bindings::STATX_BTIME;
        0
    }

    /// # Safety
    ///
    /// Called by the VFS with an inode of an `F`.
    unsafe extern "C" fn update_time(
        inode: *mut bindings::inode,
        kind: bindings::fs_update_time,
        flags: c_uint,
    ) -> c_int {
        from_result(|| {
            if flags & bindings::IOCB_NOWAIT as c_uint != 0 {
                return Err(EAGAIN);
            }
            // SAFETY: By the caller's promise.
            let dirty = unsafe { bindings::inode_update_time(inode, kind, flags) };
            if dirty <= 0 {
                return Ok(dirty);
            }
            // SAFETY: By the caller's promise.
            F::times_changed(unsafe { Inode::from_raw(inode) }).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS with a regular file of an `F`.
    unsafe extern "C" fn fiemap(
        inode: *mut bindings::inode,
        info: *mut kernel::bindings::fiemap_extent_info,
        start: u64,
        len: u64,
    ) -> c_int {
        // SAFETY: By the caller's promise.
        from_result(|| F::fiemap(unsafe { Inode::from_raw(inode) }, info, start, len).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS with an open directory of an `F`.
    unsafe extern "C" fn iterate_shared(
        file: *mut bindings::file,
        ctx: *mut bindings::dir_context,
    ) -> c_int {
        from_result(|| {
            // SAFETY: By the caller's promise.
            if !unsafe { bindings::daxrmap_dir_emit_dots(file, ctx) } {
                return Ok(0);
            }
            // SAFETY: By the caller's promise.
            let inode = unsafe { Inode::<F>::of_file(file) };
            // SAFETY: By the caller's promise.
            let mut emitter = DirEmitter(unsafe { &mut *ctx });
            F::read_dir(inode, &mut emitter).map(|()| 0)
        })
    }
}

pub(super) fn dir_inode_operations<F: Namespace + FileData>() -> &'static bindings::inode_operations
{
    &Table::<F>::DIR_INODE
}

pub(super) fn file_inode_operations<F: Namespace + FileData>() -> &'static bindings::inode_operations
{
    &Table::<F>::FILE_INODE
}

pub(super) fn dir_file_operations<F: Namespace + FileData>() -> &'static bindings::file_operations {
    &Table::<F>::DIR_FILE
}

/// Times with access, modification and change all at `now`.
impl From<Time> for Times {
    fn from(now: Time) -> Self {
        Self {
            atime: now,
            mtime: now,
            ctime: now,
        }
    }
}
