// SPDX-License-Identifier: GPL-2.0

//! The devices that there are.
//!
//! # Locking
//!
//! A mutex, for the list. Devices are dropped without it, as that waits for notifiers.

use super::{
    device::Guarded,
    shared::Shared, //
};
use crate::{
    dax::{
        DaxRef,
        Pmem, //
    },
    vfs::Dev, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The devices.
#[pin_data]
pub(super) struct Devices {
    #[pin]
    list: Mutex<KVec<Arc<Guarded>>>,
    shared: Arc<Shared>,
}

impl Devices {
    /// None yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(shared: Arc<Shared>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                list <- new_mutex!(KVec::new(), "daxrmap::Devices"),
                shared,
            }),
            GFP_KERNEL,
        )
    }

    /// There is a disk.
    ///
    /// # Errors
    ///
    /// Those of [`Guarded::new`].
    pub(super) fn add(&self, disk: Arc<Pmem>) -> Result {
        let guarded = Guarded::new(disk, self.shared.clone())?;
        self.list.lock().push(guarded, GFP_KERNEL)?;
        Ok(())
    }

    /// A disk goes; waits for notifiers.
    pub(super) fn remove(&self, number: Dev) {
        let mut devices = self.list.lock();
        let index = devices
            .iter()
            .position(|device| device.place.pmem.disk_number() == number);
        let device = index.and_then(|index| devices.remove(index).ok());
        drop(devices);
        if let Some(device) = device {
            // An error says that it was not held.
            let _ = device.release();
        }
    }

    /// The device with this number.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is none.
    pub(super) fn get(&self, number: Dev) -> Result<Arc<Guarded>> {
        let devices = self.list.lock();
        let mut devices = devices.iter();
        let device = devices.find(|device| device.place.pmem.disk_number() == number);
        device.cloned().ok_or(ENODEV)
    }

    /// The disk whose dax device this is.
    pub(super) fn disk(&self, dax: DaxRef<'_>) -> Option<Arc<Pmem>> {
        let devices = self.list.lock();
        let mut devices = devices.iter();
        let device = devices.find(|device| dax.is_of(&device.place.pmem));
        device.map(|device| device.place.pmem.clone())
    }

    /// The device that has this page frame.
    pub(super) fn of(&self, pfn: u64) -> Option<Arc<Guarded>> {
        let devices = self.list.lock();
        let mut devices = devices.iter();
        devices.find(|device| device.has(pfn)).cloned()
    }

    /// The device with the smallest number that is greater than this one.
    pub(super) fn next(&self, after: Option<Dev>) -> Option<Arc<Guarded>> {
        let devices = self.list.lock();
        let number = |device: &&Arc<Guarded>| device.place.pmem.disk_number();
        let later = devices
            .iter()
            .filter(|device| after.is_none_or(|after| number(device) > after));
        later.min_by_key(number).cloned()
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.list.lock().len()).unwrap_or(u32::MAX)
    }
}
