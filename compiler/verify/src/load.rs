//! Many clients that write at once.
//!
//! In: a server with an installed program, a role, a number of threads, each with its own seed. Out: counts of what
//! the clients met, and the comparison at the end. Transactions given up because of a deadlock or a serialization
//! failure are run again.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use crate::compare::{CompareOptions, Report, compare_with};
use crate::error::{Doing, Error, Result};
use crate::server::{SUPERUSER, Server};
use crate::writer::{Suspicion, SuspicionKind, Tally, TransactionLog, Writer, WriterOptions};

/// What to run.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// How many clients.
    pub threads: usize,
    /// How many transactions each of them runs at most.
    pub transactions: usize,
    /// After this none of them begins another one.
    pub duration: Duration,
    /// The first seed; client n has this plus n.
    pub seed: u64,
    /// What the writers may do.
    pub writer: WriterOptions,
    /// How to compare.
    pub compare: CompareOptions,
    /// How often a transaction is tried again.
    pub retries: usize,
    /// A statement that takes longer fails with 57014, so that a lost wake-up does not hang the run.
    pub statement_timeout: Duration,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            threads: 8,
            transactions: 100,
            duration: Duration::MAX,
            seed: 1,
            writer: WriterOptions::default(),
            compare: CompareOptions::default(),
            retries: 40,
            statement_timeout: Duration::from_secs(60),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// How many transactions committed something.
    pub commits: usize,
    /// How many were rolled back, by choice or after an expected failure.
    pub rollbacks: usize,
    /// How many 40P01 were met.
    pub deadlocks: usize,
    /// How many 40001 were met.
    pub serialization_failures: usize,
    /// How many transactions were given up after all retries.
    pub given_up: usize,
    /// Counts per kind of statement (first tries only).
    pub tally: Tally,
    /// Errors other than 40P01 and 40001 that should not have been raised; the first few.
    pub suspicious: Vec<Suspicion>,
    /// How many of those there were.
    pub suspicious_total: usize,
    /// Texts of the first few deadlocks: they name the statements and locks.
    pub deadlock_texts: Vec<String>,
    /// How long the clients took.
    pub elapsed: Duration,
    /// The comparison after all clients have ended.
    pub compared: Report,
}

const SHOWN: usize = 10;

/// Runs the load and compares.
pub fn load(server: &Server, database: &str, user: &str, options: &LoadOptions) -> Result<LoadReport> {
    let started = Instant::now();
    let reports: Vec<Result<LoadReport>> = std::thread::scope(|scope| {
        let client = |number: usize| scope.spawn(move || client(server, database, user, options, number));
        let handles: Vec<_> = (0..options.threads).map(client).collect();
        let ended = handles.into_iter().map(|handle| {
            handle.join().unwrap_or_else(|_| Err(Error::Worker("putting load on the server".to_owned())))
        });
        ended.collect()
    });
    let mut total = LoadReport::default();
    for report in reports {
        total.add(report?);
    }
    total.elapsed = started.elapsed();
    total.compared = compare_with(&mut server.connect(database, SUPERUSER)?, &options.compare, &mut |_| Ok(()))?;
    Ok(total)
}

fn client(server: &Server, database: &str, user: &str, options: &LoadOptions, number: usize) -> Result<LoadReport> {
    let seed = options.seed.wrapping_add(number as u64);
    let mut admin = server.connect(database, SUPERUSER)?;
    // A start option, because the writer's RESET ALL would undo a SET.
    let timeout = format!("-c statement_timeout={}", options.statement_timeout.as_millis());
    let mut config = server.config(database, user);
    config.options(&timeout);
    let writer = Writer::for_role(&mut admin, user, seed, options.writer.clone())?;
    let mut writer = writer.reconnecting(config.clone());
    drop(admin);
    let mut client = config.connect(NoTls).doing(|| format!("connecting to {database} as {user}"))?;
    let mut report = LoadReport::default();
    let started = Instant::now();
    for _ in 0..options.transactions {
        if started.elapsed() > options.duration {
            break;
        }
        let log = writer.transaction(&mut client)?;
        let pause = Duration::from_millis(3 * (number as u64 + 1));
        report.run_again(&mut writer, &mut client, log, options.retries, pause)?;
    }
    report.tally = writer.tally().clone();
    Ok(report)
}

impl LoadReport {
    /// Notes a transaction; runs it again while it has to be, after pauses that grow and differ between the clients: those that
    /// have met in a deadlock would meet again at once.
    fn run_again(
        &mut self,
        writer: &mut Writer,
        client: &mut Client,
        mut log: TransactionLog,
        retries: usize,
        pause: Duration,
    ) -> Result<()> {
        for left in (0..=retries).rev() {
            self.note(&log);
            if log.retry.is_none() {
                break;
            }
            if left == 0 {
                self.given_up += 1;
                break;
            }
            std::thread::sleep(pause * (retries - left + 1) as u32);
            log = writer.replay(client, &log)?;
        }
        self.commits += usize::from(log.committed);
        self.rollbacks += usize::from(!log.committed);
        Ok(())
    }

    fn note(&mut self, log: &TransactionLog) {
        for suspicion in &log.suspicious {
            match (suspicion.code.as_str(), suspicion.kind) {
                ("40P01", _) => {
                    self.deadlocks += 1;
                    if self.deadlock_texts.len() < SHOWN {
                        self.deadlock_texts.push(suspicion.to_string());
                    }
                }
                ("40001", _) => self.serialization_failures += 1,
                (_, SuspicionKind::Statement | SuspicionKind::Data) => {}
                _ => {
                    self.suspicious_total += 1;
                    if self.suspicious.len() < SHOWN {
                        self.suspicious.push(suspicion.clone());
                    }
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.commits += other.commits;
        self.rollbacks += other.rollbacks;
        self.deadlocks += other.deadlocks;
        self.serialization_failures += other.serialization_failures;
        self.given_up += other.given_up;
        self.suspicious_total += other.suspicious_total;
        self.tally.add(&other.tally);
        self.suspicious.extend(other.suspicious);
        self.suspicious.truncate(SHOWN);
        self.deadlock_texts.extend(other.deadlock_texts);
        self.deadlock_texts.truncate(SHOWN);
    }

    /// Failures of statements, by SQLSTATE, over all kinds.
    pub fn failures(&self) -> BTreeMap<String, u64> {
        let mut failures = BTreeMap::new();
        for count in self.tally.0.values() {
            for (code, n) in &count.failed {
                *failures.entry(code.clone()).or_default() += n;
            }
        }
        failures
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} commits, {} rollbacks, {} deadlocks, {} serialization failures, {} given up, in {:.1} s",
            self.commits,
            self.rollbacks,
            self.deadlocks,
            self.serialization_failures,
            self.given_up,
            self.elapsed.as_secs_f64()
        )?;
        for (code, n) in self.failures() {
            writeln!(f, "{n} × {}", if code.is_empty() { "an error that was not told" } else { &code })?;
        }
        for suspicion in &self.suspicious {
            writeln!(f, "{suspicion}")?;
        }
        write!(f, "{}", self.compared)
    }
}
