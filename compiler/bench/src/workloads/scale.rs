//! Whether a write costs the same however many rows there are.
//!
//! In: the smallest and the largest number of rows; between them by tens. Out: for each shape of view and each write of one row, its
//! time on databases of all sizes, measured in turns, and the ratio of the largest to the smallest. A shape that the compiler refuses
//! is listed as such; the 10^7 rows that one may ask for take a while.

use std::cell::Cell;
use std::time::{Duration, Instant};

use postgres::Statement;
use postgres::error::SqlState;
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, Output, compile};
use tviewc_verify::{CompareOptions, SUPERUSER, compare_with};

use super::shapes::{ROWS, SCHEMA, SHAPES, Shape, Table, Write};
use super::{Request, Size, size};
use crate::error::{Doing, Error, Result};
use crate::result::{Arm, EQUAL, Goal, Guard, Operation, Workload};
use crate::rounds::{Plan, Sample, Subject, interleave, microseconds};

/// What it takes.
pub const SIZES: &[Size] =
    &[size("smallest", 10_000, 10_000, 1_000_000), size("largest", 1_000_000, 10_000, 10_000_000)];

/// The largest size may cost so much more than the smallest.
const MARK: f64 = 1.30;
/// The views of a shape, whatever it calls them: the next shape may call its own the same.
const DROP_VIEWS: &str = r"SELECT format('DROP VIEW IF EXISTS %I CASCADE', viewname) FROM pg_views WHERE schemaname = 'public' \gexec
";
/// For one statement.
const LIMIT: Duration = Duration::from_secs(30);
/// So many statements may take the limit: what all others take is known then.
const CUT_SHORT: usize = 2;

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let (smallest, largest) = (request.size("smallest"), request.size("largest"));
    let mut sizes = vec![smallest];
    while let Some(next) = sizes.last().and_then(|size| size.checked_mul(10)).filter(|size| *size < largest) {
        sizes.push(next);
    }
    if largest > smallest {
        sizes.push(largest);
    }
    for rows in &sizes {
        request.progress.note(&format!("scale: making {rows} rows"));
        request.server.create_database(&database(*rows), SUPERUSER, None)?;
        let script = format!("{SCHEMA}{}VACUUM ANALYZE;", ROWS.replace("{n}", &rows.to_string()));
        request.server.psql(&database(*rows), SUPERUSER, &script)?;
    }
    let mut workload = Workload::default();
    for shape in SHAPES.iter().filter(|shape| request.is_wanted(shape.name)) {
        match compiled(shape) {
            Ok(output) => {
                let (operations, notes) = measure(request, &sizes, shape, &output)?;
                workload.operations.extend(operations);
                workload.notes.extend(notes);
            }
            Err(titles) => workload.notes.push(format!("{}: refused: {titles}", shape.name)),
        }
    }
    for rows in sizes {
        request.server.drop_database(&database(rows))?;
    }
    Ok(workload)
}

fn database(rows: i32) -> String {
    format!("scale_{rows}")
}

/// Installs the shape everywhere, times its writes, compares, and removes it again.
fn measure(
    request: &Request<'_>,
    sizes: &[i32],
    shape: &Shape,
    output: &Output,
) -> Result<(Vec<Operation>, Vec<String>)> {
    for rows in sizes {
        let script = format!("{}\n{}\nANALYZE;", shape.views, output.up);
        request.server.psql(&database(*rows), SUPERUSER, &script)?;
    }
    let (mut operations, mut notes) = (Vec::new(), Vec::new());
    for write in shape.writes {
        let (operation, slow) = timed(request, sizes, shape, write)?;
        let note =
            |rows| format!("{}: at least {} s at {rows} rows, where it was ended", operation.name, LIMIT.as_secs());
        notes.extend(slow.into_iter().map(note));
        operations.push(operation);
    }
    for rows in sizes {
        // At once: what a view computes over all rows it would compute for each batch.
        let whole = CompareOptions { batch: i64::MAX, ..CompareOptions::default() };
        let report = compare_with(&mut request.server.connect(&database(*rows), SUPERUSER)?, &whole, &mut |_| Ok(()))?;
        let equal = if report.is_equal() { EQUAL.to_owned() } else { report.to_string() };
        let arms = operations.iter_mut().flat_map(|operation| &mut operation.arms);
        arms.filter(|arm| arm.name == rows.to_string()).for_each(|arm| arm.equal = Some(equal.clone()));
        let script = format!("{}\n{DROP_VIEWS}VACUUM;", output.down);
        request.server.psql(&database(*rows), SUPERUSER, &script)?;
    }
    Ok((operations, notes))
}

