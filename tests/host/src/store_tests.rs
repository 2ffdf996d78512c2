// SPDX-License-Identifier: GPL-2.0

//! Tests of the store: what it writes while it is frozen, and what it writes at the thaw.

use crate::{
    crash::{
        blank,
        format,
        Recorder,
        BLOCKS, //
    },
    journal::{
        Journal,
        Store, //
    },
    media::{
        Features,
        Medium,
        Superblock,
        BLOCK_SIZE,
        LABEL_BYTES, //
    },
    state::{
        Mapping,
        ROOT_INO, //
    },
    state_tests::{
        at,
        attr,
        FILE, //
    },
    SECRET, //
};
use kernel::prelude::{
    EIO,
    ENOSPC,
    EROFS, //
};
use std::{
    rc::Rc,
    vec, //
};

fn mounted(medium: &Rc<Recorder>) -> Store<Rc<Recorder>> {
    let opened = Journal::open(&**medium, BLOCKS, SECRET).unwrap();
    let mut store = Store::new(opened, medium.clone());
    store.make_writable().unwrap();
    store
}

#[test]
fn frozen() {
    let medium = Rc::new(Recorder::new(blank()));
    Journal::format(&*medium, &format()).unwrap();
    let mut store = mounted(&medium);
    let (ino, tx) = store
        .change()
        .create(ROOT_INO, b"a", attr(FILE, 1))
        .unwrap();
    store.commit(tx).unwrap();
    let blocks = store.change().allocate(5, 0).unwrap();
    let tx = store.state().remap(ino, 0, blocks.start, 5).unwrap();
    store.commit(tx).unwrap();
    let tx = store.state().unlink(ROOT_INO, b"a", at(2)).unwrap();
    store.commit(tx).unwrap();
    let free = store.state().free_blocks();
    let log = store.journal().superblock().active_region();

    store.freeze();
    let before = medium.bytes.borrow().clone();
    let (_, tx) = store
        .change()
        .create(ROOT_INO, b"b", attr(FILE, 1))
        .unwrap();
    assert_eq!(store.commit(tx), Err(EROFS));
    assert_eq!(store.set_label(&[b'x'; LABEL_BYTES]), Err(EROFS));
    // A failure of a free block, one of the log's, and a file that goes.
    for block in [500, log.start + 1] {
        let marked = store.mark_bad(block..block + 1).unwrap();
        assert_eq!((marked.newly_bad, marked.durable), (1, Err(EROFS)));
        assert!(store.state().is_bad(block));
    }
    assert_eq!(store.evict(ino), Ok(false));
    assert!(store.state().is_dead(ino));
    assert_eq!(store.reap(), Ok(false));
    assert_eq!(store.state().free_blocks(), free - 1);
    assert!(*medium.bytes.borrow() == before, "something was written");

    store.thaw(true).unwrap();
    let bad = |store: &Store<_>| [500, log.start + 1].map(|b| store.state().is_bad(b));
    assert_ne!(store.journal().superblock().active_region(), log);
    assert_eq!(store.reap(), Ok(true));
    assert_eq!(store.reap(), Ok(false));
    assert!(store.state().inode(ino).is_none());
    let free = store.state().free_blocks();
    let store = mounted(&medium);
    assert_eq!(bad(&store), [true; 2]);
    assert!(store.state().inode(ino).is_none());
    assert_eq!(store.state().free_blocks(), free);
    store.state().check().unwrap();
}

/// A feature that an operation needs is in both superblocks before it, or nothing happens; and it stays when
/// the log moves.
#[test]
fn features_are_noted() {
    let medium = Rc::new(Recorder::new(blank()));
    Journal::format(&*medium, &format()).unwrap();
    let incompat = |medium: &Recorder| {
        let last = (BLOCKS - 1) * BLOCK_SIZE;
        [0, last].map(|other| {
            let copy = Recorder::new(medium.bytes.borrow().clone());
            copy.store(other, &[0; 1024]).unwrap();
            let sb = Superblock::read(&copy, BLOCKS).unwrap().sb;
            (sb.features.incompat, sb.generation)
        })
    };
    let opened = Journal::open(&*medium, BLOCKS, SECRET).unwrap();
    let (mut journal, state) = (opened.journal, opened.state);
    journal.note(&*medium, &state, 0).unwrap();
    assert_eq!(incompat(&medium), [(0, 1); 2]);
    // Neither can be written, or made durable: it is not so, and can be so later.
    for block in [0, BLOCKS - 1] {
        medium.listed.borrow_mut().push(block..block + 1);
    }
    assert_eq!(
        journal.note(&*medium, &state, Features::UNWRITTEN),
        Err(EIO)
    );
    medium.listed.borrow_mut().clear();
    medium.fences_left.set(Some(0));
    assert_eq!(
        journal.note(&*medium, &state, Features::UNWRITTEN),
        Err(EIO)
    );
    medium.fences_left.set(None);
    assert_eq!(journal.superblock().features.incompat, 0);
    for _ in 0..2 {
        journal.note(&*medium, &state, Features::UNWRITTEN).unwrap();
        assert_eq!(incompat(&medium), [(Features::UNWRITTEN, 2); 2]);
    }
    journal.checkpoint(&*medium, &state).unwrap();
    journal
        .set_label(&*medium, &state, &[b'x'; LABEL_BYTES])
        .unwrap();
    assert_eq!(incompat(&medium), [(Features::UNWRITTEN, 4); 2]);
}

