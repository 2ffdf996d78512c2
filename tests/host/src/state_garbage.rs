// SPDX-License-Identifier: GPL-2.0

//! Operations as a damaged log may have them.

use crate::errno::euclean;
use crate::{
    property,
    snapshot::Snapshot,
    state::{
        Attr,
        Op,
        RenameMode,
        SetMode,
        Transaction,
        Xattr, //
    },
    state_model::{
        name_of,
        BLOCKS, //
    },
    state_tests::{
        at,
        attr,
        name,
        new_state,
        DIR,
        FIFO,
        FILE,
        LINK, //
    }, //
};
use kernel::prelude::*;
use proptest::prelude::*;

/// Numbers that are likely to hit, and some that are not.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0..6u64,
        4 => 0..70u64,
        1 => (0..3u64).prop_map(|n| (1 << 51) - n),
        1 => (0..3u64).prop_map(|n| u64::MAX - n),
        1 => any::<u64>(),
    ]
}

/// An operation as a damaged log may have it.
fn garbage() -> impl Strategy<Value = (u8, [u64; 4], u8, bool)> {
    (
        0..19u8,
        [number(), number(), number(), number()],
        0..4u8,
        any::<bool>(),
    )
}

#[test]
fn garbage_is_an_error_and_no_panic() {
    let cases = prop::collection::vec(garbage(), 1..30);
    property::check("garbage", 3000, cases, |ops| {
        let mut state = new_state(BLOCKS);
        for (kind, [a, b, c, d], n, flag) in ops {
            let mode = match (flag, n) {
                (true, _) => DIR,
                (false, 0) => LINK,
                (false, 1) => FIFO,
                _ => FILE,
            };
            let op = match kind {
                0 | 1 => Op::NewInode {
                    ino: a,
                    attr: attr(mode, 0),
                    parent: b,
                },
                2 => Op::FreeInode { ino: a },
                3 => Op::SetAttr {
                    ino: a,
                    attr: Attr {
                        nlink: b as u32,
                        ..attr(mode, 0)
                    },
                },
                4 | 5 => Op::Link {
                    dir: a,
                    name: name(&name_of(n)),
                    ino: b,
                },
                6 => Op::Unlink {
                    dir: a,
                    name: name(&name_of(n)),
                },
                7 => Op::SetParent { ino: a, parent: b },
                which @ (8 | 9 | 16) => Op::Map {
                    ino: a,
                    pgoff: b,
                    block: c,
                    len: d,
                    unwritten: which == 16,
                },
                10 => Op::Unmap {
                    ino: a,
                    pgoff: b,
                    len: c,
                },
                11 => Op::MarkBad { block: a, len: b },
                12 => Op::Shift {
                    ino: a,
                    from: b,
                    to: c,
                },
                13 => Op::SetTarget {
                    ino: a,
                    target: name(&name_of(n)),
                },
                14 => Op::SetXattr {
                    ino: a,
                    name: name(&name_of(n)),
                    value: KVVec::from_elem(n, (b % 9) as usize, GFP_KERNEL).unwrap(),
                },
                15 => Op::RemoveXattr {
                    ino: a,
                    name: name(&name_of(n)),
                },
                17 => Op::Convert {
                    ino: a,
                    pgoff: b,
                    len: c,
                    written: flag,
                },
                _ => Op::UnmarkBad { block: a, len: b },
            };
            let before = Snapshot::of(&state);
            let mut tx = Transaction::new();
            tx.push(op).unwrap();
            match state.commit(tx) {
                Ok(()) => assert!(!state.is_corrupt()),
                Err(error) => {
                    // It was refused as a whole, and it was the last one. Go on as if it were not.
                    assert_eq!(error, euclean());
                    let after = Snapshot::of(&state);
                    assert!(after.corrupt);
                    assert_eq!(
                        Snapshot {
                            corrupt: false,
                            ..after
                        },
                        before
                    );
                    let _ = state.check();
                    return;
                }
            }
            state.owners().check().unwrap();
            let _ = state.check();
            // The builders must survive a directory structure that makes no sense, too.
            let (name, other) = (name_of(n), name_of(n ^ 1));
            let _ = state.rename(a, &name, b, &other, RenameMode::Replace, at(1));
            let _ = state.rename(a, &name, b, &other, RenameMode::Exchange, at(1));
            let _ = state.unlink(a, &name, at(1));
            let _ = state.rmdir(a, &name, at(1));
            let _ = state.clone_range(a, b, c, d, 3);
            let _ = state.collapse(a, b..c, d);
            let _ = state.insert(a, b..c, d);
            let _ = state.map(a, b, d);
            let _ = state.remap_unwritten(a, b, c, d);
            let _ = state.convert(a, b, c, flag);
            let _ = state.evict(a);
            let _ = Xattr::copy(&name, &other)
                .and_then(|xattr| state.set_xattr(a, xattr, SetMode::Any, at(1)));
            let _ = state.remove_xattr(a, &name, at(1));
        }
    });
}
