// SPDX-License-Identifier: GPL-2.0

//! DAXRMAP_IOC_STATUS: how the mount is, in numbers.
//!
//! # Locking
//!
//! The commit lock, for what belongs together; it is not held when that is copied to the user.

use super::uapi::{Status, STATUS_INCONSISTENT, STATUS_READ_ONLY, STATUS_SHUTDOWN};
use crate::{dax, fs::Mount, support::is_admin};
use kernel::{
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// The flags and the numbers of now.
fn snapshot(mount: &Mount) -> Status {
    let (state, counters) = (mount.meta().lock(), &mount.engine().counters);
    let (log_used, log_size) = state.log_used();
    let flag = |is: bool, flag: u32| if is { flag } else { 0 };
    Status {
        oflags: flag(mount.meta().is_shut_down(), STATUS_SHUTDOWN)
            | flag(state.is_corrupt(), STATUS_INCONSISTENT)
            | flag(!state.is_writable(), STATUS_READ_ONLY),
        block_size: dax::BLOCK_SIZE as u32,
        block_shift: dax::BLOCK_SHIFT,
        blocks: state.total_blocks(),
        free_blocks: state.free_blocks(),
        bad_blocks: state.bad_blocks(),
        first_pfn: mount.engine().pfn(0).unwrap_or(0),
        inodes: state.inode_count(),
        owner_records: state.owners().len() as u64,
        owner_bytes: state.owners().bytes() as u64,
        notifies: counters.notifies.get(),
        failed_blocks: counters.failed_blocks.get(),
        owners: counters.owners.get(),
        owners_mapped: counters.owners_mapped.get(),
        late_faults: counters.late_faults.get(),
        late_io: counters.late_io.get(),
        discovered: counters.discovered.get(),
        healed: counters.healed.get(),
        cleared: counters.cleared.get(),
        log_used,
        log_size,
        ..Status::default()
    }
}

/// # Errors
///
/// `EPERM` without `CAP_SYS_ADMIN`, `EINVAL` if what must be zero is not, `EFAULT`.
pub(super) fn status(mount: &Mount, arg: UserPtr) -> Result {
    if !is_admin(true) {
        return Err(EPERM);
    }
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<Status>()).reader_writer();
    let asked: Status = reader.read()?;
    if asked.iflags != 0 || asked.reserved.iter().any(|&word| word != 0) {
        return Err(EINVAL);
    }
    writer.write(&snapshot(mount))
}
