//! A run of random transactions with a comparison after every commit.
//!
//! In: a server with an installed program, a role, a seed. Out: counts, or the first failure with its full history as
//! a script that replays it.

use std::collections::BTreeMap;
use std::fmt;

use super::classify::{Suspicion, SuspicionKind};
use super::kind::Tally;
use super::log::{TransactionLog, script};
use super::{Writer, WriterOptions};
use crate::compare::{CompareOptions, Report, compare_with};
use crate::error::Error;
use crate::host::Host;

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The seed of the writer.
    pub seed: u64,
    /// How many transactions.
    pub transactions: usize,
    /// What the writer may do.
    pub writer: WriterOptions,
    /// How to compare.
    pub compare: CompareOptions,
    /// SQLSTATEs that are not suspicious here, for example 0A000 under REPEATABLE READ.
    pub tolerate: Vec<String>,
    /// Whether a data exception within a generated function ends the run: right where no expression of a view raises one.
    pub data_errors: bool,
}

/// A run without a failure.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    /// The seed.
    pub seed: u64,
    /// How many transactions ran.
    pub transactions: usize,
    /// How many of them committed something.
    pub commits: usize,
    /// How many comparisons were made.
    pub comparisons: usize,
    /// Counts per kind of statement.
    pub tally: Tally,
    /// The greatest number of rows that each view showed in a comparison: a run over empty views proves nothing.
    pub most_rows: BTreeMap<String, i64>,
    /// Random statements that seem to be wrong themselves; the first few.
    pub doubtful: Vec<Suspicion>,
}

/// A failed run.
#[derive(Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Everything that ran, in order.
    pub history: Vec<TransactionLog>,
    /// What went wrong.
    pub cause: Box<Cause>,
}

/// What went wrong.
#[derive(Debug)]
pub enum Cause {
    /// A tview differs from its view.
    Differences(Report),
    /// A statement raised an error that it should not have raised.
    Suspicious(Suspicion),
    /// The harness itself failed.
    Harness(Error),
}

const MAX_DOUBTFUL: usize = 20;

/// Runs with the default options.
pub fn random_run(
    host: &Host,
    database: &str,
    user: &str,
    seed: u64,
    transactions: usize,
    on_progress: &mut dyn FnMut(usize, &TransactionLog),
) -> Result<RunReport, Failure> {
    let options = RunOptions { seed, transactions, ..RunOptions::default() };
    random_run_with(host, database, user, &options, on_progress)
}

/// Runs.
pub fn random_run_with(
    host: &Host,
    database: &str,
    user: &str,
    options: &RunOptions,
    on_progress: &mut dyn FnMut(usize, &TransactionLog),
) -> Result<RunReport, Failure> {
    let mut history = Vec::new();
    run(host, database, user, options, &mut history, on_progress).map_err(|cause| Failure {
        seed: options.seed,
        history,
        cause: Box::new(cause),
    })
}

fn run(
    host: &Host,
    database: &str,
    user: &str,
    options: &RunOptions,
    history: &mut Vec<TransactionLog>,
    on_progress: &mut dyn FnMut(usize, &TransactionLog),
) -> Result<RunReport, Cause> {
    let mut reader = host.connect(database, host.administrator())?;
    let mut client = host.connect(database, user)?;
    let mut writer = Writer::for_role(&mut reader, user, options.seed, options.writer.clone())?;
    let mut report = RunReport { seed: options.seed, ..RunReport::default() };
    // What is wrong before the first write is not the writes' fault.
    check(&mut reader, options, &mut report)?;
    for number in 0..options.transactions {
        let log = writer.transaction(&mut client)?;
        on_progress(number, &log);
        let (committed, suspicious) = (log.committed, log.suspicious.clone());
        history.push(log);
        report.transactions += 1;
        report.commits += usize::from(committed);
        for suspicion in suspicious {
            match suspicion.kind {
                _ if options.tolerate.contains(&suspicion.code) => {}
                SuspicionKind::Data if !options.data_errors => {}
                SuspicionKind::Statement => report.note_doubtful(suspicion),
                _ => return Err(Cause::Suspicious(suspicion)),
            }
        }
        if committed || number % 4 == 0 {
            check(&mut reader, options, &mut report)?;
        }
    }
    report.tally = writer.tally().clone();
    Ok(report)
}

fn check(reader: &mut postgres::Client, options: &RunOptions, report: &mut RunReport) -> Result<(), Cause> {
    let compared = compare_with(reader, &options.compare, &mut |_| Ok(()))?;
    report.comparisons += 1;
    if !compared.is_equal() {
        return Err(Cause::Differences(compared));
    }
    for tview in compared.tviews {
        let most = report.most_rows.entry(tview.view).or_default();
        *most = tview.view_rows.max(*most);
    }
    Ok(())
}

impl RunReport {
    fn note_doubtful(&mut self, suspicion: Suspicion) {
        if self.doubtful.len() < MAX_DOUBTFUL {
            self.doubtful.push(suspicion);
        }
    }
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        Self::Harness(error)
    }
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {} transactions, {} with a commit, {} comparisons, all equal",
            self.seed, self.transactions, self.commits, self.comparisons
        )?;
        for (view, rows) in &self.most_rows {
            writeln!(f, "{view}: up to {rows} rows")?;
        }
        write!(f, "{}", self.tally)?;
        for doubtful in &self.doubtful {
            writeln!(f, "{doubtful}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match &*self.cause {
            Cause::Differences(report) => report.to_string(),
            Cause::Suspicious(suspicion) => suspicion.to_string(),
            Cause::Harness(error) => format!("the harness failed: {error}"),
        };
        let number = self.history.len().saturating_sub(1);
        writeln!(f, "-- seed {}, after transaction {number}:", self.seed)?;
        for line in cause.lines() {
            writeln!(f, "-- {line}")?;
        }
        write!(f, "{}", script(&self.history))
    }
}

impl std::error::Error for Failure {}
