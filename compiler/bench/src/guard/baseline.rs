//! What figures were when somebody said that they are right.
//!
//! In: results. Out: a file of guarded figures, each with the samples of each pass. It is made by a command of its own, never by a
//! comparison. Results of several hours make a better one than a long run: it then knows how figures differ from run to run.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::result::{Guard, Operation, Run, Workload, write_json};
use crate::stats::Summary;

/// Changes when a reader of older files would misread newer ones.
const FORMAT: u32 = 2;

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// Of this file.
    pub format: u32,
    /// Which commit was measured.
    pub commit: Option<String>,
    /// What it ran on: for readers.
    pub machine: BTreeMap<String, String>,
    /// With what: for readers.
    pub versions: BTreeMap<String, String>,
    /// By name.
    pub figures: BTreeMap<String, Figure>,
}

/// One guarded figure: ratios, round by round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Of the workload.
    pub sizes: BTreeMap<String, i64>,
    /// The mean.
    pub mean: f64,
    /// Of the samples.
    pub stddev: f64,
    /// 95 of 100 are below.
    pub p95: f64,
    /// How many.
    pub n: usize,
    /// All of them, by pass.
    pub samples: Vec<Vec<f64>>,
}

impl Figure {
    /// Of the samples of each pass.
    pub fn of(sizes: BTreeMap<String, i64>, samples: Vec<Vec<f64>>) -> Self {
        let Summary { mean, stddev, p95, n, .. } = Summary::of(&samples.concat());
        Self { sizes, mean, stddev, p95, n, samples }
    }
}

impl Baseline {
    /// Of results; the passes of one figure in several results are put together.
    pub fn of(runs: &[Run]) -> Result<Self> {
        let first = runs.first().ok_or_else(|| Error::Usage("there is no result".to_owned()))?;
        let mut figures: BTreeMap<String, Figure> = BTreeMap::new();
        for (workload, operation) in runs.iter().flat_map(|run| &run.workloads).flat_map(operations) {
            for (name, ratios) in guarded(workload, operation) {
                let before = figures.get(&name).filter(|figure| figure.sizes == workload.sizes);
                let samples = [before.map(|figure| figure.samples.clone()).unwrap_or_default(), ratios].concat();
                figures.insert(name, Figure::of(workload.sizes.clone(), samples));
            }
        }
        Ok(Self {
            format: FORMAT,
            commit: first.commit.clone(),
            machine: first.machine.clone(),
            versions: first.versions.clone(),
            figures,
        })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            let how = "there is no baseline yet: measure on a machine that does nothing else, and make one with `make bench-baseline`";
            return Err(Error::Usage(format!("{}: {how}", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let baseline: Baseline =
            serde_json::from_str(&text).map_err(|e| Error::Format(path.to_owned(), e.to_string()))?;
        match baseline.format {
            FORMAT => Ok(baseline),
            other => Err(Error::Format(path.to_owned(), format!("format {other}; this program reads {FORMAT}"))),
        }
    }

    /// Writes a file.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }
}

fn operations(workload: &Workload) -> impl Iterator<Item = (&Workload, &Operation)> {
    workload.operations.iter().map(move |operation| (workload, operation))
}

/// The guarded figures of an operation: names with the ratios of each pass.
pub fn guarded(workload: &Workload, operation: &Operation) -> Vec<(String, Vec<Vec<f64>>)> {
    let figure = |guard: &Guard| {
        let name = format!("{}/{}/{}:{}", workload.name, operation.name, guard.arm, guard.yardstick);
        let ratios = operation.ratios(&guard.arm, &guard.yardstick)?;
        let mut rest = ratios.into_iter();
        let passes = operation.rounds().into_iter().map(|rounds| rest.by_ref().take(rounds).collect());
        let passes = passes.filter(|pass: &Vec<f64>| !pass.is_empty()).collect();
        Some((name, passes))
    };
    let figures = operation.guards.iter().filter_map(figure);
    figures.filter(|(_, passes): &(String, Vec<Vec<f64>>)| !passes.is_empty()).collect()
}
