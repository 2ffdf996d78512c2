// SPDX-License-Identifier: GPL-2.0

//! Output: one struct for each command, which is also the JSON, and its text.
//!
//! In JSON a path is a string. One that is not UTF-8 has U+FFFD where it is not, and `path_hex` beside
//! it, which is the path byte by byte, two hexadecimal digits each. In text see
//! [`escape`](crate::escape).

mod clear;
mod dump;

pub use self::{
    clear::Clear,
    dump::{
        Dump,
        Log,
        Udev, //
    },
};
use crate::{
    abi::{
        Status as Numbers, //
        DAXRMAP_STATUS_INCONSISTENT,
        DAXRMAP_STATUS_READ_ONLY,
        DAXRMAP_STATUS_SHUTDOWN,
    },
    escape::escape,
};
use serde::Serialize;
use std::{
    fmt::{
        self,
        Write, //
    },
    os::unix::ffi::OsStrExt,
    path::Path, //
};

/// A path.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Name {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    #[serde(skip)]
    text: String,
}

impl From<&Path> for Name {
    fn from(path: &Path) -> Self {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a String takes all");
                hex
            })
        };
        let valid = path.to_str().is_some();
        Self {
            path: path.to_string_lossy().into_owned(),
            path_hex: (!valid).then(|| hex(path.as_os_str().as_bytes())),
            text: escape(path.as_os_str()).into_owned(),
        }
    }
}

/// Whether a file has names.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// These.
    Named,
    /// None: it lives until it is closed.
    Unlinked,
    /// None was found.
    Unknown,
}

/// A file.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct File {
    /// Inode number.
    pub inode: u64,
    /// Whether it has names.
    pub state: State,
    /// All names.
    pub paths: Vec<Name>,
}

impl File {
    /// What stands for the file in text: each of its names, or what else is known of it.
    fn texts(&self) -> Vec<String> {
        match self.state {
            State::Named => self.paths.iter().map(|name| name.text.clone()).collect(),
            State::Unlinked => vec![format!("(unlinked) inode {}", self.inode)],
            State::Unknown => vec![format!("(no name found) inode {}", self.inode)],
        }
    }
}

/// Bytes that are lost.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct LostRange {
    /// First byte in the file.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// First block on the device.
    pub block: u64,
    /// How many owners these blocks have, this file among them.
    pub owners: u64,
}

/// A file that has lost data.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct LostFile {
    /// Which.
    #[serde(flatten)]
    pub file: File,
    /// The inode's generation.
    pub generation: u32,
    /// What of it.
    pub lost: Vec<LostRange>,
}

