// SPDX-License-Identifier: GPL-2.0

//! A super block that is being mounted, as a filesystem sees it.
//!
//! C header: [`include/linux/fs/super_types.h`](srctree/include/linux/fs/super_types.h)
//!
//! # Locking
//!
//! `s_umount` is held exclusively. Others can find the super block, and wait for `SB_BORN`.

use super::{
    fs_type::Registration,
    gate::Gate, //
};
use crate::{
    bindings,
    vfs::{
        super_block,
        Dev,
        FileSystem, //
    },
};
use core::ptr::NonNull;
use kernel::{
    container_of,
    fs::File,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    types::Opaque, //
};

/// A super block that is being mounted.
///
/// # Invariants
///
/// - "filling": `sb` is live, and this task, inside of `fill_super`, is the one that fills it: its device
///   is open and its type is an `F`'s. Others can reach it (it is on the list of all super blocks), but
///   write nothing that is written here, and wait for `SB_BORN` before they use it.
pub(crate) struct NewSuper<F: FileSystem> {
    sb: NonNull<bindings::super_block>,
    gate: Arc<Gate<F>>,
}

impl<F: FileSystem> NewSuper<F> {
    /// The super block, and the gate that will be its way.
    ///
    /// # Safety
    ///
    /// `sb`: it is as "filling" says, while the value lives.
    pub(in crate::vfs) unsafe fn new(
        sb: NonNull<bindings::super_block>,
        gate: Arc<Gate<F>>,
    ) -> Self {
        // INVARIANT: "filling": clause `sb`.
        Self { sb, gate }
    }

    /// What all mounts have in common.
    pub(crate) fn common(&self) -> &F::Common {
        // SAFETY: The super block is live: invariant "filling".
        let fs_type = unsafe { (*self.sb.as_ptr()).s_type };
        let inner: *mut Opaque<bindings::file_system_type> = fs_type.cast();
        // SAFETY: Super blocks of `F` are made through the registration of `F`, so `inner` is in
        // one: invariant "filling". It outlives them: they hold the module.
        let registration: *const Registration<F> =
            unsafe { container_of!(inner, Registration<F>, inner) };
        // SAFETY: It outlives the super block, which is live: invariant "filling". Nobody writes to the
        // field.
        unsafe { &(*registration).common }
    }

    /// The block device that is to be mounted. It is open while this value lives. Later the VFS closes it
    /// before the filesystem's own data goes: who wants to use it longer has [`Self::bdev_file`].
    pub(crate) fn bdev(&self) -> Option<NonNull<bindings::block_device>> {
        // SAFETY: The super block is live, and its device does not change: invariant "filling".
        NonNull::new(unsafe { (*self.sb.as_ptr()).s_bdev })
    }

    /// The file by which it is open: it stays so until the last reference is dropped.
    pub(crate) fn bdev_file(&self) -> Option<ARef<File>> {
        // SAFETY: The super block is live, and its device's file stays: invariant "filling".
        let file = unsafe { (*self.sb.as_ptr()).s_bdev_file };
        if file.is_null() {
            return None;
        }
        // SAFETY: The super block has a reference to it, and drops it after `fill_super`. No task has it
        // under a number, so nobody uses its position without the lock.
        Some(ARef::from(unsafe { File::from_raw_file(file) }))
    }

    /// Whether the mount is not to change anything.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: The super block is live: invariant "filling".
        let flags = unsafe { (*self.sb.as_ptr()).s_flags };
        flags & bindings::SB_RDONLY as usize != 0
    }

    /// Sets the name for machines.
    pub(crate) fn set_uuid(&self, uuid: &[u8; 16]) {
        let sb = self.sb.as_ptr();
        // SAFETY: The super block is live, the field this task's to set: invariant "filling".
        unsafe { (*sb).s_uuid.b = *uuid };
        // SAFETY: The super block is live, the field this task's to set: invariant "filling".
        unsafe { (*sb).s_uuid_len = uuid.len() as u8 };
    }

    /// The gate of the mount, closed as yet.
    pub(crate) fn gate(&self) -> Arc<Gate<F>> {
        self.gate.clone()
    }

    /// The mount, as tracepoints name it.
    pub(crate) fn dev(&self) -> Dev {
        // SAFETY: The super block is live: invariant "filling"; `get_tree_bdev` has set the number.
        Dev(unsafe { (*self.sb.as_ptr()).s_dev })
    }

    /// The device's name, as in the log.
    pub(crate) fn id(&self) -> &CStr {
        // SAFETY: The super block is live while `self` is: invariant "filling".
        unsafe { super_block::device_name(self.sb.as_ptr()) }
    }
}
