//! The guarded figures over time: one line of JSON per commit.
//!
//! In: results, one after the other. Out: a file that grows by lines. A commit that is measured again gets another line; readers
//! take the last one.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::baseline::guarded;
use crate::error::{Error, Result};
use crate::result::Run;
use crate::stats::{self, Estimate};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The commit.
    pub commit: String,
    /// Seconds since 1970.
    pub time: u64,
    /// Guarded ratios: medians with their intervals.
    pub figures: BTreeMap<String, Estimate>,
}

impl Entry {
    /// Of a result, which has to know its commit.
    pub fn of(run: &Run) -> Result<Self> {
        let unknown =
            || Error::Usage("the result was not measured in a checkout: there is no commit to enter".to_owned());
        let operations = run.workloads.iter().flat_map(|w| w.operations.iter().map(move |o| (w, o)));
        let figures = operations.flat_map(|(workload, operation)| guarded(workload, operation));
        let figures = figures.map(|(name, passes)| (name, stats::resampled(&passes.concat(), stats::median))).collect();
        Ok(Self { commit: run.commit.clone().ok_or_else(unknown)?, time: run.time, figures })
    }
}

/// Adds a result.
pub fn append(run: &Run, path: &Path) -> Result<()> {
    let line = serde_json::to_string(&Entry::of(run)?).map_err(|e| Error::Format(path.to_owned(), e.to_string()))?;
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    writeln!(file, "{line}").map_err(failed)
}

/// Reads all, in the order of the file, the last one of each commit.
pub fn read(path: &Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Entry = serde_json::from_str(line).map_err(|e| Error::Format(path.to_owned(), e.to_string()))?;
        entries.retain(|older| older.commit != entry.commit);
        entries.push(entry);
    }
    Ok(entries)
}
