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
    Ioctl,
    Whole,
    LABEL_MAX, //
};
use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

impl Whole for Mount {
    fn label(&self) -> [u8; LABEL_MAX] {
        self.meta().lock().label()
    }

    fn set_label(&self, label: &[u8; LABEL_MAX]) -> Result {
        let used = label.split(|byte| *byte == 0).next().unwrap_or_default();
        core::str::from_utf8(used).map_err(|_| EINVAL)?;
        self.meta().lock().set_label(label)
    }
}

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
