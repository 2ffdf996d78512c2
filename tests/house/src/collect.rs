// SPDX-License-Identifier: GPL-2.0

//! What one module defines, imports and mentions, before anybody knows what it means.

use crate::tokens;
use proc_macro2::Span;
use std::collections::{BTreeMap, BTreeSet};
use syn::{
    spanned::Spanned,
    visit::{self, Visit},
    Attribute, Ident, Item, ItemMacro, ItemUse, Macro, Meta, PatIdent, Path, UseTree, Visibility,
};

/// `use a::b as c;`, one leaf of it.
pub struct Import {
    /// The name here; nothing for `_`.
    pub local: Option<String>,
    pub path: Vec<String>,
    /// `use a::*`: `path` is what the star is of.
    pub glob: bool,
    /// It is a re-export, to whomever.
    pub public: bool,
    pub line: usize,
}

/// A path in the code.
#[derive(Debug, PartialEq)]
pub struct Use {
    pub path: Vec<String>,
    /// What follows is unknown: `path::$name`, in a macro.
    pub open: bool,
    /// It is called: `path!`.
    pub is_macro: bool,
    pub line: usize,
}

/// All of it, of one module; not of the modules that are written inside of it.
#[derive(Default)]
pub struct Names {
    /// Items, and whether each is a trait.
    pub defined: BTreeMap<String, bool>,
    /// Words that macros get which make items: perhaps those are the items' names.
    pub made: BTreeSet<String>,
    /// `macro_rules!`.
    pub macros: BTreeSet<String>,
    /// Macros that make items here.
    pub makers: BTreeSet<String>,
    pub imports: Vec<Import>,
    pub uses: Vec<Use>,
}

impl Names {
    /// Another file is included: anything may be defined here.
    pub fn is_open(&self) -> bool {
        self.makers.contains("include")
    }

    /// Whether the code itself has the word at a path's beginning.
    pub fn mentions(&self, name: &str) -> bool {
        self.uses
            .iter()
            .any(|u| u.path.first().is_some_and(|n| n == name))
    }
}

/// `r#x` is `x`.
pub fn text(ident: &Ident) -> String {
    let s = ident.to_string();
    s.strip_prefix("r#").map(str::to_string).unwrap_or(s)
}

pub fn names(items: &[Item]) -> Names {
    let mut names = Names::default();
    for item in items {
        if let Some((ident, is_trait)) = defines(item) {
            *names.defined.entry(text(ident)).or_default() |= is_trait;
        }
        if let Item::Macro(it) = item {
            note_macro(it, &mut names);
        }
        if !matches!(item, Item::Mod(_)) {
            let mut bound = Bound::default();
            bound.visit_item(item);
            let mut collector = Collector {
                names: &mut names,
                bound: bound.0,
            };
            collector.visit_item(item);
        }
    }
    names
}

fn defines(item: &Item) -> Option<(&Ident, bool)> {
    Some(match item {
        Item::Const(it) => (&it.ident, false),
        Item::Enum(it) => (&it.ident, false),
        Item::Fn(it) => (&it.sig.ident, false),
        Item::Static(it) => (&it.ident, false),
        Item::Struct(it) => (&it.ident, false),
        Item::Trait(it) => (&it.ident, true),
        Item::TraitAlias(it) => (&it.ident, true),
        Item::Type(it) => (&it.ident, false),
        Item::Union(it) => (&it.ident, false),
        _ => return None,
    })
}

fn note_macro(it: &ItemMacro, names: &mut Names) {
    match &it.ident {
        Some(ident) => {
            names.defined.insert(text(ident), false);
            names.macros.insert(text(ident));
        }
        None => {
            names
                .makers
                .extend(it.mac.path.segments.last().map(|s| text(&s.ident)));
            tokens::words(it.mac.tokens.clone(), &mut names.made);
        }
    }
}

/// Variables begin with a small letter; what a pattern has else is a constant.
fn is_variable(name: &str) -> bool {
    !name.starts_with(char::is_uppercase)
}

