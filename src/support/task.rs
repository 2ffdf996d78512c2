// SPDX-License-Identifier: GPL-2.0

//! The task that runs this: whether it is to die, and what it may do.
//!
//! C headers: [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h),
//! [`include/linux/capability.h`](srctree/include/linux/capability.h). There is nothing to lock.

use crate::bindings;
use kernel::prelude::*;

/// Whether the current task is about to die: waits that depend on others should end.
pub(crate) fn fatal_signal_pending() -> bool {
    // SAFETY: Asks about the current task.
    unsafe { bindings::daxrmap_fatal_signal_pending() }
}

/// Lets others run who want to, in what takes long.
pub(crate) fn cond_resched() {
    // SAFETY: The caller may sleep.
    unsafe { bindings::daxrmap_cond_resched() };
}

/// Whether the caller has `CAP_SYS_ADMIN`. `audit`: it counts as the use of it, and is logged if it
/// is missing.
pub(crate) fn is_admin(audit: bool) -> bool {
    const CAP: c_int = bindings::CAP_SYS_ADMIN as c_int;
    if audit {
        // SAFETY: Asks about the current task.
        unsafe { bindings::capable(CAP) }
    } else {
        // A static of the kernel; its address is all that is taken.
        let init_user_ns = &raw mut bindings::init_user_ns;
        // SAFETY: Asks about the current task.
        unsafe { bindings::ns_capable_noaudit(init_user_ns, CAP) }
    }
}
