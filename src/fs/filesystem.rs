// SPDX-License-Identifier: GPL-2.0

//! What the VFS calls of the filesystem as a whole: mount, root, remount, freeze, sync, statfs.
//!
//! Each is a few lines: what is done is in [`open`], in [`Meta`](super::meta::Meta), in
//! [`namespace`].
//!
//! # Locking
//!
//! The VFS holds `s_umount` where it mounts, remounts, freezes and syncs. The commit lock is taken
//! for one change each.

use super::{
    file::extent_cache::ExtentCache,
    inode::namespace,
    mount::{
        Common,
        Mount, //
    },
    open, //
};
use crate::{
    dax,
    state::ROOT_INO,
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
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

impl FileSystem for Mount {
    const NAME: &'static CStr = c"daxrmap";
    /// "DXRM".
    const MAGIC: u32 = 0x4458_524d;

    type Common = Common;

    type FileCache = ExtentCache;

    const REGULAR_FILES: RegularFiles<Self> = dax::regular_files::<Self>();

    fn reconfigure(&self, read_only: bool) -> Result {
        if read_only {
            self.reap_all();
            self.meta().lock().make_read_only();
            return Ok(());
        }
        self.meta().check_alive()?;
        open::start_writing(self.name(), self.meta())?;
        self.workers().start_reaping();
        Ok(())
    }

    fn shutdown(&self) {
        self.meta().health().shut_down();
    }

    fn freeze(&self) -> Result {
        self.meta().lock().freeze()
    }

    fn thaw(&self) {
        if let Err(e) = self.meta().lock().thaw() {
            pr_err!(
                "{}: not all that came while it was frozen could be written down: errno {}\n",
                self.name(),
                e.to_errno()
            );
        }
        self.workers().start_reaping();
    }

    fn sync(&self) -> Result {
        self.meta().flush()
    }

    fn statfs(&self) -> StatFs {
        let state = self.meta().read();
        let free = state.free_blocks();
        let files = state.inode_count();
        StatFs {
            block_size: dax::BLOCK_SIZE as u32,
            blocks: state
                .total_blocks()
                .saturating_sub(self.meta().metadata_blocks()),
            free,
            // An inode needs no block; the number is what the space would hold.
            files: files.saturating_add(free),
            free_files: free,
        }
    }

    fn ending(&self) {
        self.workers().stop_reaping();
        self.reap_all();
    }

    fn evict_unlinked(&self, ino: u64) {
        let e = match self.meta().evict(ino) {
            Ok(true) => return,
            Ok(false) => return self.workers().start_reaping(),
            Err(e) => e,
        };
        if self.lines().allows() {
            pr_warn!(
                "{}: unlinked inode {} and its blocks stay allocated: errno {}\n",
                self.name(),
                ino,
                e.to_errno()
            );
        }
    }
}

impl Mountable for Mount {
    type Ready = dax::Ready;

    fn mount(sb: &NewSuper<Self>) -> Result<Arc<Self>> {
        open::mount(sb)
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
