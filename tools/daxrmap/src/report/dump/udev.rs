// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap dump --udev` prints.

use daxrmap_media::{
    superblock::Super, //
    BLOCK_SIZE,
};
use std::fmt;

/// What udev's rules want to know, in the names that its own blkid gives.
#[derive(Debug)]
pub struct Udev<'a>(pub &'a Super);

/// A value for a line of an environment: what may have a meaning there is replaced.
fn encode(bytes: &[u8], replace: impl Fn(u8) -> String) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_ascii_alphanumeric()
                || "#+-.:=@_".contains(c)
                || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
            {
                out.push(c);
            } else {
                let mut bytes = [0; 4];
                out.extend(c.encode_utf8(&mut bytes).bytes().map(&replace));
            }
        }
        out.extend(chunk.invalid().iter().copied().map(&replace));
    }
    out
}

impl fmt::Display for Udev<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(sb) = self;
        writeln!(f, "ID_FS_USAGE=filesystem")?;
        writeln!(f, "ID_FS_TYPE=daxrmap")?;
        writeln!(f, "ID_FS_VERSION=1")?;
        writeln!(f, "ID_FS_UUID={}", sb.uuid)?;
        writeln!(f, "ID_FS_UUID_ENC={}", sb.uuid)?;
        if !sb.label.is_empty() {
            let safe = encode(&sb.label, |_| "_".to_owned());
            let hex = encode(&sb.label, |byte| format!("\\x{byte:02x}"));
            writeln!(f, "ID_FS_LABEL={safe}")?;
            writeln!(f, "ID_FS_LABEL_ENC={hex}")?;
        }
        let size = sb.blocks.saturating_mul(BLOCK_SIZE);
        writeln!(f, "ID_FS_SIZE={size}")?;
        writeln!(f, "ID_FS_BLOCKSIZE={BLOCK_SIZE}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_for_udev() {
        let label = b"a b\"\n$(x)\\\xffgr\xc3\xbcn-1";
        assert_eq!(encode(label, |_| "_".to_owned()), "a_b____x___gr\u{fc}n-1");
        assert_eq!(
            encode(label, |byte| format!("\\x{byte:02x}")),
            "a\\x20b\\x22\\x0a\\x24\\x28x\\x29\\x5c\\xffgr\u{fc}n-1"
        );
    }
}
