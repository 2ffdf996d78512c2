// SPDX-License-Identifier: GPL-2.0

//! Pages of a dax device that files of other filesystems have: which file a page frame is in, and which
//! page of a file a frame is.
//!
//! A DAX file's XArray has the frame of each page that is mapped, or was mapped since it was last taken
//! away. So it answers the same for every filesystem, and every device mapper table, now and of before.
//!
//! C source: fs/dax.c (entries, `folio->mapping`).
//!
//! # Locking
//!
//! The XArray of a file is looked at under its `invalidate_lock`, held exclusively: nobody is in the middle
//! of a fault then, with a frame that he has asked the driver for, and not entered yet.

use super::memory::device_page::DevicePage;
use crate::{
    bindings,
    support::Signals,
    vfs::{
        AnyInode,
        AnyInvalidateLock,
        FolioFile,
        Puts, //
    },
};
use core::{
    ops::Range,
    ptr::NonNull, //
};

/// Pages of a file that are frames of a device.
pub(crate) struct Frames {
    /// The first of them, in the file.
    pub(crate) pgoff: u64,
    /// Its frame.
    pub(crate) pfn: u64,
    /// How many go on together.
    pub(crate) count: u64,
}

/// The first pages of a file, from `pgoff` on, that are frames of `pfns`; see
/// [`AnyInvalidateLock::find_frames`].
fn find(inode: &AnyInode, pgoff: u64, pfns: &Range<u64>) -> Option<Frames> {
    let (mut index, mut pfn, mut count) = (pgoff as usize, 0, 0);
    // SAFETY: The inode is live: invariant "live" of `AnyInode`; the lookup takes RCU itself.
    let found = unsafe {
        bindings::daxrmap_find_frames(
            inode.as_ptr(),
            &mut index,
            pfns.start as usize,
            pfns.end as usize,
            &mut pfn,
            &mut count,
        )
    };
    found.then_some(Frames {
        pgoff: index as u64,
        pfn: pfn as u64,
        count: count as u64,
    })
}

/// The first pages of a file, from `pgoff` on and before `end`, that are frames of any device.
pub(crate) fn frame(inode: &AnyInode, pgoff: u64, end: u64) -> Option<Frames> {
    find(inode, pgoff, &(0..u64::MAX)).filter(|frames| frames.pgoff < end)
}

impl AnyInvalidateLock<'_> {
    /// The first pages of the file, from `pgoff` on, that are frames of `pfns`. Goes through all entries of
    /// the file; sleeps.
    pub(crate) fn find_frames(&self, pgoff: u64, pfns: &Range<u64>) -> Option<Frames> {
        find(self.any_inode(), pgoff, pfns)
    }

    /// Signals processes that asked to be told early, and have page `pgoff` of the file in their address
    /// space, whether they have used it or not; unless they were told since. `all`: those too that asked
    /// for nothing. Returns how many.
    pub(crate) fn signal_early(&self, pgoff: u64, all: bool, signals: &Signals, since: u64) -> u64 {
        /// # Safety
        ///
        /// `data`: a [`Told`].
        unsafe extern "C" fn told(
            data: *mut core::ffi::c_void,
            process: core::ffi::c_int,
            address: kernel::ffi::c_ulong,
        ) -> bool {
            // SAFETY: It is one: clause `data`.
            let told = unsafe { &*data.cast::<Told<'_>>() };
            told.signals.told(told.since, process, address)
        }
        let mut data = Told { signals, since };
        // SAFETY: The inode is live: invariant "live" of `AnyInode`. `told` gets what it wants.
        let count = unsafe {
            bindings::daxrmap_signal_early(
                self.any_inode().as_ptr(),
                pgoff as usize,
                all,
                Some(told),
                (&raw mut data).cast(),
            )
        };
        count.into()
    }
}

/// What [`AnyInvalidateLock::signal_early`] asks whether somebody was told.
struct Told<'a> {
    signals: &'a Signals,
    since: u64,
}

/// The file and page offset that `folio->mapping` gives for a page frame; of any filesystem. `None`: shared,
/// or mapped by nobody, or its filesystem is being mounted, remounted or taken down. A hint: it may be
/// stale when it returns. Does not wait.
pub(crate) fn folio_file(pfn: u64, puts: &dyn Puts) -> Option<(FolioFile<'_>, u64)> {
    let page = DevicePage::get(pfn)?;
    let mut index = 0;
    // SAFETY: The page has its struct: invariant "held" of `DevicePage`.
    let inode = unsafe { bindings::daxrmap_folio_other(page.pfn(), &mut index) };
    let inode = NonNull::new(inode)?;
    // SAFETY: The helper gives a reference, and `s_umount`.
    Some((unsafe { FolioFile::from_raw(inode, puts) }, index as u64))
}

/// The one file that has a page frame, mapped or not, as a name that is only to be compared. While somebody
/// is in a fault that makes or unmakes a huge page of it, it may be no file's name; once he is through,
/// whom the page frame was refused since, it is right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct OneFile(usize);

impl OneFile {
    /// Of this frame, at this moment. `None` if it is shared, or no file has it.
    pub(crate) fn of(pfn: u64) -> Option<Self> {
        let page = DevicePage::get(pfn)?;
        // SAFETY: The page has its struct: invariant "held" of `DevicePage`.
        let mapping = unsafe { bindings::daxrmap_folio_mapping(page.pfn()) };
        (!mapping.is_null()).then(|| Self(mapping.addr()))
    }

    /// Whether it is this file.
    pub(crate) fn is(self, inode: &AnyInode) -> bool {
        inode.mapping().addr() == self.0
    }
}
