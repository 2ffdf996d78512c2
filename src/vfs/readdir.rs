// SPDX-License-Identifier: GPL-2.0

//! The file operations of directories, and where they put entries.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! The VFS holds the directory's `i_rwsem`, shared.

use super::{
    FileData,
    Inode,
    Namespace, //
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    error::from_result,
    prelude::*, //
};

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

struct Table<F>(PhantomData<F>);

impl<F: Namespace + FileData> Table<F> {
    const DIR_FILE: bindings::file_operations = bindings::file_operations {
        llseek: Some(bindings::generic_file_llseek),
        read: Some(bindings::generic_read_dir),
        iterate_shared: Some(Self::iterate_shared),
        unlocked_ioctl: Some(super::ioctl::unlocked_ioctl::<F>),
        compat_ioctl: bindings::compat_ptr_ioctl,
        fsync: Some(Self::fsync),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `file`: an open directory of an `F`.
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
            let mut emitter = DirEmitter(unsafe { &mut *ctx });
            F::read_dir(inode, &mut emitter).map(|()| 0)
        })
    }

    /// Names are durable when the call that has made them returns.
    ///
    /// # Safety
    ///
    /// Called by the VFS with an open directory of an `F`.
    unsafe extern "C" fn fsync(
        file: *mut bindings::file,
        _start: bindings::loff_t,
        _end: bindings::loff_t,
        _datasync: c_int,
    ) -> c_int {
        // SAFETY: By this function's contract the directory is open, and of an `F`.
        let inode = unsafe { Inode::<F>::of_file(file) };
        from_result(|| inode.fs().sync().map(|()| 0))
    }
}

pub(super) fn dir_file_operations<F: Namespace + FileData>() -> &'static bindings::file_operations {
    &Table::<F>::DIR_FILE
}
