// SPDX-License-Identifier: GPL-2.0

//! The kernel's interval tree as a peer: interval_tree.c, in its two forms.

use super::{
    kernel_ffi::{
        Functions,
        Tree,
        NARROW,
        WIDE, //
    },
    Dynamic,
    Peer, //
};
use crate::fold::{
    Rec,
    Run, //
};
use std::{
    ops::Range,
    ptr::NonNull, //
};

/// A tree of either form.
///
/// # Invariants
///
/// `tree` is of `functions`' form, and lives as long as the process.
pub struct Kernel {
    functions: &'static Functions,
    tree: NonNull<Tree>,
}

impl Kernel {
    fn new(functions: &'static Functions) -> Self {
        // SAFETY: It only allocates.
        let tree = unsafe { (functions.new)() };
        // INVARIANT: The form is the same, and nothing frees it.
        Kernel {
            functions,
            tree: NonNull::new(tree).expect("out of memory"),
        }
    }
}

impl Peer for Kernel {
    #[inline]
    fn owners(&mut self, range: Range<u64>) -> u64 {
        // SAFETY: By the type invariants.
        unsafe { (self.functions.owners)(self.tree.as_ptr(), range.start, range.end) }
    }

    #[inline]
    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let mut run = 0;
        // SAFETY: By the type invariants; `run` is written to before the call returns.
        let count =
            unsafe { (self.functions.sharing)(self.tree.as_ptr(), block, max_len, &mut run) };
        (count, run)
    }

    fn foreign_bytes(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { (self.functions.bytes)(self.tree.as_ptr()) as usize }
    }
}

impl Kernel {
    #[inline]
    fn insert(&mut self, r: &Rec) {
        // SAFETY: By the type invariants.
        let done =
            unsafe { (self.functions.insert)(self.tree.as_ptr(), r.block, r.len, r.ino, r.pgoff) };
        assert!(done, "out of memory");
    }

    #[inline]
    fn remove(&mut self, r: &Rec) -> bool {
        // SAFETY: By the type invariants.
        unsafe { (self.functions.remove)(self.tree.as_ptr(), r.block, r.len, r.ino, r.pgoff) }
    }
}

macro_rules! form {
    ($(#[$doc:meta])* $name:ident, $functions:ident) => {
        $(#[$doc])*
        pub struct $name(Kernel);

        impl Default for $name {
            fn default() -> Self {
                $name(Kernel::new(&$functions))
            }
        }

        impl Peer for $name {
            fn owners(&mut self, range: Range<u64>) -> u64 {
                self.0.owners(range)
            }

            fn sharing(&mut self, block: u64, max_len: u64) -> Run {
                self.0.sharing(block, max_len)
            }

            fn foreign_bytes(&self) -> usize {
                self.0.foreign_bytes()
            }
        }

        impl Dynamic for $name {
            fn insert(&mut self, rec: &Rec) {
                self.0.insert(rec)
            }

            fn remove(&mut self, rec: &Rec) -> bool {
                self.0.remove(rec)
            }
        }
    };
}

form!(
    /// lib/interval_tree.c.
    Narrow,
    NARROW
);
form!(
    /// Its template, with wide keys.
    Wide,
    WIDE
);
