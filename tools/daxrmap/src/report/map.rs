// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap map` shows: the facts, which are the JSON, and pictures of them.

mod html;
mod markup;
mod svg;
mod terminal;

use super::{
    File,
    LostReport,
    Name, //
};
use crate::map::{
    Cell,
    Cells,
    Class, //
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::Write, //
};

/// Cells of a row, on a page.
const PAGE_COLUMNS: usize = 64;

/// A cell.
#[derive(Debug, Serialize)]
pub struct CellReport {
    /// Its first block.
    pub block: u64,
    /// How many it has.
    pub blocks: u64,
    /// What it is shown as.
    pub class: Class,
    /// How many bytes of it are what.
    pub bytes: BTreeMap<&'static str, u64>,
    /// How many places of files have the block that most have.
    pub owners: u64,
    /// Some of the inodes that have something of it.
    pub inodes: Vec<u64>,
    /// There are more.
    pub more_inodes: bool,
    /// What the filesystem has there for itself.
    pub metadata: Vec<&'static str>,
    /// It has something of the file that is looked at.
    pub marked: bool,
}

/// `daxrmap map`
#[derive(Debug, Serialize)]
pub struct MapReport {
    /// The mount point.
    pub mount: Name,
    /// The block device.
    pub device: Name,
    /// Of what kind the filesystem is.
    pub filesystem: &'static str,
    /// Bytes of a block.
    pub block_size: u64,
    /// Blocks of the device.
    pub blocks: u64,
    /// The first one that is shown.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Blocks of a cell; the last cell may have fewer.
    pub cell_blocks: u64,
    /// The file that is looked at.
    pub file: Option<Name>,
    /// Bytes of each class.
    pub bytes: BTreeMap<&'static str, u64>,
    /// What is not known.
    pub notes: Vec<String>,
    /// The cells, in order.
    pub cells: Vec<CellReport>,
    /// The files that are named in cells.
    pub files: Vec<File>,
    /// What is lost there.
    pub lost: LostReport,
}

/// How many cells a page has room for.
pub fn page_cells() -> usize {
    PAGE_COLUMNS * 32
}

/// How many cells a terminal has room for, where the last block has this number.
pub fn text_cells(width: usize, last: u64) -> usize {
    terminal::columns(width, last) * terminal::ROWS
}

/// What is in the cells, for the JSON and for pictures.
pub fn cells(cells: &Cells, block_size: u64) -> Vec<CellReport> {
    let report = |(at, cell): (std::ops::Range<u64>, &Cell)| CellReport {
        block: at.start / block_size,
        blocks: (at.end - at.start).div_ceil(block_size),
        class: cell.class(),
        bytes: bytes(|class| cell.bytes(class)),
        owners: cell.most_owners,
        inodes: cell.inodes.clone(),
        more_inodes: cell.more_inodes,
        metadata: cell.metadata.clone(),
        marked: cell.marked,
    };
    cells.iter().map(report).collect()
}

/// What there is, by class.
pub fn bytes(of: impl Fn(Class) -> u64) -> BTreeMap<&'static str, u64> {
    let all = Class::ALL.into_iter();
    all.map(|class| (class.key(), of(class)))
        .filter(|&(_, bytes)| bytes != 0)
        .collect()
}

impl MapReport {
    /// For a terminal of this width, or what is no terminal.
    pub fn text(&self, width: usize, colors: bool) -> String {
        terminal::draw(self, width, colors)
    }

    /// A picture for the web, or for a text processor.
    pub fn svg(&self) -> String {
        svg::file(self)
    }

    /// A page that needs nothing else.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// The line above all.
    fn heading(&self) -> String {
        let mut text = format!(
            "{} on {}, {}: ",
            self.mount.text, self.device.text, self.filesystem
        );
        let blocks = self.last + 1 - self.first;
        let size = crate::size::human(blocks.saturating_mul(self.block_size));
        match blocks == self.blocks {
            true => write!(text, "{blocks} blocks, {size}"),
            false => write!(
                text,
                "blocks {} to {} of {}, {size}",
                self.first, self.last, self.blocks
            ),
        }
        .expect("a String takes all");
        text
    }

