// SPDX-License-Identifier: GPL-2.0

//! Runs a process for each combination, reads its report, and compares its answers.

use crate::{
    peers::{
        Entry,
        Kind, //
    },
    results::{
        Process,
        Results,
        Row,
        OPS, //
    },
    settings,
    shapes::Shape, //
};
use std::{
    collections::HashMap,
    env,
    error::Error,
    fs,
    process::{
        Command,
        Stdio, //
    },
    time::Instant, //
};

/// Sums of answers of the first peer, by operation and number of answers.
type Sums = HashMap<(String, usize), String>;

/// How many times the best peer's time a peer may take that is measured with more records too.
const HOPELESS: f64 = 3.0;

/// Measures everything that the settings ask for.
pub fn all() -> Result<Results, Box<dyn Error>> {
    let mut results = Results {
        sizes: settings::sizes(),
        shapes: settings::shapes(),
        peers: settings::peers(),
        machine: machine(),
        clock_ns: 0,
        rows: Vec::new(),
        processes: Vec::new(),
    };

    for size in results.sizes.clone() {
        for shape in results.shapes.clone() {
            let mut sums = Sums::new();
            for peer in results.peers.clone() {
                let start = Instant::now();
                let process = match hopeless(&results, shape, size, peer) {
                    Some(process) => process,
                    None => one(shape, size, peer, &mut sums, &mut results)?,
                };
                eprintln!(
                    "==> {} {size} {}: {}{:.1} s",
                    shape.name(),
                    peer.name,
                    process
                        .stopped
                        .as_deref()
                        .map_or(String::new(), |why| format!("{why}, ")),
                    start.elapsed().as_secs_f64()
                );
                results.processes.push(process);
            }
        }
    }
    Ok(results)
}

/// Leaves a peer out that nobody named and that was far behind with fewer records of the same shape.
fn hopeless(results: &Results, shape: Shape, size: usize, peer: &'static Entry) -> Option<Process> {
    let smaller = *results.sizes.iter().filter(|&&s| s < size).max()?;
    let ratio = OPS
        .into_iter()
        .filter_map(|op| {
            let best = results.best(shape, smaller, op)?.median_ns;
            Some(results.row(shape, smaller, op, peer.name)?.median_ns / best)
        })
        .min_by(f64::total_cmp)?;

    if peer.named || peer.kind != Kind::Dynamic || ratio < HOPELESS {
        return None;
    }
    Some(Process {
        shape,
        size,
        peer: peer.name,
        grown: 0.0,
        bytes: 0.0,
        largest: 0,
        stopped: Some(format!(
            "left out: with {smaller} records {ratio:.1} times the best peer or more in all"
        )),
    })
}

/// Returns what the figures were taken on.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |(_, name)| name);
    let rustc = env::var("BENCH_RUSTC").unwrap_or_else(|_| "unknown rustc".to_owned());
    format!("{model}, {rustc}")
}

/// Measures one combination.
fn one(
    shape: Shape,
    size: usize,
    peer: &'static Entry,
    sums: &mut Sums,
    results: &mut Results,
) -> Result<Process, Box<dyn Error>> {
    let output = Command::new(env::current_exe()?)
        .args(["--one", shape.name(), &size.to_string(), peer.name])
        // Huge pages, as the kernel's own mapping of memory has, and memory that stays mapped.
        .env(
            "GLIBC_TUNABLES",
            "glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=1099511627776",
        )
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let mut process = Process {
        shape,
        size,
        peer: peer.name,
        grown: 0.0,
        bytes: 0.0,
        largest: 0,
        stopped: Some(format!("ended early: {}", output.status)),
    };

    for line in String::from_utf8(output.stdout)?.lines() {
        let words: Vec<_> = line.split('\t').collect();
        match words[..] {
            ["row", op, median, p99_99, max, ops, preempted] => results.rows.push(Row {
                shape,
                size,
                op: op.to_owned(),
                peer: peer.name,
                median_ns: median.parse()?,
                p99_99_ns: p99_99.parse()?,
                max_ns: max.parse()?,
                ops: ops.parse()?,
                preempted: preempted.parse()?,
                bytes: process.bytes,
            }),
            ["sum", op, ops, sum] => {
                let key = (op.to_owned(), ops.parse()?);
                let first = sums.entry(key).or_insert_with(|| sum.to_owned());
                if first != sum {
                    let (shape, peer) = (shape.name(), peer.name);
                    return Err(format!(
                        "{shape} {size}: {peer} answers otherwise after {ops} of {op}"
                    )
                    .into());
                }
            }
            ["bytes", bytes] => {
                process.bytes = bytes.parse()?;
                if process.grown == 0.0 {
                    process.grown = process.bytes;
                }
            }
            ["grown", bytes] => process.grown = bytes.parse()?,
            ["largest", bytes] => process.largest = bytes.parse()?,
            ["clock", ns] => results.clock_ns = ns.parse()?,
            ["stop", why] => process.stopped = Some(why.to_owned()),
            ["done"] => process.stopped = None,
            _ => return Err(format!("not understood: {line}").into()),
        }
    }
    Ok(process)
}
