// SPDX-License-Identifier: GPL-2.0

//! Inode references that are dropped later, by a worker.
//!
//! Dropping the last reference to an unlinked inode evicts it, and evicting waits for whoever pins a
//! page of it: an RDMA device, for as long as it likes. So who must not wait hands the reference over.
//! That needs no memory: the list goes through the inodes' `i_link`. They are regular files, and that
//! is a symbolic link's. What is no regular file has no pages that one could pin, and is not waited for.
//!
//! # Locking
//!
//! The list has a mutex, innermost. The worker holds nothing when it drops a reference.

use crate::{
    bindings,
    vfs::{
        FileSystem,
        Inode, //
    },
};
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
/// - "owned": the list has a reference to each inode in it. So an inode is in it once: who puts one sees no
///   other reference.
/// - "regular": they are regular files of the filesystem that the list is of, and finished. Nobody but the
///   list uses their `i_link`, which is the next one, or null.
struct List(Option<NonNull<bindings::inode>>);

// SAFETY: What it owns are references to inodes, which may be dropped on any thread.
unsafe impl Send for List {}

/// See the module's documentation.
#[pin_data]
pub(in crate::vfs) struct LatePuts<F: FileSystem> {
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
    pub(in crate::vfs) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                // INVARIANT: "owned" and "regular": it is empty.
                list <- new_mutex!(List(None), "daxrmap::LatePuts"),
                work <- new_work!("daxrmap::LatePuts"),
                _fs: PhantomData,
            }),
            GFP_KERNEL,
        )
    }

    /// Drops a reference, unless it is the last one to a regular file: then it comes in the list, and
    /// the worker must run. Returns whether that is so. Waits for nobody who pins a page.
    pub(in crate::vfs) fn put(&self, inode: ARef<Inode<F>>) -> bool {
        let raw = ARef::into_raw(inode).cast::<bindings::inode>();
        // SAFETY: The inode is live by the reference that we have, which is gone if the helper says so.
        if unsafe { bindings::daxrmap_put_unless_last(raw.as_ptr()) } {
            return false;
        }
        // SAFETY: The helper has left the reference to us; the inode is an `F`'s.
        let inode = unsafe { Inode::<F>::from_raw_owned(raw) };
        if !inode.is_regular() {
            return false;
        }
        let raw = ARef::into_raw(inode).cast::<bindings::inode>();
        let mut list = self.list.lock();
        let next = list.0.map_or(core::ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: The inode is live, and a regular file: for good, as who could still change that, a
        // `NewInode`, has a reference, and there was no other. So the field is the list's, and ours
        // under its lock.
        unsafe { (*raw.as_ptr()).__bindgen_anon_5.i_link = next.cast() };
        // INVARIANT: "owned": the reference passes to the list. It was the only one, so the inode is
        // not in the list. "regular": looked at above.
        list.0 = Some(raw);
        true
    }

    fn pop(&self) -> Option<ARef<Inode<F>>> {
        let mut list = self.list.lock();
        let first = list.0?;
        // SAFETY: The inode is live: "owned". The field is the list's: "regular".
        let next = unsafe { (*first.as_ptr()).__bindgen_anon_5.i_link };
        // INVARIANT: "owned" and "regular": the rest of the list.
        list.0 = NonNull::new(next.cast());
        // SAFETY: The inode is live: "owned". The field is the list's: "regular".
        unsafe { (*first.as_ptr()).__bindgen_anon_5.i_link = core::ptr::null_mut() };
        // SAFETY: The list's reference passes to the caller: "owned". It is an `F`'s: "regular".
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
