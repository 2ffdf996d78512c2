// SPDX-License-Identifier: GPL-2.0

//! DAXRMAP_IOC_SCRUB: pages of a device are read, whoever has them, so that poison is found before a process
//! meets it.
//!
//! A call does a little only, so that who asks can be slow, and end. What is found is [`find`]'s.
//!
//! # Locking
//!
//! None. The device's removal waits for a run of pages; a failure is dealt with between two of these.

mod find;

use super::Guard;
use crate::{
    bindings::{
        daxrmap_scrub as Scrub,
        DAXRMAP_SCRUB_FINDS as FINDS,
        DAXRMAP_SCRUB_PAGES as PAGES, //
    },
    dax::{
        Behind,
        Bounce, //
    },
    guard::device::Guarded,
    support::{
        cond_resched,
        fatal_signal_pending,
        plain, //
    },
    vfs::Dev,
};
use kernel::{
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

plain!(Scrub {
    major: u32,
    minor: u32,
    flags: u32,
    found: u32,
    page: u64,
    count: u64,
    read: u64,
    known: u64,
    untold: u64,
    bad: [u64; 16],
    reserved: [u64; 4]
});

impl Scrub {
    /// So many pages are done with.
    fn advance(&mut self, pages: u64) {
        self.page = self.page.saturating_add(pages);
        self.count = self.count.saturating_sub(pages);
    }

    /// The page that comes next cannot be read.
    fn found(&mut self, device: &Guarded) {
        if let Some(room) = self.bad.get_mut(self.found as usize) {
            *room = self.page;
            self.found = self.found.saturating_add(1);
        }
        if find::tell(device, self.page).is_err() {
            self.untold = self.untold.saturating_add(1);
        }
        self.advance(1);
    }

    /// Looks at pages until that is enough for one call.
    ///
    /// # Errors
    ///
    /// Those of [`Pmem::scrub`](crate::dax::Pmem::scrub).
    fn run(&mut self, device: &Guarded, bounce: &mut Bounce) -> Result {
        let enough = self.count.saturating_sub(u64::from(PAGES));
        while self.count > enough && self.found < FINDS && !fatal_signal_pending() {
            let end = self.page.saturating_add(self.count.saturating_sub(enough));
            let (good, behind) = device.place.pmem.scrub(&(self.page..end), bounce)?;
            self.read = self.read.saturating_add(good);
            self.advance(good);
            match behind {
                Behind::More => {}
                Behind::Known(pages) => {
                    self.known = self.known.saturating_add(pages);
                    self.advance(pages);
                }
                Behind::Bad => self.found(device),
            }
            cond_resched();
        }
        Ok(())
    }
}

/// # Errors
///
/// What include/uapi/daxrmap.h says.
pub(super) fn scrub(guard: &Guard, arg: UserPtr) -> Result {
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<Scrub>()).reader_writer();
    let asked: Scrub = reader.read()?;
    if asked.flags != 0 || asked.reserved.iter().any(|&word| word != 0) || asked.count == 0 {
        return Err(EINVAL);
    }
    let number = Dev::new(asked.major, asked.minor).ok_or(EINVAL)?;
    let device = guard.devices.get(number)?;
    let end = asked.page.checked_add(asked.count).ok_or(EINVAL)?;
    if end > device.place.pmem.blocks() {
        return Err(EINVAL);
    }
    let mut bounce = Bounce::new()?;
    let mut done = Scrub {
        major: asked.major,
        minor: asked.minor,
        page: asked.page,
        count: asked.count,
        ..Scrub::default()
    };
    let result = done.run(&device, &mut bounce);
    writer.write(&done)?;
    result
}
