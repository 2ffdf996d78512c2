// SPDX-License-Identifier: GPL-2.0

//! Tests of transactions: memory, order, and operations that are inconsistent.

use crate::errno::euclean;
use crate::{
    rmap::FileExtent,
    snapshot::Snapshot,
    state::{
        Attr,
        Op,
        State,
        Transaction,
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
        symlink,
        tx,
        DIR,
        FILE,
        LINK, //
    }, //
};
use kernel::{
    alloc::budget,
    prelude::*, //
};
use std::{
    format,
    vec,
    vec::Vec, //
};

#[test]
fn mark_bad_needs_no_memory() {
    let mut s = new_state(1000);
    // Each reserve makes room for 64 more.
    for round in 0..2 {
        let t = tx(vec![Op::SetAttr {
            ino: ROOT_INO,
            attr: s.get(ROOT_INO).unwrap().attr,
        }]);
        commit(&mut s, t);
        budget::set(Some(0));
        for i in 0..64 {
            let block = round * 300 + i * 2;
            assert_eq!(s.mark_bad(block..block + 1), Ok(1));
        }
        budget::set(None);
    }
    budget::set(Some(0));
    assert_eq!(s.mark_bad(900..901), Err(ENOMEM));
    assert_eq!(s.mark_bad(1..2), Ok(1), "joins two that are there");
    budget::set(Some(1));
    assert_eq!(s.mark_bad(990..991), Ok(1), "room after a join");
    assert_eq!(s.mark_bad(996..997), Ok(1), "allocates when it must");
    budget::set(None);
    s.check().unwrap();
    assert_eq!(s.bad_blocks(), 131);
}

/// So many events of ranges apart, from block `from` on, before one fails for memory; at most `max`.
fn events_without_memory(s: &mut State, from: u64, max: u64) -> u64 {
    budget::set(Some(0));
    let mut events = 0;
    while events < max {
        let block = from + events * 2;
        let before = Snapshot::of(s);
        let result = s.mark_bad(block..block + 1);
        if result == Err(ENOMEM) {
            assert!(!s.is_bad(block));
            assert_eq!(Snapshot::of(s), before);
            break;
        }
        assert_eq!(result, Ok(1));
        events += 1;
    }
    budget::set(None);
    s.check().unwrap();
    events
}

#[test]
fn each_event_makes_room_for_the_next() {
    let mut s = new_state(100_000);
    // Fresh from mount: no transaction has reserved anything.
    assert_eq!(events_without_memory(&mut s, 0, 63), 63);
    // One event when there is memory, and room is left: it is full again.
    budget::set(Some(1));
    assert_eq!(s.mark_bad(500..501), Ok(1));
    budget::set(None);
    assert_eq!(events_without_memory(&mut s, 1000, 64), 64);
    // With less memory than that nothing gets worse.
    let joined = events_without_memory(&mut s, 2000, 10_000);
    assert_eq!(events_without_memory(&mut s, 30_000, 1), 0);
    // Any allocation that a transaction makes may fail: what it leaves is enough.
    for allocations in 0.. {
        let (_, mut t) = s.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
        budget::set(Some(allocations));
        let result = s.reserve(&mut t);
        budget::set(None);
        if result.is_ok() {
            break;
        }
    }
    assert_eq!(events_without_memory(&mut s, 40_000, 64), 64);
    assert_eq!(s.bad_blocks(), 63 + 1 + 64 + joined + 64);
}

#[test]
fn a_full_bad_set_still_takes_what_touches() {
    let mut s = new_state(100_000);
    let events = events_without_memory(&mut s, 10, 10_000);
    assert!(events >= 64);
    let end = 10 + events * 2;
    budget::set(Some(0));
    assert_eq!(s.mark_bad(20_000..20_001), Err(ENOMEM));
    assert_eq!(s.mark_bad(12..13), Ok(0), "again");
    assert_eq!(s.mark_bad(9..10), Ok(1), "in front of the first");
    assert_eq!(s.mark_bad(end - 1..end), Ok(1), "behind the last");
    assert_eq!(s.mark_bad(40..60), Ok(10), "over many");
    assert_eq!(s.mark_bad(20_000..20_001), Ok(1), "which made room");
    assert_eq!(
        s.mark_bad(0..100_000),
        Ok(100_000 - events - 13),
        "the device"
    );
    assert_eq!(s.free_blocks(), 0);
    budget::set(None);
    s.check().unwrap();
}

#[test]
fn apply_wants_a_fresh_reservation() {
    let mut s = new_state(10);
    let (_, t) = s.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
    let before = Snapshot::of(&s);
    assert_eq!(s.apply(t), Err(EAGAIN));
    let (_, mut t) = s.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
    s.reserve(&mut t).unwrap();
    t.push(Op::FreeInode { ino: 5 }).unwrap();
    assert_eq!(s.apply(t), Err(EAGAIN), "an operation more");
    let (_, mut t) = s.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
    s.reserve(&mut t).unwrap();
    let range = s.allocate(1, 0).unwrap();
    s.release(range).unwrap();
    assert_eq!(s.apply(t), Err(EAGAIN), "slots may be gone");
    assert_eq!(Snapshot::of(&s), before);

    let (_, mut t) = s.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
    s.reserve(&mut t).unwrap();
    s.mark_bad(3..4).unwrap();
    s.reserve(&mut t).unwrap();
    budget::set(Some(0));
    s.apply(t).unwrap();
    budget::set(None);
    s.check().unwrap();
}

