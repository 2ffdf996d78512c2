// SPDX-License-Identifier: GPL-2.0

//! File handles: names of inodes that stay valid when a path changes, or the inode leaves core.
//!
//! A handle is an inode number and a generation, in a form that the kernel has types for
//! (`FILEID_INO64_GEN`, with the parent directory `FILEID_INO64_GEN_PARENT`), in words of 32 bits,
//! the inode number's low one first. name_to_handle_at(2), fanotify and an NFS server hand them out;
//! open_by_handle_at(2) and the server take them back, so any of its bytes may be anything.
//!
//! C header: [`include/linux/exportfs.h`](srctree/include/linux/exportfs.h); what the callbacks have
//! to do: Documentation/filesystems/nfs/exporting.rst.
//!
//! # Locking
//!
//! The VFS holds no lock: what a handle names may be renamed or removed at any time. To find the name of
//! a directory in its parent the VFS reads the parent.

use crate::{
    bindings,
    errno::estale,
    vfs::{
        answer::outside,
        FileSystem,
        Handle,
        Inode,
        Namespace,
        SuperBlock, //
    },
};
use core::{
    marker::PhantomData,
    slice, //
};
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

/// An inode's number, and its generation, which tells it from others that had the number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    /// The inode's number.
    pub(crate) ino: u64,
    /// Its generation.
    pub(crate) generation: u32,
}

impl FileId {
    /// Words of an encoded id.
    const WORDS: usize = 3;

    /// Bytes of the handle of one inode.
    pub(crate) const BYTES: usize = Self::WORDS * size_of::<u32>();

    /// Type of the handle of one inode.
    pub(crate) const TYPE: u32 = bindings::fid_type_FILEID_INO64_GEN;

    fn of<F: FileSystem>(inode: &Inode<F>) -> Self {
        Self {
            ino: inode.ino(),
            generation: inode.generation(),
        }
    }

    fn to_words(self) -> [u32; Self::WORDS] {
        [self.ino as u32, (self.ino >> 32) as u32, self.generation]
    }

    /// `None` if there are too few words.
    fn from_words(words: &[u32]) -> Option<Self> {
        let [low, high, generation, ..] = *words else {
            return None;
        };
        Some(Self {
            ino: u64::from(high) << 32 | u64::from(low),
            generation,
        })
    }

    /// The handle, with room for any.
    pub(crate) fn to_handle(self) -> Handle {
        let mut handle = Handle {
            generation: self.generation,
            // They are few.
            kind: Self::TYPE as i32,
            len: Self::BYTES as u32,
            bytes: [0; Handle::ROOM],
        };
        if let Some((bytes, _)) = handle.bytes.split_first_chunk_mut() {
            *bytes = self.to_bytes();
        }
        handle
    }

    /// The handle, as user space has it.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(self.to_words().as_bytes());
        bytes
    }
}

/// A filesystem whose inodes can be found by handles.
pub(crate) trait Export: Namespace {
    /// The inode with that number and generation: of a file that has a name, or that is still open.
    ///
    /// # Errors
    ///
    /// `ESTALE` if there is none, `ENOMEM`.
    fn inode(sb: &SuperBlock<Self>, id: FileId) -> Result<ARef<Inode<Self>>>;

    /// The parent of the directory `dir`, which is not the root.
    ///
    /// # Errors
    ///
    /// `ESTALE` if it is gone, `ENOMEM`.
    fn parent(dir: &Inode<Self>) -> Result<ARef<Inode<Self>>>;
}

/// The words of a handle that came from outside.
///
/// # Safety
///
/// `fid`: `len` words are there, unless `len` is negative, and nobody changes them for `'a`.
unsafe fn words<'a>(fid: *const bindings::fid, len: c_int) -> &'a [u32] {
    match usize::try_from(len) {
        // SAFETY: So many words are there, and stay as they are for `'a`: clause `fid`; the C type
        // is aligned as its words are.
        Ok(len) if len > 0 => unsafe { slice::from_raw_parts(fid.cast(), len) },
        _ => &[],
    }
}

/// A dentry for an inode: any that there is, or a new one that is not connected to the root.
fn obtain_dentry<F: FileSystem>(found: Result<ARef<Inode<F>>>) -> *mut bindings::dentry {
    match found {
        // SAFETY: The reference passes to the dentry, or is dropped.
        Ok(inode) => unsafe { bindings::d_obtain_alias(ARef::into_raw(inode).as_ptr().cast()) },
        Err(e) => outside(e).to_ptr(),
    }
}

struct Table<F>(PhantomData<F>);

