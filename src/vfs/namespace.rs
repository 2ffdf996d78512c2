// SPDX-License-Identifier: GPL-2.0

//! Directories: names that come, go and move.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! As Documentation/filesystems/locking.rst says: the directories' `i_rwsem` exclusively for every
//! change, shared for `lookup` and `read_dir`; the victim's too in `unlink`, `rmdir` and `rename`, the
//! inode's in `link`.

use super::{
    answer::{
        from_result,
        outside, //
    },
    attributes,
    Attributes,
    Dentry,
    DirEmitter,
    Inode,
    Xattrs, //
};
use crate::{
    bindings,
    dax::FileData,
    errno::enametoolong, //
};
use core::marker::PhantomData;
use kernel::{
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};

/// What a new object is to be like, as the VFS tells it.
///
/// # Invariants
///
/// - "idmap": `idmap` is the VFS's, for a call that has not returned while this value lives. It is made in
///   the callbacks below, which keep it, and lend it to the filesystem.
pub(crate) struct NewAttr<'a> {
    pub(super) idmap: *mut bindings::mnt_idmap,
    pub(super) mode: u16,
    rdev: u32,
    target: &'a [u8],
}

impl<'a> NewAttr<'a> {
    fn new(idmap: *mut bindings::mnt_idmap, mode: u16, kind: u32) -> Self {
        // INVARIANT: "idmap": it is called by the callbacks below only, with what they got.
        Self {
            idmap,
            mode: mode | kind as u16,
            rdev: 0,
            target: &[],
        }
    }

    /// The number of a device: the major one times 2^20 plus the minor one. 0 for all else.
    pub(crate) fn rdev(&self) -> u32 {
        self.rdev
    }

    /// Where a symbolic link leads; nothing for all else.
    pub(crate) fn target(&self) -> &'a [u8] {
        self.target
    }

    /// Whether it is a directory.
    pub(crate) fn is_dir(&self) -> bool {
        u32::from(self.mode) & bindings::S_IFMT == bindings::S_IFDIR
    }

    /// Whether it is a symbolic link.
    pub(crate) fn is_symlink(&self) -> bool {
        u32::from(self.mode) & bindings::S_IFMT == bindings::S_IFLNK
    }
}

/// What rename does, see renameat2(2).
pub(crate) enum Rename<'a> {
    /// Replaces what has the new name.
    Replace,
    /// `EEXIST` if something has it.
    NoReplace,
    /// Gives it the old name.
    Exchange,
    /// Replaces, and leaves a whiteout at the old name, for overlayfs: a device of number 0.
    Whiteout(NewAttr<'a>),
}

/// The namespace of a filesystem. Errors are those of the system calls' man pages.
pub(crate) trait Namespace: Attributes + Xattrs {
    /// The inode that `name` in `dir` names; `None` if there is none.
    fn lookup(dir: &Inode<Self>, name: &[u8]) -> Result<Option<ARef<Inode<Self>>>>;
    /// Makes a file, directory, symbolic link, device, FIFO or socket.
    fn make(dir: &Inode<Self>, dentry: &Dentry<Self>, attr: &NewAttr<'_>) -> Result;
    /// Makes a regular file without a name, as if in `dir`.
    fn make_unnamed(dir: &Inode<Self>, attr: &NewAttr<'_>) -> Result<ARef<Inode<Self>>>;
    /// Gives an inode one more name.
    fn link(inode: &Inode<Self>, dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Removes a name of anything but a directory.
    fn unlink(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Removes an empty directory.
    fn rmdir(dir: &Inode<Self>, dentry: &Dentry<Self>) -> Result;
    /// Renames.
    fn rename(
        old_dir: &Inode<Self>,
        old: &Dentry<Self>,
        new_dir: &Inode<Self>,
        new: &Dentry<Self>,
        how: &Rename<'_>,
    ) -> Result;
    /// Gives the entries from `emitter.pos()` (2 or more) on.
    fn read_dir(dir: &Inode<Self>, emitter: &mut DirEmitter<'_>) -> Result;
}

struct Table<F>(PhantomData<F>);

impl<F: Namespace + FileData> Table<F> {
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
        ..attributes::Table::<F>::COMMON
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
        let attr = NewAttr::new(idmap, mode, bindings::S_IFREG);
        from_result(|| F::make(dir, dentry, &attr).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
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
        match F::make(dir, dentry, &NewAttr::new(idmap, mode, bindings::S_IFDIR)) {
            Ok(()) => core::ptr::null_mut(),
            Err(e) => outside(e).to_ptr(),
        }
    }

    /// # Safety
    ///
    /// Called by the VFS.
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
            ..NewAttr::new(idmap, mode, 0)
        };
        from_result(|| F::make(dir, dentry, &attr).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
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
            ..NewAttr::new(idmap, 0o777, bindings::S_IFLNK)
        };
        from_result(|| F::make(dir, dentry, &attr).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the VFS.
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
            let attr = NewAttr::new(idmap, mode, bindings::S_IFREG);
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
            let how = match flags {
                0 => Rename::Replace,
                bindings::RENAME_NOREPLACE => Rename::NoReplace,
                bindings::RENAME_EXCHANGE => Rename::Exchange,
                bindings::RENAME_WHITEOUT => {
                    Rename::Whiteout(NewAttr::new(idmap, 0, bindings::S_IFCHR))
                }
                // The VFS refuses contradictions, but not a whiteout where nothing may be.
                NOREPLACE_WHITEOUT => {
                    // SAFETY: It is an `F`'s, and under its parent's lock: clause `new`.
                    if unsafe { Dentry::<F>::from_raw(new) }.inode().is_some() {
                        return Err(EEXIST);
                    }
                    Rename::Whiteout(NewAttr::new(idmap, 0, bindings::S_IFCHR))
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

pub(super) fn dir_inode_operations<F: Namespace + FileData>() -> &'static bindings::inode_operations
{
    &Table::<F>::DIR_INODE
}
