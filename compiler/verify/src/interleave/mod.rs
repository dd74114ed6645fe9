//! Stepped interleavings of several sessions.
//!
//! In: a template database and sessions with explicit steps. Out: what happened in every order (or a sample) of the
//! steps, each run on its own copy of the template: waits, deadlocks, failures, and the orders after which the check
//! found something wrong, each with a trace. That a session waits is always read from the server, never guessed from
//! the time that has passed.

mod drive;
mod orders;
mod random;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use postgres::Client;

pub use self::drive::Trace;
pub use self::orders::count;
pub use self::random::{RandomOptions, RandomReport, is_wrong, random_interleavings, told};

use crate::compare::compare;
use crate::error::{Error, Result};
use crate::server::{SUPERUSER, Server};

/// One session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its name in traces.
    pub name: String,
    /// The role that connects.
    pub user: String,
    /// The default isolation level of its transactions, as SQL; `None` for the server's.
    pub isolation: Option<String>,
    /// What it does; BEGIN and COMMIT are steps of their own. A transaction that is open at the end is rolled back.
    pub steps: Vec<String>,
}

impl Session {
    /// A session under READ COMMITTED.
    pub fn new(name: &str, user: &str, steps: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            user: user.to_owned(),
            isolation: None,
            steps: steps.iter().map(|&step| step.to_owned()).collect(),
        }
    }

    /// The same with an isolation level.
    pub fn isolation(mut self, level: &str) -> Self {
        self.isolation = Some(level.to_owned());
        self
    }
}

/// Which orders to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orders {
    /// Every one.
    All,
    /// A random choice.
    Sample {
        /// How many.
        count: usize,
        /// The seed of the choice.
        seed: u64,
    },
}

/// What to do after the sessions of an order have ended. Returns what is wrong; nothing when all is right.
pub type Check<'a> = dyn Fn(&mut Client) -> Result<Vec<String>> + Sync + 'a;

/// How to run.
#[derive(Debug, Clone)]
pub struct InterleaveOptions {
    /// Which orders.
    pub orders: Orders,
    /// An order that takes longer fails the run.
    pub watchdog: Duration,
    /// How many orders run at the same time, each in its own database.
    pub parallel: usize,
}

impl Default for InterleaveOptions {
    fn default() -> Self {
        Self { orders: Orders::All, watchdog: Duration::from_secs(30), parallel: 2 }
    }
}

/// More orders than this need a sample.
pub const MAX_ORDERS: u128 = 20_000;

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct InterleaveReport {
    /// How many orders there are.
    pub possible: u128,
    /// How many were run.
    pub orders: usize,
    /// How many of them led to different courses of events (waiting makes orders alike).
    pub distinct_schedules: usize,
    /// How many steps had to wait for a lock.
    pub waits: usize,
    /// How many sessions failed with 40P01.
    pub deadlocks: usize,
    /// How many sessions ended without a failure.
    pub completed: usize,
    /// How many sessions failed, by SQLSTATE.
    pub failures: BTreeMap<String, usize>,
    /// The first message for each SQLSTATE.
    pub messages: BTreeMap<String, String>,
    /// The orders after which the check found something.
    pub findings: Vec<Finding>,
}

/// An order after which something was wrong.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The number of the session that each step belongs to.
    pub order: Vec<usize>,
    /// What happened.
    pub trace: Trace,
    /// What the check found.
    pub complaints: Vec<String>,
}

/// Runs all orders and compares the tviews with their views after each.
pub fn interleave(server: &Server, template: &str, sessions: &[Session]) -> Result<InterleaveReport> {
    interleave_with(server, template, sessions, &InterleaveOptions::default(), &tviews_are_equal)
}

/// The default check: every tview equals its view.
pub fn tviews_are_equal(client: &mut Client) -> Result<Vec<String>> {
    let report = compare(client)?;
    Ok(if report.is_equal() { Vec::new() } else { vec![report.to_string()] })
}

/// Runs. No connection to the template may be open.
pub fn interleave_with(
    server: &Server,
    template: &str,
    sessions: &[Session],
    options: &InterleaveOptions,
    check: &Check<'_>,
) -> Result<InterleaveReport> {
    let steps: Vec<usize> = sessions.iter().map(|session| session.steps.len()).collect();
    let possible = orders::count(&steps);
    let orders = match options.orders {
        Orders::All if possible > MAX_ORDERS => {
            return Err(Error::Setup(format!(
                "{possible} orders are too many to run all; use Orders::Sample, or fewer or longer steps"
            )));
        }
        Orders::All => orders::all(&steps),
        Orders::Sample { count, seed } => orders::sample(&steps, count, seed),
    };
    let mut collector = Collector::default();
    let job = Job { server, template, sessions, options, check };
    for outcome in run_orders(&job, &orders)? {
        collector.add(outcome);
    }
    Ok(collector.finish(possible, orders.len()))
}

