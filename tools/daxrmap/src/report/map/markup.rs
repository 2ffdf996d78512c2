// SPDX-License-Identifier: GPL-2.0

//! Text for HTML and SVG: whatever a file is called, it stays text.

use std::fmt::Write;

/// The text, for an element or an attribute in quotes.
///
/// What XML does not take, and what turns the direction of writing, becomes three octal digits for each byte.
pub(super) fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len() + 16);
    for c in plain.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            c if is_unfit(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    write!(out, "\\{byte:03o}").expect("a String takes all");
                }
            }
            c => out.push(c),
        }
    }
    out
}

fn is_unfit(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let nothing = matches!(u32::from(c) & 0xfffe, 0xfffe);
    c.is_control() || turns || nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_markup() {
        assert_eq!(
            text("<script>alert('x')</script> \"a\" & b"),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &quot;a&quot; &amp; b"
        );
        assert_eq!(text("&lt;"), "&amp;lt;");
        assert_eq!(text("gr\u{fc}n \u{2713}\nb"), "gr\u{fc}n \u{2713}\nb");
    }

    #[test]
    fn what_xml_does_not_take() {
        assert_eq!(text("\x1b[2J\0"), r"\033[2J\000");
        assert_eq!(text("\u{ffff}\u{fffe}"), r"\357\277\277\357\277\276");
        // cod.exe, written as exe.doc
        assert_eq!(text("\u{202e}cod.exe"), r"\342\200\256cod.exe");
    }
}
