// SPDX-License-Identifier: GPL-2.0

//! Compiles the kernel's own interval tree, from the unpacked source that `DAXRMAP_KSRC` names.
//!
//! Nothing of that source is copied: the headers that it needs are linked to from the output
//! directory, so that they and only they come from `include/`.

use std::{
    env,
    error::Error,
    fs,
    os::unix::fs::symlink,
    path::{
        Path,
        PathBuf, //
    },
    process::Command, //
};

/// What comes from the kernel's `include/linux`; the rest is of its `tools/include`.
const HEADERS: [&str; 5] = [
    "interval_tree.h",
    "interval_tree_generic.h",
    "rbtree.h",
    "rbtree_augmented.h",
    "rbtree_types.h",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=DAXRMAP_KSRC");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=shim");
    println!("cargo::rerun-if-changed=src/peers/interval_tree.c");
    println!("cargo::rerun-if-changed=src/preempted.c");

    let ksrc = PathBuf::from(
        env::var("DAXRMAP_KSRC")
            .map_err(|_| "DAXRMAP_KSRC must name the unpacked kernel source: run 'make bench'")?,
    );
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let include = out.join("include/linux");
    fs::create_dir_all(&include)?;
    for header in HEADERS {
        let link = include.join(header);
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        symlink(ksrc.join("include/linux").join(header), link)?;
    }

    let shim = Path::new("src/peers/interval_tree.c");
    let preempted = Path::new("src/preempted.c");
    let objects = [
        compile(&ksrc, &out, "rbtree", &ksrc.join("lib/rbtree.c"), &[])?,
        compile(&ksrc, &out, "itree", &ksrc.join("lib/interval_tree.c"), &[])?,
        compile(&ksrc, &out, "shim", shim, &[])?,
        compile(&ksrc, &out, "shim-wide", shim, &["-DBENCH_WIDE"])?,
        compile(&ksrc, &out, "preempted", preempted, &[])?,
    ];
    let library = out.join("libbench_c.a");
    if library.exists() {
        fs::remove_file(&library)?;
    }
    run(Command::new("ar").arg("rcs").arg(&library).args(&objects))?;

    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=static=bench_c");
    Ok(())
}

/// Compiles one file with the kernel's options as far as they change the code.
fn compile(
    ksrc: &Path,
    out: &Path,
    name: &str,
    source: &Path,
    options: &[&str],
) -> Result<PathBuf, Box<dyn Error>> {
    let object = out.join(format!("{name}.o"));
    run(Command::new("cc")
        .args(["-O2", "-g1", "-Wall", "-std=gnu11", "-fno-strict-aliasing"])
        .args(["-fno-strict-overflow", "-fwrapv"])
        .args(options)
        .arg("-Ishim")
        .arg(format!("-I{}", out.join("include").display()))
        .arg(format!("-I{}", ksrc.join("tools/include").display()))
        .arg("-c")
        .arg(source)
        .arg("-o")
        .arg(&object))?;
    Ok(object)
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    Ok(())
}
