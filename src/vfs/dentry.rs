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
#[repr(transparent)]
pub(crate) struct Dentry<F: FileSystem> {
    inner: Opaque<bindings::dentry>,
    _fs: PhantomData<F>,
}

impl<F: FileSystem> Dentry<F> {
    /// # Safety
    ///
    /// `ptr` is a dentry of an `F`, whose name and inode are stable for `'a`.
    pub(super) unsafe fn from_raw<'a>(ptr: *const bindings::dentry) -> &'a Self {
        // SAFETY: By the caller's promise; the layout is transparent.
        unsafe { &*ptr.cast() }
    }

    pub(super) fn as_ptr(&self) -> *mut bindings::dentry {
        self.inner.get()
    }

    /// The name: 1 to 255 bytes, no `/`.
    pub(crate) fn name(&self) -> &[u8] {
        // SAFETY: The dentry is live and its name stable.
        let name = unsafe { &(*self.as_ptr()).__bindgen_anon_1.d_name };
        // SAFETY: All variants of the union hold the length there.
        let len = unsafe { name.__bindgen_anon_1.__bindgen_anon_1.len };
        // SAFETY: The VFS keeps `len` bytes at `name`.
        unsafe { core::slice::from_raw_parts(name.name, len as usize) }
    }

    /// Name, length and hash, as the VFS has them.
    pub(super) fn qstr(&self) -> *const bindings::qstr {
        // SAFETY: The dentry is live and its name stable.
        unsafe { &raw const (*self.as_ptr()).__bindgen_anon_1.d_name }
    }

    /// The inode, unless the entry is negative.
    pub(crate) fn inode(&self) -> Option<&Inode<F>> {
        // SAFETY: The dentry is live and its inode stable.
        let inode = unsafe { (*self.as_ptr()).d_inode };
        // SAFETY: A non-null inode of this dentry is a live inode of `F`.
        (!inode.is_null()).then(|| unsafe { Inode::from_raw(inode) })
    }
}
