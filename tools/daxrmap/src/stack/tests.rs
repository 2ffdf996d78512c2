// SPDX-License-Identifier: GPL-2.0

//! Stacks of devices that sysfs and device-mapper are told to have.

#![allow(
    clippy::single_range_in_vec_init,
    reason = "sets of one range are meant"
)]

use super::*;
use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf, //
};

/// A sysfs of its own.
struct Fake {
    dir: tempfile::TempDir,
    tables: Vec<(DeviceNumber, Vec<dm::Line>)>,
    whole: Whole,
}

fn number(text: &str) -> DeviceNumber {
    text.parse().unwrap()
}

impl Fake {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("dev/block")).unwrap();
        fs::create_dir_all(dir.path().join("class/block")).unwrap();
        Self {
            dir,
            tables: Vec::new(),
            whole: |_| Ok(None),
        }
    }

    fn block(&self, path: &str, dev: &str, sectors: u64) -> PathBuf {
        let dir = self.dir.path().join("devices").join(path);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("dev"), format!("{dev}\n")).unwrap();
        fs::write(dir.join("size"), format!("{sectors}\n")).unwrap();
        symlink(&dir, self.dir.path().join("dev/block").join(dev)).unwrap();
        let name = dir.file_name().unwrap();
        symlink(&dir, self.dir.path().join("class/block").join(name)).unwrap();
        dir
    }

    fn pmem(&self, path: &str, dev: &str, address: &str, bad: &str) {
        let dir = self.block(path, dev, 1 << 20);
        fs::create_dir(dir.join("device")).unwrap();
        fs::write(dir.join("device/resource"), format!("{address}\n")).unwrap();
        fs::write(dir.join("badblocks"), bad).unwrap();
    }

    fn partition(&self, path: &str, dev: &str, start: u64, sectors: u64) {
        let dir = self.block(path, dev, sectors);
        fs::write(dir.join("partition"), "1\n").unwrap();
        fs::write(dir.join("start"), format!("{start}\n")).unwrap();
    }

    /// A device-mapper device; a part: sectors, target, parameters.
    fn mapped(&mut self, dev: &str, table: &[(u64, &str, &str)]) {
        let minor = dev.split_once(':').unwrap().1;
        let dir = self.block(&format!("virtual/block/dm-{minor}"), dev, 0);
        fs::create_dir(dir.join("dm")).unwrap();
        let mut start = 0;
        let mut lines = Vec::new();
        for &(sectors, target, params) in table {
            lines.push(dm::Line {
                start,
                length: sectors * 512,
                target: target.to_owned(),
                params: params.to_owned(),
            });
            start += sectors * 512;
        }
        self.tables.push((number(dev), lines));
    }

    fn stack(&self, dev: &str) -> Result<Stack> {
        let mut table = |device| {
            let found = self.tables.iter().find(|table| table.0 == device);
            Ok(found.expect("a table").1.clone())
        };
        Stack::new(
            number(dev),
            &Sysfs::at(self.dir.path(), self.whole),
            &mut table,
        )
    }

    /// What is bad, in pages.
    fn bad(&self, dev: &str) -> Vec<Range> {
        let bad = self.stack(dev).unwrap().bad().unwrap();
        assert!(bad.errors.is_empty());
        let pages = |range: &Range| {
            assert_eq!((range.start % PAGE, range.end % PAGE), (0, 0));
            range.start / PAGE..range.end / PAGE
        };
        bad.ranges.iter().map(pages).collect()
    }
}

#[test]
fn a_disk() {
    let fake = Fake::new();
    fake.pmem("pmem0", "259:0", "0x100000000", "8 8\n16 16\n100 1\n");
    // A sector takes its page.
    assert_eq!(fake.bad("259:0"), [1..4, 12..13]);
    let stack = fake.stack("259:0").unwrap();
    assert_eq!(stack.pfn(3 * PAGE + 5), Some(0x100003));
    assert_eq!(stack.with_pfn(0x100003), [3 * PAGE..4 * PAGE]);
    assert!(stack.with_pfn(0xfffff).is_empty());
    assert!(stack.with_pfn(0x100000 + (1 << 17)).is_empty());
}

#[test]
fn a_partition() {
    let fake = Fake::new();
    fake.pmem(
        "pmem0",
        "259:0",
        "0x100000000",
        "0 8\n4096 8\n8192 8\n4088 16\n8184 8\n",
    );
    fake.partition("pmem0/pmem0p1", "259:1", 4096, 4096);
    // What is before and behind it is not its own, and is cut off.
    assert_eq!(fake.bad("259:1"), [0..1, 511..512]);
    let stack = fake.stack("259:1").unwrap();
    assert_eq!(stack.pfn(0), Some(0x100200));
    assert_eq!(stack.pfn(512 * PAGE), None);
    assert_eq!(stack.with_pfn(0x100201), [PAGE..2 * PAGE]);
    assert!(stack.with_pfn(0x100000).is_empty());
}

#[test]
fn linear_over_two_disks() {
    let mut fake = Fake::new();
    fake.pmem("pmem0", "259:0", "0x100000000", "8 8\n800 8\n");
    fake.pmem("pmem1", "259:1", "0x200000000", "16 8\n");
    fake.mapped(
        "253:0",
        &[(160, "linear", "259:1 16"), (80, "linear", "259:0 0")],
    );
    // First page of pmem1's part, second page of pmem0's; what is far out is not of it.
    assert_eq!(fake.bad("253:0"), [0..1, 21..22]);
    let stack = fake.stack("253:0").unwrap();
    assert_eq!(stack.pfn(0), Some(0x200002));
    assert_eq!(stack.pfn(21 * PAGE), Some(0x100001));
    assert_eq!(stack.pfn(30 * PAGE), None);
}

