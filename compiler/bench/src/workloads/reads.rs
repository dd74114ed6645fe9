//! Reading documents: a tview against its view and a materialized view, through `tviewc stream` and by key.
//!
//! In: the sizes of three databases and of one long stream. Out: the time to the last row and to the first, with a condition that
//! a tenth of the rows meets, for some chunk sizes, by TCP and by Unix socket; and what the reader holds while a million documents
//! pass through it. Every stream is counted: it has as many lines as there are rows.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use tviewc_verify::SUPERUSER;

use super::{Request, Size, blog, size};
use crate::error::{Doing, Error, Result};
use crate::machine::peak_memory;
use crate::program::{ArmKind, Program};
use crate::result::{Arm, Documents, Guard, Operation, Unit, Workload};
use crate::rounds::{Plan, Sample, Subject, interleave, microseconds};

/// What it takes.
pub const SIZES: &[Size] = &[
    size("small", 1_000, 100, 10_000_000),
    size("medium", 10_000, 100, 10_000_000),
    size("large", 100_000, 100, 10_000_000),
    size("long", 1_000_000, 1_000, 100_000_000),
];

/// Name of the arm, and the relation.
const RELATIONS: [(&str, &str); 3] =
    [("tview", "tv_bench_posts"), ("view", "v_bench_posts"), ("materialized view", "mv_bench_posts")];

const MATERIALIZED: &str = "CREATE MATERIALIZED VIEW mv_bench_posts AS SELECT * FROM v_bench_posts;
    CREATE UNIQUE INDEX ON mv_bench_posts (id);";

/// So many lines between two looks at the reader's memory.
const LOOK: usize = 1_000;

/// A stream to measure.
struct Stream<'a> {
    tviewc: &'a Path,
    url: String,
    arguments: Vec<String>,
    /// How many lines there have to be.
    rows: usize,
}

/// What was seen of one.
struct Seen {
    first: f64,
    all: f64,
    peak: f64,
}

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let tviewc = reader(request)?;
    let mut workload = Workload::default();
    for name in ["small", "medium", "large"] {
        let rows = request.size(name);
        let (documents, operations) = sized(request, &tviewc, rows)?;
        workload.documents.extend(documents);
        workload.operations.extend(operations);
    }
    if request.is_wanted("long stream") {
        workload.operations.extend(long(request, &tviewc)?);
    }
    workload
        .notes
        .push("Times of streams are those of a process, from its start: connecting is part of them.".to_owned());
    Ok(workload)
}

/// The program: as given, or built beside this one.
fn reader(request: &Request<'_>) -> Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.with_file_name("tviewc"));
    let path = request.tviewc.clone().or_else(beside).filter(|path| path.is_file());
    path.ok_or_else(|| {
        Error::Usage("there is no tviewc beside this program: build it, or say where it is with --tviewc".into())
    })
}

/// One size: everything about tview, view and materialized view.
fn sized(request: &Request<'_>, tviewc: &Path, rows: i32) -> Result<(Vec<Documents>, Vec<Operation>)> {
    let program = Program { name: "reads", after: MATERIALIZED.to_owned(), ..blog::program(rows / 10) };
    request.progress.note(&format!("reads: filling the database of {rows} rows"));
    if let Err(reason) = program.install(request.server, ArmKind::Auto)? {
        return Err(Error::Program(reason));
    }
    let database = program.database(ArmKind::Auto);
    let mut client = request.server.connect(&database, SUPERUSER)?;
    let equal = program.equality(&mut client)?;
    let count = usize::try_from(rows / 10 * 10).unwrap_or(0);
    let rounds = if rows > 10_000 { 10 } else { 30 };
    let all: Vec<String> = Vec::new();
    let order = vec!["--order-by".to_owned(), "id".to_owned()];
    let tenth = vec!["--where".to_owned(), format!("id <= {}", count / 10)];
    let mut operations = Vec::new();
    for (what, arguments, lines, first) in [
        ("all rows", &all, count, false),
        ("the first row", &all, count, true),
        ("the first row in the order of the key", &order, count, true),
        ("a tenth of the rows, by key", &tenth, count / 10, false),
    ] {
        let title = format!("{what}, of {rows}");
        let streams = RELATIONS.map(|(name, relation)| {
            let arguments = [vec![relation.to_owned()], arguments.clone()].concat();
            (name.to_owned(), Stream { tviewc, url: unix(request, &database), arguments, rows: lines })
        });
        if request.is_wanted(&title) {
            operations.push(streamed(request, &title, &streams, rounds, first)?);
        }
    }
    let chunks = ["10", "100", "1000", "10000"].map(|chunk| {
        let arguments = ["tv_bench_posts", "--chunk", chunk].map(str::to_owned).to_vec();
        (format!("chunk {chunk}"), Stream { tviewc, url: unix(request, &database), arguments, rows: count })
    });
    let title = format!("chunks, of {rows}");
    if request.is_wanted(&title) {
        operations.push(streamed(request, &title, &chunks, rounds, false)?);
    }
    let hosts = [("unix socket", unix(request, &database)), ("tcp", tcp(request, &database))].map(|(name, url)| {
        (name.to_owned(), Stream { tviewc, url, arguments: vec!["tv_bench_posts".to_owned()], rows: count })
    });
    let title = format!("connections, of {rows}");
    if request.is_wanted(&title) {
        operations.push(streamed(request, &title, &hosts, rounds, false)?);
    }
    let title = format!("one document by key, of {rows}");
    if request.is_wanted(&title) {
        operations.push(by_key(request, &database, &title, rows)?);
    }
    for arm in operations.iter_mut().flat_map(|operation| &mut operation.arms) {
        arm.equal = Some(equal.clone());
    }
    let documents = program.documents(&mut client)?.split_off(1);
    drop(client);
    request.server.drop_database(&database)?;
    Ok((documents, operations))
}

