// SPDX-License-Identifier: GPL-2.0

//! A super block that is mounted, or on its way down: the VFS's side of a mount.
//!
//! C header: [`include/linux/fs/super_types.h`](srctree/include/linux/fs/super_types.h)
//!
//! # Locking
//!
//! Nothing here takes a lock: what is read does not change, or may be the old value or the new one.

use super::FileSystem;
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// What a super block knows of its filesystem: `s_fs_info` points to something that begins with this.
pub(super) struct Info<F: FileSystem> {
    /// The filesystem.
    fs: Arc<F>,
}

impl<F: FileSystem> Info<F> {
    pub(super) fn new(fs: Arc<F>) -> Self {
        Self { fs }
    }
}

/// A super block of filesystem `F`.
///
/// # Invariants
///
/// - "info": the super block is live, and `s_fs_info` points to what begins with an `Info<F>`. That
///   lives until `kill_sb` ends, which is longer than anybody uses the super block. Fields that others
///   may write are read and written as the VFS does it, never through a `&mut`.
#[repr(transparent)]
pub(crate) struct SuperBlock<F: FileSystem> {
    inner: Opaque<bindings::super_block>,
    _fs: PhantomData<F>,
}

// SAFETY: A super block is used by all CPUs.
unsafe impl<F: FileSystem> Send for SuperBlock<F> {}
// SAFETY: All methods follow the VFS's rules for concurrent access.
unsafe impl<F: FileSystem> Sync for SuperBlock<F> {}

/// Bits of a minor number, inside of the kernel (`MINORBITS`, linux/kdev_t.h).
const MINOR_BITS: u32 = 20;

/// The number of a mount's block device, as the kernel has it: what tracepoints name a mount by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dev(pub(in crate::vfs) bindings::dev_t);

impl Dev {
    /// The device with this number.
    pub(crate) fn from_raw(number: bindings::dev_t) -> Self {
        Self(number)
    }

    /// The device with these numbers, if there can be one (`MKDEV`, linux/kdev_t.h).
    pub(crate) fn new(major: u32, minor: u32) -> Option<Self> {
        let dev = Self(major.checked_shl(MINOR_BITS)? | minor);
        (dev.major() == major && dev.minor() == minor).then_some(dev)
    }

    /// The number of its driver.
    pub(crate) fn major(self) -> u32 {
        self.0 >> MINOR_BITS
    }

    /// Its number among the driver's.
    pub(crate) fn minor(self) -> u32 {
        self.0 & ((1 << MINOR_BITS) - 1)
    }

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
        // SAFETY: The super block is live: invariant "info"; a racing remount gives the old or the new
        // value.
        let flags = unsafe { (*self.as_ptr()).s_flags };
        flags & bindings::SB_RDONLY as usize != 0
    }

    /// Whether times may be kept in core only, for a while.
    pub(super) fn is_lazytime(&self) -> bool {
        // SAFETY: The super block is live: invariant "info"; a racing remount gives the old or the new
        // value.
        let flags = unsafe { (*self.as_ptr()).s_flags };
        flags & bindings::SB_LAZYTIME as usize != 0
    }

    /// Whether anybody listens to fanotify or inotify, of whatever of it. Who begins to at this moment may not
    /// be seen.
    pub(crate) fn is_watched(&self) -> bool {
        // SAFETY: The super block is live: invariant "info".
        unsafe { bindings::daxrmap_sb_is_watched(self.as_ptr()) }
    }

    /// What statfs(2) names the filesystem by, as `uuid_to_fsid` makes it (linux/statfs.h).
    pub(super) fn fsid(&self) -> u64 {
        // SAFETY: The super block is live: invariant "info"; the field is set once.
        let uuid = u128::from_le_bytes(unsafe { (*self.as_ptr()).s_uuid.b });
        (uuid as u64) ^ (uuid >> 64) as u64
    }

    /// The mount, as tracepoints name it.
    pub(crate) fn dev(&self) -> Dev {
        // SAFETY: The super block is live: invariant "info"; the field does not change.
        Dev(unsafe { (*self.as_ptr()).s_dev })
    }

    /// The block device's number, as user space has it (`new_encode_dev`, linux/kdev_t.h).
    pub(crate) fn device_number(&self) -> u32 {
        let (major, minor) = (self.dev().major(), self.dev().minor());
        (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
    }
}
