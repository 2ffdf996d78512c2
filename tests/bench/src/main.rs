// SPDX-License-Identifier: GPL-2.0

//! The owner tree against its peers: `make bench`.
//!
//! Every combination of load, size and peer is measured in a process of its own (run.rs), one after
//! the other, so that none finds memory that another has left in pieces. The first process collects
//! what they report (collect.rs), compares their answers, and makes the table, the CSV file and
//! the plot.

mod alloc;
mod churn;
mod collect;
mod fold;
mod measure;
mod peers;
mod plot;
mod results;
mod rng;
mod run;
mod settings;
mod shapes;
mod table;

#[allow(dead_code, reason = "not all of them is needed here")]
#[path = "../../../src/errno.rs"]
mod errno;
#[allow(dead_code, unused_imports, reason = "not all of it is measured")]
#[path = "../../../src/rmap/mod.rs"]
mod rmap;

use std::{
    env,
    error::Error,
    fs, //
};

/// Measures one combination: the arguments are shape, size and peer.
fn one(args: &[String]) -> Result<(), Box<dyn Error>> {
    let [shape, size, peer] = args else {
        return Err("--one SHAPE SIZE PEER".into());
    };
    let shape = shapes::Shape::from_name(shape).ok_or("no such shape")?;
    let size = size.parse()?;
    let peer = peers::find(peer).ok_or("no such peer")?;

    (peer.run)(&run::Job { shape, size });
    Ok(())
}

fn all() -> Result<(), Box<dyn Error>> {
    let results = collect::all()?;
    let text = table::render(&results);
    let out = settings::out();

    print!("{text}");
    fs::create_dir_all(&out)?;
    fs::write(out.join("rmap.txt"), text)?;
    fs::write(out.join("rmap.csv"), results.csv())?;
    fs::write(out.join("rmap.svg"), plot::render(&results))?;
    eprintln!("==> {}/rmap.txt, .csv, .svg", out.display());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();

    match args.split_first() {
        Some((first, rest)) if first == "--one" => one(rest),
        Some(_) => Err("settings are in the environment: see scripts/bench/owner-tree.sh".into()),
        None => all(),
    }
}