/// `daxrmap lost`
#[derive(Debug, Serialize)]
pub struct Lost {
    /// The mount point.
    pub mount: Name,
    /// The files.
    pub files: Vec<LostFile>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for lost in &self.files {
            for text in lost.file.texts() {
                for range in &lost.lost {
                    let LostRange {
                        offset,
                        length,
                        block,
                        owners,
                    } = range;
                    writeln!(
                        f,
                        "{text}: offset {offset}, length {length}, block {block}, owners {owners}"
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// What a block is used for.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum BlockUse {
    /// Nothing.
    Free,
    /// Files.
    Owned,
    /// Nothing, as it is bad.
    Quarantined,
    /// A superblock.
    Superblock,
    /// The metadata log.
    Log,
    /// It is about to be given to a file, or taken from one.
    Busy,
}

/// A file that owns a block.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Owner {
    /// Which.
    #[serde(flatten)]
    pub file: File,
    /// Where in the file, in bytes: the start of the page.
    pub offset: u64,
}

/// `daxrmap owners`
#[derive(Debug, Serialize)]
pub struct Owners {
    /// The mount point.
    pub mount: Name,
    /// The block.
    pub block: u64,
    /// Its page frame number.
    pub pfn: u64,
    /// What it is used for.
    #[serde(rename = "use")]
    pub used: BlockUse,
    /// Whether it is bad.
    pub bad: bool,
    /// Who owns it.
    pub owners: Vec<Owner>,
}

impl fmt::Display for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {} (pfn {:#x}): ", self.block, self.pfn)?;
        if self.bad {
            f.write_str("bad, ")?;
        }
        match (self.used, self.owners.len()) {
            (BlockUse::Free, _) => writeln!(f, "free")?,
            (BlockUse::Quarantined, _) => writeln!(f, "no owner")?,
            (BlockUse::Superblock, _) => writeln!(f, "superblock")?,
            (BlockUse::Log, _) => writeln!(f, "metadata log")?,
            (BlockUse::Busy, _) => writeln!(f, "in use, no owner")?,
            (BlockUse::Owned, 1) => writeln!(f, "1 owner")?,
            (BlockUse::Owned, n) => writeln!(f, "{n} owners")?,
        }
        for owner in &self.owners {
            for text in owner.file.texts() {
                writeln!(f, "{text}: offset {}", owner.offset)?;
            }
        }
        Ok(())
    }
}

/// `daxrmap status`
#[derive(Debug, Serialize)]
pub struct Status {
    /// The mount point.
    pub mount: Name,
    /// The block device.
    pub device: Name,
    /// Whether the device is gone.
    pub shut_down: bool,
    /// Whether the metadata contradicts itself.
    pub inconsistent: bool,
    /// Whether no changes are made.
    pub read_only: bool,
    block_size: u32,
    blocks: u64,
    free_blocks: u64,
    bad_blocks: u64,
    first_pfn: u64,
    inodes: u64,
    owner_records: u64,
    owner_bytes: u64,
    notifies: u64,
    failed_blocks: u64,
    owners: u64,
    owners_mapped: u64,
    late_faults: u64,
    late_io: u64,
    discovered: u64,
    healed: u64,
    cleared: u64,
    log_used: u64,
    log_size: u64,
}

impl Status {
    /// What the kernel says.
    pub fn new(mount: Name, device: Name, numbers: &Numbers) -> Self {
        Self {
            mount,
            device,
            shut_down: numbers.oflags & DAXRMAP_STATUS_SHUTDOWN != 0,
            inconsistent: numbers.oflags & DAXRMAP_STATUS_INCONSISTENT != 0,
            read_only: numbers.oflags & DAXRMAP_STATUS_READ_ONLY != 0,
            block_size: numbers.block_size,
            blocks: numbers.blocks,
            free_blocks: numbers.free_blocks,
            bad_blocks: numbers.bad_blocks,
            first_pfn: numbers.first_pfn,
            inodes: numbers.inodes,
            owner_records: numbers.owner_records,
            owner_bytes: numbers.owner_bytes,
            notifies: numbers.notifies,
            failed_blocks: numbers.failed_blocks,
            owners: numbers.owners,
            owners_mapped: numbers.owners_mapped,
            late_faults: numbers.late_faults,
            late_io: numbers.late_io,
            discovered: numbers.discovered,
            healed: numbers.healed,
            cleared: numbers.cleared,
            log_used: numbers.log_used,
            log_size: numbers.log_size,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.shut_down, self.inconsistent, self.read_only) {
            (true, ..) => "shut down: the device is gone",
            (_, true, _) => "read-only: the metadata is inconsistent",
            (.., true) => "read-only",
            _ => "in use",
        };
        writeln!(f, "mount:            {}", self.mount.text)?;
        writeln!(f, "device:           {}", self.device.text)?;
        writeln!(f, "state:            {state}")?;
        writeln!(f, "block size:       {}", self.block_size)?;
        writeln!(f, "blocks:           {}", self.blocks)?;
        writeln!(f, "free blocks:      {}", self.free_blocks)?;
        writeln!(f, "bad blocks:       {}", self.bad_blocks)?;
        writeln!(f, "first pfn:        {:#x}", self.first_pfn)?;
        writeln!(f, "inodes:           {}", self.inodes)?;
        writeln!(f, "owner records:    {}", self.owner_records)?;
        writeln!(f, "owner tree bytes: {}", self.owner_bytes)?;
        writeln!(f, "failures:         {}", self.notifies)?;
        writeln!(f, "failed blocks:    {}", self.failed_blocks)?;
        writeln!(f, "owners found:     {}", self.owners)?;
        writeln!(f, "owners mapped:    {}", self.owners_mapped)?;
        writeln!(f, "late faults:      {}", self.late_faults)?;
        writeln!(f, "late I/O:         {}", self.late_io)?;
        writeln!(f, "discovered:       {}", self.discovered)?;
        writeln!(f, "healed pages:     {}", self.healed)?;
        writeln!(f, "returned to use:  {}", self.cleared)?;
        writeln!(
            f,
            "log:              {} of {} bytes",
            self.log_used, self.log_size
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{
        json,
        to_value, //
    };
    use std::ffi::OsStr;

    fn name(bytes: &[u8]) -> Name {
        Path::new(OsStr::from_bytes(bytes)).into()
    }

    fn file(inode: u64, state: State, paths: &[&[u8]]) -> File {
        File {
            inode,
            state,
            paths: paths.iter().map(|path| name(path)).collect(),
        }
    }

    fn lost() -> Lost {
        let range = |offset, block| LostRange {
            offset,
            length: 4096,
            block,
            owners: 2,
        };
        let lost = |file, lost| LostFile {
            file,
            generation: 9,
            lost,
        };
        Lost {
            mount: name(b"/mnt"),
            files: vec![
                lost(
                    file(2, State::Named, &[b"/mnt/a b", b"/mnt/\xff"]),
                    vec![range(0, 4), range(8192, 7)],
                ),
                lost(file(3, State::Unlinked, &[]), vec![range(0, 4)]),
                lost(file(4, State::Unknown, &[]), vec![range(0, 7)]),
            ],
        }
    }

    #[test]
    fn lost_as_text() {
        let text = r"/mnt/a\ b: offset 0, length 4096, block 4, owners 2
/mnt/a\ b: offset 8192, length 4096, block 7, owners 2
/mnt/\377: offset 0, length 4096, block 4, owners 2
/mnt/\377: offset 8192, length 4096, block 7, owners 2
(unlinked) inode 3: offset 0, length 4096, block 4, owners 2
(no name found) inode 4: offset 0, length 4096, block 7, owners 2
";
        assert_eq!(lost().to_string(), text);
    }

    #[test]
    fn lost_as_json() {
        let range =
            |offset, block| json!({"offset": offset, "length": 4096, "block": block, "owners": 2});
        let expected = json!({
            "mount": {"path": "/mnt"},
            "files": [
                {
                    "inode": 2, "generation": 9, "state": "named",
                    "paths": [
                        {"path": "/mnt/a b"},
                        {"path": "/mnt/\u{fffd}", "path_hex": "2f6d6e742fff"},
                    ],
                    "lost": [range(0, 4), range(8192, 7)],
                },
                {
                    "inode": 3, "generation": 9, "state": "unlinked", "paths": [],
                    "lost": [range(0, 4)],
                },
                {
                    "inode": 4, "generation": 9, "state": "unknown", "paths": [],
                    "lost": [range(0, 7)],
                },
            ],
        });
        assert_eq!(to_value(lost()).unwrap(), expected);
    }

    fn owners(used: BlockUse, bad: bool, n: u64) -> Owners {
        let owner = |inode| Owner {
            file: file(inode, State::Named, &[b"/mnt/x"]),
            offset: 4096 * inode,
        };
        Owners {
            mount: name(b"/mnt"),
            block: 4,
            pfn: 0x100004,
            used,
            bad,
            owners: (1..=n).map(owner).collect(),
        }
    }

    #[test]
    fn owners_as_text() {
        let first = |used, bad, n| {
            let text = owners(used, bad, n).to_string();
            assert_eq!(text.lines().count() as u64, n + 1);
            let line = text.lines().next().unwrap();
            line.strip_prefix("block 4 (pfn 0x100004): ")
                .unwrap()
                .to_owned()
        };
        assert_eq!(first(BlockUse::Free, false, 0), "free");
        assert_eq!(first(BlockUse::Quarantined, true, 0), "bad, no owner");
        assert_eq!(first(BlockUse::Log, false, 0), "metadata log");
        assert_eq!(first(BlockUse::Superblock, false, 0), "superblock");
        assert_eq!(first(BlockUse::Busy, false, 0), "in use, no owner");
        assert_eq!(first(BlockUse::Owned, false, 1), "1 owner");
        assert_eq!(first(BlockUse::Owned, true, 2), "bad, 2 owners");
        let text = owners(BlockUse::Owned, false, 1).to_string();
        assert!(text.ends_with("\n/mnt/x: offset 4096\n"));
    }

    #[test]
    fn owners_as_json() {
        let expected = json!({
            "mount": {"path": "/mnt"}, "block": 4, "pfn": 0x100004, "use": "owned", "bad": true,
            "owners": [
                {"inode": 1, "state": "named", "paths": [{"path": "/mnt/x"}], "offset": 4096},
            ],
        });
        assert_eq!(
            to_value(owners(BlockUse::Owned, true, 1)).unwrap(),
            expected
        );
    }

    #[test]
    fn status() {
        let status = |oflags| {
            let numbers = Numbers {
                oflags,
                block_size: 4096,
                blocks: 131072,
                healed: 3,
                cleared: 2,
                log_used: 5,
                log_size: 6,
                ..Numbers::default()
            };
            Status::new(name(b"/mnt"), name(b"/dev/pmem0"), &numbers)
        };
        assert!(status(0)
            .to_string()
            .contains("\nstate:            in use\n"));
        assert!(status(0)
            .to_string()
            .ends_with("\nreturned to use:  2\nlog:              5 of 6 bytes\n"));
        assert!(status(4)
            .to_string()
            .contains("\nstate:            read-only\n"));
        assert!(status(1).to_string().contains("shut down"));
        assert!(status(2).to_string().contains("inconsistent"));
        let json = to_value(status(1)).unwrap();
        assert_eq!(json["shut_down"], true);
        assert_eq!(json["inconsistent"], false);
        assert_eq!(json["blocks"], 131072);
        assert_eq!(json["healed"], 3);
        assert_eq!(json["cleared"], 2);
        assert_eq!(json["device"], json!({"path": "/dev/pmem0"}));
    }
}
