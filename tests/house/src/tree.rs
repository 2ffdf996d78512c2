// SPDX-License-Identifier: GPL-2.0

//! Reads the module tree from its root file, as rustc would find it. A `cfg` is not asked: each
//! configuration's modules are there.

use crate::collect::{self, Names};
use anyhow::{bail, Context, Result};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use syn::{spanned::Spanned, Item, ItemMod};

/// The file that the tree begins with.
pub const ROOT: &str = "daxrmap.rs";
/// bindgen makes it at build time; `bindings/mod.rs` includes it.
const GENERATED: &str = "bindings_generated.rs";
/// The number of the root in [`Tree::modules`].
pub const CRATE: usize = 0;

/// A module: a file's, or one that is written inside of a file.
pub struct Module {
    /// Number in [`Tree::files`].
    pub file: usize,
    pub parent: Option<usize>,
    /// Two may have one name, each for a configuration.
    pub children: Vec<(String, usize)>,
    pub names: Names,
}

/// All modules and their files.
pub struct Tree {
    /// Paths below the directory, with `/`.
    pub files: Vec<String>,
    pub modules: Vec<Module>,
}

impl Tree {
    /// Reads what [`ROOT`] in `dir` declares. A file that nobody declares is an error: the compiler
    /// does not see it, and neither would the check.
    pub fn read(dir: &Path) -> Result<Self> {
        let mut tree = Self {
            files: Vec::new(),
            modules: Vec::new(),
        };
        tree.read_file(dir, Path::new(ROOT), None)?;
        let mut found = BTreeSet::new();
        find_files(dir, Path::new(""), &mut found)?;
        for file in &tree.files {
            found.remove(file);
        }
        if !found.is_empty() {
            let list: Vec<_> = found.into_iter().collect();
            bail!("no `mod` declares: {}", list.join(", "));
        }
        Ok(tree)
    }

    /// Whether module `inner` is `outer`, or inside of it.
    pub fn is_inside(&self, inner: usize, outer: usize) -> bool {
        let mut at = Some(inner);
        while let Some(m) = at {
            if m == outer {
                return true;
            }
            at = self.modules[m].parent;
        }
        false
    }

    fn read_file(&mut self, dir: &Path, path: &Path, parent: Option<usize>) -> Result<usize> {
        let name = slashes(path);
        if self.files.contains(&name) {
            bail!("{name}: two modules have this file");
        }
        let text = fs::read_to_string(dir.join(path)).with_context(|| format!("reading {name}"))?;
        let syntax = syn::parse_file(&text)
            .map_err(|e| anyhow::anyhow!("{name}:{}: {e}", e.span().start().line))?;
        self.files.push(name);
        let file = self.files.len() - 1;
        // Where the files of `mod x;` are.
        let below = match path.file_name().and_then(|n| n.to_str()) {
            Some("mod.rs" | ROOT) => path.parent().map(Path::to_path_buf).unwrap_or_default(),
            _ => path.with_extension(""),
        };
        self.read_items(dir, &below, file, parent, &syntax.items)
    }

    fn read_items(
        &mut self,
        dir: &Path,
        below: &Path,
        file: usize,
        parent: Option<usize>,
        items: &[Item],
    ) -> Result<usize> {
        let this = self.modules.len();
        self.modules.push(Module {
            file,
            parent,
            children: Vec::new(),
            names: collect::names(items),
        });
        for item in items {
            if let Item::Mod(it) = item {
                let child = self.read_mod(dir, below, file, this, it)?;
                let name = collect::text(&it.ident);
                self.modules[this].children.push((name, child));
            }
        }
        Ok(this)
    }

    fn read_mod(
        &mut self,
        dir: &Path,
        below: &Path,
        file: usize,
        parent: usize,
        it: &ItemMod,
    ) -> Result<usize> {
        let name = collect::text(&it.ident);
        let place = format!("{}:{}", self.files[file], it.span().start().line);
        if it.attrs.iter().any(|a| a.path().is_ident("path")) {
            bail!("{place}: mod {name}: this check does not read #[path]");
        }
        if let Some((_, items)) = &it.content {
            return self.read_items(dir, &below.join(&name), file, Some(parent), items);
        }
        let places: [PathBuf; 2] = [
            below.join(format!("{name}.rs")),
            below.join(&name).join("mod.rs"),
        ];
        match places.iter().find(|p| dir.join(p).is_file()) {
            Some(path) => self.read_file(dir, path, Some(parent)),
            None => bail!("{place}: mod {name} has no file"),
        }
    }
}

/// A path as errors show it.
fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|p| p.to_string_lossy()).collect();
    parts.join("/")
}

fn find_files(dir: &Path, below: &Path, found: &mut BTreeSet<String>) -> Result<()> {
    let here = dir.join(below);
    let entries = fs::read_dir(&here).with_context(|| format!("reading {}", here.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            find_files(dir, &path, found)?;
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with(GENERATED) {
            found.insert(slashes(&path));
        }
    }
    Ok(())
}
