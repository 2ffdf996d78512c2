// SPDX-License-Identifier: GPL-2.0

//! open(2) and lseek(2) of regular files.
//!
//! C sources: fs/open.c (`generic_file_open`), fs/read_write.c (`generic_file_llseek`), fs/iomap/seek.c.
//!
//! # Locking
//!
//! The VFS calls `llseek` with `f_pos_lock` held, or with nothing. SEEK_HOLE and SEEK_DATA take `i_rwsem`
//! here, shared, so that the size stands still; write(2) and truncate wait.

use crate::{
    bindings,
    dax,
    vfs::Inode, //
};
use kernel::prelude::*;

/// # Safety
///
/// Called by the VFS.
/// - `inode`: a live regular file of an `F`.
/// - `file`: being opened on it, and nobody else's as yet.
pub(super) unsafe extern "C" fn open(
    inode: *mut bindings::inode,
    file: *mut bindings::file,
) -> c_int {
    // O_DIRECT is accepted: there is no page cache to go around, so it is what all do. RWF_NOWAIT and
    // io_uring may ask not to wait.
    let mode = bindings::FMODE_CAN_ODIRECT | bindings::FMODE_NOWAIT;
    // SAFETY: Nobody else uses the file yet: clause `file`.
    unsafe { (*file).f_mode |= mode };
    // SAFETY: The file is being opened on the inode: clauses `inode` and `file`.
    unsafe { bindings::generic_file_open(inode, file) }
}

/// # Safety
///
/// Called by the VFS. `file`: an open regular file of an `F`.
pub(super) unsafe extern "C" fn llseek<F: dax::Extents>(
    file: *mut bindings::file,
    offset: bindings::loff_t,
    whence: c_int,
) -> bindings::loff_t {
    const HOLE: c_int = bindings::SEEK_HOLE as c_int;
    const DATA: c_int = bindings::SEEK_DATA as c_int;
    let seek = match whence {
        HOLE => bindings::iomap_seek_hole,
        DATA => bindings::iomap_seek_data,
        // SAFETY: The file is open: clause `file`.
        _ => return unsafe { bindings::generic_file_llseek(file, offset, whence) },
    };
    // SAFETY: The file is open, and an `F`'s: clause `file`.
    let inode = unsafe { Inode::<F>::of_file(file) };
    let found = {
        let _lock = inode.lock_shared();
        // SAFETY: The inode is live: invariant "live" of `Inode`; the table is one of an `F`, as it is.
        unsafe { seek(inode.as_ptr(), offset, dax::iomap_operations::<F>()) }
    };
    if found < 0 {
        return found;
    }
    // SAFETY: The super block is mounted, as a file of it is open: clause `file`; its limit does not
    // change.
    let max = unsafe { (*inode.sb().as_ptr()).s_maxbytes };
    // SAFETY: The file is open: clause `file`.
    unsafe { bindings::vfs_setpos(file, found, max) }
}
