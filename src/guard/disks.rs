// SPDX-License-Identifier: GPL-2.0

//! Disks that come and go: each is a device of the guard.
//!
//! # Locking
//!
//! The class's mutex is held (see [`Disks`](crate::dax::Disks)); a disk that goes waits for notifiers.

use super::Guard;
use crate::{
    dax::{
        DiskSink,
        Pmem, //
    },
    events::{
        Cause,
        Event,
        Kind,
        Source, //
    },
    vfs::Dev, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

impl DiskSink for Guard {
    fn added(&self, disk: Arc<Pmem>) {
        let added = self.devices.add(disk.clone());
        if let Err(e) = added {
            pr_warn!(
                "{}: cannot be guarded: errno {}\n",
                disk.disk_name(),
                e.to_errno()
            );
        }
    }

    fn removed(&self, number: Dev) {
        self.devices.remove(number);
        let source = Source::guarded(self.shared.events.clone(), number);
        source.tell(|| Event::new(Kind::Gone).because(Cause::Removal));
    }
}
