// SPDX-License-Identifier: GPL-2.0

//! Attributes: stat(2), chmod(2), utimensat(2), chattr(1), and the inode operations of what has nothing
//! but attributes.
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h),
//! [`include/linux/fileattr.h`](srctree/include/linux/fileattr.h)
//!
//! # Locking
//!
//! As Documentation/filesystems/locking.rst says: the inode's `i_rwsem` exclusively for `set_attr` and
//! `set_flags`; none for the rest.

use super::{
    acl,
    answer::from_result,
    inode::{
        Owner,
        Time,
        Times, //
    },
    xattr,
    Acls,
    FileSystem,
    Inode,
    InodeLock,
    Xattrs, //
};
use crate::{
    bindings,
    dax,
    errno::eopnotsupp, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// What chattr(1) sets, as `FS_IOC_GETFLAGS` has it.
#[derive(Clone, Copy, Default)]
pub(crate) struct FileFlags(u32);

impl FileFlags {
    /// Nothing of it may change.
    pub(crate) const IMMUTABLE: u32 = bindings::FS_IMMUTABLE_FL;
    /// It may only grow.
    pub(crate) const APPEND: u32 = bindings::FS_APPEND_FL;
    /// dump(8) leaves it out.
    pub(crate) const NODUMP: u32 = bindings::FS_NODUMP_FL;
    /// Reading it does not change its time of access.
    pub(crate) const NOATIME: u32 = bindings::FS_NOATIME_FL;

    const ALL: u32 = Self::IMMUTABLE | Self::APPEND | Self::NODUMP | Self::NOATIME;

    /// What the VFS obeys (`i_flags`).
    const IN_CORE: u32 = bindings::S_IMMUTABLE | bindings::S_APPEND | bindings::S_NOATIME;

    /// Adds one of the above.
    pub(crate) fn insert(&mut self, flag: u32) {
        self.0 |= flag & Self::ALL;
    }

    /// Whether it has one of the above.
    pub(crate) fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    fn in_core(self) -> u32 {
        [
            (Self::IMMUTABLE, bindings::S_IMMUTABLE),
            (Self::APPEND, bindings::S_APPEND),
            (Self::NOATIME, bindings::S_NOATIME),
        ]
        .into_iter()
        .filter(|(flag, _)| self.has(*flag))
        .fold(0, |all, (_, in_core)| all | in_core)
    }
}

/// What chattr(1) and `FS_XFLAG_DAX` call DAX. It is not kept: every file is, and of a directory it says
/// that what is made there will be.
const DAX: u32 = bindings::FS_DAX_FL;

impl<F: FileSystem> Inode<F> {
    /// [`DAX`] for what can have it.
    fn dax_flag(&self) -> u32 {
        match u32::from(self.mode()) & bindings::S_IFMT {
            bindings::S_IFREG | bindings::S_IFDIR => DAX,
            _ => 0,
        }
    }

    /// Makes the VFS obey these flags. Caller: `i_rwsem`, or nobody else has the inode yet.
    pub(crate) fn set_flags(&self, flags: FileFlags) {
        // SAFETY: The inode is live.
        unsafe { bindings::inode_set_flags(self.as_ptr(), flags.in_core(), FileFlags::IN_CORE) };
    }
}

/// A change of attributes (chmod, chown, truncate, utimes), checked for permission.
///
/// # Invariants
///
/// - "call": `idmap` and `attr` are the VFS's, for a call that has not returned while this value lives.
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

    /// Whether the permissions are to change.
    pub(super) fn has_mode(&self) -> bool {
        self.attr.ia_valid & bindings::ATTR_MODE != 0
    }

    /// Copies everything but the size into the inode in core, and returns what was there.
    pub(crate) fn copy(&self, _lock: &InodeLock<'_, F>) -> Owner {
        let before = self.inode.owner();
        // SAFETY: The inode is live, its `i_rwsem` held exclusively. `idmap` and `attr` are the VFS's for
        // the call that this value is lent for: invariant "call".
        unsafe { bindings::setattr_copy(self.idmap, self.inode.as_ptr(), self.attr) };
        before
    }
}

/// What an inode in core does not have.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stat {
    /// Blocks that the file owns.
    pub(crate) blocks: u64,
    /// The time of birth.
    pub(crate) btime: Time,
    /// What chattr(1) has set.
    pub(crate) flags: FileFlags,
}

/// The attributes of a filesystem's inodes. Errors are those of the system calls' man pages.
pub(crate) trait Attributes: Acls {
    /// Changes attributes.
    fn set_attr(
        inode: &Inode<Self>,
        change: &SetAttr<'_, Self>,
        lock: &InodeLock<'_, Self>,
    ) -> Result;
    /// The times of `inode` in core have changed: make it so for good.
    fn times_changed(inode: &Inode<Self>) -> Result;
    /// What stat(2) and chattr(1) are to tell, besides what the inode in core has.
    fn stat(inode: &Inode<Self>) -> Stat;
    /// Sets that, for good and in core.
    fn set_flags(inode: &Inode<Self>, flags: FileFlags, lock: &InodeLock<'_, Self>) -> Result;
    /// Gives extents to FIEMAP.
    fn fiemap(inode: &Inode<Self>, call: &mut dax::Fiemap<'_>) -> Result;
}

/// The inode operations.
pub(super) struct Table<F>(PhantomData<F>);

impl<F: Attributes + Xattrs> Table<F> {
    /// Those that all inodes have.
    pub(super) const COMMON: bindings::inode_operations = bindings::inode_operations {
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

    const FILE: bindings::inode_operations = bindings::inode_operations {
        fiemap: Some(Self::fiemap),
        ..Self::COMMON
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
            let change = SetAttr {
                idmap,
                // SAFETY: It is there for the call, and nobody changes it from here on: clause `attr`.
                attr: unsafe { &*attr },
                inode,
            };
            F::set_attr(inode, &change, &lock).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS.
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
        // SAFETY: The inode is live, and there is a place for the answer: clauses `path` and
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
            F::set_flags(inode, FileFlags(kept), &lock).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS. `inode`: a live regular file of an `F`. `info`: for this call alone.
    unsafe extern "C" fn fiemap(
        inode: *mut bindings::inode,
        info: *mut kernel::bindings::fiemap_extent_info,
        start: u64,
        len: u64,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The inode is live during the call, and an `F`'s: clause `inode`.
            let inode = unsafe { Inode::from_raw(inode) };
            // kernel::bindings has the type as opaque, ours is the same C type.
            let info = NonNull::new(info.cast()).ok_or(EINVAL)?;
            // SAFETY: It is the VFS's for this call, and this is the one value for it: clause `info`.
            let mut call = unsafe { dax::Fiemap::new(info, start, len) };
            F::fiemap(inode, &mut call).map(|()| 0)
        })
    }
}

pub(super) fn file_inode_operations<F: Attributes + Xattrs>() -> &'static bindings::inode_operations
{
    &Table::<F>::FILE
}

pub(super) fn symlink_inode_operations<F: Attributes + Xattrs>(
) -> &'static bindings::inode_operations {
    &Table::<F>::SYMLINK
}

pub(super) fn special_inode_operations<F: Attributes + Xattrs>(
) -> &'static bindings::inode_operations {
    &Table::<F>::COMMON
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
