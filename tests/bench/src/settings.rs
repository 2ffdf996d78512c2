// SPDX-License-Identifier: GPL-2.0

//! What the environment says: see scripts/bench/owner-tree.sh.

use crate::{
    peers,
    shapes::Shape, //
};
use std::{
    env,
    path::PathBuf,
    time::Duration, //
};

/// How much memory a peer may take.
pub const MAX_BYTES: usize = 8 << 30;
/// Memory that is mapped before it is needed, for each record.
pub const PREFAULT: usize = 128;

fn words(name: &str) -> Option<Vec<String>> {
    let value = env::var(name).ok()?;
    let words: Vec<_> = value.split_whitespace().map(str::to_owned).collect();
    (!words.is_empty()).then_some(words)
}

fn number(name: &str, default: usize) -> usize {
    match words(name) {
        Some(words) => words[0]
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a number")),
        None => default,
    }
}

/// `BENCH_SIZES`: how many records.
pub fn sizes() -> Vec<usize> {
    match words("BENCH_SIZES") {
        Some(sizes) => sizes
            .iter()
            .map(|s| s.parse().expect("BENCH_SIZES must be numbers"))
            .collect(),
        None => vec![1_000_000, 10_000_000],
    }
}

/// `BENCH_SHAPES`: which loads.
pub fn shapes() -> Vec<Shape> {
    match words("BENCH_SHAPES") {
        Some(names) => names
            .iter()
            .map(|s| Shape::from_name(s).unwrap_or_else(|| panic!("no shape is called {s}")))
            .collect(),
        None => Shape::ALL.to_vec(),
    }
}

/// `BENCH_PEERS`: which peers; the owner tree is always the first.
pub fn peers() -> Vec<&'static peers::Entry> {
    let wanted = words("BENCH_PEERS");

    if let Some(wrong) = wanted
        .iter()
        .flatten()
        .find(|name| peers::find(name).is_none())
    {
        panic!("no peer is called {wrong}");
    }
    peers::ALL
        .iter()
        .filter(|e| {
            let name = e.name.to_owned();
            e.kind == peers::Kind::Ours || wanted.as_ref().is_none_or(|w| w.contains(&name))
        })
        .collect()
}

/// How long inserting all records may take; a peer that needs longer is too slow.
pub fn build_limit() -> Duration {
    Duration::from_secs(120) * patience()
}

/// How long everything that is measured of one peer may take. What hangs ends then.
pub fn total_limit() -> Duration {
    Duration::from_secs(300) * patience()
}

/// `BENCH_PATIENCE`: how many times as long as usual all that may take, as under callgrind.
fn patience() -> u32 {
    number("BENCH_PATIENCE", 1) as u32
}

/// `BENCH_OPS`: how many removals and queries at most.
pub fn ops() -> usize {
    number("BENCH_OPS", 200_000).max(1)
}

/// `BENCH_MS`: for how long queries of one kind run at most.
pub fn query_limit() -> Duration {
    Duration::from_millis(number("BENCH_MS", 1000) as u64)
}

/// `BENCH_BATCH`: how many owners the tree gives in a call. Peers give all at once, and cannot be
/// asked in parts; so most answers should fit into one batch. The module has room for 128.
pub fn walk_batch() -> usize {
    number("BENCH_BATCH", 1024).max(1)
}

/// `BENCH_OUT`: where the results go.
pub fn out() -> PathBuf {
    PathBuf::from(env::var_os("BENCH_OUT").unwrap_or_else(|| "out".into()))
}