fn unix(request: &Request<'_>, database: &str) -> String {
    let server = request.server;
    format!("host={} port={} user={SUPERUSER} dbname={database}", server.socket_dir().display(), server.port())
}

fn tcp(request: &Request<'_>, database: &str) -> String {
    format!("host=127.0.0.1 port={} user={SUPERUSER} dbname={database}", request.server.port())
}

fn streamed(
    request: &Request<'_>,
    title: &str,
    streams: &[(String, Stream<'_>)],
    rounds: usize,
    first: bool,
) -> Result<Operation> {
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for (_, stream) in streams {
        subjects.push(Box::new(move |_| Ok(Sample::of(if first { stream.first()? } else { stream.read()?.all }))));
    }
    let plan = Plan { warm: 1, ..request.plan(rounds) };
    let samples = interleave(&mut subjects, plan, &mut |done, all| request.progress.step(title, done, all))?;
    drop(subjects);
    let what = streams.iter().map(|(_, stream)| format!("tviewc stream {}", stream.arguments.join(" ")));
    Ok(operation(title, what.collect::<Vec<_>>().join("; "), streams.iter().map(|(name, _)| name.as_str()), samples))
}

/// With the first arm guarded against the second.
fn operation<'a>(
    title: &str,
    what: String,
    names: impl Iterator<Item = &'a str>,
    samples: Vec<Vec<Sample>>,
) -> Operation {
    let arms: Vec<Arm> = names
        .zip(samples)
        .map(|(name, samples)| Arm {
            name: name.to_owned(),
            samples: samples.iter().map(|sample| sample.value).collect(),
            ..Arm::default()
        })
        .collect();
    let guards = match arms.as_slice() {
        [first, second, ..] => vec![Guard { arm: first.name.clone(), yardstick: second.name.clone() }],
        _ => Vec::new(),
    };
    Operation { name: title.to_owned(), what, arms, guards, ..Operation::default() }
}

/// As an application reads: by a prepared statement, over one connection.
fn by_key(request: &Request<'_>, database: &str, title: &str, rows: i32) -> Result<Operation> {
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for (_, relation) in RELATIONS {
        let mut client = request.server.connect(database, SUPERUSER)?;
        let sql = format!("SELECT data::text FROM {relation} WHERE id = $1");
        let statement = client.prepare(&sql).doing(sql.as_str())?;
        subjects.push(Box::new(move |round| {
            let key = 1 + i32::try_from(round as i64 * 7_919 % i64::from(rows / 10 * 10)).unwrap_or(0);
            let started = Instant::now();
            let found = client.query_one(&statement, &[&key]).doing(sql.as_str())?;
            let elapsed = microseconds(started);
            if found.get::<_, Option<&str>>(0).is_none() {
                return Err(Error::Program(format!("{sql}: no document {key}")));
            }
            Ok(Sample::of(elapsed))
        }));
    }
    let samples =
        interleave(&mut subjects, request.plan(200), &mut |done, all| request.progress.step(title, done, all))?;
    drop(subjects);
    let names = RELATIONS.iter().map(|(name, _)| *name);
    Ok(operation(title, "SELECT data FROM … WHERE id = $1".to_owned(), names, samples))
}

/// Many documents, and what their reader holds.
fn long(request: &Request<'_>, tviewc: &Path) -> Result<Vec<Operation>> {
    let rows = request.size("long");
    let database = "reads_long";
    request.progress.note(&format!("reads: making {rows} documents"));
    request.server.create_database(database, SUPERUSER, None)?;
    let script = format!(
        "CREATE TABLE tv_long AS SELECT i AS id, jsonb_build_object('id', i, 'text', md5(i::text), 'more', md5('m' || i)) AS data
           FROM generate_series(1, {rows}) AS i; ALTER TABLE tv_long ADD PRIMARY KEY (id); VACUUM ANALYZE tv_long;"
    );
    request.server.psql(database, SUPERUSER, &script)?;
    let streams = ["100", "1000", "10000", "100000"].map(|chunk| {
        let arguments = ["tv_long", "--chunk", chunk].map(str::to_owned).to_vec();
        let rows = usize::try_from(rows).unwrap_or(0);
        (format!("chunk {chunk}"), Stream { tviewc, url: unix(request, database), arguments, rows })
    });
    let mut seen: Vec<Vec<Seen>> = streams.iter().map(|_| Vec::new()).collect();
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for ((_, stream), seen) in streams.iter().zip(&mut seen) {
        subjects.push(Box::new(move |_| {
            seen.push(stream.read()?);
            Ok(Sample::of(0.0))
        }));
    }
    let plan = Plan { warm: 0, ..request.plan(3) };
    let title = format!("long stream of {rows} documents");
    interleave(&mut subjects, plan, &mut |done, all| request.progress.step(&title, done, all))?;
    drop(subjects);
    request.server.drop_database(database)?;
    let figure = |what: &str, unit: Unit, of: fn(&Seen) -> f64| {
        let samples = seen.iter().map(|seen| seen.iter().map(|seen| Sample::of(of(seen))).collect()).collect();
        let names = streams.iter().map(|(name, _)| name.as_str());
        let what_ran = "tviewc stream tv_long --chunk …".to_owned();
        Operation { unit, guards: Vec::new(), ..operation(&format!("{title}: {what}"), what_ran, names, samples) }
    };
    Ok(vec![
        figure("to the last row", Unit::Microseconds, |seen| seen.all),
        figure("to the first row", Unit::Microseconds, |seen| seen.first),
        figure("memory of the reader", Unit::Kilobytes, |seen| seen.peak),
    ])
}

impl Stream<'_> {
    fn start(&self) -> Result<std::process::Child> {
        let mut command = Command::new(self.tviewc);
        command.arg("stream").args(&self.arguments).args(["--message-format", "json", "--database-url", &self.url]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        child.map_err(|source| Error::File { path: self.tviewc.to_owned(), source })
    }

    /// To the end.
    fn read(&self) -> Result<Seen> {
        let failed = |source| Error::File { path: self.tviewc.to_owned(), source };
        let started = Instant::now();
        let mut child = self.start()?;
        let mut out = BufReader::new(child.stdout.take().ok_or_else(|| Error::Program("no pipe".to_owned()))?);
        let (mut first, mut lines, mut peak) = (0.0, 0, 0);
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            lines += 1;
            if lines == 1 {
                first = microseconds(started);
            }
            if lines % LOOK == 0 {
                peak = peak.max(peak_memory(child.id().into()).unwrap_or(0));
            }
            line.clear();
        }
        let status = child.wait().map_err(failed)?;
        let all = microseconds(started);
        if !status.success() || lines != self.rows {
            return Err(Error::Program(format!(
                "tviewc stream ended with {status} after {lines} of {} lines",
                self.rows
            )));
        }
        Ok(Seen { first, all, peak: peak as f64 })
    }

    /// To the first line; then the reader goes away.
    fn first(&self) -> Result<f64> {
        let failed = |source| Error::File { path: self.tviewc.to_owned(), source };
        let started = Instant::now();
        let mut child = self.start()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or_else(|| Error::Program("no pipe".to_owned()))?;
        let read = BufReader::new(out).read_line(&mut line).map_err(failed)?;
        let elapsed = microseconds(started);
        let status = child.wait().map_err(failed)?;
        if read == 0 || !status.success() {
            return Err(Error::Program(format!("tviewc stream ended with {status} before the first line")));
        }
        Ok(elapsed)
    }
}
