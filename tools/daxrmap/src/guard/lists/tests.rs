// SPDX-License-Identifier: GPL-2.0

//! A machine with one pmem device, that is booted again and again.

use super::*;
use std::path::PathBuf;

struct Fake {
    dir: tempfile::TempDir,
    machine: Machine,
    state: State,
}

impl Fake {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Self {
            machine: Machine {
                sysfs: Sysfs::at(dir.path(), |_| Ok(None)),
                boot: "first".to_owned(),
            },
            dir,
            state: State::default(),
        };
        fs::create_dir_all(fake.dir.path().join("class/block")).unwrap();
        fake.add("e820", "pmem0");
        fake
    }

    fn block(&self, name: &str) -> PathBuf {
        self.dir
            .path()
            .join("class/block")
            .join(name)
            .canonicalize()
            .unwrap()
    }

    /// A device on a bus of its own.
    fn add(&self, provider: &str, name: &str) {
        let bus = self.dir.path().join(format!("devices/{name}-bus"));
        let block = bus.join("region0/namespace0.0/block").join(name);
        fs::create_dir_all(block.join("device")).unwrap();
        fs::write(bus.join("provider"), format!("{provider}\n")).unwrap();
        for (file, text) in [
            ("dev", "259:0"),
            ("size", "2048"),
            ("diskseq", "9"),
            ("badblocks", ""),
            ("device/resource", "0x100000000"),
        ] {
            fs::write(block.join(file), format!("{text}\n").trim_start()).unwrap();
        }
        let link = self.dir.path().join("class/block").join(name);
        std::os::unix::fs::symlink(block, link).unwrap();
    }

    fn set(&self, file: &str, text: &str) {
        fs::write(self.block("pmem0").join(file), text).unwrap();
    }

    /// What was last put on the list.
    fn list(&self) -> String {
        fs::read_to_string(self.block("pmem0").join("badblocks")).unwrap()
    }

    fn boot(&mut self, name: &str) {
        self.machine.boot = name.to_owned();
        self.set("badblocks", "");
    }

    fn save(&mut self) {
        assert!(save(&self.machine, &mut self.state).unwrap().is_empty());
    }

    fn restore(&mut self) -> Vec<String> {
        let errors = restore(&self.machine, &mut self.state).unwrap();
        errors.iter().map(ToString::to_string).collect()
    }

    fn saved(&self) -> &[(u64, u64)] {
        match self.state.lists.as_slice() {
            [] => &[],
            [one] => &one.sectors,
            more => panic!("{more:?}"),
        }
    }
}

#[test]
fn a_list_survives_a_boot() {
    let mut fake = Fake::new();
    fake.save();
    assert!(fake.saved().is_empty());
    fake.set("badblocks", "8 8\n");
    fake.save();
    assert_eq!(fake.saved(), [(8, 8)]);
    fake.boot("second");
    assert!(fake.restore().is_empty());
    assert_eq!(fake.list(), "8 8\n");
    // Healed now, and so it stays, however often the guard is switched on.
    fake.set("badblocks", "");
    assert!(fake.restore().is_empty());
    assert_eq!(fake.list(), "");
    fake.save();
    assert!(fake.saved().is_empty());
}

#[test]
fn what_was_not_put_back_is_not_forgotten() {
    let mut fake = Fake::new();
    fake.set("badblocks", "8 8\n");
    fake.save();
    // A failure, before anybody has put the list back.
    fake.boot("second");
    fake.set("badblocks", "800 8\n");
    fake.save();
    assert_eq!(fake.saved(), [(8, 8), (800, 8)]);
    // The same when the driver was bound anew.
    assert!(fake.restore().is_empty());
    fake.set("diskseq", "10\n");
    fake.set("badblocks", "");
    fake.save();
    assert_eq!(fake.saved(), [(8, 8), (800, 8)]);
    assert!(fake.restore().is_empty());
    assert_eq!(fake.list(), "800 8\n");
}