/// Only an older copy of the superblock can be read, without a feature that the log needs: it has it again
/// with the next one.
#[test]
fn features_of_the_log() {
    let medium = Rc::new(Recorder::new(blank()));
    Journal::format(&*medium, &format()).unwrap();
    let mut store = mounted(&medium);
    let (ino, tx) = store
        .change()
        .create(ROOT_INO, b"a", attr(FILE, 1))
        .unwrap();
    store.commit(tx).unwrap();
    let block = [0; BLOCK_SIZE as usize];
    let mut old = block;
    medium.read(0, &mut old).unwrap();
    let blocks = store.change().allocate(5, 0).unwrap();
    let tx = store.state().remap_unwritten(ino, 0, blocks.start, 5);
    store.commit(tx.unwrap()).unwrap();
    medium.store(0, &old).unwrap();
    medium.store((BLOCKS - 1) * BLOCK_SIZE, &block).unwrap();
    let sb = Superblock::read(&*medium, BLOCKS).unwrap().sb;
    assert_eq!(sb.features.incompat, 0);
    let store = mounted(&medium);
    let mapping = store.state().map(ino, 0, 9).unwrap();
    assert!(matches!(mapping, Mapping::Unwritten { len: 5, .. }));
    let found = Superblock::read(&*medium, BLOCKS).unwrap();
    assert_eq!(found.sb.features.incompat, Features::UNWRITTEN);
    assert_eq!(found.copies, [Ok(found.sb.generation); 2]);
}

/// A superblock that is known as bad is left alone; both, and no feature can come into use.
#[test]
fn features_beside_bad_superblocks() {
    let medium = Rc::new(Recorder::new(blank()));
    Journal::format(&*medium, &format()).unwrap();
    let opened = Journal::open(&*medium, BLOCKS, SECRET).unwrap();
    let (mut journal, mut state) = (opened.journal, opened.state);
    state.mark_bad(0..1).unwrap();
    journal.note(&*medium, &state, Features::UNWRITTEN).unwrap();
    let found = Superblock::read(&*medium, BLOCKS).unwrap();
    assert_eq!(found.copies, [Ok(1), Ok(2)]);
    assert_eq!(found.sb.features.incompat, Features::UNWRITTEN);
    state.mark_bad(BLOCKS - 1..BLOCKS).unwrap();
    journal.note(&*medium, &state, Features::UNWRITTEN).unwrap();
    let before = medium.bytes.borrow().clone();
    assert_eq!(journal.note(&*medium, &state, 2), Err(EIO));
    assert!(*medium.bytes.borrow() == before);
}

/// Free blocks, but no run of them that is as long as a region: the log gets shorter, until it cannot
/// be any more. Nothing is lost over that, and nothing is half done.
#[test]
fn no_long_run_left() {
    let medium = Rc::new(Recorder::new(blank()));
    Journal::format(&*medium, &format()).unwrap();
    let mut store = mounted(&medium);
    let blocks = |store: &Store<_>| {
        let [first, second] = store.journal().superblock().regions;
        first.blocks.min(second.blocks)
    };
    let at_first = blocks(&store);
    for block in (at_first + 4..BLOCKS).step_by(at_first as usize) {
        store.mark_bad(block..block + 1).unwrap();
    }
    let mut lengths = vec![blocks(&store)];
    let mut files = 0u64;
    while store.is_writable() {
        let [_, log] = store.journal().superblock().regions;
        store.mark_bad(log.start..log.start + 1).unwrap();
        let log = store.journal().superblock().active_region();
        let marked = store.mark_bad(log.start..log.start + 1).unwrap();
        assert!(marked.durable.is_ok() || !store.is_writable());
        let name = std::format!("f{files}");
        let (_, tx) = store
            .change()
            .create(ROOT_INO, name.as_bytes(), attr(FILE, 1))
            .unwrap();
        match store.commit(tx) {
            Ok(()) => files += 1,
            Err(e) => assert_eq!(e, if store.is_writable() { ENOSPC } else { EROFS }),
        }
        lengths.push(blocks(&store));
        store.state().check().unwrap();
        let names = store.state().inodes_from(0).count() as u64 - 1;
        assert_eq!(names, files);
        if store.is_writable() {
            let again = mounted(&medium);
            assert_eq!(again.state().inodes_from(0).count() as u64 - 1, files);
            assert_eq!(again.state().bad_blocks(), store.state().bad_blocks());
            assert_eq!(again.state().free_blocks(), store.state().free_blocks());
        }
    }
    lengths.dedup();
    assert!(lengths.len() > 2, "{at_first}: {lengths:?}, {files} files");
    assert!(store.state().free_blocks() < BLOCKS / 2);
}

