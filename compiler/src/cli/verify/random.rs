//! Random writes to scratch databases.
//!
//! In: the files of a program. Out: nothing where all tviews stayed equal to their views; else a psql script with the
//! smallest history found that makes one differ. The program is applied once; the run and every trial that shortens
//! a history get a copy of that database.

use tviewc::Output;
use tviewc::diagnostics::Code;
use tviewc::source::Sources;
use tviewc_verify::compare::{Difference, DifferenceKind, TviewReport};
use tviewc_verify::writer::{Cause, Failure as Found, RunOptions, RunReport, minimise_with, random_run_with};
use tviewc_verify::{CompareOptions, Host, Multisets, Server, ServerOptions};

use super::ground::Ground;
use super::progress::Progress;
use super::{Arguments, failure};
use crate::cli::{Failure, Global, Outcome, output, report};

/// The role that owns the tables on a throwaway server: not a superuser, as in production.
const OWNER: &str = "tviewc";

/// How many copies of the database to spend on shortening a history.
const TRIALS: usize = 400;

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let options = arguments.files.options()?;
    let sources = arguments.files.read()?;
    stays_here(&sources)?;
    let compilation = tviewc::compile(&sources, &options);
    let product = compilation.output.as_ref().filter(|_| !compilation.diagnostics.has_errors());
    let counts = product.map(|p| (p.tviews, p.tables));
    let outcome = report::finish(&compilation.diagnostics, &sources, counts, global);
    let Some(product) = product.filter(|p| p.tviews > 0) else {
        return match outcome {
            Outcome::Fine => Err(Failure::new("there is no view to verify: none has a json or jsonb column")),
            Outcome::Errors => Ok(Outcome::Errors),
        };
    };
    let before = sources.without(&product.waiting);
    let ties = compilation.diagnostics.sorted().iter().any(|d| d.code == Code::NoTotalOrder);
    match &arguments.database_url {
        Some(url) => {
            let host = Host::existing(url).map_err(failure)?;
            let role = host.administrator().to_owned();
            verify(arguments, global, &Ground { host: &host, role, ours: false }, &before, product, ties)
        }
        None => {
            let server = Server::start(&ServerOptions::default()).map_err(failure)?;
            server.create_role(OWNER).map_err(failure)?;
            // Files may make roles themselves.
            let may_make_roles = format!("ALTER ROLE {OWNER} CREATEROLE");
            server.psql("postgres", server.administrator(), &may_make_roles).map_err(failure)?;
            verify(
                arguments,
                global,
                &Ground { host: &server, role: OWNER.to_owned(), ours: true },
                &before,
                product,
                ties,
            )
        }
    }
}

/// A script that connects to another database would be applied there.
fn stays_here(sources: &Sources) -> Result<(), Failure> {
    for file in &sources.files {
        let leaves = |line: &str| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|word| matches!(word, "\\c" | "\\connect"))
        };
        if let Some(at) = file.text.lines().position(leaves) {
            return Err(Failure::new(format!(
                "{}:{}: the file connects to a database of its own; verify applies it to scratch databases only",
                file.name,
                at + 1
            )));
        }
    }
    Ok(())
}

fn verify(
    arguments: &Arguments,
    global: &Global,
    ground: &Ground<'_>,
    before: &Sources,
    product: &Output,
    ties: bool,
) -> Result<Outcome, Failure> {
    let mut progress = Progress::new(global);
    let (host, role) = (ground.host, ground.role.as_str());
    let fresh = ground.applied("fresh", before)?;
    host.psql(&fresh.name, role, &forget(&product.program)).map_err(failure)?;
    if let Err(error) = host.psql(&fresh.name, role, &product.up) {
        progress.say(&format!("the migration does not apply to a database made from its own source: {error}"));
        return Ok(Outcome::Errors);
    }
    let copy = ground.scratch("run", Some(&fresh.name))?;
    // Where the view leaves the order of elements open, another order is right as well.
    let compare = CompareOptions { multisets: Multisets::AsInstalled, ..CompareOptions::default() };
    let options = RunOptions {
        seed: arguments.seed,
        transactions: arguments.steps,
        compare: compare.clone(),
        ..RunOptions::default()
    };
    let steps = arguments.steps;
    let mut on_progress =
        |number: usize, _: &_| progress.step(number + 1, steps, "transactions, every tview compared after each");
    match random_run_with(host, &copy.name, role, &options, &mut on_progress) {
        Ok(report) => {
            summarize(&report, &mut progress);
            Ok(Outcome::Fine)
        }
        Err(found) => {
            drop(copy);
            progress.end();
            let shorten = |progress: &mut Progress| {
                let mut on_trial = |made: usize| progress.step(made, TRIALS, "trials at most to shorten the history");
                minimise_with(host, &fresh.name, role, &found, TRIALS, &compare, &mut on_trial)
            };
            explain(arguments, &found, ties, &mut progress, shorten)
        }
    }
}

