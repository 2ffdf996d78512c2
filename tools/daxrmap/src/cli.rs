// SPDX-License-Identifier: GPL-2.0

//! The arguments of `daxrmap`, as clap reads them: a command, and what it is about. [`mod@cxl`], [`guard`],
//! [`lost`], [`map`] and [`scrub`] have those of the commands of these names.

pub mod cxl;
pub mod guard;
pub mod lost;
pub mod map;
pub mod monitor;
pub mod scrub;

use clap::{
    builder::{
        OsStringValueParser,
        TypedValueParser, //
    }, //
    ArgGroup,
    Args,
    Parser,
    Subcommand,
};
use std::{
    ffi::{
        OsStr,
        OsString, //
    },
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    process::ExitCode, //
};

/// Asks a filesystem what is lost, and who owns a page; returns bad blocks to use; shows what is on the
/// medium; guards what other filesystems have on persistent memory.
#[derive(Debug, Parser)]
#[command(name = "daxrmap", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the files that have lost data, and which bytes of them
    Lost(lost::LostArgs),
    /// List the files that own a block of the device
    Owners(OwnersArgs),
    /// Draw the device: what is free, shared, bad
    Map(map::MapArgs),
    /// Show the size of the filesystem, and what happened to it
    Status {
        /// Where, and how to tell.
        #[command(flatten)]
        on: On,
    },
    /// Have bad blocks that no file owns cleared and tested, and return them to use
    Clear(ClearArgs),
    /// Show what is on the medium: superblocks, and the log
    Dump(DumpArgs),
    /// Ask CXL memory devices what is poisoned, and put it on the driver's list of bad blocks
    Cxl(cxl::CxlArgs),
    /// Guard what other filesystems have on persistent memory
    Guard {
        /// What to do.
        #[command(subcommand)]
        command: guard::GuardCommand,
    },
    /// Read what is in use, so that poison is found before a process meets it
    Scrub(scrub::ScrubArgs),
    /// Tell what happens to files, mounts and devices, as it happens
    Monitor(monitor::MonitorArgs),
    /// Run the hooks for what the monitor's service has put aside for them
    Hooks(monitor::HooksArgs),
}

/// What all commands take.
#[derive(Debug, Args)]
pub struct On {
    /// Where the filesystem is mounted
    #[arg(value_name = "MNT")]
    pub mount: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which block.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub struct OwnersArgs {
    /// Where, and how to tell.
    #[command(flatten)]
    pub on: On,
    /// The block, counted from the start of the filesystem's part of the device
    #[arg(value_name = "BLOCK", group = "which", value_parser = number)]
    pub block: Option<u64>,
    /// The block with this page frame number
    #[arg(long, value_name = "PFN", group = "which", value_parser = number)]
    pub pfn: Option<u64>,
    /// The block that holds this byte of a file
    #[arg(
        long, value_name = "FILE:OFFSET", group = "which",
        value_parser = OsStringValueParser::new().try_map(file_offset),
    )]
    pub file: Option<FileOffset>,
}

/// Which blocks.
#[derive(Debug, Args)]
pub struct ClearArgs {
    /// Where, and how to tell.
    #[command(flatten)]
    pub on: On,
    /// The first block, counted from the start of the filesystem's part of the device
    #[arg(value_name = "BLOCK", value_parser = number)]
    pub block: u64,
    /// How many blocks
    #[arg(value_name = "COUNT", default_value = "1", value_parser = count)]
    pub count: u64,
}

/// What of a medium.
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// The block device, or the file with an image
    #[arg(value_name = "DEV")]
    pub device: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Show all records of the log too
    #[arg(long)]
    pub log: bool,
    /// Print what udev wants to know: ID_FS_TYPE and the like
    #[arg(long, conflicts_with_all = ["json", "log"])]
    pub udev: bool,
}

/// A byte of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOffset {
    /// The file.
    pub path: PathBuf,
    /// The byte.
    pub offset: u64,
}

/// Prints help and version, or what is wrong with the arguments of the program `name`.
pub fn not_parsed(name: &str, error: &clap::Error, usage: ExitCode) -> ExitCode {
    let text = error.render().to_string();
    if !error.use_stderr() {
        print!("{text}");
        return ExitCode::SUCCESS;
    }
    eprint!("{name}: {}", text.strip_prefix("error: ").unwrap_or(&text));
    usage
}

/// A number as C has it: decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Result<u64, String> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    // from_str_radix() takes a sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err("not a number".to_owned());
    }
    u64::from_str_radix(digits, radix).map_err(|_| "too large".to_owned())
}

/// A number of things, of which there is one at least.
fn count(text: &str) -> Result<u64, String> {
    match number(text)? {
        0 => Err("not one block".to_owned()),
        count => Ok(count),
    }
}