#[test]
fn a_file_and_its_extents_in_one_transaction() {
    let mut s = new_state(100);
    let (ino, mut t) = s.create(ROOT_INO, b"a", attr(FILE, 1)).unwrap();
    for i in 0..5 {
        t.push(Op::Map {
            ino,
            pgoff: i * 2,
            block: 10 + i * 2,
            len: 1,
            unwritten: false,
        })
        .unwrap();
    }
    t.push(Op::Unmap {
        ino,
        pgoff: 3,
        len: 4,
    })
    .unwrap();
    t.push(Op::MarkBad { block: 80, len: 3 }).unwrap();
    s.reserve(&mut t).unwrap();
    budget::set(Some(0));
    s.apply(t).unwrap();
    budget::set(None);
    s.check().unwrap();
    let expected = [0, 2, 8].map(|pgoff| FileExtent {
        pgoff,
        block: 10 + pgoff,
        len: 1,
        unwritten: false,
    });
    assert!(s.get(ino).unwrap().as_file().unwrap().iter().eq(expected));
}

#[test]
fn two_inodes_in_one_transaction() {
    // Each gets the memory that was reserved for it: only the file has extents.
    let new = |ino| Op::NewInode {
        ino,
        attr: Attr {
            nlink: 0,
            ..attr(if ino == 5 { FILE } else { DIR }, 0)
        },
        parent: 1,
    };
    for order in [[5, 6], [6, 5]] {
        let mut s = new_state(10);
        let t = tx(vec![
            new(order[0]),
            new(order[1]),
            Op::Map {
                ino: 5,
                pgoff: 0,
                block: 0,
                len: 1,
                unwritten: false,
            },
        ]);
        commit(&mut s, t);
        assert_eq!(s.next_inode(2).map(|(ino, _)| ino), Some(5));
        assert_eq!(
            s.inodes_from(2).map(|(ino, _)| ino).collect::<Vec<_>>(),
            [5, 6]
        );
    }
}

#[test]
fn replay_maps_blocks_that_are_bad_already() {
    let mut s = new_state(10);
    let a = create(&mut s, ROOT_INO, b"a");
    s.mark_bad(2..6).unwrap();
    assert_eq!(s.free_blocks(), 6);
    // Two of the bad ones have an owner then, and all of the others are as they were.
    let t = s.remap(a, 0, 4, 4).unwrap();
    commit(&mut s, t);
    assert_eq!(
        (s.free_blocks(), s.owned_blocks(), s.bad_blocks()),
        (4, 4, 4)
    );
    let t = s.unmap_range(a, 0, 4).unwrap();
    commit(&mut s, t);
    assert_eq!(
        (s.free_blocks(), s.owned_blocks(), s.bad_blocks()),
        (6, 0, 4)
    );
}

