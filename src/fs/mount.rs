// SPDX-License-Identifier: GPL-2.0

//! Mount, unmount, statfs.
//!
//! # Locking
//!
//! The VFS calls `mount` with `s_umount` held. Dropping a [`Mount`] waits for notifiers.

use super::{
    debugfs::{
        self,
        DebugData, //
    },
    file::extent_cache::ExtentCache,
    inode::namespace,
    medium::PmemMedium,
    meta::Meta, //
};
use crate::{
    dax::{
        self,
        Device,
        Pmem, //
    },
    errno::{
        eopnotsupp,
        erofs,
        euclean, //
    },
    failure::{
        Counters,
        Engine,
        Ground, //
    },
    journal::{
        Journal,
        Opened,
        Store, //
    },
    state::ROOT_INO,
    support::{
        random_bytes,
        OwnedQueue,
        RateLimit, //
    },
    vfs::{
        FileSystem,
        Inode,
        Mountable,
        NewSuper,
        RegularFiles,
        StatFs,
        SuperBlock, //
    },
};
use core::ops::Range;
use kernel::{
    debugfs::{
        Dir,
        Scope, //
    },
    prelude::*,
    str::CString,
    sync::{
        aref::ARef,
        atomic::{
            AtomicFlag,
            Relaxed, //
        },
        Arc, //
    },
};

/// Smallest device, in blocks: one PMD.
const MIN_BLOCKS: u64 = dax::PMD_BLOCKS;

/// One mount.
///
/// Fields are dropped in order: nobody looks at debugfs any more, then all work is done, then the
/// device's notifiers have ended, then the rest goes.
#[pin_data]
pub(crate) struct Mount {
    #[pin]
    debug: Scope<DebugData>,
    /// For what may not be done where it is found.
    queue: OwnedQueue,
    /// A discovery is on its way.
    discovering: Arc<AtomicFlag>,
    device: Arc<Device<Engine<Meta>>>,
    engine: Arc<Engine<Meta>>,
    meta: Arc<Meta>,
    name: CString,
    /// For lines about single inodes.
    #[pin]
    lines: RateLimit,
}

