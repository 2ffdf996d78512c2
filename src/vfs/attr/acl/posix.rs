// SPDX-License-Identifier: GPL-2.0

//! POSIX ACLs, as the kernel has them (fs/posix_acl.c).
//!
//! For locking, see [`super`].

use super::{
    AclKind,
    Acls, //
};
use crate::{
    bindings,
    errno::euclean,
    vfs::{
        answer::{
            from_result,
            outside, //
        },
        FileSystem,
        Inode,
        InodeLock, //
    },
};
use core::{
    ffi::c_void,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*, //
};

/// The flag by which a super block says that the VFS is to ask for ACLs.
pub(in crate::vfs) const SB_FLAG: usize = bindings::SB_POSIXACL as usize;

impl AclKind {
    fn from_raw(raw: c_int) -> Result<Self> {
        match u32::try_from(raw) {
            Ok(bindings::ACL_TYPE_ACCESS) => Ok(Self::Access),
            Ok(bindings::ACL_TYPE_DEFAULT) => Ok(Self::Default),
            _ => Err(EINVAL),
        }
    }

    fn into_raw(self) -> c_int {
        match self {
            Self::Access => bindings::ACL_TYPE_ACCESS as c_int,
            Self::Default => bindings::ACL_TYPE_DEFAULT as c_int,
        }
    }
}

/// A reference to an ACL in the kernel's form.
///
/// # Invariants
///
/// - "owned": it is an ACL, and this value owns a reference to it.
pub(crate) struct Acl(NonNull<bindings::posix_acl>);

impl Acl {
    /// # Safety
    ///
    /// `ptr`: an ACL, and the caller hands over a reference to it; or null.
    unsafe fn from_raw(ptr: *mut bindings::posix_acl) -> Option<Self> {
        // INVARIANT: "owned": clause `ptr`.
        NonNull::new(ptr).map(Self)
    }

    /// The ACL as extended attributes have it, which is how it is stored.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn to_bytes<F: FileSystem>(&self, inode: &Inode<F>) -> Result<KVec<u8>> {
        // SAFETY: It lives while `self` does: invariant "owned".
        unsafe { to_bytes(self.0.as_ptr(), inode) }
    }

    /// Makes it what the VFS has in core for `inode`. Caller: `i_rwsem`.
    pub(crate) fn cache<F: FileSystem>(&self, inode: &Inode<F>, kind: AclKind) {
        // SAFETY: It lives while `self` does: invariant "owned".
        unsafe { cache(inode, kind, self.0.as_ptr()) };
    }
}

impl Drop for Acl {
    fn drop(&mut self) {
        // SAFETY: The reference is ours to drop: invariant "owned".
        unsafe { bindings::daxrmap_posix_acl_release(self.0.as_ptr()) };
    }
}

/// # Safety
///
/// `acl`: an ACL that lives for the call.
unsafe fn to_bytes<F: FileSystem>(
    acl: *const bindings::posix_acl,
    inode: &Inode<F>,
) -> Result<KVec<u8>> {
    let mut len = 0;
    // SAFETY: The super block is live: invariant "info" of `SuperBlock`; the field does not change.
    let ns = unsafe { (*inode.sb().as_ptr()).s_user_ns };
    // SAFETY: It lives for the call: clause `acl`. So does the namespace, which is the mount's.
    let bytes = unsafe { bindings::posix_acl_to_xattr(ns, acl, &mut len, bindings::GFP_KERNEL) };
    if bytes.is_null() {
        return Err(ENOMEM);
    }
    // SAFETY: So many bytes are there, from kmalloc(), and nobody else has them.
    Ok(unsafe { KVec::from_raw_parts(bytes.cast(), len, len) })
}

/// # Safety
///
/// `acl`: an ACL that lives for the call, or null.
unsafe fn cache<F: FileSystem>(inode: &Inode<F>, kind: AclKind, acl: *mut bindings::posix_acl) {
    // SAFETY: The inode is live: invariant "live" of `Inode`. So is the ACL, or it is null: clause `acl`.
    unsafe { bindings::set_cached_acl(inode.as_ptr(), kind.into_raw(), acl) };
}

