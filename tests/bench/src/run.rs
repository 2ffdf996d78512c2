// SPDX-License-Identifier: GPL-2.0

//! Measures one peer with one load, in a process of its own, and reports it on standard output.
//!
//! The report has a line for each fact, with words separated by tabs; collect.rs reads it.

use crate::{
    alloc,
    churn::{
        Change,
        Churn, //
    },
    fold::Rec,
    measure::{
        clock_ns,
        Meter,
        BATCH, //
    },
    peers::{
        Dynamic,
        Peer,
        Static, //
    },
    settings,
    shapes::{
        self,
        Shape, //
    }, //
};
use std::{
    process,
    thread,
    time::Instant, //
};

/// What to measure.
pub struct Job {
    pub shape: Shape,
    pub size: usize,
}

/// Blocks of a range query, and how far a sharing query looks.
const RANGE: u64 = 512;

/// Measures a peer that changes.
pub fn dynamic<P: Dynamic>(job: &Job) {
    start(job);
    let mut peer = alloc::tracked(P::default);
    let (records, hot) = if job.shape == Shape::Churn {
        (churn(&mut peer, job), None)
    } else {
        let load = shapes::load(job.shape, job.size);
        build(&mut peer, &load.records);
        (load.records, load.hot)
    };

    remove_some(&mut peer, job, &records);
    memory(&peer, &records);
    queries(&mut peer, &records, hot);
    finish();
}

/// Measures a peer that is built once.
pub fn fixed<P: Static>(job: &Job) {
    start(job);
    let (records, hot) = if job.shape == Shape::Churn {
        let mut churn = Churn::new(job.size);
        let mut changes = Vec::new();
        while !churn.grown() {
            churn.next(BATCH, &mut changes);
        }
        let mut left = job.size;
        while left > 0 {
            churn.next(BATCH, &mut changes);
            left = left.saturating_sub(changes.len());
        }
        (churn.records(), None)
    } else {
        let load = shapes::load(job.shape, job.size);
        (load.records, load.hot)
    };

    let start = Instant::now();
    let mut peer = alloc::tracked(|| P::build(&records));
    let ns = start.elapsed().as_nanos() as f64 / records.len() as f64;
    memory(&peer, &records);
    println!("row\tbuild\t{ns:.1}\t0\t0\t{}\t0", records.len());
    queries(&mut peer, &records, hot);
    finish();
}

// The operations are functions of their own, so that callgrind can tell them apart.

#[inline(never)]
fn op_insert<P: Dynamic>(peer: &mut P, rec: &Rec) -> u64 {
    peer.insert(rec);
    0
}

#[inline(never)]
fn op_remove<P: Dynamic>(peer: &mut P, rec: &Rec) -> u64 {
    assert!(peer.remove(rec), "{rec:?} is not there");
    1
}

#[inline(never)]
fn op_point<P: Peer>(peer: &mut P, block: u64) -> u64 {
    peer.owners(block..block + 1)
}

#[inline(never)]
fn op_range<P: Peer>(peer: &mut P, block: u64) -> u64 {
    peer.owners(block..block + RANGE)
}

#[inline(never)]
fn op_sharing<P: Peer>(peer: &mut P, block: u64) -> u64 {
    let (count, run) = peer.sharing(block, RANGE);
    (run << 2) | count
}

fn start(job: &Job) {
    thread::spawn(|| {
        thread::sleep(settings::total_limit());
        stop(&format!(
            "too slow: over {} s",
            settings::total_limit().as_secs()
        ));
    });
    alloc::prefault(job.size * settings::PREFAULT);
    println!("clock\t{}", clock_ns());
}

fn finish() {
    println!("largest\t{}", alloc::largest());
    println!("done");
}

/// Gives up on this peer.
fn stop(why: &str) -> ! {
    println!("stop\t{why}");
    process::exit(0)
}

fn memory(peer: &impl Peer, records: &[Rec]) {
    let bytes = alloc::bytes() + peer.foreign_bytes();
    println!("bytes\t{:.2}", bytes as f64 / records.len() as f64);
}

