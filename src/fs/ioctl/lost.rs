// SPDX-License-Identifier: GPL-2.0

//! DAXRMAP_IOC_LOST: which pages of which files are at bad blocks.
//!
//! The walk itself is the state's ([`State::next_lost`]).
//!
//! # Locking
//!
//! The state lock, for a batch of records; it is not held when they are copied to the user.

use super::uapi::{Lost, LostHead, LOST_END};
use crate::{
    dax,
    fs::Mount,
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    state::State,
    support::{
        fatal_signal_pending,
        is_admin, //
    },
    vfs::FileId,
};
use kernel::{
    prelude::*,
    transmute::AsBytes,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// Records that are made under one hold of the lock.
const BATCH: usize = 64;

/// What the user gets of an owner. `None` if that is dead, so that nobody has lost anything, or not consistent.
fn record(state: &State, rec: &OwnerRecord) -> Option<Lost> {
    if state.is_dead(rec.ino) {
        return None;
    }
    let generation = state.inode(rec.ino)?.attr.generation;
    let id = FileId {
        ino: rec.ino,
        generation,
    };
    let mut lost = Lost {
        ino: rec.ino,
        offset: rec.pgoff.checked_mul(dax::BLOCK_SIZE)?,
        length: rec.len.checked_mul(dax::BLOCK_SIZE)?,
        physical: rec.block.checked_mul(dax::BLOCK_SIZE)?,
        generation,
        handle_bytes: u32::try_from(FileId::BYTES).ok()?,
        handle_type: i32::try_from(FileId::TYPE).ok()?,
        ..Lost::default()
    };
    let (handle, _) = lost.handle.split_first_chunk_mut()?;
    *handle = id.to_bytes();
    Some(lost)
}

/// # Errors
///
/// `EPERM` without `CAP_SYS_ADMIN`, `EINVAL` if the header is not as it should be, `EFAULT`,
/// `ENOMEM`, `EINTR`.
pub(super) fn lost(mount: &Mount, arg: UserPtr) -> Result {
    if !is_admin(true) {
        return Err(EPERM);
    }
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<LostHead>()).reader_writer();
    let mut head: LostHead = reader.read()?;
    if head.iflags != 0 || head.count == 0 {
        return Err(EINVAL);
    }
    let mut cursor = Cursor::from_words(head.cursor).ok_or(EINVAL)?;
    let mut owners = KVec::from_elem(OwnerRecord::default(), BATCH, GFP_KERNEL)?;
    let mut recs = KVec::with_capacity(BATCH, GFP_KERNEL)?;
    let mut at = arg.wrapping_byte_add(size_of::<LostHead>());

    head.entries = 0;
    head.oflags = 0;
    while head.entries < head.count && head.oflags == 0 {
        if fatal_signal_pending() {
            return Err(EINTR);
        }
        recs.clear();
        let room = BATCH.min((head.count - head.entries) as usize);
        {
            let state = mount.meta().read();
            let out = owners.get_mut(..room).unwrap_or_default();
            let (found, end) = state.next_lost(&mut cursor, out);
            for rec in out.iter().take(found).filter_map(|rec| record(&state, rec)) {
                recs.push_within_capacity(rec).map_err(|_| ENOMEM)?;
            }
            if end {
                head.oflags = LOST_END;
            }
        }
        let bytes = recs.as_bytes();
        UserSlice::new(at, bytes.len())
            .writer()
            .write_slice(bytes)?;
        at = at.wrapping_byte_add(bytes.len());
        let found = u32::try_from(recs.len()).map_err(|_| EFBIG)?;
        head.entries = head.entries.saturating_add(found);
    }
    head.cursor = cursor.to_words();
    writer.write(&head)
}
