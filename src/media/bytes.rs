// SPDX-License-Identifier: GPL-2.0

//! Little-endian numbers and byte strings, to and from the medium.
//!
//! What is read may be anything: a [`Reader`] never goes beyond its end. There is nothing to lock.

use crate::errno::euclean;
use kernel::prelude::*;

/// Takes bytes one after the other.
pub(crate) trait Sink {
    /// Takes some more.
    ///
    /// # Errors
    ///
    /// What the medium says.
    fn put(&mut self, bytes: &[u8]) -> Result;

    /// Takes one byte.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    fn put_u8(&mut self, value: u8) -> Result {
        self.put(&[value])
    }

    /// Takes a number of 4 bytes.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    fn put_u32(&mut self, value: u32) -> Result {
        self.put(&value.to_le_bytes())
    }

    /// Takes a number of 8 bytes.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    fn put_u64(&mut self, value: u64) -> Result {
        self.put(&value.to_le_bytes())
    }
}

/// Fills a slice from its start.
pub(crate) struct SliceSink<'a> {
    rest: &'a mut [u8],
}

impl<'a> SliceSink<'a> {
    pub(crate) fn new(rest: &'a mut [u8]) -> Self {
        Self { rest }
    }
}

impl Sink for SliceSink<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result {
        let rest = core::mem::take(&mut self.rest);
        let (to, rest) = rest.split_at_mut_checked(bytes.len()).ok_or(ENOSPC)?;
        to.copy_from_slice(bytes);
        self.rest = rest;
        Ok(())
    }
}

/// Gives bytes one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of all of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether all has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there are fewer.
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(euclean)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The next `N` bytes, by value.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there are fewer.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.bytes(N)?.try_into().map_err(|_| euclean())
    }

    /// One byte.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` at the end.
    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.fixed().map(u8::from_le_bytes)
    }

    /// A number of 4 bytes.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` at the end.
    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.fixed().map(u32::from_le_bytes)
    }

    /// A number of 8 bytes.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` at the end.
    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.fixed().map(u64::from_le_bytes)
    }
}
