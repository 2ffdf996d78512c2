// SPDX-License-Identifier: GPL-2.0

//! Finds which file takes what from which: each use leads to the file that defines the item, whatever
//! re-exports it went through.

use crate::{
    collect::Import,
    resolve::{Outcome, Resolver, Target},
    tree::Tree,
};
use std::collections::{BTreeMap, BTreeSet};

/// From one file to another (numbers in [`Tree::files`]): the names that tie them.
pub type Arrows = BTreeMap<(usize, usize), BTreeSet<String>>;

/// All arrows, and what was not found: a check that loses paths finds nothing any more.
pub fn arrows(tree: &Tree) -> (Arrows, Vec<String>) {
    let mut maker = Maker {
        tree,
        resolver: Resolver::new(tree),
        arrows: Arrows::new(),
        errors: Vec::new(),
    };
    for m in 0..tree.modules.len() {
        maker.uses(m);
    }
    // Now it is known who took a name through which import.
    let imports = (0..tree.modules.len())
        .flat_map(|m| (0..tree.modules[m].names.imports.len()).map(move |number| (m, number)))
        .collect::<Vec<_>>();
    for &(m, number) in &imports {
        maker.import(m, number, Pass::Follow);
    }
    for &(m, number) in &imports {
        maker.import(m, number, Pass::Draw);
    }
    (maker.arrows, maker.errors)
}

/// An import may go through one that is looked at only later.
#[derive(PartialEq)]
enum Pass {
    Follow,
    Draw,
}

struct Maker<'t> {
    tree: &'t Tree,
    resolver: Resolver<'t>,
    arrows: Arrows,
    errors: Vec<String>,
}

impl Maker<'_> {
    fn uses(&mut self, m: usize) {
        let tree = self.tree;
        for it in &tree.modules[m].names.uses {
            let mut outcome = self.resolver.path(m, &it.path);
            if let (Outcome::Outside, true, [name]) = (&outcome, it.is_macro, &it.path[..]) {
                outcome = Outcome::Found(self.resolver.textual_macro(m, name));
            }
            for target in self.found(m, &it.path, it.line, outcome) {
                match target {
                    Target::Item(of, name) => self.arrow(m, of, name),
                    // `module::$name`: nobody knows which.
                    Target::Module(of) if it.open => self.arrow(m, of, it.path.join("::")),
                    _ => {}
                }
            }
        }
    }

    fn import(&mut self, m: usize, number: usize, pass: Pass) {
        let tree = self.tree;
        let import = &tree.modules[m].names.imports[number];
        let outcome = self.resolver.path(m, &import.path);
        if pass == Pass::Follow {
            self.found(m, &import.path, import.line, outcome);
            return;
        }
        let Outcome::Found(targets) = outcome else {
            return;
        };
        for target in targets {
            // A module by itself is nothing; what is taken from it is taken where it is named.
            if let Target::Item(of, name) = target {
                if !self.is_door(m, number, import, of, &name) {
                    self.arrow(m, of, name);
                }
            }
        }
    }

    /// Whether the import only lets others in, and the file itself takes nothing.
    fn is_door(&self, m: usize, number: usize, import: &Import, of: usize, name: &str) -> bool {
        if import.public {
            return self.tree.is_inside(of, m);
        }
        let Some(local) = &import.local else {
            return false;
        };
        // A trait is used where its methods are, which name nothing.
        let is_trait = self.tree.modules[of].names.defined.get(name) == Some(&true);
        self.resolver.is_taken_through(m, number)
            && !is_trait
            && !self.tree.modules[m].names.mentions(local)
    }

    fn found(&mut self, m: usize, path: &[String], line: usize, outcome: Outcome) -> Vec<Target> {
        match outcome {
            Outcome::Found(targets) => targets,
            Outcome::Outside => Vec::new(),
            Outcome::Missing(of, name) => {
                let file = |m: usize| &self.tree.files[self.tree.modules[m].file];
                self.errors.push(format!(
                    "{}:{line}: {}: {} has no {name}",
                    file(m),
                    path.join("::"),
                    file(of),
                ));
                Vec::new()
            }
        }
    }

    fn arrow(&mut self, from: usize, to: usize, name: String) {
        let file = |m: usize| self.tree.modules[m].file;
        let (from, to) = (file(from), file(to));
        if from != to {
            self.arrows.entry((from, to)).or_default().insert(name);
        }
    }
}
