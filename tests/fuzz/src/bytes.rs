// SPDX-License-Identifier: GPL-2.0

//! Reads a fuzzer's bytes from front to back.
//!
//! No more than that, so that a mutation of one byte changes one thing, and that the corpus keeps
//! its meaning whatever crates are updated.

pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Bytes(data)
    }

    /// Returns the next byte, `None` at the end.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Returns one of `choices`.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let n = usize::from(self.byte()?);
        Some(choices[n % choices.len()])
    }
}
