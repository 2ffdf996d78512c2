// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers of what the VFS offers to a filesystem.
//!
//! A filesystem is a type that implements [`FileSystem`] (what a mount is, statfs), [`Mountable`] (mount,
//! root, the end of an inode), [`Namespace`] (directories), [`Attributes`], [`Acls`], [`Xattrs`],
//! [`Ioctl`] and [`Export`]. The private tables of the files here turn the VFS's C callbacks into calls of
//! these traits. What regular files do is of a layer above, which gives its tables
//! ([`RegularFiles`]). The kernel crate has no such abstractions yet; these are kept apart from daxrmap
//! so that they could move there: nothing here knows of DAX, of failures, or of our ioctls.
//!
//! # Locking
//!
//! A callback runs under the locks that `Documentation/filesystems/locking.rst` gives for it. Locks
//! that a filesystem takes itself are guards of [`Inode`], and what may only be done under one is a method
//! of its guard.

mod acl;
mod answer;
mod attributes;
mod dentry;
mod dir_operations;
mod export;
mod file_cache;
mod filesystem;
mod fs_ioctl;
mod fs_type;
mod gate;
mod inode;
mod inode_lock;
mod inode_operations;
mod ioctl;
mod late;
mod locked;
mod lookup;
mod mount_work;
mod mountable;
mod namespace;
mod new_inode;
mod new_super;
mod options;
mod readdir;
mod register;
mod stamp;
mod super_block;
mod super_operations;
mod time;
mod write_access;
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
    filesystem::{
        FileCache,
        FileSystem,
        RegularFiles,
        StatFs, //
    },
    fs_ioctl::{
        Whole,
        LABEL_MAX, //
    },
    fs_type::Registration,
    gate::{
        Entered,
        Gate,
        InCore,
        Visit,
        Visited, //
    },
    inode::Inode,
    inode_lock::{
        lock_two,
        InodeLock,
        InvalidateLock,
        InvalidateLockShared, //
    },
    inode_operations::common_inode_operations,
    ioctl::{
        unlocked_ioctl,
        Ioctl,
        IoctlCall, //
    },
    mount_work::{
        MountWork,
        Task,
        Working, //
    },
    mountable::Mountable,
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
    time::{
        Time,
        Times, //
    },
    xattr::{
        new_labels,
        Label,
        XattrChange,
        XattrList,
        Xattrs, //
    }, //
};
