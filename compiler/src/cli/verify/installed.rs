//! The tviews of a database, compared and not touched.
//!
//! In: a connection string. Out: the differences on standard output, and on request a file with the SQL that mends
//! them. One read-only transaction, one snapshot; the memory is that of one batch of rows on the server and of a few
//! differences here. The repair recomputes documents when it is applied: it holds keys, no documents.

use std::io::Write;
use std::path::Path;

use tviewc_verify::compare::{CompareOptions, Multisets, Progress as Compared, Report, compare_with};
use tviewc_verify::{Error, Host, quote};

use super::progress::Progress;
use super::{Arguments, failure};
use crate::cli::output::{self, NewFile};
use crate::cli::report::count;
use crate::cli::{Failure, Global, Outcome};

/// How many documents one statement of a repair recomputes, and so locks until it ends.
const KEYS_AT_ONCE: usize = 200;

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let url = arguments.database_url.as_deref().unwrap_or_default();
    let mut client = Host::open(url).map_err(failure)?;
    let options = CompareOptions {
        batch: arguments.batch,
        only: arguments.tviews.clone(),
        // Where the view leaves the order of elements open, another order is right as well.
        multisets: Multisets::AsInstalled,
        ..CompareOptions::default()
    };
    let mut progress = Progress::new(global);
    let mut repair = arguments.write_repair.as_deref().map(Repair::create).transpose()?;
    let report = compare_with(&mut client, &options, &mut |event| match event {
        Compared::Compared { tview, rows } => {
            progress.note(&format!("{tview}: {rows} rows compared"));
            Ok(())
        }
        Compared::Differs { tview, key } => repair.as_mut().map_or(Ok(()), |repair| repair.add(tview, key)),
    })
    .map_err(failure)?;
    progress.end();
    if let Some(repair) = repair {
        repair.finish()?;
    }
    summarize(&report, &mut progress);
    if report.is_equal() {
        return Ok(Outcome::Fine);
    }
    output::print(&report.to_string())?;
    Ok(Outcome::Errors)
}

fn summarize(report: &Report, progress: &mut Progress) {
    let rows: i64 = report.tviews.iter().map(|t| t.view_rows).sum();
    let wrong: i64 = report.tviews.iter().map(|t| t.differing_rows).sum();
    let of = format!("{} and {}", count(report.tviews.len(), "tview"), count(rows, "row"));
    progress.say(&match wrong {
        0 if report.is_equal() => format!("{of} compared, all equal"),
        _ => format!("{of} compared, {} differ", count(wrong, "row")),
    });
}

/// The file with the repair.
struct Repair {
    file: NewFile,
    tview: String,
    keys: Vec<String>,
}

impl Repair {
    fn create(path: &Path) -> Result<Self, Failure> {
        let mut file = NewFile::create(path)?;
        let header = "-- Made by tviewc verify --compare-only.\n\
            -- Recomputes the documents that differed from their views, from the rows that are there when this runs; a\n\
            -- document that has been mended meanwhile is left alone. Every statement is a transaction of its own.\n\
            -- Apply as the owner with: psql -v ON_ERROR_STOP=1 -f THIS_FILE\n\n\
            SET default_transaction_isolation = 'read committed';\n";
        file.write_all(header.as_bytes()).map_err(|error| file.failed(&error))?;
        Ok(Self { file, tview: String::new(), keys: Vec::new() })
    }

    fn add(&mut self, tview: &str, key: &str) -> Result<(), Error> {
        if self.tview != tview || self.keys.len() == KEYS_AT_ONCE {
            self.flush()?;
            self.tview = tview.to_owned();
        }
        self.keys.push(key.to_owned());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let keys = quote::literal(&format!("[{}]", self.keys.join(", ")));
        let statement = format!("SELECT tview.repair({}, {keys});\n", quote::literal(&self.tview));
        self.keys.clear();
        let doing = "writing the repair".to_owned();
        self.file.write_all(statement.as_bytes()).map_err(|source| Error::Io { doing, source })
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.flush().map_err(failure)?;
        self.file.finish()
    }
}
