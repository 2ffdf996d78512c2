// SPDX-License-Identifier: GPL-2.0

//! The memory of a dax device: reaching its pages, by block.
//!
//! C source: drivers/dax/super.c.
//!
//! # Locking
//!
//! Each access is under `dax_read_lock`, and asks whether the device is alive: `kill_dax` says that it is
//! not, waits for who holds that lock, and only then does the driver free anything. Who else touches
//! the same bytes is the caller's business.

use super::{
    device_page::DevicePage,
    request::Requests,
    touch::TouchLock, //
};
use crate::{
    bindings,
    dax::BLOCK_SIZE,
    errno::eopnotsupp,
    vfs::{
        FileSystem,
        NewSuper, //
    },
};
use core::{
    ops::Range,
    ptr::NonNull, //
};
use kernel::{
    device,
    fs::File,
    prelude::*,
    sync::aref::ARef, //
};

/// Sectors of a block: what the block layer counts in.
pub(in crate::dax) const SECTORS: u64 = BLOCK_SIZE / 512;

/// What keeps a block device's struct.
pub(in crate::dax::memory) enum Keeper {
    /// It is open by this file.
    Open { _file: ARef<File> },
    /// Its disk, whose first part it is, is referenced.
    Disk { _device: ARef<device::Device> },
}

/// The part of a dax device that a mount has, or all of it. Blocks are those of the part, counted from 0.
///
/// # Invariants
///
/// - "dax": `dax` is a dax device, and this value owns a reference to it.
/// - "disk": it is the dax device of `disk`, which exists at least as long as `dax` is alive, since its
///   driver kills the one before it lets go of the other (`pmem_release_disk`).
/// - "open": the structs of `bdev` and its disk stay as long as this value lives: `_keeper` sees to it.
///   (The VFS closes its own file before the mount's data goes, and a worker of the mount may have this for
///   longer.)
/// - "inside": `dax` has the pages `start..start + blocks`, which are those of `bdev`. No driver looks
///   whether it has the page that it is asked for.
pub(crate) struct Pmem {
    dax: NonNull<bindings::dax_device>,
    disk: NonNull<bindings::gendisk>,
    /// Handed on to who knows that it is open.
    bdev: NonNull<bindings::block_device>,
    _keeper: Keeper,
    /// First page of the partition on the device, and on the disk.
    pub(in crate::dax::memory) start: u64,
    /// Pages of the partition: one for each block.
    blocks: u64,
    /// For who touches blocks that no file's lock keeps.
    pub(crate) touch_lock: TouchLock,
    /// For a device that is to be told what shall be durable.
    pub(crate) requests: Requests,
}

// SAFETY: What it owns are references, which may be dropped on any thread.
unsafe impl Send for Pmem {}
// SAFETY: `&Pmem` gives access to nothing but calls of the C API, which may come from any thread.
unsafe impl Sync for Pmem {}

/// See [`Pmem::while_alive`].
///
/// # Safety
///
/// `dax`: referenced.
pub(in crate::dax) unsafe fn while_alive<T>(
    dax: NonNull<bindings::dax_device>,
    f: impl FnOnce() -> T,
) -> Option<T> {
    // SAFETY: Paired with the unlock below.
    let id = unsafe { bindings::dax_read_lock() };
    // SAFETY: The device is referenced: clause `dax`; under dax_read_lock.
    let alive = unsafe { bindings::dax_alive(dax.as_ptr()) };
    let result = alive.then(f);
    // SAFETY: Locked above.
    unsafe { bindings::dax_read_unlock(id) };
    result
}

impl Pmem {
    /// The dax device under the block device of `sb`. Nobody is told: it may have a holder.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if the block device has no dax device; `ENXIO`, `ENOMEM`.
    pub(crate) fn open<F: FileSystem>(sb: &NewSuper<F>) -> Result<Self> {
        let bdev = sb.bdev().ok_or(ENXIO)?;
        let _file = sb.bdev_file().ok_or(ENXIO)?;
        // SAFETY: The block device is open: invariant "filling" of `NewSuper`, and as long as the file is.
        unsafe { Self::of(bdev, Keeper::Open { _file }) }
    }

