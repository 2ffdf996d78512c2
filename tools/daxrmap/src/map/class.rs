// SPDX-License-Identifier: GPL-2.0

//! What a block can be, in a picture.

use serde::Serialize;

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nobody has it.
    Free,
    /// It is in use, and the filesystem does not say by whom.
    Unknown,
    /// One place of one file has it.
    Data,
    /// The filesystem has it for itself.
    Metadata,
    /// Two places of files have it.
    Shared2,
    /// Three to nine places.
    Shared3,
    /// Ten places or more.
    Shared10,
    /// It has failed, whoever has it.
    Bad,
}

impl Class {
    /// All of them, in the order of legends.
    pub const ALL: [Self; 8] = [
        Self::Free,
        Self::Data,
        Self::Shared2,
        Self::Shared3,
        Self::Shared10,
        Self::Metadata,
        Self::Unknown,
        Self::Bad,
    ];

    /// What so many places of files have.
    pub fn of_owners(owners: usize) -> Self {
        match owners {
            0 => Self::Unknown,
            1 => Self::Data,
            2 => Self::Shared2,
            3..=9 => Self::Shared3,
            _ => Self::Shared10,
        }
    }

    /// As legends have it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Unknown => "owner not told",
            Self::Data => "data",
            Self::Metadata => "metadata",
            Self::Shared2 => "shared by 2",
            Self::Shared3 => "shared by 3 to 9",
            Self::Shared10 => "shared by 10+",
            Self::Bad => "bad",
        }
    }

    /// As programs have it: a key of the JSON, a class of the style sheet.
    pub fn key(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Unknown => "unknown",
            Self::Data => "data",
            Self::Metadata => "metadata",
            Self::Shared2 => "shared2",
            Self::Shared3 => "shared3",
            Self::Shared10 => "shared10",
            Self::Bad => "bad",
        }
    }

    /// A letter of its own, for who sees no colours.
    pub fn glyph(self) -> char {
        match self {
            Self::Free => '.',
            Self::Unknown => 'u',
            Self::Data => 'o',
            Self::Metadata => 'm',
            Self::Shared2 => '2',
            Self::Shared3 => '3',
            Self::Shared10 => '+',
            Self::Bad => '!',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_has_its_own() {
        let all = || Class::ALL.into_iter();
        assert_eq!(all().collect::<Vec<_>>().len(), 8);
        assert_eq!(all().map(Class::glyph).collect::<HashSet<_>>().len(), 8);
        assert_eq!(all().map(Class::label).collect::<HashSet<_>>().len(), 8);
        assert_eq!(all().map(|c| c as usize).collect::<HashSet<_>>().len(), 8);
        for class in all() {
            assert!(class.glyph().is_ascii_graphic());
            assert_eq!(serde_json::to_value(class).unwrap(), class.key());
        }
    }

    #[test]
    fn by_owners() {
        let of = |owners: &[usize]| {
            let all: HashSet<_> = owners.iter().map(|&n| Class::of_owners(n) as u8).collect();
            assert_eq!(all.len(), 1, "{owners:?}");
            Class::of_owners(owners[0])
        };
        assert_eq!(of(&[1]), Class::Data);
        assert_eq!(of(&[2]), Class::Shared2);
        assert_eq!(of(&[3, 9]), Class::Shared3);
        assert_eq!(of(&[10, 11, usize::MAX]), Class::Shared10);
    }
}
