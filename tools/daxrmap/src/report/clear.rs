// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap clear` prints.

use super::Name;
use crate::clear::ClearCounts;
use serde::Serialize;
use std::fmt;

/// `daxrmap clear`
#[derive(Debug, Serialize)]
pub struct ClearReport {
    /// The mount point.
    pub mount: Name,
    /// The first block.
    pub block: u64,
    /// How many blocks.
    pub count: u64,
    /// What became of the bad ones.
    #[serde(flatten)]
    pub outcome: ClearCounts,
}

impl fmt::Display for ClearReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "returned to use:  {}", self.outcome.cleared)?;
        writeln!(f, "owned by files:   {}", self.outcome.busy)?;
        writeln!(f, "not cleared:      {}", self.outcome.refused)?;
        writeln!(f, "failed the test:  {}", self.outcome.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{
        json,
        to_value, //
    };
    use std::path::Path;

    #[test]
    fn text_and_json() {
        let clear = ClearReport {
            mount: Path::new("/mnt").into(),
            block: 7,
            count: 10,
            outcome: ClearCounts {
                cleared: 1,
                busy: 2,
                refused: 3,
                failed: 4,
            },
        };
        let text = "returned to use:  1\n\
                    owned by files:   2\n\
                    not cleared:      3\n\
                    failed the test:  4\n";
        assert_eq!(clear.to_string(), text);
        let expected = json!({
            "mount": {"path": "/mnt"}, "block": 7, "count": 10,
            "cleared": 1, "busy": 2, "refused": 3, "failed": 4,
        });
        assert_eq!(to_value(clear).unwrap(), expected);
    }
}
