// SPDX-License-Identifier: GPL-2.0

//! The results as a table, for a terminal and for a document; and the interference matrix as one.

use crate::{
    goals::{
        self,
        Goal, //
    },
    results::{
        Results,
        Row, //
        FILESYSTEMS,
    },
};
use std::fmt::Write;

const HEAD: [&str; 9] = [
    "load", "size", "daxrmap", "p99", "longest", "XFS", "ext4", "to XFS", "goal",
];
const MATRIX: &str = "wait: ";

/// Returns a table in columns.
pub fn text(results: &Results, goals: &[Goal]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(lines(results, goals));
    let mut text = columns(&rows);
    for matrix in matrices(results) {
        let _ = write!(text, "\n{}", columns(&matrix));
    }
    text
}

/// Returns a table of reStructuredText.
pub fn rst(results: &Results, goals: &[Goal]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(lines(results, goals));
    let mut text = ruled(&rows);
    let titles = [
        "The longest time that the one in the column's head waits, while the one at the left works; daxrmap:",
        "The same, as a ratio to XFS:",
    ];
    for (title, matrix) in titles.iter().zip(matrices(results)) {
        let _ = write!(text, "\n{title}\n\n{}", ruled(&matrix));
    }
    text
}

fn lines(results: &Results, goals: &[Goal]) -> Vec<Vec<String>> {
    let keys = results.keys();
    let loads = keys.iter().filter(|(load, _)| !load.starts_with(MATRIX));
    loads
        .filter_map(|&(load, size)| {
            let ours = results.row(load, size, FILESYSTEMS[0])?;
            let other = |fs| {
                let row = results.row(load, size, fs);
                row.map_or_else(|| "-".to_owned(), |r| amount(&r.unit, r.value()))
            };
            let goal = goals::of(goals, load, size);
            Some(vec![
                load.to_owned(),
                size.to_string(),
                amount(&ours.unit, ours.value()),
                amount(&ours.unit, ours.p99),
                amount(&ours.unit, ours.max),
                other(FILESYSTEMS[1]),
                other(FILESYSTEMS[2]),
                ours.ratio_xfs.map_or_else(|| "-".to_owned(), ratio),
                against(ours, goal),
            ])
        })
        .collect()
}

/// Says what the goal is, and whether it is missed.
fn against(row: &Row, goal: Option<f64>) -> String {
    match (goal, row.ratio_xfs) {
        (Some(goal), Some(ratio)) if ratio > goal => format!("{goal} missed"),
        (Some(goal), _) => format!("{goal}"),
        (None, _) => "-".to_owned(),
    }
}

/// Returns daxrmap's longest waits, and their ratios to XFS's; none without that load.
fn matrices(results: &Results) -> Vec<Vec<Vec<String>>> {
    let cells: Vec<_> = results
        .rows
        .iter()
        .filter(|r| r.fs == FILESYSTEMS[0])
        .filter_map(|r| Some((r.load.strip_prefix(MATRIX)?.split_once(" | ")?, r)))
        .collect();
    let (mut works, mut waits): (Vec<&str>, Vec<&str>) = Default::default();
    for ((work, wait), _) in &cells {
        if !works.contains(work) {
            works.push(work);
        }
        if !waits.contains(wait) {
            waits.push(wait);
        }
    }
    if cells.is_empty() {
        return Vec::new();
    }
    let shows: [fn(&Row) -> String; 2] = [
        |r| amount(&r.unit, r.max),
        |r| r.ratio_xfs.map_or_else(|| "-".to_owned(), ratio),
    ];
    let names = ["longest wait", "ratio to XFS"];
    let matrix = |(name, show): (&str, fn(&Row) -> String)| {
        let head = std::iter::once(name).chain(waits.iter().copied());
        let mut rows = vec![head.map(str::to_owned).collect::<Vec<_>>()];
        rows.extend(works.iter().map(|work| {
            let cell = |wait: &&str| {
                let found = cells.iter().find(|((w, c), _)| w == work && c == wait);
                found.map_or_else(|| "-".to_owned(), |(_, row)| show(row))
            };
            std::iter::once((*work).to_owned())
                .chain(waits.iter().map(cell))
                .collect()
        }));
        rows
    };
    names.into_iter().zip(shows).map(matrix).collect()
}

/// Returns an amount as people read it: three digits that count.
pub fn amount(unit: &str, value: f64) -> String {
    let of = |value: f64, unit: &str| match value {
        v if v < 10.0 => format!("{v:.2} {unit}"),
        v if v < 100.0 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    };
    match (unit, value) {
        ("told", v) => format!("{v:.0}"),
        ("bytes", v) => format!("{v:.0} B"),
        (_, v) if v < 1e3 => format!("{v:.0} ns"),
        (_, v) if v < 1e6 => of(v / 1e3, "us"),
        (_, v) if v < 1e9 => of(v / 1e6, "ms"),
        (_, v) => of(v / 1e9, "s"),
    }
}

fn ratio(ratio: f64) -> String {
    match ratio {
        r if r < 0.1 => format!("{r:.3}"),
        r if r < 10.0 => format!("{r:.2}"),
        r => format!("{r:.0}"),
    }
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(String::len)
            .max()
    };
    (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect()
}

/// Names to the left, figures to the right.
fn columns(rows: &[Vec<String>]) -> String {
    let widths = widths(rows);
    let mut text = String::new();
    for row in rows {
        for (i, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ = match i {
                0 => write!(text, "{cell:width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

fn ruled(rows: &[Vec<String>]) -> String {
    let widths = widths(rows);
    let rule = widths
        .iter()
        .map(|&w| "=".repeat(w))
        .collect::<Vec<_>>()
        .join(" ")
        + "\n";
    let mut text = rule.clone();
    for (i, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "{}", line.trim_end());
        if i == 0 {
            text += &rule;
        }
    }
    text + &rule
}
