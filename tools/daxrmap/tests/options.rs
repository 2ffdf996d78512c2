// SPDX-License-Identifier: GPL-2.0

//! Every command and option of every program is in its man page, both in the synopsis and in the text, and is
//! completed by bash, zsh and fish. What has an option that is written nowhere fails here.

use clap::{
    Arg,
    Command,
    CommandFactory, //
};
use std::{
    collections::HashSet,
    fs,
    path::Path,
    process, //
};

const PROGRAMS: [&str; 3] = ["daxrmap", "mkfs.daxrmap", "fsck.daxrmap"];

fn command(program: &str) -> Command {
    match program {
        "daxrmap" => daxrmap::cli::Cli::command(),
        "mkfs.daxrmap" => daxrmap::mkfs::Args::command(),
        _ => daxrmap::fsck::Args::command(),
    }
}

/// A command of a program: the words that lead to it, and its options.
struct Spoken {
    words: Vec<String>,
    options: Vec<String>,
}

fn options(arg: &Arg) -> Vec<String> {
    let long = arg.get_long_and_visible_aliases().unwrap_or_default();
    let short = arg.get_short_and_visible_aliases().unwrap_or_default();
    let long = long.into_iter().map(|long| format!("--{long}"));
    long.chain(short.into_iter().map(|short| format!("-{short}")))
        .collect()
}

/// All commands that one can say, with the options of each.
fn spoken(command: &Command) -> Vec<Spoken> {
    fn add(command: &Command, words: Vec<String>, all: &mut Vec<Spoken>) {
        let arguments = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let ours = arguments.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
        let options = ours.flat_map(options).collect();
        for below in command
            .get_subcommands()
            .filter(|below| !below.is_hide_set())
        {
            let word = below.get_name().to_owned();
            add(below, [words.clone(), vec![word]].concat(), all);
        }
        if !command.has_subcommands() {
            all.push(Spoken { words, options });
        }
    }
    let mut all = Vec::new();
    add(command, Vec::new(), &mut all);
    all
}

