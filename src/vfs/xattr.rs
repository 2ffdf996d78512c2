// SPDX-License-Identifier: GPL-2.0

//! Extended attributes: `user.`, `trusted.` and `security.`.
//!
//! Who may do what with which is the VFS's business, but for the names in `trusted.`, which only an
//! administrator may see in a list. Sizes too: names to 255 bytes, values to 64 KiB.
//!
//! C header: [`include/linux/xattr.h`](srctree/include/linux/xattr.h)
//!
//! # Locking
//!
//! The VFS holds the inode's `i_rwsem` exclusively for `set_xattr`, and none for the rest.

use super::{
    Dentry,
    FileSystem,
    Inode, //
};
use crate::bindings;
use core::{
    ffi::c_void,
    marker::PhantomData,
    slice, //
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*, //
};

/// How an extended attribute is to change.
#[derive(Clone, Copy)]
pub(crate) enum XattrChange<'a> {
    /// It has this value from here on.
    Set(&'a [u8]),
    /// The same; `EEXIST` if it is there.
    Create(&'a [u8]),
    /// The same; `ENODATA` if it is not there.
    Replace(&'a [u8]),
    /// It is gone; `ENODATA` if it is not there.
    Remove,
}

/// Where `list_xattrs` puts names.
pub(crate) struct XattrList<'a> {
    /// `None`: only the length is wanted.
    buf: Option<&'a mut [u8]>,
    len: usize,
}

impl XattrList<'_> {
    /// Adds one; `ERANGE` if there is no room.
    pub(crate) fn add(&mut self, name: &[u8]) -> Result {
        let nul = self.len.saturating_add(name.len());
        if let Some(buf) = &mut self.buf {
            buf.get_mut(self.len..nul)
                .ok_or(ERANGE)?
                .copy_from_slice(name);
            *buf.get_mut(nul).ok_or(ERANGE)? = 0;
        }
        self.len = nul.saturating_add(1);
        Ok(())
    }
}

