// SPDX-License-Identifier: GPL-2.0

//! Operations of the log, as text and JSON.

use super::name;
use crate::escape::escape;
use daxrmap_media::operation::{
    Attributes,
    Operation, //
};
use serde_json::{
    json,
    Value, //
};
use std::{
    ffi::OsStr,
    fmt,
    ops::Range,
    os::unix::ffi::OsStrExt, //
};

/// First and last.
struct Run<'a>(&'static str, &'a Range<u64>);

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(what, Range { start, end }) = self;
        match end.saturating_sub(*start) {
            0 => write!(f, "no {what}s"),
            1 => write!(f, "{what} {start}"),
            _ => write!(f, "{what}s {start} to {}", end - 1),
        }
    }
}

struct Attr<'a>(&'a Attributes);

impl fmt::Display for Attr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attributes {
            mode,
            uid,
            gid,
            nlink,
            size,
            times: [_, mtime, _, _],
            generation,
            device: (major, minor),
            flags,
        } = self.0;
        write!(
            f,
            "mode {mode:06o}, uid {uid}, gid {gid}, links {nlink}, size {size}, \
             mtime {}.{:09}, generation {generation}",
            mtime.0, mtime.1
        )?;
        if (*major, *minor) != (0, 0) {
            write!(f, ", device {major}:{minor}")?;
        }
        if *flags != 0 {
            write!(f, ", flags {flags:#x}")?;
        }
        Ok(())
    }
}

/// One line, without its end.
pub(super) fn text(op: &Operation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let file_name = |name: &[u8]| escape(OsStr::from_bytes(name)).into_owned();
    match op {
        Operation::NewInode {
            inode,
            parent,
            attributes,
        } => {
            write!(f, "NewInode {inode}: ")?;
            if let Some(parent) = parent {
                write!(f, "parent {parent}, ")?;
            }
            write!(f, "{}", Attr(attributes))
        }
        Operation::FreeInode { inode } => write!(f, "FreeInode {inode}"),
        Operation::SetAttr { inode, attributes } => {
            write!(f, "SetAttr {inode}: {}", Attr(attributes))
        }
        Operation::Link {
            directory,
            name,
            inode,
        } => write!(
            f,
            "Link in {directory}: {} is inode {inode}",
            file_name(name)
        ),
        Operation::Unlink { directory, name } => {
            write!(f, "Unlink in {directory}: {}", file_name(name))
        }
        Operation::SetParent { directory, parent } => {
            write!(f, "SetParent {directory}: parent {parent}")
        }
        Operation::Map {
            inode,
            pages,
            blocks,
        } => write!(
            f,
            "Map {inode}: {}, {}",
            Run("page", pages),
            Run("block", blocks)
        ),
        Operation::Unmap { inode, pages } => write!(f, "Unmap {inode}: {}", Run("page", pages)),
        Operation::Shift { inode, from, to } => {
            write!(
                f,
                "Shift {inode}: page {from} and what follows to page {to}"
            )
        }
        Operation::MarkBad { blocks } => write!(f, "MarkBad: {}", Run("block", blocks)),
        Operation::UnmarkBad { blocks } => write!(f, "UnmarkBad: {}", Run("block", blocks)),
        Operation::NextIno { inode } => write!(f, "NextIno {inode}"),
        Operation::SetTarget { inode, target } => {
            write!(f, "SetTarget {inode}: {}", file_name(target))
        }
        Operation::SetXattr {
            inode,
            name,
            length,
            acl,
        } => {
            write!(f, "SetXattr {inode}: {}, {length} bytes", file_name(name))?;
            match acl {
                Some(acl) => write!(f, ": {acl}"),
                None => Ok(()),
            }
        }
        Operation::RemoveXattr { inode, name } => {
            write!(f, "RemoveXattr {inode}: {}", file_name(name))
        }
        Operation::MapUnwritten {
            inode,
            pages,
            blocks,
        } => write!(
            f,
            "MapUnwritten {inode}: {}, {}",
            Run("page", pages),
            Run("block", blocks)
        ),
        Operation::Convert {
            inode,
            pages,
            written,
        } => write!(
            f,
            "Convert {inode}: {}, to {}",
            Run("page", pages),
            if *written { "written" } else { "unwritten" }
        ),
    }
}

fn attributes(attr: &Attributes) -> Value {
    let [atime, mtime, ctime, btime] = attr
        .times
        .map(|(sec, nsec)| json!({ "sec": sec, "nsec": nsec }));
    json!({
        "mode": attr.mode,
        "uid": attr.uid,
        "gid": attr.gid,
        "nlink": attr.nlink,
        "size": attr.size,
        "atime": atime,
        "mtime": mtime,
        "ctime": ctime,
        "btime": btime,
        "generation": attr.generation,
        "device": { "major": attr.device.0, "minor": attr.device.1 },
        "flags": attr.flags,
    })
}

/// One object.
pub(super) fn json(op: &Operation) -> Value {
    let count = |range: &Range<u64>| range.end - range.start;
    match op {
        Operation::NewInode {
            inode,
            parent,
            attributes: attr,
        } => json!({
            "op": "NewInode", "inode": inode, "parent": parent, "attributes": attributes(attr),
        }),
        Operation::FreeInode { inode } => json!({ "op": "FreeInode", "inode": inode }),
        Operation::SetAttr {
            inode,
            attributes: attr,
        } => json!({ "op": "SetAttr", "inode": inode, "attributes": attributes(attr) }),
        Operation::Link {
            directory,
            name: bytes,
            inode,
        } => json!({
            "op": "Link", "directory": directory, "name": name(bytes), "inode": inode,
        }),
        Operation::Unlink {
            directory,
            name: bytes,
        } => json!({ "op": "Unlink", "directory": directory, "name": name(bytes) }),
        Operation::SetParent { directory, parent } => {
            json!({ "op": "SetParent", "directory": directory, "parent": parent })
        }
        Operation::Map {
            inode,
            pages,
            blocks,
        } => json!({
            "op": "Map", "inode": inode,
            "page": pages.start, "block": blocks.start, "count": count(pages),
        }),
        Operation::Unmap { inode, pages } => json!({
            "op": "Unmap", "inode": inode, "page": pages.start, "count": count(pages),
        }),
        Operation::Shift { inode, from, to } => json!({
            "op": "Shift", "inode": inode, "page": from, "to": to,
        }),
        Operation::MarkBad { blocks } => {
            json!({ "op": "MarkBad", "block": blocks.start, "count": count(blocks) })
        }
        Operation::UnmarkBad { blocks } => {
            json!({ "op": "UnmarkBad", "block": blocks.start, "count": count(blocks) })
        }
        Operation::NextIno { inode } => json!({ "op": "NextIno", "inode": inode }),
        Operation::SetTarget { inode, target } => {
            json!({ "op": "SetTarget", "inode": inode, "target": name(target) })
        }
        Operation::SetXattr {
            inode,
            name: bytes,
            length,
            acl,
        } => json!({
            "op": "SetXattr", "inode": inode, "name": name(bytes), "length": length, "acl": acl,
        }),
        Operation::RemoveXattr { inode, name: bytes } => {
            json!({ "op": "RemoveXattr", "inode": inode, "name": name(bytes) })
        }
        Operation::MapUnwritten {
            inode,
            pages,
            blocks,
        } => json!({
            "op": "MapUnwritten", "inode": inode,
            "page": pages.start, "block": blocks.start, "count": count(pages),
        }),
        Operation::Convert {
            inode,
            pages,
            written,
        } => json!({
            "op": "Convert", "inode": inode,
            "page": pages.start, "count": count(pages), "written": written,
        }),
    }
}
