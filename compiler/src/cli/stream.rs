//! `tviewc stream`: documents as newline-delimited JSON.
//!
//! In: a database and the name of a tview (or of its view, or of any relation with a document). Out: one line of JSON per row
//! on standard output. A cursor in a read-only transaction reads one snapshot, so many rows at a time; conditions, order and
//! columns are part of its query. Always: no more than `--chunk` rows are in memory, the first row leaves alone, and
//! nothing goes on running in the server when this process is interrupted or its reader has gone.

mod lines;
mod query;
mod stop;

use clap::Args;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Transaction};
use tviewc_verify::compare::{RENDERING, set_local};
use tviewc_verify::error::{chain, describe};
use tviewc_verify::{Host, quote};

use self::lines::Lines;
use self::query::{Query, Relation};
use super::{Failure, Global, Outcome, report};

/// How the server's views show the session, where the URL does not say.
const APPLICATION: &str = "tviewc stream";

/// What part of the rows the planner is told that will be read. So small that a plan which has the first rows at once wins over
/// one which sorts or hashes everything first, unless that is slower by two orders.
const FRACTION: &str = "0.01";

/// Write the documents of a tview as newline-delimited JSON, one row per line.
///
/// Without --columns or --select a line is the row's document, or an object of all documents where there are several. Reads in
/// one read-only transaction; texts are rendered as tviewc pins them (TimeZone UTC, …). The order is left open without --order-by.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// The tview, as SQL names it: tv_post, app.tv_post, "Odd name". Views and tables with a json or jsonb column will do.
    #[arg(value_name = "TVIEW")]
    tview: String,
    /// The database to read.
    #[arg(long, value_name = "URL", env = "TVIEWC_DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Only rows for which this holds: SQL of yours, run as it is with the rights of the role, like what you type into psql.
    #[arg(long = "where", value_name = "SQL")]
    condition: Option<String>,
    /// The order of the rows: SQL of yours, as behind ORDER BY.
    #[arg(long, value_name = "SQL")]
    order_by: Option<String>,
    /// Lines are objects of these columns (names, not SQL).
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// Lines are objects of this select list: SQL of yours, for example `id, data -> 'author' AS author`.
    #[arg(long, value_name = "SQL", conflicts_with = "columns")]
    select: Option<String>,
    /// How many rows to fetch, and hold in memory, at a time.
    #[arg(long, value_name = "N", default_value_t = 1000, env = "TVIEWC_CHUNK",
          value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    chunk: i64,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let mut client = Host::open(&arguments.database_url).map_err(|error| Failure::new(error.to_string()))?;
    stop::watch(client.cancel_token()).map_err(|error| Failure::new(format!("cannot watch for signals: {error}")))?;
    let rows = read(&mut client, arguments)?;
    report::say(&report::count(rows, "row"), global);
    Ok(Outcome::Fine)
}

/// Writes all rows; says how many.
fn read(client: &mut Client, arguments: &Arguments) -> Result<u64, Failure> {
    let started = client.build_transaction().isolation_level(postgres::IsolationLevel::RepeatableRead).read_only(true);
    let mut transaction = started.start().map_err(|error| sql("starting the transaction", &error))?;
    transaction.batch_execute(&settings()).map_err(|error| sql("setting up the session", &error))?;
    let relation = Relation::find(&mut transaction, &arguments.tview)?;
    let query = Query::of(&relation, arguments)?;
    // One statement by the protocol: no text of the user's can end it and begin another.
    transaction.execute(query.text(), &[]).map_err(|error| query.failure(&error))?;
    let mut lines = Lines::new(std::io::stdout().lock());
    let mut wanted = 1;
    loop {
        let fetched = fetch(&mut transaction, wanted, &mut lines, &query)?;
        if fetched < wanted.unsigned_abs() {
            return Ok(lines.count());
        }
        wanted = arguments.chunk.min(wanted * 2);
    }
}

/// Writes the next rows; says how many there were.
fn fetch(
    transaction: &mut Transaction<'_>,
    wanted: i64,
    lines: &mut Lines<impl std::io::Write>,
    query: &Query,
) -> Result<u64, Failure> {
    let before = lines.count();
    let statement = format!("FETCH FORWARD {wanted} FROM {}", query::CURSOR);
    let parameters: [&str; 0] = [];
    let mut rows = transaction.query_raw(&statement, parameters).map_err(|error| query.failure(&error))?;
    while let Some(row) = rows.next().map_err(|error| query.failure(&error))? {
        lines.write(row.get::<_, Option<&str>>(0).unwrap_or("null")).map_err(|error| unwritten(&error))?;
    }
    lines.flush().map_err(|error| unwritten(&error))?;
    Ok(lines.count() - before)
}

/// What makes the text of a value the same for everybody, and the plan one that begins at once.
fn settings() -> String {
    let pinned = RENDERING.iter().map(|(name, value)| set_local(name, value) + ";");
    let name = quote::literal(APPLICATION);
    format!(
        "{} SET LOCAL cursor_tuple_fraction = {FRACTION};
         SELECT pg_catalog.set_config('application_name', {name}, true)
          WHERE pg_catalog.current_setting('application_name') = ''",
        pinned.collect::<String>()
    )
}

/// A reader that has gone away wants nothing more, and that is no failure.
fn unwritten(error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        stop::reader_is_gone();
    }
    Failure::new(format!("cannot write the output: {error}"))
}

fn sql(doing: &str, error: &postgres::Error) -> Failure {
    let text = if error.as_db_error().is_some() { describe(error) } else { chain(error) };
    Failure::new(format!("{doing}: {text}"))
}