/// What all orders share.
struct Job<'a> {
    server: &'a Server,
    template: &'a str,
    sessions: &'a [Session],
    options: &'a InterleaveOptions,
    check: &'a Check<'a>,
}

struct OrderOutcome {
    order: Vec<usize>,
    trace: Trace,
    complaints: Vec<String>,
}

/// Runs the orders on a few threads; results are in the order of `orders`.
fn run_orders(job: &Job<'_>, orders: &[Vec<usize>]) -> Result<Vec<OrderOutcome>> {
    let lanes = job.options.parallel.clamp(1, 16);
    let failed = AtomicBool::new(false);
    let failed = &failed;
    let results = std::thread::scope(|scope| {
        let lane = |lane: usize| {
            scope.spawn(move || {
                let mine = orders.iter().enumerate().skip(lane).step_by(lanes);
                // A failure of one lane ends the run; the others need not go to their ends first.
                mine.take_while(|_| !failed.load(Ordering::Relaxed))
                    .map(|(number, order)| {
                        let outcome = run_order(job, order);
                        failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
                        Ok((number, outcome?))
                    })
                    .collect::<Result<Vec<_>>>()
            })
        };
        let handles: Vec<_> = (0..lanes).map(lane).collect();
        let joined = handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| Err(Error::Worker("running an order of steps".to_owned()))));
        joined.collect::<Vec<_>>()
    });
    let mut outcomes = BTreeMap::new();
    for result in results {
        outcomes.extend(result?);
    }
    Ok(outcomes.into_values().collect())
}

/// Tells the copies of one template apart, also when several callers make them at the same time.
static COPIES: AtomicU64 = AtomicU64::new(0);

fn run_order(job: &Job<'_>, order: &[usize]) -> Result<OrderOutcome> {
    let number = COPIES.fetch_add(1, Ordering::Relaxed);
    let database = format!("order_{}_{number}", std::process::id());
    job.server.create_database(&database, SUPERUSER, Some(job.template))?;
    let result = drive::run(job.server, &database, job.sessions, order, job.options.watchdog);
    let result = result.and_then(|(trace, mut client)| {
        let complaints = (job.check)(&mut client)?;
        Ok(OrderOutcome { order: order.to_vec(), trace, complaints })
    });
    let dropped = job.server.drop_database(&database);
    let outcome = result?;
    dropped?;
    Ok(outcome)
}

#[derive(Default)]
struct Collector {
    report: InterleaveReport,
    schedules: BTreeSet<String>,
}

impl Collector {
    fn add(&mut self, outcome: OrderOutcome) {
        let report = &mut self.report;
        self.schedules.insert(outcome.trace.schedule());
        report.waits += outcome.trace.waits();
        for end in outcome.trace.ends() {
            match end {
                None => report.completed += 1,
                Some((code, message)) => {
                    *report.failures.entry(code.to_owned()).or_default() += 1;
                    report.messages.entry(code.to_owned()).or_insert_with(|| message.to_owned());
                }
            }
        }
        if !outcome.complaints.is_empty() {
            let OrderOutcome { order, trace, complaints } = outcome;
            report.findings.push(Finding { order, trace, complaints });
        }
    }

    fn finish(mut self, possible: u128, orders: usize) -> InterleaveReport {
        self.report.possible = possible;
        self.report.orders = orders;
        self.report.distinct_schedules = self.schedules.len();
        self.report.deadlocks = self.report.failures.get("40P01").copied().unwrap_or(0);
        self.report
    }
}

/// How many findings are printed in full.
const SHOWN: usize = 3;

impl fmt::Display for InterleaveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} of {} orders, {} different schedules, {} waits, {} deadlocks, {} sessions completed",
            self.orders, self.possible, self.distinct_schedules, self.waits, self.deadlocks, self.completed
        )?;
        for (code, n) in &self.failures {
            let message = self.messages.get(code).map(String::as_str).unwrap_or_default();
            writeln!(f, "{n} sessions failed with {code}, first: {message}")?;
        }
        if !self.findings.is_empty() {
            writeln!(f, "{} orders ended wrong; the first:", self.findings.len())?;
        }
        for finding in self.findings.iter().take(SHOWN) {
            writeln!(f, "order {:?}\n{}", finding.order, finding.trace)?;
            for complaint in &finding.complaints {
                writeln!(f, "{complaint}")?;
            }
        }
        Ok(())
    }
}
