// SPDX-License-Identifier: GPL-2.0

//! FS_IOC_GETFSMAP: what is where on the device, for everybody who can open a file here.
//!
//! Only those who have `CAP_SYS_ADMIN` get inode numbers; others get blocks that are used by
//! something. As on XFS, a record that has a block after the low key comes whole, even if it begins
//! before: only so can the last record of one call be the low key of the next one.
//!
//! # Locking
//!
//! The commit lock, for a batch of records, as the log's regions are among them; it is not held when they are copied to the user.

use super::uapi::{FsMap, FsMapHead, FsMapKind};
use crate::{
    dax,
    fs::Mount,
    rmap::OwnerRecord,
    state::{
        Place,
        PlaceCursor,
        State, //
    },
    support::{
        fatal_signal_pending,
        is_admin, //
    },
    vfs::{
        Inode, //
    },
};
use core::ops::Range;
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

/// Where a record is in the order of records: bytes of the device, owner, bytes of the file.
type Key = (u64, u64, u64);

fn key_of(rec: &FsMap) -> Key {
    (rec.fmr_physical, rec.fmr_owner, rec.fmr_offset)
}

/// What is asked for.
struct Query {
    /// The device's number.
    device: u32,
    /// The caller may know who owns blocks.
    owners: bool,
    /// Records before this key are left out, but for those that reach into it.
    low: Key,
    /// The last key that is wanted.
    high: Key,
    cursor: PlaceCursor,
    /// As [`MetaGuard::metadata`](crate::fs::meta::MetaGuard::metadata).
    metadata: [Range<u64>; 4],
}

impl Query {
    /// Checks the header and finds the place to begin, if there may be anything at all.
    fn new(head: &FsMapHead, device: u32, owners: bool) -> Result<Option<Self>> {
        let [low, high] = &head.fmh_keys;
        let reserved = [&low.fmr_reserved, &high.fmr_reserved];
        if head.fmh_iflags != 0
            || head.fmh_reserved != [0; 6]
            || reserved.iter().any(|words| **words != [0; 3])
        {
            return Err(EINVAL);
        }
        let known = [0, u32::MAX, device];
        if !known.contains(&low.fmr_device) || !known.contains(&high.fmr_device) {
            return Err(EINVAL);
        }
        let special = |key: &FsMap| key.fmr_flags & FsMapKind::SPECIAL != 0;
        if special(low) && low.fmr_offset != 0
            || high.fmr_flags != u32::MAX
                && special(high)
                && ![0, u64::MAX].contains(&high.fmr_offset)
            || ![0, u64::MAX].contains(&high.fmr_length)
            || (low.fmr_device, key_of(low)) >= (high.fmr_device, key_of(high))
        {
            return Err(EINVAL);
        }
        if low.fmr_device > device || high.fmr_device < device {
            return Ok(None);
        }

        // A key of another device does not say where on this one.
        let from_start = low.fmr_device < device;
        let cursor = if from_start {
            PlaceCursor::new(0)
        } else if low.fmr_length == 0 {
            PlaceCursor::new(low.fmr_physical >> dax::BLOCK_SHIFT)
        } else if special(low) {
            let end = low.fmr_physical.saturating_add(low.fmr_length);
            PlaceCursor::from(end.div_ceil(dax::BLOCK_SIZE))
        } else {
            PlaceCursor::after(OwnerRecord {
                block: low.fmr_physical >> dax::BLOCK_SHIFT,
                ino: low.fmr_owner,
                pgoff: low.fmr_offset >> dax::BLOCK_SHIFT,
                len: 0,
                unwritten: false,
            })
        };
        Ok(Some(Self {
            device,
            owners,
            low: if from_start { (0, 0, 0) } else { key_of(low) },
            high: if high.fmr_device > device {
                (u64::MAX, u64::MAX, u64::MAX)
            } else {
                key_of(high)
            },
            cursor,
            metadata: Default::default(),
        }))
    }

    /// Returns the next record that is wanted.
    fn next(&mut self, state: &State) -> Option<FsMap> {
        loop {
            let place = state.next_place(&mut self.cursor, self.owners)?;
            let file = matches!(place, Place::Owned { .. });
            let rec = self.record(place)?;
            let key = key_of(&rec);
            if file && key.0 == self.low.0 && key < self.low {
                continue;
            }
            // Others than files have no offset, and are the only ones at their block.
            let beyond = if file {
                key > self.high
            } else {
                key.0 > self.high.0
            };
            return (!beyond).then_some(rec);
        }
    }