/// A new reference to an ACL as it is stored.
fn from_bytes<F: FileSystem>(inode: &Inode<F>, bytes: &[u8]) -> Result<Acl> {
    // SAFETY: The super block is live: invariant "info" of `SuperBlock`; the field does not change.
    let ns = unsafe { (*inode.sb().as_ptr()).s_user_ns };
    // SAFETY: So many bytes are there, and the namespace is the mount's, which is live.
    let acl =
        unsafe { bindings::posix_acl_from_xattr(ns, bytes.as_ptr().cast::<c_void>(), bytes.len()) };
    let acl = match from_err_ptr(acl) {
        // SAFETY: It came with a reference.
        Ok(acl) => unsafe { Acl::from_raw(acl) }.ok_or_else(euclean)?,
        Err(e) if e == ENOMEM => return Err(e),
        Err(_) => return Err(euclean()),
    };
    // SAFETY: It lives while `acl` does: invariant "owned"; the namespace is the mount's.
    to_result(unsafe { bindings::posix_acl_valid(ns, acl.0.as_ptr()) }).map_err(|_| euclean())?;
    Ok(acl)
}

/// # Safety
///
/// Called by the VFS. `inode`: a live one of an `F`.
unsafe extern "C" fn get_inode_acl<F: Acls>(
    inode: *mut bindings::inode,
    kind: c_int,
    rcu: bool,
) -> *mut bindings::posix_acl {
    let result = (|| {
        if rcu {
            return Err(ECHILD);
        }
        // SAFETY: It is a live one of an `F`: clause `inode`.
        let inode = unsafe { Inode::<F>::from_raw(inode) };
        F::with_acl(inode, AclKind::from_raw(kind)?, |bytes| {
            from_bytes(inode, bytes)
        })
    })();
    match result {
        // The reference passes to the caller.
        Ok(Some(acl)) => ManuallyDrop::new(acl).0.as_ptr(),
        Ok(None) => core::ptr::null_mut(),
        Err(e) => outside(e).to_ptr(),
    }
}

/// # Safety
///
/// Called by the VFS, for somebody who may do this.
/// - `idmap`: the VFS's, for this call.
/// - `dentry`: a positive one of an `F`, which keeps its inode for the call; that one's `i_rwsem` is held
///   exclusively.
/// - `acl`: one that it has checked, for the call, or null to remove it.
unsafe extern "C" fn set_acl<F: Acls>(
    idmap: *mut bindings::mnt_idmap,
    dentry: *mut bindings::dentry,
    mut acl: *mut bindings::posix_acl,
    kind: c_int,
) -> c_int {
    from_result(|| {
        let kind = AclKind::from_raw(kind)?;
        // SAFETY: It is an `F`'s and keeps its inode for the call: clause `dentry`.
        let inode = unsafe { Inode::<F>::of_dentry(dentry) }?;
        // SAFETY: The VFS holds the lock for us: clause `dentry`; the guard is never dropped.
        let lock = ManuallyDrop::new(unsafe { InodeLock::assume_held(inode) });
        let mut mode = inode.mode();
        if matches!(kind, AclKind::Access) && !acl.is_null() {
            // One that says no more than a mode is not needed then: null.
            // SAFETY: It is one for the call, as it is not null: clause `acl`, and stays the
            // caller's: this takes no reference away. The idmap is the VFS's for the call: clause
            // `idmap`.
            to_result(unsafe {
                bindings::posix_acl_update_mode(idmap, inode.as_ptr(), &mut mode, &mut acl)
            })?;
        }
        let bytes = if acl.is_null() {
            None
        } else {
            // SAFETY: It is one for the call, as it is not null: clause `acl`.
            Some(unsafe { to_bytes(acl, inode) }?)
        };
        F::set_acl(&lock, kind, bytes.as_deref(), mode)?;
        // SAFETY: It is one for the call, or null: clause `acl`.
        unsafe { cache(inode, kind, acl) };
        Ok(0)
    })
}

