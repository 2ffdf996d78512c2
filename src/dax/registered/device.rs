// SPDX-License-Identifier: GPL-2.0

//! A dax device that a filesystem of another module names: that of a pmem disk, or one in fsdev mode, which
//! has no disk.
//!
//! C source: drivers/dax/super.c (`fs_dax_get`), drivers/dax/fsdev.c.
//!
//! # Locking
//!
//! As for [`Pmem`]: what the driver has is used only while the device is alive, under `dax_read_lock`.

use crate::{
    bindings,
    dax::{
        device::Holdable,
        memory::pmem::{
            while_alive,
            Pmem, //
        },
        BLOCK_SIZE, //
    },
    errno::eopnotsupp,
    vfs::Dev, //
};
use core::{
    marker::PhantomData,
    ops::Range,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

/// A dax device that a caller names.
///
/// # Invariants
///
/// - "live": it is a dax device that is referenced for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct DaxRef<'a> {
    dax: NonNull<bindings::dax_device>,
    _live: PhantomData<&'a ()>,
}

impl DaxRef<'_> {
    /// # Safety
    ///
    /// `dax`: a dax device that is referenced for as long as the value is used.
    pub(super) unsafe fn new(dax: NonNull<bindings::dax_device>) -> Self {
        // INVARIANT: "live": clause `dax`.
        Self {
            dax,
            _live: PhantomData,
        }
    }

    /// Whether it is the device of this disk.
    pub(crate) fn is_of(&self, disk: &Pmem) -> bool {
        disk.as_ptr() == self.dax.as_ptr()
    }

    /// Its number, as a character device.
    pub(crate) fn number(&self) -> Dev {
        // SAFETY: It is referenced: invariant "live".
        Dev::from_raw(unsafe { bindings::daxrmap_dax_number(self.dax.as_ptr()) })
    }
}

/// A dax device that a filesystem has, from page 0 on.
///
/// # Invariants
///
/// - "dax": `dax` is a dax device. `disk`, if there is one, has it, and its reference; else it is a
///   character device's, and this value owns a reference to it.
pub(crate) struct AnyDax {
    dax: NonNull<bindings::dax_device>,
    disk: Option<Arc<Pmem>>,
}

// SAFETY: What it owns are references, which may be dropped on any thread.
unsafe impl Send for AnyDax {}
// SAFETY: `&AnyDax` gives access to a `Pmem`, which is `Sync`, and to calls of the C API, which may come
// from any thread.
unsafe impl Sync for AnyDax {}

impl AnyDax {
    /// The device; `disk`: whose it is, if it is a disk's.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if it is of neither kind.
    pub(crate) fn new(dax: DaxRef<'_>, disk: Option<Arc<Pmem>>) -> Result<Self> {
        let disk = disk.filter(|disk| dax.is_of(disk));
        let raw = dax.dax.as_ptr();
        // SAFETY: It is referenced: invariant "live" of `DaxRef`.
        if disk.is_none() && !unsafe { bindings::daxrmap_get_char_dax(raw) } {
            return Err(eopnotsupp());
        }
        // INVARIANT: "dax": `disk` has it, or the helper has taken a reference.
        Ok(Self { dax: dax.dax, disk })
    }

    /// The disk whose device it is, if it is a disk's.
    pub(crate) fn disk(&self) -> Option<&Pmem> {
        self.disk.as_deref()
    }

    /// The page frames of its first `blocks` blocks, which follow each other.
    ///
    /// # Errors
    ///
    /// `EINVAL` if they do not, or it has not so many; `ENXIO` if it is gone.
    pub(crate) fn pfns(&self, blocks: u64) -> Result<Range<u64>> {
        if let Some(disk) = self.disk() {
            let gone = |e| if e == ENXIO { e } else { EINVAL };
            return disk.pfns(blocks).map_err(gone);
        }
        let want = c_long::try_from(blocks).map_err(|_| EINVAL)?;
        let (mut addr, mut pfn) = (core::ptr::null_mut(), 0);
        let got = self.while_alive(|| {
            // SAFETY: The device is referenced: invariant "dax"; under dax_read_lock. A device in fsdev
            // mode looks whether it has the pages.
            unsafe {
                bindings::dax_direct_access(
                    self.as_ptr(),
                    0,
                    want,
                    bindings::dax_access_mode_DAX_RECOVERY_WRITE,
                    &mut addr,
                    &mut pfn,
                )
            }
        });
        if got.ok_or(ENXIO)? != want {
            return Err(EINVAL);
        }
        Ok(pfn as u64..(pfn as u64).saturating_add(blocks))
    }

    fn while_alive<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        // SAFETY: The device is referenced: invariant "dax".
        unsafe { while_alive(self.dax, f) }
    }
}

// SAFETY: The device is referenced: invariant "dax". fs_dax_get gives a holder and a reference, or an error.
unsafe impl Holdable for AnyDax {
    fn as_ptr(&self) -> *mut bindings::dax_device {
        self.dax.as_ptr()
    }

    /// # Safety
    ///
    /// As the trait says. `holder`: lives as long as that.
    unsafe fn hold(
        &self,
        holder: *mut c_void,
        operations: &'static bindings::dax_holder_operations,
    ) -> Result {
        match self.disk() {
            // SAFETY: Holder and operations live long enough: clause `holder`.
            Some(disk) => unsafe { disk.hold(holder, operations) },
            // SAFETY: It is a character device's, as that function wants: invariant "dax". Holder and
            // operations live long enough: clause `holder`.
            None => to_result(unsafe { bindings::fs_dax_get(self.as_ptr(), holder, operations) }),
        }
    }

    fn is_alive(&self) -> bool {
        self.while_alive(|| ()).is_some()
    }
}

impl Drop for AnyDax {
    fn drop(&mut self) {
        if self.disk.is_none() {
            // SAFETY: The reference is ours to drop: invariant "dax".
            unsafe { bindings::put_dax(self.as_ptr()) };
        }
    }
}

/// Bytes of blocks, as a filesystem's operations have them.
pub(super) fn bytes(blocks: &Range<u64>) -> (u64, u64) {
    let count = blocks.end.saturating_sub(blocks.start);
    (
        blocks.start.saturating_mul(BLOCK_SIZE),
        count.saturating_mul(BLOCK_SIZE),
    )
}
