// SPDX-License-Identifier: GPL-2.0

//! Attributes of inodes.
//!
//! Plain values; nothing to lock.

const S_IFMT: u32 = 0o170000;
const S_IFDIR: u32 = 0o040000;

/// A point in time, since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Time {
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
    pub(crate) atime: Time,
    /// Last change of the contents.
    pub(crate) mtime: Time,
    /// Last change of the inode.
    pub(crate) ctime: Time,
    /// Birth.
    pub(crate) btime: Time,
    /// Tells users of an inode number apart, in file handles.
    pub(crate) generation: u32,
}

impl Attr {
    /// Returns whether the mode says that this is a directory.
    pub(crate) fn is_dir(&self) -> bool {
        self.mode & S_IFMT == S_IFDIR
    }

    /// Returns the type as `d_type` of a directory entry has it (`DT_*`).
    pub(crate) fn dtype(&self) -> u8 {
        // Four bits; the conversion cannot fail.
        u8::try_from((self.mode & S_IFMT) >> 12).unwrap_or_default()
    }
}
