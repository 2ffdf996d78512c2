// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap lost` prints.

use super::{
    File,
    Name, //
};
use serde::Serialize;
use std::fmt;

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
pub struct LostFileReport {
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
pub struct LostReport {
    /// The mount point.
    pub mount: Name,
    /// The files.
    pub files: Vec<LostFileReport>,
}

impl fmt::Display for LostReport {
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

#[cfg(test)]
mod tests {
    use super::{
        super::samples::*,
        *, //
    };

    fn lost() -> LostReport {
        let range = |offset, block| LostRange {
            offset,
            length: 4096,
            block,
            owners: 2,
        };
        let lost = |file, lost| LostFileReport {
            file,
            generation: 9,
            lost,
        };
        LostReport {
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
}
