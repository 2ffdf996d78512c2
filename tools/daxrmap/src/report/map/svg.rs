// SPDX-License-Identifier: GPL-2.0

//! The picture as SVG: a square for each cell, which says what it is when one points at it.

use super::{
    markup::text,
    MapReport,
    PAGE_COLUMNS, //
};
use crate::map::{
    Class,
    Color,
    Theme,
    DARK,
    LIGHT, //
};
use std::fmt::{
    Result,
    Write, //
};

/// From a cell to the next.
const PITCH: usize = 14;
/// A cell's side.
const SIDE: usize = 13;
/// Height of a line of text.
const LINE: usize = 20;
/// Width of a digit, and a little more.
const DIGIT: usize = 8;
/// Around a picture that is alone.
const MARGIN: usize = 16;

fn hex([red, green, blue]: Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The colours, by day and by night.
pub(super) fn style() -> String {
    let of = |theme: &Theme| {
        let mut rules = format!(
            ":root{{--background:{};--text:{};--faint:{};--mark:{}}}",
            hex(theme.background),
            hex(theme.text),
            hex(theme.faint),
            hex(theme.mark)
        );
        for class in Class::ALL {
            let (key, color) = (class.key(), hex(theme.of(class)));
            write!(rules, ".{key}{{fill:{color};background:{color}}}").expect("a String takes all");
        }
        rules
    };
    format!(
        "{}@media(prefers-color-scheme:dark){{{}}}\
         text{{fill:var(--text);font:13px system-ui,sans-serif}}\
         .n{{fill:var(--faint);font:12px ui-monospace,monospace;text-anchor:end}}\
         .x{{stroke:var(--background);stroke-width:2;pointer-events:none}}\
         .f,.h{{fill:none;stroke:var(--mark);stroke-width:2;stroke-linecap:square;pointer-events:none}}\
         .h{{stroke:var(--background);stroke-width:4}}",
        of(&LIGHT),
        of(&DARK)
    )
}

/// Where row and column of a cell are, in a picture that has `left` beside it.
fn place(index: usize, left: usize, top: usize) -> (usize, usize) {
    let (row, column) = (index / PAGE_COLUMNS, index % PAGE_COLUMNS);
    (left + column * PITCH, top + row * PITCH)
}

/// Room for the numbers of blocks.
fn left(map: &MapReport) -> usize {
    (map.last.checked_ilog10().unwrap_or(0) as usize + 2) * DIGIT
}

/// Width and height of the cells with their numbers.
pub(super) fn size(map: &MapReport) -> (usize, usize) {
    let rows = map.cells.len().div_ceil(PAGE_COLUMNS);
    (left(map) + PAGE_COLUMNS * PITCH, rows * PITCH)
}

/// The cells, with their top left corner there.
pub(super) fn cells(out: &mut String, map: &MapReport, x: usize, y: usize) -> Result {
    let left = x + left(map);
    for (row, cells) in map.cells.chunks(PAGE_COLUMNS).enumerate() {
        let (x, y) = (left - DIGIT, y + row * PITCH + SIDE - 2);
        writeln!(
            out,
            "<text class=\"n\" x=\"{x}\" y=\"{y}\">{}</text>",
            cells[0].block
        )?;
    }
    for (index, cell) in map.cells.iter().enumerate() {
        let (x, y) = place(index, left, y);
        write!(
            out,
            "<rect class=\"c {}\" x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\"><title>{}</title></rect>",
            cell.class.key(),
            text(&map.about(cell))
        )?;
        if cell.class == Class::Bad {
            cross(out, x, y)?;
        }
        writeln!(out)?;
    }
    marks(out, map, left, y)
}

fn cross(out: &mut String, x: usize, y: usize) -> Result {
    let (a, b) = (3, SIDE - 3);
    write!(
        out,
        "<path class=\"x\" d=\"M{} {}L{} {}M{} {}L{} {}\"/>",
        x + a,
        y + a,
        x + b,
        y + b,
        x + b,
        y + a,
        x + a,
        y + b
    )
}

/// Lines around the cells of the file that is looked at, where the next cell is not one of them.
fn marks(out: &mut String, map: &MapReport, left: usize, top: usize) -> Result {
    let marked = |index: Option<usize>| {
        let cell = index.and_then(|index| map.cells.get(index));
        cell.is_some_and(|cell| cell.marked)
    };
    let mut path = String::new();
    for index in (0..map.cells.len()).filter(|&index| marked(Some(index))) {
        let (x, y) = place(index, left, top);
        let (x, y) = (x as f64 - 0.5, y as f64 - 0.5);
        let pitch = PITCH as f64;
        let column = index % PAGE_COLUMNS;
        let before = index.checked_sub(1).filter(|_| column != 0);
        let after = Some(index + 1).filter(|_| column + 1 != PAGE_COLUMNS);
        if !marked(index.checked_sub(PAGE_COLUMNS)) {
            write!(path, "M{x} {y}h{pitch}")?;
        }
        if !marked(Some(index + PAGE_COLUMNS)) {
            write!(path, "M{x} {}h{pitch}", y + pitch)?;
        }
        if !marked(before) {
            write!(path, "M{x} {y}v{pitch}")?;
        }
        if !marked(after) {
            write!(path, "M{} {y}v{pitch}", x + pitch)?;
        }
    }
    match path.is_empty() {
        true => Ok(()),
        // On dark cells and on light ones.
        false => writeln!(
            out,
            "<path class=\"h\" d=\"{path}\"/><path class=\"f\" d=\"{path}\"/>"
        ),
    }
}

/// A file of its own: with a heading, and the legend below.
pub(super) fn file(map: &MapReport) -> String {
    let mut out = String::new();
    write_file(&mut out, map).expect("a String takes all");
    out
}

fn write_file(out: &mut String, map: &MapReport) -> Result {
    let (width, height) = size(map);
    let top = MARGIN + 2 * LINE + LINE / 2;
    let mut below = top + height + LINE;
    let mut body = String::new();
    cells(&mut body, map, MARGIN, top)?;
    let column = width / 4;
    let entries = map.legend();
    for (i, (class, bytes, percent)) in entries.iter().enumerate() {
        let (x, y) = (MARGIN + i % 4 * column, below + i / 4 * LINE);
        let key = class.key();
        write!(
            body,
            "<rect class=\"{key}\" x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\"/>"
        )?;
        if *class == Class::Bad {
            cross(&mut body, x, y)?;
        }
        writeln!(
            body,
            "<text x=\"{}\" y=\"{}\">{}: {}, {percent}</text>",
            x + PITCH + 4,
            y + SIDE - 2,
            text(class.label()),
            crate::size::human(*bytes),
            percent = text(percent)
        )?;
    }
    below += entries.len().div_ceil(4) * LINE + LINE;
    let file = map.file.iter().map(|file| format!("Framed: {}", file.text));
    let lost = map.lost.to_string();
    let lost: Vec<_> = lost.lines().map(|line| format!("Lost: {line}")).collect();
    for line in file.chain(map.notes.iter().cloned()).chain(lost) {
        writeln!(
            body,
            "<text x=\"{MARGIN}\" y=\"{below}\">{}</text>",
            text(&line)
        )?;
        below += LINE;
    }
    let width = width + 2 * MARGIN;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{below}\" viewBox=\"0 0 {width} {below}\">"
    )?;
    writeln!(out, "<title>{}</title>", text(&map.heading()))?;
    writeln!(out, "<style>{}</style>", style())?;
    writeln!(
        out,
        "<rect width=\"100%\" height=\"100%\" fill=\"var(--background)\"/>"
    )?;
    for (i, line) in [map.heading(), map.scale()].iter().enumerate() {
        let y = MARGIN + (i + 1) * LINE - 6;
        writeln!(out, "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>", text(line))?;
    }
    writeln!(out, "{body}</svg>")
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn names_stay_text() {
        let svg = sample::map(64, 32).svg();
        assert!(!svg.contains("<script"), "{svg}");
        assert!(!svg.contains('\x1b'));
        assert!(
            svg.contains("/mnt/&lt;script&gt;alert(1)&lt;/script&gt;\\033[2J&#39;&quot;&amp;\\377")
        );
        assert!(svg.contains("&lt;nobody&gt; &amp; nothing"));
        assert!(svg.contains("&lt;0.1 %"));
        assert_eq!(svg.matches("<rect class=\"c ").count(), 2048);
        // Two bad cells, and the legend.
        assert_eq!(svg.matches("class=\"x\"").count(), 3);
        assert_eq!(svg.matches("class=\"f\"").count(), 1);
        // Nothing is fetched.
        assert_eq!(svg.matches("://").count(), 1);
    }
}
