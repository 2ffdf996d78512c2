// SPDX-License-Identifier: GPL-2.0

//! Tests that nothing takes long under the state lock because somebody has made very many of something:
//! extents of a file, owners that continue each other, directories in each other.

use crate::{
    errno::euclean,
    state::{
        Attr,
        Mapping,
        Op,
        PlaceCursor,
        State,
        Transaction,
        EXTENTS,
        ROOT_INO, //
    },
    state_tests::{
        attr,
        commit,
        create,
        fill,
        mkdir,
        name,
        new_state,
        DIR,
        FILE, //
    }, //
};
use kernel::prelude::*;
use std::{
    format,
    time::{
        Duration,
        Instant, //
    },
};

/// A file whose extents are of one page each, with a hole behind each.
fn holey(s: &mut State, ino: u64, extents: u64) {
    for i in 0..extents {
        let block = s.allocate(1, 0).unwrap().start;
        let tx = s.remap(ino, 2 * i, block, 1).unwrap();
        s.commit(tx).unwrap();
    }
    assert_eq!(len(s, ino), extents);
}

fn len(s: &State, ino: u64) -> u64 {
    s.get(ino).unwrap().as_file().unwrap().len() as u64
}

#[test]
fn an_orphan_goes_in_pieces() {
    let most = EXTENTS as u64;
    let mut s = new_state(4 * most);
    let (ino, tx) = s.tmpfile(attr(FILE, 1)).unwrap();
    commit(&mut s, tx);
    assert_eq!(s.is_small(ino), Ok(true));
    let all = 2 * most + 10;
    holey(&mut s, ino, all);
    assert_eq!(s.is_small(ino), Ok(false));
    let free = s.free_blocks();
    for left in [all - most, all - 2 * most] {
        let (tx, is_all) = s.evict(ino).unwrap();
        assert!(!is_all);
        commit(&mut s, tx);
        assert_eq!(len(&s, ino), left);
        assert_eq!(s.free_blocks(), free + all - left);
    }
    let (tx, is_all) = s.evict(ino).unwrap();
    assert!(is_all);
    commit(&mut s, tx);
    assert!(s.inode(ino).is_none());
    assert_eq!(s.free_blocks(), 4 * most);
}

#[test]
fn the_dead() {
    let mut s = new_state(100);
    let file = create(&mut s, ROOT_INO, b"f");
    assert_eq!(s.declare_dead(file), Err(EBUSY));
    assert_eq!(s.declare_dead(77), Err(ENOENT));
    let inos = [1, 2, 3].map(|second| {
        let (ino, tx) = s.tmpfile(attr(FILE, second)).unwrap();
        commit(&mut s, tx);
        ino
    });
    assert_eq!(s.next_dead(), None);
    // The second one twice.
    for ino in [inos[1], inos[0], inos[1]] {
        s.declare_dead(ino).unwrap();
    }
    let dead = |s: &State| inos.map(|ino| s.is_dead(ino));
    assert_eq!(dead(&s), [true, true, false]);
    assert_eq!((s.count_dead(), s.next_dead()), (2, Some(inos[0])));
    let (tx, _) = s.evict(inos[0]).unwrap();
    commit(&mut s, tx);
    assert_eq!(dead(&s), [false, true, false]);
    assert_eq!((s.count_dead(), s.next_dead()), (1, Some(inos[1])));
    // After a crash nobody has the third one open.
    let mut s = s.with_dead_orphans().unwrap();
    assert_eq!(dead(&s), [false, true, true]);
    assert!(!s.is_dead(file));
    // What is dead and has a name is found.
    s.check().unwrap();
    let (tx, _) = s.evict(inos[1]).unwrap();
    commit(&mut s, tx);
    let mut tx = Transaction::new();
    let attr = Attr {
        nlink: 1,
        ..s.get(inos[2]).unwrap().attr
    };
    let ino = inos[2];
    tx.push(Op::SetAttr { ino, attr }).unwrap();
    tx.push(Op::Link {
        dir: ROOT_INO,
        name: name(b"d"),
        ino,
    })
    .unwrap();
    s.commit(tx).unwrap();
    assert_eq!(s.check(), Err(euclean()));
}

#[test]
fn steps() {
    let most = EXTENTS as u64;
    let mut s = new_state(4 * most);
    let ino = create(&mut s, ROOT_INO, b"f");
    let all = most + 10;
    holey(&mut s, ino, all);
    // From its end on.
    assert_eq!(s.last_step(ino, 0), Ok(2 * 10));
    assert_eq!(s.last_step(ino, 2 * 10), Ok(2 * 10));
    assert_eq!(
        s.last_step(ino, 2 * 10 - 1),
        Ok(2 * 10 - 1),
        "from a hole on"
    );
    assert_eq!(s.last_step(ino, 2 * 10 - 2), Ok(2 * 10), "an extent more");
    assert_eq!(s.last_step(ino, 1 << 40), Ok(1 << 40));
    // From its start on.
    assert_eq!(s.step_len(ino, 0, 1 << 40), Ok(2 * most));
    assert_eq!(s.step_len(ino, 0, 10), Ok(10));
    assert_eq!(s.step_len(ino, 17, 1 << 40), Ok(2 * most + 1));
    assert_eq!(s.step_len(ino, 19, 1 << 40), Ok(1 << 40));
    // An extent that goes across the start of the step is in it.
    fill(&mut s, ino, 2 * all, 10);
    assert_eq!(s.last_step(ino, 2 * all + 5), Ok(2 * all + 5));
    assert_eq!(s.last_step(ROOT_INO, 0), Err(EISDIR));
    assert_eq!(s.step_len(ROOT_INO, 0, 1), Err(EISDIR));
}

