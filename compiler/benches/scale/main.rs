//! Whether a write costs the same however many rows there are: `make bench-scale`.
//!
//! For each shape the same write of one row is timed on two databases, one with 10^4 and one with 10^6 rows, in turns, so that what
//! else the machine does meets both. What is reported is the ratio of the medians; more than 1.30 is marked. Nothing fails: a shape
//! that the compiler refuses is listed as such.
//!
//! `TVIEWC_SCALE_ROWS=10000,1000000` are the sizes, `TVIEWC_SCALE_ROUNDS=200` the pairs, `TVIEWC_SCALE_SHAPES=window` the shapes whose
//! names contain one of the words.

mod shapes;

use std::time::{Duration, Instant};

use postgres::{Client, Statement};
use shapes::{ROWS, SCHEMA, SHAPES, Shape, Table, Write};
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, Output, compile};
use tviewc_verify::{SUPERUSER, Server, ServerOptions};

const MARK: f64 = 1.30;
const WARM: usize = 20;
/// For one statement, and for all rounds of one write.
const LIMIT: Duration = Duration::from_secs(30);

/// A database of one size.
struct Place {
    name: String,
    rows: i32,
}

fn main() {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let rows = setting("TVIEWC_SCALE_ROWS", "10000,1000000");
    let rows: Vec<i32> = rows.split(',').map(|n| n.parse().expect("a number of rows")).collect();
    let rounds: usize = setting("TVIEWC_SCALE_ROUNDS", "200").parse().expect("a number of rounds");
    let wanted = setting("TVIEWC_SCALE_SHAPES", "");

    let settings =
        [("shared_buffers", "1GB"), ("max_wal_size", "4GB"), ("work_mem", "64MB"), ("maintenance_work_mem", "256MB")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let server =
        Server::start(&ServerOptions { settings, ..ServerOptions::default() }).expect("a PostgreSQL server starts");
    let places: Vec<Place> = rows.iter().map(|rows| Place { name: format!("scale_{rows}"), rows: *rows }).collect();
    for place in &places {
        server.create_database(&place.name, SUPERUSER, None).expect("the database is created");
        let script = format!("{SCHEMA}{}VACUUM ANALYZE;", ROWS.replace("{n}", &place.rows.to_string()));
        server.psql(&place.name, SUPERUSER, &script).expect("the rows are made");
        println!("{}: {} child rows", place.name, place.rows);
    }
    println!(
        "{:<36}{:<10}{}{:>9}",
        "shape",
        "write of",
        places.iter().map(|p| format!("{:>12}", p.rows)).collect::<String>(),
        "ratio"
    );
    let is_wanted = |shape: &&Shape| wanted.split(',').any(|word| shape.name.contains(word));
    for shape in SHAPES.iter().filter(is_wanted) {
        measure(&server, &places, shape, rounds);
    }
}

/// Installs the shape everywhere, times its writes, and removes it again.
fn measure(server: &Server, places: &[Place], shape: &Shape, rounds: usize) {
    let output = match compiled(shape) {
        Ok(output) => output,
        Err(title) => return println!("{:<36}refused: {title}", shape.name),
    };
    for place in places {
        let script = format!("{}\n{}\nANALYZE;", shape.views, output.up);
        server.psql(&place.name, SUPERUSER, &script).expect("the migration is applied");
    }
    for write in shape.writes {
        let medians = timed(server, places, write, rounds);
        let ratio = medians[medians.len() - 1] / medians[0];
        let shown: String = medians.iter().map(|ms| format!("{ms:>9.3} ms")).collect();
        let mark = if ratio > MARK { "  <--" } else { "" };
        println!("{:<36}{:<10}{shown}{ratio:>9.2}{mark}", shape.name, write.table.name());
    }
    for place in places {
        let script = format!("{}\nDROP VIEW IF EXISTS v_x, w_parent; VACUUM;", output.down);
        server.psql(&place.name, SUPERUSER, &script).expect("the migration is taken back");
    }
}

fn compiled(shape: &Shape) -> Result<Output, String> {
    let text = format!("{SCHEMA}{}", shape.views);
    let sources = Sources { files: vec![SourceFile { name: "views.sql".into(), text, context_only: false }] };
    let compilation = compile(&sources, &Options { program: Some("scale".into()), ..Options::default() });
    let titles: Vec<&str> = compilation.diagnostics.sorted().iter().map(|d| d.title.as_str()).collect();
    compilation.output.ok_or_else(|| titles.join("; "))
}

/// Medians in milliseconds, one per place.
fn timed(server: &Server, places: &[Place], write: &Write, rounds: usize) -> Vec<f64> {
    let mut sessions: Vec<(Client, Statement, Vec<f64>)> = places
        .iter()
        .map(|place| {
            let mut client = server.connect(&place.name, SUPERUSER).expect("connected");
            client.batch_execute(&format!("SET statement_timeout = {}", LIMIT.as_millis())).expect("the limit is set");
            let statement = client.prepare(write.sql).expect("the write is valid");
            (client, statement, Vec::new())
        })
        .collect();
    let begun = Instant::now();
    for round in 0..WARM + rounds {
        for (place, (client, statement, times)) in places.iter().zip(&mut sessions) {
            let key = write.table.key(place.rows, round);
            let started = Instant::now();
            let changed = client.execute(statement, &[&key]);
            times.push(started.elapsed().as_secs_f64() * 1_000.0);
            let cancelled = |e: &postgres::Error| e.code().is_some_and(|code| code.code() == "57014");
            match changed {
                Ok(rows) => assert_eq!(rows, 1, "{}", write.sql),
                // It took the limit at least, and that is what is reported.
                Err(error) if cancelled(&error) => {}
                Err(error) => panic!("{}: {error}", write.sql),
            }
        }
        if begun.elapsed() > LIMIT {
            break;
        }
    }
    sessions.into_iter().map(|(_, _, times)| median(&times)).collect()
}

/// Of what comes after the first writes of the session: those plan everything, and plans become generic after the fifth.
fn median(times: &[f64]) -> f64 {
    let warm = WARM.min(times.len() / 2);
    let mut times = times[warm..].to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
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