    /// The dax device of a block device.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if the block device has no dax device; `ENXIO`, `ENOMEM`.
    ///
    /// # Safety
    ///
    /// `bdev`: its struct and its disk's are there as long as `keeper` is.
    pub(in crate::dax::memory) unsafe fn of(
        bdev: NonNull<bindings::block_device>,
        keeper: Keeper,
    ) -> Result<Self> {
        let touch_lock = TouchLock::new()?;
        let mut offset = 0;
        // SAFETY: The block device is there: clause `bdev`. Without a holder this only takes a reference.
        let dax = unsafe {
            bindings::fs_dax_get_by_bdev(
                bdev.as_ptr(),
                &mut offset,
                core::ptr::null_mut(),
                core::ptr::null(),
            )
        };
        let dax = NonNull::new(dax).ok_or_else(eopnotsupp)?;
        // SAFETY: Both are live, and the block device has just named the other. It is there as long as
        // `keeper` is: clause `bdev`.
        let requests = unsafe { Requests::of(bdev.as_ptr(), dax.as_ptr()) };
        // SAFETY: The block device is there: clause `bdev`; the field does not change.
        let disk = unsafe { (*bdev.as_ptr()).bd_disk };
        // SAFETY: The block device is there: clause `bdev`; a racing resize gives the
        // old or the new value, and the disk has as many.
        let sectors = unsafe { (*bdev.as_ptr()).bd_nr_sectors };
        // INVARIANT: "dax": the reference is ours. "disk": the device was found by the disk. "open":
        // clause `bdev`. "inside": the dax device has what the disk has, and the
        // partition begins and ends at a page of it, else `fs_dax_get_by_bdev` finds nothing.
        Ok(Self {
            dax,
            disk: NonNull::new(disk).ok_or(ENXIO)?,
            bdev,
            _keeper: keeper,
            start: offset / BLOCK_SIZE,
            blocks: sectors / SECTORS,
            touch_lock,
            requests,
        })
    }

    /// Blocks that it has.
    pub(crate) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The disk, whose struct is there as long as this value.
    pub(in crate::dax) fn disk(&self) -> *mut bindings::gendisk {
        self.disk.as_ptr()
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::dax_device {
        self.dax.as_ptr()
    }

    pub(crate) fn bdev(&self) -> *mut bindings::block_device {
        self.bdev.as_ptr()
    }

    /// The byte of the dax device at which a block of the mount begins.
    pub(crate) fn byte_of(&self, block: u64) -> u64 {
        self.start.saturating_add(block).saturating_mul(BLOCK_SIZE)
    }

    /// Whether these are blocks of the mount's part of the device, one at least.
    pub(in crate::dax) fn has(&self, blocks: &Range<u64>) -> bool {
        blocks.start < blocks.end && blocks.end <= self.blocks
    }

    /// Runs `f` if the device is alive, and keeps it so until `f` returns: what its driver has is there
    /// meanwhile, such as page structs and the list of bad blocks. Calls may be nested.
    pub(crate) fn while_alive<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        // SAFETY: The device is referenced: invariant "dax".
        unsafe { while_alive(self.dax, f) }
    }

    /// Runs `f` with the address of a run of blocks, its first page frame, and how many blocks it has: at
    /// least one, at most `blocks`. The address maps all of them until `f` returns.
    ///
    /// # Errors
    ///
    /// `ERANGE` if they are not all of the mount's part of the device; `EHWPOISON` if the driver lists
    /// one of them as bad; `ENXIO` if the device is gone; what `f` says.
    pub(in crate::dax) fn access<T>(
        &self,
        blocks: &Range<u64>,
        f: impl FnOnce(*mut u8, u64, u64) -> Result<T>,
    ) -> Result<T> {
        self.access_in_mode(bindings::dax_access_mode_DAX_ACCESS, blocks, f)
    }

