// SPDX-License-Identifier: GPL-2.0

//! The inode, file and address space operations of regular files: from the VFS's calls to
//! [`FileData`]'s.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h). C sources: fs/open.c
//! (`vfs_fallocate`), fs/remap_range.c.
//!
//! # Locking
//!
//! The VFS holds no lock of the inode. For fallocate(2) and what shares blocks it has write access to the
//! mount. Only for fallocate(2) `i_rwsem` is taken here, exclusively.

use super::{
    seek,
    vm_operations::vm_operations,
    Fallocate,
    FileData,
    ReadIter,
    Remap,
    WriteIter, //
};
use crate::{
    bindings, dax,
    errno::eopnotsupp,
    vfs::{
        common_inode_operations,
        from_result,
        outside,
        unlocked_ioctl,
        Inode,
        RegularFiles, //
    },
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    iov::{
        IovIterDest,
        IovIterSource, //
    },
    prelude::*, //
};

struct Table<F>(PhantomData<F>);

impl<F: FileData> Table<F> {
    const FILE: bindings::file_operations = bindings::file_operations {
        open: Some(seek::open),
        llseek: Some(seek::llseek::<F>),
        read_iter: Some(Self::read_iter),
        write_iter: Some(Self::write_iter),
        unlocked_ioctl: Some(unlocked_ioctl::<F>),
        compat_ioctl: bindings::compat_ptr_ioctl,
        fsync: Some(Self::fsync),
        mmap_prepare: Some(Self::mmap_prepare),
        get_unmapped_area: Some(bindings::thp_get_unmapped_area),
        remap_file_range: Some(remap_file_range::<F>),
        fallocate: Some(fallocate::<F>),
        splice_read: Some(bindings::copy_splice_read),
        splice_write: Some(bindings::iter_file_splice_write),
        // The last two: it may be asked not to wait, without O_DIRECT too.
        fop_flags: bindings::FOP_MMAP_SYNC
            | bindings::FOP_BUFFER_RASYNC
            | bindings::FOP_BUFFER_WASYNC,
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    const INODE: bindings::inode_operations = bindings::inode_operations {
        fiemap: Some(Self::fiemap),
        ..common_inode_operations::<F>()
    };

    const MAPPING: bindings::address_space_operations = bindings::address_space_operations {
        writepages: Some(Self::writepages),
        dirty_folio: Some(bindings::noop_dirty_folio),
        // SAFETY: A table of optional function pointers; absent ones are null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `kiocb`: for this call alone, until it returns; of an open file of an `F`.
    /// - `iter`: for this call alone, to be filled.
    unsafe extern "C" fn read_iter(
        kiocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: It is there for this call alone: clause `kiocb`.
        let kiocb = unsafe { &mut *kiocb };
        // SAFETY: It is there for this call alone, and to be filled: clause `iter`.
        let iter = unsafe { IovIterDest::from_raw(iter) };
        // SAFETY: The file is open, and an `F`'s: clause `kiocb`.
        let inode = unsafe { Inode::<F>::of_file(kiocb.ki_filp) };
        // SAFETY: They are the VFS's, for this call, on an open file: clauses `kiocb` and `iter`.
        let mut io = unsafe { ReadIter::new(kiocb, iter) };
        count(F::read(inode, &mut io))
    }

    /// # Safety
    ///
    /// Called by the VFS.
    /// - `kiocb`: for this call alone, until it returns; of an open file of an `F`.
    /// - `iter`: for this call alone, to be read from.
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: It is there for this call alone: clause `kiocb`.
        let kiocb = unsafe { &mut *kiocb };
        // SAFETY: It is there for this call alone, and to be read from: clause `iter`.
        let iter = unsafe { IovIterSource::from_raw(iter) };
        // SAFETY: The file is open, and an `F`'s: clause `kiocb`.
        let inode = unsafe { Inode::<F>::of_file(kiocb.ki_filp) };
        // SAFETY: They are the VFS's, for this call, on an open file: clauses `kiocb` and `iter`.
        let mut io = unsafe { WriteIter::new(&mut *kiocb, iter) };
        match F::write(inode, &mut io) {
            // SAFETY: It is a `kiocb` of an open file: clause `kiocb`; no lock is held.
            Ok(n) if n > 0 => unsafe {
                bindings::daxrmap_generic_write_sync(
                    kiocb,
                    isize::try_from(n).unwrap_or(isize::MAX),
                )
            },
            result => count(result),
        }
    }

    /// # Safety
    ///
    /// Called by the VFS. `file`: an open file of an `F`.
    unsafe extern "C" fn fsync(
        file: *mut bindings::file,
        start: bindings::loff_t,
        end: bindings::loff_t,
        _datasync: c_int,
    ) -> c_int {
        // Metadata is complete when the call that changed it returns; what is left are the cache
        // lines that user space dirtied through mmap, and what the device has still to do.
        // SAFETY: The file is open: clause `file`.
        let written = unsafe { bindings::file_write_and_wait_range(file, start, end) };
        from_result(|| {
            // SAFETY: The file is open, and of an `F`: clause `file`.
            let inode = unsafe { Inode::<F>::of_file(file) };
            // Also if it was not written: other data may have been.
            let synced = inode.fs().sync();
            to_result(written).and(synced).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// Called by whoever writes back.
    /// - `mapping`: of a live regular file of an `F`.
    /// - `wbc`: for this call alone.
    unsafe extern "C" fn writepages(
        mapping: *mut bindings::address_space,
        wbc: *mut bindings::writeback_control,
    ) -> c_int {
        // SAFETY: It is there for the call: clause `mapping`.
        let inode = unsafe { (*mapping).host };
        // SAFETY: It is a live one of an `F`: clause `mapping`.
        let inode = unsafe { Inode::<F>::from_raw(inode) };
        // SAFETY: It is there for this call alone: clause `wbc`.
        let wbc = unsafe { &mut *wbc };
        from_result(|| {
            if let Some(mut what) = dax::Writeback::new(inode, wbc) {
                F::write_back(&mut what)?;
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by mmap(2). `desc`: for this call alone, of an open file of an `F`.
    unsafe extern "C" fn mmap_prepare(desc: *mut bindings::vm_area_desc) -> c_int {
        from_result(|| {
            // SAFETY: It is there for the call: clause `desc`.
            let file = unsafe { (*desc).file };
            // SAFETY: The file is open, and an `F`'s: clause `desc`.
            let inode = unsafe { Inode::<F>::of_file(file) };
            let dax_dev = inode.fs().pmem().as_ptr();
            // SAFETY: The descriptor is there for the call: clause `desc`. The dax device is referenced:
            // invariant "dax" of `Pmem`.
            if !unsafe { bindings::daxrmap_mmap_supported(desc, dax_dev) } {
                return Err(eopnotsupp());
            }
            // SAFETY: The file is open: clause `desc`.
            unsafe { bindings::daxrmap_file_accessed(file) };
            // SAFETY: It is ours to fill: clause `desc`.
            unsafe { (*desc).vm_ops = vm_operations::<F>() };
            // SAFETY: It is ours to fill: clause `desc`.
            unsafe { bindings::daxrmap_vma_set_huge(desc) };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the VFS. `inode`: a live regular file of an `F`. `info`: for this call alone.
    unsafe extern "C" fn fiemap(
        inode: *mut bindings::inode,
        info: *mut kernel::bindings::fiemap_extent_info,
        start: u64,
        len: u64,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The inode is live during the call, and an `F`'s: clause `inode`.
            let inode = unsafe { Inode::from_raw(inode) };
            // kernel::bindings has the type as opaque, ours is the same C type.
            let info = NonNull::new(info.cast()).ok_or(EINVAL)?;
            // SAFETY: It is the VFS's for this call, and this is the one value for it: clause `info`.
            let mut call = unsafe { dax::Fiemap::new(info, start, len) };
            F::fiemap(inode, &mut call).map(|()| 0)
        })
    }
}

fn count(result: Result<usize>) -> isize {
    match result {
        Ok(n) => isize::try_from(n).unwrap_or(isize::MAX),
        Err(e) => outside(e).to_errno() as isize,
    }
}

/// What the VFS calls for the regular files of `F`.
pub(crate) const fn regular_files<F: FileData>() -> RegularFiles<F> {
    // SAFETY: All three are the tables of `F`, whose callbacks want regular files of an `F`, with S_DAX:
    // clause "tables".
    unsafe {
        RegularFiles::new(
            &Table::<F>::INODE,
            &Table::<F>::FILE,
            &Table::<F>::MAPPING,
            bindings::S_DAX,
        )
    }
}

/// # Safety
///
/// Called by the VFS. `file`: a regular file of an `F`, open for writing.
unsafe extern "C" fn fallocate<F: FileData>(
    file: *mut bindings::file,
    mode: c_int,
    offset: bindings::loff_t,
    len: bindings::loff_t,
) -> c_long {
    let result = from_result(|| {
        // SAFETY: The file is open, and an `F`'s: clause `file`.
        let inode = unsafe { Inode::<F>::of_file(file) };
        let what = Fallocate::from_mode(mode)?;
        let start = u64::try_from(offset).map_err(|_| EINVAL)?;
        let len = u64::try_from(len).map_err(|_| EINVAL)?;
        let end = start.checked_add(len).ok_or(EFBIG)?;
        let lock = inode.lock();
        let size = match what {
            Fallocate::Collapse | Fallocate::Insert => {
                // SAFETY: The super block is mounted, as a file of it is open: clause `file`; its limit
                // does not change.
                let max = unsafe { (*inode.sb().as_ptr()).s_maxbytes };
                let max = u64::try_from(max).map_err(|_| EFBIG)?;
                what.moved_size(inode.size(), &(start..end), max)?
            }
            _ if what.grows() => end,
            _ => 0,
        };
        if size > inode.size() {
            let size = bindings::loff_t::try_from(size).map_err(|_| EFBIG)?;
            // SAFETY: The inode is live: invariant "live"; its `i_rwsem` is held: invariant "held" of
            // `lock`.
            to_result(unsafe { bindings::inode_newsize_ok(inode.as_ptr(), size) })?;
        }
        // What fails for that has changed nothing, the times included.
        F::check_room(inode, what, &(start..end))?;
        // SAFETY: The file is open: clause `file`; `i_rwsem` is held exclusively: invariant "held" of
        // `lock`.
        to_result(unsafe { bindings::file_modified(file) })?;
        F::fallocate(&lock, what, start..end)?;
        Ok(0)
    });
    result as c_long
}

/// # Safety
///
/// Called by the VFS. `file_in`, `file_out`: open regular files of one mount of an `F`, which it has
/// compared.
unsafe extern "C" fn remap_file_range<F: FileData>(
    file_in: *mut bindings::file,
    pos_in: bindings::loff_t,
    file_out: *mut bindings::file,
    pos_out: bindings::loff_t,
    len: bindings::loff_t,
    flags: c_uint,
) -> bindings::loff_t {
    // SAFETY: They are open for this call, and of one mount of an `F`: clauses `file_in` and `file_out`.
    let range = unsafe { Remap::<F>::new((file_in, pos_in), (file_out, pos_out), len, flags) };
    match range.and_then(|range| F::remap(&range)) {
        Ok(n) => i64::try_from(n).unwrap_or(i64::MAX),
        Err(e) => outside(e).to_errno().into(),
    }
}
