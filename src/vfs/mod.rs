// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers of what the VFS offers to a filesystem.
//!
//! A filesystem is a type that implements [`FileSystem`] (what a mount is, statfs), [`Mountable`]
//! (mount, root, the end of an inode), [`Namespace`] (directories), [`Attributes`], [`Acls`],
//! [`Xattrs`], [`Ioctl`] and [`Export`]. The private tables of the files here turn the VFS's C callbacks
//! into calls of these traits. What regular files do is of a layer above, which gives its tables
//! ([`RegularFiles`]). The kernel crate has no such abstractions yet; these are kept apart from daxrmap
//! so that they could move there: nothing here knows of failures, of our ioctls, or of DAX more than its
//! name (the mount option, and a flag of chattr(1)).
//!
//! - [`filesystem`], [`super_block`], [`inode`], [`dentry`]: the objects, and the locks of an inode.
//! - [`attr`], [`names`], [`ioctl`]: what a filesystem does with them, as traits.
//! - [`operations`]: the VFS's tables for inodes. [`mount`]: types of filesystems and mounts.
//! - [`others`]: super blocks and files of other filesystems. [`late_puts`]: references to inodes that are
//!   dropped later.
//! - [`write_access`]: writing to a mount. [`answer`]: which errors the VFS gets to see.
//!
//! # Locking
//!
//! A callback runs under the locks that `Documentation/filesystems/locking.rst` gives for it. The locks
//! that a filesystem takes itself are those of an [`Inode`]; each has a guard, and what may only be done
//! under it is a method of that guard ([`inode::lock`]).

mod answer;
mod attr;
mod dentry;
mod filesystem;
mod inode;
mod ioctl;
mod late_puts;
mod mount;
mod names;
mod operations;
mod others;
mod super_block;
mod write_access;

pub(crate) use self::{
    answer::{
        from_result,
        outside, //
    },
    attr::{
        acl::{
            AclKind,
            Acls, //
        },
        attributes::{
            Attributes,
            FileFlags,
            SetAttr,
            Stat, //
        },
        xattr::{
            new_labels,
            Label,
            XattrChange,
            XattrList,
            Xattrs, //
        },
    },
    dentry::Dentry,
    filesystem::{
        FileCache,
        FileSystem,
        RegularFiles,
        StatFs, //
    },
    inode::{
        any::{
            AnyInode,
            Handle, //
        },
        lock::{
            lock_two,
            AnyInvalidateLock,
            InodeLock,
            InvalidateLock,
            InvalidateLockShared, //
        },
        stamp::Stamps,
        time::{
            Time,
            Times, //
        },
        Inode, //
    },
    ioctl::{
        unlocked_ioctl,
        whole::{
            Whole,
            LABEL_MAX, //
        },
        Ioctl,
        IoctlCall, //
    },
    mount::{
        fs_type::Registration,
        gate::{
            Entered,
            Gate,
            InCore,
            Visit,
            Visited, //
        },
        mountable::Mountable,
        new_super::NewSuper,
        work::{
            MountTask,
            MountWork,
            Working, //
        },
    },
    names::{
        export::{
            Export,
            FileId, //
        },
        namespace::{
            Namespace,
            NewAttr,
            Rename, //
        },
        readdir::DirEmitter,
    },
    operations::{
        inode::common_inode_operations,
        new_inode::{
            LinkTarget,
            NewInode,
            UnnumberedInode, //
        },
    },
    others::{
        files::{
            FolioFile,
            InodePuts,
            Memory,
            OtherPuts,
            Puts, //
        },
        super_blocks::each_super,
    },
    super_block::{
        Dev,
        SuperBlock, //
    },
};
