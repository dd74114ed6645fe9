//! What a write costs: `make bench-quick`.
//!
//! The same writes on databases with the same rows: without triggers, with triggers written by hand, and with the migrations of
//! `--strategy recompute` and `auto`. In each round every database gets the same write, in an order that changes from round to round,
//! so that what else the machine does meets all of them. The overhead of a write is its time minus that of the same write
//! without triggers. At the end each database's documents are compared with its views, byte for byte; it is an error if
//! one differs. A goal that is missed is reported, and no error.

mod report;
mod workload;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use postgres::{Client, Statement};
use report::Figures;
use serde_json::json;
use tviewc::plan::Strategy;
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, compile};
use tviewc_verify::{SUPERUSER, Server, ServerOptions};
use workload::{PROGRAMS, Program, Sizes, Write};

/// Generic plans come after the fifth call; the first calls of a session plan everything.
const WARM: usize = 10;

/// What a write costs, against triggers written by hand.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    sizes: Sizes,
    /// Rounds of a write of one row
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Only writes whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Where to write the figures as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What keeps the documents.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    /// Nothing; there are none.
    None,
    /// The migration without patches.
    Recompute,
    /// The migration.
    Auto,
    /// Triggers written by hand.
    Hand,
    /// Nothing, but a trigger compares.
    Comparison,
}

impl Arm {
    const ALL: [Arm; 5] = [Arm::None, Arm::Recompute, Arm::Auto, Arm::Hand, Arm::Comparison];

