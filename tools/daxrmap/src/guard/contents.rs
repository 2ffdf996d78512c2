// SPDX-License-Identifier: GPL-2.0

//! What is on a device, and so, whether the guard may be its holder.
//!
//! A device has one holder. XFS wants to be it where it is on the device itself, and mounts without DAX,
//! and without a word, if it cannot. ext4 does not ask for it, nor does device-mapper.

use crate::{
    device::{
        Access,
        Device, //
    },
    error::{
        Error,
        Result, //
    },
    foreign::{
        self,
        Known, //
    },
    stack::Sysfs,
};
use daxrmap_media::superblock::Copies;
use std::path::Path;

/// What blkid calls what needs no holder of the device.
const NEED_NO_HOLDER: [&str; 4] = ["ext2", "ext3", "ext4", "LVM2_member"];
/// What blkid would call ours if it knew it.
pub const DAXRMAP: &str = "daxrmap";

/// A disk or a partition of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name below /dev.
    pub name: String,
    /// What is on it.
    pub known: Known,
    /// Whether device-mapper has it.
    pub mapped: bool,
}

impl Slot {
    /// Whether XFS is on it, and takes the holder's place when it is mounted.
    pub fn is_xfs_itself(&self) -> bool {
        !self.mapped && self.known == Known::Something("xfs".to_owned())
    }
}

/// What is on a disk: on each partition, if it has some.
///
/// # Errors
///
/// If there is no such disk.
pub fn of_disk(sysfs: &Sysfs, name: &str) -> Result<Vec<Slot>> {
    let mut names = sysfs.named(name)?.partitions();
    if names.is_empty() {
        names.push(name.to_owned());
    }
    let slot = |name: String| {
        let holders = sysfs.named(&name)?.holders();
        Ok(Slot {
            known: known(&Path::new("/dev").join(&name)),
            mapped: holders.iter().any(|holder| holder.starts_with("dm-")),
            name,
        })
    };
    names.into_iter().map(slot).collect()
}

/// What is on it, by blkid, which does not know ours.
fn known(path: &Path) -> Known {
    match foreign::probe(path) {
        Known::Nothing if is_ours(path) => Known::Something(DAXRMAP.to_owned()),
        known => known,
    }
}

fn is_ours(path: &Path) -> bool {
    Device::open(path, Access::Read)
        .is_ok_and(|device| Copies::find(device.file(), device.blocks()).any())
}

/// Whether the guard may hold a disk with these slots. The module knows less: it refuses whatever nobody has open.
///
/// # Errors
///
/// If it may not: what would go wrong.
pub fn may_hold(slots: &[Slot]) -> Result<()> {
    for slot in slots {
        let refusal = match &slot.known {
            _ if slot.mapped => continue,
            Known::Something(kind) if NEED_NO_HOLDER.contains(&kind.as_str()) => continue,
            Known::Something(kind) if kind == "xfs" => {
                "an XFS is on it, which wants to be the holder itself, and would be mounted without DAX: \
                 have it watched (`daxrmap guard on`), or wrap it (`daxrmap guard wrap`)"
                    .to_owned()
            }
            Known::Something(kind) if kind == DAXRMAP => {
                "a daxrmap filesystem is on it, which needs no guard".to_owned()
            }
            Known::Something(kind) => format!(
                "{kind} is on it, of which we do not know whether it wants to be the holder; \
                 --force if not"
            ),
            Known::Nothing => "there is nothing on it: make a filesystem first, or --force, if it will \
                 not be an XFS"
                .to_owned(),
            Known::Unknown(why) => {
                format!("it is not known what is on it ({why}); --force if it is no XFS")
            }
        };
        return Err(Error::new(refusal).about_what(slot.name.as_str()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(name: &str, known: Known, mapped: bool) -> Slot {
        Slot {
            name: name.to_owned(),
            known,
            mapped,
        }
    }

    fn some(kind: &str) -> Known {
        Known::Something(kind.to_owned())
    }

    fn refusal(known: Known) -> String {
        let slots = [slot("p1", some("ext4"), false), slot("p2", known, false)];
        may_hold(&slots).unwrap_err().to_string()
    }

    #[test]
    fn what_needs_no_holder() {
        for kind in ["ext2", "ext4", "LVM2_member"] {
            let slots = [slot("pmem0", some(kind), false)];
            assert!(may_hold(&slots).is_ok());
        }
    }

    #[test]
    fn device_mapper_above() {
        for known in [some("xfs"), some("LVM2_member"), Known::Nothing] {
            let slots = [slot("pmem0", known, true)];
            assert!(may_hold(&slots).is_ok());
            assert!(!slots[0].is_xfs_itself());
        }
    }

    #[test]
    fn what_is_refused() {
        let xfs = refusal(some("xfs"));
        assert!(xfs.starts_with("p2: an XFS is on it"), "{xfs}");
        assert!(
            xfs.contains("guard wrap") && !xfs.contains("--force"),
            "{xfs}"
        );
        assert!(slot("p2", some("xfs"), false).is_xfs_itself());
        assert!(refusal(some(DAXRMAP)).contains("needs no guard"));
        for known in [
            some("btrfs"),
            some("a partition table (gpt)"),
            Known::Nothing,
            Known::Unknown("blkid: x".to_owned()),
        ] {
            let text = refusal(known);
            assert!(text.contains("--force"), "{text}");
        }
    }
}
