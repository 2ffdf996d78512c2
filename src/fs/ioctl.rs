// SPDX-License-Identifier: GPL-2.0

//! ioctl(2): which module answers what.
//!
//! # Locking
//!
//! None here.

use super::{
    clear,
    fsmap,
    lost,
    status,
    Mount, //
};
use crate::vfs::{
    Inode,
    Ioctl, //
};
use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

impl Ioctl for Mount {
    fn getfsmap(inode: &Inode<Self>, arg: UserPtr) -> Result {
        fsmap::getfsmap(inode, arg)
    }

    fn lost(inode: &Inode<Self>, arg: UserPtr) -> Result {
        lost::lost(inode.fs(), arg)
    }

    fn status(inode: &Inode<Self>, arg: UserPtr) -> Result {
        status::status(inode.fs(), arg)
    }

    fn clear(inode: &Inode<Self>, arg: UserPtr) -> Result {
        clear::clear(inode.fs(), arg)
    }
}