#[test]
fn stripes() {
    let mut fake = Fake::new();
    // The second chunk of each, and the border of the third and the fourth of pmem0.
    fake.pmem("pmem0", "259:0", "0x100000000", "16 16\n40 16\n");
    fake.pmem("pmem1", "259:1", "0x200000000", "16 8\n");
    fake.mapped("253:0", &[(128, "striped", "2 16 259:0 0 259:1 0")]);
    // Chunks of two pages: 0 of pmem0, 0 of pmem1, 1 of pmem0, 1 of pmem1 ...
    assert_eq!(fake.bad("253:0"), [4..7, 9..10, 12..13]);
    let stack = fake.stack("253:0").unwrap();
    for page in 0..16 {
        let pfn = stack.pfn(page * PAGE).unwrap();
        let first = [0x100000, 0x200000][(page / 2 % 2) as usize];
        assert_eq!(pfn, first + page / 4 * 2 + page % 2);
        assert_eq!(stack.with_pfn(pfn), [page * PAGE..(page + 1) * PAGE]);
    }
}

#[test]
fn one_on_the_other() {
    let mut fake = Fake::new();
    fake.pmem("pmem0", "259:0", "0x100000000", "4096 8\n");
    fake.partition("pmem0/pmem0p1", "259:1", 2048, 65536);
    fake.mapped("253:0", &[(8192, "linear", "259:1 1024")]);
    fake.mapped(
        "253:1",
        &[(8, "linear", "253:0 0"), (4096, "linear", "253:0 512")],
    );
    // 4096 is 2048 of the partition, 1024 of dm-0, 512 and 8 more of dm-1.
    assert_eq!(fake.bad("253:1"), [65..66]);
    // The same page twice.
    fake.mapped(
        "253:2",
        &[(8192, "linear", "253:0 0"), (8192, "linear", "253:0 0")],
    );
    assert_eq!(fake.bad("253:2"), [128..129, 1152..1153]);
}

/// Whatever the table: all bytes go down to where they come up from.
#[test]
fn down_and_up_again() {
    let mut fake = Fake::new();
    fake.pmem("pmem0", "259:0", "0x100000000", "");
    fake.pmem("pmem1", "259:1", "0x200000000", "");
    fake.mapped(
        "253:0",
        &[
            (24, "linear", "259:0 800"),
            (96, "striped", "3 16 259:1 0 259:0 0 259:1 64"),
            (8, "linear", "259:0 824"),
        ],
    );
    let stack = fake.stack("253:0").unwrap();
    for page in 0..16 {
        let pfn = stack.pfn(page * PAGE).unwrap();
        assert_eq!(
            stack.with_pfn(pfn),
            [page * PAGE..(page + 1) * PAGE],
            "{page}"
        );
    }
}

#[test]
fn what_cannot_be_seen_through() {
    let mut fake = Fake::new();
    fake.pmem("pmem0", "259:0", "0x100000000", "");
    fake.mapped(
        "253:0",
        &[(8, "linear", "259:0 0"), (8, "crypt", "x 259:0 0")],
    );
    let error = fake.stack("253:0").unwrap_err().to_string();
    let expected = "dm-0: cannot tell which bytes of it are where below: its device-mapper target \
                    \"crypt\" is neither linear nor striped";
    assert_eq!(error, expected);
    fake.block("sda", "8:0", 800);
    fake.mapped("253:1", &[(8, "linear", "8:0 0")]);
    let error = fake.stack("253:1").unwrap_err().to_string();
    let expected = "sda: it is no persistent memory: it keeps no list of bad blocks";
    assert_eq!(error, expected);
    // A table that is loaded anew while we look may have us go round in circles.
    fake.mapped("253:2", &[(8, "linear", "253:2 0")]);
    let error = fake.stack("253:2").unwrap_err().to_string();
    assert_eq!(error, "dm-2: there is no end to what is below it");
    assert!(fake.stack("253:9").is_err());
}

#[test]
fn a_list_that_is_longer_than_sysfs_shows() {
    let fake = Fake::new();
    let bad = (0..512)
        .map(|i| format!("{} 8\n", 100_000 + 16 * i))
        .collect::<Vec<_>>()
        .concat();
    fake.pmem("pmem0", "259:0", "0x100000000", &bad[..4095]);
    let bad = fake.stack("259:0").unwrap().bad().unwrap();
    assert_eq!(bad.ranges.iter().count(), 4095 / 9);
    assert_eq!(bad.errors.len(), 1);
}

/// sysfs is not even read, as the kernel would warn.
#[test]
fn a_list_that_somebody_tells_all_of() {
    let mut fake = Fake::new();
    fake.pmem("pmem0", "259:0", "0x100000000", "makes no sense\n");
    fake.pmem("pmem1", "259:1", "0x200000000", "8 8\n");
    fake.mapped(
        "253:0",
        &[(80, "linear", "259:0 8"), (80, "linear", "259:1 0")],
    );
    assert!(fake.stack("253:0").unwrap().bad().is_err());
    fake.whole = |device| Ok((device.minor == 0).then(|| vec![16..24, 40..41].into()));
    assert_eq!(fake.bad("253:0"), [1..2, 4..5, 11..12]);
    fake.whole = |_| Err(Error::new("no"));
    let error = fake.stack("253:0").unwrap().bad().unwrap_err();
    assert_eq!(error.to_string(), "no");
}
