// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/debug/daxrmap/DEVICE/`: what an administrator and the tests can look at.
//!
//! - `counters`: a name and a number a line.
//! - `last_failure`: the last failure, and what was done about each owner.
//! - `check`: reading it verifies all invariants; `ok`, or what is wrong.
//! - `orphans`: how many inodes are left that have no name any more.
//! - `notify`: writing `OFFSET LEN [FLAGS]` (bytes of the dax device) injects a failure.
//! - `notify_delay_ms`: see `Engine::notify_delay_ms`.
//! - `touch_delay_ms`: see `TouchLock::delay_ms`.
//! - `zero_ahead`, `zero_in_place`: see [`Meta::zero_limits`].
//!
//! # Locking
//!
//! Files are removed before what they show; debugfs waits for whoever is inside of one.

use super::meta::Meta;
use crate::{
    dax::Device,
    failure::{
        Engine,
        Mounted, //
    }, //
};
use kernel::{
    debugfs::{
        Dir,
        Scope, //
    },
    fmt,
    prelude::*,
    str::parse_int::ParseInt,
    sync::Arc,
    uaccess::UserSliceReader, //
};

/// What the files show.
pub(crate) struct DebugData {
    meta: Arc<Meta>,
    engine: Arc<Engine<Mounted<Meta>>>,
    device: Arc<Device<Engine<Mounted<Meta>>>>,
}

impl DebugData {
    pub(super) fn new(
        meta: Arc<Meta>,
        engine: Arc<Engine<Mounted<Meta>>>,
        device: Arc<Device<Engine<Mounted<Meta>>>>,
    ) -> Self {
        Self {
            meta,
            engine,
            device,
        }
    }
}

/// The directory of a mount in `parent`.
pub(super) fn scope<'a>(
    parent: &'a Dir,
    name: &'a CStr,
    data: DebugData,
) -> impl PinInit<Scope<DebugData>> + 'a {
    parent.scope(data, name, |data, dir| {
        dir.read_callback_file(c"counters", data, &counters);
        dir.read_callback_file(c"last_failure", data, &last_failure);
        dir.read_callback_file(c"check", data, &check);
        dir.read_callback_file(c"orphans", data, &orphans);
        dir.read_write_file(c"notify_delay_ms", &data.engine.notify_delay_ms);
        dir.read_write_file(c"touch_delay_ms", data.device.touch_lock.delay_ms());
        dir.read_write_file(c"zero_ahead", &data.meta.zero_limits().ahead);
        dir.read_write_file(c"zero_in_place", &data.meta.zero_limits().in_place);
        dir.write_only_callback_file(c"notify", data, &notify);
    })
}

fn counters(data: &DebugData, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (name, value) in data.engine.counters.each() {
        writeln!(f, "{name} {value}")?;
    }
    let state = data.meta.lock();
    writeln!(f, "blocks_total {}", state.total_blocks())?;
    writeln!(f, "blocks_free {}", state.free_blocks())?;
    writeln!(f, "blocks_bad {}", state.bad_blocks())?;
    let (used, size) = state.log_used();
    writeln!(f, "log_used {used}")?;
    writeln!(f, "log_size {size}")?;
    writeln!(f, "owner_records {}", state.owners().len())?;
    writeln!(f, "owner_bytes {}", state.owners().bytes())?;
    let (free_runs, free_bytes) = state.free_tree_size();
    writeln!(f, "free_runs {free_runs}")?;
    writeln!(f, "free_bytes {free_bytes}")?;
    writeln!(f, "look_ups {}", data.meta.look_ups())?;
    writeln!(f, "flush_requests {}", data.device.requests.sent())?;
    writeln!(f, "inodes {}", state.inode_count())?;
    writeln!(f, "inodes_dead {}", state.count_dead())
}

fn last_failure(data: &DebugData, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    kernel::fmt::Display::fmt(&*data.engine.last.lock(), f)
}

fn check(data: &DebugData, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match data.meta.read().check() {
        Ok(()) => writeln!(f, "ok"),
        Err(e) => writeln!(f, "inconsistent: errno {}", e.to_errno()),
    }
}

fn orphans(data: &DebugData, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let state = data.meta.read();
    let nameless = state
        .inodes_from(0)
        .filter(|(_, inode)| inode.attr.nlink == 0);
    writeln!(f, "{}", nameless.count())
}

fn notify(data: &DebugData, reader: &mut UserSliceReader) -> Result {
    let mut buf = [0u8; 80];
    let len = reader.len();
    let text = buf.get_mut(..len).ok_or(EINVAL)?;
    reader.read_slice(text)?;
    let mut words = core::str::from_utf8(text)
        .map_err(|_| EINVAL)?
        .split_whitespace();
    let mut number = || Some(u64::from_str(words.next()?.as_bytes().as_ref()));
    let offset = number().ok_or(EINVAL)??;
    let len = number().ok_or(EINVAL)??;
    let flags = number().unwrap_or(Ok(0))?;
    if number().is_some() {
        return Err(EINVAL);
    }
    data.device
        .inject(offset, len, c_int::try_from(flags).map_err(|_| EINVAL)?)
}
