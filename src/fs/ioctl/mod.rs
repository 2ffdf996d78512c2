// SPDX-License-Identifier: GPL-2.0

//! ioctl(2): what tools ask, and which module answers.
//!
//! - [`fsmap`]: what is where on the device (FS_IOC_GETFSMAP). [`lost`]: which pages are lost
//!   (DAXRMAP_IOC_LOST). [`status`]: how the mount is (DAXRMAP_IOC_STATUS). [`clear`]: bad blocks that are
//!   good again (DAXRMAP_IOC_CLEAR).
//!
//! # Locking
//!
//! None here.

mod clear;
mod fsmap;
mod lost;
mod status;

use crate::{
    fs::Mount,
    vfs::{
        Inode,
        Ioctl,
        Whole,
        LABEL_MAX, //
    },
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