/// `get_inode_acl` of the inode operations.
pub(in crate::vfs) const fn get<F: Acls>(
) -> Option<unsafe extern "C" fn(*mut bindings::inode, c_int, bool) -> *mut bindings::posix_acl> {
    Some(get_inode_acl::<F>)
}

/// `set_acl` of the inode operations.
pub(in crate::vfs) const fn set<F: Acls>() -> Option<
    unsafe extern "C" fn(
        *mut bindings::mnt_idmap,
        *mut bindings::dentry,
        *mut bindings::posix_acl,
        c_int,
    ) -> c_int,
> {
    Some(set_acl::<F>)
}

/// The access ACL that the inode is to have, if it has one, since the permissions in its mode have
/// changed in core.
///
/// # Errors
///
/// `EUCLEAN` if the one that it has is not valid; `ENOMEM`.
pub(in crate::vfs) fn by_mode<F: FileSystem>(inode: &Inode<F>) -> Result<Option<Acl>> {
    let kind = AclKind::Access.into_raw();
    // SAFETY: The inode is live: invariant "live" of `Inode`.
    let mut acl = from_err_ptr(unsafe { bindings::get_inode_acl(inode.as_ptr(), kind) })?;
    if acl.is_null() {
        return Ok(None);
    }
    // SAFETY: It came with a reference. That is dropped for one to a copy, or for null.
    to_result(unsafe { bindings::__posix_acl_chmod(&mut acl, bindings::GFP_KERNEL, inode.mode()) })
        .map_err(|e| if e == ENOMEM { e } else { euclean() })?;
    // SAFETY: What the call has left there is a reference of ours, or null.
    Ok(unsafe { Acl::from_raw(acl) })
}

/// Gives a new inode what an object that is made in `dir` begins with, and calls `f` with that: ACLs, and
/// permissions, by `dir`'s default ACL, or the process's umask if there is none. It is to have its owner
/// and mode already.
///
/// # Errors
///
/// What `f` says; `EUCLEAN` if the default ACL is not valid; `ENOMEM`.
///
/// # Safety
///
/// "alone": nobody else sees or changes `inode`.
pub(in crate::vfs) unsafe fn init_new<F: FileSystem>(
    inode: &Inode<F>,
    dir: &Inode<F>,
    mut f: impl FnMut(AclKind, KVec<u8>) -> Result,
) -> Result {
    let mut mode = inode.mode();
    let (mut default, mut access) = (core::ptr::null_mut(), core::ptr::null_mut());
    // SAFETY: The directory is live: invariant "live" of `Inode`; there are places for the rest.
    to_result(unsafe {
        bindings::posix_acl_create(dir.as_ptr(), &mut mode, &mut default, &mut access)
    })?;
    let acls = [
        // SAFETY: A reference came with it, or it is null.
        (AclKind::Access, unsafe { Acl::from_raw(access) }),
        // SAFETY: A reference came with it, or it is null.
        (AclKind::Default, unsafe { Acl::from_raw(default) }),
    ];
    // SAFETY: The inode is live and nobody else changes it: clause "alone".
    unsafe { (*inode.as_ptr()).i_mode = mode };
    for (kind, acl) in &acls {
        match acl {
            Some(acl) => {
                f(*kind, acl.to_bytes(inode)?)?;
                acl.cache(inode, *kind);
            }
            None => note_none(inode, *kind),
        }
    }
    Ok(())
}

/// Notes that there is no such ACL, of an inode that nobody else sees.
pub(in crate::vfs) fn note_none<F: FileSystem>(inode: &Inode<F>, kind: AclKind) {
    // SAFETY: Null may be noted: clause `acl`.
    unsafe { cache(inode, kind, core::ptr::null_mut()) };
}
