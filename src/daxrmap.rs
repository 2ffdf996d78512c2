// SPDX-License-Identifier: GPL-2.0

//! daxrmap: a filesystem on persistent memory that knows every owner of every page.
//!
//! This file registers the filesystem type and owns the module's lifetime. Everything else is in the
//! modules, which depend on each other in one direction only: `fs` on `failure` on `rmap`, all on
//! `dax` and `vfs`, these on `bindings`.

#![cfg_attr(
    not(CONFIG_FS_POSIX_ACL),
    allow(dead_code, reason = "what ACLs need is there")
)]

use kernel::{
    debugfs,
    prelude::*, //
};

mod bindings;
mod crc32c;
mod dax;
mod errno;
mod failure;
mod fs;
mod media;
mod rmap;
mod siphash;
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
}

#[pin_data]
struct Daxrmap {
    #[pin]
    _registration: vfs::Registration<fs::Mount>,
}

impl kernel::InPlaceModule for Daxrmap {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _: { dax::init()? },
            _registration <- vfs::Registration::new(module, debugfs::Dir::new(c"daxrmap")),
        })
    }
}
