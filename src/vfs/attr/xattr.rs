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

use crate::{
    bindings,
    vfs::{
        answer::{
            from_result,
            outside, //
        },
        Dentry,
        FileSystem,
        Inode, //
    },
};
use core::{
    ffi::c_void,
    marker::PhantomData,
    mem::MaybeUninit,
    slice, //
};
use kernel::{
    error::to_result,
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
    buf: Option<&'a mut [MaybeUninit<u8>]>,
    len: usize,
}

impl XattrList<'_> {
    /// Adds one; `ERANGE` if there is no room.
    pub(crate) fn add(&mut self, name: &[u8]) -> Result {
        let nul = self.len.saturating_add(name.len());
        if let Some(buf) = &mut self.buf {
            write(buf.get_mut(self.len..nul).ok_or(ERANGE)?, name);
            buf.get_mut(nul).ok_or(ERANGE)?.write(0);
        }
        self.len = nul.saturating_add(1);
        Ok(())
    }
}

/// Writes `bytes` to a place of as many.
fn write(place: &mut [MaybeUninit<u8>], bytes: &[u8]) {
    for (to, from) in place.iter_mut().zip(bytes) {
        to.write(*from);
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
    /// - `labels`: names and values, and one without a name behind them, which nobody changes for the call.
    /// - `to`: a vector of labels that nobody else uses for the call.
    unsafe extern "C" fn add(
        _inode: *mut bindings::inode,
        mut labels: *const bindings::xattr,
        to: *mut c_void,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is one, and ours for the call: clause `to`.
            let to = unsafe { &mut *to.cast::<KVec<Label>>() };
            loop {
                // SAFETY: It is one, or that at their end: clause `labels`.
                let label = unsafe { &*labels };
                if label.name.is_null() {
                    return Ok(0);
                }
                // SAFETY: It is a string for the call: clause `labels`.
                let suffix = unsafe { CStr::from_char_ptr(label.name) };
                let mut name = KVec::new();
                name.extend_from_slice(b"security.", GFP_KERNEL)?;
                name.extend_from_slice(suffix.to_bytes(), GFP_KERNEL)?;
                // SAFETY: So many bytes are there for the call: clause `labels`.
                let bytes = unsafe { bytes(label.value, label.value_len) };
                let mut value = KVec::new();
                value.extend_from_slice(bytes, GFP_KERNEL)?;
                to.push((name, value), GFP_KERNEL)?;
                // SAFETY: This one has a name, so there is another behind it: clause `labels`.
                labels = unsafe { labels.add(1) };
            }
        })
    }

    let mut labels = KVec::<Label>::new();
    let name = dentry.map_or(core::ptr::null(), Dentry::qstr);
    let to = (&raw mut labels).cast();
    // SAFETY: Both inodes are live, and the name is null or stable. `add` gets `to`, which is `labels`
    // and is used by nobody else meanwhile, and the labels of the modules
    // (security_inode_init_security, which frees them after that).
    to_result(unsafe {
        bindings::daxrmap_new_labels(inode.as_ptr(), dir.as_ptr(), name, Some(add), to)
    })?;
    Ok(labels)
}

/// # Safety
///
/// `ptr`: `len` bytes are there, if `len` is not 0 and it is not null, and nobody changes them for `'a`.
unsafe fn bytes<'a>(ptr: *const c_void, len: usize) -> &'a [u8] {
    if len == 0 || ptr.is_null() {
        return &[];
    }
    // SAFETY: So many bytes are there, and stay as they are for `'a`: clause `ptr`; bytes need no
    // alignment.
    unsafe { slice::from_raw_parts(ptr.cast(), len) }
}

/// Room for an answer. Nobody has written to it as yet: the VFS does not clear it.
///
/// # Safety
///
/// `ptr`: `len` bytes may be written there, if `len` is not 0 and it is not null, and nobody else uses
/// them for `'a`.
unsafe fn room<'a>(ptr: *mut c_void, len: usize) -> Option<&'a mut [MaybeUninit<u8>]> {
    if len == 0 || ptr.is_null() {
        return None;
    }
    // SAFETY: So many bytes are there, and ours for `'a`: clause `ptr`. Any memory is a slice of what
    // may not be initialised.
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
    /// `name`: what the VFS has handed to a callback of `handler`, which has not returned for `'a`.
    unsafe fn full_name<'a>(
        handler: *const bindings::xattr_handler,
        name: *const c_char,
    ) -> &'a [u8] {
        // SAFETY: It is the rest of a name that begins with the handler's prefix: clause `name`.
        let full = unsafe { bindings::xattr_full_name(handler, name) };
        // SAFETY: It is that whole name, a string that lives for the call: clause `name`.
        unsafe { CStr::from_char_ptr(full) }.to_bytes()
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `inode`: a live one of an `F`.
    /// - `handler`, `name`: as `full_name` wants them.
    /// - `buffer`: `size` bytes of room for this call alone, unless it is null.
    unsafe extern "C" fn get(
        handler: *const bindings::xattr_handler,
        _dentry: *mut bindings::dentry,
        inode: *mut bindings::inode,
        name: *const c_char,
        buffer: *mut c_void,
        size: usize,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is live for the call, and an `F`'s: clause `inode`.
            let inode = unsafe { Inode::<F>::from_raw(inode) };
            // SAFETY: Both are the VFS's, and this is the callback: clause `name`.
            let name = unsafe { Self::full_name(handler, name) };
            // SAFETY: There is as much room, for this call alone: clause `buffer`.
            let room = unsafe { room(buffer, size) };
            let len = F::with_xattr(inode, name, |value| {
                if let Some(room) = room {
                    write(room.get_mut(..value.len()).ok_or(ERANGE)?, value);
                }
                Ok(value.len())
            })?;
            c_int::try_from(len).map_err(|_| E2BIG)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS, `i_rwsem` of the inode held.
    /// - `inode`: a live one of an `F`.
    /// - `handler`, `name`: as `full_name` wants them.
    /// - `value`: `size` bytes that nobody changes for the call, or null to remove.
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
            // SAFETY: It is live for the call, and an `F`'s: clause `inode`.
            let inode = unsafe { Inode::<F>::from_raw(inode) };
            // SAFETY: Both are the VFS's, and this is the callback: clause `name`.
            let name = unsafe { Self::full_name(handler, name) };
            // SAFETY: So many bytes are there for the call: clause `value`.
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
/// Called by the VFS.
/// - `dentry`: a positive one of an `F`, which stays so for the call.
/// - `list`: `size` bytes of room for this call alone, unless it is null.
pub(in crate::vfs) unsafe extern "C" fn listxattr<F: Xattrs>(
    dentry: *mut bindings::dentry,
    list: *mut c_char,
    size: usize,
) -> isize {
    let result = (|| {
        // SAFETY: It is an `F`'s, and keeps its inode for the call: clause `dentry`.
        let inode = unsafe { Inode::<F>::of_dentry(dentry) }?;
        let mut list = XattrList {
            // SAFETY: There is as much room, for this call alone: clause `list`.
            buf: unsafe { room(list.cast(), size) },
            len: 0,
        };
        F::list_xattrs(inode, &mut list)?;
        isize::try_from(list.len).map_err(|_| E2BIG)
    })();
    result.unwrap_or_else(|e: Error| outside(e).to_errno() as isize)
}

pub(in crate::vfs) fn handlers<F: Xattrs>() -> *const *const bindings::xattr_handler {
    let handlers: &'static [_; 4] = &Table::<F>::HANDLERS;
    handlers.as_ptr()
}
