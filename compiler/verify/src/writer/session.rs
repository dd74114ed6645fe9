//! The connection of the writer during one transaction.
//!
//! In: statements. Out: what the server answered, with every text and its outcome in the log. Errors are classified
//! here; whether the transaction goes on after one is the caller's affair.

use std::error::Error as _;
use std::io::Write;
use std::sync::Arc;

use postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::classify::{Suspicion, SuspicionKind, Symptoms};
use super::kind::Kind;
use super::log::{Outcome, Sent, TransactionLog};
use super::maker::{Part, Statement};
use crate::dice::Dice;
use crate::error::{Error, Result, describe};

/// One transaction's view of the connection.
pub(crate) struct Session<'a> {
    pub(crate) client: &'a mut Client,
    pub(crate) log: TransactionLog,
    tviews: Arc<[String]>,
    /// How to connect again after a COPY that met another writer.
    fresh: Option<Config>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(client: &'a mut Client, tviews: Arc<[String]>) -> Self {
        Self { client, log: TransactionLog::default(), tviews, fresh: None }
    }

    /// One that knows how to connect again.
    pub(crate) fn reconnecting(self, fresh: Option<Config>) -> Self {
        Self { fresh, ..self }
    }

    /// Sends BEGIN, SAVEPOINT and their like; says whether it succeeded.
    pub(crate) fn control(&mut self, sql: &str) -> bool {
        self.send(None, sql, None)
    }

    /// Sends all parts of a statement; the number of rows, or the SQLSTATE of the first failure.
    pub(crate) fn run(&mut self, statement: &Statement) -> std::result::Result<u64, String> {
        let mut rows = 0;
        for part in &statement.parts {
            let (sql, data) = match part {
                Part::Sql(sql) => (sql, None),
                Part::Copy { command, data } => (command, Some(data.as_str())),
            };
            self.send(Some(statement.kind), sql, data);
            match self.log.sent.last().map(|sent| &sent.outcome) {
                Some(Outcome::Done(n)) => rows += n,
                Some(Outcome::Failed { code, .. }) => return Err(code.clone()),
                None => {}
            }
        }
        Ok(rows)
    }

    /// Sends one text; says whether it succeeded.
    pub(crate) fn send(&mut self, kind: Option<Kind>, sql: &str, data: Option<&str>) -> bool {
        let result = match data {
            Some(data) => copy(self.client, sql, data),
            None => self.client.simple_query(sql).map(|messages| rows_of(&messages)),
        };
        match result {
            Ok(rows) => {
                self.push(kind, sql, data, Outcome::Done(rows));
                true
            }
            Err(error) => {
                if data.is_some() && self.fresh.is_some() && is_out_of_step(&error) {
                    // Which error it was is not told. One that comes again and again makes the transaction be given up.
                    self.log.retry = Some(String::new());
                    self.push(kind, sql, data, Outcome::Failed { code: String::new(), message: error.to_string() });
                } else {
                    self.failed(kind, sql, data, &error);
                }
                if data.is_some() && self.log.retry.is_some() {
                    self.connect_again();
                }
                false
            }
        }
    }

    /// Replaces the connection, where it is known how. When that fails the old one stays, and the next text says so.
    fn connect_again(&mut self) {
        if let Some(client) = self.fresh.as_ref().and_then(|config| config.connect(NoTls).ok()) {
            *self.client = client;
        }
    }

    /// Notes a failure.
    pub(crate) fn failed(&mut self, kind: Option<Kind>, sql: &str, data: Option<&str>, error: &postgres::Error) {
        let (code, suspicion) = match error.as_db_error() {
            Some(db) => {
                let symptoms = Symptoms::of(db, sql);
                (symptoms.code.to_owned(), symptoms.suspicion(&self.tviews))
            }
            None => (String::new(), Some(SuspicionKind::Connection)),
        };
        let suspicion = if self.client.is_closed() { Some(SuspicionKind::Connection) } else { suspicion };
        if suspicion == Some(SuspicionKind::Concurrency) {
            self.log.retry = Some(code.clone());
        }
        if let Some(kind) = suspicion {
            let (sql, text) = (sql.to_owned(), describe(error));
            self.log.suspicious.push(Suspicion { kind, code: code.clone(), sql, text });
        }
        let message = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
        self.push(kind, sql, data, Outcome::Failed { code, message });
    }

    fn push(&mut self, kind: Option<Kind>, sql: &str, data: Option<&str>, outcome: Outcome) {
        let copy_data = data.map(str::to_owned);
        self.log.sent.push(Sent { kind, sql: sql.to_owned(), copy_data, outcome });
    }

    /// The log; an error when the connection is gone.
    pub(crate) fn finish(self) -> Result<TransactionLog> {
        if self.client.is_closed() {
            let text = self.log.suspicious.last().map(Suspicion::to_string).unwrap_or_default();
            return Err(Error::Setup(format!("the server closed the connection:\n{text}\n{}", self.log)));
        }
        Ok(self.log)
    }
}

/// Whether the client library met an answer that it did not expect. A connection that ended is something else, and stays an error.
fn is_out_of_step(error: &postgres::Error) -> bool {
    error.source().is_none() && !error.is_closed()
}

fn rows_of(messages: &[SimpleQueryMessage]) -> u64 {
    let rows = messages.iter().map(|message| match message {
        SimpleQueryMessage::CommandComplete(rows) => *rows,
        _ => 0,
    });
    rows.sum()
}

fn copy(client: &mut Client, command: &str, data: &str) -> std::result::Result<u64, postgres::Error> {
    let mut writer = client.copy_in(command)?;
    // A failure to write shows again, with its reason, when the copy is finished.
    let _ = writer.write_all(data.as_bytes());
    writer.finish()
}

/// Session settings that change how values look, how names are found, or how statements are planned.
const SETTINGS: &[(&str, &[&str])] = &[
    ("TimeZone", &["'America/New_York'", "'Asia/Kolkata'", "'UTC'", "'Pacific/Chatham'"]),
    ("DateStyle", &["'SQL, DMY'", "'German'", "'Postgres, MDY'", "'ISO, YMD'"]),
    ("IntervalStyle", &["'sql_standard'", "'iso_8601'", "'postgres_verbose'"]),
    ("extra_float_digits", &["-15", "0", "3"]),
    ("bytea_output", &["'escape'", "'hex'"]),
    ("search_path", &["pg_catalog", "public", "''", "pg_temp, public"]),
    ("quote_all_identifiers", &["on", "off"]),
    ("standard_conforming_strings", &["off", "on"]),
    ("transform_null_equals", &["on", "off"]),
    ("array_nulls", &["off", "on"]),
    ("plan_cache_mode", &["force_generic_plan", "force_custom_plan", "auto"]),
    ("enable_seqscan", &["off", "on"]),
    ("enable_hashjoin", &["off", "on"]),
    ("default_text_search_config", &["'pg_catalog.simple'", "'pg_catalog.english'"]),
    ("xmlbinary", &["'hex'", "'base64'"]),
];

/// One to three settings, or back to the defaults.
pub(crate) fn settings(dice: &mut Dice) -> Vec<String> {
    if dice.percent(20) {
        return vec!["RESET ALL".to_owned()];
    }
    let mut all = Vec::new();
    for _ in 0..1 + dice.below(3) {
        if let Some((name, values)) = dice.pick(SETTINGS) {
            all.push(format!("SET {name} = {}", dice.word(values)));
        }
    }
    all
}
