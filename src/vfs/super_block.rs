// SPDX-License-Identifier: GPL-2.0

//! A mounted super block, and the super operations.
//!
//! C header: [`include/linux/fs/super_types.h`](srctree/include/linux/fs.h)

use super::{
    answer::from_result,
    file_cache,
    fs_type::Info,
    options,
    FileSystem,
    Inode,
    Namespace,
    NewInode,
    UnnumberedInode, //
};
use crate::{bindings, dax::FileData};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::from_err_ptr,
    prelude::*,
    sync::aref::ARef,
    types::Opaque, //
};

/// A super block of filesystem `F`.
///
/// # Invariants
///
/// - "info": the super block is live, and `s_fs_info` points to an `Info<F>`. That lives until `kill_sb`
///   ends, which is longer than anybody uses the super block. Fields that others may write are read and
///   written as the VFS does it, never through a `&mut`.
#[repr(transparent)]
pub(crate) struct SuperBlock<F: FileSystem> {
    inner: Opaque<bindings::super_block>,
    _fs: PhantomData<F>,
}

// SAFETY: A super block is used by all CPUs.
unsafe impl<F: FileSystem> Send for SuperBlock<F> {}
// SAFETY: All methods follow the VFS's rules for concurrent access.
unsafe impl<F: FileSystem> Sync for SuperBlock<F> {}

/// The number of a mount's block device, as the kernel has it: what tracepoints name a mount by.
#[derive(Clone, Copy)]
pub(crate) struct Dev(pub(super) bindings::dev_t);

impl Dev {
    /// The number.
    pub(crate) fn as_raw(self) -> bindings::dev_t {
        self.0
    }
}

/// The device's name, as in the log.
///
/// # Safety
///
/// `sb`: live for `'a`, mounted or not, and has its name.
pub(super) unsafe fn device_name<'a>(sb: *const bindings::super_block) -> &'a CStr {
    // SAFETY: It is live, and no reference is made: clause `sb`.
    let id = unsafe { &raw const (*sb).s_id };
    // SAFETY: `s_id` is a nul-terminated string in the super block, and does not change: clause `sb`.
    unsafe { CStr::from_char_ptr(id.cast()) }
}

impl<F: FileSystem> SuperBlock<F> {
    /// # Safety
    ///
    /// `ptr`: a super block of an `F` whose `s_fs_info` is set, and which lives for `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *const bindings::super_block) -> &'a Self {
        // INVARIANT: "info": clause `ptr`.
        // SAFETY: It is live for `'a`: clause `ptr`; the layout is transparent, and of C's fields
        // only `Opaque` has any.
        unsafe { &*ptr.cast() }
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::super_block {
        self.inner.get()
    }

    fn info(&self) -> &Info<F> {
        // SAFETY: The super block is live: invariant "info"; the field is set once.
        let info = unsafe { (*self.as_ptr()).s_fs_info };
        // SAFETY: It points to one, which lives longer: invariant "info".
        unsafe { &*info.cast() }
    }

    /// The filesystem's own data.
    pub(crate) fn fs(&self) -> &F {
        &self.info().fs
    }

    /// The device's name, as in the log.
    pub(crate) fn id(&self) -> &CStr {
        // SAFETY: The super block is live while `self` is: invariant "info".
        unsafe { device_name(self.as_ptr()) }
    }

