// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap owners` prints.

use super::{
    File,
    Name, //
};
use serde::Serialize;
use std::fmt;

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
    /// What else the filesystem has.
    Metadata,
    /// Something that nobody tells of.
    Unknown,
}

/// A file that owns a block.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct OwnerReport {
    /// Which.
    #[serde(flatten)]
    pub file: File,
    /// Where in the file, in bytes: the start of the page.
    pub offset: u64,
    /// What of the file, if it is not its data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
}

/// `daxrmap owners`
#[derive(Debug, Serialize)]
pub struct OwnersReport {
    /// The mount point.
    pub mount: Name,
    /// The block.
    pub block: u64,
    /// Its page frame number, if it is known.
    pub pfn: Option<u64>,
    /// What it is used for.
    #[serde(rename = "use")]
    pub used: BlockUse,
    /// Which metadata it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<&'static str>,
    /// Whether it is bad.
    pub bad: bool,
    /// Who owns it.
    pub owners: Vec<OwnerReport>,
}

impl fmt::Display for OwnersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {}", self.block)?;
        if let Some(pfn) = self.pfn {
            write!(f, " (pfn {pfn:#x})")?;
        }
        f.write_str(": ")?;
        if self.bad {
            f.write_str("bad, ")?;
        }
        match (self.used, self.owners.len()) {
            (BlockUse::Free, _) => writeln!(f, "free")?,
            (BlockUse::Quarantined, _) => writeln!(f, "no owner")?,
            (BlockUse::Superblock, _) => writeln!(f, "superblock")?,
            (BlockUse::Log, _) => writeln!(f, "metadata log")?,
            (BlockUse::Busy, _) => writeln!(f, "in use, no owner")?,
            (BlockUse::Metadata, _) => writeln!(f, "{}", self.metadata.unwrap_or("metadata"))?,
            (BlockUse::Unknown, _) => writeln!(f, "in use, no owner found")?,
            (BlockUse::Owned, 1) => writeln!(f, "1 owner")?,
            (BlockUse::Owned, n) => writeln!(f, "{n} owners")?,
        }
        for owner in &self.owners {
            for text in owner.file.texts() {
                let part = owner
                    .part
                    .map_or_else(String::new, |part| format!("{part}, "));
                writeln!(f, "{text}: {part}offset {}", owner.offset)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::*,
        *, //
    };

    fn owners(used: BlockUse, bad: bool, n: u64) -> OwnersReport {
        let owner = |inode| OwnerReport {
            file: file(inode, State::Named, &[b"/mnt/x"]),
            offset: 4096 * inode,
            part: None,
        };
        OwnersReport {
            mount: name(b"/mnt"),
            block: 4,
            pfn: Some(0x100004),
            used,
            metadata: None,
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
        assert_eq!(first(BlockUse::Metadata, true, 0), "bad, metadata");
        assert_eq!(
            first(BlockUse::Unknown, true, 0),
            "bad, in use, no owner found"
        );
        let mut report = owners(BlockUse::Owned, false, 1);
        report.pfn = None;
        report.owners[0].part = Some("directory");
        let text = "block 4: 1 owner\n/mnt/x: directory, offset 4096\n";
        assert_eq!(report.to_string(), text);
        let mut report = owners(BlockUse::Metadata, true, 0);
        report.metadata = Some("inodes");
        assert_eq!(report.to_string(), "block 4 (pfn 0x100004): bad, inodes\n");
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
}
