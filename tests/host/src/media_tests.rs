// SPDX-License-Identifier: GPL-2.0

//! Tests of superblocks and logs that are not as they should be.

use crate::{
    crash::{
        blank,
        format,
        Recorder,
        BLOCKS, //
    },
    errno::{
        eopnotsupp,
        euclean, //
    },
    journal::{
        region_blocks,
        Format,
        Journal,
        Store, //
    },
    media::{
        Medium,
        Superblock,
        BLOCK_SIZE, //
    },
    state::{
        Attr,
        Op,
        State,
        Transaction,
        ROOT_INO, //
    },
    state_tests::{
        at,
        attr,
        DIR,
        FILE, //
    },
    SECRET, //
};
use kernel::prelude::*;

const LAST: u64 = (BLOCKS - 1) * BLOCK_SIZE;

fn formatted() -> Recorder {
    let medium = Recorder::new(blank());
    Journal::format(&medium, &format()).unwrap();
    medium
}

fn open(medium: &Recorder) -> Result<(Journal, State)> {
    Journal::open(medium, BLOCKS, SECRET).map(|opened| (opened.journal, opened.state))
}

fn mounted(medium: &Recorder) -> Store<&Recorder> {
    let mut store = Store::new(Journal::open(medium, BLOCKS, SECRET).unwrap(), medium);
    store.make_writable().unwrap();
    store
}

fn set_attr(n: i64) -> Transaction {
    let mut tx = Transaction::new();
    let attr = attr(DIR, n);
    tx.push(Op::SetAttr {
        ino: ROOT_INO,
        attr: Attr { nlink: 2, ..attr },
    })
    .unwrap();
    tx
}

/// What `open` says, without what it returns.
fn errno(medium: &Recorder) -> Result {
    open(medium).map(|_| ())
}

/// A superblock that was changed and has the right checksum.
fn rewrite(medium: &Recorder, change: impl FnOnce(&mut Superblock)) {
    let mut sb = Superblock::read(medium, BLOCKS).unwrap().sb;
    change(&mut sb);
    sb.generation += 1;
    sb.write(medium, [true; 2]).unwrap();
}

fn commit(
    medium: &Recorder,
    journal: &mut Journal,
    state: &mut State,
    mut tx: Transaction,
) -> Result {
    state.reserve(&mut tx)?;
    journal.append(medium, state, tx.ops())?;
    state.apply(tx)
}

#[test]
fn nothing_of_ours() {
    assert_eq!(errno(&Recorder::new(blank())), Err(EINVAL));
}

#[test]
fn one_copy_is_enough() {
    for at in [0, LAST] {
        let medium = formatted();
        medium.store(at, &[0xff; 512]).unwrap();
        open(&medium).unwrap();
        // Changed, but the checksum says so.
        let medium = formatted();
        medium.store(at + 40, &[0xff]).unwrap();
        open(&medium).unwrap();
    }
    let medium = formatted();
    for at in [40, LAST + 40] {
        medium.store(at, &[0xff]).unwrap();
    }
    assert_eq!(errno(&medium), Err(euclean()));
}

#[test]
fn the_newer_copy_counts() {
    let medium = formatted();
    let mut old = [0; 512];
    medium.read(0, &mut old).unwrap();
    rewrite(&medium, |sb| sb.label[0] = b'x');
    medium.store(0, &old).unwrap();
    assert_eq!(open(&medium).unwrap().0.superblock().label[0], b'x');
}

/// Each time that it is opened, a filesystem without a secret gets another one, until it is written.
#[test]
fn secrets() {
    let secret = |medium: &Recorder, random| {
        let opened = Journal::open(medium, BLOCKS, [random; 16]).unwrap();
        (opened.journal.superblock().secret(), opened.lacks)
    };
    let medium = formatted();
    assert_eq!(secret(&medium, 1), (Some(SECRET), false));
    // As a version that knows of none makes it, or writes it. Such a version writes on, too.
    for flag in [false, true] {
        rewrite(&medium, |sb| {
            sb.secret = [0; 16];
            if !flag {
                sb.features.compat = 0;
            }
        });
        assert_eq!(secret(&medium, 1), (Some([1; 16]), true));
        assert_eq!(secret(&medium, 2), (Some([2; 16]), true));
        let opened = Journal::open(&medium, BLOCKS, [3; 16]).unwrap();
        Store::new(opened, &medium).make_writable().unwrap();
        assert_eq!(secret(&medium, 4), (Some([3; 16]), false));
        // In both copies.
        for at in [0, LAST] {
            let copy = Recorder::new(medium.bytes.borrow().clone());
            copy.store(at, &[0; 1024]).unwrap();
            assert_eq!(secret(&copy, 4), (Some([3; 16]), false));
        }
    }
}

