// SPDX-License-Identifier: GPL-2.0

//! Inode references that are dropped later, by a worker.
//!
//! Dropping the last reference to an unlinked inode evicts it, and evicting waits for whoever pins a
//! page of it: an RDMA device, for as long as it likes. So who must not wait hands the reference over.
//! That needs no memory: the list goes through the inodes' `i_link`. They are regular files, and that
//! is a symbolic link's.
//!
//! # Locking
//!
//! The list has a mutex, innermost. The worker holds nothing when it drops a reference.

use super::{
    FileSystem,
    Inode, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    impl_has_work, new_work,
    prelude::*,
    sync::{
        aref::ARef,
        new_mutex,
        Arc,
        Mutex, //
    },
    workqueue::{
        Work,
        WorkItem, //
    },
};

/// The list's first inode.
///
/// # Invariants
///
/// Each inode of the list comes with a reference. It is in it once: who puts one sees no other
/// reference, and the list has one until it is taken off. `i_link` is the next one, or null.
struct List(Option<NonNull<bindings::inode>>);

// SAFETY: Inode references may be dropped on any thread.
unsafe impl Send for List {}

/// See the module's documentation.
#[pin_data]
pub(super) struct LatePuts<F: FileSystem> {
    #[pin]
    list: Mutex<List>,
    #[pin]
    work: Work<Self>,
    _fs: PhantomData<F>,
}

impl_has_work! {
    impl{F: FileSystem} HasWork<Self> for LatePuts<F> { self.work }
}

impl<F: FileSystem> LatePuts<F> {
    /// An empty list.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                // INVARIANT: It is empty.
                list <- new_mutex!(List(None), "daxrmap::LatePuts"),
                work <- new_work!("daxrmap::LatePuts"),
                _fs: PhantomData,
            }),
            GFP_KERNEL,
        )
    }

    /// Drops a reference to a regular file, unless it is the last: then it comes in the list, and the worker must
    /// run. Returns whether that is so. Never waits for more than the list. One at a time.
    pub(super) fn put(&self, inode: ARef<Inode<F>>) -> bool {
        let raw = ARef::into_raw(inode).cast::<bindings::inode>();
        // SAFETY: The reference is ours; it is gone if the helper says so.
        if unsafe { bindings::daxrmap_put_unless_last(raw.as_ptr()) } {
            return false;
        }
        let mut list = self.list.lock();
        let next = list.0.map_or(core::ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: The inode is live; the field is the list's, and ours under its lock.
        unsafe { (*raw.as_ptr()).__bindgen_anon_5.i_link = next.cast() };
        // INVARIANT: The reference passes to the list. It was the only one, so the inode is not
        // in the list, and one at a time comes here.
        list.0 = Some(raw);
        true
    }

    fn pop(&self) -> Option<ARef<Inode<F>>> {
        let mut list = self.list.lock();
        let first = list.0?;
        // SAFETY: The inode is live; the field is the list's.
        let next = unsafe { (*first.as_ptr()).__bindgen_anon_5.i_link };
        // INVARIANT: The rest of the list.
        list.0 = NonNull::new(next.cast());
        // SAFETY: As above.
        unsafe { (*first.as_ptr()).__bindgen_anon_5.i_link = core::ptr::null_mut() };
        // SAFETY: The list's reference passes to the caller; all of its inodes are of an `F`.
        Some(unsafe { Inode::from_raw_owned(first) })
    }
}

impl<F: FileSystem> WorkItem for LatePuts<F> {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        while let Some(inode) = this.pop() {
            drop(inode);
        }
    }
}
