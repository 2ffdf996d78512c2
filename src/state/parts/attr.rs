// SPDX-License-Identifier: GPL-2.0

//! What stat(2) tells of an inode, as the state and the medium have it.
//!
//! # Locking
//!
//! None: plain values.

/// The bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o7777;

/// File types, as a mode has them above the permissions.
mod format {
    pub(super) const FIFO: u32 = 0o01;
    pub(super) const CHAR: u32 = 0o02;
    pub(super) const DIR: u32 = 0o04;
    pub(super) const BLOCK: u32 = 0o06;
    pub(super) const REGULAR: u32 = 0o10;
    pub(super) const SYMLINK: u32 = 0o12;
    pub(super) const SOCKET: u32 = 0o14;
}

/// Bits of [`Attr::flags`].
pub(crate) mod flags {
    /// Nothing of it may change.
    pub(crate) const IMMUTABLE: u32 = 1 << 0;
    /// It may only grow.
    pub(crate) const APPEND: u32 = 1 << 1;
    /// dump(8) leaves it out.
    pub(crate) const NODUMP: u32 = 1 << 2;
    /// Reading it does not change its time of access.
    pub(crate) const NOATIME: u32 = 1 << 3;
    /// All of them.
    pub(crate) const ALL: u32 = IMMUTABLE | APPEND | NODUMP | NOATIME;
}

/// What an inode is, as far as it is stored in another way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileType {
    /// A regular file: it has extents.
    Regular,
    /// A directory: it has entries.
    Dir,
    /// A symbolic link: it has a target.
    Symlink,
    /// A device, FIFO or socket: it has nothing.
    Special,
}

/// A point in time, since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Timestamp {
    /// Seconds.
    pub(crate) sec: i64,
    /// Nanoseconds, less than 10^9.
    pub(crate) nsec: u32,
}

/// What stat(2) tells about an inode.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Attr {
    /// File type and permissions, as in `st_mode`.
    pub(crate) mode: u32,
    /// Owning user, in the initial user namespace.
    pub(crate) uid: u32,
    /// Owning group, in the initial user namespace.
    pub(crate) gid: u32,
    /// Number of links. 0: an orphan, to be evicted when its last user is gone.
    pub(crate) nlink: u32,
    /// Size in bytes. Extents may reach beyond it (`FALLOC_FL_KEEP_SIZE`).
    pub(crate) size: u64,
    /// Last access.
    pub(crate) atime: Timestamp,
    /// Last change of the contents.
    pub(crate) mtime: Timestamp,
    /// Last change of the inode.
    pub(crate) ctime: Timestamp,
    /// Birth.
    pub(crate) btime: Timestamp,
    /// Tells users of an inode number apart, in file handles.
    pub(crate) generation: u32,
    /// Of a device: its number, the major one times 2^20 plus the minor one. Else 0.
    pub(crate) rdev: u32,
    /// What chattr(1) sets: [`flags`].
    pub(crate) flags: u32,
}

impl Attr {
    /// Returns what the mode says that this is; `None` if it makes no sense.
    pub(crate) fn file_type(&self) -> Option<FileType> {
        match self.mode / (PERMISSIONS + 1) {
            format::REGULAR => Some(FileType::Regular),
            format::DIR => Some(FileType::Dir),
            format::SYMLINK => Some(FileType::Symlink),
            format::FIFO | format::CHAR | format::BLOCK | format::SOCKET => Some(FileType::Special),
            _ => None,
        }
    }

    /// Returns whether the mode says that this is a directory.
    pub(crate) fn is_dir(&self) -> bool {
        self.file_type() == Some(FileType::Dir)
    }

    /// Returns the type as `d_type` of a directory entry has it (`DT_*`).
    pub(crate) fn dtype(&self) -> u8 {
        u8::try_from(self.mode / (PERMISSIONS + 1)).unwrap_or_default()
    }
}
