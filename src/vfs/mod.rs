// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers of what the VFS offers to a filesystem.
//!
//! A filesystem is a type that implements [`FileSystem`] (mount, unmount, statfs, evict),
//! [`Namespace`] (directories), [`Attributes`], [`Acls`], [`Xattrs`] and [`FileData`] (regular files). The private tables of
//! each file here turn the VFS's C callbacks into calls of these traits. The kernel crate has no such
//! abstractions yet; these are kept apart from daxrmap so that they could move there.
//!
//! # Locking
//!
//! A callback runs under the locks that `Documentation/filesystems/locking.rst` gives for it. Locks
//! that a filesystem takes itself are guards of [`Inode`]: what may only be done under a lock takes
//! the guard as an argument.

mod acl;
mod answer;
mod attributes;
mod dentry;
mod export;
mod file_cache;
mod fs_ioctl;
mod fs_type;
mod gate;
mod inode;
mod inode_lock;
mod ioctl;
mod late;
mod mount_work;
mod namespace;
mod new_inode;
mod new_super;
mod options;
mod readdir;
mod stamp;
mod super_block;
mod xattr;

pub(crate) use self::{
    acl::{
        AclKind,
        Acls, //
    },
    answer::{
        from_result,
        outside, //
    },
    attributes::{
        Attributes,
        FileFlags,
        SetAttr,
        Stat, //
    },
    dentry::Dentry,
    export::{
        Export,
        FileId, //
    },
    file_cache::FileCache,
    fs_ioctl::{
        Whole,
        LABEL_MAX, //
    },
    fs_type::{
        FileSystem,
        Registration,
        StatFs, //
    },
    gate::{
        Entered,
        Gate,
        InCore,
        Visit,
        Visited, //
    },
    inode::{
        Inode,
        Time,
        Times, //
    },
    inode_lock::{
        lock_two, //
        InodeLock,
        InvalidateLock,
        InvalidateLockShared,
    },
    ioctl::{
        unlocked_ioctl,
        ClearArg,
        FsMap,
        FsMapHead,
        FsMapKind,
        Ioctl,
        Lost,
        LostHead,
        Status,
        LOST_END,
        STATUS_INCONSISTENT,
        STATUS_READ_ONLY,
        STATUS_SHUTDOWN, //
    },
    mount_work::{
        MountWork,
        Task,
        Working, //
    },
    namespace::{
        Namespace,
        NewAttr,
        Rename, //
    },
    new_inode::{
        LinkTarget,
        NewInode,
        UnnumberedInode, //
    },
    new_super::NewSuper,
    readdir::DirEmitter,
    stamp::Stamps,
    super_block::{
        Dev,
        SuperBlock, //
    },
    xattr::{
        new_labels,
        Label,
        XattrChange,
        XattrList,
        Xattrs, //
    }, //
};
