// SPDX-License-Identifier: GPL-2.0

//! The file operations of directories, and where they put entries.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! The VFS holds the directory's `i_rwsem`, shared, for `iterate_shared`. What an open file remembers is
//! under its `f_pos_lock`, which system calls take for directories, as its position is; who reads
//! directories from within the kernel (nfsd, overlayfs) has an open file of his own.

use super::{
    answer::from_result,
    Inode,
    Namespace, //
};
use crate::{
    bindings,
    dax::FileData, //
};
use core::marker::PhantomData;
use kernel::prelude::*;

/// Where `readdir` puts entries.
///
/// # Invariants
///
/// `file` is open, and its position is this caller's.
pub(crate) struct DirEmitter<'a> {
    ctx: &'a mut bindings::dir_context,
    file: *mut bindings::file,
}

impl DirEmitter<'_> {
    /// The position: where the next entry is. 0 and 1 are `.` and `..`.
    pub(crate) fn pos(&self) -> u64 {
        u64::try_from(self.ctx.pos).unwrap_or(0)
    }

    /// Moves on.
    pub(crate) fn set_pos(&mut self, pos: u64) {
        self.ctx.pos = i64::try_from(pos).unwrap_or(i64::MAX);
    }

    /// Whether positions must fit into 31 bits: for a program of 32 bits, or an old NFS client.
    pub(crate) fn is_narrow(&self) -> bool {
        // SAFETY: By the type invariant the file is open.
        unsafe { bindings::daxrmap_has_narrow_pos(self.file) }
    }

    /// Remembers which entry comes next, for who reads on from here.
    pub(crate) fn leave_next(&mut self, cookie: u64) {
        // SAFETY: By the type invariant the file is open, and nobody else looks at the field.
        unsafe { (*self.file).private_data = cookie as usize as *mut c_void };
    }

    /// What was left so, if nobody has moved the position since; it is forgotten.
    pub(crate) fn take_next(&mut self) -> Option<u64> {
        // SAFETY: By the type invariant the file is open, and nobody else looks at the field.
        let field = unsafe { &mut (*self.file).private_data };
        let cookie = core::mem::replace(field, core::ptr::null_mut()) as usize;
        (cookie != 0).then_some(cookie as u64)
    }

    /// Gives one entry; false when the buffer is full. May fault, so no lock that a fault of this
    /// filesystem takes may be held. `dtype` is a `DT_` number.
    pub(crate) fn emit(&mut self, name: &[u8], ino: u64, dtype: u8) -> bool {
        let Ok(len) = c_int::try_from(name.len()) else {
            return false;
        };
        // SAFETY: The context is the VFS's own; `len` bytes are at `name`.
        unsafe {
            bindings::daxrmap_dir_emit(self.ctx, name.as_ptr().cast(), len, ino, dtype.into())
        }
    }
}

struct Table<F>(PhantomData<F>);

impl<F: Namespace + FileData> Table<F> {
    const DIR_FILE: bindings::file_operations = bindings::file_operations {
        llseek: Some(Self::llseek),
        read: Some(bindings::generic_read_dir),
        iterate_shared: Some(Self::iterate_shared),
        unlocked_ioctl: Some(super::ioctl::unlocked_ioctl::<F>),
        compat_ioctl: bindings::compat_ptr_ioctl,
        fsync: Some(Self::fsync),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// Any position will do. What the file remembers is of the old one.
    ///
    /// # Safety
    ///
    /// Called by the VFS. `file`: an open directory of an `F`, whose position is the caller's for the call.
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
            // INVARIANT: The file is open, and its position locked by the VFS: clause `file`.
            let mut emitter = DirEmitter {
                // SAFETY: It is there for this call alone: clause `ctx`.
                ctx: unsafe { &mut *ctx },
                file,
            };
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
