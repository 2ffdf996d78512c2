// SPDX-License-Identifier: GPL-2.0

//! Cost over size, both on logarithmic scales: a chart for each load that has more than one size, three
//! filesystems in each.

use crate::{
    results::{
        Results,
        FILESYSTEMS, //
    },
    table, //
};
use anyhow::{
    anyhow,
    Result, //
};
use plotters::{
    coord::Shift,
    prelude::*, //
};
use std::path::Path;

/// Colors that differ for those too who do not tell red from green.
const COLORS: [RGBColor; 3] = [BLACK, RGBColor(0, 114, 178), RGBColor(213, 94, 0)];
const ACROSS: usize = 3;
const CHART: (u32, u32) = (460, 300);

type Chart<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub fn draw(results: &Results, path: &Path) -> Result<()> {
    let sizes = |load: &str| results.keys().iter().filter(|(l, _)| *l == load).count();
    let loads: Vec<_> = results
        .loads()
        .into_iter()
        .filter(|load| sizes(load) > 1)
        .collect();
    // Of a few loads none may have sizes.
    let down = loads.len().div_ceil(ACROSS).max(1);
    let size = (CHART.0 * ACROSS as u32, CHART.1 * down as u32);
    let area = SVGBackend::new(path, size).into_drawing_area();
    area.fill(&WHITE).map_err(|e| anyhow!("{e}"))?;
    for (load, chart) in loads.into_iter().zip(area.split_evenly((down, ACROSS))) {
        draw_one(results, load, &chart).map_err(|e| anyhow!("{load}: {e}"))?;
    }
    area.present()
        .map_err(|e| anyhow!("{}: {e}", path.display()))
}

fn draw_one(results: &Results, load: &str, area: &Chart<'_>) -> Result<()> {
    let points = |fs: &str| -> Vec<(f64, f64)> {
        let rows = results.rows.iter().filter(|r| r.load == load && r.fs == fs);
        let mut points: Vec<_> = rows.map(|r| (r.size as f64, r.value().max(1.0))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    let all: Vec<_> = FILESYSTEMS.iter().flat_map(|fs| points(fs)).collect();
    let low = |values: &dyn Fn(&(f64, f64)) -> f64| all.iter().map(values).fold(f64::MAX, f64::min);
    let high = |values: &dyn Fn(&(f64, f64)) -> f64| all.iter().map(values).fold(1.0, f64::max);
    let (first, last) = (low(&|p| p.0), high(&|p| p.0));
    // Whole decades: that a line is steep is seen in all of them.
    let (bottom, top) = (low(&|p| p.1).log10().floor(), high(&|p| p.1).log10());
    let (bottom, top) = (
        10f64.powf(bottom),
        10f64.powf(top.ceil()).max(10f64.powf(bottom + 1.0)),
    );
    let unit = results
        .rows
        .iter()
        .find(|r| r.load == load)
        .map_or("", |r| r.unit.as_str());
    let mut chart = ChartBuilder::on(area)
        .caption(load, ("sans-serif", 14))
        .margin(10)
        .x_label_area_size(24)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (first / 1.5..last * 1.5).log_scale(),
            (bottom..top).log_scale(),
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(4)
        .y_labels(4)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| table::amount(unit, *y))
        .draw()?;
    for (fs, color) in FILESYSTEMS.into_iter().zip(COLORS) {
        let line = points(fs);
        if line.is_empty() {
            continue;
        }
        chart
            .draw_series(LineSeries::new(line.clone(), color.stroke_width(2)))?
            .label(fs)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        chart.draw_series(
            line.into_iter()
                .map(|at| Circle::new(at, 3, color.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}