    /// What a cell is.
    fn scale(&self) -> String {
        if self.cell_blocks == 1 {
            return "Each cell is a block.".to_owned();
        }
        let size = crate::size::human(self.cell_blocks.saturating_mul(self.block_size));
        format!(
            "Each cell is {} blocks, {size}, and shows what most of them are; one bad block makes it bad.",
            self.cell_blocks
        )
    }

    /// The classes that there are, how many bytes of each, and how much of all that is.
    fn legend(&self) -> Vec<(Class, u64, String)> {
        let all: u64 = self.bytes.values().sum();
        let entry = |class: Class| {
            let bytes = *self.bytes.get(class.key())?;
            let percent = bytes as f64 * 100.0 / all as f64;
            let percent = match percent < 0.1 {
                true => "<0.1 %".to_owned(),
                false => format!("{percent:.1} %"),
            };
            Some((class, bytes, percent))
        };
        Class::ALL.into_iter().filter_map(entry).collect()
    }

    /// What is said of a cell, in lines.
    fn about(&self, cell: &CellReport) -> String {
        let mut text = match cell.blocks {
            1 => format!("block {}", cell.block),
            n => format!("blocks {} to {}", cell.block, cell.block + n - 1),
        };
        let mut line = |line: String| {
            text.push('\n');
            text.push_str(&line);
        };
        let parts = Class::ALL.into_iter().filter_map(|class| {
            let bytes = cell.bytes.get(class.key())?;
            Some(match cell.blocks {
                1 => class.label().to_owned(),
                _ => format!("{}: {}", class.label(), crate::size::human(*bytes)),
            })
        });
        line(parts.collect::<Vec<_>>().join(", "));
        if !cell.metadata.is_empty() {
            line(cell.metadata.join(", "));
        }
        match (cell.owners, cell.blocks) {
            (0, _) => {}
            (1, 1) => line("1 owner".to_owned()),
            (n, 1) => line(format!("{n} owners")),
            (1, _) => line("1 owner for a block".to_owned()),
            (n, _) => line(format!("up to {n} owners for a block")),
        }
        for ino in &cell.inodes {
            line(self.name_of(*ino));
        }
        if cell.more_inodes {
            line("and others".to_owned());
        }
        text
    }

    /// The first name of a file, and how many more there are.
    fn name_of(&self, ino: u64) -> String {
        let found = self.files.binary_search_by_key(&ino, |file| file.inode);
        let Ok(file) = found.map(|i| &self.files[i]) else {
            return format!("inode {ino}");
        };
        let mut texts = file.texts();
        let first = texts.drain(..1).collect();
        match texts.len() {
            0 => first,
            1 => format!("{first} (and 1 more name)"),
            n => format!("{first} (and {n} more names)"),
        }
    }
}

/// What the tests of the pictures draw.
#[cfg(test)]
mod sample {
    use super::*;
    use crate::report::{
        samples::{
            file,
            name, //
        },
        LostFileReport,
        LostMetadata,
        LostRange,
        State, //
    };

    pub(super) const BLOCK: u64 = 4096;
    pub(super) const EVIL: &[u8] = b"/mnt/<script>alert(1)</script>\x1b[2J'\"&\xff";

    fn blocks(range: std::ops::Range<u64>) -> std::ops::Range<u64> {
        range.start * BLOCK..range.end * BLOCK
    }

