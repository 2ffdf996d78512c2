// SPDX-License-Identifier: GPL-2.0

//! Stands in for `kernel::alloc`, with an allocation budget.

use crate::error::{
    code::EINVAL,
    Error, //
};
use std::{
    fmt,
    marker::PhantomData,
    mem::MaybeUninit,
    ops::{
        Deref,
        DerefMut, //
    }, //
};

/// The budget of allocations of the current thread.
pub mod budget {
    use super::AllocError;
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    /// Lets the next `n` allocations succeed and all after them fail; `None`: all succeed.
    pub fn set(n: Option<u64>) {
        LEFT.set(n);
    }

    /// Returns how many allocations this thread has made or tried so far.
    pub fn count() -> u64 {
        COUNT.get()
    }

    /// Pays for one allocation.
    pub(crate) fn pay() -> Result<(), AllocError> {
        COUNT.set(COUNT.get() + 1);
        match LEFT.get() {
            None => Ok(()),
            Some(0) => Err(AllocError),
            Some(n) => {
                LEFT.set(Some(n - 1));
                Ok(())
            }
        }
    }
}

/// Out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

/// Allocation flags.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flags(());

/// The allocation flags there are.
pub mod flags {
    /// May sleep.
    pub const GFP_KERNEL: super::Flags = super::Flags(());
    /// May not sleep.
    pub const GFP_ATOMIC: super::Flags = super::Flags(());
    /// May not sleep, may fail easily.
    pub const GFP_NOWAIT: super::Flags = super::Flags(());
}

/// Stands for `kmalloc`: distinct types, so that what mixes them up does not compile here either.
pub struct Kmalloc;
/// Stands for `vmalloc`.
pub struct Vmalloc;
/// Stands for `kvmalloc`.
pub struct KVmalloc;

/// A vector whose allocations can fail.
pub struct Vec<T, A = Kmalloc> {
    inner: std::vec::Vec<T>,
    /// Never more than what was paid for, whatever std has rounded it up to.
    capacity: usize,
    _allocator: PhantomData<A>,
}

/// `kmalloc`ed vector.
pub type KVec<T> = Vec<T, Kmalloc>;
/// `vmalloc`ed vector.
pub type VVec<T> = Vec<T, Vmalloc>;
/// `kvmalloc`ed vector.
pub type KVVec<T> = Vec<T, KVmalloc>;

/// Error type for [`Vec::push_within_capacity`].
#[derive(Debug)]
pub struct PushError<T>(pub T);

/// Error type for [`Vec::remove`].
#[derive(Debug)]
pub struct RemoveError;

/// Error type for [`Vec::insert_within_capacity`].
#[derive(Debug)]
pub enum InsertError<T> {
    /// The index is out of bounds.
    IndexOutOfBounds(T),
    /// There is no capacity left.
    OutOfCapacity(T),
}

impl<T> From<PushError<T>> for Error {
    fn from(_: PushError<T>) -> Error {
        EINVAL
    }
}

impl From<RemoveError> for Error {
    fn from(_: RemoveError) -> Error {
        EINVAL
    }
}

impl<T> From<InsertError<T>> for Error {
    fn from(_: InsertError<T>) -> Error {
        EINVAL
    }
}

impl<T, A> Vec<T, A> {
    /// Creates an empty vector without an allocation.
    pub const fn new() -> Self {
        Vec {
            inner: std::vec::Vec::new(),
            capacity: 0,
            _allocator: PhantomData,
        }
    }

    /// Creates an empty vector with room for `capacity` elements.
    pub fn with_capacity(capacity: usize, flags: Flags) -> Result<Self, AllocError> {
        let mut v = Self::new();
        v.reserve(capacity, flags)?;
        Ok(v)
    }

    /// Returns for how many elements there is memory.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes room for `additional` more elements than there are.
    pub fn reserve(&mut self, additional: usize, _flags: Flags) -> Result<(), AllocError> {
        let len = self.inner.len();
        if self.capacity - len >= additional {
            return Ok(());
        }
        budget::pay()?;
        let capacity = (self.capacity * 2).max(len.checked_add(additional).ok_or(AllocError)?);
        self.inner
            .try_reserve_exact(capacity - len)
            .map_err(|_| AllocError)?;
        self.capacity = capacity;
        Ok(())
    }

    /// Appends an element.
    pub fn push(&mut self, v: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(1, flags)?;
        self.inner.push(v);
        Ok(())
    }

    /// Appends an element if there is capacity.
    pub fn push_within_capacity(&mut self, v: T) -> Result<(), PushError<T>> {
        if self.inner.len() >= self.capacity {
            return Err(PushError(v));
        }
        self.inner.push(v);
        Ok(())
    }

