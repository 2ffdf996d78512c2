// SPDX-License-Identifier: GPL-2.0

//! The picture as a page: the SVG, what is said of the cell that one points at, and what is lost. Style and script
//! are in it; it fetches nothing, and is forbidden to.

use super::{
    markup::text,
    svg,
    MapReport,
    PAGE_COLUMNS, //
};
use crate::map::Class;
use std::fmt::{
    Result,
    Write, //
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

pub(super) fn page(map: &MapReport) -> String {
    let mut out = String::new();
    write_page(&mut out, map).expect("a String takes all");
    out
}

fn write_page(out: &mut String, map: &MapReport) -> Result {
    let heading = text(&map.heading());
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{heading}</title>\n<style>{}\n{STYLE}</style>",
        svg::style()
    )?;
    writeln!(out, "<h1>{heading}</h1>")?;
    writeln!(out, "<p class=\"faint\">{}</p>", text(&map.scale()))?;
    for note in &map.notes {
        writeln!(out, "<p>{}</p>", text(note))?;
    }
    if let Some(file) = &map.file {
        writeln!(
            out,
            "<p>Framed: <span class=\"name\">{}</span></p>",
            text(&file.text)
        )?;
    }
    // Half of the frame of a cell at the edge is outside.
    let (width, height) = svg::size(map);
    writeln!(
        out,
        "<svg data-columns=\"{PAGE_COLUMNS}\" tabindex=\"0\" role=\"group\" aria-label=\"the device\" \
         viewBox=\"-2 -2 {} {}\">",
        width + 4,
        height + 4
    )?;
    svg::cells(out, map, 0, 0)?;
    writeln!(out, "</svg>\n<ul class=\"legend\">")?;
    for (class, bytes, percent) in map.legend() {
        let cross = match class {
            Class::Bad => "<path class=\"x\" d=\"M3 3L10 10M10 3L3 10\"/>",
            _ => "",
        };
        writeln!(
            out,
            "<li><svg viewBox=\"0 0 13 13\" aria-hidden=\"true\"><rect class=\"{}\" width=\"13\" height=\"13\"/>{cross}</svg>\
             {} <span class=\"faint\">{}, {}</span>",
            class.key(),
            text(class.label()),
            crate::size::human(bytes),
            text(&percent)
        )?;
    }
    writeln!(out, "</ul>")?;
    lost(out, map)?;
    writeln!(
        out,
        "<div id=\"tip\" role=\"status\" hidden></div>\n<script>{SCRIPT}</script>"
    )
}

fn lost(out: &mut String, map: &MapReport) -> Result {
    writeln!(out, "<h2>Lost</h2>")?;
    let metadata = map.lost.metadata.as_deref().unwrap_or_default();
    if map.lost.files.is_empty() && metadata.is_empty() {
        return writeln!(out, "<p>Nothing.</p>");
    }
    writeln!(
        out,
        "<table><tr><th>File<th class=\"number\">Offset<th class=\"number\">Length\
         <th class=\"number\">Block<th class=\"number\">Owners"
    )?;
    for lost in &map.lost.files {
        for name in lost.file.texts() {
            for range in &lost.lost {
                let part = range
                    .part
                    .map_or_else(String::new, |part| format!(" ({part})"));
                writeln!(
                    out,
                    "<tr><td><span class=\"name\">{}</span>{part}<td class=\"number\">{}\
                     <td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}",
                    text(&name),
                    range.offset,
                    range.length,
                    range.block,
                    range.owners
                )?;
            }
        }
    }
    for lost in metadata {
        let what = lost.what.unwrap_or("in use, no owner found");
        writeln!(
            out,
            "<tr><td>({})<td><td class=\"number\">{}<td class=\"number\">{}<td>",
            text(what),
            lost.length,
            lost.block
        )?;
    }
    writeln!(out, "</table>")
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn names_stay_text() {
        let page = sample::map(64, 32).html();
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        assert!(!page.contains('\x1b'));
        assert!(page.contains("/mnt/&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(page.contains("<tr><td>(in use, no owner found)<td>"));
        // Nothing is fetched.
        assert!(!page.contains("://") && !page.contains("@import") && !page.contains("src="));
        assert!(page.contains("prefers-color-scheme:dark"));
    }
}
