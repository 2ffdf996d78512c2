// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers of what mm and drivers/dax offer to a filesystem on persistent memory.
//!
//! - [`memory`]: the device's memory. [`device`]: the device that a mount holds. [`holder`]: who hears
//!   of its failures.
//! - [`mod@file`]: what the VFS calls for regular files. [`iomap`]: extents for `dax_iomap_rw`,
//!   `dax_iomap_fault` and FIEMAP. [`fault`]: a page fault. [`flush`]: what fsync(2) does.
//! - [`layout`]: taking pages away from those who map or pin them. [`sharing`]: counting files that
//!   share a page. [`poison`]: who maps a failed page, and telling them; [`processes`]: with one walk.
//! - [`disks`]: all fsdax disks. [`watch`]: hearing of every failure. [`others`]: which files of other
//!   filesystems have a page. [`registered`]: filesystems of other modules that say so themselves.
//! - [`cxl`]: hearing of what CXL memory devices say.
//! - [`shadow`]: a system call that takes DAX entries for something else.
//!
//! # Locking
//!
//! `invalidate_lock`, then the DAX entry lock (a bit in the mapping's XArray, invisible to lockdep),
//! then what a filesystem takes inside of [`Extents::map`]. So no lock of the last kind may be held when
//! a function here waits for an entry. Most of those that do are methods of the `invalidate_lock`'s
//! guard.

mod cxl;
mod device;
mod disks;
mod fault;
mod file;
mod flush;
mod holder;
mod iomap;
mod layout;
mod memory;
mod others;
mod poison;
mod processes;
mod registered;
mod shadow;
mod sharing;
mod watch;

pub(crate) use self::{
    cxl::{
        CxlRecord,
        CxlRecords,
        CxlSink,
        Interleave,
        CXL_DRAM,
        CXL_MEDIA,
        CXL_POISON, //
    },
    device::{
        Device,
        Holdable, //
    },
    disks::{
        DiskSink,
        Disks, //
    },
    fault::{
        Fault,
        FaultResult, //
    },
    file::{
        regular_files,
        Fallocate,
        FileData,
        ReadIter,
        Remap,
        WriteIter, //
    },
    flush::{
        entry,
        is_dirty,
        lose,
        next_dirty,
        Writeback, //
    },
    holder::{
        held_by,
        init,
        FailureSink,
        HeldBy,
        Ready, //
    },
    iomap::{
        iomap_operations,
        nothing_to_compare,
        Extent,
        Extents,
        Fiemap,
        Purpose, //
    },
    layout::{
        break_layout_final,
        has_page, //
    },
    memory::{
        device_page::DevicePage,
        hand_over::{
            finder,
            memory_failed,
            Finder, //
        },
        media::mark_poisoned,
        part::Part,
        pmem::Pmem,
        scrub::{
            Behind,
            Bounce, //
        }, //
    },
    others::{
        folio_file,
        frame,
        OneFile, //
    },
    poison::{
        folio_owner,
        is_untouched,
        MF_MEM_PRE_REMOVE, //
    },
    processes::{
        early_kill_is_default,
        EarlyKill,
        Processes, //
    },
    registered::{
        AnyDax,
        DaxRef,
        Entries,
        Filesystem,
        Key,
        Owner,
        Registrar, //
    },
    shadow::ShadowGuard,
    sharing::lock_counts,
    watch::{
        PageFailureSink,
        PageFailures, //
    },
};

use core::ops::Range;

// `unsigned long` and pointers of the C API hold any byte offset; casts to `usize` lose nothing.
const _: () = assert!(usize::BITS == 64);

/// Bytes of pages `range`, as the signed type of the C API; clipped to what a file can have.
fn bytes(range: &Range<u64>) -> Range<i64> {
    let byte = |page: u64| i64::try_from(page.saturating_mul(BLOCK_SIZE)).unwrap_or(i64::MAX);
    byte(range.start)..byte(range.end)
}

/// Bytes in a block, which is a page.
pub(crate) const BLOCK_SIZE: u64 = kernel::page::PAGE_SIZE as u64;
/// log2 of [`BLOCK_SIZE`].
pub(crate) const BLOCK_SHIFT: u32 = kernel::page::PAGE_SHIFT as u32;
/// Blocks that one PMD maps.
pub(crate) const PMD_BLOCKS: u64 = 1 << crate::bindings::PMD_ORDER;
