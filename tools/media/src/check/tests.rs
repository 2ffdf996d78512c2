// SPDX-License-Identifier: GPL-2.0

//! Checks of a disk that cannot be read everywhere, and that fails while it is corrected.

use super::*;
use crate::{
    disk::Overlay,
    format::{
        self,
        Options, //
    },
    sample::{
        fill,
        Step, //
    },
};
use std::{
    cell::{
        Cell,
        RefCell, //
    },
    collections::BTreeSet,
    fs::File,
    io,
};

#[path = "../../../../tests/host/src/acl_bytes.rs"]
mod acl_bytes;

const BLOCKS: u64 = 640;
const NOW: Duration = Duration::ZERO;

/// A disk with blocks that cannot be read until they are written.
struct Poisoned {
    below: Overlay<File>,
    bad: RefCell<BTreeSet<u64>>,
    /// Those that cannot be written.
    read_only: BTreeSet<u64>,
    /// So many writes are possible.
    writes: Cell<u64>,
}

impl Disk for Poisoned {
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        let blocks = at / BLOCK_SIZE..(at + buf.len() as u64).div_ceil(BLOCK_SIZE);
        if self.bad.borrow().range(blocks).next().is_some() {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.below.read(at, buf)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let block = at / BLOCK_SIZE;
        if self.read_only.contains(&block) || self.writes.get() == 0 {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.writes.set(self.writes.get() - 1);
        self.bad.borrow_mut().remove(&block);
        self.below.write(at, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Poisoned {
    fn poison(&self, block: u64) {
        self.bad.borrow_mut().insert(block);
    }
}

/// A disk with these in it.
fn disk(steps: &[Step<'_>]) -> Poisoned {
    let below = Overlay::new(None);
    let options = Options {
        blocks: BLOCKS,
        log: None,
        uuid: uuid::Uuid::from_bytes([7; 16]),
        label: String::new(),
        now: NOW,
        random: 400,
        secret: [1; 16],
    };
    format::format(&below, &options).unwrap();
    fill(&below, BLOCKS, steps).unwrap();
    Poisoned {
        below,
        bad: RefCell::default(),
        read_only: BTreeSet::new(),
        writes: Cell::new(u64::MAX),
    }
}

fn look(disk: &impl Disk) -> Check {
    check(disk, BLOCKS, NOW).unwrap_or_else(|refused| panic!("{refused:?}"))
}

fn problems(disk: &impl Disk) -> Vec<String> {
    look(disk)
        .problems
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// So many files, each of a record of 320 bytes or so.
fn files(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("file-{i:05}")).collect()
}

fn steps(names: &[String]) -> Vec<Step<'_>> {
    names
        .iter()
        .map(|name| Step::File(1, name.as_bytes()))
        .collect()
}

#[test]
fn a_block_of_the_log() {
    let names = files(60);
    let disk = disk(&steps(&names));
    let all = look(&disk).figures.unwrap();
    assert!(all.log_used > 3 * BLOCK_SIZE);
    disk.poison(3);
    let [problem] = &problems(&disk)[..] else {
        panic!("{:?}", problems(&disk));
    };
    assert!(
        problem.starts_with("the log is damaged in block "),
        "{problem}"
    );
    assert!(problem.contains(": cannot read block "), "{problem}");
    assert!(
        problem.contains("later records are there, from block 4 on"),
        "{problem}"
    );
    assert!(
        problem.ends_with("; 1 block behind cannot be read"),
        "{problem}"
    );
    look(&disk).correct(&disk).unwrap();
    assert!(look(&disk).is_clean());
    let left = look(&disk).figures.unwrap().inodes;
    assert!(left > 10 && left < 50, "{left}");
}

#[test]
fn a_block_behind_the_log() {
    let disk = disk(&[Step::File(1, b"a")]);
    disk.poison(9);
    assert_eq!(problems(&disk), [""; 0]);
}

#[test]
fn a_block_of_the_checkpoint() {
    let disk = disk(&[Step::File(1, b"a"), Step::Checkpoint, Step::File(1, b"b")]);
    disk.poison(623);
    assert_eq!(
        problems(&disk),
        ["the checkpoint is damaged in block 623: cannot read block 623: Input/output error; the \
          log before it has all that was in it, but what came after it is not found"]
    );
    // "b" was in the same block.
    look(&disk).correct(&disk).unwrap();
    assert!(look(&disk).is_clean());
    assert_eq!(look(&disk).figures.unwrap().inodes, 2);
    disk.poison(1);
    disk.poison(623);
    assert!(!look(&disk).can_correct());
    assert_eq!(
        look(&disk).correct(&disk).unwrap_err(),
        kernel::prelude::EINVAL.into()
    );
}

#[test]
fn superblocks() {
    let disk = disk(&[Step::File(1, b"a")]);
    disk.poison(0);
    assert_eq!(
        problems(&disk),
        ["the first superblock (block 0) cannot be read: cannot read block 0: Input/output error"]
    );
    disk.poison(639);
    assert!(matches!(check(&disk, BLOCKS, NOW), Err(Refused::System(_))));
    disk.bad.borrow_mut().remove(&0);
    look(&disk).correct(&disk).unwrap();
    assert!(look(&disk).is_clean() && disk.bad.borrow().is_empty());
}

/// One on a block that is known to be bad is left out, and that is no problem.
#[test]
fn a_superblock_that_is_known_to_be_bad() {
    let disk = disk(&[Step::Bad(639, 1), Step::Checkpoint]);
    disk.poison(639);
    assert!(look(&disk).is_clean());
}

#[test]
fn the_other_region_cannot_be_written() {
    let mut disk = disk(&[Step::File(1, b"a")]);
    damage_first_superblock(&disk);
    disk.read_only = (623..639).collect();
    look(&disk).correct(&disk).unwrap();
    assert!(look(&disk).is_clean());
    let [first, second] = look(&disk).superblock.regions;
    assert!(
        first.start > 16 && second.start == 623,
        "{first:?} {second:?}"
    );
    assert_eq!(look(&disk).figures.unwrap().inodes, 2);
}

fn damage_first_superblock(disk: &Poisoned) {
    disk.below.write(60, &[0xff; 4]).unwrap();
}

/// A crash at any time while it corrects leaves what can be corrected.
#[test]
fn cut_while_it_corrects() {
    let names = files(30);
    let mut steps = steps(&names);
    steps.push(Step::Nlink(3, 9));
    for writes in 0.. {
        let disk = disk(&steps);
        damage_first_superblock(&disk);
        disk.writes.set(writes);
        let result = look(&disk).correct(&disk);
        disk.writes.set(u64::MAX);
        let after = look(&disk);
        assert!(after.can_correct(), "{writes}: {:?}", after.problems);
        assert_eq!(after.figures.unwrap().inodes, 31);
        if result.is_ok() {
            assert!(after.is_clean());
            return;
        }
        after.correct(&disk).unwrap();
        assert!(look(&disk).is_clean(), "{writes}");
    }
}

#[test]
fn acls() {
    use crate::state::acl::{
        ACCESS,
        DEFAULT, //
    };
    let good = |mask| {
        acl_bytes::bytes(&[
            (1, 6, u32::MAX),
            (2, 7, 5),
            (4, 5, u32::MAX),
            (16, mask, u32::MAX),
            (32, 4, u32::MAX),
        ])
    };
    // As the mode says: 0644.
    let right = disk(&[
        Step::File(1, b"a"),
        Step::Dir(1, b"d"),
        Step::Xattr(2, ACCESS, &good(4)),
        Step::Xattr(3, DEFAULT, &good(7)),
    ]);
    assert!(look(&right).is_clean());
    assert_eq!(look(&right).figures.unwrap().acls, 2);

    // The names, whose they are; what is said of it, the mode of inode 2 or 3 then, and how many stay.
    let bad = &b"\x02\0\0\0?"[..];
    let not_valid = "inode 3 has an ACL that is not valid";
    let not_valid_default = "inode 3 has a default ACL that is not valid";
    let of_a_file = "inode 2 has a default ACL that is not valid";
    let other_mode = "inode 2 has other permissions than its ACL says: 0674";
    for (steps, said, inode, mode, left) in [
        (
            vec![Step::Xattr(2, ACCESS, &good(7))],
            vec![other_mode],
            2,
            0o674,
            1,
        ),
        (
            vec![Step::Xattr(3, ACCESS, bad), Step::Xattr(3, DEFAULT, bad)],
            vec![not_valid, not_valid_default],
            3,
            0o705,
            0,
        ),
        (
            vec![Step::Xattr(2, DEFAULT, &good(7))],
            vec![of_a_file],
            2,
            0o644,
            0,
        ),
        (
            vec![Step::Xattr(3, DEFAULT, b"")],
            vec![not_valid_default],
            3,
            0o755,
            0,
        ),
    ] {
        let new = [Step::File(1, b"a"), Step::Dir(1, b"d")];
        let disk = disk(&[&new[..], &steps].concat());
        assert_eq!(problems(&disk), said);
        look(&disk).correct(&disk).unwrap();
        let now = look(&disk);
        assert!(now.is_clean(), "{:?}", now.problems);
        assert_eq!(now.figures.unwrap().acls, left);
        let state = now.state.unwrap();
        assert_eq!(state.get(inode).unwrap().attr.mode & 0o777, mode);
    }
}

#[test]
fn acls_as_text() {
    use crate::{
        operation::Operation,
        state::{
            acl::ACCESS,
            xattr_op, //
        },
    };
    let text = |name: &[u8], value: &[u8]| match xattr_op(2, name, value).unwrap().into() {
        Operation::SetXattr { acl, .. } => acl,
        other => panic!("{other:?}"),
    };
    let value = acl_bytes::bytes(&[
        (1, 7, 0),
        (2, 5, 10),
        (4, 4, 0),
        (8, 2, 20),
        (16, 6, 0),
        (32, 0, 0),
    ]);
    assert_eq!(
        text(ACCESS, &value).unwrap(),
        "user::rwx,user:10:r-x,group::r--,group:20:-w-,mask::rw-,other::---"
    );
    assert_eq!(text(ACCESS, b"?").unwrap(), "not valid");
    assert_eq!(text(b"user.a", &value), None);
}
