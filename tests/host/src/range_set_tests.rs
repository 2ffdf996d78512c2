// SPDX-License-Identifier: GPL-2.0

//! Tests of `RangeSet`.

use crate::errno::euclean;
use crate::{
    property,
    state::{
        RangeSet, //
    }, //
};
use kernel::{
    alloc::budget,
    prelude::ENOMEM, //
};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    ops::Range,
    vec,
    vec::Vec, //
};

fn ranges(set: &RangeSet) -> Vec<Range<u64>> {
    set.iter().collect()
}

fn with_room() -> RangeSet {
    let mut set = RangeSet::new();
    set.reserve(16).unwrap();
    set
}

#[test]
fn merges_what_touches() {
    let mut set = with_room();
    assert_eq!(set.insert(10..20), Ok(10));
    assert_eq!(set.insert(30..40), Ok(10));
    assert_eq!(set.insert(20..22), Ok(2));
    assert_eq!(set.insert(28..30), Ok(2));
    assert_eq!(ranges(&set), vec![10..22, 28..40]);
    assert_eq!(set.insert(5..50), Ok(45 - 24));
    assert_eq!(ranges(&set), vec![5..50]);
    assert_eq!(set.insert(6..7), Ok(0));
    assert_eq!(set.insert(9..9), Ok(0));
    assert_eq!(set.total(), 45);
}

#[test]
fn apart_stays_apart() {
    let mut set = with_room();
    set.insert_apart(10..20).unwrap();
    set.insert_apart(20..30).unwrap();
    set.insert_apart(5..10).unwrap();
    assert_eq!(set.insert_apart(19..20), Err(euclean()));
    assert_eq!(ranges(&set), vec![5..10, 10..20, 20..30]);
    assert_eq!(set.remove(10..20), Ok(10));
    assert_eq!(ranges(&set), vec![5..10, 20..30]);
    assert_eq!(set.overlap(0..25), 10);
}

#[test]
fn full_set_changes_only_in_place() {
    let mut set = RangeSet::new();
    assert_eq!(set.insert(1..2), Err(ENOMEM));
    set.reserve(1).unwrap();
    assert_eq!(set.spare(), 1);
    set.insert(10..20).unwrap();
    assert_eq!(set.spare(), 0);
    assert_eq!(set.insert(30..40), Err(ENOMEM));
    assert_eq!(set.insert_apart(30..40), Err(ENOMEM));
    assert_eq!(set.remove(12..14), Err(ENOMEM));
    assert_eq!(ranges(&set), vec![10..20]);
    assert_eq!(set.total(), 10);
    // None of these needs a slot.
    assert_eq!(set.insert(20..25), Ok(5));
    assert_eq!(set.remove(10..12), Ok(2));
    assert_eq!(set.remove(24..30), Ok(1));
    assert_eq!(ranges(&set), vec![12..24]);
    set.check(24).unwrap();
    assert_eq!(set.check(23), Err(euclean()));

    budget::set(Some(0));
    assert_eq!(set.reserve(1), Err(ENOMEM));
    budget::set(None);
}

#[test]
fn model() {
    let step = (0..3u8, 0..40u64, 0..12u64);
    property::check(
        "range set",
        300,
        prop::collection::vec(step, 1..60),
        |steps| {
            let mut set = RangeSet::new();
            let mut model = BTreeSet::new();
            for (kind, start, len) in steps {
                let range = start..start + len;
                let known = range.clone().filter(|b| model.contains(b)).count() as u64;
                set.reserve(1).unwrap();
                match kind {
                    0 => {
                        assert_eq!(set.insert(range.clone()), Ok(len - known));
                        model.extend(range);
                    }
                    1 => {
                        assert_eq!(set.remove(range.clone()), Ok(known));
                        model.retain(|b| !range.contains(b));
                    }
                    _ if known == 0 => {
                        set.insert_apart(range.clone()).unwrap();
                        model.extend(range);
                    }
                    _ => assert_eq!(set.insert_apart(range), Err(euclean())),
                }

                set.check(60).unwrap();
                assert_eq!(set.total(), model.len() as u64);
                let all: Vec<u64> = set.iter().flatten().collect();
                assert!(all.iter().eq(model.iter()));
                for from in 0..60 {
                    assert_eq!(set.contains(from), model.contains(&from));
                    let end = from + 7;
                    let next = model.range(from..end).next();
                    assert_eq!(set.next(from, end).map(|r| r.start), next.copied());
                    assert_eq!(
                        set.overlap(from..end),
                        model.range(from..end).count() as u64
                    );
                }
            }
        },
    );
}
