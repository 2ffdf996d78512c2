// SPDX-License-Identifier: GPL-2.0

//! The results as a text that fits a wide terminal.

use crate::{
    peers::{
        self,
        Entry,
        Kind, //
    },
    results::{
        Results,
        WANTED, //
    },
    settings,
    shapes::Shape, //
};
use std::fmt::Write;

/// Bytes of a record that the owner tree may take, and of one allocation.
const MAX_RECORD: f64 = 48.0;
const MAX_ALLOCATION: usize = 4096;

/// What has been measured is not there: not asked for, not offered, or too slow.
const NONE: &str = "-";

/// Returns a number of nanoseconds in at most six characters.
pub fn nanoseconds(ns: f64) -> String {
    match ns {
        ns if ns < 100.0 => format!("{ns:.1}"),
        ns if ns < 10_000.0 => format!("{ns:.0}"),
        ns if ns < 999_950.0 => format!("{:.1}k", ns / 1e3),
        ns if ns < 999.95e6 => format!("{:.1}M", ns / 1e6),
        ns => format!("{:.1}G", ns / 1e9),
    }
}

/// Returns a ratio, with as many digits as it is worth.
pub fn ratio(ratio: f64) -> String {
    if ratio < 100.0 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.0}")
    }
}

/// Returns all tables, and what they come to.
pub fn render(results: &Results) -> String {
    let mut text = format!(
        "The owner tree and its peers. {}.\n\
         Nanoseconds an operation, median and p99.99 (k: thousands, M: millions). The clock takes\n\
         {} ns, which is subtracted; interrupts are in the tail, other processes' turns are not.\n\
         \"best\" is the fastest dynamic peer, \"ratio\" how many times as long it takes. The tree gives\n\
         the owners of a query in batches of {}.\n\n",
        results.machine,
        results.clock_ns,
        settings::walk_batch()
    );
    for peer in &results.peers {
        let kind = match peer.kind {
            Kind::Ours => "",
            Kind::Dynamic => "dynamic: ",
            Kind::Static => "static: ",
        };
        let _ = writeln!(text, "  {:<12} {kind}{}", peer.name, peer.about);
    }
    for (size, shape, ops) in results.loads() {
        let _ = write!(
            text,
            "\n{}, {} records: {}\n\n",
            shape.name(),
            grouped(size),
            shape.describe()
        );
        text.push_str(&align(&load_table(results, size, shape, &ops)));
        for peer in &results.peers {
            if let Some(why) = results
                .process(shape, size, peer.name)
                .and_then(|p| p.stopped.as_ref())
            {
                let _ = writeln!(text, "  {}: {why}", peer.name);
            }
        }
    }
    text.push_str(&summary(results));
    text
}

/// Returns the lines of cells for one load.
fn load_table(
    results: &Results,
    size: usize,
    shape: Shape,
    ops: &[&'static str],
) -> Vec<Vec<String>> {
    let cell = |text: &str| text.to_owned();
    let others: Vec<&Entry> = results.peers.iter().skip(1).copied().collect();
    let mut lines = vec![Vec::from(["ns", peers::OURS, "p99.99"].map(cell))];

    lines[0].extend(others.iter().map(|e| cell(e.name)));
    lines[0].extend(["best", "p99.99", "ratio"].map(cell));
    for op in ops {
        let median = |peer: &str| match results.row(shape, size, op, peer) {
            Some(row) => nanoseconds(row.median_ns),
            None => cell(NONE),
        };
        let ours = results.row(shape, size, op, peers::OURS);
        let best = results.best(shape, size, op);
        let mut line = vec![cell(op), median(peers::OURS)];
        line.push(ours.map_or(cell(NONE), |r| nanoseconds(r.p99_99_ns as f64)));
        line.extend(others.iter().map(|e| median(e.name)));
        line.push(best.map_or(cell(NONE), |r| cell(r.peer)));
        line.push(best.map_or(cell(NONE), |r| nanoseconds(r.p99_99_ns as f64)));
        line.push(match results.ratio(shape, size, op) {
            Some(r) if r < WANTED => format!("{} <", ratio(r)),
            Some(r) => format!("{}  ", ratio(r)),
            None => cell(NONE),
        });
        lines.push(line);
    }

    for (what, at_end) in [("B/record", false), ("  at end", true)] {
        let mut line = vec![cell(what)];
        for (i, peer) in results.peers.iter().enumerate() {
            let bytes = results.process(shape, size, peer.name).map_or(0.0, |p| {
                if at_end {
                    p.bytes
                } else {
                    p.grown
                }
            });
            line.push(if bytes > 0.0 {
                format!("{bytes:.1}")
            } else {
                cell(NONE)
            });
            if i == 0 {
                line.push(String::new());
            }
        }
        lines.push(line);
    }
    lines
}

/// Puts cells into columns: the first to the left, the others to the right.
fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns)
        .map(|i| lines.iter().filter_map(|l| Some(l.get(i)?.len())).max())
        .map(|width| width.unwrap_or(0))
        .collect();
    let mut text = String::new();

    for line in lines {
        let mut out = String::new();
        for (i, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let _ = if i == 0 {
                write!(out, "  {cell:<width$}")
            } else {
                write!(out, "  {cell:>width$}")
            };
        }
        text.push_str(out.trim_end());
        text.push('\n');
    }
    text
}

/// Returns what was wanted of the owner tree, and whether it is so.
fn summary(results: &Results) -> String {
    let verdict = |good: bool| if good { "yes" } else { "NO" };
    let ours = || {
        results
            .processes
            .iter()
            .filter(|p| p.peer == peers::OURS && p.bytes > 0.0)
    };
    let largest = ours().map(|p| p.largest).max().unwrap_or(0);
    let bytes = ours().map(|p| p.grown.max(p.bytes)).fold(0.0, f64::max);
    let mut text = format!(
        "\nlargest allocation: {largest} bytes (at most {MAX_ALLOCATION}: {})\n\
         most bytes a record: {bytes:.1} (at most {MAX_RECORD}: {})\n",
        verdict(largest <= MAX_ALLOCATION),
        verdict(bytes <= MAX_RECORD),
    );

    let mut below = Vec::new();
    let mut all = 0;
    for (size, shape, ops) in results.loads() {
        for op in ops {
            let Some(ratio) = results.ratio(shape, size, op) else {
                continue;
            };
            all += 1;
            if ratio < WANTED {
                let best = results.best(shape, size, op).map_or(NONE, |r| r.peer);
                below.push(format!(
                    "  {:<12} {:>12}  {op:<12} {}  {best}\n",
                    shape.name(),
                    grouped(size),
                    self::ratio(ratio)
                ));
            }
        }
    }
    let _ = writeln!(
        text,
        "at least {WANTED} times as fast as the best dynamic peer: {} of {all}{}",
        all - below.len(),
        if below.is_empty() { "" } else { ", not:" }
    );
    text.push_str(&below.concat());
    text
}

/// Returns a number with its digits in groups of three.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
