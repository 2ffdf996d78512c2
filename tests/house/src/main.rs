// SPDX-License-Identifier: GPL-2.0

//! Whether the module's source has one direction: no circle of files, no arrow up between folders.
//!
//! `daxrmap-house [DIR] [--drawing PAGE]` checks; `daxrmap-house [DIR] --draw [FOLDER]` shows.

mod arrows;
mod check;
mod collect;
mod draw;
mod graph;
mod resolve;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;

use anyhow::{bail, Context, Result};
use graph::Folder;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};
use tree::Tree;

const USAGE: &str = "usage: daxrmap-house [DIR] [--drawing PAGE | --draw [FOLDER]]";

#[derive(Default)]
struct Arguments {
    dir: Option<PathBuf>,
    page: Option<PathBuf>,
    /// `""` is the top.
    draw: Option<String>,
}

fn arguments(given: impl Iterator<Item = String>) -> Result<Arguments> {
    let mut given = given.peekable();
    let mut it = Arguments::default();
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--draw" => {
                let folder = given.next_if(|next| !next.starts_with('-'));
                it.draw = Some(folder.unwrap_or_default());
            }
            "--drawing" => it.page = Some(given.next().context(USAGE)?.into()),
            _ if arg.starts_with('-') || it.dir.is_some() => bail!("{USAGE}"),
            _ => it.dir = Some(arg.into()),
        }
    }
    if it.draw.is_some() && it.page.is_some() {
        bail!("{USAGE}");
    }
    Ok(it)
}

/// What a run says.
#[derive(Debug, Default)]
struct Answer {
    drawing: String,
    errors: Vec<String>,
}

fn run(it: &Arguments) -> Result<Answer> {
    let dir = it.dir.as_deref().unwrap_or(Path::new("src"));
    let tree = Tree::read(dir)?;
    let (arrows, errors) = arrows::arrows(&tree);
    let mut answer = Answer {
        errors,
        ..Answer::default()
    };
    let folder = Folder::new(&tree, it.draw.as_deref().unwrap_or_default());
    if folder.rooms.is_empty() {
        bail!("no folder {}", folder.path());
    }
    let drawing = draw::draw(&folder, &arrows);
    if it.draw.is_some() {
        answer.drawing = draw::block(&drawing);
        return Ok(answer);
    }
    answer.errors.extend(check::check(&tree, &arrows));
    if let Some(page) = &it.page {
        answer.errors.extend(compare(page, &drawing).err());
    }
    Ok(answer)
}

/// What is wrong with the page's drawing. A page that is not there is no reason to say nothing else.
fn compare(page: &Path, drawing: &[String]) -> Result<(), String> {
    let name = page.display();
    let text = fs::read_to_string(page).map_err(|e| format!("{name}: {e}"))?;
    if draw::is_in(&text, drawing) {
        return Ok(());
    }
    Err(format!(
        "{name}: it has not the drawing of the source; `scripts/checks/house.sh --draw` prints the \
         block that it is to have"
    ))
}

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)).and_then(|it| run(&it)) {
        Ok(answer) => {
            print!("{}", answer.drawing);
            for error in &answer.errors {
                eprintln!("{error}");
            }
            ExitCode::from(u8::from(!answer.errors.is_empty()))
        }
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::from(2)
        }
    }
}
