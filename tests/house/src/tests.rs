// SPDX-License-Identifier: GPL-2.0

//! Small trees, and what is to be found in each.

use crate::{run, Answer, Arguments};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with these files: the path and the text of each.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(dir.path(), path, text);
    }
    dir
}

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn answer(dir: &TempDir) -> anyhow::Result<Answer> {
    run(&Arguments {
        dir: Some(dir.path().into()),
        ..Arguments::default()
    })
}

/// What a check of the tree says, in one text.
fn errors(files: &[(&str, &str)]) -> String {
    match answer(&tree(files)) {
        Ok(answer) => answer.errors.join("\n"),
        Err(e) => format!("{e:#}"),
    }
}

/// The picture of a folder.
fn drawing(files: &[(&str, &str)], folder: &str) -> String {
    let dir = tree(files);
    let it = Arguments {
        dir: Some(dir.path().into()),
        draw: Some(folder.into()),
        ..Arguments::default()
    };
    run(&it).unwrap().drawing
}

/// A tree of files beside each other, whose names are the first halves.
fn flat<'a>(files: &[(&'a str, &'a str)]) -> String {
    let names = files.iter().map(|(path, _)| path.trim_end_matches(".rs"));
    let mods: Vec<_> = names.map(|name| format!("mod {name};")).collect();
    let root = mods.join("\n");
    let mut all = vec![("daxrmap.rs", root.as_str())];
    all.extend(files);
    errors(&all)
}

/// Two files: `a` has an item, and what takes it is to make a circle with `b`.
fn circle(b: &str, tie: &str) {
    let a = "use crate::b::B; pub(crate) struct A; pub(crate) mod inner { pub(crate) struct I; }";
    let said = flat(&[("a.rs", a), ("b.rs", b)]);
    assert!(
        said.contains("a circle of 2 files: a.rs, b.rs"),
        "{b}: {said}"
    );
    assert!(said.contains("\n    a.rs -> b.rs: B"), "{b}: {said}");
    let line = format!("\n    b.rs -> a.rs: {tie}");
    assert!(said.contains(&line), "{b}: {said}");
}

const GOOD: &[(&str, &str)] = &[
    (
        "daxrmap.rs",
        "mod high; mod low; mod one; module! { params: {} }\nfn f() { module_parameters::x(); }\n\
         fn g(_: high::Door) {}",
    ),
    (
        "high/mod.rs",
        "mod door; mod other; pub(crate) use self::door::Door; pub(crate) struct High;",
    ),
    (
        "high/door.rs",
        "use super::{other, High}; use crate::low::Low; pub(crate) struct Door(Low, High, other::O);",
    ),
    ("high/other.rs", "pub(super) struct O;"),
    ("low/mod.rs", "mod low; pub(crate) use low::Low;"),
    (
        "low/low.rs",
        "use crate::one; pub(crate) struct Low; pub(in crate::high) fn one() { one::made() }",
    ),
    ("one.rs", "declare! { made }\nuse kernel::prelude::*;"),
];

#[test]
fn a_good_tree_passes() {
    assert_eq!(errors(GOOD), "");
}

#[test]
fn a_circle_of_files_is_found() {
    circle("use crate::a::A; pub(crate) struct B;", "A");
    circle("pub(crate) struct B(crate::a::A);", "A");
    circle("pub(crate) struct B(super::a::inner::I);", "I");
    circle("use super::a; pub(crate) struct B(Vec<a::A>);", "A");
    circle(
        "pub(crate) struct B; impl B { fn f() { let _ = crate::a::A::new(); } }",
        "A",
    );
    circle(
        "pub(crate) struct B; fn f() { use crate::a::*; let x: A; }",
        "A",
    );
    circle(
        "pub(crate) struct B; mod tests { use super::super::a::A; }",
        "A",
    );
    circle("#[derive(crate::a::A)] pub(crate) struct B;", "A");
    circle(
        "pub(crate) struct B; fn f(x: u8) { match x { crate::a::A => (), _ => () } }",
        "A",
    );
}

