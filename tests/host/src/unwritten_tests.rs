// SPDX-License-Identifier: GPL-2.0

//! Tests of blocks that hold nothing of their file yet.

use crate::{
    errno::euclean,
    media::{
        Features,
        Reader,
        Sink, //
    },
    rmap::{
        Cursor,
        FileExtent,
        OwnerRecord,
        OwnerTree,
        MAX_BLOCKS,
        MAX_INO,
        MAX_PAGES, //
    },
    state::{
        Mapping,
        Op,
        OpSink,
        State,
        ROOT_INO, //
    },
    state_tests::{
        commit,
        create,
        fill,
        new_state,
        tx, //
    },
};
use kernel::{
    alloc::budget,
    prelude::*, //
};
use std::{
    vec,
    vec::Vec, //
};

/// Gives pages of a file blocks that are not written; returns the first.
fn prepare(state: &mut State, ino: u64, pgoff: u64, len: u64) -> u64 {
    let blocks = state.allocate(len, 0).unwrap();
    assert_eq!(blocks.end - blocks.start, len);
    let tx = state
        .remap_unwritten(ino, pgoff, blocks.start, len)
        .unwrap();
    commit(state, tx);
    blocks.start
}

/// Converts pages, without an allocation when it is applied.
fn convert(state: &mut State, ino: u64, pgoff: u64, len: u64, written: bool) {
    let mut tx = state.convert(ino, pgoff, len, written).unwrap();
    state.reserve(&mut tx).unwrap();
    budget::set(Some(0));
    state.apply(tx).unwrap();
    budget::set(None);
    state.check().unwrap();
}

/// Extents: page, pages, whether written.
fn extents(state: &State, ino: u64) -> Vec<(u64, u64, bool)> {
    let map = state.get(ino).unwrap().as_file().unwrap();
    map.iter().map(|e| (e.pgoff, e.len, !e.unwritten)).collect()
}

#[test]
fn conversions_split_and_merge() {
    let mut s = new_state(100);
    let f = create(&mut s, ROOT_INO, b"f");
    prepare(&mut s, f, 0, 20);
    convert(&mut s, f, 5, 10, true);
    assert_eq!(
        extents(&s, f),
        [(0, 5, false), (5, 10, true), (15, 5, false)]
    );
    // At an edge it grows what is there; over several, they become one.
    convert(&mut s, f, 3, 2, true);
    convert(&mut s, f, 15, 1, true);
    assert_eq!(
        extents(&s, f),
        [(0, 3, false), (3, 13, true), (16, 4, false)]
    );
    convert(&mut s, f, 4, 2, false);
    convert(&mut s, f, 8, 2, false);
    assert_eq!(extents(&s, f).len(), 7);
    convert(&mut s, f, 1, 18, true);
    assert_eq!(
        extents(&s, f),
        [(0, 1, false), (1, 18, true), (19, 1, false)]
    );
    // The last is changed where it is, and is one with what comes before it.
    convert(&mut s, f, 19, 1, true);
    convert(&mut s, f, 0, 20, true);
    assert_eq!(extents(&s, f), [(0, 20, true)]);
    convert(&mut s, f, 0, 20, false);
    assert_eq!(extents(&s, f), [(0, 20, false)]);
    assert_eq!((s.owned_blocks(), s.free_blocks()), (20, 80));
    // What is of the other kind does not merge, though it goes on.
    let tx = s.remap(f, 20, 20, 5).unwrap();
    commit(&mut s, tx);
    assert_eq!(extents(&s, f), [(0, 20, false), (20, 5, true)]);
}

#[test]
fn what_cannot_be_converted() {
    let mut s = new_state(100);
    let f = create(&mut s, ROOT_INO, b"f");
    let g = create(&mut s, ROOT_INO, b"g");
    prepare(&mut s, f, 2, 4);
    let shared = fill(&mut s, f, 6, 4);
    let t = s.clone_range(f, 7, g, 0, 1).unwrap();
    commit(&mut s, t);
    let fails = |s: &State, ino, pgoff, len, written| {
        s.convert(ino, pgoff, len, written).map(|_| ()).unwrap_err()
    };
    for written in [false, true] {
        for (pgoff, len) in [(0, 1), (1, 2), (9, 2), (20, 1), (3, 0)] {
            assert_eq!(fails(&s, f, pgoff, len, written), EINVAL);
        }
        assert_eq!(fails(&s, f, u64::MAX, 2, written), EFBIG);
        assert_eq!(fails(&s, f, MAX_PAGES - 1, 2, written), EFBIG);
        assert_eq!(fails(&s, 99, 0, 1, written), ENOENT);
        assert_eq!(fails(&s, ROOT_INO, 0, 1, written), EISDIR);
    }
    // One page of it is shared: it can be said to be written, which it is.
    assert_eq!(fails(&s, f, 6, 4, false), EINVAL);
    convert(&mut s, f, 6, 4, true);
    convert(&mut s, f, 8, 2, false);
    s.mark_bad(shared + 2..shared + 3).unwrap();
    for written in [false, true] {
        assert_eq!(fails(&s, f, 8, 1, written), EINVAL);
    }
    convert(&mut s, f, 9, 1, true);
}

