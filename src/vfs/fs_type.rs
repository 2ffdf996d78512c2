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
    acl,
    export,
    gate::Gate,
    options,
    super_block,
    trace::Dev,
    xattr,
    Export,
    FileCache,
    Inode,
    SuperBlock, //
};
use crate::{
    bindings,
    dax, //
};
use core::{
    marker::PhantomData,
    pin::Pin,
    ptr::NonNull, //
};
use kernel::{
    container_of,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    types::Opaque, //
};

/// What statfs(2) tells.
pub(crate) struct StatFs {
    /// Bytes per block.
    pub(crate) block_size: u32,
    /// Blocks in all.
    pub(crate) blocks: u64,
    /// Blocks that can be allocated.
    pub(crate) free: u64,
    /// Inodes in use and free together.
    pub(crate) files: u64,
    /// Inodes that can be made.
    pub(crate) free_files: u64,
}

/// A filesystem; a value of the type is one mount.
pub(crate) trait FileSystem: Sized + Send + Sync + 'static {
    /// Name, as in `mount -t`.
    const NAME: &'static CStr;
    /// Magic number, as in statfs(2).
    const MAGIC: u32;

    /// What all mounts have in common; made when the type is registered.
    type Common: Send + Sync + 'static;

    /// What is remembered of a regular file in core.
    type FileCache: FileCache;

    /// Takes the device of `sb` over.
    ///
    /// # Errors
    ///
    /// An errno for mount(2), after one log line that gives the reason.
    fn mount(sb: &NewSuper<Self>) -> Result<Arc<Self>>;

    /// The root directory.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn root(sb: &SuperBlock<Self>) -> Result<ARef<Inode<Self>>>;

    /// Changes are made no more, or from here on: a remount.
    ///
    /// # Errors
    ///
    /// An errno for mount(2), after one log line that gives the reason.
    fn reconfigure(&self, read_only: bool) -> Result;

    /// The device is going away; no more I/O.
    fn shutdown(&self);

    /// Nothing on the medium changes from here on; who would change something is held off. Failures
    /// still come.
    ///
    /// # Errors
    ///
    /// An errno for the ioctl.
    fn freeze(&self) -> Result;

    /// The end of [`freeze`](Self::freeze). What could not be written in the meantime is now.
    fn thaw(&self);

    /// What is asked for by sync(2) and its like: all but the data of files.
    ///
    /// # Errors
    ///
    /// `EIO` if the device is gone.
    fn sync(&self) -> Result;

    /// Numbers for statfs(2).
    fn statfs(&self) -> StatFs;

    /// The last reference to an inode without links is gone: its blocks are free.
    fn evict_unlinked(&self, ino: u64);
}

/// A super block that is being mounted.
pub(crate) struct NewSuper<F: FileSystem> {
    sb: NonNull<bindings::super_block>,
    gate: Arc<Gate<F>>,
}

impl<F: FileSystem> NewSuper<F> {
    /// What all mounts have in common.
    pub(crate) fn common(&self) -> &F::Common {
        // SAFETY: The super block is live.
        let fs_type = unsafe { (*self.sb.as_ptr()).s_type };
        let inner: *mut Opaque<bindings::file_system_type> = fs_type.cast();
        // SAFETY: Super blocks of `F` are made through the registration of `F`, which outlives
        // them: they hold the module.
        unsafe { &(*container_of!(inner, Registration<F>, inner)).common }
    }

    /// The block device that is to be mounted: open as long as the mount lives.
    pub(crate) fn bdev(&self) -> Option<NonNull<bindings::block_device>> {
        // SAFETY: The super block is live; `get_tree_bdev` has set the device.
        NonNull::new(unsafe { (*self.sb.as_ptr()).s_bdev })
    }

