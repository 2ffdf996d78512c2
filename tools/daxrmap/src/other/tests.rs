// SPDX-License-Identifier: GPL-2.0

//! What a kernel says that is told what to say.

#![allow(
    clippy::single_range_in_vec_init,
    reason = "sets of one range are meant"
)]

use super::*;
use crate::abi::FMR_OF_LAST;

const DEVICE: u32 = 0x10300;
const BLOCK: u64 = 4096;

fn rec(block: u64, len: u64, owner: u64, page: u64, flags: u32) -> FsMap {
    FsMap {
        fmr_device: DEVICE,
        fmr_flags: flags,
        fmr_physical: block * BLOCK,
        fmr_owner: owner,
        fmr_offset: page * BLOCK,
        fmr_length: len * BLOCK,
        ..FsMap::default()
    }
}

/// A kernel that gives of `all` what the keys are about.
fn kernel(all: Vec<FsMap>) -> impl FnMut(&mut fsmap::Request) -> Result<()> {
    move |request| {
        let [low, high] = request.head().fmh_keys;
        let wanted = |r: &&FsMap| {
            r.fmr_physical <= high.fmr_physical && r.fmr_physical + r.fmr_length > low.fmr_physical
        };
        let mut some: Vec<_> = all.iter().filter(wanted).copied().collect();
        if let Some(last) = some.last_mut() {
            last.fmr_flags |= FMR_OF_LAST;
        }
        request.room_mut()[..some.len()].copy_from_slice(&some);
        request.head_mut().fmh_entries = some.len() as u32;
        Ok(())
    }
}

fn blocks(range: std::ops::Range<u64>) -> Range {
    range.start * BLOCK..range.end * BLOCK
}

fn ask(wanted: &[std::ops::Range<u64>], all: Vec<FsMap>) -> Survey {
    let wanted: Vec<_> = wanted.iter().cloned().map(blocks).collect();
    survey(DEVICE, &wanted.into(), kernel(all)).unwrap()
}

#[test]
fn parts_of_records() {
    let all = vec![
        rec(0, 4, special_owner(b'X', 1), 0, FMR_OF_SPECIAL_OWNER),
        rec(4, 8, 131, 100, 0),
        rec(6, 2, 132, 0, FMR_OF_PREALLOC),
        rec(12, 1, 131, 0, FMR_OF_ATTR_FORK),
        rec(13, 1, 131, 0, FMR_OF_ATTR_FORK | FMR_OF_EXTENT_MAP),
        rec(14, 6, FMR_OWN_FREE, 0, FMR_OF_SPECIAL_OWNER),
        rec(20, 6, FMR_OWN_UNKNOWN, 0, FMR_OF_SPECIAL_OWNER),
    ];
    // Behind 26 the kernel says nothing.
    let survey = ask(&[3..7, 12..15, 25..28], all);
    assert_eq!(survey.metadata, [(blocks(3..4), "superblock")]);
    assert_eq!(survey.free, vec![blocks(14..15)].into());
    assert_eq!(survey.unknown, vec![blocks(25..28)].into());
    let owned = |ino, part, page, at, unwritten| Owned {
        ino,
        part,
        offset: page * BLOCK,
        at: blocks(at),
        unwritten,
    };
    assert_eq!(
        survey.owned,
        [
            owned(131, Part::Data, 100, 4..7, false),
            owned(132, Part::Data, 0, 6..7, true),
            owned(131, Part::Attributes, 0, 12..13, false),
            owned(131, Part::ExtentMap, 0, 13..14, false),
        ]
    );
}

fn special_owner(kind: u8, code: u64) -> u64 {
    u64::from(kind) << 32 | code
}

#[test]
fn metadata_by_name() {
    assert_eq!(fsmap::special(special_owner(b'X', 5)), "inodes");
    assert_eq!(fsmap::special(special_owner(b'f', 3)), "block bitmap");
    assert_eq!(fsmap::special(special_owner(b'X', 99)), "metadata");
    assert_eq!(fsmap::special(3), "metadata");
    assert_eq!(fsmap::special(u64::MAX), "metadata");
}

#[test]
fn a_filesystem_that_cannot_be_asked() {
    let wanted: Ranges = vec![blocks(1..2), blocks(5..6)].into();
    for errno in [libc::EOPNOTSUPP, libc::ENOTTY] {
        let refuse =
            |_: &mut fsmap::Request| Err(Error::from(std::io::Error::from_raw_os_error(errno)));
        let survey = survey(DEVICE, &wanted, refuse).unwrap();
        assert_eq!(survey.unknown, wanted);
    }
    let refuse =
        |_: &mut fsmap::Request| Err(Error::from(std::io::Error::from_raw_os_error(libc::EIO)));
    assert!(survey(DEVICE, &wanted, refuse).is_err());
}

#[test]
fn records_of_another_device() {
    let other = FsMap {
        fmr_device: DEVICE + 1,
        ..rec(0, 8, 131, 0, 0)
    };
    let survey = ask(&[1..2], vec![other]);
    assert!(survey.owned.is_empty());
    assert_eq!(survey.unknown, vec![blocks(1..2)].into());
}