    /// A device of 131072 blocks that has some of everything.
    pub(super) fn map(columns: usize, rows: usize) -> MapReport {
        let mut all = Cells::new(blocks(0..131_072), BLOCK, columns * rows);
        let mut at = 0;
        for (class, count, owners) in [
            (Class::Metadata, 2049, 0),
            (Class::Data, 20_000, 1),
            (Class::Bad, 1, 2),
            (Class::Shared2, 14_000, 2),
            (Class::Data, 9_000, 1),
            (Class::Shared3, 11_000, 7),
            (Class::Shared10, 8_000, 1000),
            (Class::Unknown, 3_000, 0),
            (Class::Bad, 1, 0),
            (Class::Free, 62_000, 0),
            (Class::Metadata, 2021, 0),
        ] {
            all.add(blocks(at..at + count), class, owners);
            if owners != 0 {
                let inodes = 131..131 + owners.min(20);
                inodes.for_each(|ino| all.owner(blocks(at..at + count), ino));
            }
            if class == Class::Metadata {
                all.metadata(blocks(at..at + count), "log");
            }
            at += count;
        }
        assert_eq!(at, 131_072);
        all.mark(blocks(30_000..33_000));
        let lost = LostRange {
            offset: 8192,
            length: 4096,
            block: 22_049,
            owners: 2,
            part: None,
        };
        let lost = LostReport {
            mount: name(b"/mnt"),
            files: vec![LostFileReport {
                file: file(131, State::Named, &[EVIL]),
                generation: Some(9),
                lost: vec![lost],
                packages: None,
                processes: None,
            }],
            metadata: Some(vec![LostMetadata {
                what: None,
                block: 67_050,
                length: 4096,
            }]),
        };
        MapReport {
            mount: name(b"/mnt"),
            device: name(b"/dev/pmem0"),
            filesystem: "daxrmap",
            block_size: BLOCK,
            blocks: 131_072,
            first: 0,
            last: 131_071,
            cell_blocks: all.size() / BLOCK,
            file: Some(name(b"/mnt/db/t1")),
            bytes: bytes(|class| all.total(class)),
            notes: vec!["Of 3000 blocks <nobody> & nothing is known.".to_owned()],
            cells: cells(&all, BLOCK),
            files: vec![
                file(131, State::Named, &[EVIL]),
                file(132, State::Named, &[b"/mnt/a b", b"/mnt/c"]),
                file(133, State::Unknown, &[]),
            ],
            lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        sample::*,
        *, //
    };

    #[test]
    fn what_is_said_of_cells() {
        let map = map(64, 16);
        assert_eq!(
            map.heading(),
            "/mnt on /dev/pmem0, daxrmap: 131072 blocks, 512 MiB"
        );
        assert_eq!(
            map.about(&map.cells[0]),
            "blocks 0 to 127\nmetadata: 512 KiB\nlog"
        );
        let bad = map.cells.iter().find(|cell| cell.class == Class::Bad);
        let about = map.about(bad.unwrap());
        let evil = r#"/mnt/<script>alert(1)</script>\033[2J'"&\377"#;
        assert_eq!(
            about,
            format!(
                "blocks 22016 to 22143\ndata: 132 KiB, shared by 2: 376 KiB, bad: 4 KiB\n\
                 up to 2 owners for a block\n{evil}\n/mnt/a\\ b (and 1 more name)"
            )
        );
        let many = map.cells.iter().find(|cell| cell.owners == 1000).unwrap();
        assert!(many.more_inodes);
        let about = map.about(many);
        assert!(
            about.contains("\n(no name found) inode 133\ninode 134\n"),
            "{about}"
        );
        assert!(about.ends_with("\nand others"));
        let mut one = map;
        one.first = 10;
        one.last = 10;
        assert_eq!(
            one.heading(),
            "/mnt on /dev/pmem0, daxrmap: blocks 10 to 10 of 131072, 4 KiB"
        );
    }

    #[test]
    fn as_json() {
        let json = serde_json::to_value(map(64, 16)).unwrap();
        assert_eq!(json["cell_blocks"], 128);
        assert_eq!(json["cells"].as_array().unwrap().len(), 1024);
        assert_eq!(json["cells"][0]["class"], "metadata");
        assert_eq!(json["cells"][0]["bytes"]["metadata"], 128 * BLOCK);
        assert_eq!(json["bytes"]["bad"], 2 * BLOCK);
        assert_eq!(json["lost"]["files"][0]["lost"][0]["block"], 22_049);
        assert_eq!(json["files"][0]["inode"], 131);
        assert!(json["files"][0]["paths"][0]["path_hex"].is_string());
    }
}