/// `FILE:OFFSET`, where FILE may have colons in it.
fn file_offset(text: OsString) -> Result<FileOffset, String> {
    let bytes = text.as_bytes();
    let colon = bytes.iter().rposition(|&byte| byte == b':');
    let (path, offset) = bytes.split_at(colon.ok_or("no :OFFSET")?);
    let offset = std::str::from_utf8(&offset[1..]).map_err(|_| "OFFSET is not a number")?;
    if path.is_empty() {
        return Err("no FILE".to_owned());
    }
    Ok(FileOffset {
        path: OsStr::from_bytes(path).into(),
        offset: number(offset).map_err(|why| format!("OFFSET is {why}"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Command, clap::Error> {
        let args = ["daxrmap"].iter().chain(args);
        Cli::try_parse_from(args).map(|cli| cli.command)
    }

    fn owners(args: &[&str]) -> OwnersArgs {
        match parse(args).unwrap() {
            Command::Owners(owners) => owners,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn commands() {
        for json in [false, true] {
            let mut args = vec!["lost", "/mnt"];
            args.extend(json.then_some("--json"));
            let Command::Lost(lost) = parse(&args).unwrap() else {
                panic!("not lost");
            };
            let on = lost.on;
            assert_eq!((on.mount.to_str(), on.json), (Some("/mnt"), json));
            args[0] = "status";
            assert!(matches!(parse(&args).unwrap(), Command::Status { on } if on.json == json));
        }
    }

    #[test]
    fn one_of_three_ways_to_name_a_block() {
        assert_eq!(owners(&["owners", "/mnt", "12"]).block, Some(12));
        assert_eq!(owners(&["owners", "/mnt", "0x1F"]).block, Some(31));
        assert_eq!(
            owners(&["owners", "/mnt", "--pfn", "0x100004"]).pfn,
            Some(0x100004)
        );
        let file = owners(&["owners", "--file", "a:b:4096", "/mnt"])
            .file
            .unwrap();
        assert_eq!((file.path.to_str(), file.offset), (Some("a:b"), 4096));
        assert!(parse(&["owners", "/mnt"]).is_err());
        assert!(parse(&["owners", "/mnt", "1", "--pfn", "2"]).is_err());
        assert!(parse(&["owners", "/mnt", "--pfn", "2", "--file", "a:0"]).is_err());
        assert!(parse(&["owners", "12"]).is_err());
    }

    #[test]
    fn blocks_to_clear() {
        let clear = |args: &[&str]| match parse(args) {
            Ok(Command::Clear(clear)) => Some((clear.block, clear.count, clear.on.json)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        assert_eq!(clear(&["clear", "/mnt", "12"]), Some((12, 1, false)));
        assert_eq!(
            clear(&["clear", "--json", "/mnt", "0x10", "0x20"]),
            Some((16, 32, true))
        );
        assert_eq!(clear(&["clear", "/mnt", "1", "2", "3"]), None);
        assert_eq!(clear(&["clear", "/mnt", "1", "0"]), None);
        assert_eq!(clear(&["clear", "/mnt", "1", "-2"]), None);
        assert_eq!(clear(&["clear", "/mnt"]), None);
    }

    #[test]
    fn what_to_dump() {
        let dump = |args: &[&str]| match parse(args) {
            Ok(Command::Dump(dump)) => Some((dump.json, dump.log, dump.udev)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        assert_eq!(dump(&["dump", "/x"]), Some((false, false, false)));
        assert_eq!(
            dump(&["dump", "--log", "--json", "/x"]),
            Some((true, true, false))
        );
        assert_eq!(dump(&["dump", "/x", "--udev"]), Some((false, false, true)));
        assert_eq!(dump(&["dump", "/x", "--udev", "--json"]), None);
        assert_eq!(dump(&["dump", "/x", "--udev", "--log"]), None);
        assert_eq!(dump(&["dump"]), None);
    }

    #[test]
    fn numbers() {
        assert_eq!(number("0"), Ok(0));
        assert_eq!(number("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(number("0xffffffffffffffff"), Ok(u64::MAX));
        for bad in [
            "",
            "-1",
            "+1",
            "0x",
            "0x+1",
            "1k",
            " 1",
            "a",
            "18446744073709551616",
        ] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_with_odd_names() {
        let text = OsString::from(OsStr::from_bytes(b"\xff:\n:0x10"));
        let file = file_offset(text).unwrap();
        assert_eq!(file.path.as_os_str().as_bytes(), b"\xff:\n");
        assert_eq!(file.offset, 16);
        for bad in ["a", "a:", ":1", "a:b", "a:1:"] {
            assert!(file_offset(bad.into()).is_err(), "{bad}");
        }
        assert!(file_offset(OsStr::from_bytes(b"a:\xff").into()).is_err());
    }

    #[test]
    fn what_is_no_usage() {
        for args in [
            &[][..],
            &["lost"],
            &["frob", "/mnt"],
            &["lost", "/mnt", "x"],
        ] {
            let error = parse(args).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args:?}");
        }
        assert_eq!(parse(&["--help"]).unwrap_err().exit_code(), 0);
        assert_eq!(parse(&["--version"]).unwrap_err().exit_code(), 0);
    }
}
