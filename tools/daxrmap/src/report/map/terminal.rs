// SPDX-License-Identifier: GPL-2.0

//! The picture in a terminal: a letter for each cell, on its colour if there are colours.

use super::MapReport;
use crate::map::{
    terminal,
    Class, //
};
use anstyle::{
    Ansi256Color,
    Style, //
};
use std::fmt::Write;

/// Rows of cells.
pub(super) const ROWS: usize = 16;
/// Lines of lost files; `daxrmap lost` has all.
const LOST: usize = 20;
/// Two entries of the legend beside one another.
const LEGEND: usize = 75;

/// Cells of a row, where the last block has this number: a power of 2.
pub(super) fn columns(width: usize, last: u64) -> usize {
    let room = width.saturating_sub(digits(last) + 1).max(8);
    (1 << room.ilog2()).min(128)
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

fn style(class: Class) -> Style {
    terminal(class).map_or_else(Style::new, |(letter, behind)| {
        Style::new()
            .fg_color(Some(Ansi256Color(letter).into()))
            .bg_color(Some(Ansi256Color(behind).into()))
    })
}

pub(super) fn draw(map: &MapReport, width: usize, colors: bool) -> String {
    let mut text = String::new();
    write_all(&mut text, map, width, colors).expect("a String takes all");
    text
}

fn write_all(out: &mut String, map: &MapReport, width: usize, colors: bool) -> std::fmt::Result {
    writeln!(out, "{}", map.heading())?;
    wrapped(out, &map.scale(), width)?;
    writeln!(out)?;
    cells(out, map, width, colors)?;
    writeln!(out)?;
    legend(out, map, width, colors)?;
    if let Some(file) = &map.file {
        writeln!(out, "^ {}", file.text)?;
    }
    for note in &map.notes {
        wrapped(out, note, width)?;
    }
    lost(out, map)
}

fn cells(out: &mut String, map: &MapReport, width: usize, colors: bool) -> std::fmt::Result {
    let label = digits(map.last);
    for row in map.cells.chunks(columns(width, map.last)) {
        let first = row.first().map_or(0, |cell| cell.block);
        write!(out, "{first:>label$} ")?;
        for run in row.chunk_by(|a, b| a.class == b.class) {
            let class = run[0].class;
            let letters: String = run.iter().map(|_| class.glyph()).collect();
            painted(out, class, &letters, colors)?;
        }
        writeln!(out)?;
        if row.iter().any(|cell| cell.marked) {
            let marks = row.iter().map(|cell| if cell.marked { '^' } else { ' ' });
            let marks: String = marks.collect();
            writeln!(out, "{:label$} {}", "", marks.trim_end())?;
        }
    }
    Ok(())
}

fn painted(out: &mut String, class: Class, text: &str, colors: bool) -> std::fmt::Result {
    match colors {
        true => {
            let style = style(class);
            write!(out, "{style}{text}{style:#}")
        }
        false => out.write_str(text),
    }
}

fn legend(out: &mut String, map: &MapReport, width: usize, colors: bool) -> std::fmt::Result {
    let entries = map.legend();
    let rows = match width >= LEGEND {
        true => entries.len().div_ceil(2),
        false => entries.len(),
    };
    for row in 0..rows {
        for (i, (class, bytes, percent)) in entries.iter().skip(row).step_by(rows).enumerate() {
            if i != 0 {
                write!(out, "   ")?;
            }
            painted(out, *class, &class.glyph().to_string(), colors)?;
            let size = crate::size::human(*bytes);
            write!(out, " {:<16} {size:>10} {percent:>6}", class.label())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn lost(out: &mut String, map: &MapReport) -> std::fmt::Result {
    let text = map.lost.to_string();
    let lines: Vec<_> = text.lines().collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nLost:")?;
    for line in lines.iter().take(LOST) {
        writeln!(out, "{line}")?;
    }
    match lines.len().saturating_sub(LOST) {
        0 => Ok(()),
        more => writeln!(out, "and {more} more: daxrmap lost {}", map.mount.text),
    }
}

/// In lines of this width, as far as words allow it.
fn wrapped(out: &mut String, text: &str, width: usize) -> std::fmt::Result {
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        match used {
            0 => used = length,
            _ if used + 1 + length > width => {
                writeln!(out)?;
                used = length;
            }
            _ => {
                write!(out, " ")?;
                used += 1 + length;
            }
        }
        write!(out, "{word}")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::{
        super::sample,
        *, //
    };

    #[test]
    fn columns_that_fit() {
        assert_eq!(columns(80, 131_071), 64);
        assert_eq!(columns(80, u64::MAX), 32);
        assert_eq!(columns(70, 99_999), 64);
        assert_eq!(columns(69, 99_999), 32);
        assert_eq!(columns(1000, 1), 128);
        assert_eq!(columns(0, 1), 8);
    }

    #[test]
    fn eighty_columns_without_colors() {
        let map = sample::map(64, ROWS);
        let text = draw(&map, 80, false);
        assert!(text.is_ascii() && !text.contains('\x1b'), "{text}");
        let (picture, lost) = text.split_once("\nLost:\n").unwrap();
        assert!(picture.lines().all(|line| line.len() <= 80), "{picture}");
        let rows: Vec<_> = picture.lines().skip(4).take(5).collect();
        let m = "m".repeat(16);
        assert_eq!(rows[0], format!("     0 {m}{}", "o".repeat(48)));
        assert_eq!(
            rows[2],
            format!(" 16384 {}!{}", "o".repeat(44), "2".repeat(19))
        );
        let marks = 30_000 / 128 - 24_576 / 128..33_000_u64.div_ceil(128) - 24_576 / 128;
        let marked = "^".repeat(64 - marks.start as usize);
        assert_eq!(
            rows[4],
            format!("{}{marked}", " ".repeat(7 + marks.start as usize))
        );
        let legend =
            "o data              113.2 MiB 22.1 %   m metadata           15.8 MiB  3.1 %\n";
        assert!(picture.contains(legend), "{picture}");
        assert!(
            picture.contains("! bad                   8 KiB <0.1 %\n"),
            "{picture}"
        );
        assert!(picture.contains("\n^ /mnt/db/t1\n"));
        assert!(picture.contains("\nOf 3000 blocks <nobody> & nothing is known."));
        assert_eq!(lost.lines().count(), 2);
        assert!(lost.contains("\\033[2J"));
    }

    #[test]
    fn colors_are_put_back() {
        let map = sample::map(64, ROWS);
        let (plain, colored) = (draw(&map, 80, false), draw(&map, 80, true));
        let stripped = anstream::adapter::strip_str(&colored).to_string();
        assert_eq!(stripped, plain);
        assert!(colored.contains("\x1b[38;5;231m\x1b[48;5;160m!\x1b[0m"));
        for line in colored.lines().filter(|line| line.contains("\x1b[48")) {
            assert!(line.rfind("\x1b[0m") > line.rfind("\x1b[48"), "{line:?}");
        }
    }

    #[test]
    fn narrow() {
        let text = draw(&sample::map(16, ROWS), 30, false);
        let (picture, _) = text.split_once("\nLost:\n").unwrap();
        let cells = picture.lines().filter(|line| line.contains("mmm"));
        assert!(cells.clone().next().is_some());
        assert!(cells.clone().all(|line| line.len() <= 30), "{picture}");
    }
}
