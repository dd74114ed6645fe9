//! What was measured, for readers.
//!
//! In: results, and nothing else: no number in a report is from anywhere but a file that `run` wrote. Out: Markdown with SVG charts
//! beside it, and a short text for terminals.

mod charts;
mod markdown;
pub mod text;
mod verdicts;

use std::path::Path;

pub use charts::trend;

use crate::error::{Error, Result};
use crate::result::{Run, Workload};

/// Writes the report, with its charts in a folder of its name.
pub fn write(runs: &[Run], history: Option<&Path>, out: &Path) -> Result<()> {
    let workloads = latest(runs);
    let folder = out.with_extension("");
    std::fs::create_dir_all(&folder).map_err(|source| Error::File { path: folder.clone(), source })?;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut drawn = Vec::new();
    for (_, workload) in &workloads {
        drawn.extend(
            charts::workload(workload, &folder)?
                .into_iter()
                .map(|(title, file)| (workload.name.clone(), title, format!("{name}/{file}"))),
        );
    }
    if let Some(history) = history {
        trend(history, &folder.join("trend.svg"))?;
        drawn.push((String::new(), "Guarded ratios over time".to_owned(), format!("{name}/trend.svg")));
    }
    let text = markdown::report(&workloads, &drawn);
    std::fs::write(out, text).map_err(|source| Error::File { path: out.to_owned(), source })
}

/// Each workload with the run that it is of; of several the last.
fn latest(runs: &[Run]) -> Vec<(&Run, &Workload)> {
    let mut found: Vec<(&Run, &Workload)> = Vec::new();
    for run in runs {
        for workload in run.workloads.iter().filter(|workload| !workload.operations.is_empty()) {
            match found.iter_mut().find(|(_, older)| older.name == workload.name) {
                Some(older) => *older = (run, workload),
                None => found.push((run, workload)),
            }
        }
    }
    found
}

/// A number with three digits that mean something.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Microseconds, in the unit that suits them.
fn time(us: f64) -> String {
    match us.abs() {
        v if v >= 1e6 => format!("{} s", short(us / 1e6)),
        v if v >= 1e3 => format!("{} ms", short(us / 1e3)),
        _ => format!("{} µs", short(us)),
    }
}

/// Bytes, in the unit that suits them.
fn bytes(value: f64) -> String {
    match value.abs() {
        v if v >= 1024.0 * 1024.0 => format!("{} MB", short(value / 1024.0 / 1024.0)),
        v if v >= 1024.0 => format!("{} kB", short(value / 1024.0)),
        _ => format!("{value:.0} B"),
    }
}

/// A value in the unit of its operation.
fn in_unit(value: f64, unit: crate::result::Unit) -> String {
    use crate::result::Unit;
    match unit {
        Unit::Microseconds => time(value),
        Unit::PerSecond => format!("{} /s", short(value)),
        Unit::Kilobytes => bytes(value * 1024.0),
    }
}