    /// Whether the mount is not to change anything.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: The super block is live.
        let flags = unsafe { (*self.sb.as_ptr()).s_flags };
        flags & bindings::SB_RDONLY as usize != 0
    }

    /// Sets the name for machines.
    pub(crate) fn set_uuid(&self, uuid: &[u8; 16]) {
        // SAFETY: The super block is live, and nobody else uses it yet.
        let s = unsafe { &mut *self.sb.as_ptr() };
        s.s_uuid.b = *uuid;
        s.s_uuid_len = uuid.len() as u8;
    }

    /// The gate of the mount, closed as yet.
    pub(crate) fn gate(&self) -> Arc<Gate<F>> {
        self.gate.clone()
    }

    /// The mount, as tracepoints name it.
    pub(crate) fn dev(&self) -> Dev {
        // SAFETY: The super block is live; `get_tree_bdev` has set the number.
        Dev(unsafe { (*self.sb.as_ptr()).s_dev })
    }

    /// The device's name, as in the log.
    pub(crate) fn id(&self) -> &CStr {
        // SAFETY: The super block is live.
        unsafe { super_block::device_name(self.sb.as_ptr()) }
    }
}

/// What `s_fs_info` points to.
pub(super) struct Info<F: FileSystem> {
    /// The filesystem.
    pub(super) fs: Arc<F>,
    pub(super) gate: Arc<Gate<F>>,
}

/// A registered filesystem type; dropping it unregisters.
///
/// # Invariants
///
/// `inner` is registered, and initialised for `F`.
#[pin_data(PinnedDrop)]
pub(crate) struct Registration<F: FileSystem> {
    #[pin]
    inner: Opaque<bindings::file_system_type>,
    common: F::Common,
}

// SAFETY: The type is used by all CPUs once registered; unregistering may happen on any.
unsafe impl<F: FileSystem> Send for Registration<F> {}
// SAFETY: `&Registration` gives no access to anything.
unsafe impl<F: FileSystem> Sync for Registration<F> {}

impl<F: Export> Registration<F> {
    /// Registers `F`. What its mounts use of [`dax`] is ready.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the name is taken.
    pub(crate) fn new(
        _ready: dax::Ready,
        module: &'static ThisModule,
        common: F::Common,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // Before the type is registered: a mount may come at once.
            common,
            inner <- Opaque::try_ffi_init(move |slot: *mut bindings::file_system_type| {
                // SAFETY: `slot` is ours to initialise; zeroes are right for the rest.
                unsafe { slot.write(core::mem::zeroed()) };
                // SAFETY: Just initialised.
                let fs_type = unsafe { &mut *slot };
                fs_type.owner = module.as_ptr();
                fs_type.name = F::NAME.as_char_ptr();
                fs_type.fs_flags = (bindings::FS_REQUIRES_DEV
                    | bindings::FS_ALLOW_IDMAP
                    | bindings::FS_MGTIME) as c_int;
                fs_type.init_fs_context = Some(Table::<F>::init_fs_context);
                fs_type.kill_sb = Some(Table::<F>::kill_sb);
                // SAFETY: `slot` is pinned, initialised, and unregistered before it goes.
                to_result(unsafe { bindings::register_filesystem(slot) })
            }),
        })
    }
}

#[pinned_drop]
impl<F: FileSystem> PinnedDrop for Registration<F> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant it is registered. It cannot be in use: mounts hold the
        // module.
        unsafe { bindings::unregister_filesystem(self.inner.get()) };
        // Inodes may still be on their way to `free_inode`.
        // SAFETY: May be called wherever one may sleep.
        unsafe { bindings::rcu_barrier() };
    }
}

struct Table<F>(PhantomData<F>);

