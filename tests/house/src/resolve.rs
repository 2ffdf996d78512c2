// SPDX-License-Identifier: GPL-2.0

//! Finds what a path means, as far as that is in the tree.

use crate::tree::{Tree, CRATE};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// What the kernel's `module!` defines beside its tokens.
const OF_MODULE: [&str; 3] = ["LocalModule", "THIS_MODULE", "module_parameters"];

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Module(usize),
    /// An item, with the module that defines it. A path's rest is in it: a variant, a method.
    Item(usize, String),
    /// Another crate's.
    Other,
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Each configuration may have its own.
    Found(Vec<Target>),
    /// It does not begin in the tree: another crate's, or a variable.
    Outside,
    /// It leaves this module for a name that is not there.
    Missing(usize, String),
}

/// Names that are being looked up: a glob may lead back to where one came from.
type Pending = Vec<(usize, String)>;

pub struct Resolver<'t> {
    tree: &'t Tree,
    macros: BTreeMap<&'t str, Vec<usize>>,
    /// Imports through which another file took a name: the module and its import's number.
    through: RefCell<BTreeSet<(usize, usize)>>,
}

impl<'t> Resolver<'t> {
    pub fn new(tree: &'t Tree) -> Self {
        let mut macros: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (m, module) in tree.modules.iter().enumerate() {
            for name in &module.names.macros {
                macros.entry(name).or_default().push(m);
            }
        }
        Self {
            tree,
            macros,
            through: RefCell::default(),
        }
    }

    /// Whether another file took a name through import `number` of module `m`.
    pub fn is_taken_through(&self, m: usize, number: usize) -> bool {
        self.through.borrow().contains(&(m, number))
    }

    /// What `path` means in module `from`.
    pub fn path(&self, from: usize, path: &[String]) -> Outcome {
        self.walk(from, path, &mut Vec::new())
    }

    /// What the macro `name!` is in module `from`: perhaps one in whose text it is.
    pub fn textual_macro(&self, from: usize, name: &str) -> Vec<Target> {
        let all = self.macros.get(name).map_or(&[][..], |v| v);
        let here = |&&m: &&usize| self.tree.modules[m].file == self.tree.modules[from].file;
        let own: Vec<_> = all.iter().filter(here).collect();
        let found = if own.is_empty() {
            all.iter().collect()
        } else {
            own
        };
        let item = |&m| Target::Item(m, name.to_string());
        found.into_iter().map(item).collect()
    }

    fn walk(&self, from: usize, path: &[String], pending: &mut Pending) -> Outcome {
        let Some((first, mut rest)) = path.split_first() else {
            return Outcome::Outside;
        };
        let mut at = match first.as_str() {
            "Self" => return Outcome::Outside,
            "crate" => vec![Target::Module(CRATE)],
            "self" => vec![Target::Module(from)],
            "super" => match self.tree.modules[from].parent {
                Some(parent) => vec![Target::Module(parent)],
                None => return Outcome::Missing(from, first.clone()),
            },
            _ => match self.lookup(from, first, from, pending) {
                found if found.is_empty() => return Outcome::Outside,
                found => found,
            },
        };
        while let Some((name, after)) = rest.split_first() {
            let modules = at.iter().filter_map(|t| match t {
                Target::Module(m) => Some(*m),
                _ => None,
            });
            let mut next = Vec::new();
            let mut missing = None;
            for m in modules {
                match (name.as_str(), self.tree.modules[m].parent) {
                    ("super", Some(parent)) => next.push(Target::Module(parent)),
                    _ => next.extend(self.lookup(m, name, from, pending)),
                }
                missing = Some(m);
            }
            if next.is_empty() {
                // The rest is in an item, and who takes that takes the item.
                at.retain(|t| !matches!(t, Target::Module(_)));
                return match missing {
                    Some(m) if at.is_empty() => Outcome::Missing(m, name.clone()),
                    _ => Outcome::Found(at),
                };
            }
            (at, rest) = (next, after);
        }
        Outcome::Found(at)
    }

