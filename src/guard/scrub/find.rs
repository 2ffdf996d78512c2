// SPDX-License-Identifier: GPL-2.0

//! A page that a scrub could not read becomes a failure as any other.
//!
//! The kernel's memory_failure() is asked to deal with it. If the device has a holder of ours (a mount, the
//! guard, a filesystem that has registered), that has told all owners when it returns. If not, the guard comes
//! after it, here and now, whether it watches or not: so who watches must not hear of it as well.
//!
//! # Locking
//!
//! None is held: memory_failure() takes `mf_mutex`, and what [`guard`](crate::guard) says comes inside of it or
//! after it.

use crate::{
    dax::{
        self,
        Finder, //
    },
    events::Cause,
    guard::device::Guarded, //
};
use kernel::prelude::*;

/// Has all owners of a page told that it has failed.
///
/// # Errors
///
/// The first one: not all who have it were told, or the device is gone. The log has what went wrong.
pub(super) fn tell(device: &Guarded, page: u64) -> Result {
    let place = &device.place;
    let pfn = place.pmem.pfn(page)?;
    pr_warn!(
        "{}: scrub: page {} (pfn {:#x}) cannot be read\n",
        place.pmem.disk_name(),
        page,
        pfn
    );
    if device.is_own() || device.is_held() {
        return dax::memory_failed(pfn, Finder::Scrub);
    }
    let remembering = place.shared.clone().remember();
    let since = remembering.as_ref().map_or(0, |r| r.signals.now());
    place.shared.told_by_holder(pfn);
    let killed = dax::memory_failed(pfn, Finder::Scrub).is_ok();
    // Nobody has heard, if nobody watches.
    let _ = place.shared.was_told_by_holder(pfn);
    device.failed(page, since, killed, Cause::Scrub)
}