    fn access_in_mode<T>(
        &self,
        mode: bindings::dax_access_mode,
        blocks: &Range<u64>,
        f: impl FnOnce(*mut u8, u64, u64) -> Result<T>,
    ) -> Result<T> {
        if !self.has(blocks) {
            return Err(ERANGE);
        }
        let first = self.start.checked_add(blocks.start).ok_or(ERANGE)?;
        let want = c_long::try_from(blocks.end.saturating_sub(blocks.start)).map_err(|_| ERANGE)?;
        let mut addr = core::ptr::null_mut();
        let mut pfn = 0;
        // SAFETY: Paired with the unlock below.
        let id = unsafe { bindings::dax_read_lock() };
        // SAFETY: The device is referenced: invariant "dax"; under dax_read_lock. It has these pages:
        // invariant "inside".
        let got = unsafe {
            bindings::dax_direct_access(
                self.as_ptr(),
                first as usize,
                want,
                mode,
                &mut addr,
                &mut pfn,
            )
        };
        let result = match u64::try_from(got) {
            Ok(0) => Err(EIO),
            Ok(n) => f(addr.cast(), pfn as u64, n),
            Err(_) => Err(Error::from_errno(i32::try_from(got).unwrap_or(-5))),
        };
        // SAFETY: Locked above.
        unsafe { bindings::dax_read_unlock(id) };
        result
    }

    /// The page frame of a block, also of a bad one.
    ///
    /// # Errors
    ///
    /// `ENXIO` if the device is gone.
    pub(crate) fn pfn(&self, block: u64) -> Result<u64> {
        // In this mode the driver does not refuse a bad block; nobody touches it.
        let mode = bindings::dax_access_mode_DAX_RECOVERY_WRITE;
        self.access_in_mode(mode, &(block..block.saturating_add(1)), |_, pfn, _| Ok(pfn))
    }

    /// The page frames of the first `blocks` blocks, which follow each other.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if they do not; `ENXIO` if the device is gone, `ERANGE` if it has not so many.
    pub(crate) fn pfns(&self, blocks: u64) -> Result<Range<u64>> {
        let first = self.pfn(0)?;
        let last = self.pfn(blocks.saturating_sub(1))?;
        if last.checked_sub(first) != blocks.checked_sub(1) {
            return Err(eopnotsupp());
        }
        Ok(first..last.saturating_add(1))
    }

    /// Returns the first of these blocks that are on the driver's list of bad blocks, as many as
    /// follow each other.
    pub(crate) fn next_bad(&self, blocks: &Range<u64>) -> Option<Range<u64>> {
        // What it is asked must not be nothing.
        if blocks.is_empty() {
            return None;
        }
        let start = blocks.start.checked_mul(SECTORS)?;
        let len = blocks.end.checked_sub(blocks.start)?.checked_mul(SECTORS)?;
        let partition = self.start.checked_mul(SECTORS)?;
        let first = partition.checked_add(start)?;
        let (mut bad, mut count) = (0, 0);
        let found = self.while_alive(|| {
            // SAFETY: The device is alive until the closure returns, so the disk is there: invariant
            // "disk". Its list is the driver's memory, which that frees after the device
            // has died, and all who hold dax_read_lock are through (devm, in reverse order:
            // `pmem_release_disk` comes before what was allocated before the disk).
            unsafe {
                bindings::daxrmap_bad_sectors(self.disk.as_ptr(), first, len, &mut bad, &mut count)
            }
        });
        if found != Some(true) {
            return None;
        }
        let bad = bad.checked_sub(partition)?;
        // What the driver has found may be a part of a block only.
        let end = bad.saturating_add(count).div_ceil(SECTORS).min(blocks.end);
        let start = (bad / SECTORS).max(blocks.start);
        (start < end).then_some(start..end)
    }

    /// The first of these page frames of the device that the kernel does not have in its own map: a
    /// machine check came from there, memory_failure() has dealt with it, and any access is an oops. That
    /// stays so when the driver lets go of the device and takes it again. `None` if there is none, or the
    /// device is gone. May sleep.
    pub(crate) fn next_unmapped(&self, pfns: &Range<u64>) -> Option<u64> {
        let first = DevicePage::get(pfns.start)?;
        let last = DevicePage::get(pfns.end.checked_sub(1)?)?;
        if !first.runs_to(&last) {
            return None;
        }
        // SAFETY: It looks at the kernel's page tables for these pages, which stay as long as the
        // device's memory is in use, up to the last one: invariant "held" of `DevicePage`.
        let found = unsafe { bindings::daxrmap_next_unmapped(first.pfn(), last.pfn() + 1) } as u64;
        pfns.contains(&found).then_some(found)
    }
}

impl Drop for Pmem {
    fn drop(&mut self) {
        // SAFETY: The reference is ours to drop: invariant "dax".
        unsafe { bindings::put_dax(self.as_ptr()) };
    }
}