/// Two files: one extent, and as many records as it has blocks, which go on from each other.
fn torn(blocks: u64) -> (State, u64) {
    let mut s = new_state(blocks + 10);
    let whole = create(&mut s, ROOT_INO, b"whole");
    let torn = create(&mut s, ROOT_INO, b"torn");
    fill(&mut s, whole, 0, blocks);
    for i in 0..blocks {
        let tx = s.clone_range(whole, i, torn, 2 * i, 1).unwrap();
        s.commit(tx).unwrap();
    }
    (s, whole)
}

#[test]
fn a_run_of_many_owners_is_told_in_parts() {
    const BLOCKS: u64 = 20_000;
    let (s, whole) = torn(BLOCKS);
    let mut next = 0;
    let mut parts = 0;
    while next < BLOCKS {
        let Ok(Mapping::Data {
            block,
            len,
            shared: true,
            bad: false,
        }) = s.map(whole, next, BLOCKS)
        else {
            panic!("page {next}");
        };
        assert_eq!(block, next);
        assert!(len < BLOCKS / 2, "{len} at once");
        next += len;
        parts += 1;
    }
    assert_eq!(next, BLOCKS);
    assert!(parts < 50, "{parts} parts");
}

/// The shortest of some times: others may use the machine.
fn time(mut f: impl FnMut()) -> Duration {
    let times = (0..5).map(|_| {
        let begin = Instant::now();
        f();
        begin.elapsed()
    });
    times.min().unwrap()
}

#[test]
fn a_list_of_places_takes_as_long_as_it_is() {
    const BLOCKS: u64 = 10_000;
    let list = |s: &State| {
        let mut cursor = PlaceCursor::new(0);
        std::iter::from_fn(|| s.next_place(&mut cursor, true)).count() as u64
    };
    // Without the long record, which would say for all of them that they have an owner.
    let (mut s, whole) = torn(BLOCKS);
    let tx = s.unmap_range(whole, 0, BLOCKS).unwrap();
    commit(&mut s, tx);
    let together = time(|| assert_eq!(list(&s), BLOCKS + 1));
    // As many places, of which none goes on from the other.
    let torn = s.lookup(ROOT_INO, b"torn").unwrap();
    for i in (1..BLOCKS).step_by(2) {
        let tx = s.unmap_range(torn, 2 * i, 1).unwrap();
        s.commit(tx).unwrap();
    }
    let apart = time(|| assert_eq!(list(&s), BLOCKS));
    assert!(together < 20 * apart, "{apart:?}, {together:?}");
}

#[test]
fn deep_directories_are_checked_as_fast_as_others() {
    const DIRS: usize = 5_000;
    let [flat, deep] = [false, true].map(|deep| {
        let mut s = new_state(10);
        let mut dir = ROOT_INO;
        for i in 0..DIRS {
            let (ino, tx) = s
                .mkdir(dir, format!("{i}").as_bytes(), attr(DIR, 1))
                .unwrap();
            s.commit(tx).unwrap();
            if deep {
                dir = ino;
            }
        }
        time(|| s.check().unwrap())
    });
    assert!(deep < 20 * flat, "{flat:?}, {deep:?}");

    // What is in itself is found all the same.
    let mut s = new_state(10);
    let a = mkdir(&mut s, ROOT_INO, b"a");
    let b = mkdir(&mut s, a, b"b");
    let mut t = Transaction::new();
    for op in [
        Op::Unlink {
            dir: ROOT_INO,
            name: name(b"a"),
        },
        Op::Link {
            dir: b,
            name: name(b"a"),
            ino: a,
        },
        Op::SetParent { ino: a, parent: b },
    ] {
        t.push(op).unwrap();
    }
    s.commit(t).unwrap();
    let links = |ino: u64, nlink: u32| Op::SetAttr {
        ino,
        attr: Attr {
            nlink,
            ..s.get(ino).unwrap().attr
        },
    };
    let ops = [links(ROOT_INO, 2), links(a, 3), links(b, 3)];
    let mut t = Transaction::new();
    ops.into_iter().for_each(|op| t.push(op).unwrap());
    s.commit(t).unwrap();
    assert_eq!(s.check(), Err(euclean()));
}
