// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap status` prints.

use super::Name;
use crate::abi::{
    Status, //
    DAXRMAP_STATUS_INCONSISTENT,
    DAXRMAP_STATUS_READ_ONLY,
    DAXRMAP_STATUS_SHUTDOWN,
};
use serde::Serialize;
use std::fmt;

/// `daxrmap status`
#[derive(Debug, Serialize)]
pub struct StatusReport {
    /// The mount point.
    pub mount: Name,
    /// The block device.
    pub device: Name,
    /// Whether the device is gone.
    pub shut_down: bool,
    /// Whether the metadata contradicts itself.
    pub inconsistent: bool,
    /// Whether no changes are made.
    pub read_only: bool,
    block_size: u32,
    blocks: u64,
    free_blocks: u64,
    bad_blocks: u64,
    first_pfn: u64,
    inodes: u64,
    owner_records: u64,
    owner_bytes: u64,
    notifies: u64,
    failed_blocks: u64,
    owners: u64,
    owners_mapped: u64,
    late_faults: u64,
    late_io: u64,
    discovered: u64,
    healed: u64,
    cleared: u64,
    log_used: u64,
    log_size: u64,
    told_by: String,
}

impl StatusReport {
    /// What the kernel says, and who tells it of failures.
    pub fn new(mount: Name, device: Name, numbers: &Status, told_by: String) -> Self {
        Self {
            mount,
            device,
            shut_down: numbers.oflags & DAXRMAP_STATUS_SHUTDOWN != 0,
            inconsistent: numbers.oflags & DAXRMAP_STATUS_INCONSISTENT != 0,
            read_only: numbers.oflags & DAXRMAP_STATUS_READ_ONLY != 0,
            block_size: numbers.block_size,
            blocks: numbers.blocks,
            free_blocks: numbers.free_blocks,
            bad_blocks: numbers.bad_blocks,
            first_pfn: numbers.first_pfn,
            inodes: numbers.inodes,
            owner_records: numbers.owner_records,
            owner_bytes: numbers.owner_bytes,
            notifies: numbers.notifies,
            failed_blocks: numbers.failed_blocks,
            owners: numbers.owners,
            owners_mapped: numbers.owners_mapped,
            late_faults: numbers.late_faults,
            late_io: numbers.late_io,
            discovered: numbers.discovered,
            healed: numbers.healed,
            cleared: numbers.cleared,
            log_used: numbers.log_used,
            log_size: numbers.log_size,
            told_by,
        }
    }
}

impl fmt::Display for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.shut_down, self.inconsistent, self.read_only) {
            (true, ..) => "shut down: the device is gone",
            (_, true, _) => "read-only: the metadata is inconsistent",
            (.., true) => "read-only",
            _ => "in use",
        };
        writeln!(f, "mount:            {}", self.mount.text)?;
        writeln!(f, "device:           {}", self.device.text)?;
        writeln!(f, "state:            {state}")?;
        writeln!(f, "block size:       {}", self.block_size)?;
        writeln!(f, "blocks:           {}", self.blocks)?;
        writeln!(f, "free blocks:      {}", self.free_blocks)?;
        writeln!(f, "bad blocks:       {}", self.bad_blocks)?;
        writeln!(f, "first pfn:        {:#x}", self.first_pfn)?;
        writeln!(f, "inodes:           {}", self.inodes)?;
        writeln!(f, "owner records:    {}", self.owner_records)?;
        writeln!(f, "owner tree bytes: {}", self.owner_bytes)?;
        writeln!(f, "failures:         {}", self.notifies)?;
        writeln!(f, "failed blocks:    {}", self.failed_blocks)?;
        writeln!(f, "owners found:     {}", self.owners)?;
        writeln!(f, "owners mapped:    {}", self.owners_mapped)?;
        writeln!(f, "late faults:      {}", self.late_faults)?;
        writeln!(f, "late I/O:         {}", self.late_io)?;
        writeln!(f, "discovered:       {}", self.discovered)?;
        writeln!(f, "healed pages:     {}", self.healed)?;
        writeln!(f, "returned to use:  {}", self.cleared)?;
        writeln!(
            f,
            "log:              {} of {} bytes",
            self.log_used, self.log_size
        )?;
        writeln!(f, "told of by:       {}", self.told_by)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::*,
        *, //
    };

    #[test]
    fn status() {
        let status = |oflags| {
            let numbers = Status {
                oflags,
                block_size: 4096,
                blocks: 131072,
                healed: 3,
                cleared: 2,
                log_used: 5,
                log_size: 6,
                ..Status::default()
            };
            StatusReport::new(name(b"/mnt"), name(b"/dev/pmem0"), &numbers, "X".to_owned())
        };
        assert!(status(0)
            .to_string()
            .contains("\nstate:            in use\n"));
        assert!(status(0).to_string().ends_with(
            "\nreturned to use:  2\nlog:              5 of 6 bytes\ntold of by:       X\n"
        ));
        assert!(status(4)
            .to_string()
            .contains("\nstate:            read-only\n"));
        assert!(status(1).to_string().contains("shut down"));
        assert!(status(2).to_string().contains("inconsistent"));
        let json = to_value(status(1)).unwrap();
        assert_eq!(json["shut_down"], true);
        assert_eq!(json["inconsistent"], false);
        assert_eq!(json["blocks"], 131072);
        assert_eq!(json["healed"], 3);
        assert_eq!(json["cleared"], 2);
        assert_eq!(json["device"], json!({"path": "/dev/pmem0"}));
    }
}
