// SPDX-License-Identifier: GPL-2.0

//! What `make bench-fs` has measured: tables, plots, and what an older result says of it.
//!
//! ```text
//! report table MEASURED GOALS DIR   bench.csv, bench.txt and bench.svg in DIR; the table is printed
//! report doc BENCH.CSV GOALS FILE   puts the table between the two marks that a document has
//! report diff OLD NEW [PERCENT]     what got slower by more than so much (10); then the status is 1
//! ```

mod diff;
mod goals;
mod plot;
mod results;
mod table;

use anyhow::{
    bail,
    Context,
    Result, //
};
use results::Results;
use std::{
    env,
    fs,
    path::Path,
    process::ExitCode, //
};

const BEGINS: &str = ".. bench begins\n";
const ENDS: &str = ".. bench ends\n";

fn main() -> Result<ExitCode> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["table", measured, goals, dir] => write_all(measured, goals, Path::new(dir))?,
        ["doc", csv, goals, file] => {
            let table = table::rst(&Results::read(csv)?, &goals::read(goals)?);
            document(file, &table)?;
        }
        ["diff", old, new] => return differ(old, new, 10.0),
        ["diff", old, new, percent] => {
            return differ(
                old,
                new,
                percent.parse().context("not a number of percent")?,
            );
        }
        _ => bail!(
            "usage: report table MEASURED GOALS DIR | doc CSV GOALS FILE | diff OLD NEW [PERCENT]"
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn write_all(measured: &str, goals: &str, dir: &Path) -> Result<()> {
    let results = Results::measured(measured)?;
    let text = table::text(&results, &goals::read(goals)?);
    results.write(&dir.join("bench.csv"))?;
    fs::write(dir.join("bench.txt"), &text)?;
    plot::draw(&results, &dir.join("bench.svg"))?;
    print!("{text}");
    Ok(())
}

fn document(file: &str, table: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| file.to_owned())?;
    let marks = text.find(BEGINS).zip(text.find(ENDS));
    let Some((begins, ends)) = marks.filter(|(begins, ends)| begins < ends) else {
        bail!("{file} does not have the marks that the table goes between");
    };
    let text = format!(
        "{}\n{table}\n{}",
        &text[..begins + BEGINS.len()],
        &text[ends..]
    );
    fs::write(file, text).with_context(|| file.to_owned())
}

fn differ(old: &str, new: &str, percent: f64) -> Result<ExitCode> {
    let found = diff::diff(&Results::read(old)?, &Results::read(new)?, percent);
    print!("{}", found.text);
    Ok(ExitCode::from(u8::from(found.slower)))
}
