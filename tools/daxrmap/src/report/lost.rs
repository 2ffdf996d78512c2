// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap lost` prints.

use super::{
    File,
    Name, //
};
use crate::{
    escape::escape,
    processes::Process, //
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
    /// What of the file, if it is not its data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
}

/// Blocks that the filesystem itself has lost.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct LostMetadata {
    /// What it has there; `None` if that is not known, nor whether it is a file.
    pub what: Option<&'static str>,
    /// First block on the device.
    pub block: u64,
    /// Number of bytes.
    pub length: u64,
}

/// A file that has lost data.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct LostFileReport {
    /// Which.
    #[serde(flatten)]
    pub file: File,
    /// The inode's generation, if there was something to ask.
    pub generation: Option<u32>,
    /// What of it.
    pub lost: Vec<LostRange>,
    /// The packages that have it, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages: Option<Vec<String>>,
    /// The processes that have it open or mapped, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<Vec<Process>>,
}

impl LostFileReport {
    /// What goes behind each line.
    fn more(&self) -> String {
        let mut more = String::new();
        let mut list = |what: &str, all: Vec<String>| match all.is_empty() {
            true => {}
            false => more.push_str(&format!(", {what} {}", all.join(" "))),
        };
        list("packages", self.packages.clone().unwrap_or_default());
        let process =
            |process: &Process| format!("{}({})", escape(process.comm.as_ref()), process.pid);
        let processes = self.processes.iter().flatten().map(process);
        list("open by", processes.collect());
        more
    }
}

/// `daxrmap lost`
#[derive(Debug, Serialize)]
pub struct LostReport {
    /// The mount point.
    pub mount: Name,
    /// The files.
    pub files: Vec<LostFileReport>,
    /// What else, on other filesystems than ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Vec<LostMetadata>>,
}

impl fmt::Display for LostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for lost in &self.files {
            let more = lost.more();
            for text in lost.file.texts() {
                for range in &lost.lost {
                    let LostRange {
                        offset,
                        length,
                        block,
                        owners,
                        part,
                    } = range;
                    let part = part.map_or_else(String::new, |part| format!("{part}, "));
                    writeln!(
                        f,
                        "{text}: {part}offset {offset}, length {length}, block {block}, owners {owners}{more}"
                    )?;
                }
            }
        }
        for lost in self.metadata.iter().flatten() {
            let what = lost.what.unwrap_or("in use, no owner found");
            writeln!(f, "({what}): length {}, block {}", lost.length, lost.block)?;
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
            part: None,
        };
        let lost = |file, lost| LostFileReport {
            file,
            generation: Some(9),
            lost,
            packages: None,
            processes: None,
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
            metadata: None,
        }
    }

    /// What other filesystems may have lost beside.
    fn more() -> LostReport {
        let metadata = |what, block| LostMetadata {
            what,
            block,
            length: 8192,
        };
        LostReport {
            mount: name(b"/mnt"),
            files: vec![LostFileReport {
                file: file(2, State::Named, &[b"/mnt/a"]),
                generation: None,
                lost: vec![LostRange {
                    offset: 0,
                    length: 4096,
                    block: 5,
                    owners: 1,
                    part: Some("attributes"),
                }],
                packages: None,
                processes: None,
            }],
            metadata: Some(vec![metadata(Some("inodes"), 7), metadata(None, 9)]),
        }
    }

    #[test]
    fn what_is_no_data() {
        let text = "/mnt/a: attributes, offset 0, length 4096, block 5, owners 1
(inodes): length 8192, block 7
(in use, no owner found): length 8192, block 9
";
        assert_eq!(more().to_string(), text);
        let expected = json!({
            "mount": {"path": "/mnt"},
            "files": [{
                "inode": 2, "generation": null, "state": "named", "paths": [{"path": "/mnt/a"}],
                "lost": [{
                    "offset": 0, "length": 4096, "block": 5, "owners": 1, "part": "attributes",
                }],
            }],
            "metadata": [
                {"what": "inodes", "block": 7, "length": 8192},
                {"what": null, "block": 9, "length": 8192},
            ],
        });
        assert_eq!(to_value(more()).unwrap(), expected);
    }

    #[test]
    fn whose_and_who() {
        let mut lost = more();
        lost.metadata = None;
        lost.files[0].packages = Some(vec!["a".to_owned(), "libb:amd64".to_owned()]);
        lost.files[0].processes = Some(vec![Process {
            pid: 12,
            comm: "a b\x1b".to_owned(),
            open: true,
            mapped: false,
        }]);
        let text = r"/mnt/a: attributes, offset 0, length 4096, block 5, owners 1, packages a libb:amd64, open by a\ b\033(12)
";
        assert_eq!(lost.to_string(), text);
        let json = to_value(&lost).unwrap();
        assert_eq!(json["files"][0]["packages"], json!(["a", "libb:amd64"]));
        let process = json!([{"pid": 12, "comm": "a b\x1b", "open": true, "mapped": false}]);
        assert_eq!(json["files"][0]["processes"], process);
        // Asked, and there are none.
        lost.files[0].packages = Some(Vec::new());
        lost.files[0].processes = Some(Vec::new());
        assert!(lost.to_string().ends_with("owners 1\n"));
        assert_eq!(to_value(&lost).unwrap()["files"][0]["packages"], json!([]));
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
