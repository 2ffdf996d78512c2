// SPDX-License-Identifier: GPL-2.0

//! The structs of `abi` are those of the C headers.
//!
//! A C program (abi.c) is compiled against the headers: each field that we have must be one of the C
//! struct, where we have it, and the sizes must agree.

use daxrmap::abi;
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{
        Path,
        PathBuf, //
    },
    process::Command, //
};

/// A struct: its name in C, and what it is here.
struct Layout {
    name: &'static str,
    size: usize,
    fields: &'static [(&'static str, usize)],
}

macro_rules! layout {
    ($name:literal, $type:ty) => {
        Layout {
            name: $name,
            size: size_of::<$type>(),
            fields: <$type>::FIELDS,
        }
    };
}

/// Constants of `abi`, each with its name.
macro_rules! values {
    ($($name:ident,)*) => {
        [$((stringify!($name), u64::from(abi::$name))),*]
    };
}

const LAYOUTS: [Layout; 18] = [
    layout!("daxrmap_lost", abi::Lost),
    layout!("daxrmap_lost_head", abi::LostHead),
    layout!("daxrmap_status", abi::Status),
    layout!("daxrmap_clear", abi::Clear),
    layout!("fsmap", abi::FsMap),
    layout!("fsmap_head", abi::FsMapHead),
    layout!("fiemap", abi::Fiemap),
    layout!("fiemap_extent", abi::FiemapExtent),
    layout!("daxrmap_guard", abi::Guard),
    layout!("daxrmap_guard_device", abi::GuardDevice),
    layout!("daxrmap_guard_hold", abi::GuardHold),
    layout!("daxrmap_guard_uncovered", abi::GuardUncovered),
    layout!("daxrmap_guard_bad", abi::GuardBad),
    layout!("daxrmap_events", abi::Events),
    layout!("daxrmap_event", abi::Event),
    layout!("daxrmap_scrub", abi::Scrub),
    layout!("dm_ioctl", abi::DmIoctl),
    layout!("dm_target_spec", abi::DmTargetSpec),
];

/// A word of Rust's own is no name of a field here.
fn in_c(field: &'static str) -> &'static str {
    match field {
        "kind" => "type",
        _ => field,
    }
}

/// Compiles and runs abi.c: its lines, as names with numbers.
fn what_c_says() -> BTreeMap<String, u64> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let mut fields = String::new();
    for layout in &LAYOUTS {
        writeln!(fields, "\tSIZE({});", layout.name).unwrap();
        for (field, _) in layout.fields {
            let field = in_c(field);
            writeln!(fields, "\tFIELD({}, {field});", layout.name).unwrap();
        }
    }
    fs::write(dir.path().join("abi-fields.h"), fields).unwrap();
    let program: PathBuf = dir.path().join("abi");
    let status = Command::new("cc")
        .arg("-I")
        .arg(here.join("../../include"))
        .arg("-I")
        .arg(dir.path())
        .arg("-o")
        .arg(&program)
        .arg(here.join("tests/abi.c"))
        .status()
        .unwrap();
    assert!(
        status.success(),
        "abi.c: a field or a name is not in the headers"
    );
    let output = Command::new(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| {
        let (name, number) = line.split_once(' ').unwrap();
        (name.to_owned(), number.parse().unwrap())
    };
    text.lines().map(pair).collect()
}

#[test]
fn is_that_of_the_headers() {
    let c = what_c_says();
    for layout in &LAYOUTS {
        assert_eq!(
            layout.size as u64, c[layout.name],
            "size of {}",
            layout.name
        );
        for (field, offset) in layout.fields {
            let field = in_c(field);
            let name = format!("{}.{field}", layout.name);
            assert_eq!(*offset as u64, c[&name], "offset of {name}");
        }
    }
    for (name, value) in values![
        DAXRMAP_IOC_LOST,
        DAXRMAP_IOC_STATUS,
        DAXRMAP_IOC_CLEAR,
        DAXRMAP_IOC_GUARD_SET,
        DAXRMAP_IOC_GUARD_STATUS,
        DAXRMAP_IOC_GUARD_DEVICE,
        DAXRMAP_IOC_GUARD_HOLD,
        DAXRMAP_IOC_GUARD_RELEASE,
        DAXRMAP_IOC_GUARD_UNCOVERED,
        DAXRMAP_IOC_GUARD_BAD,
        DAXRMAP_IOC_SCRUB,
        FS_IOC_GETFSMAP,
        FS_IOC_FIEMAP,
        FS_IOC_GETVERSION,
        DM_TABLE_STATUS,
        DAXRMAP_LOST_END,
        DAXRMAP_STATUS_SHUTDOWN,
        DAXRMAP_STATUS_INCONSISTENT,
        DAXRMAP_STATUS_READ_ONLY,
        DAXRMAP_GUARD_CXL,
        DAXRMAP_GUARD_WATCH,
        DAXRMAP_GUARD_HELD,
        DAXRMAP_GUARD_OWN,
        DAXRMAP_GUARD_FORCE,
        DAXRMAP_IOC_EVENTS,
        DAXRMAP_EVENTS_VERSION,
        DAXRMAP_EVENTS_MAX,
        DAXRMAP_EVENT_F_TOLD,
        DAXRMAP_EVENT_F_LOG,
        DAXRMAP_EVENT_F_GUARD,
        DAXRMAP_EVENT_F_MAPPED,
        DAXRMAP_EVENT_F_ABSENT,
        DAXRMAP_EVENT_F_ERROR,
        DM_STATUS_TABLE_FLAG,
        DM_BUFFER_FULL_FLAG,
        EXT4_SUPER_MAGIC,
        XFS_SUPER_MAGIC,
        FMR_OF_PREALLOC,
        FMR_OF_ATTR_FORK,
        FMR_OF_EXTENT_MAP,
        FMR_OF_SPECIAL_OWNER,
        FMR_OF_LAST,
        FMR_OWN_FREE,
        FMR_OWN_UNKNOWN,
        FMR_OWN_FS,
        FMR_OWN_LOG,
        FMR_OWN_DEFECTIVE,
        FIEMAP_FLAG_SYNC,
        FIEMAP_FLAG_XATTR,
        FIEMAP_EXTENT_LAST,
        FIEMAP_EXTENT_DATA_INLINE,
        FIEMAP_EXTENT_UNWRITTEN,
        FIEMAP_EXTENT_NOT_PLACED,
    ] {
        assert_eq!(value, c[name], "{name}");
    }
}

/// A file handle within a record is a struct of the same layout.
#[test]
fn a_record_ends_in_a_file_handle() {
    let at = |name: &str| {
        let fields = abi::Lost::FIELDS.iter();
        fields.clone().find(|field| field.0 == name).unwrap().1
    };
    let start = at("handle_bytes");
    assert_eq!(
        start + core::mem::offset_of!(libc::file_handle, handle_type),
        at("handle_type")
    );
    assert_eq!(
        start + core::mem::offset_of!(libc::file_handle, f_handle),
        at("handle")
    );
    assert_eq!(start + size_of::<abi::FileHandle>(), at("reserved"));
}
