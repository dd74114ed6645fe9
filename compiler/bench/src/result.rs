//! What a run leaves behind: one JSON format for every workload.
//!
//! In: what was measured. Out: values that are written and read as they stand here. Always: raw samples are kept, in the order of
//! the rounds, so that samples of the same number belong to one round; what was not measured says why.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::stats::{self, Estimate, Summary};

/// Changes when a reader of older files would misread newer ones.
pub const FORMAT: u32 = 1;

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// [`FORMAT`].
    pub format: u32,
    /// The commit that was measured, if the folder is a checkout; with `+` where files differed from it.
    pub commit: Option<String>,
    /// Seconds since 1970.
    pub time: u64,
    /// What it ran on.
    pub machine: BTreeMap<String, String>,
    /// Server, compiler, extension.
    pub versions: BTreeMap<String, String>,
    /// Of the server, where they are not its defaults.
    pub settings: BTreeMap<String, String>,
    /// In the order in which they ran.
    pub workloads: Vec<Workload>,
}

/// One workload at one size.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Workload {
    /// Its name on the command line.
    pub name: String,
    /// What it is about, in a sentence.
    pub about: String,
    /// How many of what.
    pub sizes: BTreeMap<String, i64>,
    /// The documents at the end.
    pub documents: Vec<Documents>,
    /// What was measured.
    pub operations: Vec<Operation>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// The documents of a tview.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Documents {
    /// The tview.
    pub tview: String,
    /// How many rows.
    pub rows: i64,
    /// Bytes of a document, as stored before compression: the median.
    pub median_bytes: i64,
    /// The largest.
    pub largest_bytes: i64,
}

/// The same work in several arms.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// What was run, for readers.
    pub what: String,
    /// What one sample is: `us` per operation, or `/s`.
    pub unit: Unit,
    /// For curves: the size that this operation was measured at.
    pub at: Option<f64>,
    /// Operations of one curve have its name.
    pub curve: Option<String>,
    /// Who did it.
    pub arms: Vec<Arm>,
    /// Ratios that are compared with a baseline.
    pub guards: Vec<Guard>,
    /// What was asked for.
    pub goals: Vec<Goal>,
    /// How many rounds are of each pass, where there are several; their samples follow one another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<usize>,
}

/// What a sample is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Microseconds of one operation: less is better.
    #[default]
    #[serde(rename = "us")]
    Microseconds,
    /// Operations per second: more is better.
    #[serde(rename = "/s")]
    PerSecond,
    /// Kilobytes: less is better.
    #[serde(rename = "kB")]
    Kilobytes,
}

impl Unit {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Microseconds => "us",
            Unit::PerSecond => "/s",
            Unit::Kilobytes => "kB",
        }
    }
}

/// What one arm did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// In the order of the rounds.
    pub samples: Vec<f64>,
    /// Why there are none.
    pub missing: Option<String>,
    /// Bytes of WAL, per sample.
    pub wal: Vec<f64>,
    /// Counted over all rounds, those for warming up included, and divided by them.
    pub counters: Option<Counters>,
    /// Where the time goes, as parts of the whole.
    pub split: Option<Split>,
    /// Whether documents and views were equal, and row counts right, before and after; else what was wrong.
    pub equal: Option<String>,
}

/// What the server counted, per operation where nothing else is said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Pages asked for.
    pub buffers: f64,
    /// Documents inserted, updated and deleted.
    pub documents: f64,
    /// Which part of the updates of documents needed no index entry.
    pub hot: Option<f64>,
    /// What the documents' tables have grown by in all rounds, in bytes, without vacuum.
    pub growth: i64,
    /// Memory of the session at the end, in bytes, as the server sees it; from PostgreSQL 14 on.
    pub memory: Option<i64>,
    /// The most memory that the session's process ever held, in kilobytes, as the system sees it.
    pub peak: Option<i64>,
}

/// Parts of the time of the statement, triggers included; they add up to one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The user's statement itself.
    pub statement: f64,
    /// Finding which documents are concerned, and the rows they are made of.
    pub finding: f64,
    /// Making or patching jsonb.
    pub jsonb: f64,
    /// Writing documents, with their WAL.
    pub writing: f64,
    /// Taking and awaiting locks.
    pub locking: f64,
    /// Everything else: PL/pgSQL, starting and ending statements, commit.
    pub rest: f64,
}

/// A ratio of two arms, round by round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// What is guarded.
    pub arm: String,
    /// What it is divided by.
    pub yardstick: String,
}

/// What was asked for, and whether it was reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Goal {
    /// In words.
    pub text: String,
    /// The figure.
    pub figure: Estimate,
    /// Whether it was reached.
    pub met: bool,
}

impl Run {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let run: Run =
            serde_json::from_str(&text).map_err(|error| Error::Format(path.to_owned(), error.to_string()))?;
        match run.format {
            FORMAT => Ok(run),
            other => Err(Error::Format(path.to_owned(), format!("format {other}; this program reads {FORMAT}"))),
        }
    }

    /// Writes a file.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }

    /// The workload of a name.
    pub fn workload(&self, name: &str) -> Option<&Workload> {
        self.workloads.iter().find(|workload| workload.name == name)
    }

    /// Whether every arm that was measured ended with equal documents.
    pub fn is_equal(&self) -> bool {
        let arms = self.workloads.iter().flat_map(|w| &w.operations).flat_map(|o| &o.arms);
        arms.filter_map(|arm| arm.equal.as_deref()).all(|equal| equal == EQUAL)
    }
}

/// What [`Arm::equal`] says when all is right.
pub const EQUAL: &str = "equal";

impl Operation {
    /// The arm of a name, where it was measured.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name && !arm.samples.is_empty())
    }

    /// How many times the cost of the second arm the first one has: for throughput the other way round, so that less is better.
    pub fn ratio(&self, arm: &str, yardstick: &str) -> Option<Estimate> {
        Some(stats::resampled(&self.ratios(arm, yardstick)?, stats::median))
    }

    /// The same, round by round.
    pub fn ratios(&self, arm: &str, yardstick: &str) -> Option<Vec<f64>> {
        let (arm, yardstick) = (self.arm(arm)?, self.arm(yardstick)?);
        Some(match self.unit {
            Unit::Microseconds | Unit::Kilobytes => stats::ratios(&arm.samples, &yardstick.samples),
            Unit::PerSecond => stats::ratios(&yardstick.samples, &arm.samples),
        })
    }

    /// The overhead of an arm, as a part of that of another: what is above the same operation without any documents.
    pub fn overhead_ratio(&self, arm: &str, other: &str, none: &str) -> Option<Estimate> {
        let none = self.arm(none)?;
        let above = |name: &str| -> Option<Vec<f64>> {
            Some(self.arm(name)?.samples.iter().zip(&none.samples).map(|(a, n)| a - n).collect())
        };
        let (above, below) = (above(arm)?, above(other)?);
        // Single differences are noisy and may be below nothing: medians are divided, not rounds.
        Some(stats::compare(&below, &above).ratio)
    }
}

impl Arm {
    /// The samples in a few figures.
    pub fn summary(&self) -> Option<Summary> {
        (!self.samples.is_empty()).then(|| Summary::of(&self.samples))
    }
}

/// Writes a value as JSON, in lines.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::Format(path.to_owned(), e.to_string()))?;
    let failed = |source| Error::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text + "\n").map_err(failed)
}