#[test]
fn another_device_gets_nothing() {
    for (file, text) in [("size", "4096\n"), ("device/resource", "0x200000000\n")] {
        let mut fake = Fake::new();
        fake.set("badblocks", "8 8\n");
        fake.save();
        fake.boot("second");
        fake.set(file, text);
        let errors = fake.restore();
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0].starts_with("pmem0: the device of this name"),
            "{errors:?}"
        );
        assert_eq!(fake.list(), "");
        // And what was written down is kept, in case the device comes back.
        fake.save();
        assert_eq!(fake.saved(), [(8, 8)]);
    }
}

#[test]
fn an_nvdimm_keeps_its_own() {
    let mut fake = Fake::new();
    fs::remove_file(fake.dir.path().join("class/block/pmem0")).unwrap();
    fake.add("ACPI.NFIT", "pmem1");
    fs::write(fake.block("pmem1").join("badblocks"), "8 8\n").unwrap();
    fake.save();
    assert!(fake.saved().is_empty());
}

/// sysfs shows a page of it only: what was known of the rest is kept.
#[test]
fn a_list_that_is_longer_than_sysfs_shows() {
    let mut fake = Fake::new();
    fake.set("badblocks", "900000 8\n");
    fake.save();
    let long = (0..512)
        .map(|i| format!("{} 8\n", 100_000 + 16 * i))
        .collect::<Vec<_>>()
        .concat();
    fake.set("badblocks", &long[..4095]);
    let errors = save(&fake.machine, &mut fake.state).unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(fake.saved().len(), 4095 / 9 + 1);
    assert_eq!(fake.saved().last(), Some(&(900_000, 8)));
}

/// If the module tells all of it, nothing is missing, and what was healed is gone.
#[test]
fn a_list_that_is_told_whole() {
    let mut fake = Fake::new();
    fake.set("badblocks", "900000 8\n");
    fake.save();
    fake.machine.sysfs = Sysfs::at(fake.dir.path(), |_| {
        let range = |i: u64| 100_000 + 16 * i..100_008 + 16 * i;
        Ok(Some((0..512).map(range).collect::<Vec<_>>().into()))
    });
    fake.set("badblocks", "makes no sense\n");
    fake.save();
    assert_eq!(fake.saved().len(), 512);
    assert_eq!(fake.saved().last(), Some(&(100_000 + 16 * 511, 8)));
}

#[test]
fn a_list_that_cannot_be_put_back() {
    let mut fake = Fake::new();
    fake.set("badblocks", "8 8\n");
    fake.save();
    fake.boot("second");
    let file = fake.block("pmem0").join("badblocks");
    fs::remove_file(&file).unwrap();
    // Nothing can be written to it, whoever we are.
    fs::create_dir(&file).unwrap();
    assert_eq!(fake.restore().len(), 1);
    assert!(fake.state.lists[0].life.starts_with("first"));
}

/// Behind CXL a device has another name and another place after a boot, and the same uuid.
#[test]
fn a_device_that_has_moved() {
    let mut fake = Fake::new();
    fake.add("CXL", "pmem1");
    let cxl = |fake: &Fake, name: &str, file: &str, text: &str| {
        fs::write(fake.block(name).join(file), text).unwrap();
    };
    cxl(&fake, "pmem1", "device/uuid", "u-1\n");
    cxl(&fake, "pmem1", "badblocks", "800 8\n");
    fake.save();
    assert_eq!(fake.state.lists.len(), 1);
    fs::remove_file(fake.dir.path().join("class/block/pmem1")).unwrap();
    fake.machine.boot = "second".to_owned();
    fake.add("CXL", "pmem2");
    cxl(&fake, "pmem2", "device/uuid", "u-1\n");
    cxl(&fake, "pmem2", "device/resource", "0x900000000\n");
    assert!(restore(&fake.machine, &mut fake.state).unwrap().is_empty());
    let list = fs::read_to_string(fake.block("pmem2").join("badblocks")).unwrap();
    assert_eq!(list, "800 8\n");
    // Another namespace is another device.
    fake.machine.boot = "third".to_owned();
    cxl(&fake, "pmem2", "device/uuid", "u-2\n");
    assert_eq!(restore(&fake.machine, &mut fake.state).unwrap().len(), 1);
}
