//! What the patch functions hold: 1,000 and 10,000 calls on a document of 100 KB in one session.
//!
//! In: the size of the document and the numbers of calls. Out: the most memory that a new session's process held, and the time of
//! a call, portable and native. The results of both are the same bytes.

use std::time::Instant;

use postgres::Client;
use tviewc_verify::SUPERUSER;

use super::{Request, Size, size};
use crate::error::{Doing, Error, Result};
use crate::machine::peak_memory;
use crate::result::{Arm, EQUAL, Goal, Guard, Operation, Unit, Workload};
use crate::rounds::{Plan, Sample, Subject, interleave, microseconds};

/// What it takes.
pub const SIZES: &[Size] =
    &[size("document_kb", 100, 1, 10_000), size("few", 1_000, 1, 1_000_000), size("many", 10_000, 1, 1_000_000)];

const DATABASE: &str = "memory";

/// What the portable functions find in a migration.
const BEFORE: &str = "CREATE SCHEMA tview;
    CREATE TABLE tview.created_object (program text, kind text, name text, PRIMARY KEY (program, kind, name));";

const CALL: &str =
    "jsonb_array_update_where(d.data, '{items}', 'id', to_jsonb(1 + n % 100), jsonb_build_object('price', n))";

/// What it may hold: 1.5 x of what the smallest possible use holds.
const LIMIT: f64 = 1.5;

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let kilobytes = request.size("document_kb");
    request.server.create_database(DATABASE, SUPERUSER, None)?;
    let mut client = request.server.connect(DATABASE, SUPERUSER)?;
    let portable = format!("{BEFORE}\n{}", include_str!("../../../../templates/patch.sql"));
    client.batch_execute(&portable).doing("installing the portable functions")?;
    let document = format!(
        "CREATE TABLE document AS SELECT jsonb_build_object('items', jsonb_agg(jsonb_build_object('id', i, 'price', 1,
                'note', (SELECT string_agg(md5(i || ' ' || k), '') FROM generate_series(1, {kilobytes} * 1024 / 100 / 32) AS k)))) AS data
           FROM generate_series(1, 100) AS i"
    );
    client.batch_execute(&document).doing("making the document")?;
    let native = client.batch_execute("CREATE EXTENSION tview_native").err();
    let arms: Vec<(&str, &str)> = if native.is_none() {
        vec![("portable", "tview"), ("native", "tview_native")]
    } else {
        vec![("portable", "tview")]
    };
    let mut workload = Workload::default();
    for count in [request.size("few"), request.size("many")] {
        let (held, timed) = measure(request, &arms, count)?;
        workload.operations.extend([held, timed]);
    }
    let equal = equality(&mut client, &arms)?;
    for arm in workload.operations.iter_mut().flat_map(|operation| &mut operation.arms) {
        arm.equal = Some(equal.clone());
    }
    if let Some(error) = native {
        let missing = Some(error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()));
        for operation in &mut workload.operations {
            operation.arms.push(Arm { name: "native".to_owned(), missing: missing.clone(), ..Arm::default() });
        }
    }
    drop(client);
    request.server.drop_database(DATABASE)?;
    Ok(workload)
}

fn measure(request: &Request<'_>, arms: &[(&str, &str)], count: i32) -> Result<(Operation, Operation)> {
    let mut peaks: Vec<Vec<f64>> = vec![Vec::new(); arms.len()];
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for ((_, schema), peaks) in arms.iter().zip(&mut peaks) {
        subjects.push(Box::new(move |_| {
            // A new session each time: what a process has held once it keeps.
            let mut client = request.server.connect(DATABASE, SUPERUSER)?;
            let process: i32 = client.query_one("SELECT pg_backend_pid()", &[]).doing("asking for the process")?.get(0);
            let sql = format!(
                "SELECT sum(pg_column_size({schema}.{CALL})) FROM document AS d, generate_series(1, $1::int) AS n"
            );
            let statement = client.prepare(&sql).doing("preparing")?;
            let started = Instant::now();
            client.query_one(&statement, &[&count]).doing("calling")?;
            let time = microseconds(started) / f64::from(count);
            let peak = peak_memory(process.into());
            peaks
                .push(peak.ok_or_else(|| Error::Usage("this system does not tell what a process held".to_owned()))?
                    as f64);
            Ok(Sample::of(time))
        }));
    }
    let title = format!("memory: {count} calls");
    let plan = Plan { warm: 0, ..request.plan(if count > 1_000 { 5 } else { 30 }) };
    let samples = interleave(&mut subjects, plan, &mut |done, all| request.progress.step(&title, done, all))?;
    drop(subjects);
    let arm = |name: &str, samples: Vec<f64>| Arm { name: name.to_owned(), samples, ..Arm::default() };
    let guard = Guard { arm: "native".to_owned(), yardstick: "portable".to_owned() };
    let mut held = Operation {
        name: format!("{count} calls: memory of the process"),
        what: CALL.to_owned(),
        unit: Unit::Kilobytes,
        arms: arms.iter().zip(peaks).map(|((name, _), peaks)| arm(name, peaks)).collect(),
        ..Operation::default()
    };
    if let Some(figure) = held.ratio("native", "portable") {
        let text = format!("native holds less than {LIMIT} x what portable does");
        held.goals.push(Goal { text, figure, met: figure.value < LIMIT });
        held.guards.push(guard.clone());
    }
    let times = samples.iter().map(|samples| samples.iter().map(|sample| sample.value).collect());
    let mut timed = Operation {
        name: format!("{count} calls: time of one"),
        what: CALL.to_owned(),
        arms: arms.iter().zip(times).map(|((name, _), times)| arm(name, times)).collect(),
        ..Operation::default()
    };
    if timed.arm("native").is_some() {
        timed.guards.push(guard);
    }
    Ok((held, timed))
}

/// Whether both give the same bytes for the same calls.
fn equality(client: &mut Client, arms: &[(&str, &str)]) -> Result<String> {
    let [(_, first), (_, second)] = arms else {
        return Ok(EQUAL.to_owned());
    };
    let sql = format!(
        "SELECT count(*) FROM document AS d, generate_series(1, 100) AS n
          WHERE record_image_ne(ROW({first}.{CALL}), ROW({second}.{CALL}))"
    );
    let differing: i64 = client.query_one(&sql, &[]).doing("comparing")?.get(0);
    Ok(if differing == 0 { EQUAL.to_owned() } else { format!("{differing} of 100 results differ") })
}
