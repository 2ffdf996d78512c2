// SPDX-License-Identifier: GPL-2.0

//! Circles and floors of rooms, and which rooms a folder has.

use crate::{arrows::Arrows, tree::Tree};
use petgraph::{
    algo::{condensation, tarjan_scc, toposort},
    graph::{DiGraph, NodeIndex},
};
use std::collections::{BTreeMap, BTreeSet};

/// Arrows between rooms: who takes, from whom.
pub type Pairs = BTreeSet<(String, String)>;

/// Groups of rooms that all reach each other. One room is no circle.
pub fn circles(rooms: &BTreeSet<String>, pairs: &Pairs) -> Vec<Vec<String>> {
    let graph = graph(rooms, pairs);
    let mut out: Vec<Vec<String>> = Vec::new();
    for circle in tarjan_scc(&graph) {
        if circle.len() > 1 {
            let mut names: Vec<_> = circle.iter().map(|i| graph[*i].clone()).collect();
            names.sort();
            out.push(names);
        }
    }
    out.sort();
    out
}

/// The rooms by floor: how long the longest way down from each is. Those of a circle share one.
pub fn floors(rooms: &BTreeSet<String>, pairs: &Pairs) -> BTreeMap<usize, BTreeSet<String>> {
    let graph = condensation(graph(rooms, pairs), true);
    let mut floors = BTreeMap::<usize, BTreeSet<String>>::new();
    let mut floor_of = BTreeMap::<NodeIndex, usize>::new();
    // It has no circles any more, so that there is an order.
    for node in toposort(&graph, None).unwrap_or_default().iter().rev() {
        let below = graph.neighbors(*node).map(|n| floor_of[&n]).max();
        let floor = below.unwrap_or(0) + 1;
        floor_of.insert(*node, floor);
        let here = floors.entry(floor).or_default();
        here.extend(graph[*node].iter().cloned());
    }
    floors
}

fn graph(rooms: &BTreeSet<String>, pairs: &Pairs) -> DiGraph<String, ()> {
    let mut graph = DiGraph::new();
    let nodes: BTreeMap<&String, NodeIndex> = rooms
        .iter()
        .map(|name| (name, graph.add_node(name.clone())))
        .collect();
    for (from, to) in pairs {
        if let (Some(from), Some(to)) = (nodes.get(from), nodes.get(to)) {
            graph.add_edge(*from, *to, ());
        }
    }
    graph
}

/// What a folder has: its files, and its folders with all that is in them.
pub struct Folder<'t> {
    tree: &'t Tree,
    /// `""` or `"fs/state/"`.
    prefix: String,
    pub rooms: BTreeSet<String>,
}

impl<'t> Folder<'t> {
    pub fn new(tree: &'t Tree, path: &str) -> Self {
        let path = path.trim_matches('/');
        let prefix = match path {
            "" | "." => String::new(),
            _ => format!("{path}/"),
        };
        let mut folder = Self {
            tree,
            prefix,
            rooms: BTreeSet::new(),
        };
        folder.rooms = (0..tree.files.len())
            .filter_map(|file| folder.room(file))
            .collect();
        folder
    }

    /// All folders, from the top.
    pub fn all(tree: &'t Tree) -> Vec<Self> {
        let mut paths = BTreeSet::from([""]);
        for file in &tree.files {
            paths.extend(file.match_indices('/').map(|(at, _)| &file[..at]));
        }
        paths.into_iter().map(|p| Self::new(tree, p)).collect()
    }

    /// What it is called: `fs/state`; nothing for the top.
    pub fn path(&self) -> &str {
        self.prefix.trim_end_matches('/')
    }

    /// The room of the folder that the file is in: `state` or `mount.rs`. A file `x.rs` beside a
    /// folder `x` is that folder's `mod.rs`, by another name.
    pub fn room(&self, file: usize) -> Option<String> {
        let files = &self.tree.files;
        let rest = files[file].strip_prefix(&self.prefix)?;
        if let Some((folder, _)) = rest.split_once('/') {
            return Some(folder.to_string());
        }
        let stem = rest.strip_suffix(".rs").unwrap_or(rest);
        let folder = format!("{}{stem}/", self.prefix);
        if files.iter().any(|f| f.starts_with(&folder)) {
            return Some(stem.to_string());
        }
        Some(rest.to_string())
    }

    /// How many files are directly in it.
    pub fn files(&self) -> usize {
        let direct = |f: &&String| {
            f.strip_prefix(&self.prefix)
                .is_some_and(|rest| !rest.contains('/'))
        };
        self.tree.files.iter().filter(direct).count()
    }

    /// Which of its rooms takes from which.
    pub fn pairs(&self, arrows: &Arrows) -> Pairs {
        let pair = |&(from, to): &(usize, usize)| Some((self.room(from)?, self.room(to)?));
        let pairs = arrows.keys().filter_map(pair);
        pairs.filter(|(from, to)| from != to).collect()
    }
}