#[test]
fn an_alias_is_followed() {
    circle("use crate::a as x; pub(crate) struct B(x::A);", "A");
    circle("use crate::{a::A as X}; pub(crate) struct B(X);", "A");
    circle(
        "use crate::a::{self as x}; pub(crate) struct B; fn f() { x::inner::I; }",
        "I",
    );
}

#[test]
fn macros_are_looked_into() {
    circle(
        "pub(crate) struct B; fn f() { pin_init!(B { a <- crate::a::A }) }",
        "A",
    );
    circle(
        "use crate::a; pub(crate) struct B; fn f() { x!(y, [0; { a::A }]) }",
        "A",
    );
    circle(
        "pub(crate) struct B; macro_rules! m { () => { $crate::a::A } }",
        "A",
    );
    circle(
        "use crate::a; pub(crate) struct B; macro_rules! m { ($x:ident) => { a::$x } }",
        "a",
    );
    // A field, a variable of the macro's, another crate.
    let none = "pub(crate) struct B; fn f() { x!(B { a: 1 }, b.a::A, $a::A, ::a::A) }";
    assert_eq!(
        flat(&[("a.rs", "use crate::b::B; struct A;"), ("b.rs", none)]),
        ""
    );
}

#[test]
fn an_arrow_up_goes_to_the_file_that_defines() {
    let mut files = GOOD.to_vec();
    files.push(("low/up.rs", "use crate::high::Door; struct Up(Door);"));
    files[4].1 = "mod low; mod up; pub(crate) use low::Low;";
    let said = errors(&files);
    assert!(
        said.contains("an arrow goes up, in a circle of 2 rooms: high, low"),
        "{said}"
    );
    assert!(
        said.contains("\n    low/up.rs -> high/door.rs: Door"),
        "{said}"
    );
    assert!(!said.contains("files:"), "no file is in a circle: {said}");
}

#[test]
fn an_arrow_up_is_found_in_a_deep_folder() {
    let files = [
        ("daxrmap.rs", "mod x;"),
        ("x/mod.rs", "mod a; mod b;"),
        (
            "x/a/mod.rs",
            "mod p; mod q; pub(super) use self::{p::*, q::Q};",
        ),
        ("x/a/p.rs", "pub(in crate::x) struct P;"),
        (
            "x/a/q.rs",
            "use crate::x::b::B; pub(in crate::x) struct Q(B);",
        ),
        (
            "x/b.rs",
            "use super::a; pub(super) struct B; fn f(_: a::P) {}",
        ),
    ];
    let said = errors(&files);
    assert!(
        said.starts_with("an arrow goes up, in a circle of 2 rooms of x: a, b.rs"),
        "{said}"
    );
    assert!(said.contains("\n    x/b.rs -> x/a/p.rs: P"), "{said}");
}

#[test]
fn a_door_is_no_arrow_and_a_use_is() {
    let child = "use super::Shared; pub(crate) struct Child(Shared);";
    let with = |door: &str| {
        errors(&[
            ("daxrmap.rs", "mod x;"),
            ("x/mod.rs", door),
            ("x/child.rs", child),
            ("x/other.rs", "use super::Child; struct Other(Child);"),
        ])
    };
    let mods = "mod child; mod other; pub(crate) struct Shared;";
    assert_eq!(with(&format!("{mods} pub(crate) use child::Child;")), "");
    assert_eq!(with(&format!("{mods} use child::Child;")), "");
    // A variable is not the item of its name.
    let variable = "pub(crate) use child::Child as c; use child::Child; fn f(c: u8) { c; }";
    assert_eq!(with(&format!("{mods} {variable}")), "");
    let said = with(&format!("{mods} use child::Child; fn f(_: Child) {{}}"));
    assert!(said.contains("x/mod.rs -> x/child.rs: Child"), "{said}");
}

#[test]
fn who_re_exports_from_elsewhere_takes_it() {
    let said = flat(&[
        ("a.rs", "pub(crate) use crate::b::B;"),
        ("b.rs", "pub(crate) struct B; struct C(crate::c::C);"),
        ("c.rs", "pub(crate) struct C(crate::a::B);"),
    ]);
    assert!(said.contains("a circle of 3 files"), "{said}");
    assert!(said.contains("c.rs -> a.rs: B"), "{said}");
}