#[test]
fn features_and_sizes() {
    let medium = formatted();
    rewrite(&medium, |sb| sb.features.compat |= 1 << 63);
    open(&medium).unwrap();
    rewrite(&medium, |sb| sb.features.ro_compat = 1);
    let (journal, _) = open(&medium).unwrap();
    assert_eq!(journal.superblock().features.can_write(), Some(false));
    rewrite(&medium, |sb| sb.features.incompat = 1 << 62);
    assert_eq!(errno(&medium), Err(eopnotsupp()));

    // Larger than the device.
    assert_eq!(
        Journal::open(&formatted(), BLOCKS - 1, SECRET).map(|_| ()),
        Err(euclean())
    );
    // Regions that overlap, cover a superblock, or wrap.
    for (start, blocks) in [
        (0, 4),
        (1, BLOCKS - 10),
        (BLOCKS - 4, 4),
        (u64::MAX, 2),
        (5, 0),
    ] {
        let medium = formatted();
        rewrite(&medium, |sb| {
            sb.regions[0].start = start;
            sb.regions[0].blocks = blocks;
        });
        assert_eq!(errno(&medium), Err(euclean()), "{start} {blocks}");
    }
    let tiny = Format {
        blocks: 511,
        ..format()
    };
    assert_eq!(Journal::format(&Recorder::new(blank()), &tiny), Err(EINVAL));
}

#[test]
fn logs_of_any_length() {
    let most = *region_blocks(BLOCKS).end();
    assert_eq!(most, (BLOCKS - 2 - 16) / 2);
    for (region, made) in [
        (None, Ok(16)),
        (Some(16), Ok(16)),
        (Some(most), Ok(most)),
        (Some(15), Err(EINVAL)),
        (Some(most + 1), Err(EINVAL)),
        (Some(u64::MAX), Err(EINVAL)),
    ] {
        let medium = Recorder::new(blank());
        let format = Format { region, ..format() };
        let result = Journal::format(&medium, &format);
        assert_eq!(result, made.map(|_| ()), "{region:?}");
        if let Ok(blocks) = made {
            let opened = Journal::open(&medium, BLOCKS, SECRET).unwrap();
            let regions = opened.journal.superblock().regions;
            assert_eq!(regions.map(|region| region.blocks), [blocks; 2]);
            assert_eq!(opened.journal.used().1, blocks * BLOCK_SIZE);
        }
    }
}

#[test]
fn log_without_a_checkpoint() {
    let medium = formatted();
    // The first record's checksum.
    medium.store(BLOCK_SIZE + 4, &[1]).unwrap();
    assert_eq!(errno(&medium), Err(euclean()));
    // The log of another filesystem, or of an older time.
    let medium = formatted();
    rewrite(&medium, |sb| sb.first_seq += 1);
    assert_eq!(errno(&medium), Err(euclean()));
    rewrite(&medium, |sb| {
        sb.first_seq -= 1;
        sb.uuid[0] ^= 1;
    });
    assert_eq!(errno(&medium), Err(euclean()));
}

#[test]
fn a_cut_record_ends_the_log() {
    let medium = formatted();
    let (mut journal, mut state) = open(&medium).unwrap();
    for name in [b"a", b"b"] {
        let (_, tx) = state.create(ROOT_INO, name, attr(FILE, 1)).unwrap();
        commit(&medium, &mut journal, &mut state, tx).unwrap();
    }
    let mut bytes = medium.bytes.borrow().clone();
    let second = bytes.windows(2).rposition(|w| w == b"\x01b").unwrap();
    bytes[second] ^= 4;
    let (_, state) = open(&Recorder::new(bytes)).unwrap();
    state.lookup(ROOT_INO, b"a").unwrap();
    assert_eq!(state.lookup(ROOT_INO, b"b"), Err(ENOENT));
}

/// A long name of a file, one of many.
fn name(i: usize) -> std::vec::Vec<u8> {
    std::format!("{i:0200}").into_bytes()
}

