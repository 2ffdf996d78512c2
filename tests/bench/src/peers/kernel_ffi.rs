// SPDX-License-Identifier: GPL-2.0

//! What interval_tree.c declares, in its two forms.

use std::ffi::c_void;

/// A `struct bench_itree_tree` or `bench_wide_tree`.
pub type Tree = c_void;

/// The functions of one form.
pub struct Functions {
    pub new: unsafe extern "C" fn() -> *mut Tree,
    pub bytes: unsafe extern "C" fn(*const Tree) -> u64,
    pub insert: unsafe extern "C" fn(*mut Tree, u64, u64, u64, u64) -> bool,
    pub remove: unsafe extern "C" fn(*mut Tree, u64, u64, u64, u64) -> bool,
    pub owners: unsafe extern "C" fn(*mut Tree, u64, u64) -> u64,
    pub sharing: unsafe extern "C" fn(*mut Tree, u64, u64, *mut u64) -> u64,
}

macro_rules! form {
    ($form:ident, $new:ident, $bytes:ident, $insert:ident, $remove:ident, $owners:ident, $sharing:ident) => {
        extern "C" {
            fn $new() -> *mut Tree;
            fn $bytes(tree: *const Tree) -> u64;
            fn $insert(tree: *mut Tree, block: u64, len: u64, ino: u64, pgoff: u64) -> bool;
            fn $remove(tree: *mut Tree, block: u64, len: u64, ino: u64, pgoff: u64) -> bool;
            fn $owners(tree: *mut Tree, start: u64, end: u64) -> u64;
            fn $sharing(tree: *mut Tree, block: u64, max_len: u64, run: *mut u64) -> u64;
        }

        pub static $form: Functions = Functions {
            new: $new,
            bytes: $bytes,
            insert: $insert,
            remove: $remove,
            owners: $owners,
            sharing: $sharing,
        };
    };
}

form!(
    NARROW,
    bench_itree_new,
    bench_itree_bytes,
    bench_itree_insert,
    bench_itree_remove,
    bench_itree_owners,
    bench_itree_sharing
);
form!(
    WIDE,
    bench_wide_new,
    bench_wide_bytes,
    bench_wide_insert,
    bench_wide_remove,
    bench_wide_owners,
    bench_wide_sharing
);
