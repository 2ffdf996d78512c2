// SPDX-License-Identifier: GPL-2.0

//! A line that is formatted once, on the stack: printk() formats what it is given twice, to find out how
//! long it is.
//!
//! # Locking
//!
//! None.

use kernel::fmt::{
    self,
    Write, //
};

/// A text of at most so many bytes. What does not fit is left out.
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    /// What is formatted.
    pub(crate) fn of(args: fmt::Arguments<'_>) -> Self {
        let mut text = Self {
            bytes: [0; N],
            len: 0,
        };
        // An error says that it does not fit.
        let _ = text.write_fmt(args);
        text
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let end = self.len.saturating_add(s.len());
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        f.write_str(core::str::from_utf8(bytes).unwrap_or_default())
    }
}
