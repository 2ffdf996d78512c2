// SPDX-License-Identifier: GPL-2.0

//! Who tells the kernel of the failures of a device's memory: Documentation/cxl.rst has the table.

use crate::{
    abi::DAXRMAP_GUARD_CXL,
    cxl, dm,
    guard::Control,
    number::DeviceNumber,
    stack::{
        Stack,
        Sysfs, //
    },
};

/// Who tells of the memory that a block device is on. `hears`: the module hears what CXL devices say.
pub fn of(device: DeviceNumber, hears: bool) -> String {
    let sysfs = Sysfs::default();
    let disks = match Stack::new(device, &sysfs, &mut dm::table) {
        Ok(stack) => stack.disks().iter().map(|disk| disk.number).collect(),
        // What is below cannot be seen.
        Err(_) => vec![device],
    };
    let mut tellers = Vec::new();
    for disk in disks {
        let provider = sysfs.block(disk).ok().and_then(|block| block.provider());
        let teller = by_provider(provider.as_deref().unwrap_or_default(), hears);
        if !tellers.contains(&teller) {
            tellers.push(teller);
        }
    }
    tellers.join("; ")
}

/// Whether the module hears what CXL devices say; false if it cannot be asked.
pub fn hears_cxl() -> bool {
    let status = Control::open().and_then(|control| control.status());
    status.is_ok_and(|status| status.flags & DAXRMAP_GUARD_CXL != 0)
}

fn by_provider(provider: &str, hears: bool) -> &'static str {
    match (provider, hears) {
        ("ACPI.NFIT", _) => "machine checks, the firmware (NFIT), and its scrub (ARS)",
        ("e820", _) => "machine checks",
        ("virtio-pmem", _) => "machine checks, if the host passes them on",
        (cxl::PROVIDER, true) => "machine checks, and what the CXL device says, by the guard",
        (cxl::PROVIDER, false) => {
            "machine checks; what the CXL device says is not heard: daxrmap guard on"
        }
        _ => "machine checks, as far as is known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_tells_of_a_device() {
        assert!(by_provider("ACPI.NFIT", false).contains("ARS"));
        assert_eq!(by_provider("e820", true), "machine checks");
        assert!(by_provider("CXL", true).contains("by the guard"));
        assert!(by_provider("CXL", false).contains("daxrmap guard on"));
        assert!(by_provider("", true).contains("as far as is known"));
    }
}