    /// Whether the mount is not to change anything.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: The super block is live; a racing remount gives the old or the new value.
        let flags = unsafe { (*self.as_ptr()).s_flags };
        flags & bindings::SB_RDONLY as usize != 0
    }

    /// Whether times may be kept in core only, for a while.
    pub(super) fn is_lazytime(&self) -> bool {
        // SAFETY: The super block is live; a racing remount gives the old or the new value.
        let flags = unsafe { (*self.as_ptr()).s_flags };
        flags & bindings::SB_LAZYTIME as usize != 0
    }

    /// What statfs(2) names the filesystem by, as `uuid_to_fsid` makes it (linux/statfs.h).
    fn fsid(&self) -> u64 {
        // SAFETY: The super block is live; the field is set once.
        let uuid = u128::from_le_bytes(unsafe { (*self.as_ptr()).s_uuid.b });
        (uuid as u64) ^ (uuid >> 64) as u64
    }

    /// The mount, as tracepoints name it.
    pub(crate) fn dev(&self) -> Dev {
        // SAFETY: The super block is live; the field does not change.
        Dev(unsafe { (*self.as_ptr()).s_dev })
    }

    /// The block device's number, as user space has it (`new_encode_dev`, linux/kdev_t.h).
    pub(crate) fn device_number(&self) -> u32 {
        // SAFETY: The super block is live; the field does not change.
        let dev = unsafe { (*self.as_ptr()).s_dev };
        let (major, minor) = (dev >> 20, dev & 0xf_ffff);
        (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
    }

    /// The inode `ino` if it is in core now, with a reference. Never waits: one that is being set up
    /// counts as absent.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if it is being torn down.
    pub(crate) fn in_core(&self, ino: u64) -> Result<Option<ARef<Inode<F>>>> {
        // SAFETY: The super block is live.
        let found = unsafe { bindings::daxrmap_in_core(self.as_ptr(), ino) };
        // SAFETY: The helper returned a reference to an inode of this super block.
        Ok(NonNull::new(from_err_ptr(found)?).map(|inode| unsafe { Inode::from_raw_owned(inode) }))
    }

    /// An inode that stands in for the one of this number and generation where only these matter: as
    /// what a file handle is made of. Nobody can find or open it, it has no type and no data, and it
    /// goes with its last reference. Waits for nobody but memory.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn stand_in(&self, ino: u64, generation: u32) -> Result<ARef<Inode<F>>> {
        // SAFETY: The super block is live.
        let raw = unsafe { bindings::new_inode(self.as_ptr()) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: It is new and not hashed: nobody else uses its fields.
        unsafe { (*raw.as_ptr()).i_ino = ino };
        // SAFETY: It is new and not hashed: nobody else uses its fields.
        unsafe { (*raw.as_ptr()).i_generation = generation };
        // SAFETY: An initialised inode of this super block, whose only reference `new_inode` gave. It
        // has a link (`inode_init_always`), so that evicting it frees nothing.
        Ok(unsafe { Inode::from_raw_owned(raw) })
    }
}

impl<F: FileSystem + Namespace + FileData> SuperBlock<F> {
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
        // SAFETY: The super block is live.
        let raw = unsafe { bindings::iget_locked(self.as_ptr(), ino) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: `iget_locked` returned a live inode, with a reference.
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
        // SAFETY: The super block is live.
        let raw = unsafe { bindings::new_inode(self.as_ptr()) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: It is new, one of this super block, not hashed, and came with the only reference.
        Ok(unsafe { UnnumberedInode::from_raw(raw) })
    }
}

/// The super operations of `F`.
struct Table<F>(PhantomData<F>);

impl<F: FileSystem> Table<F> {
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
    /// Called by the VFS. `inode`: one of an `F` whose last reference is gone, so that nobody else uses it;
    /// it is freed after the call.
    unsafe extern "C" fn evict_inode(inode: *mut bindings::inode) {
        // SAFETY: It is live until this function returns, and so is the super block: clause `inode`.
        let inode = unsafe { Inode::<F>::from_raw(inode) };
        if inode.is_regular() {
            crate::dax::break_layout_final(inode);
        }
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
        // SAFETY: It is live and was mounted: clause `sb`. So its `s_fs_info` is set, until `kill_sb` ends.
        unsafe { SuperBlock::<F>::from_raw(sb) }
            .info()
            .gate
            .emptied();
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
    /// Called by the VFS. `sb`: a mounted one of an `F` that nobody writes to any more, its `s_umount` held
    /// exclusively.
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

pub(super) fn super_operations<F: FileSystem>() -> &'static bindings::super_operations {
    &Table::<F>::OPS
}
