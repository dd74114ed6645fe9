//! Whether writers of different documents wait for each other.
//!
//! Clients write comments of posts and authors of their own, in transactions that stay open for a while after the write, on three
//! databases in turns: without triggers, with the migration, and with the migration under a lock of the whole tview for each
//! write, which is what an extension takes that maintains a view as one relation.
//!
//! In: how many clients, and how long a transaction stays open. Out: throughput of one client and of all, in each database.

use std::time::Duration;

use tviewc_verify::{SUPERUSER, Server, compare};

use super::{Request, Size, blog, size};
use crate::clients::throughput;
use crate::error::{Doing, Error, Result};
use crate::program::{ArmKind, Program};
use crate::result::{Arm, EQUAL, Guard, Operation, Unit, Workload};
use crate::rounds::{Plan, Sample, Subject, interleave};

/// What it takes.
pub const SIZES: &[Size] =
    &[size("clients", 8, 2, 64), size("open_ms", 5, 0, 1_000), size("slice_ms", 600, 50, 60_000)];

/// For each client 10 posts of an author of its own, with 10 comments each.
const ROWS: &str = "INSERT INTO bench_authors (name, email) SELECT 'a' || i, 'e' FROM generate_series(1, {n}) AS i;
    INSERT INTO bench_posts (author_id, title, content) SELECT (i - 1) / 10 + 1, 't', 'c' FROM generate_series(1, {n} * 10) AS i;
    INSERT INTO bench_comments (post_id, author_id, content)
        SELECT (i - 1) / 10 + 1, (i - 1) / 100 + 1, 'c' FROM generate_series(1, {n} * 100) AS i;";

/// Statement triggers of this name fire before the statement.
const WHOLE_VIEW_LOCK: &str = "CREATE FUNCTION lock_views() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        LOCK TABLE tv_bench_posts, tv_bench_comments IN EXCLUSIVE MODE; RETURN NULL; END $$;
    CREATE TRIGGER lock_views BEFORE UPDATE ON bench_comments FOR EACH STATEMENT EXECUTE FUNCTION lock_views();";

const WRITE: &str = "UPDATE bench_comments SET content = md5(random()::text) WHERE id = $1";

/// A database.
struct Place {
    name: &'static str,
    program: Program,
    arm: ArmKind,
}

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let clients = request.size("clients");
    let program = |name, after: &str| Program {
        name,
        rows: ROWS.replace("{n}", &clients.to_string()),
        after: after.to_owned(),
        ..blog::program(1)
    };
    let places = [
        Place { name: "none", program: program("apart_none", ""), arm: ArmKind::None },
        Place { name: "auto", program: program("apart", ""), arm: ArmKind::Auto },
        Place { name: "whole-view lock", program: program("apart_locked", WHOLE_VIEW_LOCK), arm: ArmKind::Auto },
    ];
    for place in &places {
        if let Err(reason) = place.program.install(request.server, place.arm)? {
            return Err(Error::Program(reason));
        }
    }
    let mut workload = Workload::default();
    for count in [1, clients] {
        for open in [0, request.size("open_ms")] {
            let operation = measure(request, &places, count, open)?;
            workload.operations.push(operation);
        }
    }
    for place in &places {
        let database = place.program.database(place.arm);
        if place.arm.has_documents() {
            let report = compare(&mut request.server.connect(&database, SUPERUSER)?)?;
            let equal = if report.is_equal() { EQUAL.to_owned() } else { report.to_string() };
            let arms = workload.operations.iter_mut().flat_map(|operation| &mut operation.arms);
            arms.filter(|arm| arm.name == place.name).for_each(|arm| arm.equal = Some(equal.clone()));
        }
        request.server.drop_database(&database)?;
    }
    Ok(workload)
}

fn measure(request: &Request<'_>, places: &[Place], clients: i32, open: i32) -> Result<Operation> {
    let milliseconds = |name: i32| Duration::from_millis(u64::try_from(name).unwrap_or(0));
    let slice = milliseconds(request.size("slice_ms"));
    let mut subjects: Vec<Subject<'_>> = places
        .iter()
        .map(|place| -> Subject<'_> {
            let database = place.program.database(place.arm);
            Box::new(move |_| {
                Ok(Sample::of(transactions(request.server, &database, clients, milliseconds(open), slice)?))
            })
        })
        .collect();
    let title = format!("{clients} client{}, transactions open for {open} ms", if clients == 1 { "" } else { "s" });
    let plan = Plan { warm: 1, ..request.plan(7) };
    let samples = interleave(&mut subjects, plan, &mut |done, all| request.progress.step(&title, done, all))?;
    drop(subjects);
    let arms = places.iter().zip(samples).map(|(place, samples)| Arm {
        name: place.name.to_owned(),
        samples: samples.iter().map(|sample| sample.value).collect(),
        ..Arm::default()
    });
    let guard = |yardstick: &str| Guard { arm: "auto".to_owned(), yardstick: yardstick.to_owned() };
    Ok(Operation {
        name: title,
        what: WRITE.to_owned(),
        unit: Unit::PerSecond,
        arms: arms.collect(),
        guards: vec![guard("none"), guard("whole-view lock")],
        ..Operation::default()
    })
}

fn transactions(server: &Server, database: &str, clients: i32, open: Duration, slice: Duration) -> Result<f64> {
    throughput(clients, slice, |client| {
        let mut connection = server.connect(database, SUPERUSER)?;
        let write = connection.prepare(WRITE).doing(WRITE)?;
        Ok(move |turn: i32| {
            let comment = client * 100 + turn % 100 + 1;
            let mut transaction = connection.transaction().doing("beginning")?;
            transaction.execute(&write, &[&comment]).doing(WRITE)?;
            if !open.is_zero() {
                std::thread::sleep(open);
            }
            transaction.commit().doing("committing")?;
            Ok(true)
        })
    })
}