    /// Makes a record. `None` if the bytes do not fit, which cannot be.
    fn record(&self, place: Place) -> Option<FsMap> {
        let bytes = |blocks: u64| blocks.checked_mul(dax::BLOCK_SIZE);
        let special = |owner, range: Range<u64>| (range, owner, 0, FsMapKind::SPECIAL);
        let (range, owner, pgoff, flags) = match place {
            Place::Owned { rec, shared } => {
                let flags = match (shared, rec.unwritten) {
                    (true, _) => FsMapKind::SHARED,
                    (_, true) => FsMapKind::UNWRITTEN,
                    _ => 0,
                };
                (rec.block..rec.end(), rec.ino, rec.pgoff, flags)
            }
            Place::Free(range) => special(FsMapKind::FREE, range),
            Place::Bad(range) => special(FsMapKind::DEFECTIVE, range),
            Place::Used(range) => special(FsMapKind::UNKNOWN, range),
            Place::InFlight(range) => special(self.owner_in_flight(&range), range),
        };
        Some(FsMap {
            fmr_device: self.device,
            fmr_flags: flags,
            fmr_physical: bytes(range.start)?,
            fmr_owner: owner,
            fmr_offset: bytes(pgoff)?,
            fmr_length: bytes(range.end.checked_sub(range.start)?)?,
            fmr_reserved: [0; 3],
        })
    }

    /// Who has blocks that no file has: each allocation is a place of its own.
    fn owner_in_flight(&self, range: &Range<u64>) -> u64 {
        let [first, log @ .., last] = &self.metadata;
        if log.iter().any(|region| region.contains(&range.start)) {
            FsMapKind::LOG
        } else if [first, last]
            .iter()
            .any(|block| block.contains(&range.start))
        {
            FsMapKind::FS
        } else {
            FsMapKind::UNKNOWN
        }
    }

    /// Appends records while there is room for them; returns whether these were the last.
    fn batch(&mut self, state: &State, room: usize, out: &mut KVec<FsMap>) -> Result<bool> {
        while out.len() < room {
            match self.next(state) {
                Some(rec) => out.push_within_capacity(rec).map_err(|_| ENOMEM)?,
                None => return Ok(true),
            }
        }
        let cursor = self.cursor.clone();
        let last = self.next(state).is_none();
        self.cursor = cursor;
        Ok(last)
    }
}

/// FS_IOC_GETFSMAP: what is where on the device.
///
/// # Errors
///
/// `EINVAL` if the header is not as it should be, `EFAULT`, `ENOMEM`, `EINTR`.
pub(super) fn getfsmap(inode: &Inode<Mount>, arg: UserPtr) -> Result {
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<FsMapHead>()).reader_writer();
    let mut head: FsMapHead = reader.read()?;
    let device = inode.sb().device_number();
    let query = Query::new(&head, device, is_admin(false))?;

    head.fmh_entries = 0;
    head.fmh_oflags = FsMapKind::OF_DEV_T;
    if let Some(mut query) = query {
        head.fmh_entries = copy_records(inode.fs(), &mut query, head.fmh_count, arg)?;
    }
    writer.write(&head)
}

/// Copies records to the user, at most `count`, or counts them if that is 0. Returns their number.
fn copy_records(mount: &Mount, query: &mut Query, count: u32, arg: UserPtr) -> Result<u32> {
    let limit = if count == 0 { u32::MAX } else { count };
    let mut recs = KVec::with_capacity(BATCH, GFP_KERNEL)?;
    let mut done = 0u32;
    let mut at = arg.wrapping_byte_add(size_of::<FsMapHead>());

    while done < limit {
        if fatal_signal_pending() {
            return Err(EINTR);
        }
        recs.clear();
        let room = BATCH.min((limit - done) as usize);
        let last = {
            let state = mount.meta().lock();
            query.metadata = state.metadata();
            query.batch(&state, room, &mut recs)?
        };
        if let Some(rec) = recs.last_mut().filter(|_| last) {
            rec.fmr_flags |= FsMapKind::LAST;
        }
        if count != 0 {
            let bytes = recs.as_bytes();
            UserSlice::new(at, bytes.len())
                .writer()
                .write_slice(bytes)?;
            at = at.wrapping_byte_add(bytes.len());
        }
        done = done.saturating_add(u32::try_from(recs.len()).unwrap_or(u32::MAX));
        if last {
            break;
        }
    }
    Ok(done)
}