#[test]
fn both_configurations_count() {
    let said = errors(&[
        ("daxrmap.rs", "mod x; mod user;"),
        ("x/mod.rs", "#[cfg(A)] mod p; #[cfg(not(A))] mod q;\n#[cfg(A)] pub(crate) use p::f;\n#[cfg(not(A))] pub(crate) use q::f;"),
        ("x/p.rs", "pub(crate) fn f() {}"),
        ("x/q.rs", "pub(crate) fn f() { crate::user::g() }"),
        ("user.rs", "pub(crate) fn g() { crate::x::f() }"),
    ]);
    assert!(
        said.contains("a circle of 2 files: user.rs, x/q.rs"),
        "{said}"
    );
}

#[test]
fn a_file_that_nobody_declares_is_an_error() {
    let mut files = GOOD.to_vec();
    files.push(("low/lost.rs", ""));
    files.push(("bindings/bindings_generated.rs", ""));
    assert_eq!(errors(&files), "no `mod` declares: low/lost.rs");
    assert!(flat(&[("a.rs", "mod gone;")]).contains("a.rs:1: mod gone has no file"));
    assert!(flat(&[("a.rs", "\n#[path = \"b.rs\"] mod b;")]).contains("a.rs:2: mod b"));
    assert!(flat(&[("a.rs", "\nfn {")]).contains("a.rs:2: "));
}

#[test]
fn a_path_that_leads_nowhere_is_an_error() {
    let with = |b| flat(&[("a.rs", "pub(crate) struct A;"), ("b.rs", b)]);
    assert_eq!(
        with("\nuse crate::a::Gone;"),
        "b.rs:2: crate::a::Gone: a.rs has no Gone"
    );
    assert_eq!(with("fn f() { crate::gone::x() }").lines().count(), 1);
    assert_eq!(
        with("use crate::a; fn f() { x!(a::gone) }").lines().count(),
        1
    );
    assert_eq!(with("use super::super::x;").lines().count(), 1);
    // Another crate's, and what an included file has.
    assert_eq!(
        with("use kernel::gone; use gone::Other; fn f() { gone::x() }"),
        ""
    );
    let open = ("a.rs", "include!(\"x\");");
    assert_eq!(
        flat(&[
            open,
            ("b.rs", "use crate::a::{self, any}; fn f(_: a::other) {}")
        ]),
        ""
    );
}

#[test]
fn too_many_files_in_a_folder_are_an_error() {
    let names: Vec<_> = (0..15).map(|i| format!("m{i}.rs")).collect();
    let mut files: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(
        flat(&files),
        "the top: 16 files in one folder, more than 15"
    );
    files.pop();
    assert_eq!(flat(&files), "");
}

#[test]
fn the_picture_has_floors() {
    let top = "     4  daxrmap.rs  high\n     3  high        low\n     2  low         one.rs\n     1  one.rs\n";
    assert_eq!(drawing(GOOD, ""), top);
    let high = "     2  door.rs   mod.rs, other.rs\n     1  mod.rs\n     1  other.rs\n";
    assert_eq!(drawing(GOOD, "high"), high);
}

#[test]
fn a_page_has_the_picture_or_is_an_error() {
    let dir = tree(GOOD);
    let picture = drawing(GOOD, "");
    let said = |page: &str| {
        write(dir.path(), "page.rst", page);
        let it = Arguments {
            dir: Some(dir.path().into()),
            page: Some(dir.path().join("page.rst")),
            ..Arguments::default()
        };
        run(&it).unwrap().errors.join("\n")
    };
    assert_eq!(said(&format!("Rooms::\n\n{picture}\nText.\n")), "");
    let wrong = [
        String::new(),
        picture.replace("one.rs", "two.rs"),
        format!("{picture}     1  gone.rs\n"),
        format!("     9  gone.rs\n{picture}"),
    ];
    for page in &wrong {
        assert!(said(page).contains("--draw"), "{page}");
    }
}
