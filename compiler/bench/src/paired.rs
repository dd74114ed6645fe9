//! One operation on databases that differ in what keeps their documents.
//!
//! In: a program, operations, arms. Out: an [`Operation`] of the result for each, with samples, counters and where the time goes.
//! Always: in each round every database gets the same operation with the same values; before the first and after each operation the
//! documents of every arm equal its view, and the base tables of all arms hold the same rows.

use std::time::Instant;

use postgres::types::ToSql;
use postgres::{Client, Statement};
use tviewc_verify::{SUPERUSER, Server, quote};

use crate::error::{Doing, Error, Result};
use crate::probe::{self, Probe};
use crate::profile::{Explained, MARK};
use crate::program::{ArmKind, Program};
use crate::progress::Progress;
use crate::result::{Arm, Documents, EQUAL, Goal, Guard, Operation, Unit};
use crate::rounds::{Plan, Sample, Subject, interleave, microseconds};
use crate::stats::Estimate;

/// How often an operation is explained.
const EXPLAINED: usize = 5;
/// No operation has so many rounds, those that are explained included.
const SERIES: i32 = 100_000;
/// Rounds that are not counted of an operation on many rows.
const HEAVY_WARM: usize = 2;

/// Something to measure. In each statement `$1` is the key of a row and `$2` the number of the round, so that each round changes
/// other rows to values that they have not had.
#[derive(Clone, Default)]
pub struct Op {
    /// Its name.
    pub name: String,
    /// Statements of one transaction.
    pub steps: Vec<String>,
    /// Of how many rows `$1` is one.
    pub keys: i32,
    /// Operations of one series choose the same rows and values in the same rounds; each has a series of its own otherwise. Values
    /// that another operation has left there already would be no change.
    pub series: Option<i32>,
    /// One round in so many.
    pub every: usize,
    /// Whether the statement measures itself and returns microseconds.
    pub is_timed_in_the_server: bool,
    /// Whether one run takes so long that few have to warm up.
    pub is_heavy: bool,
    /// Whether each round has a session of its own, which has nothing in its caches.
    pub is_fresh: bool,
    /// Whether what earlier rounds left dead is vacuumed before each round, as autovacuum would: operations that write much would
    /// measure the growth of their tables otherwise.
    pub is_vacuumed: bool,
    /// The size, where operations make a curve.
    pub at: Option<(String, f64)>,
    /// What has to be reached.
    pub goals: Vec<Target>,
}

/// Something to reach.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The overhead is at most so many times that of the triggers written by hand.
    Overhead(f64),
    /// The time is at most so many times that of the triggers written by hand.
    Time(f64),
    /// So many times faster than with key recompute only.
    Faster(f64),
    /// In the server, at most so many times the time of a trigger that only compares.
    Comparison(f64),
    /// At least this part of the speed of writing the same documents unchanged.
    Ceiling(f64),
}

/// How to measure.
pub struct Context<'a> {
    /// The server.
    pub server: &'a Server,
    /// The arms that are wanted.
    pub arms: &'a [ArmKind],
    /// How often.
    pub plan: Plan,
    /// Where progress is shown.
    pub progress: &'a Progress,
}

impl Op {
    /// One statement.
    pub fn new(name: &str, keys: i32, sql: &str) -> Self {
        Op { name: name.to_owned(), steps: vec![sql.to_owned()], keys, every: 1, ..Op::default() }
    }

    /// With something to reach.
    pub fn goal(mut self, goal: Target) -> Self {
        self.goals.push(goal);
        self
    }

    /// In one round of so many.
    pub fn every(mut self, every: usize) -> Self {
        self.every = every;
        self
    }

    /// A point of a curve.
    pub fn at(mut self, curve: &str, size: f64) -> Self {
        self.at = Some((curve.to_owned(), size));
        self
    }

    /// The row of a round: they jump about the table, the same in every run.
    pub fn key(&self, round: usize) -> i32 {
        let step = (round as i64 * 7_919 + 13) % i64::from(self.keys.max(1));
        1 + i32::try_from(step).unwrap_or(0)
    }
}