/// The words of a text in roff, options among them.
fn words(text: &str) -> Vec<String> {
    let plain = text
        .replace("\\-", "-")
        .replace("\\c", "")
        .replace("\\~", " ");
    let plain = ["\\fB", "\\fI", "\\fR"]
        .iter()
        .fold(plain, |text, font| text.replace(font, " "));
    let lines = plain.lines().map(|line| match line.strip_prefix('.') {
        // A request: what is behind its name.
        Some(request) => request.split_once(' ').map_or("", |(_, rest)| rest),
        None => line,
    });
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    lines
        .flat_map(|line| {
            line.split(|c| !is_part(c))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// The names of the man pages of a program.
fn pages(program: &str) -> &[&str] {
    match program {
        "daxrmap" => &["daxrmap", "daxrmap-monitor"],
        "mkfs.daxrmap" => &["mkfs.daxrmap"],
        _ => &["fsck.daxrmap"],
    }
}

/// What of a man page is text, and what is the synopsis, one entry each.
fn page(text: &str) -> (Vec<Vec<String>>, HashSet<String>) {
    let (before, rest) = text.split_once(".SH SYNOPSIS\n").expect("a synopsis");
    let (synopsis, rest) = rest.split_once(".SH DESCRIPTION\n").expect("a description");
    let entries = synopsis.split(".SY ").skip(1);
    let entries = entries.map(|entry| {
        let (_, entry) = entry.split_once('\n').unwrap_or_default();
        words(entry)
    });
    let text = words(before).into_iter().chain(words(rest));
    (entries.collect(), text.collect())
}

/// Which options of which commands none of these man pages has.
fn missing(command: &Command, pages: &[String]) -> Vec<String> {
    let (mut synopsis, mut text) = (Vec::new(), HashSet::new());
    for (entries, words) in pages.iter().map(|text| page(text)) {
        synopsis.extend(entries);
        text.extend(words);
    }
    let mut missing = Vec::new();
    for Spoken { words, options } in spoken(command) {
        let of_it = synopsis.iter().filter(|entry| match words.as_slice() {
            [] => true,
            [first, more @ ..] => {
                entry.first() == Some(first) && more.iter().all(|word| entry.contains(word))
            }
        });
        let entries: Vec<_> = of_it.collect();
        let name = words.join(" ");
        if entries.is_empty() {
            missing.push(format!("synopsis: {name}"));
        }
        for option in options {
            if !entries.iter().any(|entry| entry.contains(&option)) {
                missing.push(format!("synopsis: {name} {option}"));
            }
            if !text.contains(&option) {
                missing.push(format!("text: {name} {option}"));
            }
        }
    }
    missing
}

#[test]
fn man_pages_have_all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../man");
    for program in PROGRAMS {
        let read = |name: &&str| fs::read_to_string(folder.join(format!("{name}.8"))).unwrap();
        let pages: Vec<_> = pages(program).iter().map(read).collect();
        let missing = missing(&command(program), &pages);
        assert!(
            missing.is_empty(),
            "{program}(8) does not have: {missing:#?}"
        );
        for option in ["--help", "--version"] {
            assert!(page(&pages[0]).1.contains(option), "{program}(8): {option}");
        }
    }
}

/// The test itself finds what is missing.
#[test]
fn a_man_page_that_has_not_all() {
    let command = Command::new("x")
        .subcommand(Command::new("a").arg(Arg::new("in").long("in").short('i')))
        .subcommand(Command::new("b").subcommand(Command::new("c")));
    let text = ".SH NAME\n.SH SYNOPSIS\n.SY x\n.B a\n.RB [ \\-\\-in ]\n.YS\n.SY x\n.RB b \\ {c | d}\n.YS\n\
                .SH DESCRIPTION\n.BI \\-\\-in \\~x\\fR or \\fB\\-i\n";
    let missing = |text: &str| missing(&command, &[text.to_owned()]);
    assert_eq!(missing(text), ["synopsis: a -i"]);
    let text = text.replace("\\-\\-in ]", "\\-\\-inn |\\c\n.BR \\-i ]");
    assert_eq!(missing(&text), ["synopsis: a --in"]);
    let text = text.replace("{c", "{cc").replace("\\-i\n", "\\-j\n");
    assert_eq!(
        missing(&text),
        ["synopsis: a --in", "text: a -i", "synopsis: b c"]
    );
}

/// Where the completions are, after they were made.
fn made() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut make = process::Command::new(env!("CARGO_BIN_EXE_completions"));
    assert!(make.arg(dir.path()).status().unwrap().success());
    dir
}

#[test]
fn shells_have_all() {
    let dir = made();
    for program in PROGRAMS {
        let read = |name: String| fs::read_to_string(dir.path().join(name)).unwrap();
        let bash = read(format!("{program}.bash"));
        let zsh = read(format!("_{program}"));
        let fish = read(format!("{program}.fish"));
        let (bash, zsh) = (words(&bash), words(&zsh));
        for Spoken { words, options } in spoken(&command(program)) {
            for word in words.iter().chain(&options) {
                let name = word.trim_start_matches('-');
                let in_fish = match word.len() - name.len() {
                    0 => format!("-a \"{name}\""),
                    1 => format!("-s {name}"),
                    _ => format!("-l {name}"),
                };
                assert!(bash.contains(word), "{program}.bash: {word}");
                assert!(zsh.contains(word), "_{program}: {word}");
                assert!(fish.contains(&in_fish), "{program}.fish: {in_fish}");
            }
        }
    }
}

/// What bash completes in place of the last word.
fn completed(folder: &Path, line: &[&str]) -> Vec<String> {
    let script = "file=$1; shift; . \"$file\" || exit; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))\n\
                  how=$(complete -p \"$1\") || exit; [[ $how =~ -F\\ ([^ ]+) ]] || exit\n\
                  \"${BASH_REMATCH[1]}\" \"$1\" \"${@: -1}\" \"${@: -2:1}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = process::Command::new("bash");
    bash.args(["-c", script, "bash"]);
    bash.arg(folder.join(format!("{}.bash", line[0])))
        .args(line);
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes() {
    let dir = made();
    let completed = |line: &[&str]| completed(dir.path(), line);
    assert_eq!(completed(&["daxrmap", "ma"]), ["map"]);
    assert_eq!(completed(&["daxrmap", "guard", "unw"]), ["unwrap"]);
    assert_eq!(completed(&["daxrmap", "lost", "--p"]), ["--packages"]);
    assert_eq!(completed(&["fsck.daxrmap", "--v"]), ["--version"]);
    assert!(completed(&["mkfs.daxrmap", "-"]).contains(&"-U".to_owned()));
}
