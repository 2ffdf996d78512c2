// SPDX-License-Identifier: GPL-2.0

//! What was measured: a row for each load, size and filesystem.

use anyhow::{
    bail,
    Context,
    Result, //
};
use serde::{
    Deserialize,
    Serialize, //
};
use std::path::Path;

/// The filesystems; the first one is ours.
pub const FILESYSTEMS: [&str; 3] = ["daxrmap", "xfs", "ext4"];

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    pub load: String,
    pub size: u64,
    pub fs: String,
    pub unit: String,
    pub median: f64,
    pub p99: f64,
    pub max: f64,
    #[serde(default)]
    pub ratio_xfs: Option<f64>,
    #[serde(default)]
    pub ratio_ext4: Option<f64>,
}

impl Row {
    /// Returns what is compared: the median, or where somebody waits the longest time.
    pub fn value(&self) -> f64 {
        if self.is_longest() {
            self.max
        } else {
            self.median
        }
    }

    pub fn is_longest(&self) -> bool {
        self.unit == "ns longest"
    }

    /// Returns whether less of it is better.
    pub fn is_cost(&self) -> bool {
        self.unit != "told"
    }
}

pub struct Results {
    pub rows: Vec<Row>,
}

impl Results {
    /// Reads what the guest has said, which has no ratios, and makes them.
    pub fn measured(path: &str) -> Result<Self> {
        let mut results = Self::from(path, b';', false)?;
        let values: Vec<_> = results.rows.clone();
        for row in &mut results.rows {
            let ratio = |fs: &str| {
                let other = values
                    .iter()
                    .find(|r| r.fs == fs && r.load == row.load && r.size == row.size)?;
                // So that nobody is infinitely slower than what costs nothing.
                (other.value() > 0.0).then(|| round(row.value() / other.value()))
            };
            (row.ratio_xfs, row.ratio_ext4) = (ratio("xfs"), ratio("ext4"));
        }
        Ok(results)
    }

    /// Reads a bench.csv.
    pub fn read(path: &str) -> Result<Self> {
        Self::from(path, b',', true)
    }

    fn from(path: &str, delimiter: u8, headers: bool) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(headers)
            .from_path(path)
            .with_context(|| path.to_owned())?;
        let rows = if headers {
            reader.deserialize().collect::<Result<Vec<Row>, _>>()
        } else {
            // Without headers a row is by position, and has all columns.
            reader
                .deserialize::<(String, u64, String, String, f64, f64, f64)>()
                .map(|r| r.map(Row::from))
                .collect()
        }
        .with_context(|| path.to_owned())?;
        if rows.is_empty() {
            bail!("{path}: nothing was measured");
        }
        Ok(Self { rows })
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let mut writer = csv::Writer::from_path(path)?;
        for row in &self.rows {
            writer.serialize(row)?;
        }
        Ok(writer.flush()?)
    }

    pub fn row(&self, load: &str, size: u64, fs: &str) -> Option<&Row> {
        self.rows
            .iter()
            .find(|r| r.load == load && r.size == size && r.fs == fs)
    }

    /// Returns each load and size once, in the order in which they were measured; sizes ascend.
    pub fn keys(&self) -> Vec<(&str, u64)> {
        let mut keys = Vec::new();
        for load in self.loads() {
            let mut sizes: Vec<_> = self
                .rows
                .iter()
                .filter(|r| r.load == load)
                .map(|r| r.size)
                .collect();
            sizes.sort_unstable();
            sizes.dedup();
            keys.extend(sizes.into_iter().map(|size| (load, size)));
        }
        keys
    }

    /// Returns each load once.
    pub fn loads(&self) -> Vec<&str> {
        let mut loads: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !loads.contains(&row.load.as_str()) {
                loads.push(&row.load);
            }
        }
        loads
    }
}

impl From<(String, u64, String, String, f64, f64, f64)> for Row {
    fn from(
        (load, size, fs, unit, median, p99, max): (String, u64, String, String, f64, f64, f64),
    ) -> Self {
        Self {
            load,
            size,
            fs,
            unit,
            median,
            p99,
            max,
            ratio_xfs: None,
            ratio_ext4: None,
        }
    }
}

/// Rounds to three digits that count.
fn round(ratio: f64) -> f64 {
    format!("{ratio:.2e}").parse().unwrap_or(ratio)
}
