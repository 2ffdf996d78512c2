// SPDX-License-Identifier: GPL-2.0

//! Who owns a block, or many: makes owners of the records of FS_IOC_GETFSMAP.

use crate::{
    abi::{
        FsMap,
        FsMapHead, //
        FMR_OF_LAST,
        FMR_OF_PREALLOC,
        FMR_OF_SPECIAL_OWNER,
        FMR_OWN_DEFECTIVE,
        FMR_OWN_FREE,
        FMR_OWN_FS,
        FMR_OWN_LOG,
    },
    error::{
        bad_answer, //
        Result,
    },
    ranges::Range,
    sys::Buffer,
};

/// Records that are asked for at a time.
const BATCH: u32 = 1024;

/// The argument of the request.
pub type Request = Buffer<FsMapHead, FsMap>;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Inode number.
    pub ino: u64,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// Nothing was written there.
    pub unwritten: bool,
}

/// What is at a place of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// It can be allocated.
    Free,
    /// It is bad, and nobody's.
    Bad,
    /// It is a superblock.
    Super,
    /// It is of the metadata log.
    Log,
    /// It is used, and no file has it: it is about to get one.
    Unknown,
    /// It is in files.
    Owned(Vec<Owner>),
}

/// What is at the byte `physical` of `device` (as the kernel numbers it). `ask` makes the request.
///
/// # Errors
///
/// Those of `ask`, and if the records make no sense.
pub fn at(device: u32, physical: u64, ask: impl FnMut(&mut Request) -> Result<()>) -> Result<Use> {
    let mut owners = Vec::new();
    let mut special = None;
    walk(device, physical, physical, ask, |record| {
        if !range(record)?.contains(&physical) {
            return Ok(());
        }
        if record.fmr_flags & FMR_OF_SPECIAL_OWNER != 0 {
            special = Some(record.fmr_owner);
        } else {
            let offset = physical - record.fmr_physical;
            let offset = record.fmr_offset.checked_add(offset);
            owners.push(Owner {
                ino: record.fmr_owner,
                offset: offset.ok_or_else(|| bad_answer("a range that cannot be"))?,
                unwritten: record.fmr_flags & FMR_OF_PREALLOC != 0,
            });
        }
        Ok(())
    })?;
    owners.sort_unstable();
    owners.dedup();
    Ok(match special {
        _ if !owners.is_empty() => Use::Owned(owners),
        Some(FMR_OWN_FREE) => Use::Free,
        Some(FMR_OWN_DEFECTIVE) => Use::Bad,
        Some(FMR_OWN_FS) => Use::Super,
        Some(FMR_OWN_LOG) => Use::Log,
        Some(_) => Use::Unknown,
        None => {
            return Err(bad_answer(
                "there is nothing at that block, not even free space",
            ))
        }
    })
}

/// Gives all records from the byte `first` of `device` to the byte `last` to `visit`, and perhaps some beside.
/// `ask` makes the request.
///
/// # Errors
///
/// Those of `ask` and `visit`, and if the records come in no order.
pub fn walk(
    device: u32,
    first: u64,
    last: u64,
    mut ask: impl FnMut(&mut Request) -> Result<()>,
    mut visit: impl FnMut(&FsMap) -> Result<()>,
) -> Result<()> {
    let low = FsMap {
        fmr_device: device,
        fmr_physical: first,
        ..FsMap::default()
    };
    let high = FsMap {
        fmr_flags: u32::MAX,
        fmr_owner: u64::MAX,
        fmr_offset: u64::MAX,
        fmr_physical: last,
        ..low
    };
    let head = FsMapHead {
        fmh_count: BATCH,
        fmh_keys: [low, high],
        ..FsMapHead::default()
    };
    let mut request = Request::new(&head, BATCH);
    loop {
        ask(&mut request)?;
        let records = request.records(request.head().fmh_entries)?;
        for record in records {
            visit(record)?;
        }
        // Nothing at all where more was to come: it has gone meanwhile.
        let Some(&last) = records.last() else {
            return Ok(());
        };
        if last.fmr_flags & FMR_OF_LAST != 0 {
            return Ok(());
        }
        let low = &mut request.head_mut().fmh_keys[0];
        if low.fmr_length != 0 && key(&last) <= key(low) {
            return Err(bad_answer("it goes round in circles"));
        }
        *low = last;
        request.head_mut().fmh_entries = 0;
    }
}

/// Records come in this order.
fn key(record: &FsMap) -> (u64, u64, u64) {
    (record.fmr_physical, record.fmr_owner, record.fmr_offset)
}

/// Which bytes of the device a record is about.
///
/// # Errors
///
/// If there are none, or they cannot be.
pub fn range(record: &FsMap) -> Result<Range> {
    match record.fmr_physical.checked_add(record.fmr_length) {
        Some(end) if record.fmr_length != 0 => Ok(record.fmr_physical..end),
        _ => Err(bad_answer("a range that cannot be")),
    }
}

