// SPDX-License-Identifier: GPL-2.0

//! open(2) and lseek(2) of regular files.
//!
//! C sources: fs/open.c (`generic_file_open`), fs/read_write.c (`generic_file_llseek`), fs/iomap/seek.c.
//!
//! # Locking
//!
//! The VFS calls `llseek` with `f_pos_lock` held, or with nothing. SEEK_HOLE and SEEK_DATA take `i_rwsem`
//! here, shared, so that the size stands still; write(2) and truncate wait.

use super::{
    FileData,
    Inode, //
};
use crate::{
    bindings,
    dax, //
};
use kernel::prelude::*;

/// # Safety
///
/// Called by the VFS with a regular file of an `F` that is being opened.
pub(super) unsafe extern "C" fn open(
    inode: *mut bindings::inode,
    file: *mut bindings::file,
) -> c_int {
    // SAFETY: By the caller's promise nobody else uses the file yet.
    let mode = unsafe { &mut (*file).f_mode };
    // O_DIRECT is accepted: there is no page cache to go around, so it is what all do. RWF_NOWAIT and
    // io_uring may ask not to wait.
    *mode |= bindings::FMODE_CAN_ODIRECT | bindings::FMODE_NOWAIT;
    // SAFETY: By the caller's promise.
    unsafe { bindings::generic_file_open(inode, file) }
}

/// # Safety
///
/// Called by the VFS with an open regular file of an `F`.
pub(super) unsafe extern "C" fn llseek<F: FileData>(
    file: *mut bindings::file,
    offset: bindings::loff_t,
    whence: c_int,
) -> bindings::loff_t {
    const HOLE: c_int = bindings::SEEK_HOLE as c_int;
    const DATA: c_int = bindings::SEEK_DATA as c_int;
    let seek = match whence {
        HOLE => bindings::iomap_seek_hole,
        DATA => bindings::iomap_seek_data,
        // SAFETY: By the caller's promise.
        _ => return unsafe { bindings::generic_file_llseek(file, offset, whence) },
    };
    // SAFETY: By the caller's promise.
    let inode = unsafe { Inode::<F>::of_file(file) };
    let found = {
        let _lock = inode.lock_shared();
        // SAFETY: The inode is live; the table is one of an `F`.
        unsafe { seek(inode.as_ptr(), offset, dax::iomap_operations::<F>()) }
    };
    if found < 0 {
        return found;
    }
    // SAFETY: The file is open; its super block's limit does not change.
    let max = unsafe { (*inode.sb().as_ptr()).s_maxbytes };
    // SAFETY: The file is open.
    unsafe { bindings::vfs_setpos(file, found, max) }
}
