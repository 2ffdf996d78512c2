// SPDX-License-Identifier: GPL-2.0

//! Tests of the hash of names: nobody can make many that have the same one, and those that have are
//! told apart all the same.

use crate::{
    errno::euclean,
    snapshot::{
        entries,
        Snapshot, //
    },
    state::{
        Op,
        RenameMode,
        State,
        Transaction,
        COLLISIONS,
        FIRST_COOKIE,
        ROOT_INO, //
    },
    state_tests::{
        at,
        attr,
        commit,
        create,
        mkdir,
        new_state,
        DIR,
        FILE, //
    },
    NO_KEY,
    SECRET, //
};
use core::array;
use kernel::prelude::*;
use std::{
    collections::{
        BTreeMap,
        HashMap, //
    },
    format,
    vec::Vec, //
};

/// The kernel's is compared with one of its own by tests/selftests/names/names_hash.c, which knows these too.
#[test]
fn is_siphash_2_4() {
    let key = array::from_fn(|i| i as u8);
    let bytes: [u8; 15] = key[..15].try_into().unwrap();
    for (len, hash) in [
        (0, 0x726f_db47_dd0e_0e31),
        (1, 0x74f8_39c5_93dc_67fd),
        (8, 0x93f5_f579_9a93_2462),
        (15, 0xa129_ca61_49be_45e5),
    ] {
        assert_eq!(crate::siphash(&key, &bytes[..len]), hash, "{len} bytes");
    }
}

const FNV_START: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// As directories had it, once.
fn fnv(name: &[u8]) -> u32 {
    name.iter().fold(FNV_START, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(FNV_PRIME)
    })
}

/// Names with the same hash without a key, as anybody can make them: what a first half makes of the
/// start is looked for among what the second half wants.
fn alike(count: usize) -> Vec<[u8; 10]> {
    let mut inverse = 1u32;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(FNV_PRIME.wrapping_mul(inverse)));
    }
    let half = |n: u32| array::from_fn::<u8, 5, _>(|i| b'a' + (n >> (4 * i) & 15) as u8);
    let first: HashMap<_, _> = (0..1 << 20).map(|n| (fnv(&half(n)), half(n))).collect();
    let names = (0..1 << 20).filter_map(|n| {
        let second = half(n).map(|byte| byte - 32);
        let wanted = second.iter().rev().fold(0x1234_5678u32, |hash, byte| {
            hash.wrapping_mul(inverse) ^ u32::from(*byte)
        });
        let name = [first.get(&wanted)?.as_slice(), &second].concat();
        name.try_into().ok()
    });
    names.take(count).collect()
}

/// How many names of the root have the same hash, at most.
fn most_alike(s: &State) -> usize {
    let mut counts = BTreeMap::new();
    for (cookie, ..) in entries(s, ROOT_INO) {
        *counts
            .entry((cookie - FIRST_COOKIE) / COLLISIONS)
            .or_insert(0) += 1;
    }
    counts.into_values().max().unwrap_or(0)
}

#[test]
fn nobody_can_make_names_that_are_alike() {
    let names = alike(200);
    assert_eq!(names.len(), 200);
    assert!(names.iter().all(|name| fnv(name) == fnv(&names[0])));
    let mut s = new_state(10);
    for name in &names {
        create(&mut s, ROOT_INO, name);
    }
    assert_eq!(most_alike(&s), 1);
}

#[test]
fn another_secret_is_another_order() {
    let orders = [SECRET, [7; 16], SECRET].map(|secret| {
        let mut s = State::new(10, attr(DIR, 1), secret).unwrap();
        let dir = mkdir(&mut s, ROOT_INO, b"dir");
        let list = |s: &mut State, dir| {
            for i in 0..100 {
                create(s, dir, format!("{i}").as_bytes());
            }
            let names = entries(s, dir).into_iter();
            names.map(|(.., name, _, _)| name).collect::<Vec<_>>()
        };
        [list(&mut s, ROOT_INO), list(&mut s, dir)]
    });
    assert_eq!(orders[0], orders[2]);
    assert_ne!(orders[0][0], orders[1][0]);
    assert_ne!(orders[0][1], orders[1][1]);
}

fn alike_state() -> State {
    State::new(10, attr(DIR, 1), NO_KEY).unwrap()
}

#[test]
fn names_that_are_alike() {
    let mut s = alike_state();
    let first = create(&mut s, ROOT_INO, b"a");
    let second = create(&mut s, ROOT_INO, b"b");
    let before = entries(&s, ROOT_INO);
    assert_eq!(before[1].0, before[0].0 + 1);
    assert_eq!(s.lookup(ROOT_INO, b"a"), Ok(first));
    let t = s.unlink(ROOT_INO, b"a", at(1)).unwrap();
    commit(&mut s, t);
    assert_eq!(s.lookup(ROOT_INO, b"b"), Ok(second), "over the gap");
    assert_eq!(s.lookup(ROOT_INO, b"a"), Err(ENOENT));
    create(&mut s, ROOT_INO, b"a");
    assert_eq!(entries(&s, ROOT_INO)[1], before[1]);
    assert_eq!(entries(&s, ROOT_INO)[0].0, before[0].0);
}

#[test]
fn as_many_as_can_be_alike() {
    let name = |i: u64| format!("name {i}");
    let mut s = alike_state();
    let inos: Vec<_> = (0..COLLISIONS)
        .map(|i| create(&mut s, ROOT_INO, name(i).as_bytes()))
        .collect();
    s.check().unwrap();
    assert_eq!(most_alike(&s) as u64, COLLISIONS);
    for (i, ino) in inos.iter().enumerate() {
        assert_eq!(s.lookup(ROOT_INO, name(i as u64).as_bytes()), Ok(*ino));
    }

    // One more has no room, whichever way it comes. Nothing has changed then.
    let before = Snapshot::of(&s);
    let more = b"one more";
    let now = at(3);
    assert_eq!(s.lookup(ROOT_INO, more), Err(ENOENT));
    assert_eq!(s.create(ROOT_INO, more, attr(FILE, 1)).err(), Some(ENOSPC));
    assert_eq!(s.mkdir(ROOT_INO, more, attr(DIR, 1)).err(), Some(ENOSPC));
    assert_eq!(s.link(ROOT_INO, more, inos[0], now).err(), Some(ENOSPC));
    let rename = |s: &State, to: &[u8]| {
        let from = name(7);
        s.rename(
            ROOT_INO,
            from.as_bytes(),
            ROOT_INO,
            to,
            RenameMode::Replace,
            now,
        )
    };
    assert_eq!(rename(&s, more).err(), Some(ENOSPC));
    assert_eq!(Snapshot::of(&s), before);

    // Over another one there is.
    let t = rename(&s, name(9).as_bytes()).unwrap();
    commit(&mut s, t);
    assert_eq!(s.lookup(ROOT_INO, name(9).as_bytes()), Ok(inos[7]));
    // Which leaves one place.
    let ino = create(&mut s, ROOT_INO, more);
    assert_eq!(s.lookup(ROOT_INO, more), Ok(ino));
    s.check().unwrap();

    // A log that has one more is damaged.
    let mut t = Transaction::new();
    t.push(Op::Link {
        dir: ROOT_INO,
        name: crate::state_tests::name(b"too many"),
        ino,
    })
    .unwrap();
    assert_eq!(s.commit(t), Err(euclean()));
}
