// SPDX-License-Identifier: GPL-2.0

//! Tests of the queue that a reader of events has: order, what is lost and where that stands, going round, and
//! readers that are not equally fast.

use crate::{
    property,
    ring::{
        Item,
        Ring, //
    }, //
};
use proptest::prelude::*;
use std::{
    collections::VecDeque,
    vec,
    vec::Vec, //
};

type Slots = Vec<Option<Item<u64>>>;

/// A queue with the next record that is to come: each is ten times its number.
struct Queue {
    ring: Ring<u64, Slots>,
    next: u64,
}

/// What an item says, so that it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Record(u64),
    Lost(u64, u64),
}

fn said(item: &Option<Item<u64>>) -> Said {
    match item {
        Some(Item::Record(number, record)) => {
            assert_eq!(*record, number * 10, "it is another one's number");
            Said::Record(*number)
        }
        Some(Item::Lost(first, count)) => Said::Lost(*first, *count),
        None => panic!("there is nothing in a slot"),
    }
}

impl Queue {
    fn new(slots: usize) -> Self {
        let ring = Ring::new(vec![None; slots]);
        Self { ring, next: 0 }
    }

    /// Adds `n` records; how many were not lost.
    fn push(&mut self, n: u64) -> u64 {
        let mut added = 0;
        for number in self.next..self.next + n {
            added += u64::from(self.ring.push(&(number * 10)));
        }
        self.next += n;
        added
    }

    /// The first items, `n` at most. They stay.
    fn look(&mut self, n: usize) -> Vec<Said> {
        let mut items = vec![None; n];
        let found = self.ring.peek(&mut items);
        assert!(items[found..].iter().all(Option::is_none));
        items[..found].iter().map(said).collect()
    }

    /// The same, and they go.
    fn read(&mut self, n: usize) -> Vec<Said> {
        let items = self.look(n);
        self.ring.remove(items.len());
        items
    }
}

/// That the numbers have no hole from `next` on; where they end, and how many were lost.
fn account(items: &[Said], mut next: u64) -> (u64, u64) {
    let mut missing = 0;
    for item in items {
        match item {
            Said::Record(number) => {
                assert_eq!(*number, next, "{items:?}");
                next += 1;
            }
            Said::Lost(first, count) => {
                assert_eq!(*first, next, "{items:?}");
                assert_ne!(*count, 0, "{items:?}");
                next += count;
                missing += count;
            }
        }
    }
    (next, missing)
}

#[test]
fn in_order() {
    let mut queue = Queue::new(8);
    assert!(queue.ring.is_empty());
    assert_eq!(queue.look(4), []);
    assert_eq!(queue.push(3), 3);
    assert!(!queue.ring.is_empty());
    let three = [Said::Record(0), Said::Record(1), Said::Record(2)];
    // Who looks takes nothing.
    assert_eq!(queue.look(2), three[..2]);
    assert_eq!(queue.look(0), []);
    assert_eq!(queue.look(8), three);
    assert_eq!(queue.read(2), three[..2]);
    assert_eq!(queue.read(8), three[2..]);
    assert!(queue.ring.is_empty());
    // More than there are go no further.
    queue.ring.remove(5);
    assert_eq!(queue.push(1), 1);
    assert_eq!(queue.read(8), [Said::Record(3)]);
}

#[test]
fn all_round() {
    for slots in [1, 2, 3, 7, 8] {
        for step in 1..=slots {
            let mut queue = Queue::new(slots);
            let mut next = 0;
            for _ in 0..5 * slots {
                assert_eq!(queue.push(step as u64), step as u64);
                let items = queue.read(step);
                assert_eq!(items.len(), step);
                let missing;
                (next, missing) = account(&items, next);
                assert_eq!(missing, 0);
            }
            assert_eq!(next, (5 * slots * step) as u64);
            assert!(queue.ring.is_empty());
        }
    }
}

#[test]
fn lost_where_there_is_no_room() {
    let mut queue = Queue::new(4);
    assert_eq!(queue.push(10), 4);
    let full: Vec<_> = (0..4).map(Said::Record).collect();
    assert_eq!(queue.look(8), full);
    // One slot is room for what is lost, but not for a record behind it: that is lost with the others.
    assert_eq!(queue.read(1), full[..1]);
    assert_eq!(queue.push(1), 0);
    assert_eq!(queue.read(1), full[1..2]);
    assert_eq!(queue.push(1), 1);
    assert_eq!(
        queue.read(8),
        [
            Said::Record(2),
            Said::Record(3),
            Said::Lost(4, 7),
            Said::Record(11)
        ]
    );
    assert!(queue.ring.is_empty());
    // It has been told of, and counts anew.
    assert_eq!(queue.push(6), 4);
    assert_eq!(account(&queue.read(8), 12), (16, 0));
    assert!(!queue.ring.is_empty());
    assert_eq!(queue.read(8), [Said::Lost(16, 2)]);
    assert!(queue.ring.is_empty());
}

