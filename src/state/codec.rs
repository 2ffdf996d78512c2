// SPDX-License-Identifier: GPL-2.0

//! Operations as bytes, as the log has them. Documentation/format.rst has every field.
//!
//! Pure, nothing to lock. What is decoded may come from anywhere: it is an operation, but whether it
//! fits the state is for [`State::apply`](super::State::apply) to say.

use super::{
    op::Op,
    parts::{
        attr::{
            flags,
            Attr,
            Timestamp, //
        },
        name::{
            check_name,
            check_target,
            copy_name,
            copy_value,
            Name,
            TargetPath,
            Value, //
        },
        xattr_set::{
            check_xattr_name,
            VALUE_MAX, //
        },
    },
};
use crate::{
    errno::euclean,
    media::{
        Reader,
        Sink,
        SliceSink, //
    },
};
use kernel::prelude::*;

/// What an operation begins with.
mod code {
    pub(super) const NEW_INODE: u8 = 1;
    pub(super) const FREE_INODE: u8 = 2;
    pub(super) const SET_ATTR: u8 = 3;
    pub(super) const LINK: u8 = 4;
    pub(super) const UNLINK: u8 = 5;
    pub(super) const SET_PARENT: u8 = 6;
    pub(super) const MAP: u8 = 7;
    pub(super) const UNMAP: u8 = 8;
    pub(super) const MARK_BAD: u8 = 9;
    pub(super) const UNMARK_BAD: u8 = 10;
    pub(super) const NEXT_INO: u8 = 11;
    pub(super) const SET_TARGET: u8 = 12;
    pub(super) const SET_XATTR: u8 = 13;
    pub(super) const REMOVE_XATTR: u8 = 14;
    pub(super) const SHIFT: u8 = 16;
    pub(super) const MAP_UNWRITTEN: u8 = 17;
    pub(super) const CONVERT: u8 = 18;
}

/// Zeroes that make an [`Op::Convert`] as long as the two extents that it may add to a file.
const CONVERT_PADDING: usize = 40;

impl Op {
    /// Puts the operation.
    ///
    /// # Errors
    ///
    /// `EINVAL` if a name is too long; what `out` says.
    pub(crate) fn encode(&self, out: &mut dyn Sink) -> Result {
        match self {
            Op::NewInode { ino, attr, parent } => {
                put(out, code::NEW_INODE, &[*ino, *parent])?;
                put_attr(out, attr)
            }
            Op::FreeInode { ino } => put(out, code::FREE_INODE, &[*ino]),
            Op::SetAttr { ino, attr } => {
                put(out, code::SET_ATTR, &[*ino])?;
                put_attr(out, attr)
            }
            Op::Link { dir, name, ino } => put_link(out, *dir, *ino, name),
            Op::Unlink { dir, name } => {
                put(out, code::UNLINK, &[*dir])?;
                put_name(out, name)
            }
            Op::SetParent { ino, parent } => put(out, code::SET_PARENT, &[*ino, *parent]),
            Op::Map {
                ino,
                pgoff,
                block,
                len,
                unwritten,
            } => {
                let code = if *unwritten {
                    code::MAP_UNWRITTEN
                } else {
                    code::MAP
                };
                put(out, code, &[*ino, *pgoff, *block, *len])
            }
            Op::Unmap { ino, pgoff, len } => put(out, code::UNMAP, &[*ino, *pgoff, *len, 0]),
            Op::Shift { ino, from, to } => put(out, code::SHIFT, &[*ino, *from, *to, 0]),
            Op::MarkBad { block, len } => put(out, code::MARK_BAD, &[*block, *len]),
            Op::UnmarkBad { block, len } => put(out, code::UNMARK_BAD, &[*block, *len]),
            Op::NextIno { ino } => put(out, code::NEXT_INO, &[*ino]),
            Op::SetTarget { ino, target } => put_target(out, *ino, target),
            Op::SetXattr { ino, name, value } => put_xattr(out, *ino, name, value),
            Op::RemoveXattr { ino, name } => {
                put(out, code::REMOVE_XATTR, &[*ino])?;
                put_name(out, name)
            }
            Op::Convert {
                ino,
                pgoff,
                len,
                written,
            } => {
                put(out, code::CONVERT, &[*ino, *pgoff, *len])?;
                out.put_u8((*written).into())?;
                out.put(&[0; CONVERT_PADDING])
            }
        }
    }