    /// Inserts an element if there is capacity.
    pub fn insert_within_capacity(&mut self, index: usize, v: T) -> Result<(), InsertError<T>> {
        if index > self.inner.len() {
            return Err(InsertError::IndexOutOfBounds(v));
        }
        if self.inner.len() >= self.capacity {
            return Err(InsertError::OutOfCapacity(v));
        }
        self.inner.insert(index, v);
        Ok(())
    }

    /// Removes the last element.
    pub fn pop(&mut self) -> Option<T> {
        self.inner.pop()
    }

    /// Removes the element at `index`.
    pub fn remove(&mut self, index: usize) -> Result<T, RemoveError> {
        if index >= self.inner.len() {
            return Err(RemoveError);
        }
        Ok(self.inner.remove(index))
    }

    /// Removes all elements, keeps the memory.
    pub fn clear(&mut self) {
        self.inner.clear();
    }

    /// Removes the elements from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.inner.truncate(len);
    }

    /// Removes the elements for which `f` is false.
    pub fn retain(&mut self, f: impl FnMut(&mut T) -> bool) {
        self.inner.retain_mut(f);
    }

    /// Takes all elements out, keeps the memory.
    pub fn drain_all(&mut self) -> std::vec::Drain<'_, T> {
        self.inner.drain(..)
    }
}

impl<T: Clone, A> Vec<T, A> {
    /// Appends clones of the elements of a slice.
    pub fn extend_from_slice(&mut self, other: &[T], flags: Flags) -> Result<(), AllocError> {
        self.reserve(other.len(), flags)?;
        self.inner.extend_from_slice(other);
        Ok(())
    }

    /// Appends `n` clones of `value`.
    pub fn extend_with(&mut self, n: usize, value: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(n, flags)?;
        self.inner.resize(self.inner.len() + n, value);
        Ok(())
    }

    /// Creates a vector of `n` clones of `value`.
    pub fn from_elem(value: T, n: usize, flags: Flags) -> Result<Self, AllocError> {
        let mut v = Self::new();
        v.extend_with(n, value, flags)?;
        Ok(v)
    }

    /// Truncates, or appends clones of `value`.
    pub fn resize(&mut self, new_len: usize, value: T, flags: Flags) -> Result<(), AllocError> {
        match new_len.checked_sub(self.inner.len()) {
            Some(n) => self.extend_with(n, value, flags),
            None => {
                self.inner.truncate(new_len);
                Ok(())
            }
        }
    }
}

impl<T, A> Default for Vec<T, A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug, A> fmt::Debug for Vec<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: PartialEq, A> PartialEq for Vec<T, A> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq, A> Eq for Vec<T, A> {}

impl<T, A> Deref for Vec<T, A> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.inner
    }
}

impl<T, A> DerefMut for Vec<T, A> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.inner
    }
}

impl<T, A> IntoIterator for Vec<T, A> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.inner.into_iter()
    }
}

impl<'a, T, A> IntoIterator for &'a Vec<T, A> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.inner.iter()
    }
}

impl<'a, T, A> IntoIterator for &'a mut Vec<T, A> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.inner.iter_mut()
    }
}

/// A box whose allocation can fail.
pub struct Box<T, A = Kmalloc> {
    inner: std::boxed::Box<T>,
    _allocator: PhantomData<A>,
}

/// `kmalloc`ed box.
pub type KBox<T> = Box<T, Kmalloc>;
/// `vmalloc`ed box.
pub type VBox<T> = Box<T, Vmalloc>;
/// `kvmalloc`ed box.
pub type KVBox<T> = Box<T, KVmalloc>;

impl<T, A> Box<T, A> {
    /// Allocates memory and moves `x` there.
    pub fn new(x: T, _flags: Flags) -> Result<Self, AllocError> {
        budget::pay()?;
        Ok(Box {
            inner: std::boxed::Box::new(x),
            _allocator: PhantomData,
        })
    }

    /// Moves the value out and frees the memory.
    pub fn into_inner(b: Self) -> T {
        *b.inner
    }
}

impl<T, A> Box<T, A> {
    /// Allocates memory for a value.
    pub fn new_uninit(_flags: Flags) -> Result<Box<MaybeUninit<T>, A>, AllocError> {
        budget::pay()?;
        Ok(Box {
            inner: std::boxed::Box::new_uninit(),
            _allocator: PhantomData,
        })
    }
}

impl<T, A> Box<MaybeUninit<T>, A> {
    /// Moves a value there.
    pub fn write(mut self, value: T) -> Box<T, A> {
        self.inner.write(value);
        Box {
            // SAFETY: It has just been written.
            inner: unsafe { self.inner.assume_init() },
            _allocator: PhantomData,
        }
    }
}

impl<T, A> Deref for Box<T, A> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T, A> DerefMut for Box<T, A> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: fmt::Debug, A> fmt::Debug for Box<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
