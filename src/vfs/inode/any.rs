// SPDX-License-Identifier: GPL-2.0

//! An inode in core, of whatever filesystem: what the VFS itself knows of it.
//!
//! The inodes of this filesystem are [`Inode`](super::Inode), which have all that is here too. The inodes
//! that others have on a failed page are known by nothing else.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)
//!
//! # Locking
//!
//! As for [`Inode`](super::Inode): nothing here takes a lock, and what is read may be changing.

use crate::{
    bindings,
    vfs::Dev, //
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::aref::AlwaysRefCounted,
    types::Opaque, //
};

/// An inode of any filesystem.
///
/// # Invariants
///
/// - "live": the inode is initialised, and is not freed while there is a reference to this value. Fields
///   that others may write are read and written as the VFS does it, never through a `&mut`.
#[repr(transparent)]
pub(crate) struct AnyInode {
    inner: Opaque<bindings::inode>,
}

// SAFETY: An inode may be used, and its last reference dropped, on any thread.
unsafe impl Send for AnyInode {}
// SAFETY: All methods follow the VFS's rules for concurrent access.
unsafe impl Sync for AnyInode {}

// SAFETY: `ihold` and `iput` count references.
unsafe impl AlwaysRefCounted for AnyInode {
    fn inc_ref(&self) {
        // SAFETY: The inode is live, and whoever has `&self` has, or borrows, a reference that counts.
        unsafe { bindings::ihold(self.as_ptr()) };
    }

    /// # Safety
    ///
    /// As the trait says. `obj`: the caller hands a reference to it over.
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The reference is ours to drop: clause `obj`.
        unsafe { bindings::iput(obj.as_ptr().cast()) };
    }
}

/// A file handle of whatever filesystem, as name_to_handle_at(2) gives it, and the inode's generation.
pub(crate) struct Handle {
    pub(crate) generation: u32,
    /// Its type.
    pub(crate) kind: i32,
    /// How many bytes it has.
    pub(crate) len: u32,
    pub(crate) bytes: [u8; Self::ROOM],
}

impl Handle {
    /// Bytes that there is room for.
    pub(crate) const ROOM: usize = bindings::DAXRMAP_HANDLE_SIZE as usize;
}

impl AnyInode {
    pub(crate) fn as_ptr(&self) -> *mut bindings::inode {
        self.inner.get()
    }

    pub(crate) fn mapping(&self) -> *mut bindings::address_space {
        // SAFETY: The inode is live: invariant "live"; the field is set for its whole life.
        unsafe { (*self.as_ptr()).i_mapping }
    }

    /// The inode's number.
    pub(crate) fn ino(&self) -> u64 {
        // SAFETY: The inode is live: invariant "live"; the field does not change once it is visible.
        unsafe { (*self.as_ptr()).i_ino }
    }

    /// The mount that it is of, as tracepoints name it.
    pub(crate) fn dev(&self) -> Dev {
        // SAFETY: The inode is live: invariant "live"; the field does not change.
        let sb = unsafe { (*self.as_ptr()).i_sb };
        // SAFETY: A super block outlives its inodes; the field does not change.
        Dev(unsafe { (*sb).s_dev })
    }

    /// Type and permissions, as in stat(2).
    pub(crate) fn mode(&self) -> u16 {
        // SAFETY: The inode is live: invariant "live"; a racing chmod gives the old or the new value.
        unsafe { (*self.as_ptr()).i_mode }
    }

    /// Whether it is a regular file.
    pub(crate) fn is_regular(&self) -> bool {
        u32::from(self.mode()) & bindings::S_IFMT == bindings::S_IFREG
    }

    /// Size in bytes.
    pub(crate) fn size(&self) -> u64 {
        // SAFETY: The inode is live: invariant "live".
        let size = unsafe { bindings::daxrmap_i_size_read(self.as_ptr()) };
        u64::try_from(size).unwrap_or(0)
    }

    /// Whether any process maps the file at this moment. May sleep.
    pub(crate) fn is_mapped(&self) -> bool {
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::daxrmap_mapping_mapped(self.as_ptr()) }
    }

    /// Its handle, without its parent; `None` if there is none, or it is too long. Does not wait. Source:
    /// `exportfs_encode_inode_fh` (fs/exportfs/expfs.c).
    pub(crate) fn handle(&self) -> Option<Handle> {
        const WORD: usize = size_of::<u32>();
        let mut words = [0u32; Handle::ROOM / WORD];
        let mut len = words.len() as c_int;
        // SAFETY: The inode is live: invariant "live". There is room for `len` words.
        let kind = unsafe {
            bindings::daxrmap_encode_handle(self.as_ptr(), words.as_mut_ptr(), &raw mut len)
        };
        let len = usize::try_from(len).ok()?;
        if kind <= 0 || len > words.len() {
            return None;
        }
        let mut bytes = [0; Handle::ROOM];
        for (to, from) in bytes.chunks_exact_mut(WORD).zip(words.iter().take(len)) {
            to.copy_from_slice(&from.to_ne_bytes());
        }
        // SAFETY: The inode is live: invariant "live"; the field does not change once it is visible.
        let generation = unsafe { (*self.as_ptr()).i_generation };
        Some(Handle {
            generation,
            kind,
            len: len.saturating_mul(WORD) as u32,
            bytes,
        })
    }

    /// Tells fanotify (FAN_FS_ERROR) that `len` bytes at `pos` are lost. May wait for memory: no
    /// lock may be held. Source: `fserror_report_data_lost` (fs/fserror.c).
    pub(crate) fn report_data_lost(&self, pos: u64, len: u64) {
        self.report(pos, len, true);
    }

    /// The same without waiting: for want of memory the report may be lost, which the log says.
    pub(crate) fn report_data_lost_at_once(&self, pos: u64, len: u64) {
        self.report(pos, len, false);
    }

    fn report(&self, pos: u64, len: u64, wait: bool) {
        let pos = i64::try_from(pos).unwrap_or(i64::MAX);
        // SAFETY: The inode is live: invariant "live".
        unsafe { bindings::daxrmap_report_data_lost(self.as_ptr(), pos, len, wait) };
    }
}
