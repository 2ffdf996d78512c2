// SPDX-License-Identifier: GPL-2.0

//! A filesystem of another module: its operations (include/daxrmap.h), as safe functions.
//!
//! What it returns is looked at before it is used: a run is whole pages, of a regular file.
//!
//! # Locking
//!
//! None here; what the operations are called under is for the caller, and said in the header.

use super::device::bytes;
use crate::{
    bindings,
    dax::BLOCK_SIZE,
    vfs::{
        AnyInode,
        InodePuts, //
    },
};
use core::{
    ops::Range,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};

/// Owners that are asked for at a time.
const BATCH: usize = 16;

/// A run of a file's pages: where it begins in the file and on the device, and how many pages it has, at
/// least one.
pub(crate) struct Owner {
    pub(crate) pgoff: u64,
    pub(crate) block: u64,
    pub(crate) len: u64,
}

/// A filesystem of another module.
///
/// # Invariants
///
/// - "ops": these are operations of a module that is referenced as long as this value lives (or of the
///   kernel itself), `owners` and `lookup` among them; `fs` is what they want. Its user gives the value up
///   before that goes (include/daxrmap.h).
pub(crate) struct Filesystem {
    ops: NonNull<bindings::daxrmap_ops>,
    fs: *mut c_void,
}

// SAFETY: The operations may be called from any thread: include/daxrmap.h.
unsafe impl Send for Filesystem {}
// SAFETY: The operations may be called by several threads: include/daxrmap.h.
unsafe impl Sync for Filesystem {}

impl Filesystem {
    /// Takes a reference to its module.
    ///
    /// # Errors
    ///
    /// `EINVAL` if an operation is missing that must be there; `ENODEV` if the module is going.
    ///
    /// # Safety
    ///
    /// `ops`: live as long as its module; `fs`: what they want, for as long as the value lives.
    pub(super) unsafe fn new(ops: NonNull<bindings::daxrmap_ops>, fs: *mut c_void) -> Result<Self> {
        // SAFETY: They are there, and constant: clause `ops`.
        let table = unsafe { ops.as_ref() };
        if table.owners.is_none() || table.lookup.is_none() {
            return Err(EINVAL);
        }
        // SAFETY: It is null, or the module of the caller, which is there: clause `ops`.
        if !unsafe { bindings::daxrmap_get_module(table.owner) } {
            return Err(ENODEV);
        }
        // INVARIANT: "ops": clauses `ops` and `fs`; looked at, and referenced.
        Ok(Self { ops, fs })
    }

    fn ops(&self) -> &bindings::daxrmap_ops {
        // SAFETY: They are there, and constant: invariant "ops".
        unsafe { self.ops.as_ref() }
    }

    /// Whether it wants to hear of bad blocks.
    pub(crate) fn hears(&self) -> bool {
        self.ops().publish.is_some()
    }

    /// Tells it that blocks of the device are bad.
    ///
    /// # Errors
    ///
    /// What it says.
    pub(crate) fn publish(&self, blocks: &Range<u64>) -> Result {
        let Some(publish) = self.ops().publish else {
            return Ok(());
        };
        let (offset, length) = bytes(blocks);
        // SAFETY: The operation gets what it wants: invariant "ops".
        to_result(unsafe { publish(self.fs, offset, length) })
    }

    /// Calls `each` for each run that has some of these blocks; it is cut to them.
    ///
    /// # Errors
    ///
    /// What the filesystem says; `EINVAL` if it says what cannot be: the others are gone through.
    pub(crate) fn each_owner(
        &self,
        blocks: &Range<u64>,
        puts: &InodePuts,
        mut each: impl FnMut(&AnyInode, Owner),
    ) -> Result {
        let owners = self.ops().owners.ok_or(EINVAL)?;
        let (offset, length) = bytes(blocks);
        let (mut cursor, mut result) = (0, Ok(()));
        loop {
            let mut found: [bindings::daxrmap_owner; BATCH] = Default::default();
            // SAFETY: The operation gets what it wants: invariant "ops"; there is room for so many.
            let count = unsafe {
                owners(
                    self.fs,
                    offset,
                    length,
                    &mut cursor,
                    found.as_mut_ptr(),
                    BATCH as c_uint,
                )
            };
            if count <= 0 {
                return result.and(to_result(count));
            }
            for raw in found.iter().take(usize::try_from(count).unwrap_or(0)) {
                let Some(inode) = NonNull::new(raw.inode) else {
                    result = Err(EINVAL);
                    continue;
                };
                // SAFETY: It is an inode, and the reference is handed over: invariant "ops".
                let inode = unsafe { ARef::<AnyInode>::from_raw(inode.cast()) };
                match run(raw, blocks).filter(|_| inode.is_regular()) {
                    Some(owner) => each(&inode, owner),
                    None => result = Err(EINVAL),
                }
                puts.put(inode);
            }
        }
    }

    /// What stands at page `pgoff` of a file: the block, if any, and for how many pages (at most `max`, at
    /// least 1) that goes on. The caller has its `invalidate_lock`, exclusively.
    pub(crate) fn lookup(&self, file: &AnyInode, pgoff: u64, max: u64) -> (Option<u64>, u64) {
        let Some(lookup) = self.ops().lookup else {
            return (None, max);
        };
        let (mut offset, mut length) = (0, 0);
        let pos = pgoff.saturating_mul(BLOCK_SIZE);
        // SAFETY: The operation gets what it wants: invariant "ops"; the inode is live: invariant "live" of
        // `AnyInode`.
        let found = unsafe { lookup(self.fs, file.as_ptr(), pos, &mut offset, &mut length) };
        let pages = (length / BLOCK_SIZE).clamp(1, max.max(1));
        let block = offset / BLOCK_SIZE;
        (found.then_some(block), pages)
    }
}

impl Drop for Filesystem {
    fn drop(&mut self) {
        let owner = self.ops().owner;
        // SAFETY: The reference is ours to drop: invariant "ops"; nothing of the module is used after this.
        unsafe { bindings::daxrmap_put_module(owner) };
    }
}

/// A run, cut to `blocks`. `None` if it is not whole pages, or has none of them.
fn run(raw: &bindings::daxrmap_owner, blocks: &Range<u64>) -> Option<Owner> {
    let page = |byte: u64| (byte % BLOCK_SIZE == 0).then_some(byte / BLOCK_SIZE);
    let (pgoff, block, len) = (page(raw.pos)?, page(raw.offset)?, page(raw.length)?);
    let first = block.max(blocks.start);
    let end = block.checked_add(len)?.min(blocks.end);
    Some(Owner {
        pgoff: pgoff.checked_add(first.checked_sub(block)?)?,
        block: first,
        len: end.checked_sub(first).filter(|&len| len != 0)?,
    })
}
