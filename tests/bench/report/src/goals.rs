// SPDX-License-Identifier: GPL-2.0

//! What the ratio to XFS is to be: tests/bench/fs/goals.csv.

use anyhow::{
    Context,
    Result, //
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Goal {
    load: String,
    /// None: of each size.
    size: Option<u64>,
    ratio: f64,
}

pub fn read(path: &str) -> Result<Vec<Goal>> {
    csv::Reader::from_path(path)
        .and_then(|mut reader| reader.deserialize().collect())
        .with_context(|| path.to_owned())
}

/// Returns the goal of a load, its size's own one first.
pub fn of(goals: &[Goal], load: &str, size: u64) -> Option<f64> {
    let of = |wanted: Option<u64>| goals.iter().find(|g| g.load == load && g.size == wanted);
    of(Some(size)).or_else(|| of(None)).map(|g| g.ratio)
}