/// An arm whose database is there.
struct Installed {
    kind: ArmKind,
    /// Why it cannot be used.
    missing: Option<String>,
}

/// Measures all operations; the databases are dropped at the end.
pub fn measure(context: &Context<'_>, program: &Program, ops: &[Op]) -> Result<(Vec<Documents>, Vec<Operation>)> {
    let mut arms = Vec::new();
    for kind in context.arms.iter().copied() {
        context.progress.note(&format!("{}: filling the database of {}", program.name, kind.name()));
        let missing = program.install(context.server, kind)?.err();
        arms.push(Installed { kind, missing });
    }
    let before = verify(context, program, &arms)?;
    if let Some((arm, wrong)) = before.iter().find(|(_, equal)| equal != EQUAL) {
        return Err(Error::Program(format!("{}, {}: before the first operation {wrong}", program.name, arm.name())));
    }
    let mut operations = Vec::new();
    for (number, op) in (1..).zip(ops) {
        let op = Op { series: op.series.or(Some(number)), ..op.clone() };
        operations.push(operation(context, program, &op, &arms)?);
    }
    let first = arms.iter().find(|arm| arm.missing.is_none()).map(|arm| program.database(arm.kind));
    let documents = match first {
        Some(database) => program.documents(&mut context.server.connect(&database, SUPERUSER)?)?,
        None => Vec::new(),
    };
    for arm in &arms {
        context.server.drop_database(&program.database(arm.kind))?;
    }
    Ok((documents, operations))
}

/// Whether each arm's documents equal its view and its base tables those of the first arm.
fn verify(context: &Context<'_>, program: &Program, arms: &[Installed]) -> Result<Vec<(ArmKind, String)>> {
    let mut results = Vec::new();
    let mut first: Option<String> = None;
    for arm in arms.iter().filter(|arm| arm.missing.is_none()) {
        let mut client = context.server.connect(&program.database(arm.kind), SUPERUSER)?;
        let mut equal = if arm.kind.has_documents() { program.equality(&mut client)? } else { EQUAL.to_owned() };
        let rows = fingerprint(&mut client, program)?;
        if *first.get_or_insert_with(|| rows.clone()) != rows {
            equal = format!("the base tables differ from those of another arm; {equal}");
        }
        results.push((arm.kind, equal));
    }
    Ok(results)
}

/// The rows of all base tables: how many, and a sum over them.
fn fingerprint(client: &mut Client, program: &Program) -> Result<String> {
    let documents: Vec<&str> = program.tviews.iter().map(|tview| tview.table).collect();
    let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                    AND relname <> ALL ($1) ORDER BY relname";
    let tables = client.query(tables, &[&documents]).doing("looking for base tables")?;
    let mut text = String::new();
    for table in tables {
        let table: String = table.get(0);
        let sql =
            format!("SELECT count(*) || ' ' || coalesce(sum(hashtext(t::text)), 0) FROM {} AS t", quote::ident(&table));
        let rows: String = client.query_one(&sql, &[]).doing("counting rows")?.get(0);
        text += &format!("{table} {rows}; ");
    }
    Ok(text)
}