/// Makes files until the log has no room for another one. Returns how many.
fn fill_with_files(medium: &Recorder, journal: &mut Journal, state: &mut State) -> usize {
    for n in 0.. {
        let (_, tx) = state.create(ROOT_INO, &name(n), attr(FILE, 1)).unwrap();
        match commit(medium, journal, state, tx) {
            Err(e) if e == ENOSPC => return n,
            result => result.unwrap(),
        }
    }
    unreachable!()
}

/// A log full of what cannot be left out says ENOSPC before anything has changed, and what is removed
/// makes room again.
#[test]
fn full_log() {
    let medium = formatted();
    let (mut journal, mut state) = open(&medium).unwrap();
    let n = fill_with_files(&medium, &mut journal, &mut state);
    assert!(n > 50, "{n}");
    state.check().unwrap();
    assert_eq!(state.inode_count(), n as u64 + 1);
    let (_, after) = open(&medium).unwrap();
    assert_eq!(after.inode_count(), n as u64 + 1);
    // More removals than the log has room for without checkpoints.
    for i in 0..n {
        let ino = state.lookup(ROOT_INO, &name(i)).unwrap();
        let tx = state.unlink(ROOT_INO, &name(i), at(2)).unwrap();
        commit(&medium, &mut journal, &mut state, tx).unwrap();
        let (tx, _) = state.evict(ino).unwrap();
        commit(&medium, &mut journal, &mut state, tx).unwrap();
    }
    let (_, tx) = state.create(ROOT_INO, b"again", attr(FILE, 1)).unwrap();
    commit(&medium, &mut journal, &mut state, tx).unwrap();
    let (_, after) = open(&medium).unwrap();
    assert_eq!(after.inode_count(), 2);
    after.check().unwrap();
}

/// What fallocate gave can be written to when there is no room for names any more, and what is removed makes room
/// when there is none for that either.
#[test]
fn full_log_and_unwritten_blocks() {
    let medium = formatted();
    let (mut journal, mut state) = open(&medium).unwrap();
    let (ino, tx) = state.create(ROOT_INO, b"space", attr(FILE, 1)).unwrap();
    commit(&medium, &mut journal, &mut state, tx).unwrap();
    let blocks = state.allocate(200, 0).unwrap();
    let pages = blocks.end - blocks.start;
    let tx = state.remap_unwritten(ino, 0, blocks.start, pages).unwrap();
    commit(&medium, &mut journal, &mut state, tx).unwrap();
    let n = fill_with_files(&medium, &mut journal, &mut state);
    // Each is an extent more, or two.
    let mut written = 0;
    let mut error = None;
    for page in (0..pages).step_by(2) {
        let tx = state.convert(ino, page, 1, true).unwrap();
        match commit(&medium, &mut journal, &mut state, tx) {
            Ok(()) => written += 1,
            Err(e) => error = Some(e),
        }
    }
    assert!(written > 5, "{written} of {pages}");
    assert!(error.is_none_or(|e| e == ENOSPC), "{error:?}");
    for i in 0..n {
        let tx = state.unlink(ROOT_INO, &name(i), at(2)).unwrap();
        commit(&medium, &mut journal, &mut state, tx).unwrap();
    }
    let tx = state.unmap_range(ino, 0, u64::MAX).unwrap();
    commit(&medium, &mut journal, &mut state, tx).unwrap();
    let (_, after) = open(&medium).unwrap();
    after.check().unwrap();
}

/// Inode numbers are not used again after a mount.
#[test]
fn numbers_of_inodes_that_are_gone() {
    let medium = formatted();
    let (mut journal, mut state) = open(&medium).unwrap();
    let (gone, tx) = state.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
    commit(&medium, &mut journal, &mut state, tx).unwrap();
    let tx = state.unlink(ROOT_INO, b"a", at(2)).unwrap();
    commit(&medium, &mut journal, &mut state, tx).unwrap();
    let (tx, _) = state.evict(gone).unwrap();
    commit(&medium, &mut journal, &mut state, tx).unwrap();
    journal.checkpoint(&medium, &state).unwrap();
    let (_, mut state) = open(&medium).unwrap();
    let (next, _) = state.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
    assert!(next > gone);
}