/// Takes away what another state of the program has installed: a dump of the database that it runs in holds that.
fn forget(program: &str) -> String {
    format!(
        "DO $tview$
         DECLARE
             one record;
         BEGIN
             IF to_regclass('tview.pg_tview_meta') IS NULL THEN
                 RETURN;
             END IF;
             IF NOT EXISTS (SELECT FROM tview.program AS p WHERE p.name = {}) THEN
                 RETURN;
             END IF;
             FOR one IN SELECT m.tview_oid FROM tview.pg_tview_meta AS m JOIN pg_class AS c ON c.oid = m.tview_oid LOOP
                 EXECUTE 'DROP TABLE ' || one.tview_oid || ' CASCADE';
             END LOOP;
             DROP SCHEMA tview CASCADE;
         END
         $tview$;",
        tviewc_verify::quote::literal(program)
    )
}

fn summarize(report: &RunReport, progress: &mut Progress) {
    for (view, _) in report.most_rows.iter().filter(|(_, rows)| **rows == 0) {
        progress
            .say(&format!("{view} never showed a row: nothing is known about it; try another --seed or more --steps"));
    }
    let tviews = report::count(report.most_rows.len(), "tview");
    let compared = report::count(report.comparisons, "comparison");
    progress.say(&format!(
        "{tviews} equal to their views in {compared} after {} (seed {})",
        report::count(report.transactions, "random transaction"),
        report.seed
    ));
}

/// Prints the history that shows the failure.
fn explain(
    arguments: &Arguments,
    found: &Found,
    ties: bool,
    progress: &mut Progress,
    shorten: impl FnOnce(&mut Progress) -> tviewc_verify::Result<String>,
) -> Result<Outcome, Failure> {
    let cause = match &*found.cause {
        Cause::Harness(error) => return Err(Failure::new(error.to_string())),
        Cause::Differences(report) => {
            let differs = |t: &&TviewReport| t.differing_rows > 0 || !t.differences.is_empty();
            let names: Vec<&str> = report.tviews.iter().filter(differs).map(|t| t.tview.as_str()).collect();
            progress.say(&format!("{}: not equal to its view", names.join(", ")));
            // Which rows there are is decided by the rows of the tables.
            let values = |d: &Difference| matches!(d.kind, DifferenceKind::Column { .. });
            if ties && report.differences().all(values) {
                progress.say(
                    "results of this program are not decided by its rows alone (the warnings TV0305): where it is one \
                     of these that differs, both values are right",
                );
            }
            report.to_string()
        }
        Cause::Suspicious(suspicion) => {
            progress.say("a write failed that should not have failed");
            suspicion.to_string()
        }
    };
    progress.say(&format!("shortening a history of {}", report::count(found.history.len(), "transaction")));
    let shortened = shorten(progress);
    progress.end();
    let script = shortened.unwrap_or_else(|error| {
        progress.say(&format!("the history is printed as it was: {error}"));
        found.to_string()
    });
    output::print(&format!("{}{script}{}", header(arguments, &cause), footer(found)))?;
    Ok(Outcome::Errors)
}

fn header(arguments: &Arguments, cause: &str) -> String {
    let files: Vec<String> = arguments.files.names().collect();
    let files = if files.is_empty() { "the program".to_owned() } else { files.join(", ") };
    let mut text = format!(
        "-- Found by tviewc {} verify --seed {}.\n\
         -- Run with psql on an empty database to which {} and then its migration have been applied.\n",
        env!("CARGO_PKG_VERSION"),
        arguments.seed,
        files.replace('\n', " "),
    );
    for line in cause.lines() {
        text.push_str(&format!("-- {line}\n"));
    }
    text
}

/// The queries that show the differences at the end of the script.
fn footer(found: &Found) -> String {
    let Cause::Differences(report) = &*found.cause else { return String::new() };
    let mut text = "ROLLBACK;\nRESET ALL;\n".to_owned();
    for tview in report.tviews.iter().filter(|t| t.differing_rows > 0) {
        let name = tviewc_verify::quote::literal(&tview.tview);
        text.push_str(&format!("SELECT * FROM tview.check({name});\n"));
    }
    text
}
