// SPDX-License-Identifier: GPL-2.0

//! The global allocator: counts what the peer under test asks for.
//!
//! Only between [`tracked`]'s start and end, so that nothing of the benchmark's own is in the
//! numbers. There is one thread that counts. What is counted is what is asked for, as a slab of the
//! kernel would give it: malloc's own headers are not in it.

use std::{
    alloc::{
        GlobalAlloc,
        Layout,
        System, //
    },
    sync::atomic::{
        AtomicBool,
        AtomicUsize,
        Ordering::Relaxed, //
    }, //
};

static TRACK: AtomicBool = AtomicBool::new(false);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static GLOBAL: Counting = Counting;

/// Counts a change from a block of `old` bytes to one of `new`.
fn count(old: usize, new: usize) {
    if TRACK.load(Relaxed) {
        // No read-modify-write: it would cost more than some peers' allocations.
        let bytes = BYTES.load(Relaxed).wrapping_sub(old).wrapping_add(new);
        BYTES.store(bytes, Relaxed);
        LARGEST.store(LARGEST.load(Relaxed).max(new), Relaxed);
    }
}

// SAFETY: Every call goes to `System` as it is; counting touches no memory of the caller's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: The caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: The caller keeps the contract, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        // SAFETY: The caller keeps the contract, which is the same.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(layout.size(), new_size);
        // SAFETY: The caller keeps the contract, which is the same.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

/// Runs what belongs to the peer: its allocations count.
#[inline]
pub fn tracked<R>(f: impl FnOnce() -> R) -> R {
    TRACK.store(true, Relaxed);
    let result = f();
    TRACK.store(false, Relaxed);
    result
}

/// Runs what the peer does not need itself, in the midst of what counts.
pub fn untracked<R>(f: impl FnOnce() -> R) -> R {
    let tracked = TRACK.swap(false, Relaxed);
    let result = f();
    TRACK.store(tracked, Relaxed);
    result
}

/// Returns how many bytes the peer holds.
pub fn bytes() -> usize {
    BYTES.load(Relaxed)
}

/// Returns the size of the largest allocation that the peer made.
pub fn largest() -> usize {
    LARGEST.load(Relaxed)
}

/// Has the kernel map memory that malloc then gives to the peer, so that no operation of it is
/// interrupted by a page fault: a kernel module's would not be either.
pub fn prefault(bytes: usize) {
    /// Below what malloc maps by itself, so that it comes from the heap and stays there.
    const BLOCK: usize = 64 << 10;
    let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(bytes / BLOCK);

    for _ in 0..bytes / BLOCK {
        let mut block = Vec::with_capacity(BLOCK);
        block.resize(BLOCK, 1);
        blocks.push(block);
    }
    std::hint::black_box(&blocks);
}