#[test]
fn a_clone_has_a_hole_there() {
    let mut s = new_state(100);
    let [a, b] = [b"a", b"b"].map(|name| create(&mut s, ROOT_INO, name));
    fill(&mut s, a, 0, 2);
    let block = prepare(&mut s, a, 2, 4);
    fill(&mut s, a, 6, 2);
    fill(&mut s, b, 0, 8);
    // Nothing is lost with it, so it can be cloned.
    s.mark_bad(block..block + 1).unwrap();
    assert_eq!(
        (s.bad_pages(a, 0..9), s.check_clone(a, 0, 8)),
        (Ok(0), Ok(()))
    );
    let t = s.clone_range(a, 0, b, 0, 8).unwrap();
    commit(&mut s, t);
    s.check().unwrap();
    assert_eq!(extents(&s, b), [(0, 2, true), (6, 2, true)]);
    assert_eq!(s.map(b, 2, 9), Ok(Mapping::Hole { len: 4 }));
    let unwritten = |block, len, bad| Ok(Mapping::Unwritten { block, len, bad });
    assert_eq!(s.map(a, 2, 9), unwritten(block, 1, true));
    assert_eq!(s.map(a, 3, 9), unwritten(block + 1, 3, false));
    assert_eq!(s.map(a, 4, 1), unwritten(block + 2, 1, false));
    // It moves as it is.
    let t = s.collapse(a, 0..1, 7).unwrap();
    commit(&mut s, t);
    assert_eq!(extents(&s, a), [(0, 1, true), (1, 4, false), (5, 2, true)]);
    let t = s.insert(a, 3..5, 9).unwrap();
    commit(&mut s, t);
    s.check().unwrap();
    assert_eq!(
        extents(&s, a),
        [(0, 1, true), (1, 2, false), (5, 2, false), (7, 2, true)]
    );
}

/// Lists of what is lost leave it out, also where nothing else is in a batch; lists of owners do not.
#[test]
fn nothing_is_lost() {
    let mut s = new_state(100);
    let f = create(&mut s, ROOT_INO, b"f");
    for page in 0..30 {
        prepare(&mut s, f, page * 2, 1);
    }
    let block = fill(&mut s, f, 70, 2);
    let last = prepare(&mut s, f, 80, 1);
    s.mark_bad(0..100).unwrap();
    for room in [1, 2, 7, 64] {
        let (mut cursor, mut found) = (Cursor::new(), vec![]);
        for _ in 0..100 {
            let mut out = vec![OwnerRecord::default(); room];
            let (n, end) = s.next_lost(&mut cursor, &mut out);
            found.extend_from_slice(&out[..n]);
            if end {
                break;
            }
        }
        let lost = FileExtent {
            pgoff: 70,
            block,
            len: 2,
            unwritten: false,
        };
        assert_eq!(found, [lost.owner(f)]);
    }
    let mut out = vec![OwnerRecord::default(); 64];
    let n = s.owners().owners(0..100, &mut Cursor::new(), &mut out);
    assert_eq!(n, 32);
    for rec in &out[..n] {
        assert_eq!(rec.unwritten, rec.block < block || rec.block == last);
    }
}

/// As a damaged log may have it: nobody comes to share what is unwritten, by either way.
#[test]
fn an_unwritten_block_has_one_owner() {
    let op = |unwritten, ino, pgoff, block, len| Op::Map {
        ino,
        pgoff,
        block,
        len,
        unwritten,
    };
    let convert = |pgoff, len, written| Op::Convert {
        ino: 2,
        pgoff,
        len,
        written,
    };
    // Blocks 0 to 3 are written, 4 to 7 are not, 8 to 11 are and have two owners.
    let cases = vec![
        op(true, 3, 0, 0, 1),
        op(true, 3, 0, 4, 1),
        op(true, 3, 0, 9, 1),
        op(true, 3, 0, 11, 9),
        op(true, 2, 50, 7, 2),
        op(false, 3, 0, 4, 1),
        op(false, 3, 0, 3, 2),
        op(false, 3, 0, 0, 12),
        op(false, 3, 0, 7, 30),
        op(false, 2, 50, 7, 1),
        op(true, 2, 0, 50, 1),
        op(true, 2, 50, 99, 2),
        op(true, 2, 50, 99, 0),
        op(true, 2, 50, u64::MAX, 2),
        op(true, 2, 50, 2, u64::MAX),
        op(true, 2, MAX_PAGES, 50, 1),
        op(true, 1, 50, 50, 1),
        op(true, 99, 50, 50, 1),
        convert(0, 0, true),
        convert(0, 13, true),
        convert(12, 1, false),
        convert(u64::MAX, 2, true),
        convert(2, u64::MAX, true),
        convert(0, 12, false),
        convert(8, 1, false),
        Op::Convert {
            ino: 1,
            pgoff: 0,
            len: 1,
            written: true,
        },
        Op::Convert {
            ino: 99,
            pgoff: 0,
            len: 1,
            written: true,
        },
    ];
    for bad in cases {
        let mut s = new_state(100);
        assert_eq!(create(&mut s, ROOT_INO, b"a"), 2);
        assert_eq!(create(&mut s, ROOT_INO, b"b"), 3);
        fill(&mut s, 2, 0, 4);
        assert_eq!(prepare(&mut s, 2, 4, 4), 4);
        fill(&mut s, 2, 8, 4);
        let t = s.clone_range(2, 8, 3, 20, 4).unwrap();
        commit(&mut s, t);
        let text = std::format!("{bad:?}");
        assert_eq!(s.commit(tx(vec![bad])), Err(euclean()), "{text}");
        assert!(s.is_corrupt());
        assert_eq!(s.owned_blocks(), 12);
    }
}

