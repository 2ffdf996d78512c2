// SPDX-License-Identifier: GPL-2.0

//! Filesystem types: registration, mount, unmount.
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h),
//! [`include/linux/fs_context.h`](srctree/include/linux/fs_context.h)
//!
//! # Locking
//!
//! `mount` and the unmount callbacks run with `s_umount` held exclusively.

use super::{
    gate::{
        Gate,
        MountInfo, //
    },
    options,
    super_operations::super_operations, //
};
use crate::{
    bindings,
    vfs::{
        attr::{
            acl,
            xattr, //
        },
        names::export,
        super_block,
        Export,
        Mountable,
        NewSuper,
        Registration,
        SuperBlock, //
    },
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::aref::ARef,
    types::Opaque, //
};

impl<F: Mountable + Export> Registration<F> {
    /// Registers `F`.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the name is taken.
    pub(crate) fn new(
        _ready: F::Ready,
        module: &'static ThisModule,
        common: F::Common,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // Before the type is registered: a mount may come at once.
            common,
            inner <- Opaque::try_ffi_init(move |slot: *mut bindings::file_system_type| {
                let fs_type = bindings::file_system_type {
                    owner: module.as_ptr(),
                    name: F::NAME.as_char_ptr(),
                    fs_flags: (bindings::FS_REQUIRES_DEV
                        | bindings::FS_ALLOW_IDMAP
                        | bindings::FS_MGTIME) as c_int,
                    init_fs_context: Some(Table::<F>::init_fs_context),
                    kill_sb: Some(Table::<F>::kill_sb),
                    // SAFETY: Numbers, pointers that may be null, an empty list, and lock classes,
                    // which are static in C: zeroes are right for all of them.
                    ..unsafe { core::mem::zeroed() }
                };
                // SAFETY: `slot` is a place for it, and ours alone as yet: `try_ffi_init`.
                unsafe { slot.write(fs_type) };
                // INVARIANT: "registered": if this succeeds; else there is no `Registration`.
                // SAFETY: `slot` is pinned, was initialised above, and is unregistered before it
                // goes.
                to_result(unsafe { bindings::register_filesystem(slot) })
            }),
        })
    }
}

struct Table<F>(PhantomData<F>);

