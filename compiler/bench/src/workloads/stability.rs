//! Whether sustained writes leave everything as it was: latency, size of tables, memory of the session.
//!
//! In: how many slices of how many writes. Out: per slice the median time of a write, the size of the documents' tables after a
//! VACUUM, and the memory of the session; at the end, whether documents equal their views.

use std::time::{Duration, Instant};

use postgres::{Client, Statement};
use tviewc_verify::SUPERUSER;

use super::{Request, Size, feed, size};
use crate::error::{Doing, Result};
use crate::probe;
use crate::program::{ArmKind, Program};
use crate::result::{Arm, Goal, Operation, Unit, Workload};
use crate::rounds::{Plan, Sample, Subject, interleave, microseconds};
use crate::stats::{self, Estimate};

/// What it takes.
pub const SIZES: &[Size] =
    &[size("users", 500, 200, 1_000_000), size("slices", 30, 4, 10_000), size("writes", 300, 10, 1_000_000)];

/// What memory and sizes may grow by from the first to the last quarter.
const GROWTH: f64 = 1.10;

const WRITES: [&str; 4] = [
    "UPDATE users SET bio = 'About me, for the ' || $2::int || 'th time' WHERE id = 1 + $1 % {n}",
    "UPDATE posts SET title = 'Title ' || $2::int WHERE id = 1 + $1 % ({n} * 10)",
    "INSERT INTO comments VALUES (1000000000 + $2::int, 1 + $1 % ({n} * 10), 1 + $1 % {n}, 'A comment that is new')",
    "DELETE FROM comments WHERE id = 1000000000 + $2::int - 1 AND $1::int IS NOT NULL",
];

/// A session that goes on writing.
struct Writer {
    arm: ArmKind,
    client: Client,
    /// Looks at what the other has done.
    observer: Client,
    statements: Vec<Statement>,
    number: i32,
    sizes: Vec<f64>,
    memories: Vec<f64>,
}

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let program = feed::program(request.size("users"));
    let mut workload = Workload::default();
    let (mut writers, mut missing) = (Vec::new(), Vec::new());
    // Only what keeps documents at every write, and nothing whose cost is that of all documents.
    let lasting = [ArmKind::Hand, ArmKind::Recompute, ArmKind::Auto, ArmKind::Native];
    for arm in request.arms.iter().copied().filter(|arm| lasting.contains(arm)) {
        match program.install(request.server, arm)? {
            Ok(()) => writers.push(Writer::connect(request, &program, arm)?),
            Err(reason) => {
                missing.push(Arm { name: arm.name().to_owned(), missing: Some(reason), ..Arm::default() });
            }
        }
    }
    let tables: Vec<&str> = program.tviews.iter().map(|tview| tview.table).collect();
    let writes = request.size("writes");
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for writer in &mut writers {
        subjects.push(Box::new(|_| writer.slice(writes, &tables)));
    }
    let slices = usize::try_from(request.size("slices")).unwrap_or(0);
    // Every slice counts, and none is left out for time: what changes over time is what is asked.
    let plan = Plan { warm: 0, rounds: slices, limit: Duration::MAX, least: slices };
    let samples = interleave(&mut subjects, plan, &mut |done, all| request.progress.step("stability", done, all))?;
    drop(subjects);
    let (mut times, mut sizes, mut memories) = (
        Operation { name: "time of a write".to_owned(), what: WRITES.join("; "), ..Operation::default() },
        Operation { name: "size of the documents' tables".to_owned(), unit: Unit::Kilobytes, ..Operation::default() },
        Operation { name: "memory of the session".to_owned(), unit: Unit::Kilobytes, ..Operation::default() },
    );
    for (mut writer, samples) in writers.into_iter().zip(samples) {
        let equal = Some(program.equality(&mut writer.observer)?);
        if workload.documents.is_empty() {
            workload.documents = program.documents(&mut writer.observer)?;
        }
        let time = samples.iter().map(|sample| sample.value).collect();
        for (operation, samples) in [(&mut times, time), (&mut sizes, writer.sizes), (&mut memories, writer.memories)] {
            let arm = Arm { name: writer.arm.name().to_owned(), samples, equal: equal.clone(), ..Arm::default() };
            operation.arms.push(arm);
        }
        drop((writer.client, writer.observer));
        request.server.drop_database(&program.database(writer.arm))?;
    }
    // What else the machine does moves the times of all arms: they are held against the first one's.
    let first = times.arms.first().map(|arm| arm.name.clone()).unwrap_or_default();
    let others = times.arms.iter().skip(1);
    let ratios = others.filter_map(|arm| Some((format!("{} / {first}", arm.name), times.ratios(&arm.name, &first)?)));
    times.goals = ratios.filter_map(|(name, ratios)| steady(&name, &ratios)).collect();
    for operation in [&mut sizes, &mut memories] {
        operation.goals = operation.arms.iter().filter_map(|arm| steady(&arm.name, &arm.samples)).collect();
    }
    workload.operations = vec![times, sizes, memories];
    for operation in &mut workload.operations {
        operation.arms.extend(missing.iter().cloned());
    }
    Ok(workload)
}

impl Writer {
    fn connect(request: &Request<'_>, program: &Program, arm: ArmKind) -> Result<Self> {
        let database = program.database(arm);
        let mut client = request.server.connect(&database, SUPERUSER)?;
        let texts = WRITES.map(|sql| sql.replace("{n}", &request.size("users").to_string()));
        let statements = texts.iter().map(|sql| client.prepare(sql).doing(sql.as_str())).collect::<Result<Vec<_>>>()?;
        let observer = request.server.connect(&database, SUPERUSER)?;
        Ok(Self { arm, client, observer, statements, number: 0, sizes: Vec::new(), memories: Vec::new() })
    }

    /// The median time of so many writes; then looks at sizes, behind a VACUUM as autovacuum would do it.
    fn slice(&mut self, writes: i32, tables: &[&str]) -> Result<Sample> {
        let mut times = Vec::new();
        for _ in 0..writes {
            let statement = &self.statements[self.number as usize % WRITES.len()];
            let key = (i64::from(self.number) * 7_919 % 1_000_003) as i32;
            let started = Instant::now();
            self.client.execute(statement, &[&key, &self.number]).doing("writing")?;
            times.push(microseconds(started));
            self.number += 1;
        }
        self.memories.push(probe::memory(&mut self.client)?.unwrap_or(0) as f64 / 1024.0);
        self.observer.batch_execute("VACUUM ANALYZE").doing("vacuuming")?;
        let bytes = "SELECT sum(pg_total_relation_size(t::regclass))::float8 FROM unnest($1::text[]) AS t";
        let row = self.observer.query_one(bytes, &[&tables]).doing("asking for sizes")?;
        self.sizes.push(row.get::<_, f64>(0) / 1024.0);
        Ok(Sample::of(stats::median(&times)))
    }
}

/// That the last quarter is not much above the first.
fn steady(name: &str, samples: &[f64]) -> Option<Goal> {
    let quarter = samples.len() / 4;
    if quarter == 0 || samples.iter().all(|sample| *sample == 0.0) {
        return None;
    }
    let figure: Estimate = stats::compare(&samples[..quarter], &samples[samples.len() - quarter..]).ratio;
    let text = format!("{name}: last quarter not beyond doubt more than {GROWTH} x the first");
    Some(Goal { text, figure, met: figure.low <= GROWTH })
}