fn row(op: &str, meter: Meter) {
    for (ops, sum) in meter.sums() {
        println!("sum\t{op}\t{ops}\t{sum:x}");
    }
    let f = meter.figures();
    println!(
        "row\t{op}\t{:.1}\t{}\t{}\t{}\t{}",
        f.median_ns, f.p99_99_ns, f.max_ns, f.ops, f.preempted
    );
}

/// Stops if the peer has taken too much time or memory.
fn check_limits(peer: &impl Peer, deadline: Instant, done: usize) {
    if Instant::now() > deadline {
        let limit = settings::build_limit().as_secs();
        stop(&format!("too slow: {done} changes in {limit} s"));
    }
    if alloc::bytes() + peer.foreign_bytes() > settings::MAX_BYTES {
        stop(&format!(
            "too large: over {} GiB",
            settings::MAX_BYTES >> 30
        ));
    }
}

fn build<P: Dynamic>(peer: &mut P, records: &[Rec]) {
    let mut meter = Meter::new(records.len());
    let deadline = Instant::now() + settings::build_limit();

    for (i, batch) in records.chunks(BATCH).enumerate() {
        meter.batch(batch, deadline, &mut |rec| op_insert(peer, rec));
        check_limits(peer, deadline, i * BATCH);
    }
    memory(peer, records);
    row("insert", meter);
}

/// Applies churn, and returns the records that are there at the end.
fn churn<P: Dynamic>(peer: &mut P, job: &Job) -> Vec<Rec> {
    let mut churn = Churn::new(job.size);
    let mut changes = Vec::with_capacity(2 * BATCH);
    let mut meter = Meter::new(4 * job.size);
    let deadline = Instant::now() + settings::build_limit();
    let mut done = 0;

    for batch in churn.records().chunks(BATCH) {
        alloc::tracked(|| batch.iter().for_each(|rec| peer.insert(rec)));
        check_limits(peer, deadline, 0);
    }
    let mut step = |peer: &mut P, churn: &mut Churn| {
        churn.next(BATCH, &mut changes);
        meter.batch(&changes, deadline, &mut |change| match change {
            Change::Insert(rec) => op_insert(peer, rec),
            Change::Remove(rec) => op_remove(peer, rec),
        });
        done += changes.len();
        check_limits(peer, deadline, done);
        changes.len()
    };

    while !churn.grown() {
        step(peer, &mut churn);
    }
    println!(
        "grown\t{:.2}",
        (alloc::bytes() + peer.foreign_bytes()) as f64 / churn.len() as f64
    );
    let mut left = job.size;
    while left > 0 {
        left = left.saturating_sub(step(peer, &mut churn));
    }
    let records = churn.records();
    memory(peer, &records);
    row("churn", meter);
    records
}

/// Removes a sample, and inserts it again.
fn remove_some<P: Dynamic>(peer: &mut P, job: &Job, records: &[Rec]) {
    let mut sample = shapes::sample(records, settings::ops().min(records.len() / 10));
    let mut meter = Meter::new(sample.len());

    let removed = meter.run(&sample, settings::query_limit(), |rec| op_remove(peer, rec));
    row("remove", meter);

    sample.truncate(removed);
    let mut meter = Meter::new(sample.len());
    meter.run(&sample, settings::build_limit(), |rec| op_insert(peer, rec));
    if job.shape == Shape::Churn {
        row("insert", meter);
    }
}

fn queries<P: Peer>(peer: &mut P, records: &[Rec], hot: Option<u64>) {
    let n = settings::ops();
    let targets = shapes::targets(records, n, hot);
    let mut measure = |op: &str, targets: &[u64], ask: fn(&mut P, u64) -> u64| {
        let mut meter = Meter::new(targets.len());
        meter.run(targets, settings::query_limit(), |&block| ask(peer, block));
        row(op, meter);
    };

    measure("point", &targets, op_point);
    measure("range", &targets, op_range);
    measure("sharing", &targets, op_sharing);
    if let Some(hot) = hot {
        let targets = vec![hot; n];
        measure("hot-point", &targets, op_point);
        measure("hot-sharing", &targets, op_sharing);
    }
}