impl<F: Mountable + Export> Table<F> {
    const CONTEXT_OPS: bindings::fs_context_operations = bindings::fs_context_operations {
        parse_param: Some(options::parse),
        get_tree: Some(Self::get_tree),
        reconfigure: Some(Self::reconfigure),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS. `fc`: a new context, which nobody else uses yet.
    unsafe extern "C" fn init_fs_context(fc: *mut kernel::bindings::fs_context) -> c_int {
        // kernel::bindings has the type as opaque, ours is the same C type.
        let fc = fc.cast::<bindings::fs_context>();
        // SAFETY: The context is live, and the field ours to set: clause `fc`.
        unsafe { (*fc).ops = &Self::CONTEXT_OPS };
        0
    }

    /// # Safety
    ///
    /// Called by the VFS. `fc`: a context that `init_fs_context` was called for.
    unsafe extern "C" fn get_tree(fc: *mut bindings::fs_context) -> c_int {
        // SAFETY: The context is live and of our type: clause `fc`. `fill_super` gets what it wants:
        // a new super block, its device open (`setup_bdev_super`, before the callback).
        unsafe { bindings::get_tree_bdev(fc, Some(Self::fill_super)) }
    }

    /// # Safety
    ///
    /// Called by the VFS. `fc`: a context for a remount, with the root of a mounted super block of an `F`,
    /// whose `s_umount` is held exclusively.
    unsafe extern "C" fn reconfigure(fc: *mut bindings::fs_context) -> c_int {
        from_result(|| {
            // SAFETY: The context is live: clause `fc`.
            let root = unsafe { (*fc).root };
            // SAFETY: The context is live: clause `fc`.
            let flags = unsafe { (*fc).sb_flags };
            // SAFETY: The context has a reference to the root: clause `fc`.
            let sb = unsafe { (*root).d_sb };
            // SAFETY: The super block is a mounted one of an `F`, for the call: clause `fc`.
            let sb = unsafe { SuperBlock::<F>::from_raw(sb) };
            let read_only = flags & bindings::SB_RDONLY != 0;
            if read_only && !sb.is_read_only() {
                // What user space wrote by mmap, and times that were in core only.
                // SAFETY: The super block is mounted, its `s_umount` held: clause `fc`.
                to_result(unsafe { bindings::sync_filesystem(sb.as_ptr()) })?;
            }
            if read_only != sb.is_read_only() {
                sb.fs().reconfigure(read_only)?;
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by `get_tree_bdev`. `raw`: a new super block of an `F`'s type, whose device is open, and
    /// which this task is to fill.
    unsafe extern "C" fn fill_super(
        raw: *mut bindings::super_block,
        _fc: *mut bindings::fs_context,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The super block is live for the call: clause `raw`.
            let gate = Gate::new(unsafe { super_block::device_name(raw) })?;
            let sb = NonNull::new(raw).ok_or(EINVAL)?;
            // SAFETY: It is new, its device open, and this task's to fill: clause `raw`. `kill_sb`, which
            // ends it, comes after this function.
            let new = unsafe { NewSuper::<F>::new(sb, gate.clone()) };
            // SAFETY: `raw` is new, this task's to fill: clause `raw`.
            unsafe { Self::set_constants(raw) };
            // SAFETY: The device is open: clause `raw`; nothing of it is cached with another size.
            if unsafe { bindings::sb_set_blocksize(raw, bindings::PAGE_SIZE as c_int) } == 0 {
                return Err(EINVAL);
            }
            let fs = F::mount(&new)?;
            let info = KBox::into_raw(KBox::new(MountInfo::new(fs, gate), GFP_KERNEL)?);
            // SAFETY: The super block is live, the field this task's to set: clause `raw`.
            unsafe { (*raw).s_fs_info = info.cast() };
            // SAFETY: It is one of an `F`: clause `raw`; `s_fs_info` was set above.
            let root = F::root(unsafe { SuperBlock::<F>::from_raw(raw) })?;
            // SAFETY: The reference to the inode passes to the dentry, or is dropped.
            let root = unsafe { bindings::d_make_root(ARef::into_raw(root).as_ptr().cast()) };
            if root.is_null() {
                return Err(ENOMEM);
            }
            // SAFETY: The super block is live, the field this task's to set: clause `raw`. It owns
            // the dentry from here on.
            unsafe { (*raw).s_root = root };
            // SAFETY: The mount is complete: clause `sb`. `kill_sb` closes the gate first of all:
            // clause "close".
            unsafe { new.gate().open(sb) };
            Ok(0)
        })
    }

    /// Sets what is the same for every mount.
    ///
    /// # Safety
    ///
    /// `raw`: a live super block of an `F`'s type, which this task is to fill.
    unsafe fn set_constants(raw: *mut bindings::super_block) {
        // SAFETY: The super block is live, the field this task's to change: clause `raw`.
        unsafe { (*raw).s_flags |= acl::SB_FLAG };
        // SAFETY: The super block is live, the field this task's to set: clause `raw`.
        unsafe { (*raw).s_magic = F::MAGIC as usize };
        // SAFETY: The super block is live, the field this task's to set: clause `raw`.
        unsafe { (*raw).s_maxbytes = bindings::MAX_LFS_FILESIZE as i64 };
        // SAFETY: The super block is live, the field this task's to set: clause `raw`.
        unsafe { (*raw).s_time_gran = 1 };
        // SAFETY: The super block is live, the field this task's to set: clause `raw`.
        unsafe { (*raw).s_time_min = i64::MIN };
        // SAFETY: The super block is live, the field this task's to set: clause `raw`.
        unsafe { (*raw).s_time_max = i64::MAX };
        // SAFETY: The super block is live, the field this task's to set: clause `raw`. The table is
        // an `F`'s, and static.
        unsafe { (*raw).s_op = super_operations::<F>() };
        // SAFETY: The super block is live, the field this task's to set: clause `raw`. The table is
        // an `F`'s, and static.
        unsafe { (*raw).s_xattr = xattr::handlers::<F>() };
        // kernel::bindings has the type as opaque, ours is the same C type.
        let export = core::ptr::from_ref(export::export_operations::<F>()).cast();
        // SAFETY: The super block is live, the field this task's to set: clause `raw`. The table is
        // an `F`'s, and static.
        unsafe { (*raw).s_export_op = export };
    }

    /// # Safety
    ///
    /// Called by the VFS once for each super block of this type, complete or not. `raw`: live, and in use
    /// by nobody else but those who come through the gate.
    unsafe extern "C" fn kill_sb(raw: *mut bindings::super_block) {
        // SAFETY: The super block is live: clause `raw`.
        let info = unsafe { (*raw).s_fs_info }.cast::<MountInfo<F>>();
        if !info.is_null() {
            // SAFETY: `fill_super` stored it, and only this function frees it, below: it is called
            // once.
            let gate = unsafe { (*info).gate() };
            gate.close();
            // SAFETY: It is one of an `F`, live, its `s_fs_info` set: clause `raw`, and it is not null.
            unsafe { SuperBlock::<F>::from_raw(raw) }.fs().ending();
        }
        // SAFETY: The super block came from `get_tree_bdev`, and is in use by nobody else: clause
        // `raw`, and the gate is closed.
        unsafe { bindings::kill_block_super(raw) };
        if !info.is_null() {
            // SAFETY: From `KBox::into_raw`. Those who could use it are gone: inodes (the super block
            // was shut down), who comes through the gate (it was closed), and the VFS.
            drop(unsafe { KBox::from_raw(info) });
        }
    }
}
