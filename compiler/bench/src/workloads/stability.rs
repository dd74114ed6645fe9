//! Whether sustained writes leave everything as it was: latency, size of tables, memory of the session.
//!
//! In: how many slices of how many writes. Out: per slice the median time of a write, the size of the documents' tables after a
//! VACUUM, and the memory of the session; at the end, whether documents equal their views.

use std::time::Instant;

use tviewc_verify::SUPERUSER;

use super::{Request, Size, feed, size};
use crate::error::{Doing, Result};
use crate::probe;
use crate::program::ArmKind;
use crate::result::{Arm, Goal, Operation, Unit, Workload};
use crate::rounds::microseconds;
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

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let (users, slices, writes) = (request.size("users"), request.size("slices"), request.size("writes"));
    let program = feed::program(users);
    let (mut times, mut sizes, mut memories) = (
        Operation { name: "time of a write".to_owned(), what: WRITES.join("; "), ..Operation::default() },
        Operation { name: "size of the documents' tables".to_owned(), unit: Unit::Kilobytes, ..Operation::default() },
        Operation { name: "memory of the session".to_owned(), unit: Unit::Kilobytes, ..Operation::default() },
    );
    let mut workload = Workload::default();
    // Only what keeps documents at every write, and nothing whose cost is that of all documents.
    let lasting = [ArmKind::Hand, ArmKind::Recompute, ArmKind::Auto, ArmKind::Native];
    for arm in request.arms.iter().copied().filter(|arm| lasting.contains(arm)) {
        let missing = program.install(request.server, arm)?.err();
        let empty = || Arm { name: arm.name().to_owned(), missing: missing.clone(), ..Arm::default() };
        let (mut time, mut size, mut memory) = (empty(), empty(), empty());
        if missing.is_none() {
            let database = program.database(arm);
            let mut client = request.server.connect(&database, SUPERUSER)?;
            let mut observer = request.server.connect(&database, SUPERUSER)?;
            let statements = WRITES
                .map(|sql| sql.replace("{n}", &users.to_string()))
                .iter()
                .map(|sql| client.prepare(sql).doing(sql.as_str()))
                .collect::<Result<Vec<_>>>()?;
            let mut number = 0;
            for slice in 0..slices {
                let mut slice_times = Vec::new();
                for _ in 0..writes {
                    let statement = &statements[number as usize % WRITES.len()];
                    let key = (i64::from(number) * 7_919 % 1_000_003) as i32;
                    let started = Instant::now();
                    client.execute(statement, &[&key, &number]).doing("writing")?;
                    slice_times.push(microseconds(started));
                    number += 1;
                }
                time.samples.push(stats::median(&slice_times));
                memory.samples.push(probe::memory(&mut client)?.unwrap_or(0) as f64 / 1024.0);
                let tables: Vec<&str> = program.tviews.iter().map(|tview| tview.table).collect();
                observer.batch_execute(&format!("VACUUM {}", tables.join(", "))).doing("vacuuming")?;
                let bytes = "SELECT sum(pg_total_relation_size(t::regclass))::float8 FROM unnest($1::text[]) AS t";
                size.samples
                    .push(observer.query_one(bytes, &[&tables]).doing("asking for sizes")?.get::<_, f64>(0) / 1024.0);
                request.progress.step(&format!("stability: {}", arm.name()), slice as usize + 1, slices as usize);
            }
            let equal = program.equality(&mut observer)?;
            (time.equal, size.equal, memory.equal) = (Some(equal.clone()), Some(equal.clone()), Some(equal));
            if workload.documents.is_empty() {
                workload.documents = program.documents(&mut observer)?;
            }
            drop((client, observer));
            request.server.drop_database(&database)?;
        }
        for (operation, arm) in [(&mut times, time), (&mut sizes, size), (&mut memories, memory)] {
            operation.goals.extend(steady(&arm));
            operation.arms.push(arm);
        }
    }
    workload.operations = vec![times, sizes, memories];
    Ok(workload)
}

/// That the last quarter is not much above the first.
fn steady(arm: &Arm) -> Option<Goal> {
    let quarter = arm.samples.len() / 4;
    if quarter == 0 || arm.samples.iter().all(|sample| *sample == 0.0) {
        return None;
    }
    let figure: Estimate = stats::compare(&arm.samples[..quarter], &arm.samples[arm.samples.len() - quarter..]).ratio;
    let text = format!("{}: last quarter at most {GROWTH} x the first", arm.name);
    Some(Goal { text, figure, met: figure.value <= GROWTH })
}
