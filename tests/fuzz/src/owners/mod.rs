// SPDX-License-Identifier: GPL-2.0

//! The owner tree against a naive model: the same operations on both, the same answers wanted.

mod both;
mod list;
mod model;
mod op;
mod subject;
mod walk;

use self::{
    both::Both,
    op::{
        Op,
        Target, //
    },
    walk::Walk, //
};
use crate::{
    bytes::Bytes,
    rmap::OwnerRecord, //
};
use kernel::alloc::budget;
use std::{
    env,
    ops::Range, //
};

/// Not more comparisons of everything than these for one input: one may take milliseconds.
const MAX_COMPARES: usize = 32;

/// Does what `data` says. Panics if the tree and the model do not agree.
///
/// With `DAXRMAP_TRACE` in the environment it tells what it does.
pub fn run(data: &[u8]) {
    let trace = env::var_os("DAXRMAP_TRACE").is_some();
    let mut bytes = Bytes::new(data);
    let mut both = Both::new();

    let mut compares = 0;

    budget::set(None);
    while let Some(op) = Op::read(&mut bytes) {
        if matches!(op, Op::Compare) {
            compares += 1;
            if compares > MAX_COMPARES {
                continue;
            }
        }
        if trace {
            eprintln!("{op:x?}");
        }
        let starve = matches!(op, Op::Starve);
        both.apply(op);
        both.starved = starve;
    }
    both.compare();
    both.finish_walk();
}

impl Both {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Map(r) => {
                self.map(r);
            }
            Op::Comb {
                first,
                count,
                pages,
                blocks,
            } => {
                for i in 0..count {
                    let mapped = self.map(OwnerRecord {
                        block: first.block + i * blocks,
                        pgoff: first.pgoff + i * (first.len + pages),
                        ..first
                    });
                    if !mapped {
                        break;
                    }
                }
            }
            Op::Extend { nth, len, before } => self.extend(nth, len, before),
            Op::Unmap { ino, pages } => {
                self.unmap(ino, pages);
            }
            Op::Thin {
                ino,
                pages,
                count,
                distance,
            } => {
                for i in 0..count {
                    let at = i * (distance + pages.end - pages.start);
                    if !self.unmap(ino, pages.start + at..pages.end + at) {
                        break;
                    }
                }
            }
            Op::Move { nth, skip, len, to } => self.relocate(nth, skip, len, to),
            Op::Clone {
                from,
                pages,
                to,
                at,
            } => self.clone_range(from, pages, to, at),
            Op::Convert {
                ino,
                pages,
                unwritten,
            } => self.convert(ino, pages, unwritten),
            Op::Reserve { n, allocations } => self.reserve(n, allocations),
            Op::Starve => {}
            Op::Walk(range) => {
                self.finish_walk();
                self.walk = Some(Walk::new(range, &self.model));
            }
            Op::Step { batch } => {
                if let Some(walk) = &mut self.walk {
                    walk.step(batch, &self.tree, &self.model);
                }
            }
            Op::Query { block, max } => self.compare_at(block, max, &self.model.runs()),
            Op::Compare => self.compare(),
        }
    }

    fn extend(&mut self, nth: usize, len: u64, before: bool) {
        let Some(r) = self.model.nth(nth) else {
            return;
        };
        let next = if before {
            r.block.checked_sub(len).zip(r.pgoff.checked_sub(len))
        } else {
            Some((r.block + r.len, r.pgoff + r.len))
        };
        if let Some((block, pgoff)) = next {
            self.map(OwnerRecord {
                block,
                pgoff,
                len,
                ..r
            });
        }
    }

    fn relocate(&mut self, nth: usize, skip: u64, len: u64, to: Target) {
        let Some(r) = self.model.nth(nth) else {
            return;
        };
        let start = r.pgoff + skip % r.len;
        let Some(r) = list::part(&r, &(start..start + len)) else {
            return;
        };
        if !self.unmap(r.ino, list::pages(&r)) {
            return;
        }
        match to {
            Target::Nowhere => {}
            Target::Same => {
                self.map(r);
            }
            Target::Block(block) => {
                self.map(OwnerRecord { block, ..r });
            }
        }
    }

    fn clone_range(&mut self, from: u64, pages: Range<u64>, to: u64, at: u64) {
        let shared = self.model.in_pages(from, &pages);
        if !self.unmap(to, at..at + (pages.end - pages.start)) {
            return;
        }
        for r in shared {
            self.map(OwnerRecord {
                ino: to,
                pgoff: at + (r.pgoff - pages.start),
                ..r
            });
        }
    }
}
