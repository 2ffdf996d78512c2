// SPDX-License-Identifier: GPL-2.0

//! What got slower since an older result. Only ours: the others are what they are.

use crate::results::{
    Results,
    FILESYSTEMS, //
};
use std::fmt::Write;

/// A difference of so many nanoseconds, or bytes, is none.
const NOTHING: f64 = 200.0;
/// The longest of a few waits depends on where somebody was met: it may be so many times as far off,
const LONGEST: f64 = 10.0;
/// and so many nanoseconds more.
const MET: f64 = 200_000.0;

pub struct Found {
    pub text: String,
    pub slower: bool,
}

pub fn diff(old: &Results, new: &Results, percent: f64) -> Found {
    let mut found = Found {
        text: String::new(),
        slower: false,
    };
    let (mut faster, mut same) = (0, 0);
    for was in old
        .rows
        .iter()
        .filter(|r| r.fs == FILESYSTEMS[0] && r.is_cost())
    {
        let Some(is) = new.row(&was.load, was.size, FILESYSTEMS[0]) else {
            // A quick run has less.
            continue;
        };
        let limit = percent * if was.is_longest() { LONGEST } else { 1.0 };
        let nothing = if was.is_longest() { MET } else { NOTHING };
        let more = (is.value() / was.value().max(1.0) - 1.0) * 100.0;
        if more > limit && is.value() - was.value() > nothing {
            found.slower = true;
            let _ = writeln!(
                found.text,
                "slower by {more:.0} %: {}, {}: {:.0} to {:.0} {}",
                was.load,
                was.size,
                was.value(),
                is.value(),
                was.unit
            );
        } else if more < -limit {
            faster += 1;
        } else {
            same += 1;
        }
    }
    if faster + same == 0 && !found.slower {
        found.text += "there is nothing that both results have\n";
        found.slower = true;
    }
    let _ = writeln!(
        found.text,
        "{faster} faster, {same} as before, by {percent} %"
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Row;

    fn results(load: &str, median: f64) -> Results {
        let columns = (
            load.to_owned(),
            1,
            "daxrmap".to_owned(),
            "ns".to_owned(),
            median,
            median,
            median,
        );
        Results {
            rows: vec![Row::from(columns)],
        }
    }

    #[test]
    fn what_is_slower_is_found() {
        assert!(diff(&results("a", 1000.0), &results("a", 1300.0), 10.0).slower);
        assert!(!diff(&results("a", 1000.0), &results("a", 1300.0), 50.0).slower);
        assert!(!diff(&results("a", 1300.0), &results("a", 1000.0), 10.0).slower);
    }

    #[test]
    fn a_few_nanoseconds_are_nothing() {
        assert!(!diff(&results("a", 100.0), &results("a", 150.0), 10.0).slower);
    }

    #[test]
    fn nothing_in_common_is_no_success() {
        assert!(diff(&results("a", 1.0), &results("b", 1.0), 10.0).slower);
    }
}