impl<F: Export> Table<F> {
    const OPS: bindings::export_operations = bindings::export_operations {
        encode_fh: Some(Self::encode_fh),
        fh_to_dentry: Some(Self::fh_to_dentry),
        fh_to_parent: Some(Self::fh_to_parent),
        get_parent: Some(Self::get_parent),
        // SAFETY: A table of optional function pointers, flags, and a pointer that may be null.
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// Called by whoever makes handles.
    /// - `inode`: a live one of an `F`.
    /// - `parent`: null, or a live one of an `F`.
    /// - `max_len`: how many words there are, a number for this call alone.
    /// - `fh`: so many words of room, for this call alone.
    unsafe extern "C" fn encode_fh(
        inode: *mut bindings::inode,
        fh: *mut u32,
        max_len: *mut c_int,
        parent: *mut bindings::inode,
    ) -> c_int {
        // SAFETY: It is a live inode of an `F`: clause `inode`.
        let id = FileId::of(unsafe { Inode::<F>::from_raw(inode) });
        let mut handle = [0; 2 * FileId::WORDS];
        let (own, its_parent) = handle.split_at_mut(FileId::WORDS);
        own.copy_from_slice(&id.to_words());
        let (len, kind) = if parent.is_null() {
            (FileId::WORDS, FileId::TYPE)
        } else {
            // SAFETY: It is a live inode of an `F`, as it is not null: clause `parent`.
            let id = FileId::of(unsafe { Inode::<F>::from_raw(parent) });
            its_parent.copy_from_slice(&id.to_words());
            (handle.len(), bindings::fid_type_FILEID_INO64_GEN_PARENT)
        };
        // SAFETY: It is a number: clause `max_len`.
        let room = usize::try_from(unsafe { *max_len }).unwrap_or(0);
        // SAFETY: It is ours for the call: clause `max_len`.
        unsafe { *max_len = len as c_int };
        if room < len {
            return bindings::fid_type_FILEID_INVALID as c_int;
        }
        // SAFETY: There is room for that many words, as was checked, which are the caller's and so not in
        // `handle`: clauses `max_len` and `fh`. `handle` has as many.
        unsafe { core::ptr::copy_nonoverlapping(handle.as_ptr(), fh, len) };
        kind as c_int
    }

    /// The inode that words of a handle name.
    ///
    /// # Safety
    ///
    /// `sb`: a mounted super block of an `F`, for the call.
    unsafe fn find(sb: *mut bindings::super_block, words: &[u32]) -> *mut bindings::dentry {
        // SAFETY: It is a mounted one of an `F`: clause `sb`.
        let sb = unsafe { SuperBlock::<F>::from_raw(sb) };
        obtain_dentry(
            FileId::from_words(words)
                .ok_or_else(estale)
                .and_then(|id| F::inode(sb, id)),
        )
    }

    /// # Safety
    ///
    /// Called by whoever is given a handle.
    /// - `sb`: a mounted super block of an `F`, for the call.
    /// - `fid`: `len` words, for the call.
    unsafe extern "C" fn fh_to_dentry(
        sb: *mut bindings::super_block,
        fid: *mut bindings::fid,
        len: c_int,
        kind: c_int,
    ) -> *mut bindings::dentry {
        const PARENT: u32 = bindings::fid_type_FILEID_INO64_GEN_PARENT;
        // SAFETY: So many words are there for the call: clause `fid`.
        let words = unsafe { words(fid, len) };
        if !matches!(kind as u32, FileId::TYPE | PARENT) {
            return estale().to_ptr();
        }
        // SAFETY: It is a mounted one of an `F`: clause `sb`.
        unsafe { Self::find(sb, words) }
    }

    /// # Safety
    ///
    /// Called by whoever is given a handle.
    /// - `sb`: a mounted super block of an `F`, for the call.
    /// - `fid`: `len` words, for the call.
    unsafe extern "C" fn fh_to_parent(
        sb: *mut bindings::super_block,
        fid: *mut bindings::fid,
        len: c_int,
        kind: c_int,
    ) -> *mut bindings::dentry {
        // SAFETY: So many words are there for the call: clause `fid`.
        let words = unsafe { words(fid, len) };
        if kind as u32 != bindings::fid_type_FILEID_INO64_GEN_PARENT {
            return estale().to_ptr();
        }
        // SAFETY: It is a mounted one of an `F`: clause `sb`.
        unsafe { Self::find(sb, words.get(FileId::WORDS..).unwrap_or_default()) }
    }

    /// # Safety
    ///
    /// Called by whoever connects dentries. `child`: one of a directory of an `F`, which keeps its inode
    /// for the call.
    unsafe extern "C" fn get_parent(child: *mut bindings::dentry) -> *mut bindings::dentry {
        // SAFETY: It is an `F`'s and keeps its inode for the call: clause `child`.
        let dir = unsafe { Inode::<F>::of_dentry(child) };
        obtain_dentry(dir.and_then(F::parent))
    }
}

pub(in crate::vfs) fn export_operations<F: Export>() -> &'static bindings::export_operations {
    &Table::<F>::OPS
}