/// The medium went in the meantime: nothing is written, and nothing is wrong.
#[test]
fn frozen_for_good() {
    let medium = Rc::new(Recorder::new(blank()));
    Journal::format(&*medium, &format()).unwrap();
    let mut store = mounted(&medium);
    store.freeze();
    store.mark_bad(500..501).unwrap();
    let before = medium.bytes.borrow().clone();
    store.thaw(false).unwrap();
    assert!(*medium.bytes.borrow() == before);
    assert!(!mounted(&medium).state().is_bad(500));
}

/// From some fence on the device cannot make anything durable: nobody is told that it has, nothing more
/// is written, and what was acknowledged before is there.
#[test]
fn not_durable() {
    let mut refused = 0;
    for fences in 0..30 {
        let medium = Rc::new(Recorder::new(blank()));
        Journal::format(&*medium, &format()).unwrap();
        let mut store = mounted(&medium);
        medium.fences_left.set(Some(fences));
        let mut files = 0u64;
        for i in 0..20 {
            let name = std::format!("f{i}");
            let made = store
                .change()
                .create(ROOT_INO, name.as_bytes(), attr(FILE, 1));
            match store.commit(made.unwrap().1) {
                Ok(()) => files += 1,
                Err(e) => {
                    assert!(e == EIO || e == EROFS);
                    refused += 1;
                }
            }
            store.state().check().unwrap();
            assert_eq!(store.state().inodes_from(0).count() as u64 - 1, files);
        }
        assert!(files <= fences as u64 / 2 && !store.is_writable());
        medium.fences_left.set(None);
        // The one under way may be there.
        let again = mounted(&medium);
        again.state().check().unwrap();
        let there = again.state().inodes_from(0).count() as u64 - 1;
        assert!(there == files || there == files + 1);
    }
    assert_ne!(refused, 0);
}

/// Blocks that nobody has reported, but the medium knows as bad: one of the log's, and some of where it
/// would go. The transaction that meets them does not fail, and they are bad from then on.
#[test]
fn log_moves_past_listed_blocks() {
    let medium = Rc::new(Recorder::new(blank()));
    Journal::format(&*medium, &format()).unwrap();
    let mut store = mounted(&medium);
    let log = store.journal().superblock().active_region();
    let regions = store.journal().superblock().regions;
    let goal = store.change().allocate(log.blocks, log.start).unwrap();
    store.change().release(goal.clone()).unwrap();
    let bad = [
        log.start..log.start + log.blocks,
        goal.start + 1..goal.start + 3,
        goal.end..goal.end + 1,
    ];
    *medium.listed.borrow_mut() = bad.to_vec();
    let (ino, tx) = store
        .change()
        .create(ROOT_INO, b"a", attr(FILE, 1))
        .unwrap();
    store.commit(tx).unwrap();
    assert_ne!(store.journal().superblock().regions, regions);
    let now = store.journal().superblock().active_region().range();
    assert!(medium.known_bad(&now).is_none());
    let found = store.take_found();
    assert_eq!(found, store.state().bad_blocks());
    assert!(found >= log.blocks + 2, "{found} of {}", log.blocks);
    assert_eq!(store.take_found(), 0);
    // Each of them was told of once.
    let told = medium.discovered.borrow();
    let total: u64 = told.iter().map(|blocks| blocks.end - blocks.start).sum();
    assert_eq!(total, found);
    for blocks in &*told {
        let bad = store.state().next_bad(blocks.start, blocks.end);
        assert_eq!(bad.as_ref(), Some(blocks));
    }
    store.state().check().unwrap();
    let again = mounted(&medium);
    assert!(again.state().inode(ino).is_some());
    assert_eq!(again.state().bad_blocks(), found);
}