    /// What `name` is in module `m`, for somebody in module `from`.
    fn lookup(&self, m: usize, name: &str, from: usize, pending: &mut Pending) -> Vec<Target> {
        let mut found = self.certain(m, name, from, pending);
        // Not for a module's own word: that is a variable, or another crate.
        if found.is_empty() && m != from && self.tree.modules[m].names.is_open() {
            found.push(Target::Item(m, name.to_string()));
        }
        found
    }

    /// The same, but for what an included file may define.
    fn certain(&self, m: usize, name: &str, from: usize, pending: &mut Pending) -> Vec<Target> {
        let key = (m, name.to_string());
        if pending.contains(&key) {
            return Vec::new();
        }
        pending.push(key);
        let mut found = self.explicit(m, name, from, pending);
        if found.is_empty() {
            found = self.by_glob(m, name, from, pending);
        }
        pending.pop();
        let names = &self.tree.modules[m].names;
        let item = || Target::Item(m, name.to_string());
        if found.is_empty() && names.made.contains(name) {
            found.push(item());
        }
        if found.is_empty() && m == CRATE {
            // #[macro_export] puts them here.
            found = self.textual_macro(m, name);
            if names.makers.contains("module") && OF_MODULE.contains(&name) {
                found.push(item());
            }
        }
        dedup(found)
    }

    fn explicit(&self, m: usize, name: &str, from: usize, pending: &mut Pending) -> Vec<Target> {
        let module = &self.tree.modules[m];
        let children = module.children.iter().filter(|(n, _)| n == name);
        let mut found: Vec<_> = children.map(|(_, child)| Target::Module(*child)).collect();
        if module.names.defined.contains_key(name) {
            found.push(Target::Item(m, name.to_string()));
        }
        for (number, import) in module.names.imports.iter().enumerate() {
            if import.local.as_deref() != Some(name) || !self.sees(from, m, import.public) {
                continue;
            }
            match self.walk(m, &import.path, pending) {
                Outcome::Found(targets) => {
                    self.note(m, number, from);
                    found.extend(self.adopted(m, name, import.public, targets));
                }
                Outcome::Outside => found.push(Target::Other),
                // Said where the import is.
                Outcome::Missing(..) => {}
            }
        }
        found
    }

    fn by_glob(&self, m: usize, name: &str, from: usize, pending: &mut Pending) -> Vec<Target> {
        let mut found = Vec::new();
        for (number, import) in self.tree.modules[m].names.imports.iter().enumerate() {
            if !import.glob || !self.sees(from, m, import.public) {
                continue;
            }
            let Outcome::Found(targets) = self.walk(m, &import.path, pending) else {
                continue;
            };
            for target in targets {
                if let Target::Module(of) = target {
                    let names = self.certain(of, name, m, pending);
                    if !names.is_empty() {
                        self.note(m, number, from);
                    }
                    found.extend(self.adopted(m, name, import.public, names));
                }
            }
        }
        found
    }

    /// A module is a door to what is inside of it: who takes that takes it from there. A re-export
    /// from elsewhere is the module's own: it takes the name, and others take it from the module.
    fn adopted(&self, m: usize, name: &str, public: bool, targets: Vec<Target>) -> Vec<Target> {
        let adopt = |target| match target {
            Target::Item(of, _) if public && !self.tree.is_inside(of, m) => {
                Target::Item(m, name.to_string())
            }
            target => target,
        };
        targets.into_iter().map(adopt).collect()
    }

    fn sees(&self, from: usize, m: usize, public: bool) -> bool {
        public || self.tree.is_inside(from, m)
    }

    fn note(&self, m: usize, number: usize, from: usize) {
        if self.tree.modules[m].file != self.tree.modules[from].file {
            self.through.borrow_mut().insert((m, number));
        }
    }
}

fn dedup(targets: Vec<Target>) -> Vec<Target> {
    let mut out = Vec::new();
    for target in targets {
        if !out.contains(&target) {
            out.push(target);
        }
    }
    out
}
