// SPDX-License-Identifier: GPL-2.0

//! The results as a plot: an SVG file, which needs no library and no fonts of this machine.
//!
//! A row for each operation of each load; on it, at its time on a logarithmic scale, a mark for
//! each peer. A bar leads from the owner tree to the fastest dynamic peer; its ratio is on the right.

use crate::{
    peers::{
        self,
        Entry,
        Kind, //
    },
    results::{
        Results,
        WANTED, //
    },
    table, //
};
use std::fmt::Write;

const LEFT: f64 = 190.0;
const PLOT: f64 = 720.0;
const RIGHT: f64 = 70.0;
const TOP: f64 = 110.0;
const ROW: f64 = 18.0;
/// Space above a load, where its name is.
const HEAD: f64 = 24.0;

/// Colors that differ for those too who do not tell red from green; ours is black.
const COLORS: [&str; 12] = [
    "#000000", "#0072b2", "#56b4e9", "#009e73", "#66c2a5", "#d55e00", "#e69f00", "#cc79a7",
    "#aa4499", "#8a6d3b", "#5a5a5a", "#3b3bd1",
];

/// Returns the plot.
pub fn render(results: &Results) -> String {
    let medians = || results.rows.iter().map(|r| r.median_ns.max(1.0));
    let low = medians().fold(f64::MAX, f64::min).log10().floor();
    let high = medians().fold(10.0, f64::max).log10().ceil();
    let x = |ns: f64| LEFT + PLOT * (ns.max(1.0).log10() - low) / (high - low).max(1.0);
    let mut loads: Vec<_> = results.loads().collect();
    // To build the static ones is nothing that the others do.
    for (_, _, ops) in &mut loads {
        ops.retain(|&op| op != "build");
    }
    let rows: f64 = loads.iter().map(|(_, _, ops)| ops.len() as f64).sum();
    let bottom = TOP + rows * ROW + loads.len() as f64 * HEAD;
    let (width, height) = (LEFT + PLOT + RIGHT, bottom + 30.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );

    text(
        &mut svg,
        (10.0, 22.0),
        "start",
        "Owner tree and peers: nanoseconds an operation (median). Right: best dynamic peer / ours.",
        "font-size=\"14\" font-weight=\"bold\"",
    );
    legend(&mut svg, &results.peers);
    // A line at each power of ten.
    if low < high {
        for power in low as i32..=high as i32 {
            let ns = 10f64.powi(power);
            let _ = writeln!(
                svg,
                "<path d=\"M{0:.1} {1:.1}V{bottom:.1}\" stroke=\"#e0e0e0\"/>",
                x(ns),
                TOP - 8.0
            );
            for y in [TOP - 12.0, bottom + 16.0] {
                text(&mut svg, (x(ns), y), "middle", &label(ns), "fill=\"#555\"");
            }
        }
    }

    let mut y = TOP;
    for (size, shape, ops) in loads {
        let name = format!("{}, {} records", shape.name(), size);
        text(
            &mut svg,
            (10.0, y + HEAD - 8.0),
            "start",
            &name,
            "font-weight=\"bold\"",
        );
        y += HEAD;
        for op in ops {
            let middle = y + ROW / 2.0;
            text(&mut svg, (LEFT - 12.0, middle + 4.0), "end", op, "");
            let ours = results.row(shape, size, op, peers::OURS);
            let best = results.best(shape, size, op);
            if let (Some(ours), Some(best)) = (ours, best) {
                let (from, to) = (x(ours.median_ns), x(best.median_ns));
                let ratio = best.median_ns / ours.median_ns.max(0.1);
                let color = if ratio < WANTED { "#d40000" } else { "#2a7f2a" };
                let _ = writeln!(
                    svg,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"6\" fill=\"{color}\" \
                     fill-opacity=\"0.3\"/>",
                    from.min(to),
                    middle - 3.0,
                    (to - from).abs()
                );
                let at = (LEFT + PLOT + 12.0, middle + 4.0);
                let ratio = table::ratio(ratio);
                text(&mut svg, at, "start", &ratio, &format!("fill=\"{color}\""));
            }
            // Ours is drawn last, on top.
            for (i, peer) in results.peers.iter().enumerate().rev() {
                if let Some(row) = results.row(shape, size, op, peer.name) {
                    mark(&mut svg, (x(row.median_ns), middle), peer.kind, i);
                }
            }
            y += ROW;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn label(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.0} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.0} ms", ns / 1e6),
        ns => format!("{:.0} s", ns / 1e9),
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, content: &str, style: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{content}</text>"
    );
}

/// Draws a mark: a full circle for ours, an open one for dynamic, a cross for static peers.
fn mark(svg: &mut String, (x, y): (f64, f64), kind: Kind, index: usize) {
    let color = COLORS[index % COLORS.len()];
    let _ = match kind {
        Kind::Ours => writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{color}\"/>"
        ),
        Kind::Dynamic => writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"none\" stroke=\"{color}\" \
             stroke-width=\"2\"/>"
        ),
        Kind::Static => writeln!(
            svg,
            "<path d=\"M{0:.1} {1:.1}l6 6m0 -6l-6 6\" stroke=\"{color}\"/>",
            x - 3.0,
            y - 3.0
        ),
    };
}

fn legend(svg: &mut String, peers: &[&Entry]) {
    for (i, peer) in peers.iter().enumerate() {
        let at = (20.0 + (i % 6) as f64 * 150.0, 46.0 + (i / 6) as f64 * 18.0);
        mark(svg, at, peer.kind, i);
        text(svg, (at.0 + 10.0, at.1 + 4.0), "start", peer.name, "");
    }
}