fn compiled(shape: &Shape) -> std::result::Result<Output, String> {
    let text = format!("{SCHEMA}{}", shape.views);
    let sources = Sources { files: vec![SourceFile { name: "views.sql".into(), text, context_only: false }] };
    let compilation = compile(&sources, &Options { program: Some("scale".into()), ..Options::default() });
    let titles: Vec<&str> = compilation.diagnostics.sorted().iter().map(|d| d.title.as_str()).collect();
    compilation.output.ok_or_else(|| titles.join("; "))
}

/// The times of a write, and the sizes at which it took the limit: it is not repeated there.
fn timed(request: &Request<'_>, sizes: &[i32], shape: &Shape, write: &Write) -> Result<(Operation, Vec<i32>)> {
    let cut_short: Vec<Cell<usize>> = sizes.iter().map(|_| Cell::new(0)).collect();
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for (rows, cut_short) in sizes.iter().zip(&cut_short) {
        let mut client = request.server.connect(&database(*rows), SUPERUSER)?;
        client.batch_execute(&format!("SET statement_timeout = {}", LIMIT.as_millis())).doing("setting the limit")?;
        let statement: Statement = client.prepare(write.sql).doing(write.sql)?;
        subjects.push(Box::new(move |round| {
            if cut_short.get() == CUT_SHORT {
                return Ok(Sample::of(LIMIT.as_secs_f64() * 1e6));
            }
            let key = write.table.key(*rows, round);
            let started = Instant::now();
            let changed = client.execute(&statement, &[&key]);
            let elapsed = microseconds(started);
            match changed {
                Ok(1) => {}
                Ok(other) => return Err(Error::Program(format!("{} changed {other} rows", write.sql))),
                // It took the limit at least, and that is what is reported.
                Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => cut_short.set(cut_short.get() + 1),
                Err(error) => return Err(error).doing(write.sql),
            }
            Ok(Sample::of(elapsed))
        }));
    }
    let title = format!("{}: write of {}", shape.name, write.table.name());
    let plan = Plan { warm: 20, limit: request.limit.min(Duration::from_secs(60)), ..request.plan(100) };
    let samples = interleave(&mut subjects, plan, &mut |done, all| request.progress.step(&title, done, all))?;
    drop(subjects);
    let arms = sizes.iter().zip(samples).map(|(rows, samples)| Arm {
        name: rows.to_string(),
        samples: samples.iter().map(|sample| sample.value).collect(),
        ..Arm::default()
    });
    let mut operation = Operation {
        name: title,
        what: write.sql.to_owned(),
        curve: Some("child rows".to_owned()),
        arms: arms.collect(),
        ..Operation::default()
    };
    if let [first, .., last] = sizes {
        let (first, last) = (first.to_string(), last.to_string());
        if let Some(figure) = operation.ratio(&last, &first) {
            let text = format!("{last} rows at most {MARK} x {first} rows");
            operation.goals.push(Goal { text, figure, met: figure.value <= MARK });
        }
        operation.guards.push(Guard { arm: last, yardstick: first });
    }
    let slow = sizes.iter().zip(&cut_short).filter(|(_, n)| n.get() > 0).map(|(rows, _)| *rows);
    Ok((operation, slow.collect()))
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Table::Child => "child",
            Table::Parent => "parent",
            Table::Area => "area",
        }
    }

    /// Keys that jump about the table, the same in every run.
    fn key(self, rows: i32, round: usize) -> i32 {
        let count = match self {
            Table::Child => rows,
            Table::Parent => rows / 10,
            Table::Area => rows / 100,
        };
        let step = (round as i64 * 7_919 + 13) % i64::from(count);
        1 + i32::try_from(step).unwrap_or(0)
    }
}
