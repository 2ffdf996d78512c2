// SPDX-License-Identifier: GPL-2.0

//! The inode operations and file operations of directories: from the VFS's calls to [`Namespace`]'s.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! As [`Namespace`] says. For `iterate_shared` the VFS holds the directory's `i_rwsem`, shared, and the
//! open file's `f_pos_lock`.

use super::inode::common_inode_operations;
use crate::{
    bindings,
    errno::enametoolong,
    vfs::{
        answer::{
            from_result,
            outside, //
        },
        ioctl::unlocked_ioctl,
        Dentry,
        DirEmitter,
        Inode,
        Namespace,
        NewAttr,
        Rename, //
    },
};
use core::marker::PhantomData;
use kernel::{
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};

struct Table<F>(PhantomData<F>);

impl<F: Namespace> Table<F> {
    const DIR_INODE: bindings::inode_operations = bindings::inode_operations {
        lookup: Some(Self::lookup),
        create: Some(Self::create),
        mkdir: Some(Self::mkdir),
        mknod: Some(Self::mknod),
        symlink: Some(Self::symlink),
        tmpfile: Some(Self::tmpfile),
        link: Some(Self::link),
        unlink: Some(Self::unlink),
        rmdir: Some(Self::rmdir),
        rename: Some(Self::rename),
        ..common_inode_operations::<F>()
    };

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held at least shared.
    /// - `dentry`: one in it that is being looked up, whose name stays and which has no inode.
    unsafe extern "C" fn lookup(
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        _flags: c_uint,
    ) -> *mut bindings::dentry {
        // SAFETY: It is a live inode of an `F`: clause `dir`.
        let dir = unsafe { Inode::<F>::from_raw(dir) };
        // SAFETY: It is an `F`'s, and under its parent's lock: clause `dentry`.
        let d = unsafe { Dentry::<F>::from_raw(dentry) };
        let found = if d.name().len() > bindings::NAME_MAX as usize {
            Err(enametoolong())
        } else {
            F::lookup(dir, d.name())
        };
        let inode = match found {
            Ok(Some(inode)) => ARef::into_raw(inode).as_ptr().cast(),
            Ok(None) => core::ptr::null_mut(),
            Err(e) => return outside(e).to_ptr(),
        };
        // SAFETY: The dentry is being looked up: clause `dentry`. The reference to the inode, if any,
        // passes to it.
        unsafe { bindings::d_splice_alias(inode, dentry) }
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held exclusively.
    /// - `dentry`: a negative one in it.
    unsafe extern "C" fn create(
        idmap: *mut bindings::mnt_idmap,
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        mode: bindings::umode_t,
        #[cfg(create_has_excl)] _excl: bool,
    ) -> c_int {
        // SAFETY: It is a live inode of an `F`: clause `dir`.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: It is an `F`'s, and under its parent's lock: clause `dentry`.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        // SAFETY: It is the VFS's for this call: clause `idmap`.
        let attr = unsafe { NewAttr::new(idmap, mode, bindings::S_IFREG) };
        from_result(|| F::make(dir, dentry, &attr).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held exclusively.
    /// - `dentry`: a negative one in it.
    unsafe extern "C" fn mkdir(
        idmap: *mut bindings::mnt_idmap,
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        mode: bindings::umode_t,
    ) -> *mut bindings::dentry {
        // SAFETY: It is a live inode of an `F`: clause `dir`.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: It is an `F`'s, and under its parent's lock: clause `dentry`.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        // SAFETY: It is the VFS's for this call: clause `idmap`.
        let attr = unsafe { NewAttr::new(idmap, mode, bindings::S_IFDIR) };
        match F::make(dir, dentry, &attr) {
            Ok(()) => core::ptr::null_mut(),
            Err(e) => outside(e).to_ptr(),
        }
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held exclusively.
    /// - `dentry`: a negative one in it.
    unsafe extern "C" fn mknod(
        idmap: *mut bindings::mnt_idmap,
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        mode: bindings::umode_t,
        rdev: bindings::dev_t,
    ) -> c_int {
        // SAFETY: It is a live inode of an `F`: clause `dir`.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: It is an `F`'s, and under its parent's lock: clause `dentry`.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        let attr = NewAttr {
            rdev,
            // SAFETY: It is the VFS's for this call: clause `idmap`.
            ..unsafe { NewAttr::new(idmap, mode, 0) }
        };
        from_result(|| F::make(dir, dentry, &attr).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held exclusively.
    /// - `dentry`: a negative one in it.
    /// - `target`: a string, for the call.
    unsafe extern "C" fn symlink(
        idmap: *mut bindings::mnt_idmap,
        dir: *mut bindings::inode,
        dentry: *mut bindings::dentry,
        target: *const c_char,
    ) -> c_int {
        // SAFETY: It is a live inode of an `F`: clause `dir`.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: It is an `F`'s, and under its parent's lock: clause `dentry`.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        // SAFETY: It is a string for the call: clause `target`.
        let target = unsafe { CStr::from_char_ptr(target) }.to_bytes();
        let attr = NewAttr {
            target,
            // SAFETY: It is the VFS's for this call: clause `idmap`.
            ..unsafe { NewAttr::new(idmap, 0o777, bindings::S_IFLNK) }
        };
        from_result(|| F::make(dir, dentry, &attr).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `dir`: a live directory of an `F`.
    /// - `file`: it is to be opened, is nobody else's as yet, and has a dentry that is negative and has
    ///   no name.
    unsafe extern "C" fn tmpfile(
        idmap: *mut bindings::mnt_idmap,
        dir: *mut bindings::inode,
        file: *mut bindings::file,
        mode: bindings::umode_t,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is a live inode of an `F`: clause `dir`.
            let dir = unsafe { Inode::<F>::from_raw(dir) };
            // SAFETY: It is the VFS's for this call: clause `idmap`.
            let attr = unsafe { NewAttr::new(idmap, mode, bindings::S_IFREG) };
            let inode = ARef::into_raw(F::make_unnamed(dir, &attr)?).as_ptr().cast();
            // SAFETY: The file's dentry is negative, has no name, and is ours alone: clause `file`.
            // The inode is live.
            unsafe { bindings::d_mark_tmpfile(file, inode) };
            // SAFETY: The file has its dentry by now: clause `file`.
            let dentry = unsafe { (*file).__bindgen_anon_1.f_path.dentry };
            // SAFETY: The dentry is negative, as `d_mark_tmpfile` leaves it. The reference to the inode
            // passes to it.
            unsafe { bindings::d_instantiate(dentry, inode) };
            // SAFETY: The file is not open yet: clause `file`; the dentry is positive now.
            to_result(unsafe { bindings::finish_open(file, dentry, None) })?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `old`: a positive dentry of an `F`, no directory's, which keeps its inode for the call.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held exclusively.
    /// - `new`: a negative dentry in it.
    unsafe extern "C" fn link(
        old: *mut bindings::dentry,
        dir: *mut bindings::inode,
        new: *mut bindings::dentry,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It keeps its inode, which is an `F`'s, while it is in use: clause `old`.
            let inode = unsafe { Inode::<F>::of_dentry(old) }?;
            // SAFETY: It is a live inode of an `F`: clause `dir`.
            let dir = unsafe { Inode::from_raw(dir) };
            // SAFETY: It is an `F`'s, and under its parent's lock: clause `new`.
            let dentry = unsafe { Dentry::from_raw(new) };
            F::link(inode, dir, dentry)?;
            let inode = ARef::into_raw(ARef::from(inode)).as_ptr().cast();
            // SAFETY: The dentry is negative: clause `new`. A reference to the inode passes to it.
            unsafe { bindings::d_instantiate(new, inode) };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held exclusively.
    /// - `dentry`: a positive one in it.
    unsafe extern "C" fn unlink(dir: *mut bindings::inode, dentry: *mut bindings::dentry) -> c_int {
        // SAFETY: It is a live inode of an `F`: clause `dir`.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: It is an `F`'s, and under its parent's lock: clause `dentry`.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        from_result(|| F::unlink(dir, dentry).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `dir`: a live directory of an `F`, its `i_rwsem` held exclusively.
    /// - `dentry`: a positive one in it.
    unsafe extern "C" fn rmdir(dir: *mut bindings::inode, dentry: *mut bindings::dentry) -> c_int {
        // SAFETY: It is a live inode of an `F`: clause `dir`.
        let dir = unsafe { Inode::from_raw(dir) };
        // SAFETY: It is an `F`'s, and under its parent's lock: clause `dentry`.
        let dentry = unsafe { Dentry::from_raw(dentry) };
        from_result(|| F::rmdir(dir, dentry).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `idmap`: the VFS's, for this call.
    /// - `old_dir`, `new_dir`: live directories of an `F`, their `i_rwsem` held exclusively.
    /// - `old`: a positive dentry in `old_dir`.
    /// - `new`: a dentry in `new_dir`.
    unsafe extern "C" fn rename(
        idmap: *mut bindings::mnt_idmap,
        old_dir: *mut bindings::inode,
        old: *mut bindings::dentry,
        new_dir: *mut bindings::inode,
        new: *mut bindings::dentry,
        flags: c_uint,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is the VFS's for this call: clause `idmap`.
            let whiteout = || unsafe { NewAttr::new(idmap, 0, bindings::S_IFCHR) };
            let how = match flags {
                0 => Rename::Replace,
                bindings::RENAME_NOREPLACE => Rename::NoReplace,
                bindings::RENAME_EXCHANGE => Rename::Exchange,
                bindings::RENAME_WHITEOUT => Rename::Whiteout(whiteout()),
                // The VFS refuses contradictions, but not a whiteout where nothing may be.
                NOREPLACE_WHITEOUT => {
                    // SAFETY: It is an `F`'s, and under its parent's lock: clause `new`.
                    if unsafe { Dentry::<F>::from_raw(new) }.inode().is_some() {
                        return Err(EEXIST);
                    }
                    Rename::Whiteout(whiteout())
                }
                _ => return Err(EINVAL),
            };
            // SAFETY: It is a live inode of an `F`: clause `old_dir`.
            let old_dir = unsafe { Inode::from_raw(old_dir) };
            // SAFETY: It is an `F`'s, and under its parent's lock: clause `old`.
            let old = unsafe { Dentry::from_raw(old) };
            // SAFETY: It is a live inode of an `F`: clause `new_dir`.
            let new_dir = unsafe { Inode::from_raw(new_dir) };
            // SAFETY: It is an `F`'s, and under its parent's lock: clause `new`.
            let new = unsafe { Dentry::from_raw(new) };
            F::rename(old_dir, old, new_dir, new, &how).map(|()| 0)
        })
    }
}

const NOREPLACE_WHITEOUT: c_uint = bindings::RENAME_NOREPLACE | bindings::RENAME_WHITEOUT;

pub(in crate::vfs) fn dir_inode_operations<F: Namespace>() -> &'static bindings::inode_operations {
    &Table::<F>::DIR_INODE
}

struct FileTable<F>(PhantomData<F>);

impl<F: Namespace> FileTable<F> {
    const DIR_FILE: bindings::file_operations = bindings::file_operations {
        llseek: Some(Self::llseek),
        read: Some(bindings::generic_read_dir),
        iterate_shared: Some(Self::iterate_shared),
        unlocked_ioctl: Some(unlocked_ioctl::<F>),
        compat_ioctl: bindings::compat_ptr_ioctl,
        fsync: Some(Self::fsync),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// Any position will do. What the file remembers is of the old one.
    ///
    /// # Safety
    ///
    /// Called by the VFS. `file`: an open directory of an `F`, whose position is the caller's for the
    /// call.
    unsafe extern "C" fn llseek(
        file: *mut bindings::file,
        offset: bindings::loff_t,
        whence: c_int,
    ) -> bindings::loff_t {
        // SAFETY: The file is open, its position the caller's: clause `file`.
        let was = unsafe { (*file).f_pos };
        // SAFETY: The file is open: clause `file`.
        let pos = unsafe { bindings::generic_file_llseek(file, offset, whence) };
        if pos != was {
            // SAFETY: The file is open, and what goes with its position is the caller's: clause `file`.
            unsafe { (*file).private_data = core::ptr::null_mut() };
        }
        pos
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `file`: an open directory of an `F`, whose position is the caller's for the call.
    /// - `ctx`: where its entries go, for this call alone.
    unsafe extern "C" fn iterate_shared(
        file: *mut bindings::file,
        ctx: *mut bindings::dir_context,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The file is open, and its position ours: clauses `file` and `ctx`.
            if !unsafe { bindings::daxrmap_dir_emit_dots(file, ctx) } {
                return Ok(0);
            }
            // SAFETY: The file is open, and an `F`'s: clause `file`.
            let inode = unsafe { Inode::<F>::of_file(file) };
            // SAFETY: It is there for this call alone: clause `ctx`.
            let ctx = unsafe { &mut *ctx };
            // SAFETY: The file is open, its position the caller's: clause `file`. The context is the
            // VFS's for this call: clause `ctx`.
            let mut emitter = unsafe { DirEmitter::new(ctx, file) };
            F::read_dir(inode, &mut emitter).map(|()| 0)
        })
    }

    /// Names are durable when the call that has made them returns.
    ///
    /// # Safety
    ///
    /// Called by the VFS. `file`: an open directory of an `F`.
    unsafe extern "C" fn fsync(
        file: *mut bindings::file,
        _start: bindings::loff_t,
        _end: bindings::loff_t,
        _datasync: c_int,
    ) -> c_int {
        // SAFETY: The directory is open, and of an `F`: clause `file`.
        let inode = unsafe { Inode::<F>::of_file(file) };
        from_result(|| inode.fs().sync().map(|()| 0))
    }
}

pub(in crate::vfs) fn dir_file_operations<F: Namespace>() -> &'static bindings::file_operations {
    &FileTable::<F>::DIR_FILE
}