/// That something is lost is told while nothing comes, and what comes then has its place behind it.
#[test]
fn lost_at_the_end() {
    let mut queue = Queue::new(2);
    assert_eq!(queue.push(5), 2);
    assert_eq!(queue.read(2).len(), 2);
    assert!(!queue.ring.is_empty());
    assert_eq!(queue.look(2), [Said::Lost(2, 3)]);
    // It stands in the queue since somebody has looked.
    assert_eq!(queue.push(3), 1);
    assert_eq!(queue.look(2), [Said::Lost(2, 3), Said::Record(5)]);
    assert_eq!(queue.read(1), [Said::Lost(2, 3)]);
    assert_eq!(queue.read(2), [Said::Record(5)]);
    assert_eq!(queue.read(2), [Said::Lost(6, 2)]);
}

#[test]
fn one_slot() {
    let mut queue = Queue::new(1);
    assert_eq!(queue.push(3), 1);
    assert_eq!(queue.read(4), [Said::Record(0)]);
    // Until somebody has read how many are lost there is no room for another one.
    assert_eq!(queue.push(2), 0);
    assert_eq!(queue.read(4), [Said::Lost(1, 4)]);
    assert_eq!(queue.push(1), 1);
    assert_eq!(queue.read(4), [Said::Record(5)]);
    assert!(queue.ring.is_empty());
}

/// Each reads as fast as it does: whoever keeps up loses nothing by the others.
#[test]
fn readers_of_their_own() {
    // How many come between two reads, and how many are read then.
    let mut readers: Vec<_> = [(1, 1), (4, 4), (6, 2), (50, 3), (1000, 1)]
        .map(|pace| (pace, Queue::new(8), 0, 0))
        .into();
    for round in 1..=600 {
        for ((every, some), queue, next, lost) in &mut readers {
            queue.push(1);
            if round % *every == 0 {
                let (end, missing) = account(&queue.read(*some), *next);
                *next = end;
                *lost += missing;
            }
        }
    }
    for ((every, some), queue, next, lost) in &mut readers {
        while !queue.ring.is_empty() {
            let (end, missing) = account(&queue.read(3), *next);
            *next = end;
            *lost += missing;
        }
        assert_eq!(*next, 600);
        let kept_up = *some >= *every;
        assert_eq!(*lost == 0, kept_up, "{some} of {every}");
        // Who never reads has what came first.
        if *every == 1000 {
            assert_eq!(*lost, 592);
        }
    }
}

/// What a queue has to be like, said once more with nothing that goes round.
struct Model {
    slots: usize,
    items: VecDeque<Said>,
    lost: Option<(u64, u64)>,
    next: u64,
}

impl Model {
    fn push(&mut self) -> bool {
        let number = self.next;
        self.next += 1;
        let wanted = 1 + usize::from(self.lost.is_some());
        let fits = self.items.len() + wanted <= self.slots;
        match (fits, self.lost) {
            (true, Some((first, count))) => self.items.push_back(Said::Lost(first, count)),
            (true, None) => {}
            (false, Some((first, count))) => self.lost = Some((first, count + 1)),
            (false, None) => self.lost = Some((number, 1)),
        }
        if fits {
            self.lost = None;
            self.items.push_back(Said::Record(number));
        }
        fits
    }

    fn look(&mut self, n: usize) -> Vec<Said> {
        if self.items.is_empty() {
            let lost = self.lost.take();
            self.items
                .extend(lost.map(|(first, count)| Said::Lost(first, count)));
        }
        self.items.iter().take(n).copied().collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(u8),
    /// Looks at so many, while so many come removes so many of those.
    Read(u8, u8, u8),
}

#[test]
fn as_the_model() {
    let step = prop_oneof![
        (1..12u8).prop_map(Step::Push),
        (0..6u8, 0..3u8, 0..6u8).prop_map(|(look, push, remove)| Step::Read(look, push, remove)),
    ];
    let steps = (1..10usize, prop::collection::vec(step, 1..60));
    property::check("a queue of events", 2000, steps, |(slots, steps)| {
        let mut queue = Queue::new(slots);
        let mut model = Model {
            slots,
            items: VecDeque::new(),
            lost: None,
            next: 0,
        };
        let mut told = 0;
        for step in steps {
            let (look, push, remove) = match step {
                Step::Push(n) => (0, n, 0),
                Step::Read(look, push, remove) => (look, push, remove),
            };
            let items = queue.look(look.into());
            assert_eq!(items, model.look(look.into()));
            for _ in 0..push {
                assert_eq!(queue.push(1) == 1, model.push());
            }
            let gone = items.len().min(remove.into());
            queue.ring.remove(gone);
            model.items.drain(..gone);
            told = account(&items[..gone], told).0;
            assert_eq!(
                queue.ring.is_empty(),
                model.items.is_empty() && model.lost.is_none()
            );
        }
        // All that came is accounted for.
        while !queue.ring.is_empty() {
            told = account(&queue.read(3), told).0;
        }
        assert_eq!(told, model.next);
    });
}
