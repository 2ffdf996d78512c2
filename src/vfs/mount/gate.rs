// SPDX-License-Identifier: GPL-2.0

//! The way to a mounted super block for those who come from below, such as a failing device.
//!
//! Whoever comes through the VFS keeps the mount up by the file or path that he uses. An event of the
//! device keeps nothing up. It enters the [`Gate`], which is opened here when a mount is complete, and
//! closed, waiting for whoever is inside, before the mount is taken down. So an inode reference that was
//! taken inside of the gate cannot outlive the super block.
//!
//! Nobody may wait inside of the gate for what may take for ever. Dropping the last reference to an
//! unlinked inode does: it evicts the inode, which waits for whoever pins its pages. So references that
//! were taken inside are dropped by a worker ([`late_puts`]) if they are the last.
//!
//! # Locking
//!
//! The gate's mutex is outside of every lock of a file, and inside of `s_umount`. It is held for all of a
//! visit, so that one event at a time is dealt with.
//!
//! [`late_puts`]: super::super::late_puts

use crate::{
    bindings,
    support::OwnedQueue,
    vfs::{
        late_puts::LatePuts,
        super_block::Info,
        FileSystem,
        Inode,
        SuperBlock, //
    },
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            AtomicFlag,
            Relaxed, //
        },
        new_mutex,
        Arc,
        Mutex, //
    },
    workqueue::Queue, //
};

/// What `s_fs_info` of a mounted super block points to.
#[repr(C)]
pub(in crate::vfs) struct MountInfo<F: FileSystem> {
    /// What [`SuperBlock`] knows of it.
    info: Info<F>,
    gate: Arc<Gate<F>>,
}

impl<F: FileSystem> MountInfo<F> {
    pub(in crate::vfs) fn new(fs: Arc<F>, gate: Arc<Gate<F>>) -> Self {
        Self {
            info: Info::new(fs),
            gate,
        }
    }

    pub(in crate::vfs) fn gate(&self) -> &Gate<F> {
        &self.gate
    }
}

/// A pointer to a super block, which may cross threads. What it may be used for, [`Gate`] says.
struct Mounted(NonNull<bindings::super_block>);

// SAFETY: A super block is used by all CPUs, and the value alone gives access to nothing.
unsafe impl Send for Mounted {}

/// How far a mount has come.
enum Stage {
    /// Not complete yet, or taken down: there are no inodes.
    Down,
    /// Complete.
    Up(Mounted),
    /// Being taken down: inodes are on their way out.
    Ending(Mounted),
}

/// The gate of one mount: see the module's documentation.
///
/// # Invariants
///
/// - "up": while `stage` is `Up`, that super block is a mounted [`SuperBlock`] of `F`.
/// - "ending": while it is `Ending`, that super block is still a live one of `F`: its inodes are not
///   gone.
#[pin_data]
pub(crate) struct Gate<F: FileSystem> {
    #[pin]
    stage: Mutex<Stage>,
    /// Set before the gate closes: who must not wait for the mutex looks here.
    ending: AtomicFlag,
    late: Arc<LatePuts<()>>,
    queue: OwnedQueue,
    _fs: PhantomData<fn() -> F>,
}

/// What is behind the gate.
pub(crate) enum Entered<'a, F: FileSystem> {
    /// No inode is in core.
    Down,
    /// The mount.
    Up(Visit<'a, F>),
    /// Inodes that are in core are on their way out.
    Ending,
}

