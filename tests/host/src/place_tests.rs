// SPDX-License-Identifier: GPL-2.0

//! Tests of the list of what is where.

use crate::{
    owners::rec,
    state::{
        Place,
        PlaceCursor,
        State,
        ROOT_INO, //
    },
    state_tests::{
        commit,
        create,
        fill,
        new_state, //
    },
};
use std::{
    vec,
    vec::Vec, //
};

fn places(state: &State, mut cursor: PlaceCursor, owners: bool) -> Vec<Place> {
    std::iter::from_fn(|| state.next_place(&mut cursor, owners)).collect()
}

#[test]
fn places_are_in_order_and_cover_the_device() {
    let mut s = new_state(100);
    let f = create(&mut s, ROOT_INO, b"f");
    let g = create(&mut s, ROOT_INO, b"g");
    assert_eq!(fill(&mut s, f, 0, 10), 0);
    let tx = s.clone_range(f, 4, g, 20, 2).unwrap();
    commit(&mut s, tx);
    s.mark_bad(8..13).unwrap();
    let in_flight = s.allocate(7, 13).unwrap();
    assert_eq!(in_flight, 13..20);
    s.mark_bad(18..21).unwrap();

    let first = Place::Owned {
        rec: rec(0, 10, f, 0),
        shared: true,
    };
    let second = Place::Owned {
        rec: rec(4, 2, g, 20),
        shared: true,
    };
    let rest = vec![
        Place::Bad(10..13),
        Place::InFlight(13..18),
        Place::Bad(18..21),
        Place::Free(21..100),
    ];
    let all = [vec![first.clone(), second.clone()], rest.clone()].concat();
    assert_eq!(places(&s, PlaceCursor::new(0), true), all);
    // What reaches into it comes whole; once, if the walk goes on.
    assert_eq!(places(&s, PlaceCursor::new(5), true), all);
    let tail = [vec![second], rest.clone()].concat();
    assert_eq!(places(&s, PlaceCursor::after(rec(0, 1, f, 0)), true), tail);
    assert_eq!(places(&s, PlaceCursor::after(rec(4, 1, g, 20)), true), rest);
    let used = [vec![Place::Used(0..10)], rest].concat();
    assert_eq!(places(&s, PlaceCursor::new(0), false), used);
    assert_eq!(
        places(&s, PlaceCursor::new(30), true),
        vec![Place::Free(30..100)]
    );
    assert_eq!(places(&s, PlaceCursor::new(200), true), vec![]);
}
