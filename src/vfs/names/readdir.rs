// SPDX-License-Identifier: GPL-2.0

//! What getdents(2) hands a filesystem: the place for the entries, and where the last call has ended.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! The VFS holds the directory's `i_rwsem`, shared. The open file's `f_pos_lock`, which system calls take
//! for directories, protects its position and what it remembers besides; who reads a directory from
//! within the kernel (nfsd, overlayfs) has an open file of his own instead.

use crate::bindings;
use kernel::prelude::*;

/// Where `readdir` puts entries.
///
/// # Invariants
///
/// - "open": `file` is open, and its position, with what goes with that, is this caller's.
/// - "call": `ctx` is the VFS's, for a call that has not returned while this value lives.
pub(crate) struct DirEmitter<'a> {
    ctx: &'a mut bindings::dir_context,
    file: *mut bindings::file,
}

impl<'a> DirEmitter<'a> {
    /// # Safety
    ///
    /// - `ctx`: the VFS's, for a call that has not returned while the value lives.
    /// - `file`: an open directory, whose position is the caller's while the value lives.
    pub(in crate::vfs) unsafe fn new(
        ctx: &'a mut bindings::dir_context,
        file: *mut bindings::file,
    ) -> Self {
        // INVARIANT: "open": clause `file`. "call": clause `ctx`.
        Self { ctx, file }
    }

    /// The position: where the next entry is. 0 and 1 are `.` and `..`.
    pub(crate) fn pos(&self) -> u64 {
        u64::try_from(self.ctx.pos).unwrap_or(0)
    }

    /// Sets the position: where the next entry is.
    pub(crate) fn set_pos(&mut self, pos: u64) {
        self.ctx.pos = i64::try_from(pos).unwrap_or(i64::MAX);
    }

    /// Whether positions must fit into 31 bits: for a program of 32 bits, or an old NFS client.
    pub(crate) fn is_narrow(&self) -> bool {
        // SAFETY: The file is open: invariant "open".
        unsafe { bindings::daxrmap_has_narrow_pos(self.file) }
    }

    /// Remembers which entry comes next, for who reads on from here. `cookie` is not 0, which is nothing.
    pub(crate) fn leave_next(&mut self, cookie: u64) {
        // SAFETY: The file is open, and the field ours: invariant "open".
        unsafe { (*self.file).private_data = cookie as usize as *mut c_void };
    }

    /// What was left so, if nobody has moved the position since; it is forgotten.
    pub(crate) fn take_next(&mut self) -> Option<u64> {
        // SAFETY: The file is open, and the field ours: invariant "open".
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
        // SAFETY: The context is the VFS's, for this call: invariant "call"; `len` bytes are at `name`.
        unsafe {
            bindings::daxrmap_dir_emit(self.ctx, name.as_ptr().cast(), len, ino, dtype.into())
        }
    }
}