impl<F: FileSystem> Gate<F> {
    /// A closed gate of the mount of device `name`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(in crate::vfs) fn new(name: &CStr) -> Result<Arc<Self>> {
        let late = LatePuts::new(())?;
        let queue = OwnedQueue::new(name)?;
        Arc::pin_init(
            pin_init!(Self {
                stage <- new_mutex!(Stage::Down, "daxrmap::Gate"),
                ending: AtomicFlag::new(false),
                late,
                queue,
                _fs: PhantomData,
            }),
            GFP_KERNEL,
        )
    }

    /// # Safety
    ///
    /// - `sb`: it is mounted for `F`, its `s_fs_info` set.
    /// - "close": [`close`](Self::close) is called before it is taken down, and
    ///   [`emptied`](Self::emptied) before its `s_fs_info` goes.
    pub(in crate::vfs) unsafe fn open(&self, sb: NonNull<bindings::super_block>) {
        // INVARIANT: "up": clause `sb`, and until `close` by clause "close".
        *self.stage.lock() = Stage::Up(Mounted(sb));
    }

    /// Closes the gate: waits for whoever is inside, lets nobody in any more, and waits until references
    /// that were taken inside are dropped.
    pub(in crate::vfs) fn close(&self) {
        self.ending.store(true, Relaxed);
        let mut stage = self.stage.lock();
        if let Stage::Up(mounted) = core::mem::replace(&mut *stage, Stage::Down) {
            // INVARIANT: "ending": it was mounted, and is live until `emptied`: clause "close" of `open`.
            *stage = Stage::Ending(mounted);
        }
        drop(stage);
        self.queue.flush();
    }

    /// Whether the gate closes, or has closed.
    pub(in crate::vfs) fn is_ending(&self) -> bool {
        self.ending.load(Relaxed)
    }

    /// The last inode is gone.
    pub(in crate::vfs) fn emptied(&self) {
        *self.stage.lock() = Stage::Down;
    }

    /// The queue for work that is started inside of the gate. [`close`](Self::close) waits for it, before
    /// inodes go.
    pub(in crate::vfs) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The super block.
    ///
    /// # Safety
    ///
    /// "work": called, and the result used, by work of [`queue`](Self::queue) that was started inside of
    /// the gate.
    pub(in crate::vfs) unsafe fn super_block(&self) -> Option<&SuperBlock<F>> {
        match &*self.stage.lock() {
            Stage::Down => None,
            Stage::Up(mounted) | Stage::Ending(mounted) => {
                // SAFETY: It is a live one of an `F`: invariants "up" and "ending". It stays so: `close`
                // waits for the caller, by clause "work".
                Some(unsafe { SuperBlock::from_raw(mounted.0.as_ptr()) })
            }
        }
    }

    /// Runs `f` with what is behind the gate. Sleeps while another visit lasts.
    pub(crate) fn enter<R>(&self, f: impl FnOnce(Entered<'_, F>) -> R) -> R {
        let guard = self.stage.lock();
        f(match &*guard {
            Stage::Down => Entered::Down,
            Stage::Ending(_) => Entered::Ending,
            Stage::Up(mounted) => Entered::Up(Visit {
                // SAFETY: It is a mounted one of an `F`: invariant "up", for as long as the mutex is
                // held, which is longer than the visit lives: `f` gets it for any lifetime.
                sb: unsafe { SuperBlock::from_raw(mounted.0.as_ptr()) },
                gate: self,
            }),
        })
    }
}

/// Inside of the gate of a mount, whose mutex is held for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'a, F: FileSystem> {
    sb: &'a SuperBlock<F>,
    gate: &'a Gate<F>,
}

/// An inode that may be in core.
pub(crate) enum InCore<'a, F: FileSystem> {
    /// It is not, or is being set up: nobody can have it open.
    No,
    /// It is on its way out: nobody can have it open, but pages of it may be pinned.
    Leaving,
    /// It is.
    Yes(Visited<'a, F>),
}

impl<'a, F: FileSystem> InCore<'a, F> {
    /// The inode, if somebody can have it open.
    pub(crate) fn usable(self) -> Option<Visited<'a, F>> {
        match self {
            Self::Yes(inode) => Some(inode),
            Self::No | Self::Leaving => None,
        }
    }
}

impl<'a, F: FileSystem> Visit<'a, F> {
    /// The super block.
    pub(crate) fn sb(&self) -> &'a SuperBlock<F> {
        self.sb
    }

    /// Whether this is a visit inside of `gate`.
    pub(in crate::vfs) fn is_of(&self, gate: &Gate<F>) -> bool {
        core::ptr::eq(self.gate, gate)
    }

    /// The inode `ino`. Never waits.
    pub(crate) fn in_core(&self, ino: u64) -> InCore<'a, F> {
        match self.sb.in_core(ino) {
            Ok(Some(inode)) => InCore::Yes(self.adopt(inode)),
            Ok(None) => InCore::No,
            Err(_) => InCore::Leaving,
        }
    }

    /// A reference that was taken inside of the gate, to be dropped as such.
    pub(crate) fn adopt(&self, inode: ARef<Inode<F>>) -> Visited<'a, F> {
        Visited {
            inode: ManuallyDrop::new(inode),
            gate: self.gate,
        }
    }
}

/// A reference to an inode, taken inside of the gate. Dropping it never waits for who pins a page.
pub(crate) struct Visited<'a, F: FileSystem> {
    inode: ManuallyDrop<ARef<Inode<F>>>,
    gate: &'a Gate<F>,
}

impl<F: FileSystem> Deref for Visited<'_, F> {
    type Target = Inode<F>;

    fn deref(&self) -> &Inode<F> {
        &self.inode
    }
}

impl<F: FileSystem> Drop for Visited<'_, F> {
    fn drop(&mut self) {
        // SAFETY: Nothing uses the field after this: the value is being dropped.
        let inode = unsafe { ManuallyDrop::take(&mut self.inode) };
        if self.gate.late.put(Inode::into_any(inode)) {
            // An error says that the worker is about to look anyway.
            let _ = self.gate.queue.enqueue(self.gate.late.clone());
        }
    }
}
