//! Random transactions against each other, for any schema.
//!
//! In: a database with rows and an installed program. Out: what happened in some orders of the steps of transactions that were
//! made at random for exactly these rows, so that they meet: the writer proposes what succeeds alone, and the orders decide what it
//! meets. Wrong is an order after which a tview differs from its view, and an error that no concurrent write explains.

use std::fmt;
use std::ops::RangeInclusive;

use super::{InterleaveOptions, InterleaveReport, Orders, Session, interleave_with, tviews_are_equal};
use crate::dice::Dice;
use crate::error::Result;
use crate::server::{SUPERUSER, Server};
use crate::writer::{Writer, WriterOptions};

/// What to run.
#[derive(Debug, Clone)]
pub struct RandomOptions {
    /// The seed of all choices.
    pub seed: u64,
    /// How many sets of transactions.
    pub rounds: usize,
    /// How many orders of each set.
    pub orders: usize,
    /// How many transactions are in a set.
    pub sessions: RangeInclusive<usize>,
    /// How many statements a transaction has.
    pub statements: RangeInclusive<usize>,
    /// Levels of isolation to choose from; empty for the server's default.
    pub isolation: Vec<String>,
    /// What the writer may do.
    pub writer: WriterOptions,
}

impl Default for RandomOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            rounds: 10,
            orders: 4,
            sessions: 2..=3,
            statements: 1..=2,
            isolation: Vec::new(),
            writer: WriterOptions::default(),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct RandomReport {
    /// How many orders were run.
    pub orders: usize,
    /// How many steps had to wait for a lock.
    pub waits: usize,
    /// How many sessions failed with 40P01.
    pub deadlocks: usize,
    /// How many sessions were refused for their isolation level, or lost to another one.
    pub refused: usize,
    /// The first set of transactions that ended wrong.
    pub wrong: Option<String>,
}

impl fmt::Display for RandomReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, waits, deadlocks, refused, wrong } = self;
        write!(f, "{orders} orders, {waits} waits, {deadlocks} deadlocks, {refused} refused")?;
        wrong.iter().try_for_each(|text| write!(f, "\n{text}"))
    }
}

/// Runs; ends with the first set that ended wrong. No connection to the template may be open.
pub fn random_interleavings(
    server: &Server,
    template: &str,
    user: &str,
    options: &RandomOptions,
) -> Result<RandomReport> {
    let scratch = format!("{template}_proposed");
    server.create_database(&scratch, SUPERUSER, Some(template))?;
    let result = run(server, (template, &scratch), user, options);
    server.drop_database(&scratch)?;
    result
}

fn run(
    server: &Server,
    (template, scratch): (&str, &str),
    user: &str,
    options: &RandomOptions,
) -> Result<RandomReport> {
    let mut dice = Dice::new(options.seed);
    let mut client = server.connect(scratch, user)?;
    let mut reader = server.connect(scratch, SUPERUSER)?;
    let mut writer = Writer::for_role(&mut reader, user, options.seed, options.writer.clone())?;
    let mut report = RandomReport::default();
    let between = |dice: &mut Dice, range: &RangeInclusive<usize>| {
        usize::try_from(dice.between(*range.start() as i64, *range.end() as i64)).unwrap_or(1)
    };
    for round in 0..options.rounds {
        let mut sessions = Vec::new();
        for number in 0..between(&mut dice, &options.sessions) {
            let texts = writer.proposal(&mut client, between(&mut dice, &options.statements))?;
            let steps: Vec<&str> =
                ["BEGIN"].into_iter().chain(texts.iter().map(String::as_str)).chain(["COMMIT"]).collect();
            let session = Session::new(&format!("s{}", number + 1), user, &steps);
            sessions.push(match dice.pick(&options.isolation) {
                Some(level) => session.isolation(level),
                None => session,
            });
        }
        let orders = Orders::Sample { count: options.orders, seed: options.seed + round as u64 };
        let orders = InterleaveOptions { orders, ..InterleaveOptions::default() };
        let found = interleave_with(server, template, &sessions, &orders, &tviews_are_equal)?;
        report.orders += found.orders;
        report.waits += found.waits;
        report.deadlocks += found.deadlocks;
        report.refused += ["0A000", "40001"].iter().filter_map(|code| found.failures.get(*code)).sum::<usize>();
        if is_wrong(&sessions, &found) {
            report.wrong = Some(format!("round {round}\n{}{found}", told(&sessions)));
            break;
        }
    }
    Ok(report)
}

/// Sessions as text.
pub fn told(sessions: &[Session]) -> String {
    let one =
        |s: &Session| format!("-- {} {}\n{};\n", s.name, s.isolation.as_deref().unwrap_or(""), s.steps.join(";\n"));
    sessions.iter().map(one).collect()
}

/// Whether documents differ, or a session failed for another reason than what the others wrote.
pub fn is_wrong(sessions: &[Session], report: &InterleaveReport) -> bool {
    let is_late = |level: &str| !level.eq_ignore_ascii_case("read committed");
    let has_old_snapshots = sessions.iter().any(|s| s.isolation.as_deref().is_some_and(is_late));
    let is_fault = |(code, message): (&String, &String)| match code.as_str() {
        "0A000" => !has_old_snapshots,
        // A row that has moved to another partition cannot be waited for.
        "40001" => !has_old_snapshots && !message.contains("another partition"),
        code => ["XX", "42", "TV", "P0", "55"].iter().any(|class| code.starts_with(class)),
    };
    !report.findings.is_empty() || report.messages.iter().any(is_fault)
}
