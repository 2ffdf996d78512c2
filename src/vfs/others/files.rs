// SPDX-License-Identifier: GPL-2.0

//! Files in core of other filesystems: DAX files that somebody maps, or that have pages.
//!
//! C source: fs/inode.c, fs/drop_caches.c (a walk over `s_inodes`).
//!
//! # Locking
//!
//! A reference to an inode may be had while its super block's `s_umount` is held, which each value here
//! borrows from or has. Dropping the last one evicts the inode, which waits for who pins its pages: that is
//! for a worker. It has an active reference of the super block as well, so that it is not taken down
//! meanwhile, though unmount has returned; and it keeps the memory that the inode has pages of.

use super::super_blocks::OtherSuper;
use crate::{
    bindings,
    support::OwnedQueue,
    vfs::{
        late_puts::{
            LateEnd,
            LatePuts, //
        },
        AnyInode, //
    },
};
use core::{
    mem::ManuallyDrop,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

/// What an inode that is dropped late must not outlive: the memory whose pages it has. It is there as long
/// as somebody [keeps](Self::keep) it, which is when there are such inodes.
pub(crate) trait Memory: Send + Sync + 'static {
    /// Keeps it. False if it is about to go; not while somebody keeps it already. Does not wait.
    fn keep(&self) -> bool;
    /// Keeps it no more; once for each `keep`.
    fn let_go(&self);
}

/// What becomes of an inode of another filesystem.
struct Ends<M: Memory>(Arc<M>);

impl<M: Memory> LateEnd for Ends<M> {
    fn enters(&self, inode: &AnyInode) {
        // The caller of `put` keeps it, so it can be kept once more.
        self.0.keep();
        // SAFETY: The inode is live: invariant "live" of `AnyInode`; the field does not change.
        let sb = unsafe { (*inode.as_ptr()).i_sb };
        // SAFETY: `s_umount` is held by who puts: there is an active reference.
        unsafe { bindings::daxrmap_pin_super(sb) };
    }

    fn end(&self, inode: ARef<AnyInode>) {
        // SAFETY: The inode is live: invariant "live" of `AnyInode`; the field does not change.
        let sb = unsafe { (*inode.as_ptr()).i_sb };
        drop(inode);
        // SAFETY: The active reference is the list's, from `enters`. This is process context, with no lock.
        unsafe { bindings::deactivate_super(sb) };
        self.0.let_go();
    }
}

/// The worker that drops last references to others' inodes. Dropping it waits for it.
pub(crate) struct OtherPuts<M: Memory> {
    queue: OwnedQueue,
    late: Arc<LatePuts<Ends<M>>>,
}

impl<M: Memory> OtherPuts<M> {
    /// A worker called `name`, for who has pages of `memory`. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(name: &CStr, memory: Arc<M>) -> Result<Self> {
        Ok(Self {
            queue: OwnedQueue::new(name)?,
            late: LatePuts::new(Ends(memory))?,
        })
    }
}

/// Drops references to inodes.
pub(crate) trait Puts {
    /// Drops one, whose super block's `s_umount` the caller holds, and keeps the memory.
    fn put(&self, inode: ARef<AnyInode>);
}

impl<M: Memory> Puts for OtherPuts<M> {
    fn put(&self, inode: ARef<AnyInode>) {
        if self.late.put(inode) {
            // An error says that the worker is about to look anyway.
            let _ = self.queue.enqueue(self.late.clone());
        }
    }
}

/// The worker that drops last references to inodes of a filesystem that [drains](Self::drain) it before it
/// goes. Dropping it waits for it.
pub(crate) struct InodePuts {
    queue: OwnedQueue,
    late: Arc<LatePuts<()>>,
}

impl InodePuts {
    /// A worker called `name`. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        Ok(Self {
            queue: OwnedQueue::new(name)?,
            late: LatePuts::new(())?,
        })
    }

    /// Drops a reference, whose super block stays until the worker is drained.
    pub(crate) fn put(&self, inode: ARef<AnyInode>) {
        if self.late.put(inode) {
            // An error says that the worker is about to look anyway.
            let _ = self.queue.enqueue(self.late.clone());
        }
    }

    /// Waits until all references that were put before are dropped.
    pub(crate) fn drain(&self) {
        self.queue.flush();
    }
}

/// A reference to an inode, under its super block's `s_umount`. Dropping it never waits for who pins a page.
pub(crate) struct OtherFile<'a> {
    inode: ManuallyDrop<ARef<AnyInode>>,
    puts: &'a dyn Puts,
}

impl Deref for OtherFile<'_> {
    type Target = AnyInode;

    fn deref(&self) -> &AnyInode {
        &self.inode
    }
}

impl Drop for OtherFile<'_> {
    fn drop(&mut self) {
        // SAFETY: Nothing uses the field after this: the value is being dropped.
        let inode = unsafe { ManuallyDrop::take(&mut self.inode) };
        self.puts.put(inode);
    }
}

impl OtherSuper {
    /// Calls `each` for each regular DAX file in core that somebody maps or that has pages. Those that come
    /// meanwhile may be left out, and those that are on their way in or out are.
    pub(crate) fn each_file(&self, puts: &dyn Puts, mut each: impl FnMut(&OtherFile<'_>)) {
        let mut last: Option<OtherFile<'_>> = None;
        loop {
            let mut wanted = false;
            let previous = last
                .as_ref()
                .map_or(core::ptr::null_mut(), |file| file.as_ptr());
            // SAFETY: The super block is up, its `s_umount` held: invariant "up". The previous inode is
            // one of it, and referenced.
            let next =
                unsafe { bindings::daxrmap_next_file(self.as_ptr(), previous, true, &mut wanted) };
            let Some(next) = NonNull::new(next) else {
                return;
            };
            // SAFETY: The helper returned a reference to a live inode.
            let inode = unsafe { ARef::from_raw(next.cast()) };
            let file = OtherFile {
                inode: ManuallyDrop::new(inode),
                puts,
            };
            if wanted {
                each(&file);
            }
            last = Some(file);
        }
    }
}

/// The file that `folio->mapping` names, and its super block's `s_umount`.
pub(crate) struct FolioFile<'a> {
    // Dropped by hand, before `s_umount` is given up.
    file: ManuallyDrop<OtherFile<'a>>,
}

impl<'a> FolioFile<'a> {
    /// # Safety
    ///
    /// `inode`: a live inode; the caller hands over a reference to it, and its super block's `s_umount`,
    /// which this task holds, shared.
    pub(crate) unsafe fn from_raw(inode: NonNull<bindings::inode>, puts: &'a dyn Puts) -> Self {
        // SAFETY: The reference is handed over: clause `inode`.
        let inode = unsafe { ARef::from_raw(inode.cast()) };
        Self {
            file: ManuallyDrop::new(OtherFile {
                inode: ManuallyDrop::new(inode),
                puts,
            }),
        }
    }
}

impl Deref for FolioFile<'_> {
    type Target = AnyInode;

    fn deref(&self) -> &AnyInode {
        &self.file
    }
}

impl Drop for FolioFile<'_> {
    fn drop(&mut self) {
        // SAFETY: The inode is live: invariant "live" of `AnyInode`; the field does not change.
        let sb = unsafe { (*self.file.as_ptr()).i_sb };
        // SAFETY: Nothing uses the field after this: the value is being dropped.
        unsafe { ManuallyDrop::drop(&mut self.file) };
        // SAFETY: This task holds it: clause `inode` of `from_raw`.
        unsafe { bindings::daxrmap_up_super(sb) };
    }
}
