// SPDX-License-Identifier: GPL-2.0

//! The picture of a folder: its rooms by floor, and what each takes from.

use crate::{
    arrows::Arrows,
    graph::{self, Folder},
};
use std::fmt::Write;

/// How it stands in a page, as a literal block.
const INDENT: &str = "    ";

/// The floor, the room, and the rooms that it takes from: a line each, from the top.
pub fn draw(folder: &Folder<'_>, arrows: &Arrows) -> Vec<String> {
    let pairs = folder.pairs(arrows);
    let width = folder.rooms.iter().map(String::len).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (floor, rooms) in graph::floors(&folder.rooms, &pairs).iter().rev() {
        for room in rooms {
            let takes = pairs.iter().filter(|(from, _)| from == room);
            let takes: Vec<_> = takes.map(|(_, to)| to.as_str()).collect();
            let line = format!("{floor:2}  {room:width$}  {}", takes.join(", "));
            lines.push(line.trim_end().to_string());
        }
    }
    lines
}

/// The lines as they are to be in a page.
pub fn block(lines: &[String]) -> String {
    let mut out = String::new();
    for line in lines {
        // Writing to a String does not fail.
        let _ = writeln!(out, "{INDENT}{line}");
    }
    out
}

/// Whether a page has these lines as a block: indented, by whatever, and with nothing more in it.
pub fn is_in(page: &str, lines: &[String]) -> bool {
    let page: Vec<_> = page.lines().collect();
    let is_blank = |at: Option<usize>| {
        let line = at.and_then(|at| page.get(at));
        line.is_none_or(|line| line.trim().is_empty())
    };
    page.windows(lines.len().max(1))
        .enumerate()
        .any(|(at, window)| {
            is_block(window, lines)
                && is_blank(at.checked_sub(1))
                && is_blank(Some(at + window.len()))
        })
}

fn is_block(window: &[&str], lines: &[String]) -> bool {
    let (Some(first), Some(line)) = (window.first(), lines.first()) else {
        return false;
    };
    let Some(indent) = first.strip_suffix(line.as_str()) else {
        return false;
    };
    !indent.is_empty()
        && indent.trim().is_empty()
        && window
            .iter()
            .zip(lines)
            .all(|(w, line)| w.strip_prefix(indent) == Some(line))
}
