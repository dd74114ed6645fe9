//! Charts as SVG.
//!
//! In: a workload, or the history. Out: files. Times are drawn on logarithmic axes, because arms differ by orders of magnitude.

use std::collections::BTreeMap;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::in_unit;
use crate::error::{Error, Result};
use crate::guard::history;
use crate::result::{Operation, Workload};
use crate::stats;

/// In the order of arms; told apart also by those who see fewer colours.
const COLORS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(110, 110, 110),
    RGBColor(160, 140, 0),
];

const WIDTH: u32 = 860;
const ROW: i32 = 18;
const LABEL: i32 = 170;

/// Points of a line.
type Points = Vec<(f64, f64)>;

/// The charts of a workload: titles and file names.
pub fn workload(workload: &Workload, folder: &Path) -> Result<Vec<(String, String)>> {
    let mut drawn = Vec::new();
    for (title, lines) in curves(workload) {
        let file = format!("{}-{}.svg", workload.name, slug(&title));
        curve(&folder.join(&file), &title, &lines, "microseconds")?;
        drawn.push((title, file));
    }
    let bars: Vec<&Operation> = workload.operations.iter().filter(|operation| operation.curve.is_none()).collect();
    if !bars.is_empty() {
        let file = format!("{}.svg", workload.name);
        bar_chart(&folder.join(&file), &bars)?;
        drawn.push((format!("{}: medians", workload.name), file));
    }
    Ok(drawn)
}

/// Lines by chart: of operations at different sizes a line per arm; where arms are sizes themselves, a line per operation.
fn curves(workload: &Workload) -> BTreeMap<String, Vec<(String, Points)>> {
    let mut charts: BTreeMap<String, Vec<(String, Points)>> = BTreeMap::new();
    for operation in &workload.operations {
        let Some(name) = &operation.curve else {
            continue;
        };
        let measured = operation.arms.iter().filter(|arm| !arm.samples.is_empty());
        match operation.at {
            Some(at) => {
                let lines = charts.entry(name.clone()).or_default();
                for arm in measured {
                    let point = (at, stats::median(&arm.samples));
                    match lines.iter_mut().find(|(line, _)| *line == arm.name) {
                        Some((_, points)) => points.push(point),
                        None => lines.push((arm.name.clone(), vec![point])),
                    }
                }
            }
            None => {
                let points = measured.filter_map(|arm| Some((arm.name.parse().ok()?, stats::median(&arm.samples))));
                // So many lines as colours to a chart.
                let of = |number: usize| format!("{name}, {}", number + 1);
                let number = (0..).find(|n| charts.get(&of(*n)).is_none_or(|lines| lines.len() < COLORS.len()));
                charts.entry(of(number.unwrap_or(0))).or_default().push((operation.name.clone(), points.collect()));
            }
        }
    }
    charts
}

fn curve(path: &Path, title: &str, lines: &[(String, Points)], unit: &str) -> Result<()> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = points().map(of);
        let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), v| (low.min(v), high.max(v)));
        low / 1.2..high * 1.2
    };
    let (xs, ys) = (range(|point| point.0), range(|point| point.1));
    let draw = || -> std::result::Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::new(path, (WIDTH, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(70)
            .build_cartesian_2d(xs.clone().log_scale(), ys.clone().log_scale())?;
        chart.configure_mesh().y_desc(unit).max_light_lines(1).draw()?;
        for (number, (name, points)) in lines.iter().enumerate() {
            let color = COLORS[number % COLORS.len()];
            chart
                .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        let place = SeriesLabelPosition::UpperLeft;
        chart.configure_series_labels().position(place).background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
        area.present()?;
        Ok(())
    };
    drawn(path, draw())
}

/// Bars of medians, from a tenth of the least of an operation on.
fn bar_chart(path: &Path, operations: &[&Operation]) -> Result<()> {
    let rows: usize = operations.iter().map(|operation| operation.arms.len() + 2).sum();
    let height = u32::try_from(rows).unwrap_or(1) * ROW as u32 + 20;
    let draw = || -> std::result::Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut y = 10;
        for operation in operations {
            area.draw(&Text::new(operation.name.clone(), (10, y), ("sans-serif", 14)))?;
            y += ROW;
            bars(&area, operation, &mut y)?;
            y += ROW;
        }
        area.present()?;
        Ok(())
    };
    drawn(path, draw())
}

fn bars(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    operation: &Operation,
    y: &mut i32,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let medians = operation.arms.iter().filter_map(|arm| Some(arm.summary()?.median));
    let (low, high) = medians.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), v| (low.min(v), high.max(v)));
    let low = low.max(high / 1e6) / 10.0;
    let width = f64::from(WIDTH) - f64::from(LABEL) - 110.0;
    for (number, arm) in operation.arms.iter().enumerate() {
        area.draw(&Text::new(arm.name.clone(), (24, *y + 3), ("sans-serif", 12)))?;
        match arm.summary() {
            Some(summary) => {
                let part = ((summary.median / low).ln() / (high / low).ln()).max(0.0);
                let end = LABEL + (part * width) as i32;
                let color = COLORS[number % COLORS.len()];
                area.draw(&Rectangle::new([(LABEL, *y + 2), (end, *y + ROW - 3)], color.filled()))?;
                area.draw(&Text::new(in_unit(summary.median, operation.unit), (end + 6, *y + 3), ("sans-serif", 12)))?;
            }
            None => area.draw(&Text::new("not measured", (LABEL, *y + 3), ("sans-serif", 12)))?,
        }
        *y += ROW;
    }
    Ok(())
}

/// How each workload's guarded ratios have moved: their geometric mean, divided by that of the first entry with the same figures.
pub fn trend(file: &Path, chart: &Path) -> Result<()> {
    let entries = history::read(file)?;
    let mut first: BTreeMap<&str, f64> = BTreeMap::new();
    let mut lines: BTreeMap<String, Points> = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        let mut moved: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (name, estimate) in &entry.figures {
            let before = *first.entry(name).or_insert(estimate.value);
            moved.entry(name.split('/').next().unwrap_or_default()).or_default().push((estimate.value / before).ln());
        }
        for (workload, logs) in moved {
            let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
            lines.entry(workload.to_owned()).or_default().push(((number + 1) as f64, mean));
        }
    }
    let lines: Vec<(String, Points)> = lines.into_iter().collect();
    if lines.is_empty() {
        return Err(Error::Usage(format!("{}: there is nothing in the history yet", file.display())));
    }
    curve(chart, "guarded ratios by workload, in units of the first commit; below 1 is faster", &lines, "ratio")
}

fn drawn(path: &Path, result: std::result::Result<(), Box<dyn std::error::Error>>) -> Result<()> {
    let failed = |error: Box<dyn std::error::Error>| Error::Program(format!("drawing {}: {error}", path.display()));
    result.map_err(failed)
}

fn slug(title: &str) -> String {
    title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
