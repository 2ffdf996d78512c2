// SPDX-License-Identifier: GPL-2.0

//! The super blocks of filesystems that can have DAX files.
//!
//! C source: fs/super.c (`iterate_supers_type`). The kernel exports no walk over all super blocks.
//!
//! # Locking
//!
//! A walk waits for the `s_umount` of each super block of a type, also of those that it is not interested
//! in, and for one that is being mounted. So it must not be done by who holds what others wait for.

use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// The filesystems of the kernel that have DAX files on a block device, by the name of their type; but for
/// erofs, whose faults take no `invalidate_lock`, so that nobody can wait for them.
const TYPES: [&CStr; 2] = [c"xfs", c"ext4"];

/// The one of them whose files may be on a device that its super block does not name: the realtime device.
const WITH_SECOND_DEVICE: &CStr = c"xfs";

/// A mounted super block of another filesystem.
///
/// # Invariants
///
/// - "up": the super block is live, mounted, and its `s_umount` is held by this task, shared, for as long
///   as there is a reference to this value.
#[repr(transparent)]
pub(crate) struct OtherSuper {
    inner: Opaque<bindings::super_block>,
}

impl OtherSuper {
    /// # Safety
    ///
    /// `ptr`: a live super block that is mounted, and whose `s_umount` this task holds for `'a`.
    pub(in crate::vfs) unsafe fn from_raw<'a>(ptr: *mut bindings::super_block) -> &'a Self {
        // INVARIANT: "up": clause `ptr`.
        // SAFETY: It is live for `'a`: clause `ptr`; the layout is transparent.
        unsafe { &*ptr.cast() }
    }

    pub(in crate::vfs) fn as_ptr(&self) -> *mut bindings::super_block {
        self.inner.get()
    }

    /// Whether its files may be DAX, as far as its device says.
    fn may_be_dax(&self) -> bool {
        // SAFETY: The super block is live: invariant "up".
        unsafe { bindings::daxrmap_sb_may_be_dax(self.as_ptr()) }
    }
}

/// A type of filesystems, which does not go while this lives.
struct Type(NonNull<bindings::file_system_type>);

impl Type {
    /// The type of that name, if its module is there. Sleeps.
    fn get(name: &CStr) -> Option<Self> {
        // SAFETY: The name is a string that outlives the call.
        NonNull::new(unsafe { bindings::daxrmap_present_type(name.as_char_ptr()) }).map(Self)
    }
}

impl Drop for Type {
    fn drop(&mut self) {
        // SAFETY: The reference to its module is ours to drop.
        unsafe { bindings::daxrmap_put_type(self.0.as_ptr()) };
    }
}

/// What a walk calls, and whether for all super blocks or those only whose device is DAX.
struct Walk<'a> {
    all: bool,
    each: &'a mut dyn FnMut(&OtherSuper),
}

/// # Safety
///
/// Called by `iterate_supers_type`. `walk`: a [`Walk`] that nobody else uses meanwhile.
unsafe extern "C" fn visit(sb: *mut bindings::super_block, walk: *mut c_void) {
    // SAFETY: It is one: clause `walk`.
    let walk = unsafe { &mut *walk.cast::<Walk<'_>>() };
    // SAFETY: `iterate_supers_type` holds `s_umount`, and calls this for those that are mounted.
    let sb = unsafe { OtherSuper::from_raw(sb) };
    if walk.all || sb.may_be_dax() {
        (walk.each)(sb);
    }
}

/// Calls `each` for each super block that may have DAX files. Sleeps: see the module's documentation.
pub(crate) fn each_super(mut each: impl FnMut(&OtherSuper)) {
    for name in TYPES {
        let Some(fs_type) = Type::get(name) else {
            continue;
        };
        let mut walk = Walk {
            all: name == WITH_SECOND_DEVICE,
            each: &mut each,
        };
        // SAFETY: The type stays: `fs_type` is a reference. `visit` gets what it wants.
        unsafe {
            bindings::iterate_supers_type(fs_type.0.as_ptr(), Some(visit), (&raw mut walk).cast())
        };
    }
}
