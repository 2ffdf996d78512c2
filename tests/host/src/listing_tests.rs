// SPDX-License-Identifier: GPL-2.0

//! Tests of where a listing of a directory stands, for programs of 32 bits.

use crate::state::Listing;
use std::{
    vec,
    vec::Vec, //
};

/// A slot of cookies.
const SLOT: u64 = 1 << 18;
/// The greatest cookie that there may be.
const LAST: u64 = (1 << 48) + 1;

/// All that a listing gives from a position on: positions and cookies.
fn list(cookies: &[u64], mut listing: Listing, most: usize) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    while all.len() < most {
        let next = cookies.iter().find(|cookie| **cookie >= listing.from());
        let Some(&cookie) = next else { break };
        all.extend(listing.place(cookie).map(|pos| (pos, cookie)));
    }
    all
}

/// Each entry has a position of its own, which fits, and one comes back to it there; so one does if
/// each part of the listing has one entry only, whether the next is remembered or not.
fn check(cookies: &[u64]) {
    let all = list(cookies, Listing::narrow(2, None), usize::MAX);
    assert!(all.iter().map(|(_, cookie)| cookie).eq(cookies));
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(all
        .iter()
        .all(|(pos, _)| (2..=i32::MAX as u64).contains(pos)));
    let mut pos = 2;
    for (i, &(at, cookie)) in all.iter().enumerate() {
        for listing in [
            Listing::narrow(at, None),
            Listing::narrow(pos, None),
            Listing::narrow(pos, Some(cookie)),
        ] {
            // Read on from where it stands after the entry before: that may be its place or an
            // earlier one.
            let rest = list(cookies, listing, 3);
            let same = rest.iter().map(|(_, cookie)| cookie);
            assert!(same.eq(cookies[i..].iter().take(3)), "from {pos} and {at}");
        }
        let rest = list(cookies, Listing::narrow(at, None), usize::MAX);
        assert_eq!(rest, all[i..]);
        pos = at + 1;
    }
    // Behind all of them there is nothing.
    assert_eq!(list(cookies, Listing::narrow(pos, None), 1), []);
}

#[test]
fn slots_of_one() {
    check(&[]);
    check(&[2]);
    check(&[2, 2 + SLOT, 2 + 7 * SLOT + 5, LAST]);
}

#[test]
fn slots_of_many() {
    check(&[2, 3, 4, 2 + SLOT, 3 + SLOT, 2 + 9 * SLOT]);
    // What a slot has no room for is where others would be.
    let crowd = (0..40).map(|i| 2 + 100 * SLOT + i);
    let others = (0..60).map(|i| 2 + (101 + i) * SLOT);
    check(&crowd.chain(others).collect::<Vec<_>>());
    check(&(0..100).map(|i| LAST - 99 + i).collect::<Vec<_>>());
}

#[test]
fn as_many_as_one_hash_has() {
    let cookies = (0..1 << 16).map(|i| 2 + 5 * SLOT + i).collect::<Vec<_>>();
    let all = list(&cookies, Listing::narrow(2, None), usize::MAX);
    assert_eq!(all.len(), cookies.len());
    for i in [1, 1000, 65534, 65535] {
        let (pos, cookie) = all[i];
        assert_eq!(
            list(&cookies, Listing::narrow(pos, None), 1),
            vec![(pos, cookie)]
        );
    }
}

/// Entries come and go between two parts: no other is lost or there twice.
#[test]
fn others_come_and_go() {
    let before = [2 + SLOT, 3 + SLOT, 4 + SLOT, 5 + SLOT];
    let first = list(&before, Listing::narrow(2, None), 2);
    let pos = first[1].0 + 1;
    for after in [
        vec![3 + SLOT, 4 + SLOT, 5 + SLOT],
        vec![4 + SLOT, 5 + SLOT],
        vec![2, 2 + SLOT, 3 + SLOT, 4 + SLOT, 5 + SLOT],
    ] {
        let rest = list(&after, Listing::narrow(pos, Some(4 + SLOT)), usize::MAX);
        let rest = rest.iter().map(|(_, cookie)| *cookie).collect::<Vec<_>>();
        assert_eq!(rest, [4 + SLOT, 5 + SLOT]);
    }
    // The one that was to come is gone.
    let rest = list(
        &[2 + SLOT, 5 + SLOT],
        Listing::narrow(pos, Some(4 + SLOT)),
        9,
    );
    assert_eq!(rest, [(pos, 5 + SLOT)]);
}

#[test]
fn wide_positions_are_cookies() {
    let cookies = [2, 3, 2 + SLOT, LAST];
    let all = list(&cookies, Listing::wide(3), usize::MAX);
    assert_eq!(all, [(3, 3), (2 + SLOT, 2 + SLOT), (LAST, LAST)]);
}