/// Poison in the log, again and again, until there is no room to move to: nothing is lost, and it
/// mounts each time.
#[test]
fn the_log_moves_off_poison() {
    let medium = formatted();
    let mut store = mounted(&medium);
    let mut moves = 0;
    loop {
        let name = std::format!("{moves}").into_bytes();
        let (_, tx) = store
            .change()
            .create(ROOT_INO, &name, attr(FILE, 1))
            .unwrap();
        match store.commit(tx) {
            // The runs that are left are short.
            Err(e) if moves > 10 => assert_eq!(e, ENOSPC),
            made => made.unwrap(),
        }
        let sb = *store.journal().superblock();
        // The log's own region and the other one in turn.
        let region = sb.regions[(sb.active as usize + moves) % 2];
        let block = region.start + moves as u64 % region.blocks;
        let bytes = block * BLOCK_SIZE..(block + 1) * BLOCK_SIZE;
        medium.poison.borrow_mut().push(bytes);
        let marked = store.mark_bad(block..block + 1).unwrap();
        assert_eq!((marked.newly_bad, marked.durable), (1, Ok(())));
        moves += 1;
        let (again, after) = open(&medium).unwrap();
        assert_eq!(again.superblock(), store.journal().superblock());
        let regions = again.superblock().regions;
        let moved = !regions.iter().any(|r| r.range().contains(&block));
        after.check().unwrap();
        store.state().check().unwrap();
        assert_eq!(after.inode_count(), store.state().inode_count());
        assert_eq!(after.bad_blocks(), moves as u64);
        assert_eq!(after.free_blocks(), store.state().free_blocks());
        if !moved {
            break;
        }
    }
    assert!(moves > 10, "{moves}");
    // One region is good, and it goes on there, until that is full or bad.
    let tx = store.state().unlink(ROOT_INO, b"0", at(2)).unwrap();
    store.commit(tx).unwrap();
    let sb = *store.journal().superblock();
    let block = sb.active_region().start;
    let marked = store.mark_bad(block..block + 1).unwrap();
    assert_eq!((marked.newly_bad, marked.durable), (1, Err(EROFS)));
    assert!(!store.is_writable());
    let (_, tx) = store
        .change()
        .create(ROOT_INO, b"no", attr(FILE, 1))
        .unwrap();
    assert_eq!(store.commit(tx), Err(EROFS));
    assert_eq!(
        open(&medium).unwrap().1.inode_count(),
        store.state().inode_count()
    );
}

/// Both superblocks go bad, one after the other: they are not written any more, the log goes on.
#[test]
fn superblocks_go_bad() {
    let medium = formatted();
    let mut store = mounted(&medium);
    for (n, block) in [BLOCKS - 1, 0].into_iter().enumerate() {
        medium
            .poison
            .borrow_mut()
            .push(block * BLOCK_SIZE..(block + 1) * BLOCK_SIZE);
        let marked = store.mark_bad(block..block + 1).unwrap();
        assert_eq!((marked.newly_bad, marked.durable), (1, Ok(())));
        let generation = store.journal().superblock().generation;
        let mut i = 0;
        // Until it is full, and the superblock has to say where it goes on.
        let result = loop {
            i += 1;
            let tx = set_attr(i);
            match store.commit(tx) {
                Ok(()) if store.journal().superblock().generation == generation => {}
                result => break result,
            }
        };
        if n == 0 {
            assert_eq!(result, Ok(()));
            let opened = Journal::open(&medium, BLOCKS, SECRET).unwrap();
            assert_eq!(opened.copies, [Ok(generation + 1), Err(EIO)]);
            let root = opened.state.get(ROOT_INO).unwrap().attr;
            assert_eq!(root, store.state().get(ROOT_INO).unwrap().attr);
        } else {
            assert_eq!(result, Err(EIO));
            assert!(store.state().check().is_ok());
        }
    }
}

/// A superblock cannot be written and nobody has said so: the log goes where the other one says.
#[test]
fn a_superblock_fails_unheard_of() {
    for block in [0, BLOCKS - 1] {
        let medium = formatted();
        let mut store = mounted(&medium);
        medium
            .poison
            .borrow_mut()
            .push(block * BLOCK_SIZE..(block + 1) * BLOCK_SIZE);
        let generation = store.journal().superblock().generation;
        let mut i = 0;
        while store.journal().superblock().generation < generation + 3 {
            i += 1;
            store.commit(set_attr(i)).unwrap();
            let opened = Journal::open(&medium, BLOCKS, SECRET).unwrap();
            let root = opened.state.get(ROOT_INO).unwrap().attr;
            assert_eq!(
                root,
                store.state().get(ROOT_INO).unwrap().attr,
                "{block}: {i}"
            );
        }
    }
}