/// The tree itself does not mind, but its check does.
#[test]
fn check_finds_two_owners() {
    let rec = |ino, block, len, unwritten| OwnerRecord {
        block,
        ino,
        pgoff: 7,
        len,
        unwritten,
    };
    for (other, good) in [
        (rec(2, 14, 1, false), true),
        (rec(2, 13, 1, false), false),
        (rec(2, 9, 9, true), false),
    ] {
        let mut tree = OwnerTree::new();
        tree.reserve(2).unwrap();
        tree.insert(rec(1, 10, 4, true)).unwrap();
        tree.insert(other).unwrap();
        assert_eq!(tree.check().is_ok(), good);
        assert!(!tree.any_unwritten(20..30));
        assert!(!good || tree.any_unwritten(0..11));
    }
}

/// The flag is in the key of no record, and takes nothing from the largest numbers.
#[test]
fn the_largest_numbers() {
    for unwritten in [false, true] {
        let rec = OwnerRecord {
            block: MAX_BLOCKS - 1,
            ino: MAX_INO - 1,
            pgoff: MAX_PAGES - 1,
            len: 1,
            unwritten,
        };
        let mut tree = OwnerTree::new();
        tree.reserve(2).unwrap();
        tree.insert(rec).unwrap();
        let other = OwnerRecord {
            unwritten: !unwritten,
            ..rec
        };
        assert_eq!(tree.insert(other), Err(euclean()));
        assert_eq!(tree.remove(other), Err(euclean()));
        assert!(tree.contains(&rec) && !tree.contains(&other));
        assert_eq!(tree.iter().collect::<Vec<_>>(), [rec]);
    }
}

/// Counts what is put.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn put(&mut self, bytes: &[u8]) -> Result {
        self.0 += bytes.len();
        Ok(())
    }
}

impl OpSink for Count {
    fn op(&mut self, encode: &dyn Fn(&mut dyn Sink) -> Result) -> Result {
        encode(self)
    }
}

/// However a file is converted, a checkpoint does not get longer by more than the log did.
#[test]
fn a_checkpoint_is_no_longer_than_what_led_to_it() {
    let mut s = new_state(200);
    let f = create(&mut s, ROOT_INO, b"f");
    let checkpoint = |s: &State| {
        let mut count = Count::default();
        s.checkpoint(&mut count).unwrap();
        count.0
    };
    prepare(&mut s, f, 0, 99);
    let first = checkpoint(&s);
    let (mut log, mut most) = (0, 0);
    for page in (1..98).step_by(2).chain([50, 7]) {
        let tx = s.convert(f, page, 1, true).unwrap();
        for op in tx.ops() {
            let mut count = Count::default();
            op.encode(&mut count).unwrap();
            log += count.0;
        }
        commit(&mut s, tx);
        most = most.max(checkpoint(&s));
        assert!(checkpoint(&s) <= first + log);
    }
    // As tight as it can be, or the padding is more than is needed.
    assert_eq!(most, first + log - 2 * 66);
}

#[test]
fn as_bytes_and_back() {
    let ops = [
        Op::Map {
            ino: 1,
            pgoff: 2,
            block: 3,
            len: 4,
            unwritten: true,
        },
        Op::Convert {
            ino: 1,
            pgoff: 2,
            len: 3,
            written: true,
        },
        Op::Convert {
            ino: u64::MAX,
            pgoff: 2,
            len: 3,
            written: false,
        },
    ];
    struct Bytes(Vec<u8>);
    impl Sink for Bytes {
        fn put(&mut self, bytes: &[u8]) -> Result {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }
    for op in ops {
        assert_eq!(op.incompat(), Features::UNWRITTEN);
        let mut bytes = Bytes(vec![]);
        op.encode(&mut bytes).unwrap();
        let decode =
            |bytes: &[u8]| Op::decode(&mut Reader::new(bytes)).map(|op| std::format!("{op:?}"));
        assert_eq!(decode(&bytes.0), Ok(std::format!("{op:?}")));
        for len in 0..bytes.0.len() {
            assert_eq!(decode(&bytes.0[..len]), Err(euclean()));
        }
        // The zeroes at the end are zeroes, and it is yes or no.
        if matches!(op, Op::Convert { .. }) {
            for at in 25..66 {
                let mut wrong = bytes.0.clone();
                wrong[at] |= 2;
                assert_eq!(decode(&wrong), Err(euclean()), "{at}");
            }
        }
    }
}
