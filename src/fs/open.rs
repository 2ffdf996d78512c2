// SPDX-License-Identifier: GPL-2.0

//! Opens a device: from a block device that somebody wants to mount to a [`Mount`].
//!
//! Its metadata are read and replayed, the dax device is taken, and what is known to be bad of it enters
//! the bad set: the driver's list, and pages that machine checks came from. Only then is anything
//! written, and only if it is not mounted read-only. Whoever is refused is told why, in the log.
//!
//! # Locking
//!
//! The VFS holds `s_umount`, and nobody else knows the mount yet. From when the device is taken failures
//! may come: the commit lock is taken for what they change too.

use super::{
    discoveries::tell_discovered,
    medium::PmemMedium,
    meta::Meta,
    mount::Mount, //
};
use crate::{
    dax::{
        self,
        Device,
        Pmem, //
    },
    errno::{
        eopnotsupp,
        euclean, //
    },
    events::{
        Event,
        Kind,
        Source, //
    },
    failure::{
        Counters,
        Engine,
        Metadata,
        Mounted, //
    },
    journal::{
        Journal,
        Opened,
        Store, //
    },
    support::{
        publish,
        random_bytes, //
    },
    vfs::NewSuper, //
};
use kernel::{
    prelude::*,
    str::CString,
    sync::Arc, //
};

/// Smallest device, in blocks: one PMD.
const MIN_BLOCKS: u64 = dax::PMD_BLOCKS;

/// Makes a mount of a device: reads its metadata, takes it, and knows of its bad blocks before anybody
/// can use one.
///
/// # Errors
///
/// The log says why.
pub(super) fn mount(sb: &NewSuper<Mount>) -> Result<Arc<Mount>> {
    let id = sb.id();
    let part = dax::Part::of(sb)?;
    if !part.is_aligned() {
        return refuse(id, "the partition is not aligned to pages", EINVAL);
    }
    let blocks = part.len >> dax::BLOCK_SHIFT;
    if blocks < MIN_BLOCKS {
        return refuse(id, "the device is smaller than 2 MiB", EINVAL);
    }
    let pmem = match Pmem::open(sb) {
        Ok(pmem) => Arc::new(pmem, GFP_KERNEL)?,
        Err(e) => {
            return refuse(
                id,
                "the block device has no DAX: it must be pmem, as memmap=2G!4G on the kernel's \
                 command line makes it of RAM, and ndctl create-namespace -m fsdax of an NVDIMM; \
                 fsck.daxrmap and daxrmap dump read images as they are",
                e,
            );
        }
    };
    let events = Source::own(sb.common().events.clone(), sb.dev());
    let medium = PmemMedium::new(pmem.clone(), events.clone());
    let opened = read(id, &medium, blocks)?;
    let sb_uuid = opened.journal.superblock().uuid;
    let blocks = opened.state.total_blocks();
    let (store, state) = Store::new(opened, medium).shared(publish)?;
    let counters = Arc::new(Counters::new(), GFP_KERNEL)?;
    let meta = Arc::pin_init(
        Meta::new(
            store,
            state,
            pmem.clone(),
            CString::try_from(id)?,
            sb.dev(),
            counters.clone(),
            events.clone(),
        ),
        GFP_KERNEL,
    )?;
    let engine = Engine::new(
        CString::try_from(id)?,
        sb.dev(),
        part.start,
        blocks.saturating_mul(dax::BLOCK_SIZE),
        Mounted::new(id, meta.clone(), sb.gate())?,
        counters,
        events.clone(),
    )?;
    let device = match Device::take(pmem, engine.clone()) {
        Ok(device) => Arc::new(device, GFP_KERNEL)?,
        Err(e) if e == EBUSY => {
            return refuse(id, "the dax device has another holder", e);
        }
        Err(e) => return refuse(id, "the dax device cannot be taken", e),
    };
    let first = match device.pfns(blocks) {
        // Page frames name blocks.
        Ok(pfns) => pfns.start,
        Err(e) => return refuse(id, "its pages are not one run of memory", e),
    };
    engine.set_first_pfn(first);
    let bad = adopt_bad_blocks(&device, &meta, &events, blocks)?;
    if bad != 0 {
        pr_warn!("{}: the driver lists {} blocks as bad\n", id, bad);
    }
    let unmapped = adopt_unmapped(&device, &meta, &events, first, blocks)?;
    if unmapped != 0 {
        pr_warn!(
            "{}: {} more blocks are bad: machine checks came from them\n",
            id,
            unmapped
        );
    }
    engine.counters.discovered.add(bad.saturating_add(unmapped));
    if !sb.is_read_only() {
        start_writing(id, &meta)?;
    }
    sb.set_uuid(&sb_uuid);
    let mount = Arc::pin_init(
        Mount::new(sb.common(), id, device, engine, meta),
        GFP_KERNEL,
    )?;
    if !sb.is_read_only() {
        mount.workers().start_reaping();
    }
    events.tell(|| Event::new(Kind::Mounted).at(0, blocks.saturating_mul(dax::BLOCK_SIZE)));
    let read_only = if sb.is_read_only() { ", read-only" } else { "" };
    pr_info!("{}: mounted, {} blocks{}\n", id, blocks, read_only);
    Ok(mount)
}

