// SPDX-License-Identifier: GPL-2.0

//! A directory entry of the VFS's cache, as far as a filesystem's callbacks see it.
//!
//! C header: [`include/linux/dcache.h`](srctree/include/linux/dcache.h)
//!
//! # Locking
//!
//! In every callback that gets one, the parent's `i_rwsem` keeps name and inode stable.

use super::{
    FileSystem,
    Inode, //
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::types::Opaque;

/// A dentry of filesystem `F`, borrowed from a callback.
///
/// # Invariants
///
/// - "stable": it is live, an `F`'s, and in use, and its parent's `i_rwsem` is held: its name does not
///   change, nor whether it has an inode, and which.
#[repr(transparent)]
pub(crate) struct Dentry<F: FileSystem> {
    inner: Opaque<bindings::dentry>,
    _fs: PhantomData<F>,
}

impl<F: FileSystem> Dentry<F> {
    /// # Safety
    ///
    /// `ptr`: a live dentry of an `F`, whose name and inode are stable for `'a`: its parent's `i_rwsem`
    /// is held.
    pub(super) unsafe fn from_raw<'a>(ptr: *const bindings::dentry) -> &'a Self {
        // INVARIANT: "stable": clause `ptr`.
        // SAFETY: It is live for `'a`: clause `ptr`; the layout is transparent.
        unsafe { &*ptr.cast() }
    }

    pub(super) fn as_ptr(&self) -> *mut bindings::dentry {
        self.inner.get()
    }

    /// The name: 1 to 255 bytes, no `/`.
    pub(crate) fn name(&self) -> &[u8] {
        // SAFETY: The dentry is live and its name stable: invariant "stable". Both variants of the union
        // are the same type in C.
        let name = unsafe { (*self.as_ptr()).__bindgen_anon_1.d_name };
        // SAFETY: All variants of the union hold the length there.
        let len = unsafe { name.__bindgen_anon_1.__bindgen_anon_1.len };
        // SAFETY: The VFS keeps `len` bytes there, as long as the name is stable: invariant "stable".
        unsafe { core::slice::from_raw_parts(name.name, len as usize) }
    }

    /// Name, length and hash, as the VFS has them.
    pub(super) fn qstr(&self) -> *const bindings::qstr {
        // SAFETY: The dentry is live, and no reference is made: invariant "stable".
        unsafe { &raw const (*self.as_ptr()).__bindgen_anon_1.d_name }
    }

    /// The inode; `None` if the entry is negative.
    pub(crate) fn inode(&self) -> Option<&Inode<F>> {
        // SAFETY: The dentry is live and its inode stable: invariant "stable".
        let inode = unsafe { (*self.as_ptr()).d_inode };
        // SAFETY: The dentry holds its inode, if any, which is an `F`'s: invariant "stable".
        (!inode.is_null()).then(|| unsafe { Inode::from_raw(inode) })
    }
}