/// The variables of an item. They are no items of that name.
#[derive(Default)]
struct Bound(BTreeSet<String>);

impl<'a> Visit<'a> for Bound {
    fn visit_pat_ident(&mut self, it: &'a PatIdent) {
        self.0.insert(text(&it.ident));
        visit::visit_pat_ident(self, it);
    }
}

struct Collector<'n> {
    names: &'n mut Names,
    bound: BTreeSet<String>,
}

impl Collector<'_> {
    fn add(&mut self, it: Use) {
        let is_local = match &it.path[..] {
            [name] => !it.is_macro && is_variable(name) && self.bound.contains(name),
            _ => it.path.is_empty(),
        };
        if !is_local {
            self.names.uses.push(it);
        }
    }

    fn add_path(&mut self, path: &Path, is_macro: bool) {
        // `::a` is another crate, and `<T>::a` whatever T has.
        if path.leading_colon.is_none() {
            self.add(Use {
                path: path.segments.iter().map(|s| text(&s.ident)).collect(),
                open: false,
                is_macro,
                line: line(path.span()),
            });
        }
    }
}

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_path(&mut self, it: &'a Path) {
        self.add_path(it, false);
        visit::visit_path(self, it);
    }

    fn visit_pat_ident(&mut self, it: &'a PatIdent) {
        if !is_variable(&text(&it.ident)) {
            self.add_path(&it.ident.clone().into(), false);
        }
        visit::visit_pat_ident(self, it);
    }

    fn visit_macro(&mut self, it: &'a Macro) {
        self.add_path(&it.path, true);
        for u in tokens::paths(it.tokens.clone()) {
            self.add(u);
        }
    }

    fn visit_attribute(&mut self, it: &'a Attribute) {
        // These have words that look like items, and take none.
        const PLAIN: [&str; 7] = ["allow", "cfg", "cfg_attr", "deny", "doc", "expect", "warn"];
        if PLAIN.iter().any(|name| it.path().is_ident(name)) {
            return;
        }
        self.add_path(it.path(), false);
        if let Meta::List(list) = &it.meta {
            for u in tokens::paths(list.tokens.clone()) {
                self.add(u);
            }
        }
    }

    fn visit_item_use(&mut self, it: &'a ItemUse) {
        if it.leading_colon.is_none() {
            let public = !matches!(it.vis, Visibility::Inherited);
            leaves(&it.tree, &mut Vec::new(), public, &mut self.names.imports);
        }
    }

    // `pub(in path)` takes nothing from there.
    fn visit_visibility(&mut self, _: &'a Visibility) {}
}

fn line(span: Span) -> usize {
    span.start().line
}

fn leaves(tree: &UseTree, before: &mut Vec<String>, public: bool, out: &mut Vec<Import>) {
    let mut leaf = |local: Option<String>, last: Option<&Ident>, glob, span| {
        let mut path = before.clone();
        path.extend(last.map(text));
        out.push(Import {
            local,
            path,
            glob,
            public,
            line: line(span),
        });
    };
    match tree {
        UseTree::Path(it) => {
            before.push(text(&it.ident));
            leaves(&it.tree, before, public, out);
            before.pop();
        }
        // `a::{self}` is `a`.
        UseTree::Name(it) if it.ident == "self" => {
            leaf(before.last().cloned(), None, false, it.span())
        }
        UseTree::Rename(it) => {
            let last = (it.ident != "self").then_some(&it.ident);
            let local = (it.rename != "_").then(|| text(&it.rename));
            leaf(local, last, false, it.span());
        }
        UseTree::Name(it) => leaf(Some(text(&it.ident)), Some(&it.ident), false, it.span()),
        UseTree::Glob(it) => leaf(None, None, true, it.span()),
        UseTree::Group(it) => {
            for tree in &it.items {
                leaves(tree, before, public, out);
            }
        }
    }
}
