// SPDX-License-Identifier: GPL-2.0

//! Finds what is wrong with a tree of modules.

use crate::{
    arrows::Arrows,
    graph::{self, Folder},
    tree::Tree,
};
use std::collections::{BTreeMap, BTreeSet};

/// Files that one looks through at a glance.
const MOST_FILES: usize = 15;

/// All errors: a line each, and below it, indented, the arrows that make it.
pub fn check(tree: &Tree, arrows: &Arrows) -> Vec<String> {
    let mut errors = file_circles(tree, arrows);
    for folder in Folder::all(tree) {
        errors.extend(room_circles(tree, arrows, &folder));
    }
    for folder in Folder::all(tree) {
        let files = folder.files();
        if files > MOST_FILES {
            let name = match folder.path() {
                "" => "the top",
                path => path,
            };
            errors.push(format!(
                "{name}: {files} files in one folder, more than {MOST_FILES}"
            ));
        }
    }
    errors
}

fn file_circles(tree: &Tree, arrows: &Arrows) -> Vec<String> {
    let rooms: BTreeSet<_> = tree.files.iter().cloned().collect();
    let name = |file: usize| tree.files[file].clone();
    let pairs = arrows.keys().map(|&(a, b)| (name(a), name(b))).collect();
    let mut errors = Vec::new();
    for circle in graph::circles(&rooms, &pairs) {
        let count = circle.len();
        errors.push(format!(
            "a circle of {count} files: {}{}",
            circle.join(", "),
            ties(tree, arrows, |file| {
                circle.contains(&tree.files[file]).then(|| name(file))
            })
        ));
    }
    errors
}

/// Circles that a folder is in; those of files alone are told as such.
fn room_circles(tree: &Tree, arrows: &Arrows, folder: &Folder<'_>) -> Vec<String> {
    let mut errors = Vec::new();
    for circle in graph::circles(&folder.rooms, &folder.pairs(arrows)) {
        if circle.iter().all(|room| room.ends_with(".rs")) {
            continue;
        }
        let place = match folder.path() {
            "" => String::new(),
            path => format!(" of {path}"),
        };
        errors.push(format!(
            "an arrow goes up, in a circle of {} rooms{place}: {}{}",
            circle.len(),
            circle.join(", "),
            ties(tree, arrows, |file| {
                folder.room(file).filter(|room| circle.contains(room))
            })
        ));
    }
    errors
}

/// The arrows between rooms, those with the fewest names first: they are the ones to take out.
fn ties(tree: &Tree, arrows: &Arrows, room: impl Fn(usize) -> Option<String>) -> String {
    let mut between = BTreeMap::<(String, String), Vec<_>>::new();
    for (&(from, to), names) in arrows {
        if let (Some(a), Some(b)) = (room(from), room(to)) {
            if a != b {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let (from, to) = (&tree.files[from], &tree.files[to]);
                between
                    .entry((a, b))
                    .or_default()
                    .push((names.len(), format!("{from} -> {to}: {}", names.join(", "))));
            }
        }
    }
    let mut between: Vec<_> = between.into_values().collect();
    between.sort_by_key(|lines| lines.iter().map(|(count, _)| *count).sum::<usize>());
    let mut out = String::new();
    for (_, line) in between.into_iter().flatten() {
        out += "\n    ";
        out += &line;
    }
    out
}