fn operation(context: &Context<'_>, program: &Program, op: &Op, arms: &[Installed]) -> Result<Operation> {
    let usable: Vec<ArmKind> = arms.iter().filter(|arm| arm.missing.is_none()).map(|arm| arm.kind).collect();
    let mut workers =
        usable.iter().map(|arm| Worker::connect(context.server, program, op, *arm)).collect::<Result<Vec<_>>>()?;
    // What has many statements, or one of many rows, is warm sooner.
    let warm = if op.is_heavy { HEAVY_WARM } else { context.plan.warm.div_ceil(op.steps.len()) };
    let plan = Plan { rounds: context.plan.rounds.div_ceil(op.every.max(1)), warm, ..context.plan };
    let mut subjects: Vec<Subject<'_>> =
        workers.iter_mut().map(|worker| -> Subject<'_> { Box::new(|round| worker.work(op, round)) }).collect();
    let title = format!("{}: {}", program.name, op.name);
    let samples = interleave(&mut subjects, plan, &mut |done, all| context.progress.step(&title, done, all))?;
    drop(subjects);
    let mut found = Vec::new();
    for (worker, samples) in workers.into_iter().zip(samples) {
        found.push(worker.finish(op, &samples)?);
    }
    for (arm, equal) in verify(context, program, arms)? {
        if let Some(found) = found.iter_mut().find(|found| found.name == arm.name()) {
            found.equal = (arm != ArmKind::Ceiling).then_some(equal);
        }
    }
    let missing = arms.iter().filter_map(|arm| {
        let missing = Some(arm.missing.clone()?);
        Some(Arm { name: arm.kind.name().to_owned(), missing, ..Arm::default() })
    });
    found.extend(missing);
    let mut operation = Operation {
        name: op.name.clone(),
        what: [op.steps.clone(), refreshes(program, &usable)].concat().join("; "),
        unit: Unit::Microseconds,
        at: op.at.as_ref().map(|(_, size)| *size),
        curve: op.at.as_ref().map(|(curve, _)| curve.clone()),
        arms: found,
        ..Operation::default()
    };
    operation.guards = guards(&operation, op);
    operation.goals = op.goals.iter().filter_map(|goal| goal.of(&operation)).collect();
    Ok(operation)
}

/// For readers: what materialized views do besides.
fn refreshes(program: &Program, usable: &[ArmKind]) -> Vec<String> {
    let refreshed = usable.iter().find(|arm| !arm.refresh(program).is_empty());
    refreshed.map(|arm| arm.refresh(program)).unwrap_or_default()
}

/// Ours against what each workload has as a yardstick, and the patches' and the extension's gain.
fn guards(operation: &Operation, op: &Op) -> Vec<Guard> {
    let yardstick = if op.is_timed_in_the_server { ArmKind::Comparison } else { ArmKind::None };
    let pairs = [
        (ArmKind::Auto, yardstick),
        (ArmKind::Auto, ArmKind::Hand),
        (ArmKind::Auto, ArmKind::Recompute),
        (ArmKind::Native, ArmKind::Auto),
    ];
    let are_there = |(arm, yardstick): &(ArmKind, ArmKind)| {
        operation.arm(arm.name()).is_some() && operation.arm(yardstick.name()).is_some()
    };
    let guard =
        |(arm, yardstick): (ArmKind, ArmKind)| Guard { arm: arm.name().into(), yardstick: yardstick.name().into() };
    pairs.into_iter().filter(are_there).map(guard).collect()
}

impl Target {
    /// None where an arm that it is about is missing.
    fn of(self, operation: &Operation) -> Option<Goal> {
        let at_most = |text: String, figure: Estimate, most: f64| Goal { text, figure, met: figure.value <= most };
        Some(match self {
            Target::Overhead(most) => {
                let figure = operation.overhead_ratio("auto", "hand", "none")?;
                at_most(format!("overhead at most {most} x that of triggers written by hand"), figure, most)
            }
            Target::Time(most) => at_most(
                format!("time at most {most} x that of triggers written by hand"),
                operation.ratio("auto", "hand")?,
                most,
            ),
            Target::Faster(least) => {
                let figure = operation.ratio("recompute", "auto")?;
                Goal { text: format!("{least} x faster than key recompute"), figure, met: figure.value >= least }
            }
            Target::Ceiling(least) => {
                let figure = operation.ratio("ceiling", "auto")?;
                let text = format!("{least} x the speed of rewriting the same rows unchanged");
                Goal { text, figure, met: figure.value >= least }
            }
            Target::Comparison(most) => at_most(
                format!("in the server at most {most} x a comparison"),
                operation.ratio("auto", "comparison")?,
                most,
            ),
        })
    }
}

/// A session of an arm.
struct Worker<'a> {
    server: &'a Server,
    program: &'a Program,
    arm: ArmKind,
    client: Client,
    statements: Vec<Statement>,
    /// Of another session, so that the one that works does nothing else.
    observer: Client,
    probe: Probe,
    rounds: usize,
}

