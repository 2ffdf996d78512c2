// SPDX-License-Identifier: GPL-2.0

//! Takes the times of many operations.
//!
//! Operations run in batches of 32. Every other batch is timed as a whole: that gives the median,
//! without the clock in it. In the others each operation is timed, and what the clock takes is
//! subtracted: that gives the tail. Operations so slow that the clock does not matter are all timed
//! one by one.
//!
//! An operation during which another process got the processor says nothing of the peer. It is left
//! out of the tail, and counted.

use crate::alloc;
use std::{
    hint::black_box,
    time::{
        Duration,
        Instant, //
    }, //
};

extern "C" {
    fn bench_preempted() -> u64;
}

/// Returns how often this thread has lost the processor so far.
fn preempted() -> u64 {
    // SAFETY: It only asks the kernel.
    unsafe { bench_preempted() }
}

/// Operations in a batch.
pub const BATCH: usize = 32;
/// From here on (nanoseconds) operations are slow, if they are so on average.
const SLOW: f64 = 20_000.0;
/// From here on (nanoseconds) it may be that another process ran.
const SUSPECT: u64 = 10_000;

/// Figures of one kind of operation.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub median_ns: f64,
    pub p99_99_ns: u64,
    pub max_ns: u64,
    pub ops: usize,
    /// Operations that were left out.
    pub preempted: usize,
}

/// Collects times, and the sum of the answers.
pub struct Meter {
    clock_ns: u64,
    /// Nanoseconds of an operation, of batches timed as a whole.
    whole: Vec<f32>,
    /// Nanoseconds of single operations.
    single: Vec<u32>,
    ops: usize,
    batches: usize,
    slow: bool,
    /// How often the processor was lost before; how many operations were left out for it.
    losses: u64,
    preempted: usize,
    sum: u64,
    /// The sum after 1, 2, 4, 8 ... operations.
    sums: Vec<(usize, u64)>,
}

impl Meter {
    /// Creates a meter for at most `n` operations. Nothing is allocated later.
    pub fn new(n: usize) -> Self {
        Meter {
            clock_ns: clock_ns(),
            whole: Vec::with_capacity(n / BATCH + 2),
            single: Vec::with_capacity(n + 2 * BATCH),
            ops: 0,
            batches: 0,
            slow: false,
            losses: preempted(),
            preempted: 0,
            sum: 0,
            sums: Vec::with_capacity(64),
        }
    }

    /// Runs one batch, until the deadline at most. Returns whether it ran to its end.
    pub fn batch<T>(
        &mut self,
        items: &[T],
        deadline: Instant,
        f: &mut impl FnMut(&T) -> u64,
    ) -> bool {
        let singly = self.slow || self.batches % 2 == 0;
        let first = self.batches == 0;

        self.batches += 1;
        if !singly {
            let start = Instant::now();
            let sum = alloc::tracked(|| items.iter().fold(self.sum, |sum, item| mix(sum, f(item))));
            let ns = start.elapsed().as_nanos() as f32;
            self.sum = black_box(sum);
            self.ops += items.len();
            self.whole.push(ns / items.len().max(1) as f32);
            self.keep_sum();
            return true;
        }
        self.losses = preempted();
        for item in items {
            let start = Instant::now();
            let answer = alloc::tracked(|| f(item));
            let ns = start.elapsed().as_nanos() as u64;
            self.sum = mix(self.sum, black_box(answer));
            self.ops += 1;
            if first || !self.disturbed(ns) {
                self.single
                    .push(ns.saturating_sub(self.clock_ns).min(u32::MAX.into()) as u32);
            }
            if first || self.slow {
                self.keep_sum();
            }
            if (first || self.slow) && Instant::now() > deadline {
                return false;
            }
        }
        self.keep_sum();
        if first {
            let total: f64 = self.single.iter().map(|&ns| f64::from(ns)).sum();
            self.slow = total / self.single.len().max(1) as f64 > SLOW;
        }
        true
    }

    /// Runs all of `items` in batches, until the time is over. Returns how many ran.
    pub fn run<T>(&mut self, items: &[T], limit: Duration, mut f: impl FnMut(&T) -> u64) -> usize {
        let deadline = Instant::now() + limit;

        for batch in items.chunks(BATCH) {
            if !self.batch(batch, deadline, &mut f) || Instant::now() > deadline {
                break;
            }
        }
        self.ops
    }

    /// Returns the sums of the answers: another peer's must be the same after as many operations.
    pub fn sums(&self) -> &[(usize, u64)] {
        &self.sums
    }

    /// Returns the figures.
    pub fn figures(mut self) -> Figures {
        self.single.sort_unstable();
        self.whole.sort_unstable_by(f32::total_cmp);
        let rank = (self.single.len() * 9999).div_ceil(10_000).max(1) - 1;
        let single_median = self.single.get(self.single.len() / 2).copied();
        let whole_median = self.whole.get(self.whole.len() / 2).copied();

        Figures {
            median_ns: match (self.slow, whole_median, single_median) {
                (false, Some(ns), _) => ns.into(),
                (_, _, ns) => ns.unwrap_or(0).into(),
            },
            p99_99_ns: self.single.get(rank).copied().unwrap_or(0).into(),
            max_ns: self.single.last().copied().unwrap_or(0).into(),
            ops: self.ops,
            preempted: self.preempted,
        }
    }

    /// Tells whether another process ran during an operation of `ns`.
    fn disturbed(&mut self, ns: u64) -> bool {
        // Slow operations all would be. In the first batch it is not known yet whether they are.
        if ns < SUSPECT || self.slow {
            return false;
        }
        let losses = preempted();
        let lost = losses > std::mem::replace(&mut self.losses, losses);
        self.preempted += usize::from(lost);
        lost
    }

    fn keep_sum(&mut self) {
        if self.ops.is_power_of_two() && self.sums.last().is_none_or(|s| s.0 < self.ops) {
            self.sums.push((self.ops, self.sum));
        }
    }
}

/// Adds an answer to a sum of answers, which depends on their order.
#[inline]
fn mix(sum: u64, answer: u64) -> u64 {
    sum.rotate_left(7) ^ answer
}

/// Returns what an empty measurement takes.
pub fn clock_ns() -> u64 {
    let mut times: Vec<_> = (0..10_001)
        .map(|_| {
            let start = Instant::now();
            black_box(alloc::tracked(|| black_box(0)));
            start.elapsed().as_nanos() as u64
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}
