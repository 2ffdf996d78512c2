// SPDX-License-Identifier: GPL-2.0

//! Uuids as text: 32 hexadecimal digits, in groups of 8, 4, 4, 4 and 12.

use std::fmt;

/// A uuid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(pub [u8; 16]);

/// Where there is a "-" before a byte.
const DASHES: [usize; 4] = [4, 6, 8, 10];

impl Uuid {
    /// A random one, of version 4, of 16 random bytes.
    pub fn random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// From text; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let mut uuid = [0; 16];
        for (index, byte) in uuid.iter_mut().enumerate() {
            if DASHES.contains(&index) {
                rest = rest.strip_prefix(b"-")?;
            }
            let (digits, later) = rest.split_at_checked(2)?;
            let [high, low] = [digits[0], digits[1]].map(|digit| char::from(digit).to_digit(16));
            *byte = ((high? << 4) | low?) as u8;
            rest = later;
        }
        rest.is_empty().then_some(Self(uuid))
    }

    /// Whether it is nobody's: all zero.
    pub fn is_nil(&self) -> bool {
        self.0 == [0; 16]
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let dash = if DASHES.contains(&index) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_and_from_text() {
        let text = "01234567-89ab-4def-8123-456789abcdef";
        let uuid = Uuid::parse(text).unwrap();
        assert_eq!(uuid.0[..4], [1, 0x23, 0x45, 0x67]);
        assert_eq!(uuid.to_string(), text);
        assert_eq!(Uuid::parse(&text.to_uppercase()), Some(uuid));
        for bad in [
            "",
            "01234567-89ab-4def-8123-456789abcde",
            "01234567-89ab-4def-8123-456789abcdef0",
            "0123456789ab4def8123456789abcdef",
            "01234567-89ab-4def-8123-456789abcdeg",
            "01234567-89ab-4def-8123+456789abcdef",
            "{01234567-89ab-4def-8123-456789abcdef}",
            "01234567-89ab-4def-8123-456789abc\u{fc}f",
        ] {
            assert_eq!(Uuid::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn random_ones_say_so() {
        for byte in [0, 0x55, 0xff] {
            let text = Uuid::random([byte; 16]).to_string();
            assert_eq!(&text[14..15], "4");
            assert!("89ab".contains(&text[19..20]), "{text}");
        }
        assert!(Uuid([0; 16]).is_nil() && !Uuid([1; 16]).is_nil());
    }
}