/// A checkpoint that cannot be read is told by the log before it, and what came after it is there.
#[test]
fn an_unreadable_checkpoint() {
    let medium = formatted();
    let (mut journal, mut state) = open(&medium).unwrap();
    for name in [b"a", b"b"] {
        let (_, tx) = state.create(ROOT_INO, name, attr(FILE, 1)).unwrap();
        commit(&medium, &mut journal, &mut state, tx).unwrap();
    }
    // Of more than one record, so that one of them is not the last.
    for i in 0..60u64 {
        let name = std::format!("{i:0>200}").into_bytes();
        let (_, tx) = state.create(ROOT_INO, &name, attr(FILE, 1)).unwrap();
        commit(&medium, &mut journal, &mut state, tx).unwrap();
    }
    journal.checkpoint(&medium, &state).unwrap();
    for name in [b"c", b"d"] {
        let (_, tx) = state.create(ROOT_INO, name, attr(FILE, 1)).unwrap();
        commit(&medium, &mut journal, &mut state, tx).unwrap();
    }
    let start = journal.superblock().active_region().start * BLOCK_SIZE;
    medium.poison.borrow_mut().push(start..start + BLOCK_SIZE);
    let opened = Journal::open(&medium, BLOCKS, SECRET).unwrap();
    assert!(opened.damaged);
    assert_eq!(opened.state.inode_count(), state.inode_count());
    // It goes on elsewhere, and the next mount finds nothing wrong.
    let mut store = Store::new(opened, &medium);
    assert_eq!(store.make_writable(), Ok(0));
    let opened = Journal::open(&medium, BLOCKS, SECRET).unwrap();
    assert!(!opened.damaged);
    assert_eq!(opened.state.inode_count(), state.inode_count());

    // Without the other region there is nothing to do.
    let medium = formatted();
    medium.poison.borrow_mut().push(BLOCK_SIZE..2 * BLOCK_SIZE);
    assert_eq!(errno(&medium), Err(EIO));
}

/// A record in the middle is damaged, though it can be read: what comes after it is lost, which is
/// said, and does not come back when another record stands in its place.
#[test]
fn a_damaged_record_in_the_middle() {
    let medium = formatted();
    let mut store = mounted(&medium);
    let start = store.journal().used().0;
    for block in 100..108 {
        store.mark_bad(block..block + 1).unwrap();
    }
    assert!(!Journal::open(&medium, BLOCKS, SECRET).unwrap().lost);
    // One bit of the third.
    let at = (BLOCK_SIZE + start) as usize + 2 * 64 + 40;
    medium.bytes.borrow_mut()[at] ^= 1;
    let opened = Journal::open(&medium, BLOCKS, SECRET).unwrap();
    assert!(opened.lost);
    assert_eq!(opened.state.bad_blocks(), 2);
    let mut store = Store::new(opened, &medium);
    store.make_writable().unwrap();
    store.mark_bad(500..501).unwrap();
    let opened = Journal::open(&medium, BLOCKS, SECRET).unwrap();
    assert!(!opened.lost);
    assert_eq!(opened.state.bad_blocks(), 3);
}

/// Inodes without a name are dead for a mount, and freed once it may write.
#[test]
fn orphans_are_reaped() {
    let medium = formatted();
    let mut store = mounted(&medium);
    let (ino, tx) = store
        .change()
        .create(ROOT_INO, b"f", attr(FILE, 1))
        .unwrap();
    store.commit(tx).unwrap();
    let new = store.change().allocate(7, 0).unwrap();
    let tx = store.state().remap(ino, 3, new.start, 7).unwrap();
    store.commit(tx).unwrap();
    let free = store.state().free_blocks();
    let tx = store.state().unlink(ROOT_INO, b"f", at(2)).unwrap();
    store.commit(tx).unwrap();
    assert_eq!(store.state().free_blocks(), free);

    let mut store = Store::new(Journal::open(&medium, BLOCKS, SECRET).unwrap(), &medium);
    assert_eq!(store.state().free_blocks(), free);
    let (_, tx) = store
        .change()
        .create(ROOT_INO, b"g", attr(FILE, 1))
        .unwrap();
    assert_eq!(store.commit(tx), Err(EROFS));
    assert_eq!(store.reap(), Err(EROFS));
    assert_eq!(store.make_writable(), Ok(1));
    assert_eq!(store.state().free_blocks(), free);
    assert_eq!(store.reap(), Ok(true));
    assert_eq!(store.reap(), Ok(false));
    assert_eq!(store.state().free_blocks(), free + 7);
    assert_eq!(open(&medium).unwrap().1.free_blocks(), free + 7);
}