/// Says why the device is refused.
fn refuse<T>(id: &CStr, reason: &str, errno: Error) -> Result<T> {
    pr_err!(
        "{}: cannot mount: {} (errno {})\n",
        id,
        reason,
        errno.to_errno()
    );
    Err(errno)
}

/// Reads the metadata of a device that has so many blocks.
fn read(id: &CStr, medium: &PmemMedium, blocks: u64) -> Result<Opened> {
    let opened = match Journal::open(medium, blocks, random_bytes()) {
        Ok(opened) => opened,
        Err(e) => {
            let reason = if e == EINVAL {
                "there is no daxrmap filesystem on it, mkfs.daxrmap makes one"
            } else if e == euclean() {
                "its metadata is damaged, or it is larger than the device; fsck.daxrmap tells more"
            } else if e == eopnotsupp() {
                "it is of a version or has features that are not known here"
            } else if e == EIO {
                "its metadata cannot be read; fsck.daxrmap tells more"
            } else {
                "its metadata cannot be kept in memory"
            };
            return refuse(id, reason, e);
        }
    };
    for (copy, result) in ["first", "last"].into_iter().zip(opened.copies) {
        if let Err(e) = result {
            pr_warn!(
                "{}: the superblock in the {} block cannot be used, the other one is: errno {}\n",
                id,
                copy,
                e.to_errno()
            );
        }
    }
    if opened.lost {
        pr_err!(
            "{}: a record of the metadata log is damaged, and the changes after it are lost; \
             fsck.daxrmap tells how many\n",
            id
        );
    }
    if opened.damaged {
        pr_warn!(
            "{}: a part of the metadata log cannot be read; the one before it had the same: \
             nothing is lost\n",
            id
        );
    }
    Ok(opened)
}

/// What is on the driver's list of bad blocks enters the bad set, before anybody can use it; `events` are
/// told of what was not there. Returns how many blocks are on the list.
fn adopt_bad_blocks(
    device: &Device<Engine<Mounted<Meta>>>,
    meta: &Meta,
    events: &Source,
    blocks: u64,
) -> Result<u64> {
    let mut from = 0;
    let mut found = 0u64;
    while let Some(bad) = device.next_bad(&(from..blocks)) {
        let len = bad.end.saturating_sub(bad.start);
        while let Some(new) = meta.first_good(&(from.max(bad.start)..bad.end)) {
            meta.lock().found_bad(&new)?;
            tell_discovered(events, &new);
            from = new.end;
        }
        found = found.saturating_add(len);
        from = bad.end;
    }
    Ok(found)
}

/// Pages that the kernel has no more in its own map, since a machine check, enter the bad set: with
/// an e820 device nobody else remembers them, and not even zeroes could be written there. Returns how
/// many blocks that the driver does not list. `first`: the page frame of block 0.
fn adopt_unmapped(
    device: &Device<Engine<Mounted<Meta>>>,
    meta: &Meta,
    events: &Source,
    first: u64,
    blocks: u64,
) -> Result<u64> {
    let end = first.checked_add(blocks).ok_or(ERANGE)?;
    let mut from = first;
    let mut found = 0u64;
    while let Some(pfn) = device.next_unmapped(&(from..end)) {
        from = pfn.saturating_add(1);
        let block = pfn.saturating_sub(first);
        if !meta.is_bad(block) {
            let blocks = block..block.saturating_add(1);
            meta.lock().found_bad(&blocks)?;
            tell_discovered(events, &blocks);
            found = found.saturating_add(1);
        }
    }
    Ok(found)
}

/// From here on the medium is written.
///
/// # Errors
///
/// The log says why.
pub(super) fn start_writing(id: &CStr, meta: &Meta) -> Result {
    match meta.lock().make_writable() {
        Ok(0) => Ok(()),
        Ok(dead) => {
            pr_info!(
                "{}: {} inodes without a name are freed, which were in use at the end\n",
                id,
                dead
            );
            Ok(())
        }
        Err(e) if e == EROFS => refuse(
            id,
            "it can be mounted read-only: for its features, or for bad blocks in its log",
            e,
        ),
        Err(e) => refuse(id, "it cannot be written", e),
    }
}
