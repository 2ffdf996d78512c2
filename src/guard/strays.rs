// SPDX-License-Identifier: GPL-2.0

//! Pages that somebody maps, though no file has them.
//!
//! A page table entry is made of what the device says now; a file's XArray may have what it said before, when
//! device mapper had another table.
//!
//! # Locking
//!
//! `s_umount` of each super block, shared, then the `invalidate_lock` of each file: for a worker, as
//! [`walk`](super::walk).

use super::place::Place;
use crate::vfs::each_super;
use core::ops::Range;

/// Takes such pages from everybody, with all other pages, once; who touches a failed one gets an error
/// then. The same is done when a neighbour in a huge page was mapped again meanwhile, which is not told
/// apart, and harms nobody. The caller keeps the page structs.
pub(super) fn take(place: &Place, blocks: &Range<u64>) {
    if !place.pages.are_mapped(&place.pfns_of(blocks)) {
        return;
    }
    each_super(|sb| {
        sb.each_file(&place.puts, |file| {
            if file.is_mapped() {
                file.any_invalidate_lock().unmap(0..u64::MAX);
            }
        });
    });
}