impl Mount {
    /// The metadata.
    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The limit for lines about single inodes.
    pub(super) fn lines(&self) -> &RateLimit {
        &self.lines
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device<Engine<Meta>> {
        &self.device
    }

    /// Who deals with failures, and counts them.
    pub(crate) fn engine(&self) -> &Engine<Meta> {
        &self.engine
    }

    /// How many of these blocks, which have owners and are about to be used, are not on the driver's
    /// list of bad blocks, from the first one on. None if that is: who asks gets an error, the owners
    /// are told soon.
    pub(super) fn good_len(&self, blocks: &Range<u64>) -> Option<u64> {
        match self.device.next_bad(blocks) {
            None => Some(blocks.end.saturating_sub(blocks.start)),
            Some(bad) if bad.start > blocks.start => Some(bad.start - blocks.start),
            Some(bad) => {
                self.discover(bad);
                None
            }
        }
    }

    /// A block that was about to be used is on the driver's list of bad blocks. Its owners are told
    /// soon, by a worker: here locks are held that this takes.
    pub(crate) fn discover(&self, range: Range<u64>) {
        if self.discovering.xchg(true, Relaxed) {
            // What is not known after that one is found again by the next access.
            return;
        }
        let (engine, discovering) = (self.engine.clone(), self.discovering.clone());
        let device = self.device.clone();
        let spawned = self.queue.try_spawn(GFP_NOWAIT, move || {
            // Who asks has been answered, and the log has what went wrong. A device that is gone
            // has no owners to tell: all of it is an error.
            let discovered = || engine.discovered(|| device.next_bad(&range));
            let _ = device.while_alive(discovered);
            discovering.store(false, Relaxed);
        });
        if spawned.is_err() {
            self.discovering.store(false, Relaxed);
        }
    }
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
fn open(id: &CStr, pmem: &Arc<Pmem>, blocks: u64) -> Result<Opened> {
    let medium = PmemMedium(pmem.clone());
    let opened = match Journal::open(&medium, blocks, random_bytes()) {
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

/// What is on the driver's list of bad blocks enters the bad set, before anybody can use it. Returns
/// how many blocks.
fn adopt_bad_blocks(device: &Device<Engine<Meta>>, meta: &Meta, blocks: u64) -> Result<u64> {
    let mut from = 0;
    let mut found = 0u64;
    while let Some(bad) = device.next_bad(&(from..blocks)) {
        let len = bad.end.saturating_sub(bad.start);
        meta.lock().mark_bad(&bad)?;
        found = found.saturating_add(len);
        from = bad.end;
    }
    Ok(found)
}

/// Pages that the kernel has no more in its own map, since a machine check, enter the bad set: with
/// an e820 device nobody else remembers them, and not even zeroes could be written there. Returns how
/// many blocks that the driver does not list. `first`: the page frame of block 0.
fn adopt_unmapped(
    device: &Device<Engine<Meta>>,
    meta: &Meta,
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
            meta.lock().mark_bad(&(block..block.saturating_add(1)))?;
            found = found.saturating_add(1);
        }
    }
    Ok(found)
}

/// The blocks of a device must follow each other in physical memory: page frames name blocks.
fn first_pfn(device: &Device<Engine<Meta>>, blocks: u64) -> Result<u64> {
    let first = device.pfn(0)?;
    let last = device.pfn(blocks.saturating_sub(1))?;
    if last.checked_sub(first) != blocks.checked_sub(1) {
        return Err(eopnotsupp());
    }
    Ok(first)
}

/// From here on the medium is written.
fn start_writing(id: &CStr, meta: &Meta) -> Result {
    match meta.lock().make_writable() {
        Ok(0) => Ok(()),
        Ok(evicted) => {
            pr_info!(
                "{}: {} inodes without a name are gone, which were in use at the end\n",
                id,
                evicted
            );
            Ok(())
        }
        Err(e) if e == erofs() => refuse(
            id,
            "it can be mounted read-only: for its features, or for bad blocks in its log",
            e,
        ),
        Err(e) => refuse(id, "it cannot be written", e),
    }
}

impl FileSystem for Mount {
    const NAME: &'static CStr = c"daxrmap";
    /// "DXRM".
    const MAGIC: u32 = 0x4458_524d;

    type Common = Dir;

    type FileCache = ExtentCache;

    const REGULAR_FILES: RegularFiles = dax::regular_files::<Self>();

    fn reconfigure(&self, read_only: bool) -> Result {
        if read_only {
            self.meta.lock().make_read_only();
            return Ok(());
        }
        self.meta.check_alive()?;
        start_writing(&self.name, &self.meta)
    }

    fn shutdown(&self) {
        self.meta.shut_down();
    }

    fn freeze(&self) -> Result {
        self.meta.lock().freeze()
    }

    fn thaw(&self) {
        let Err(e) = self.meta.lock().thaw() else {
            return;
        };
        pr_err!(
            "{}: not all that came while it was frozen could be written down: errno {}\n",
            &*self.name,
            e.to_errno()
        );
    }

    fn sync(&self) -> Result {
        self.meta.flush()
    }

    fn statfs(&self) -> StatFs {
        let state = self.meta.lock();
        let free = state.free_blocks();
        let files = state.inode_count();
        let metadata = state
            .metadata()
            .into_iter()
            .map(|r| r.end.saturating_sub(r.start));
        StatFs {
            block_size: dax::BLOCK_SIZE as u32,
            blocks: state.total_blocks().saturating_sub(metadata.sum()),
            free,
            // An inode needs no block; the number is what the space would hold.
            files: files.saturating_add(free),
            free_files: free,
        }
    }

    fn evict_unlinked(&self, ino: u64) {
        let result = self.meta.evict(ino);
        let Err(e) = result else { return };
        if self.lines.allows() {
            pr_warn!(
                "{}: unlinked inode {} and its blocks stay allocated: errno {}\n",
                &*self.name,
                ino,
                e.to_errno()
            );
        }
    }
}

impl Mountable for Mount {
    type Ready = dax::Ready;

    fn mount(sb: &NewSuper<Self>) -> Result<Arc<Self>> {
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
        let opened = open(id, &pmem, blocks)?;
        let sb_uuid = opened.journal.superblock().uuid;
        let blocks = opened.state.total_blocks();
        let store = Store::new(opened, PmemMedium(pmem.clone()));
        let counters = Arc::new(Counters::new(), GFP_KERNEL)?;
        let meta = Arc::pin_init(
            Meta::new(
                store,
                pmem.clone(),
                CString::try_from(id)?,
                sb.dev(),
                counters.clone(),
            ),
            GFP_KERNEL,
        )?;
        let engine = Engine::new(
            CString::try_from(id)?,
            sb.dev(),
            part.start,
            blocks.saturating_mul(dax::BLOCK_SIZE),
            meta.clone(),
            sb.gate(),
            counters,
        )?;
        let device = match Device::take(pmem, engine.clone()) {
            Ok(device) => Arc::new(device, GFP_KERNEL)?,
            Err(e) if e == EBUSY => {
                return refuse(id, "the dax device has another holder", e);
            }
            Err(e) => return refuse(id, "the dax device cannot be taken", e),
        };
        let first = match first_pfn(&device, blocks) {
            Ok(pfn) => pfn,
            Err(e) => return refuse(id, "its pages are not one run of memory", e),
        };
        engine.set_first_pfn(first);
        let bad = adopt_bad_blocks(&device, &meta, blocks)?;
        if bad != 0 {
            pr_warn!("{}: the driver lists {} blocks as bad\n", id, bad);
        }
        let unmapped = adopt_unmapped(&device, &meta, first, blocks)?;
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
        let data = DebugData::new(meta.clone(), engine.clone(), device.clone());
        let mount = Arc::pin_init(
            try_pin_init!(Mount {
                debug <- debugfs::scope(sb.common(), id, data),
                queue: OwnedQueue::new(id)?,
                discovering: Arc::new(AtomicFlag::new(false), GFP_KERNEL)?,
                device,
                engine,
                meta,
                name: CString::try_from(id)?,
                lines <- RateLimit::new(id, "inodes"),
            }? Error),
            GFP_KERNEL,
        )?;
        let read_only = if sb.is_read_only() { ", read-only" } else { "" };
        pr_info!("{}: mounted, {} blocks{}\n", id, blocks, read_only);
        Ok(mount)
    }

    fn root(sb: &SuperBlock<Self>) -> Result<ARef<Inode<Self>>> {
        namespace::inode(sb, ROOT_INO)
    }

    fn evict(inode: &Inode<Self>) {
        if inode.is_regular() {
            dax::break_layout_final(inode);
        }
    }
}
