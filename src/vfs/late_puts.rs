// SPDX-License-Identifier: GPL-2.0

//! Late puts: inode references that a worker drops, because their holder must not wait.
//!
//! Dropping the last reference to an unlinked inode evicts it, and evicting waits for whoever pins a page
//! of it: an RDMA device may do that for as long as it likes. So the failure path, which must not wait,
//! hands its reference over to [`LatePuts`].
//!
//! Handing over needs no memory: the list is chained through the inodes' `i_link`, which only symbolic
//! links use, and all inodes in the list are regular files. Of no other inode can a page be pinned: the
//! reference to one is dropped at once.
//!
//! # Locking
//!
//! A mutex protects the list; nothing is taken inside of it. The worker holds no lock when it drops a
//! reference.

use crate::{
    bindings,
    vfs::AnyInode, //
};
use core::ptr::NonNull;
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

/// A list of inodes: the first one, or none.
///
/// # Invariants
///
/// - "owned": the list owns one reference to each inode in it. An inode is in it once, since it enters
///   the list only when there is no other reference.
/// - "regular": all are regular files, and finished. Nobody but the list uses
///   their `i_link`, which has the next inode, or null.
struct List(Option<NonNull<bindings::inode>>);

// SAFETY: What it owns are references to inodes, which may be dropped on any thread.
unsafe impl Send for List {}

/// What becomes of a reference that is dropped late.
pub(in crate::vfs) trait LateEnd: Send + Sync + 'static {
    /// The last reference to this inode enters the list. Does not wait.
    fn enters(&self, _inode: &AnyInode) {}

    /// The worker drops it; may wait for who pins a page.
    fn end(&self, inode: ARef<AnyInode>) {
        drop(inode);
    }
}

impl LateEnd for () {}

/// References that are to be dropped, and the work that does it.
#[pin_data]
pub(in crate::vfs) struct LatePuts<E: LateEnd> {
    #[pin]
    list: Mutex<List>,
    #[pin]
    work: Work<Self>,
    end: E,
}

impl_has_work! {
    impl{E: LateEnd} HasWork<Self> for LatePuts<E> { self.work }
}

impl<E: LateEnd> LatePuts<E> {
    /// An empty list, with what becomes of references in it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(in crate::vfs) fn new(end: E) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                // INVARIANT: "owned" and "regular": it is empty.
                list <- new_mutex!(List(None), "daxrmap::LatePuts"),
                work <- new_work!("daxrmap::LatePuts"),
                end,
            }),
            GFP_KERNEL,
        )
    }

    /// Drops a reference, unless it is the last one to a regular file: then it enters the list, and the
    /// caller starts the worker. Returns whether it is so. Waits for nobody who pins a page.
    pub(in crate::vfs) fn put(&self, inode: ARef<AnyInode>) -> bool {
        let raw = ARef::into_raw(inode).cast::<bindings::inode>();
        // SAFETY: The inode is live by the reference that we own.
        let count = unsafe { &raw mut (*raw.as_ptr()).i_count };
        // SAFETY: The count is the live inode's; if there is another reference, ours is gone.
        if unsafe { bindings::atomic_add_unless(count, -1, 1) } {
            return false;
        }
        // SAFETY: The reference is the last one, and still ours.
        let inode = unsafe { ARef::<AnyInode>::from_raw(raw.cast()) };
        if !inode.is_regular() {
            return false;
        }
        self.end.enters(&inode);
        let raw = ARef::into_raw(inode).cast::<bindings::inode>();
        let mut list = self.list.lock();
        let next = list.0.map_or(core::ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: The inode is live by our reference, and a regular file. It stays one: it is finished,
        // as a `NewInode` would have a reference, and ours is the only one. So its `i_link` is the
        // list's, and we hold the list's lock.
        unsafe { (*raw.as_ptr()).__bindgen_anon_5.i_link = next.cast() };
        // INVARIANT: "owned": the reference passes to the list. It was the only one, so the inode is
        // not in the list. "regular": looked at above.
        list.0 = Some(raw);
        true
    }

    /// Takes the first one off.
    fn pop(&self) -> Option<ARef<AnyInode>> {
        let mut list = self.list.lock();
        let first = list.0?;
        // SAFETY: The inode is live: invariant "owned". The field is the list's: invariant "regular".
        let next = unsafe { (*first.as_ptr()).__bindgen_anon_5.i_link };
        // INVARIANT: "owned" and "regular": the rest of the list.
        list.0 = NonNull::new(next.cast());
        // SAFETY: The inode is live: invariant "owned". The field is the list's: invariant "regular".
        unsafe { (*first.as_ptr()).__bindgen_anon_5.i_link = core::ptr::null_mut() };
        // SAFETY: The list's reference passes to the caller: invariant "owned".
        Some(unsafe { ARef::from_raw(first.cast()) })
    }
}

impl<E: LateEnd> WorkItem for LatePuts<E> {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        while let Some(inode) = this.pop() {
            this.end.end(inode);
        }
    }
}