impl<F: Export> Table<F> {
    const CONTEXT_OPS: bindings::fs_context_operations = bindings::fs_context_operations {
        parse_param: Some(options::parse),
        get_tree: Some(Self::get_tree),
        reconfigure: Some(Self::reconfigure),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS with a new context.
    unsafe extern "C" fn init_fs_context(fc: *mut kernel::bindings::fs_context) -> c_int {
        // SAFETY: The context is new and ours; kernel::bindings has the same C type as opaque.
        let fc = unsafe { &mut *fc.cast::<bindings::fs_context>() };
        fc.ops = &Self::CONTEXT_OPS;
        0
    }

    /// # Safety
    ///
    /// Called by the VFS with a context made by `init_fs_context`.
    unsafe extern "C" fn get_tree(fc: *mut bindings::fs_context) -> c_int {
        // SAFETY: By the caller's promise.
        unsafe { bindings::get_tree_bdev(fc, Some(Self::fill_super)) }
    }

    /// # Safety
    ///
    /// Called by the VFS with a context for a mounted super block, `s_umount` held exclusively.
    unsafe extern "C" fn reconfigure(fc: *mut bindings::fs_context) -> c_int {
        from_result(|| {
            // SAFETY: By the caller's promise.
            let fc = unsafe { &*fc };
            // SAFETY: The context has a reference to the root.
            let sb = unsafe { (*fc.root).d_sb };
            // SAFETY: The super block is mounted.
            let sb = unsafe { SuperBlock::<F>::from_raw(sb) };
            let read_only = fc.sb_flags & bindings::SB_RDONLY != 0;
            if read_only && !sb.is_read_only() {
                // What user space wrote by mmap, and times that were in core only.
                // SAFETY: The super block is mounted, `s_umount` held.
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
    /// Called by `get_tree_bdev` with a super block whose device is open.
    unsafe extern "C" fn fill_super(
        raw: *mut bindings::super_block,
        _fc: *mut bindings::fs_context,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The super block is live.
            let gate = Gate::new(unsafe { super_block::device_name(raw) })?;
            let new = NewSuper::<F> {
                sb: NonNull::new(raw).ok_or(EINVAL)?,
                gate: gate.clone(),
            };
            // SAFETY: The super block is new, and nobody else uses it yet.
            let s = unsafe { &mut *raw };
            s.s_flags |= acl::SB_FLAG;
            s.s_magic = F::MAGIC as usize;
            s.s_maxbytes = bindings::MAX_LFS_FILESIZE as i64;
            s.s_time_gran = 1;
            s.s_time_min = i64::MIN;
            s.s_time_max = i64::MAX;
            s.s_op = super_block::super_operations::<F>();
            s.s_xattr = xattr::handlers::<F>();
            // kernel::bindings has the type as opaque, ours is the same C type.
            s.s_export_op = core::ptr::from_ref(export::export_operations::<F>()).cast();
            // SAFETY: The device is open; nothing of it is cached with another size.
            if unsafe { bindings::sb_set_blocksize(raw, bindings::PAGE_SIZE as c_int) } == 0 {
                return Err(EINVAL);
            }
            let fs = F::mount(&new)?;
            s.s_fs_info = KBox::into_raw(KBox::new(Info { fs, gate }, GFP_KERNEL)?).cast();
            // SAFETY: `s_fs_info` is set.
            let root = F::root(unsafe { SuperBlock::<F>::from_raw(raw) })?;
            // SAFETY: The reference to the inode passes to the dentry, or is dropped.
            s.s_root = unsafe { bindings::d_make_root(ARef::into_raw(root).as_ptr().cast()) };
            if s.s_root.is_null() {
                return Err(ENOMEM);
            }
            // SAFETY: The mount is complete; `kill_sb` closes the gate first of all.
            unsafe { new.gate.open(new.sb) };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS once for each super block of this type, complete or not.
    unsafe extern "C" fn kill_sb(raw: *mut bindings::super_block) {
        // SAFETY: The super block is live, and only we are left.
        let info = unsafe { (*raw).s_fs_info }.cast::<Info<F>>();
        if !info.is_null() {
            // SAFETY: `fill_super` stored it, and nobody has freed it.
            let info = unsafe { &*info };
            info.gate.close();
        }
        // SAFETY: The super block came from `get_tree_bdev`.
        unsafe { bindings::kill_block_super(raw) };
        if !info.is_null() {
            // SAFETY: From `KBox::into_raw`; nothing uses it from here on.
            drop(unsafe { KBox::from_raw(info) });
        }
    }
}
