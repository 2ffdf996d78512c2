// SPDX-License-Identifier: GPL-2.0

//! The arguments of `daxrmap map`.

use super::{
    number,
    On, //
};
use crate::size;
use clap::{
    Args,
    ValueHint, //
};
use std::path::PathBuf;

/// What to draw, and where to.
#[derive(Debug, Args)]
pub struct MapArgs {
    /// Where, and how to tell.
    #[command(flatten)]
    pub on: On,
    /// Write a picture for the web there (-: standard output)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub svg: Option<PathBuf>,
    /// Write a page there that says what is under the pointer (-: standard output)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Draw only these blocks, the last one too; or bytes, with K, M, G, T or P
    #[arg(long, value_name = "START-END", value_parser = zoom, conflicts_with = "file")]
    pub range: Option<Zoom>,
    /// Draw only from the first to the last block of this file, and mark those that it has
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// A place on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A block.
    Block(u64),
    /// A byte.
    Byte(u64),
}

/// A part of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zoom {
    /// Its start.
    pub start: Bound,
    /// Its end: the last block of it, or the first byte that is not.
    pub end: Bound,
}

impl Zoom {
    /// In bytes, whole blocks of so many; `None` if it has none.
    pub fn bytes(&self, block: u64) -> Option<std::ops::Range<u64>> {
        let start = match self.start {
            Bound::Block(n) => n.checked_mul(block)?,
            Bound::Byte(n) => n / block * block,
        };
        let end = match self.end {
            Bound::Block(n) => n.checked_add(1)?.checked_mul(block)?,
            Bound::Byte(n) => n.checked_next_multiple_of(block)?,
        };
        (start < end).then_some(start..end)
    }
}

fn bound(text: &str) -> Result<Bound, String> {
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    match text.ends_with(|c: char| c.is_ascii_alphabetic()) && !is_hex {
        true => size::parse(text).map(Bound::Byte),
        false => number(text).map(Bound::Block),
    }
}

fn zoom(text: &str) -> Result<Zoom, String> {
    let (start, end) = text.split_once('-').ok_or("no -END")?;
    Ok(Zoom {
        start: bound(start).map_err(|why| format!("START is {why}"))?,
        end: bound(end).map_err(|why| format!("END is {why}"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{
        Cli,
        Command, //
    };
    use clap::Parser;

    fn map(args: &[&str]) -> Option<MapArgs> {
        match Cli::try_parse_from(["daxrmap", "map"].iter().chain(args)) {
            Ok(Cli {
                command: Command::Map(map),
            }) => Some(map),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        }
    }

    #[test]
    fn what_to_draw() {
        let all = map(&["/mnt", "--svg", "a", "--html", "-", "--json"]).unwrap();
        assert!(all.on.json && all.range.is_none() && all.file.is_none());
        assert_eq!(all.svg.unwrap().to_str(), Some("a"));
        assert_eq!(
            map(&["/mnt", "--file", "x"])
                .unwrap()
                .file
                .unwrap()
                .to_str(),
            Some("x")
        );
        for bad in [
            &[][..],
            &["/mnt", "--range", "1-2", "--file", "x"],
            &["/mnt", "--range", "1"],
            &["/mnt", "--range", "-1"],
            &["/mnt", "--range", "1-2-3"],
            &["/mnt", "--range", "a-2"],
            &["/mnt", "--range", "1-2Q"],
            &["/mnt", "--svg"],
        ] {
            assert!(map(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn ranges() {
        let bytes = |text| zoom(text).unwrap().bytes(4096);
        assert_eq!(bytes("3-4"), Some(3 * 4096..5 * 4096));
        assert_eq!(bytes("0x10-0x1f"), Some(16 * 4096..32 * 4096));
        assert_eq!(bytes("0-0"), Some(0..4096));
        assert_eq!(bytes("1M-2M"), Some(1 << 20..2 << 20));
        assert_eq!(bytes("5K-6K"), Some(4096..8192));
        assert_eq!(bytes("2-1M"), Some(8192..1 << 20));
        for none in ["4-3", "1M-1M", "1M-0", "0-18446744073709551615"] {
            assert_eq!(bytes(none), None, "{none}");
        }
    }
}
