// SPDX-License-Identifier: GPL-2.0

//! ioctl(2): what tools ask, and which module answers.
//!
//! - [`fsmap`]: what is where on the device (FS_IOC_GETFSMAP). [`lost`]: which pages are lost
//!   (DAXRMAP_IOC_LOST). [`status`]: how the mount is (DAXRMAP_IOC_STATUS). [`clear`]: bad blocks that are
//!   good again (DAXRMAP_IOC_CLEAR).
//! - What happens (DAXRMAP_IOC_EVENTS): [`events`](crate::events).
//! - [`uapi`]: numbers and structs.
//!
//! # Locking
//!
//! None here.

mod clear;
mod fsmap;
mod lost;
mod status;
mod uapi;

use crate::{
    fs::Mount,
    vfs::{
        Ioctl,
        IoctlCall,
        Whole,
        LABEL_MAX, //
    },
};
use kernel::prelude::*;

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
    fn ioctl(call: &IoctlCall<'_, Self>) -> Result<c_int> {
        let (fs, arg) = (call.inode.fs(), call.arg);
        let done = match call.cmd {
            uapi::DAXRMAP_IOC_EVENTS => return fs.events().open(Some(call.inode.dev()), arg),
            uapi::FS_IOC_GETFSMAP => fsmap::getfsmap(call.inode, arg),
            uapi::DAXRMAP_IOC_LOST => lost::lost(fs, arg),
            uapi::DAXRMAP_IOC_STATUS => status::status(fs, arg),
            uapi::DAXRMAP_IOC_CLEAR => call.while_writable(|| clear::clear(fs, arg)),
            _ => Err(ENOTTY),
        };
        done.map(|()| 0)
    }
}