/// The extended attributes of a filesystem's inodes. Names have their namespace in front.
pub(crate) trait Xattrs: FileSystem {
    /// Calls `f` with the value.
    ///
    /// # Errors
    ///
    /// `ENODATA`; what `f` says.
    fn with_xattr<T>(
        inode: &Inode<Self>,
        name: &[u8],
        f: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T>;
    /// Changes one.
    fn set_xattr(inode: &Inode<Self>, name: &[u8], change: XattrChange<'_>) -> Result;
    /// Gives the names that the caller may see.
    fn list_xattrs(inode: &Inode<Self>, list: &mut XattrList<'_>) -> Result;
}

/// A label that a security module wants a new inode to have: name, with the namespace, and value.
pub(crate) type Label = (KVec<u8>, KVec<u8>);

/// The labels for a new inode in `dir`, which is to have its owner already.
///
/// # Errors
///
/// What the security module says, `ENOMEM`.
pub(crate) fn new_labels<F: FileSystem>(
    inode: &Inode<F>,
    dir: &Inode<F>,
    dentry: Option<&Dentry<F>>,
) -> Result<KVec<Label>> {
    /// # Safety
    ///
    /// `to` is a vector of labels, `name` a string, and `len` bytes are at `value`.
    unsafe extern "C" fn add(
        to: *mut c_void,
        name: *const c_char,
        value: *const c_void,
        len: usize,
    ) -> c_int {
        from_result(|| {
            // SAFETY: By the caller's promise.
            let to = unsafe { &mut *to.cast::<KVec<Label>>() };
            // SAFETY: By the caller's promise.
            let suffix = unsafe { CStr::from_char_ptr(name) };
            let mut name = KVec::new();
            name.extend_from_slice(b"security.", GFP_KERNEL)?;
            name.extend_from_slice(suffix.to_bytes(), GFP_KERNEL)?;
            // SAFETY: By the caller's promise.
            let bytes = unsafe { bytes(value, len) };
            let mut value = KVec::new();
            value.extend_from_slice(bytes, GFP_KERNEL)?;
            to.push((name, value), GFP_KERNEL)?;
            Ok(0)
        })
    }

    let mut labels = KVec::<Label>::new();
    let name = dentry.map_or(core::ptr::null(), Dentry::qstr);
    let to = (&raw mut labels).cast();
    // SAFETY: Both inodes are live, the name is stable, and `add` gets what it wants.
    to_result(unsafe {
        bindings::daxrmap_new_labels(inode.as_ptr(), dir.as_ptr(), name, Some(add), to)
    })?;
    Ok(labels)
}

/// # Safety
///
/// `len` bytes are at `ptr`, if `len` is not 0, and nobody changes them for `'a`.
unsafe fn bytes<'a>(ptr: *const c_void, len: usize) -> &'a [u8] {
    if len == 0 || ptr.is_null() {
        return &[];
    }
    // SAFETY: By the caller's promise.
    unsafe { slice::from_raw_parts(ptr.cast(), len) }
}

/// # Safety
///
/// `len` bytes are at `ptr`, if `len` is not 0, and nobody else uses them for `'a`.
unsafe fn room<'a>(ptr: *mut c_void, len: usize) -> Option<&'a mut [u8]> {
    if len == 0 || ptr.is_null() {
        return None;
    }
    // SAFETY: By the caller's promise.
    Some(unsafe { slice::from_raw_parts_mut(ptr.cast(), len) })
}

struct Table<F>(PhantomData<F>);

impl<F: Xattrs> Table<F> {
    const USER: bindings::xattr_handler = Self::handler(c"user.");
    const TRUSTED: bindings::xattr_handler = Self::handler(c"trusted.");
    const SECURITY: bindings::xattr_handler = Self::handler(c"security.");

    const HANDLERS: [*const bindings::xattr_handler; 4] = [
        &Self::USER,
        &Self::TRUSTED,
        &Self::SECURITY,
        core::ptr::null(),
    ];

    const fn handler(prefix: &'static CStr) -> bindings::xattr_handler {
        bindings::xattr_handler {
            name: core::ptr::null(),
            prefix: prefix.to_bytes_with_nul().as_ptr(),
            flags: 0,
            list: None,
            get: Some(Self::get),
            set: Some(Self::set),
        }
    }

    /// The name with its namespace.
    ///
    /// # Safety
    ///
    /// `name` is what the VFS has handed to a callback of `handler`.
    unsafe fn full_name<'a>(
        handler: *const bindings::xattr_handler,
        name: *const c_char,
    ) -> &'a [u8] {
        // SAFETY: By the caller's promise.
        let full = unsafe { bindings::xattr_full_name(handler, name) };
        // SAFETY: It is a string that lives for the call.
        unsafe { CStr::from_char_ptr(full) }.to_bytes()
    }

    /// # Safety
    ///
    /// Called by the VFS with an inode of an `F` and `size` bytes of room at `buffer`.
    unsafe extern "C" fn get(
        handler: *const bindings::xattr_handler,
        _dentry: *mut bindings::dentry,
        inode: *mut bindings::inode,
        name: *const c_char,
        buffer: *mut c_void,
        size: usize,
    ) -> c_int {
        from_result(|| {
            // SAFETY: By the caller's promise.
            let inode = unsafe { Inode::<F>::from_raw(inode) };
            // SAFETY: By the caller's promise.
            let name = unsafe { Self::full_name(handler, name) };
            // SAFETY: By the caller's promise; it is the VFS's own memory.
            let room = unsafe { room(buffer, size) };
            let len = F::with_xattr(inode, name, |value| {
                if let Some(room) = room {
                    room.get_mut(..value.len())
                        .ok_or(ERANGE)?
                        .copy_from_slice(value);
                }
                Ok(value.len())
            })?;
            c_int::try_from(len).map_err(|_| E2BIG)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS with an inode of an `F`, its `i_rwsem` held, and `size` bytes at `value`, or
    /// null to remove.
    unsafe extern "C" fn set(
        handler: *const bindings::xattr_handler,
        _idmap: *mut bindings::mnt_idmap,
        _dentry: *mut bindings::dentry,
        inode: *mut bindings::inode,
        name: *const c_char,
        value: *const c_void,
        size: usize,
        flags: c_int,
    ) -> c_int {
        const CREATE: c_int = bindings::XATTR_CREATE as c_int;
        const REPLACE: c_int = bindings::XATTR_REPLACE as c_int;
        from_result(|| {
            // SAFETY: By the caller's promise.
            let inode = unsafe { Inode::<F>::from_raw(inode) };
            // SAFETY: By the caller's promise.
            let name = unsafe { Self::full_name(handler, name) };
            // SAFETY: By the caller's promise.
            let bytes = unsafe { bytes(value, size) };
            let change = match flags {
                _ if value.is_null() => XattrChange::Remove,
                0 => XattrChange::Set(bytes),
                CREATE => XattrChange::Create(bytes),
                REPLACE => XattrChange::Replace(bytes),
                _ => return Err(EINVAL),
            };
            F::set_xattr(inode, name, change).map(|()| 0)
        })
    }
}

/// # Safety
///
/// Called by the VFS with a positive dentry of an `F` and `size` bytes of room at `list`.
pub(super) unsafe extern "C" fn listxattr<F: Xattrs>(
    dentry: *mut bindings::dentry,
    list: *mut c_char,
    size: usize,
) -> isize {
    let result = (|| {
        // SAFETY: By the caller's promise; an inode stays while its dentry is in use.
        let inode = unsafe { Dentry::<F>::from_raw(dentry) }
            .inode()
            .ok_or(ENOENT)?;
        let mut list = XattrList {
            // SAFETY: By the caller's promise; it is the VFS's own memory.
            buf: unsafe { room(list.cast(), size) },
            len: 0,
        };
        F::list_xattrs(inode, &mut list)?;
        isize::try_from(list.len).map_err(|_| E2BIG)
    })();
    result.unwrap_or_else(|e: Error| e.to_errno() as isize)
}

pub(super) fn handlers<F: Xattrs>() -> *const *const bindings::xattr_handler {
    let handlers: &'static [_; 4] = &Table::<F>::HANDLERS;
    handlers.as_ptr()
}
