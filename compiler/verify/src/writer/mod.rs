//! Random writes over any schema.
//!
//! In: a connection and a seed. Out: one random transaction per call, with a log of the exact SQL and what came of it.
//! The same seed on the same initial database gives the same statements. Statements are meant to fail at times; only
//! errors that a correct installation would not raise are reported (`Suspicion`). A call always leaves the connection
//! outside a transaction, unless the connection itself is gone.

mod aimed;
mod classify;
mod compound;
mod inserts;
mod kind;
mod log;
mod maker;
mod minimise;
mod removals;
mod run;
mod session;
mod updates;
mod values;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use postgres::{Client, Config};

pub use self::aimed::Aim;
pub use self::classify::{Suspicion, SuspicionKind};
pub use self::kind::{Count, Kind, Tally};
pub use self::log::{Outcome, Sent, TransactionLog, script};
pub use self::minimise::{minimise, minimise_with};
pub use self::run::{Cause, Failure, RunOptions, RunReport, random_run, random_run_with};

use self::maker::{Made, Maker, Part, Statement};
use self::session::Session;
use crate::dice::Dice;
use crate::error::{Doing, Error, Result};
use crate::schema::{self, Schema};

/// What the writer may do.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// How many statements a transaction has.
    pub statements: RangeInclusive<usize>,
    /// The kinds of statement to use; empty for all.
    pub kinds: Vec<Kind>,
    /// Isolation levels to choose from, as SQL; empty for the server's default.
    pub isolation: Vec<String>,
    /// Whether to change session settings between transactions.
    pub settings: bool,
    /// Above this number of rows a table is made smaller.
    pub max_rows: usize,
    /// Tables to leave alone, as `schema.table`.
    pub skip_tables: Vec<String>,
    /// Whether a transaction may consist of several statements, savepoints and rollbacks; otherwise each statement
    /// is sent on its own.
    pub transactions: bool,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            statements: 1..=6,
            kinds: Vec::new(),
            isolation: Vec::new(),
            settings: true,
            max_rows: 40,
            skip_tables: Vec::new(),
            transactions: true,
        }
    }
}

/// Makes and runs random transactions.
#[derive(Debug)]
pub struct Writer {
    schema: Schema,
    targets: Vec<usize>,
    tviews: Arc<[String]>,
    dice: Dice,
    options: WriterOptions,
    major: u32,
    serial: u64,
    tally: Tally,
    fresh: Option<Config>,
}

impl Writer {
    /// Looks at the tables through the connection that will write. A role that may not read `tview.pg_tview_meta`
    /// takes a tview that it may write to for a base table; use `for_role` then.
    pub fn new(client: &mut Client, seed: u64) -> Result<Self> {
        let role = client.query_one("SELECT current_user::text", &[]).doing(|| "asking for the role".to_owned())?;
        Self::for_role(client, role.get(0), seed, WriterOptions::default())
    }

    /// Looks at the tables that `role` may write to, through a connection that may look at everything. Tables that
    /// appear later are not written to.
    pub fn for_role(client: &mut Client, role: &str, seed: u64, options: WriterOptions) -> Result<Self> {
        let schema = schema::introspect_for(client, role)?;
        let tviews: Vec<String> = schema::tviews(client)?.into_iter().map(|(_, name)| name).collect();
        let wanted = |table: &schema::Table| {
            table.writable && !options.skip_tables.contains(&format!("{}.{}", table.schema, table.name))
        };
        let targets: Vec<usize> =
            schema.tables.iter().enumerate().filter(|(_, table)| wanted(table)).map(|(at, _)| at).collect();
        if targets.is_empty() {
            let text =
                "there is no base table that this role may read and write; grant SELECT, INSERT, UPDATE and DELETE";
            return Err(Error::Setup(text.to_owned()));
        }
        let major = client
            .query_one("SELECT current_setting('server_version_num')::int4 / 10000", &[])
            .doing(|| "asking for the version".to_owned())?;
        Ok(Self {
            tviews: tviews.into(),
            schema,
            targets,
            dice: Dice::new(seed),
            options,
            major: u32::try_from(major.get::<_, i32>(0)).unwrap_or(0),
            serial: 0,
            tally: Tally::default(),
            fresh: None,
        })
    }

