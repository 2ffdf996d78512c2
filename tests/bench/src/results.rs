// SPDX-License-Identifier: GPL-2.0

//! What was measured: rows, and what they say about the best peer.

use crate::{
    peers::{
        self,
        Entry,
        Kind, //
    },
    shapes::Shape, //
};
use std::fmt::Write;

/// One operation of one peer with one load.
#[derive(Clone, Debug)]
pub struct Row {
    pub shape: Shape,
    pub size: usize,
    pub op: String,
    pub peer: &'static str,
    pub median_ns: f64,
    pub p99_99_ns: u64,
    pub max_ns: u64,
    pub ops: usize,
    pub preempted: usize,
    /// At the time of the operation.
    pub bytes: f64,
}

/// What a process reported beside rows.
#[derive(Clone, Debug)]
pub struct Process {
    pub shape: Shape,
    pub size: usize,
    pub peer: &'static str,
    /// Bytes of a record when the size was reached, and at the end.
    pub grown: f64,
    pub bytes: f64,
    pub largest: usize,
    /// Why there is nothing more.
    pub stopped: Option<String>,
}

/// All results.
pub struct Results {
    pub sizes: Vec<usize>,
    pub shapes: Vec<Shape>,
    pub peers: Vec<&'static Entry>,
    pub machine: String,
    pub clock_ns: u64,
    pub rows: Vec<Row>,
    pub processes: Vec<Process>,
}

/// The operations, in the order of tables.
pub const OPS: [&str; 9] = [
    "build",
    "insert",
    "remove",
    "churn",
    "point",
    "range",
    "sharing",
    "hot-point",
    "hot-sharing",
];

/// The ratio to the best dynamic peer that the owner tree is to reach.
pub const WANTED: f64 = 2.0;

impl Results {
    /// Returns the row of a peer.
    pub fn row(&self, shape: Shape, size: usize, op: &str, peer: &str) -> Option<&Row> {
        self.rows
            .iter()
            .find(|r| r.shape == shape && r.size == size && r.op == op && r.peer == peer)
    }

    /// Returns the fastest row of the dynamic peers.
    pub fn best(&self, shape: Shape, size: usize, op: &str) -> Option<&Row> {
        self.rows
            .iter()
            .filter(|r| r.shape == shape && r.size == size && r.op == op)
            .filter(|r| peers::find(r.peer).is_some_and(|e| e.kind == Kind::Dynamic))
            .min_by(|a, b| a.median_ns.total_cmp(&b.median_ns))
    }

    /// Returns how many times as long the best dynamic peer takes.
    pub fn ratio(&self, shape: Shape, size: usize, op: &str) -> Option<f64> {
        let ours = self.row(shape, size, op, peers::OURS)?;
        Some(self.best(shape, size, op)?.median_ns / ours.median_ns.max(0.1))
    }

    /// Returns what a process reported.
    pub fn process(&self, shape: Shape, size: usize, peer: &str) -> Option<&Process> {
        self.processes
            .iter()
            .find(|p| p.shape == shape && p.size == size && p.peer == peer)
    }

    /// Returns every load that was measured, with its operations that anything was measured of.
    pub fn loads(&self) -> impl Iterator<Item = (usize, Shape, Vec<&'static str>)> + '_ {
        self.sizes.iter().flat_map(move |&size| {
            self.shapes.iter().map(move |&shape| {
                let ops = OPS
                    .into_iter()
                    .filter(|op| {
                        self.peers
                            .iter()
                            .any(|e| self.row(shape, size, op, e.name).is_some())
                    })
                    .collect();
                (size, shape, ops)
            })
        })
    }

    /// Returns all rows as CSV.
    pub fn csv(&self) -> String {
        let mut csv = String::from(
            "shape,size,op,peer,kind,median_ns,p99_99_ns,max_ns,ops,preempted,bytes_per_record,note\n",
        );

        for row in &self.rows {
            let kind = match peers::find(row.peer).map(|e| e.kind) {
                Some(Kind::Ours) => "ours",
                Some(Kind::Dynamic) => "dynamic",
                _ => "static",
            };
            writeln!(
                csv,
                "{},{},{},{},{},{:.1},{},{},{},{},{:.1},",
                row.shape.name(),
                row.size,
                row.op,
                row.peer,
                kind,
                row.median_ns,
                row.p99_99_ns,
                row.max_ns,
                row.ops,
                row.preempted,
                row.bytes
            )
            .expect("a string takes all");
        }
        for p in &self.processes {
            if let Some(why) = &p.stopped {
                let (shape, size, peer) = (p.shape.name(), p.size, p.peer);
                writeln!(csv, "{shape},{size},,{peer},,,,,,,,{why}").expect("a string takes all");
            }
        }
        csv
    }
}
