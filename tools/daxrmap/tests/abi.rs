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

const LAYOUTS: [Layout; 8] = [
    layout!("daxrmap_lost", abi::Lost),
    layout!("daxrmap_lost_head", abi::LostHead),
    layout!("daxrmap_status", abi::Status),
    layout!("daxrmap_clear", abi::Clear),
    layout!("fsmap", abi::FsMap),
    layout!("fsmap_head", abi::FsMapHead),
    layout!("fiemap", abi::Fiemap),
    layout!("fiemap_extent", abi::FiemapExtent),
];

/// Compiles and runs abi.c: its lines, as names with numbers.
fn what_c_says() -> BTreeMap<String, u64> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let mut fields = String::new();
    for layout in &LAYOUTS {
        writeln!(fields, "\tSIZE({});", layout.name).unwrap();
        for (field, _) in layout.fields {
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
            let name = format!("{}.{field}", layout.name);
            assert_eq!(*offset as u64, c[&name], "offset of {name}");
        }
    }
    for (name, value) in [
        ("DAXRMAP_IOC_LOST", abi::DAXRMAP_IOC_LOST.into()),
        ("DAXRMAP_IOC_STATUS", abi::DAXRMAP_IOC_STATUS.into()),
        ("DAXRMAP_IOC_CLEAR", abi::DAXRMAP_IOC_CLEAR.into()),
        ("FS_IOC_GETFSMAP", abi::FS_IOC_GETFSMAP.into()),
        ("FS_IOC_FIEMAP", abi::FS_IOC_FIEMAP.into()),
        ("DAXRMAP_LOST_END", abi::DAXRMAP_LOST_END.into()),
        (
            "DAXRMAP_STATUS_SHUTDOWN",
            abi::DAXRMAP_STATUS_SHUTDOWN.into(),
        ),
        (
            "DAXRMAP_STATUS_INCONSISTENT",
            abi::DAXRMAP_STATUS_INCONSISTENT.into(),
        ),
        (
            "DAXRMAP_STATUS_READ_ONLY",
            abi::DAXRMAP_STATUS_READ_ONLY.into(),
        ),
        ("FMR_OF_SPECIAL_OWNER", abi::FMR_OF_SPECIAL_OWNER.into()),
        ("FMR_OF_LAST", abi::FMR_OF_LAST.into()),
        ("FMR_OWN_FREE", abi::FMR_OWN_FREE),
        ("FMR_OWN_UNKNOWN", abi::FMR_OWN_UNKNOWN),
        ("FMR_OWN_FS", abi::FMR_OWN_FS),
        ("FMR_OWN_LOG", abi::FMR_OWN_LOG),
        ("FMR_OWN_DEFECTIVE", abi::FMR_OWN_DEFECTIVE),
        (
            "FIEMAP_EXTENT_NOT_PLACED",
            abi::FIEMAP_EXTENT_NOT_PLACED.into(),
        ),
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