/// What the filesystem has there for itself: the owners of fs/xfs/libxfs/xfs_fs.h and fs/ext4/fsmap.h.
pub fn special(owner: u64) -> &'static str {
    let kind = u8::try_from(owner >> 32).unwrap_or(0);
    match (kind, owner & 0xffff_ffff) {
        (b'X', 1) => "superblock",
        (b'X', 2) => "log",
        (b'X', 3) => "allocation group",
        (b'X', 4) => "inode tree",
        (b'X', 5) => "inodes",
        (b'X', 6) => "reference counts",
        (b'X', 7) => "copy on write",
        (b'X', 8) => "bad blocks",
        (b'f', 1) => "group descriptors",
        (b'f', 2) => "reserved group descriptors",
        (b'f', 3) => "block bitmap",
        (b'f', 4) => "inode bitmap",
        _ => "metadata",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::FMR_OWN_UNKNOWN;

    const BLOCK: u64 = 4096;
    const DEVICE: u32 = 0x10300;

    /// A record, in blocks.
    fn rec(block: u64, len: u64, ino: u64, page: u64) -> FsMap {
        FsMap {
            fmr_device: DEVICE,
            fmr_physical: block * BLOCK,
            fmr_length: len * BLOCK,
            fmr_owner: ino,
            fmr_offset: page * BLOCK,
            ..FsMap::default()
        }
    }

    fn special(block: u64, len: u64, owner: u64) -> FsMap {
        FsMap {
            fmr_flags: FMR_OF_SPECIAL_OWNER,
            ..rec(block, len, owner, 0)
        }
    }

    /// A kernel that gives `all`, `step` at a time, each after the low key.
    fn kernel(mut all: Vec<FsMap>, step: usize) -> impl FnMut(&mut Request) -> Result<()> {
        if let Some(last) = all.last_mut() {
            last.fmr_flags |= FMR_OF_LAST;
        }
        move |request| {
            let [low, high] = request.head().fmh_keys;
            assert_eq!((low.fmr_device, high.fmr_device), (DEVICE, DEVICE));
            assert!(key(&low) < key(&high));
            let after = |r: &&FsMap| low.fmr_length == 0 || key(r) > key(&low);
            let some: Vec<_> = all.iter().filter(after).take(step).copied().collect();
            request.room_mut()[..some.len()].copy_from_slice(&some);
            request.head_mut().fmh_entries = some.len() as u32;
            Ok(())
        }
    }

    fn ask(block: u64, all: Vec<FsMap>) -> Result<Use> {
        at(DEVICE, block * BLOCK, kernel(all, 10))
    }

    #[test]
    fn special_owners() {
        let free = special(4, 10, FMR_OWN_FREE);
        assert_eq!(ask(4, vec![free]).unwrap(), Use::Free);
        assert_eq!(ask(13, vec![free]).unwrap(), Use::Free);
        let bad = special(4, 1, FMR_OWN_DEFECTIVE);
        assert_eq!(ask(4, vec![bad]).unwrap(), Use::Bad);
        let log = special(4, 1, FMR_OWN_LOG);
        assert_eq!(ask(4, vec![log]).unwrap(), Use::Log);
        let other = special(4, 1, FMR_OWN_UNKNOWN);
        assert_eq!(ask(4, vec![other]).unwrap(), Use::Unknown);
    }

    #[test]
    fn owners_begin_before_or_at_the_block() {
        let all = vec![rec(2, 8, 7, 100), rec(4, 1, 5, 0), rec(4, 1, 5, 9)];
        let owner = |ino, page| Owner {
            ino,
            offset: page * BLOCK,
            unwritten: false,
        };
        let expected = Use::Owned(vec![owner(5, 0), owner(5, 9), owner(7, 102)]);
        assert_eq!(ask(4, all).unwrap(), expected);
    }

    #[test]
    fn what_is_unwritten() {
        let mut unwritten = rec(4, 2, 5, 0);
        unwritten.fmr_flags = FMR_OF_PREALLOC;
        let expected = Use::Owned(vec![Owner {
            ino: 5,
            offset: BLOCK,
            unwritten: true,
        }]);
        assert_eq!(ask(5, vec![unwritten]).unwrap(), expected);
    }

    #[test]
    fn records_of_other_blocks_do_not_count() {
        let all = vec![rec(2, 2, 7, 0), rec(4, 1, 5, 0), rec(5, 1, 6, 0)];
        let expected = Use::Owned(vec![Owner {
            ino: 5,
            offset: 0,
            unwritten: false,
        }]);
        assert_eq!(ask(4, all).unwrap(), expected);
        assert!(ask(9, vec![rec(2, 2, 7, 0)]).is_err());
    }

    #[test]
    fn a_crowd_in_steps() {
        let all: Vec<_> = (0..1000).map(|i| rec(4, 1, i + 2, i)).collect();
        let Use::Owned(owners) = at(DEVICE, 4 * BLOCK, kernel(all, 7)).unwrap() else {
            panic!("nobody owns it");
        };
        assert_eq!(owners.len(), 1000);
        assert!(owners.iter().zip(2..).all(|(owner, ino)| owner.ino == ino));
    }

    fn refused(answer: impl FnMut(&mut Request) -> Result<()>) {
        let error = at(DEVICE, 4 * BLOCK, answer).unwrap_err();
        assert!(error.to_string().contains("makes no sense"), "{error}");
    }

    #[test]
    fn answers_that_cannot_be() {
        refused(kernel(vec![rec(4, 0, 5, 0)], 1));
        let huge = FsMap {
            fmr_length: u64::MAX,
            ..rec(4, 1, 5, 0)
        };
        refused(kernel(vec![huge], 1));
        let far = FsMap {
            fmr_offset: u64::MAX,
            ..rec(3, 2, 5, 0)
        };
        refused(kernel(vec![far], 1));
        refused(kernel(Vec::new(), 1));
        refused(|request| {
            request.head_mut().fmh_entries = BATCH + 1;
            Ok(())
        });
        // Always the same record, never the last one.
        refused(|request| {
            request.room_mut()[0] = rec(4, 1, 5, 0);
            request.head_mut().fmh_entries = 1;
            Ok(())
        });
    }
}
