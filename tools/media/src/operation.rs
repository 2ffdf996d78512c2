// SPDX-License-Identifier: GPL-2.0

//! The operations of a log, to be shown. Documentation/format.rst tells what they mean.

use crate::state::{
    acl::{
        StoredAcl,
        Who,
        ACCESS,
        DEFAULT, //
    },
    Attr,
    Op,
    Timestamp, //
};
use std::ops::Range;

/// Attributes of an inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Type and permissions.
    pub mode: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of links.
    pub nlink: u32,
    /// Size in bytes.
    pub size: u64,
    /// Access, contents, inode, birth: seconds and nanoseconds since 1970.
    pub times: [(i64, u32); 4],
    /// Tells users of the number apart.
    pub generation: u32,
    /// Of a device: major and minor number.
    pub device: (u32, u32),
    /// What chattr(1) has set.
    pub flags: u32,
}

impl From<&Attr> for Attributes {
    fn from(attr: &Attr) -> Self {
        let time = |time: Timestamp| (time.sec, time.nsec);
        Self {
            mode: attr.mode,
            uid: attr.uid,
            gid: attr.gid,
            nlink: attr.nlink,
            size: attr.size,
            times: [attr.atime, attr.mtime, attr.ctime, attr.btime].map(time),
            generation: attr.generation,
            device: (attr.rdev >> 20, attr.rdev & 0xf_ffff),
            flags: attr.flags,
        }
    }
}

/// An operation. Pages are counted in a file, blocks on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "format.rst has them all")]
pub enum Operation {
    NewInode {
        inode: u64,
        /// Of a directory.
        parent: Option<u64>,
        attributes: Attributes,
    },
    FreeInode {
        inode: u64,
    },
    SetAttr {
        inode: u64,
        attributes: Attributes,
    },
    Link {
        directory: u64,
        name: Vec<u8>,
        inode: u64,
    },
    Unlink {
        directory: u64,
        name: Vec<u8>,
    },
    SetParent {
        directory: u64,
        parent: u64,
    },
    Map {
        inode: u64,
        pages: Range<u64>,
        blocks: Range<u64>,
    },
    Unmap {
        inode: u64,
        pages: Range<u64>,
    },
    Shift {
        inode: u64,
        /// First page that moves.
        from: u64,
        /// Where it comes to be.
        to: u64,
    },
    MarkBad {
        blocks: Range<u64>,
    },
    UnmarkBad {
        blocks: Range<u64>,
    },
    NextIno {
        inode: u64,
    },
    SetTarget {
        inode: u64,
        target: Vec<u8>,
    },
    SetXattr {
        inode: u64,
        name: Vec<u8>,
        /// Bytes of the value.
        length: usize,
        /// What it says if it is an ACL, as setfacl(1) takes it; "not valid" if it is not valid.
        acl: Option<String>,
    },
    RemoveXattr {
        inode: u64,
        name: Vec<u8>,
    },
    MapUnwritten {
        inode: u64,
        pages: Range<u64>,
        blocks: Range<u64>,
    },
    Convert {
        inode: u64,
        pages: Range<u64>,
        /// Whether they are written from here on.
        written: bool,
    },
}

/// So many from `start` on. What a log says may be anything.
fn range(start: u64, len: u64) -> Range<u64> {
    start..start.saturating_add(len)
}

fn acl_text(value: &[u8]) -> String {
    let Some(acl) = StoredAcl::new(value) else {
        return "not valid".to_owned();
    };
    let entries = acl.iter().map(|entry| {
        let permissions: String = "rwx"
            .chars()
            .zip([4, 2, 1])
            .map(|(letter, bit)| {
                if entry.permissions & bit != 0 {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        match entry.who {
            Who::Owner => format!("user::{permissions}"),
            Who::User(id) => format!("user:{id}:{permissions}"),
            Who::OwningGroup => format!("group::{permissions}"),
            Who::Group(id) => format!("group:{id}:{permissions}"),
            Who::Mask => format!("mask::{permissions}"),
            Who::Other => format!("other::{permissions}"),
        }
    });
    entries.collect::<Vec<_>>().join(",")
}

impl From<Op> for Operation {
    fn from(op: Op) -> Self {
        match op {
            Op::NewInode { ino, attr, parent } => Self::NewInode {
                inode: ino,
                parent: attr.is_dir().then_some(parent),
                attributes: (&attr).into(),
            },
            Op::FreeInode { ino } => Self::FreeInode { inode: ino },
            Op::SetAttr { ino, attr } => Self::SetAttr {
                inode: ino,
                attributes: (&attr).into(),
            },
            Op::Link { dir, name, ino } => Self::Link {
                directory: dir,
                name: name.to_vec(),
                inode: ino,
            },
            Op::Unlink { dir, name } => Self::Unlink {
                directory: dir,
                name: name.to_vec(),
            },
            Op::SetParent { ino, parent } => Self::SetParent {
                directory: ino,
                parent,
            },
            Op::Map {
                ino,
                pgoff,
                block,
                len,
                unwritten,
            } => {
                let (inode, pages, blocks) = (ino, range(pgoff, len), range(block, len));
                if unwritten {
                    Self::MapUnwritten {
                        inode,
                        pages,
                        blocks,
                    }
                } else {
                    Self::Map {
                        inode,
                        pages,
                        blocks,
                    }
                }
            }
            Op::Unmap { ino, pgoff, len } => Self::Unmap {
                inode: ino,
                pages: range(pgoff, len),
            },
            Op::Shift { ino, from, to } => Self::Shift {
                inode: ino,
                from,
                to,
            },
            Op::MarkBad { block, len } => Self::MarkBad {
                blocks: range(block, len),
            },
            Op::UnmarkBad { block, len } => Self::UnmarkBad {
                blocks: range(block, len),
            },
            Op::NextIno { ino } => Self::NextIno { inode: ino },
            Op::SetTarget { ino, target } => Self::SetTarget {
                inode: ino,
                target: target.to_vec(),
            },
            Op::SetXattr { ino, name, value } => Self::SetXattr {
                inode: ino,
                name: name.to_vec(),
                length: value.len(),
                acl: matches!(&*name, ACCESS | DEFAULT).then(|| acl_text(&value)),
            },
            Op::RemoveXattr { ino, name } => Self::RemoveXattr {
                inode: ino,
                name: name.to_vec(),
            },
            Op::Convert {
                ino,
                pgoff,
                len,
                written,
            } => Self::Convert {
                inode: ino,
                pages: range(pgoff, len),
                written,
            },
        }
    }
}