    /// How to connect again, for runs in which statements meet other writers. A COPY that fails in a trigger before the
    /// statement is answered once more than the client library expects: it says so instead of the error, or takes every later
    /// answer for that of the text before it. The connection is replaced then, and the transaction ends as one to be run again.
    pub fn reconnecting(self, config: Config) -> Self {
        Self { fresh: Some(config), ..self }
    }

    /// The tables that were found.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Counts so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Runs one random transaction. An `Err` means that the connection is lost or was never usable.
    pub fn transaction(&mut self, client: &mut Client) -> Result<TransactionLog> {
        let mut session = self.session(client);
        if self.options.settings && self.dice.percent(15) {
            for sql in session::settings(&mut self.dice) {
                session.control(&sql);
            }
            self.tally.success(Kind::Settings, 0);
        }
        if !self.options.transactions || self.dice.percent(30) {
            let next = self.next(&mut session);
            session.log.committed = self.run(&mut session, next) != Ran::Failed;
        } else {
            self.block(&mut session);
        }
        session.finish()
    }

    /// Makes up to so many statements that succeed one after another on the rows as they are, and takes them back. COPY and
    /// prepared statements, which are more than one text, are left out.
    pub fn proposal(&mut self, client: &mut Client, statements: usize) -> Result<Vec<String>> {
        let mut session = self.session(client);
        session.control("BEGIN");
        let mut texts = Vec::new();
        for _ in 0..statements {
            session.control("SAVEPOINT proposed");
            let made = self.next(&mut session).ok().flatten();
            let Some(Statement { kind, parts }) = made.filter(|s| s.kind != Kind::Prepared) else { continue };
            let [Part::Sql(sql)] = parts.as_slice() else { continue };
            if session.send(Some(kind), sql, None) {
                texts.push(sql.clone());
            } else {
                session.control("ROLLBACK TO SAVEPOINT proposed");
            }
        }
        session.control("ROLLBACK");
        session.finish()?;
        Ok(texts)
    }

    /// Sends the statements of a transaction again that was given up because of a deadlock or a serialization failure.
    pub fn replay(&mut self, client: &mut Client, earlier: &TransactionLog) -> Result<TransactionLog> {
        let mut session = self.session(client);
        let in_block = earlier.sent.iter().any(|sent| sent.sql.starts_with("BEGIN"));
        // The earlier log ends with a ROLLBACK; this time it is to end with a COMMIT.
        let mut texts = earlier.sent.iter().filter(|sent| sent.sql != "ROLLBACK").peekable();
        while let Some(sent) = texts.next() {
            if session.send(sent.kind, &sent.sql, sent.copy_data.as_deref()) {
                continue;
            }
            let undone = texts.peek().is_some_and(|next| next.sql.starts_with("ROLLBACK TO"));
            if session.log.retry.is_some() || !undone {
                if in_block {
                    session.control("ROLLBACK");
                }
                return session.finish();
            }
        }
        session.log.committed = !in_block || session.control("COMMIT");
        session.finish()
    }

