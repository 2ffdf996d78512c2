// SPDX-License-Identifier: GPL-2.0

//! Finding an inode that is in core, by its number, without waiting for one that comes or goes; and
//! making one that stands in for another.
//!
//! C source: fs/inode.c (`find_inode_nowait`, `new_inode`).
//!
//! # Locking
//!
//! No lock is held when these functions return, and none need be when they are called.

use crate::{
    bindings,
    vfs::{
        FileSystem,
        Inode,
        SuperBlock, //
    },
};
use core::ptr::NonNull;
use kernel::{
    error::from_err_ptr,
    prelude::*,
    sync::aref::ARef, //
};

impl<F: FileSystem> SuperBlock<F> {
    /// The inode `ino` if it is in core now, with a reference. Never waits: one that is being set up
    /// counts as absent.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if it is being torn down.
    pub(crate) fn in_core(&self, ino: u64) -> Result<Option<ARef<Inode<F>>>> {
        // SAFETY: The super block is live: invariant "info" of `SuperBlock`.
        let found = unsafe { bindings::daxrmap_in_core(self.as_ptr(), ino) };
        // SAFETY: The helper returned a reference to a live inode of this super block, which is an `F`'s.
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
        // SAFETY: The super block is live: invariant "info" of `SuperBlock`.
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
