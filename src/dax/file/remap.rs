// SPDX-License-Identifier: GPL-2.0

//! Ranges of files that share blocks: FICLONE, FICLONERANGE, FIDEDUPERANGE, copy_file_range(2).
//!
//! C source: fs/remap_range.c.
//!
//! # Locking
//!
//! The VFS has write access to the mount when it calls, and holds no lock of either inode. Both
//! `i_rwsem`s are taken here, exclusively.

use crate::{
    bindings, dax,
    vfs::{
        FileSystem,
        Inode,
        InodeLock, //
    },
};
use core::mem::ManuallyDrop;
use kernel::{
    error::to_result,
    prelude::*,
    types::ScopeGuard, //
};

/// One side of a [`Remap`]: an open file and a byte position in it.
///
/// # Invariants
///
/// - "file": `file` is open on `inode` while this value lives. It is made by [`Remap::new`] only.
pub(crate) struct Side<'a, F: FileSystem> {
    /// The inode.
    pub(crate) inode: &'a Inode<F>,
    /// Byte position.
    pub(crate) pos: u64,
    file: *mut bindings::file,
}

/// A range of one file that another is to share.
pub(crate) struct Remap<'a, F: FileSystem> {
    /// Whose blocks they are.
    pub(crate) src: Side<'a, F>,
    /// Who gets them.
    pub(crate) dst: Side<'a, F>,
    /// Only if both hold the same bytes already (FIDEDUPERANGE).
    pub(crate) dedupe: bool,
    /// Bytes; 0: up to the end of the source.
    len: u64,
    /// Fewer bytes will do (copy_file_range(2)).
    can_shorten: bool,
}

impl<'a, F: dax::Extents> Remap<'a, F> {
    /// # Errors
    ///
    /// `EINVAL` for flags that are not known, and for positions and lengths below 0.
    ///
    /// # Safety
    ///
    /// `from.0`, `to.0`: open regular files of one mount of an `F`, and stay open for `'a`.
    pub(super) unsafe fn new(
        from: (*mut bindings::file, bindings::loff_t),
        to: (*mut bindings::file, bindings::loff_t),
        len: bindings::loff_t,
        flags: c_uint,
    ) -> Result<Self> {
        let known = bindings::REMAP_FILE_DEDUP | bindings::REMAP_FILE_CAN_SHORTEN;
        if flags & !known != 0 {
            return Err(EINVAL);
        }
        let side = |(file, pos): (*mut bindings::file, i64)| -> Result<Side<'a, F>> {
            // INVARIANT: "file": clauses `from.0` and `to.0`.
            Ok(Side {
                // SAFETY: It is open for `'a`, and an `F`'s: clauses `from.0` and `to.0`.
                inode: unsafe { Inode::of_file(file) },
                pos: u64::try_from(pos).map_err(|_| EINVAL)?,
                file,
            })
        };
        Ok(Self {
            src: side(from)?,
            dst: side(to)?,
            dedupe: flags & bindings::REMAP_FILE_DEDUP != 0,
            len: u64::try_from(len).map_err(|_| EINVAL)?,
            can_shorten: flags & bindings::REMAP_FILE_CAN_SHORTEN != 0,
        })
    }

    /// Locks both inodes' `i_rwsem`, runs `f` with the bytes to share and the destination's lock,
    /// and unlocks.
    ///
    /// Before `f`: limits, alignment and EOF are checked, the destination's times and set-id bits
    /// changed unless its contents stay, and dirty cache lines of both ranges flushed
    /// (`dax_remap_file_range_prep`, fs/remap_range.c). Whether the bytes are the same is for `f` to
    /// say: fs/dax.c would compare them while others may write them through mmap, and meets poison
    /// with its bare hands.
    ///
    /// # Errors
    ///
    /// `EINVAL` and others, as in ioctl_ficlonerange(2) and ioctl_fideduperange(2); what `f` says.
    pub(crate) fn with_both_locked(
        &self,
        f: impl FnOnce(u64, &InodeLock<'_, F>) -> Result<u64>,
    ) -> Result<u64> {
        let (src, dst) = (&self.src, &self.dst);
        let (a, b) = (src.inode.as_ptr(), dst.inode.as_ptr());
        let mut len = i64::try_from(self.len).map_err(|_| EINVAL)?;
        let pos_in = i64::try_from(src.pos).map_err(|_| EINVAL)?;
        let pos_out = i64::try_from(dst.pos).map_err(|_| EINVAL)?;
        let dedupe = if self.dedupe {
            bindings::REMAP_FILE_DEDUP
        } else {
            0
        };
        let shorten = if self.can_shorten {
            bindings::REMAP_FILE_CAN_SHORTEN
        } else {
            0
        };
        // SAFETY: Both inodes are live: invariant "live" of `Inode`. They are regular files: clauses
        // `from.0` and `to.0` of `new`. One inode twice is allowed.
        unsafe { bindings::lock_two_nondirectories(a, b) };
        // SAFETY: Locked above.
        let _unlock = ScopeGuard::new(|| unsafe { bindings::unlock_two_nondirectories(a, b) });
        // SAFETY: Both files are open: invariant "file" of `Side`; their inodes were locked above.
        let ret = unsafe {
            bindings::dax_remap_file_range_prep(
                src.file,
                pos_in,
                dst.file,
                pos_out,
                &mut len,
                dedupe | shorten,
                dax::nothing_to_compare(),
            )
        };
        to_result(ret)?;
        if len <= 0 {
            return Ok(0);
        }
        // SAFETY: Locked above, exclusively, until after `f`; the guard is not dropped.
        let lock = ManuallyDrop::new(unsafe { InodeLock::assume_held(dst.inode) });
        f(len.unsigned_abs(), &lock)
    }
}
