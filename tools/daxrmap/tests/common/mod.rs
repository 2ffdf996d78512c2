// SPDX-License-Identifier: GPL-2.0

//! Runs the programs on images.

#![allow(dead_code, reason = "not all tests use all of it")]

pub use daxrmap_media::sample::Step;

use daxrmap_media::sample;
use serde_json::Value;
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{
        Path, //
        PathBuf,
    },
    process::{
        Command,
        Output,
        Stdio, //
    }, //
};

pub const BLOCK: u64 = 4096;

/// Of most images.
pub const BLOCKS: u64 = 640;

/// What a program has said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Said {
            code: output.status.code().expect("a signal ended it"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    /// It has worked, and complained of nothing. Returns what it printed.
    #[track_caller]
    pub fn fine(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        self.out
    }

    /// It has failed so, with one line, and printed nothing. Returns that line, without what is before
    /// the reason.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        assert_eq!(self.err.matches('\n').count(), 1, "{self:?}");
        let line = self.err.trim_end();
        line.rsplit_once(": ")
            .map_or(line, |(_, last)| last)
            .to_owned()
    }
}

pub fn mkfs() -> Command {
    program(env!("CARGO_BIN_EXE_mkfs-daxrmap"))
}

pub fn fsck() -> Command {
    program(env!("CARGO_BIN_EXE_fsck-daxrmap"))
}

pub fn daxrmap() -> Command {
    program(env!("CARGO_BIN_EXE_daxrmap"))
}

fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command.stdin(Stdio::null());
    command
}

pub fn said(command: &mut Command) -> Said {
    command.output().unwrap().into()
}

/// What fsck.daxrmap says of it.
pub fn check(path: &Path, args: &[&str]) -> Said {
    said(fsck().args(args).arg(path))
}

/// What fsck.daxrmap prints for a problem, or in the end.
#[track_caller]
pub fn expect(said: &Said, code: i32, text: &str) {
    assert_eq!((said.code, said.err.as_str()), (code, ""), "{said:?}");
    assert!(said.out.contains(text), "{text}\n{said:?}");
}

/// A folder for images, which goes away.
pub struct Dir(tempfile::TempDir);

impl Dir {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file that is all zeroes.
    pub fn file(&self, name: &str, size: u64) -> PathBuf {
        let path = self.path(name);
        File::create(&path).unwrap().set_len(size).unwrap();
        path
    }
}

pub fn read(path: &Path, at: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    File::open(path)
        .unwrap()
        .read_exact_at(&mut bytes, at)
        .unwrap();
    bytes
}

pub fn write(path: &Path, at: u64, bytes: &[u8]) {
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

pub const UUID: &str = "01234567-89ab-4def-8123-456789abcdef";

/// An image with this in it.
pub fn image(dir: &Dir, name: &str, blocks: u64, steps: &[Step<'_>]) -> PathBuf {
    let path = dir.file(name, blocks * BLOCK);
    said(mkfs().args(["-q", "-U", UUID, "-L", "a b"]).arg(&path)).fine();
    add(&path, steps);
    path
}

/// This happens in it.
pub fn add(path: &Path, steps: &[Step<'_>]) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let blocks = file.metadata().unwrap().len() / BLOCK;
    sample::fill(&file, blocks, steps).unwrap();
}

/// Turns bits.
pub fn damage(path: &Path, at: u64) {
    let byte = read(path, at, 1)[0];
    write(path, at, &[byte ^ 0x41]);
}

/// A record of the log.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// First byte on the device.
    pub at: u64,
    pub seq: u64,
}

pub fn dump(path: &Path) -> Value {
    let said = said(daxrmap().args(["dump", "--json", "--log"]).arg(path));
    serde_json::from_str(&said.out).unwrap()
}

/// The records of the log, as far as it can be read.
pub fn records(path: &Path) -> Vec<Record> {
    let of = |record: &Value| {
        let number = |name: &str| record[name].as_u64().unwrap();
        Record {
            at: number("block") * BLOCK + number("byte"),
            seq: number("seq"),
        }
    };
    let dump = dump(path);
    dump["log"]["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

/// Changes the superblock at a byte of the device, and makes its checksum right.
pub fn change_superblock(path: &Path, at: u64, change: impl FnOnce(&mut [u8])) {
    let mut sb = read(path, at, 512);
    change(&mut sb);
    sb[12..16].fill(0);
    let sum = !crc32c::crc32c(&sb);
    sb[12..16].copy_from_slice(&sum.to_le_bytes());
    write(path, at, &sb);
}

/// What blkid finds: nothing is 2.
pub fn blkid(path: &Path) -> Said {
    said(Command::new("blkid").args(["-p", "-o", "export"]).arg(path))
}