    /// As the report names it.
    pub fn name(self) -> &'static str {
        match self {
            Arm::None => "none",
            Arm::Recompute => "recompute",
            Arm::Auto => "auto",
            Arm::Hand => "by hand",
            Arm::Comparison => "comparison",
        }
    }

    /// Whether there are documents.
    fn has_documents(self) -> bool {
        matches!(self, Arm::Recompute | Arm::Auto | Arm::Hand)
    }

    fn database(self, program: &Program) -> String {
        format!("{}_{}", program.name, self.name().replace(' ', "_"))
    }

    /// What is installed beside tables and rows.
    fn script(self, program: &Program) -> String {
        let migration = |strategy| format!("{}\n{}", program.views, up(program, strategy));
        match self {
            Arm::None => program.views.to_owned(),
            Arm::Recompute => migration(Strategy::Recompute),
            Arm::Auto => migration(Strategy::Auto),
            Arm::Hand => format!("{}\n{}", program.views, program.triggers),
            Arm::Comparison => format!("{}\n{}", program.views, include_str!("compare_only.sql")),
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let settings = [("shared_buffers", "1GB"), ("max_wal_size", "4GB"), ("maintenance_work_mem", "256MB")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let server =
        Server::start(&ServerOptions { settings, ..ServerOptions::default() }).expect("a PostgreSQL server starts");
    let mut all = Vec::new();
    let mut equal = true;
    for program in PROGRAMS {
        let writes: Vec<&Write> = program.writes.iter().filter(|w| w.name.contains(&arguments.only)).collect();
        if writes.is_empty() {
            continue;
        }
        let arms = install(&server, program, arguments.sizes);
        for write in writes {
            let times = measure(&server, program, write, &arms, &arguments);
            let figures = Figures::of(program.name, write, &times);
            println!("{}", figures.text());
            all.push(figures);
        }
        for arm in arms.iter().filter(|arm| arm.has_documents()) {
            equal &= is_equal(&server, program, *arm);
        }
    }
    let mut client = server.admin().expect("connected");
    let version: String = client.query_one("SELECT version()", &[]).expect("the server tells its version").get(0);
    let result = json!({
        "server": version,
        "users": arguments.sizes.users,
        "authors": arguments.sizes.authors,
        "documents_equal_views": equal,
        "writes": all,
    });
    if let Some(path) = arguments.json {
        let text = serde_json::to_string_pretty(&result).expect("figures are JSON");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("writing {}: {error}", path.display()));
    }
    assert!(equal, "documents differ from their views");
}

/// Makes a program's databases; says which arms it has.
fn install(server: &Server, program: &Program, sizes: Sizes) -> Vec<Arm> {
    let is_compared = program.writes.iter().any(Write::is_timed_in_the_server);
    let arms: Vec<Arm> = Arm::ALL.into_iter().filter(|arm| *arm != Arm::Comparison || is_compared).collect();
    let touch = if is_compared { include_str!("touch.sql") } else { "" };
    for arm in &arms {
        let database = arm.database(program);
        server.create_database(&database, SUPERUSER, None).expect("the database is created");
        // The rows come before the triggers, behind the tables: the program's text makes both tables and views.
        let script = arm.script(program);
        let tables = format!("{}\n{}\nVACUUM ANALYZE;", program.views, program.rows(sizes));
        let script = script.strip_prefix(program.views).unwrap_or_default();
        for text in [&tables, script, touch, "VACUUM ANALYZE;"] {
            server.psql(&database, SUPERUSER, text).expect("the database is filled");
        }
    }
    arms
}

fn up(program: &Program, strategy: Strategy) -> String {
    let file = SourceFile { name: "views.sql".into(), text: program.views.to_owned(), context_only: false };
    let options = Options { program: Some("bench".into()), strategy, ..Options::default() };
    let compilation = compile(&Sources { files: vec![file] }, &options);
    let titles: Vec<&str> = compilation.diagnostics.sorted().iter().map(|d| d.title.as_str()).collect();
    compilation.output.unwrap_or_else(|| panic!("the views do not compile: {titles:?}")).up
}

/// Microseconds per arm and round.
fn measure(
    server: &Server,
    program: &Program,
    write: &Write,
    arms: &[Arm],
    arguments: &Arguments,
) -> Vec<(Arm, Vec<f64>)> {
    let is_wanted = |arm: &&Arm| **arm != Arm::Comparison || write.is_timed_in_the_server();
    let mut sessions: Vec<(Arm, Client, Statement, Vec<f64>)> = arms
        .iter()
        .filter(is_wanted)
        .map(|arm| {
            let mut client = server.connect(&arm.database(program), SUPERUSER).expect("connected");
            let statement = client.prepare(write.sql).expect("the write is valid");
            (*arm, client, statement, Vec::new())
        })
        .collect();
    let count = sessions.len();
    for round in 0..WARM + arguments.rounds.div_ceil(write.every) {
        let key = write.key(arguments.sizes, round);
        let number = i32::try_from(round).expect("not so many rounds");
        for place in 0..count {
            let (_, client, statement, times) = &mut sessions[(place + round) % count];
            let started = Instant::now();
            let result = client.query(statement, &[&key, &number]);
            let elapsed = started.elapsed().as_secs_f64() * 1e6;
            let rows = result.unwrap_or_else(|error| panic!("{}: {error}", write.sql));
            times.push(if write.is_timed_in_the_server() { rows[0].get(0) } else { elapsed });
        }
    }
    sessions.into_iter().map(|(arm, _, _, times)| (arm, times[WARM..].to_vec())).collect()
}

/// Whether every document is its view's, byte for byte, and none is missing or left over.
fn is_equal(server: &Server, program: &Program, arm: Arm) -> bool {
    let mut client = server.connect(&arm.database(program), SUPERUSER).expect("connected");
    let mut differing = |(tview, view): &(&str, &str)| {
        let sql = format!(
            "SELECT count(*) FROM {tview} AS t FULL JOIN {view} AS v ON v.id = t.id
              WHERE t.id IS NULL OR v.id IS NULL OR record_image_ne(t.*, v.*)"
        );
        let count: i64 = client.query_one(&sql, &[]).expect("documents and views are comparable").get(0);
        println!("{} {tview}: {count} documents differ from {view}", arm.name());
        count
    };
    program.tviews.iter().map(&mut differing).sum::<i64>() == 0
}