    /// Takes the next operation.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is none, `ENOMEM`.
    pub(crate) fn decode(from: &mut Reader<'_>) -> Result<Op> {
        Ok(match from.u8()? {
            code::NEW_INODE => {
                let ino = from.u64()?;
                let parent = from.u64()?;
                let attr = attr(from)?;
                Op::NewInode { ino, attr, parent }
            }
            code::FREE_INODE => Op::FreeInode { ino: from.u64()? },
            code::SET_ATTR => Op::SetAttr {
                ino: from.u64()?,
                attr: attr(from)?,
            },
            code::LINK => Op::Link {
                dir: from.u64()?,
                ino: from.u64()?,
                name: name(from)?,
            },
            code::UNLINK => Op::Unlink {
                dir: from.u64()?,
                name: name(from)?,
            },
            code::SET_PARENT => Op::SetParent {
                ino: from.u64()?,
                parent: from.u64()?,
            },
            code @ (code::MAP | code::MAP_UNWRITTEN) => Op::Map {
                ino: from.u64()?,
                pgoff: from.u64()?,
                block: from.u64()?,
                len: from.u64()?,
                unwritten: code == code::MAP_UNWRITTEN,
            },
            code::UNMAP => {
                let op = Op::Unmap {
                    ino: from.u64()?,
                    pgoff: from.u64()?,
                    len: from.u64()?,
                };
                if from.u64()? != 0 {
                    return Err(euclean());
                }
                op
            }
            code::SHIFT => {
                let op = Op::Shift {
                    ino: from.u64()?,
                    from: from.u64()?,
                    to: from.u64()?,
                };
                if from.u64()? != 0 {
                    return Err(euclean());
                }
                op
            }
            code::MARK_BAD => Op::MarkBad {
                block: from.u64()?,
                len: from.u64()?,
            },
            code::UNMARK_BAD => Op::UnmarkBad {
                block: from.u64()?,
                len: from.u64()?,
            },
            code::NEXT_INO => Op::NextIno { ino: from.u64()? },
            code::SET_TARGET => Op::SetTarget {
                ino: from.u64()?,
                target: target(from)?,
            },
            code::SET_XATTR => Op::SetXattr {
                ino: from.u64()?,
                name: xattr_name(from)?,
                value: value(from)?,
            },
            code::REMOVE_XATTR => Op::RemoveXattr {
                ino: from.u64()?,
                name: xattr_name(from)?,
            },
            code::CONVERT => {
                let op = Op::Convert {
                    ino: from.u64()?,
                    pgoff: from.u64()?,
                    len: from.u64()?,
                    written: match from.u8()? {
                        0 => false,
                        1 => true,
                        _ => return Err(euclean()),
                    },
                };
                if from.fixed()? != [0; CONVERT_PADDING] {
                    return Err(euclean());
                }
                op
            }
            _ => return Err(euclean()),
        })
    }
}

/// Puts an [`Op::Link`] whose name is borrowed.
pub(super) fn put_link(out: &mut dyn Sink, dir: u64, ino: u64, name: &[u8]) -> Result {
    put(out, code::LINK, &[dir, ino])?;
    put_name(out, name)
}

/// Puts an [`Op::SetTarget`] whose target is borrowed.
pub(super) fn put_target(out: &mut dyn Sink, ino: u64, target: &[u8]) -> Result {
    put(out, code::SET_TARGET, &[ino])?;
    out.put_u32(u32::try_from(target.len()).map_err(|_| EINVAL)?)?;
    out.put(target)
}

/// Puts an [`Op::SetXattr`] whose name and value are borrowed.
pub(super) fn put_xattr(out: &mut dyn Sink, ino: u64, name: &[u8], value: &[u8]) -> Result {
    put(out, code::SET_XATTR, &[ino])?;
    put_name(out, name)?;
    out.put_u32(u32::try_from(value.len()).map_err(|_| EINVAL)?)?;
    out.put(value)
}

fn put(out: &mut dyn Sink, code: u8, numbers: &[u64]) -> Result {
    out.put_u8(code)?;
    numbers.iter().try_for_each(|n| out.put_u64(*n))
}

fn put_name(out: &mut dyn Sink, name: &[u8]) -> Result {
    out.put_u8(u8::try_from(name.len()).map_err(|_| EINVAL)?)?;
    out.put(name)
}

fn short<'a>(from: &mut Reader<'a>) -> Result<&'a [u8]> {
    let len = from.u8()?;
    from.bytes(usize::from(len))
}

fn long<'a>(from: &mut Reader<'a>) -> Result<&'a [u8]> {
    let len = from.u32()?;
    from.bytes(usize::try_from(len).map_err(|_| euclean())?)
}

fn name(from: &mut Reader<'_>) -> Result<Name> {
    let bytes = short(from)?;
    check_name(bytes).map_err(|_| euclean())?;
    copy_name(bytes)
}

fn xattr_name(from: &mut Reader<'_>) -> Result<Name> {
    let bytes = short(from)?;
    check_xattr_name(bytes).map_err(|_| euclean())?;
    copy_name(bytes)
}

fn target(from: &mut Reader<'_>) -> Result<TargetPath> {
    let bytes = long(from)?;
    check_target(bytes).map_err(|_| euclean())?;
    copy_name(bytes)
}

fn value(from: &mut Reader<'_>) -> Result<Value> {
    let bytes = long(from)?;
    if bytes.len() > VALUE_MAX {
        return Err(euclean());
    }
    copy_value(bytes)
}

/// Bytes of an [`Attr`].
const ATTR: usize = 84;

/// In one piece: most operations have one.
fn put_attr(out: &mut dyn Sink, attr: &Attr) -> Result {
    let mut bytes = [0; ATTR];
    let mut to = SliceSink::new(&mut bytes);
    for number in [attr.mode, attr.uid, attr.gid, attr.nlink] {
        to.put_u32(number)?;
    }
    to.put_u64(attr.size)?;
    for time in [attr.atime, attr.mtime, attr.ctime, attr.btime] {
        to.put(&time.sec.to_le_bytes())?;
        to.put_u32(time.nsec)?;
    }
    for number in [attr.generation, attr.rdev, attr.flags] {
        to.put_u32(number)?;
    }
    out.put(&bytes)
}

fn attr(from: &mut Reader<'_>) -> Result<Attr> {
    let attr = Attr {
        mode: from.u32()?,
        uid: from.u32()?,
        gid: from.u32()?,
        nlink: from.u32()?,
        size: from.u64()?,
        atime: time(from)?,
        mtime: time(from)?,
        ctime: time(from)?,
        btime: time(from)?,
        generation: from.u32()?,
        rdev: from.u32()?,
        flags: from.u32()?,
    };
    if attr.flags & !flags::ALL != 0 {
        return Err(euclean());
    }
    Ok(attr)
}

fn time(from: &mut Reader<'_>) -> Result<Timestamp> {
    let sec = i64::from_le_bytes(from.fixed()?);
    let nsec = from.u32()?;
    if nsec >= 1_000_000_000 {
        return Err(euclean());
    }
    Ok(Timestamp { sec, nsec })
}