impl<'a> Worker<'a> {
    fn connect(server: &'a Server, program: &'a Program, op: &Op, arm: ArmKind) -> Result<Self> {
        let database = program.database(arm);
        let probe = Probe::begin(server, &database, program)?;
        let mut client = server.connect(&database, SUPERUSER)?;
        let statements = prepare(&mut client, program, op, arm)?;
        Ok(Self { server, program, arm, client, statements, observer: server.admin()?, probe, rounds: 0 })
    }

    /// Once.
    fn work(&mut self, op: &Op, round: usize) -> Result<Sample> {
        self.rounds += 1;
        if op.is_fresh {
            self.client = self.server.connect(&self.program.database(self.arm), SUPERUSER)?;
            self.statements = prepare(&mut self.client, self.program, op, self.arm)?;
        }
        if op.is_vacuumed && self.arm.has_tables() {
            self.vacuum()?;
        }
        let before = probe::wal(&mut self.observer)?;
        let value = execute(&mut self.client, &self.statements, op, round)?;
        Ok(Sample { value, wal: Some(probe::wal(&mut self.observer)? - before) })
    }

    fn vacuum(&mut self) -> Result<()> {
        let tables: Vec<String> = self.program.tviews.iter().map(|tview| quote::ident(tview.table)).collect();
        self.client.batch_execute(&format!("VACUUM {}", tables.join(", "))).doing("removing dead versions of documents")
    }

    fn finish(self, op: &Op, samples: &[Sample]) -> Result<Arm> {
        let counters = self.probe.end(self.server, self.client, self.rounds)?;
        Ok(Arm {
            name: self.arm.name().to_owned(),
            samples: samples.iter().map(|sample| sample.value).collect(),
            wal: samples.iter().filter_map(|sample| sample.wal).collect(),
            counters: Some(counters),
            split: explain(self.server, self.program, op, self.arm)?,
            ..Arm::default()
        })
    }
}

fn prepare(client: &mut Client, program: &Program, op: &Op, arm: ArmKind) -> Result<Vec<Statement>> {
    let texts = op.steps.iter().cloned().chain(arm.refresh(program));
    texts.map(|sql| client.prepare(&format!("{MARK} {sql}")).doing(sql)).collect()
}

/// Microseconds of the operation, as one transaction.
fn execute(client: &mut Client, statements: &[Statement], op: &Op, round: usize) -> Result<f64> {
    let number = op.series.unwrap_or(0) * SERIES + i32::try_from(round).unwrap_or(0);
    let key = op.key(round);
    let values: [&(dyn ToSql + Sync); 2] = [&key, &number];
    let doing = || op.name.clone();
    let started = Instant::now();
    if let [statement] = statements {
        let rows = client.query(statement, &values[..statement.params().len()]).doing(doing())?;
        let elapsed = microseconds(started);
        return Ok(if op.is_timed_in_the_server { rows[0].get(0) } else { elapsed });
    }
    let mut transaction = client.transaction().doing(doing())?;
    for statement in statements {
        transaction.execute(statement, &values[..statement.params().len()]).doing(doing())?;
    }
    transaction.commit().doing(doing())?;
    Ok(microseconds(started))
}

/// Where the time goes, in some more runs. Every arm gets them, so that base tables stay the same.
fn explain(server: &Server, program: &Program, op: &Op, arm: ArmKind) -> Result<Option<crate::result::Split>> {
    let database = program.database(arm);
    // The same runs without it, where the server cannot explain.
    let Some(mut explained) = Explained::connect(server, &database)? else {
        return Ok(None);
    };
    let statements = prepare(&mut explained.client, program, op, arm)?;
    // Rounds that no other run has: their values are new.
    let round = |n: usize| 50_000 + n;
    // Generic plans come after the fifth call.
    let runs = if op.is_heavy { 1 } else { EXPLAINED.div_ceil(op.steps.len()) };
    for n in 0..runs + 1 {
        execute(&mut explained.client, &statements, op, round(n))?;
    }
    explained.begin()?;
    for n in runs + 1..2 * runs + 1 {
        execute(&mut explained.client, &statements, op, round(n))?;
    }
    if op.is_timed_in_the_server || !arm.has_triggers() { Ok(None) } else { explained.split() }
}