    fn session<'a>(&self, client: &'a mut Client) -> Session<'a> {
        Session::new(client, Arc::clone(&self.tviews)).reconnecting(self.fresh.clone())
    }

    /// `BEGIN`, some statements, and an end.
    fn block(&mut self, session: &mut Session<'_>) {
        let begin = match self.dice.pick(&self.options.isolation) {
            Some(level) => format!("BEGIN ISOLATION LEVEL {level}"),
            None => "BEGIN".to_owned(),
        };
        if !session.control(&begin) {
            return;
        }
        let guarded = self.dice.percent(60);
        let (least, most) = (*self.options.statements.start(), *self.options.statements.end());
        for _ in 0..self.dice.between(least as i64, most as i64) {
            let goes_on = if self.dice.percent(12) {
                self.undone_part(session)
            } else if guarded {
                self.guarded_statement(session)
            } else {
                let next = self.next(session);
                self.run(session, next) != Ran::Failed
            };
            if !goes_on {
                session.control("ROLLBACK");
                return;
            }
        }
        if self.dice.percent(10) {
            session.control("ROLLBACK");
            self.tally.success(Kind::Rollback, 0);
        } else {
            session.log.committed = session.control("COMMIT");
        }
    }

    /// One statement, the failure of which is undone.
    fn guarded_statement(&mut self, session: &mut Session<'_>) -> bool {
        session.control("SAVEPOINT guard");
        let next = self.next(session);
        if self.run(session, next) == Ran::Failed {
            return session.log.retry.is_none() && session.control("ROLLBACK TO SAVEPOINT guard");
        }
        if self.dice.percent(50) {
            session.control("RELEASE SAVEPOINT guard");
        }
        true
    }

    /// One or two statements that are undone, failed or not.
    fn undone_part(&mut self, session: &mut Session<'_>) -> bool {
        session.control("SAVEPOINT undone");
        for _ in 0..1 + self.dice.below(2) {
            let next = self.next(session);
            if self.run(session, next) == Ran::Failed {
                break;
            }
        }
        if session.log.retry.is_some() || !session.control("ROLLBACK TO SAVEPOINT undone") {
            return false;
        }
        self.tally.success(Kind::SavepointRollback, 0);
        true
    }

    /// Runs a statement and counts it.
    fn run(&mut self, session: &mut Session<'_>, statement: Made<Option<Statement>>) -> Ran {
        let statement = match statement {
            Ok(Some(statement)) => statement,
            Ok(None) => return Ran::Nothing,
            Err(error) => {
                session.failed(None, "-- looking at the rows", None, &error);
                return Ran::Failed;
            }
        };
        match session.run(&statement) {
            Ok(rows) => {
                self.tally.success(statement.kind, rows);
                Ran::Done
            }
            Err(code) => {
                self.tally.failure(statement.kind, &code);
                Ran::Failed
            }
        }
    }

    /// What makes the next statement.
    fn maker<'m>(&'m mut self, client: &'m mut Client) -> Maker<'m> {
        self.serial += 1;
        Maker {
            client,
            schema: &self.schema,
            targets: &self.targets,
            dice: &mut self.dice,
            major: self.major,
            serial: self.serial,
            seen: BTreeMap::new(),
        }
    }

    /// The next statement; `None` when nothing fitted after some tries.
    fn next(&mut self, session: &mut Session<'_>) -> Made<Option<Statement>> {
        let options = self.options.clone();
        let mut maker = self.maker(session.client);
        for _ in 0..12 {
            let Some(table) = maker.any_table() else {
                break;
            };
            let rows = maker.rows(table)?.len();
            let weights: Vec<u32> = Kind::STATEMENTS
                .iter()
                .map(
                    |&(kind, weight)| {
                        if options.allows(kind) { weight * bias(kind, rows, options.max_rows) } else { 0 }
                    },
                )
                .collect();
            let kind = Kind::STATEMENTS[maker.dice.weighted(&weights)].0;
            if !options.allows(kind) {
                break;
            }
            if let Some(statement) = maker.make(kind, table)? {
                return Ok(Some(statement));
            }
        }
        Ok(None)
    }
}

impl WriterOptions {
    fn allows(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

/// Keeps tables small, but not empty.
fn bias(kind: Kind, rows: usize, max_rows: usize) -> u32 {
    match rows {
        0..4 if kind.adds() => 12,
        _ if rows > max_rows && kind.removes() => 12,
        _ if rows > max_rows && kind.adds() => 1,
        _ if rows > max_rows => 2,
        _ => 3,
    }
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ran {
    Done,
    Failed,
    Nothing,
}
