//! `tviewc verify`: evidence that tviews equal their views.
//!
//! In: a program, or a database in which one is installed. Out: for a program, the smallest history of random writes
//! after which a tview differs from its view, as a script; for a database, what differs, and on request the SQL that
//! mends it. Random writes happen in scratch databases only, whatever `--database-url` names.

mod ground;
mod installed;
mod progress;
mod random;

use std::path::PathBuf;

use clap::Args;

use super::input::Files;
use super::{Failure, Global, Outcome};

/// Write at random to a program's tables and compare each tview with its view; or compare those of a database.
///
/// The program is applied to a throwaway server (programs from TVIEWC_PG_BIN, pg_config, Debian's folders or PATH).
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    files: Files,
    /// Make the scratch databases on this server; with --compare-only the database to compare.
    #[arg(long, value_name = "URL", env = "TVIEWC_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// What the random writes depend on.
    #[arg(long, value_name = "N", default_value_t = 1, env = "TVIEWC_SEED")]
    seed: u64,
    /// How many random transactions to run.
    #[arg(long, value_name = "N", default_value_t = 1000, env = "TVIEWC_STEPS")]
    steps: usize,
    /// Write nothing: compare the tviews of the database at --database-url, in one read-only transaction.
    #[arg(long, conflicts_with = "files", requires = "database_url")]
    compare_only: bool,
    /// Write SQL that recomputes the documents that differ.
    #[arg(long, value_name = "FILE", requires = "compare_only")]
    write_repair: Option<PathBuf>,
    /// Compare only this tview, as schema.name (repeatable).
    #[arg(long = "tview", value_name = "TVIEW", requires = "compare_only")]
    tviews: Vec<String>,
    /// How many rows to compare at a time.
    #[arg(long, value_name = "N", default_value_t = 5000, requires = "compare_only",
          value_parser = clap::value_parser!(i64).range(1..))]
    batch: i64,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    if arguments.compare_only { installed::run(arguments, global) } else { random::run(arguments, global) }
}

/// A failure of a server or of its programs is one of input and output.
fn failure(error: tviewc_verify::Error) -> Failure {
    Failure::new(error.to_string())
}
