// SPDX-License-Identifier: GPL-2.0

//! The ground that the engine stands on: who has the failed pages, as a trait.
//!
//! There are three: a mount of a filesystem of ours ([`Mounted`](super::Mounted)), which knows all owners
//! of each block; a device that others have their filesystems on, whose owners are looked for among
//! their inodes in core (`guard`); and one whose filesystem, of another module, says who they are
//! (`guard::registered`). To the engine each has blocks, which are pages of the device and count
//! from where the ground begins, and files, whose pages they are.
//!
//! # Locking
//!
//! One failure of a ground is dealt with at a time: inside of [`Ground::visit`]. All but `visit` and
//! [`Ground::each_file`] may be called there, and [`Ground::extent`], [`Ground::is_bad`] and
//! [`Ground::note`] with an owner's `invalidate_lock` held too: these take no lock of a file.

use super::{
    report::{
        Counters,
        Outcome,
        Via, //
    },
    telling::Telling,
};
use crate::{
    rmap::OwnerRecord,
    vfs::{
        AnyInode,
        AnyInvalidateLock,
        FileSystem,
        Handle,
        Inode, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// A file in core: what an owner is.
pub(crate) trait OwnerFile {
    /// Its inode.
    fn inode(&self) -> &AnyInode;

    /// Runs `f` with its `invalidate_lock` held exclusively; sleeps.
    fn locked<R>(&self, f: impl FnOnce(&AnyInvalidateLock<'_>) -> R) -> R;
}

impl<F: FileSystem> OwnerFile for Inode<F> {
    fn inode(&self) -> &AnyInode {
        self
    }

    fn locked<R>(&self, f: impl FnOnce(&AnyInvalidateLock<'_>) -> R) -> R {
        f(&self.invalidate_lock())
    }
}

impl OwnerFile for AnyInode {
    fn inode(&self) -> &AnyInode {
        self
    }

    fn locked<R>(&self, f: impl FnOnce(&AnyInvalidateLock<'_>) -> R) -> R {
        f(&self.any_invalidate_lock())
    }
}

/// One failure that is being dealt with.
pub(crate) struct Failure<G: Ground> {
    /// The blocks.
    pub(crate) range: Range<u64>,
    /// As in mm/memory-failure.c.
    pub(crate) flags: c_int,
    /// What the ground remembers of it.
    pub(crate) notes: G::Notes,
    /// How its processes are signalled.
    pub(crate) telling: Telling,
    /// The first error.
    pub(crate) result: Result,
}

/// Step 4: what is done about an owner that a ground has found. The [engine](super::Engine) does it.
pub(crate) trait Tells<G: Ground> {
    /// Has who maps the file's pages signalled, as far as they are those blocks still, and takes them from
    /// everybody. False if it has none of them any more. No lock of a file is held.
    fn tell(&self, file: &G::File, owner: OwnerRecord, failure: &mut Failure<G>) -> bool;

    /// The same, at once, and without a note of it: the owner is found once more, and told then.
    ///
    /// # Errors
    ///
    /// Those of [`Ground::kill`].
    fn take_at_once(&self, file: &G::File, owner: OwnerRecord, failure: &mut Failure<G>) -> Result;

    /// Notes an owner that is not in core.
    fn note_absent(&self, owner: OwnerRecord, failure: &mut Failure<G>);

    /// The owners of the failure were found in this way.
    fn found_by(&self, via: Via);

    /// The page frame of a block.
    fn pfn(&self, block: u64) -> Option<u64>;

    /// What happened so far.
    fn counters(&self) -> &Counters;
}

/// Who has the pages of a device, and what is to be known of them.
pub(crate) trait Ground: Send + Sync + Sized + 'static {
    /// A file that may own a block.
    type File: OwnerFile;

    /// What is there while a failure is dealt with.
    type Visit<'a>;

    /// What the ground remembers of one failure.
    type Notes;

    /// Runs `f` while no other failure is dealt with. Sleeps; no lock of a file may be held.
    fn visit<R>(&self, f: impl FnOnce(&Self::Visit<'_>) -> R) -> R;

    /// Makes known that blocks are bad: from here on whoever comes gets an error. Returns how many of
    /// them were not known.
    ///
    /// # Errors
    ///
    /// They cannot be remembered, or not all of them. What was to be done about that has been done, and the
    /// log says so.
    fn publish(&self, range: &Range<u64>) -> Result<u64>;

    /// Finds the owners of a failure's blocks, and has each of them [told](Tells).
    fn resolve(
        &self,
        engine: &impl Tells<Self>,
        visit: &Self::Visit<'_>,
        failure: &mut Failure<Self>,
    );

    /// What stands at page `pgoff` of the file: the block, if any, and for how many pages (at most
    /// `max`, at least 1) block and page continue together. Right for as long as the file's
    /// `invalidate_lock` is held.
    fn extent(&self, file: &Self::File, pgoff: u64, max: u64) -> (Option<u64>, u64);

    /// Whether the file has the owner's pages, and nothing is to be done about them: nobody maps the file, and whoever
    /// touches it from now on is refused. No lock of a file is held.
    fn is_untouched(&self, _file: &Self::File, _owner: &OwnerRecord) -> bool {
        false
    }

    /// So many pages more, of a mapped file, are to come to [`kill`](Self::kill). Sleeps; no lock of a file is held.
    fn prepare(&self, pages: u64, failure: &mut Failure<Self>) {
        failure.telling.prepare(pages);
    }

    /// Signals who maps pages of the file, as far as they are to be told now. `pfn`: the frame of the first
    /// one.
    ///
    /// # Errors
    ///
    /// Those of [`AnyInvalidateLock::kill_procs`].
    fn kill(
        &self,
        lock: &AnyInvalidateLock<'_>,
        pages: &Range<u64>,
        pfn: Option<u64>,
        failure: &mut Failure<Self>,
    ) -> Result {
        failure.telling.kill(lock, pages, pfn, failure.flags)
    }

    /// Whether all processes are signalled by [`kill`](Self::kill), so that it is known how many they are.
    fn tells_processes(&self, _failure: &Failure<Self>) -> bool {
        true
    }

    /// The handle of a file that is not in core.
    fn absent(&self, _ino: u64) -> Option<Handle> {
        None
    }

    /// Notes an owner, for fanotify. Does not wait.
    fn note(&self, _failure: &mut Failure<Self>, _owner: &OwnerRecord, _outcome: Outcome) {}

    /// All owners of the failure have been told.
    fn finish(&self, visit: &Self::Visit<'_>);

    /// Whether a block is known as bad.
    fn is_bad(&self, block: u64) -> bool;

    /// Stops all access to the device, from now on: for a ground that hears of its removal before the
    /// driver does that.
    fn shut_down(&self) {}

    /// Calls `each` for all files in core, outside of [`visit`](Self::visit); for the same file again
    /// until that returns true. Returns the first error of each file.
    ///
    /// # Errors
    ///
    /// The first one of `each`; it was called for all files.
    fn each_file(&self, each: impl FnMut(&Self::File) -> Result<bool>) -> Result;
}
