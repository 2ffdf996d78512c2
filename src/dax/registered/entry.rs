// SPDX-License-Identifier: GPL-2.0

//! What filesystems of other modules call: `daxrmap_register` and its like.
//!
//! C header: `include/daxrmap.h`. The symbols are in `src/helpers/api.c`.
//!
//! # Locking
//!
//! None here. A caller's module uses the symbols, so this module does not go meanwhile.

use super::{
    device::DaxRef,
    filesystem::Filesystem, //
};
use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    error::from_result,
    prelude::*,
    sync::Arc, //
};

/// Which registration a caller means: names of the device and of the filesystem, only to be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// The device's.
    pub(crate) dax: usize,
    fs: usize,
}

impl Key {
    fn new(dax: *const bindings::dax_device, fs: *const c_void) -> Self {
        Self {
            dax: dax.addr(),
            fs: fs.addr(),
        }
    }
}

/// Who keeps the registrations.
pub(crate) trait Registrar: Send + Sync + 'static {
    /// There is one more, for bytes `0..size` of the device. Sleeps.
    ///
    /// # Errors
    ///
    /// Those of `daxrmap_register`; the log has been told why.
    fn enter(&self, key: Key, dax: DaxRef<'_>, size: u64, fs: Filesystem) -> Result;

    /// Asks for no more owners. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such one; the log has been told.
    fn stop(&self, key: Key) -> Result;

    /// Gives it up. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such one; the log has been told.
    fn leave(&self, key: Key) -> Result;
}

/// Says why a registration is refused.
fn refused<T>(why: &str, e: Error) -> Result<T> {
    pr_warn!("a registration is refused: {}\n", why);
    Err(e)
}

/// What the C functions call, while this lives.
///
/// # Invariants
///
/// - "begun": the C functions call these for `registrar`.
pub(crate) struct Entries<R: Registrar> {
    _registrar: Arc<R>,
}

impl<R: Registrar> Entries<R> {
    const API: bindings::daxrmap_api = bindings::daxrmap_api {
        enter: Some(Self::enter),
        stop: Some(Self::stop),
        leave: Some(Self::leave),
    };

    /// Has `registrar` called from now on. There may be one such value at a time, and other modules call
    /// nothing before the module's initialisation has ended.
    pub(crate) fn new(registrar: Arc<R>) -> Self {
        let data = Arc::as_ptr(&registrar).cast_mut().cast();
        // SAFETY: The table is a constant of the module. It is called as long as some module uses our
        // symbols, and this module, and what it owns, goes after that.
        unsafe { bindings::daxrmap_api_begin(&Self::API, data) };
        // INVARIANT: "begun": just done.
        Self {
            _registrar: registrar,
        }
    }

    /// # Safety
    ///
    /// As `daxrmap_register`. `data`: the registrar. `dax`: null, or referenced by the caller until it is
    /// registered no more. `ops`: null, or live as long as its module; `fs`: what they want.
    unsafe extern "C" fn enter(
        data: *mut c_void,
        dax: *mut bindings::dax_device,
        size: u64,
        ops: *const bindings::daxrmap_ops,
        fs: *mut c_void,
    ) -> c_int {
        from_result(|| {
            let Some(ops) = NonNull::new(ops.cast_mut()) else {
                return refused("no operations", EINVAL);
            };
            let key = Key::new(dax, fs);
            let Some(dax) = NonNull::new(dax) else {
                return refused("no device", EINVAL);
            };
            // SAFETY: They are there: clauses `ops` and `fs`.
            let fs = match unsafe { Filesystem::new(ops, fs) } {
                Ok(fs) => fs,
                Err(e) if e == EINVAL => return refused("an operation is missing", e),
                Err(e) => return refused("its module is going", e),
            };
            // SAFETY: It is referenced by the caller: clause `dax`.
            let dax = unsafe { DaxRef::new(dax) };
            // SAFETY: It is one, which outlives its callers: clause `data`.
            let registrar = unsafe { &*data.cast::<R>() };
            registrar.enter(key, dax, size, fs).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// `data`: the registrar. The others are only compared.
    unsafe extern "C" fn stop(
        data: *mut c_void,
        dax: *mut bindings::dax_device,
        fs: *mut c_void,
    ) -> c_int {
        // SAFETY: It is one, which outlives its callers: clause `data`.
        let registrar = unsafe { &*data.cast::<R>() };
        from_result(|| registrar.stop(Key::new(dax, fs)).map(|()| 0))
    }

    /// # Safety
    ///
    /// `data`: the registrar. The others are only compared.
    unsafe extern "C" fn leave(
        data: *mut c_void,
        dax: *mut bindings::dax_device,
        fs: *mut c_void,
    ) -> c_int {
        // SAFETY: It is one, which outlives its callers: clause `data`.
        let registrar = unsafe { &*data.cast::<R>() };
        from_result(|| registrar.leave(Key::new(dax, fs)).map(|()| 0))
    }
}
