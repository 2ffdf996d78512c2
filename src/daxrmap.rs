// SPDX-License-Identifier: GPL-2.0

//! daxrmap: a filesystem on persistent memory that knows every owner of every page.
//!
//! This file registers the filesystem type and owns the module's lifetime. Everything else is in the
//! modules, which depend on each other in one direction only: `fs` on `failure` and `journal`; `journal`
//! on `state`, `media` and `rmap`, which are pure; `fs` and `failure` on `dax` and `vfs`, and these on
//! `bindings`. Documentation/architecture.rst has the picture, and two trips through it.

#![cfg_attr(
    not(CONFIG_FS_POSIX_ACL),
    allow(dead_code, reason = "what ACLs need is there")
)]

use core::borrow::Borrow;
use kernel::{
    debugfs,
    prelude::*, //
};

mod bindings;
mod crc32c;
mod dax;
mod errno;
mod events;
mod failure;
mod fs;
mod guard;
mod journal;
mod media;
mod rmap;
mod siphash;
mod state;
mod support;
mod trace;
mod vfs;

use crc32c::crc32c;
use siphash::siphash;

module! {
    type: Daxrmap,
    name: "daxrmap",
    authors: ["daxrmap maintainers"],
    description: "Reflink filesystem for persistent memory, with reverse mapping for memory failures",
    license: "GPL",
    alias: ["fs-daxrmap"],
    params: {
        guard_cachestat: u8 {
            default: 1,
            description: "Keep cachestat(2) of DAX files from an oops (1), or not (0)",
        },
    },
}

/// See Documentation/kernel-faults.rst.
fn shadow_guard() -> Option<dax::ShadowGuard> {
    // 7.2 gives a reference.
    let value = module_parameters::guard_cachestat.value();
    if *Borrow::<u8>::borrow(&value) == 0 {
        return None;
    }
    dax::ShadowGuard::new()
}

#[pin_data]
struct Daxrmap {
    // Dropped first, as it waits for nobody's mount.
    _guard: guard::Registration,
    #[pin]
    _registration: vfs::Registration<fs::Mount>,
    _shadow_guard: Option<dax::ShadowGuard>,
    // Dropped last: nobody asks any more.
    _early_kill: dax::EarlyKill,
}

impl kernel::InPlaceModule for Daxrmap {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let ready = dax::init();
        let events = events::Hub::new();
        let guarded = events.clone();
        try_pin_init!(Self {
            _early_kill: dax::EarlyKill::open(),
            _registration <- vfs::Registration::new(
                ready?,
                module,
                fs::Common {
                    debug: debugfs::Dir::new(c"daxrmap"),
                    events: events?,
                },
            ),
            _guard: guard::Registration::new(ready?, guarded?)?,
            _shadow_guard: shadow_guard(),
        })
    }
}