#[test]
fn inconsistent_operations_stop_writes() {
    let map = |ino, pgoff, block, len| Op::Map {
        ino,
        pgoff,
        block,
        len,
        unwritten: false,
    };
    let new = |ino, mode| Op::NewInode {
        ino,
        attr: attr(mode, 0),
        parent: 1,
    };
    let target = |ino, bytes: &[u8]| Op::SetTarget {
        ino,
        target: name(bytes),
    };
    let xattr = |ino, n: &[u8], len| Op::SetXattr {
        ino,
        name: name(n),
        value: KVVec::from_elem(1, len, GFP_KERNEL).unwrap(),
    };
    let link = |dir, n: &[u8], ino| Op::Link {
        dir,
        name: name(n),
        ino,
    };
    let cases = vec![
        new(0, FILE),
        new(2, FILE),
        new(9, 0o644),
        new(9, 0o050644),
        new(9, FILE | 1 << 16),
        new(u64::MAX, FILE),
        target(1, b"a"),
        target(2, b"a"),
        target(9, b"a"),
        // It has one already.
        target(3, b"a"),
        xattr(9, b"a", 1),
        xattr(2, b"", 1),
        xattr(2, b"a\0", 1),
        xattr(2, &[b'a'; 256], 1),
        xattr(2, b"a", (1 << 16) + 1),
        Op::RemoveXattr {
            ino: 2,
            name: name(b"nope"),
        },
        Op::SetAttr {
            ino: 2,
            attr: attr(LINK, 0),
        },
        Op::SetAttr {
            ino: 3,
            attr: attr(FILE, 0),
        },
        map(3, 0, 20, 1),
        Op::FreeInode { ino: 1 },
        Op::FreeInode { ino: 2 },
        Op::FreeInode { ino: 9 },
        Op::SetAttr {
            ino: 2,
            attr: attr(DIR, 0),
        },
        Op::SetAttr {
            ino: 9,
            attr: attr(FILE, 0),
        },
        link(1, b"file", 2),
        link(1, b"", 2),
        link(1, b"n", 9),
        link(2, b"n", 2),
        Op::Unlink {
            dir: 1,
            name: name(b"nope"),
        },
        Op::Unlink {
            dir: 2,
            name: name(b"nope"),
        },
        Op::SetParent { ino: 2, parent: 1 },
        Op::SetParent { ino: 1, parent: 2 },
        map(1, 0, 0, 1),
        map(2, 3, 20, 2),
        map(2, 20, 20, 0),
        map(2, 20, 99, 2),
        map(2, 20, u64::MAX, 2),
        map(2, u64::MAX, 20, 2),
        map(2, 20, 1, u64::MAX),
        map(9, 0, 20, 1),
        Op::Unmap {
            ino: 1,
            pgoff: 0,
            len: 1,
        },
        Op::Unmap {
            ino: 2,
            pgoff: 0,
            len: 0,
        },
        Op::Unmap {
            ino: 2,
            pgoff: u64::MAX,
            len: 5,
        },
        Op::MarkBad { block: 99, len: 2 },
        Op::MarkBad {
            block: 2,
            len: u64::MAX,
        },
        Op::MarkBad { block: 2, len: 0 },
        // Good, in part or as a whole; owned; in flight.
        Op::UnmarkBad { block: 50, len: 1 },
        Op::UnmarkBad { block: 60, len: 3 },
        Op::UnmarkBad { block: 60, len: 0 },
        Op::UnmarkBad {
            block: 61,
            len: u64::MAX,
        },
        Op::UnmarkBad { block: 3, len: 1 },
        Op::UnmarkBad { block: 70, len: 1 },
    ];
    for op in cases {
        let mut s = new_state(100);
        assert_eq!(create(&mut s, ROOT_INO, b"file"), 2);
        assert_eq!(symlink(&mut s, ROOT_INO, b"link", b"file"), 3);
        fill(&mut s, 2, 4, 4);
        assert_eq!(s.allocate(1, 70), Ok(70..71));
        for block in [3, 61, 62, 70] {
            s.mark_bad(block..block + 1).unwrap();
        }
        let text = format!("{op:?}");
        assert_eq!(s.commit(tx(vec![op])), Err(euclean()), "{text}");
        assert!(s.is_corrupt());
        assert_eq!(s.check(), Err(euclean()));
        let mut t = Transaction::new();
        assert_eq!(s.reserve(&mut t), Err(EIO));
        assert_eq!(s.apply(t), Err(EIO));
        assert_eq!(s.allocate(1, 0), Err(EIO));
        assert_eq!(s.mark_bad(50..51), Ok(1), "failures are still recorded");
        // Nothing of the operation itself is there.
        assert_eq!(s.owned_blocks(), 4);
        assert_eq!((s.bad_blocks(), s.in_flight_blocks()), (5, 1));
    }
}

#[test]
fn check_finds_wrong_links() {
    let attr_of = |nlink, mode| Attr {
        nlink,
        ..attr(mode, 0)
    };
    let set = |ino, nlink, mode| Op::SetAttr {
        ino,
        attr: attr_of(nlink, mode),
    };
    let cases = vec![
        vec![set(2, 2, FILE)],
        vec![set(3, 2, DIR)],
        vec![set(1, 2, DIR)],
        vec![Op::SetParent { ino: 4, parent: 1 }],
        // A symbolic link that is not as long as its target, and one without.
        vec![set(5, 1, LINK)],
        vec![Op::NewInode {
            ino: 9,
            attr: attr_of(0, LINK),
            parent: 0,
        }],
        // A directory twice.
        vec![Op::Link {
            dir: 1,
            name: name(b"x"),
            ino: 4,
        }],
        // Two directories, cut off, in each other.
        vec![
            Op::Unlink {
                dir: 1,
                name: name(b"d"),
            },
            Op::Link {
                dir: 4,
                name: name(b"x"),
                ino: 3,
            },
            Op::SetParent { ino: 3, parent: 4 },
            set(4, 3, DIR),
            set(1, 2, DIR),
        ],
        // An entry for nothing.
        vec![set(2, 0, FILE), Op::FreeInode { ino: 2 }],
    ];
    for ops in cases {
        let mut s = new_state(10);
        assert_eq!(create(&mut s, ROOT_INO, b"file"), 2);
        assert_eq!(mkdir(&mut s, ROOT_INO, b"d"), 3);
        assert_eq!(mkdir(&mut s, 3, b"e"), 4);
        assert_eq!(symlink(&mut s, ROOT_INO, b"link", b"file"), 5);
        let text = format!("{ops:?}");
        s.commit(tx(ops)).unwrap();
        assert_eq!(s.check(), Err(euclean()), "{text}");
    }
}
