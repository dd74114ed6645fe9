//! Whether writers of different documents wait for each other: `make bench-concurrency`.
//!
//! Clients write comments of posts and authors of their own, in transactions that stay open for a while after the write, on three
//! databases in turns: without triggers, with the migration, and with the migration under a lock of the whole tview for each
//! write, which is what an extension takes that maintains a view as one relation. What is reported is throughput, how it grows from
//! one client to all of them, and the ratios to the other databases. Medians of the rounds; after them every tview is compared.
//!
//! `TVIEWC_CLIENTS=8` is the number of clients, `TVIEWC_ROUNDS=7` the rounds, `TVIEWC_OPEN_MS=0,5` how long a transaction stays open.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, compile};
use tviewc_verify::{SUPERUSER, Server, ServerOptions, compare};

const BLOG: &str = include_str!("../../examples/blog/views.sql");

/// For each client 10 posts of an author of its own, with 10 comments each.
const ROWS: &str = "INSERT INTO bench_authors (name, email) SELECT 'a' || i, 'e' FROM generate_series(1, {n}) AS i;
    INSERT INTO bench_posts (author_id, title, content) SELECT (i - 1) / 10 + 1, 't', 'c' FROM generate_series(1, {n} * 10) AS i;
    INSERT INTO bench_comments (post_id, author_id, content)
        SELECT (i - 1) / 10 + 1, (i - 1) / 100 + 1, 'c' FROM generate_series(1, {n} * 100) AS i;";

/// Statement triggers of this name fire before the statement.
const WHOLE_VIEW_LOCK: &str = "CREATE FUNCTION lock_views() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        LOCK TABLE tv_bench_posts, tv_bench_comments IN EXCLUSIVE MODE; RETURN NULL; END $$;
    CREATE TRIGGER lock_views BEFORE UPDATE ON bench_comments FOR EACH STATEMENT EXECUTE FUNCTION lock_views();";

/// How long one measurement takes.
const SLICE: Duration = Duration::from_millis(600);

const ARMS: [&str; 3] = ["no triggers", "tviewc", "whole-view lock"];

fn main() {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let clients: usize = setting("TVIEWC_CLIENTS", "8").parse().expect("a number of clients");
    let rounds: usize = setting("TVIEWC_ROUNDS", "7").parse().expect("a number of rounds");
    let open = setting("TVIEWC_OPEN_MS", "0,5");
    let server = Server::start(&ServerOptions::default()).expect("a PostgreSQL server starts");
    for (number, arm) in ARMS.iter().enumerate() {
        prepare(&server, &database(number), arm, clients);
    }
    println!(
        "{:<14}{:<18}{:>14}{:>14}{:>10}",
        "open for",
        "database",
        "1 client /s",
        format!("{clients} /s"),
        "growth"
    );
    for ms in open.split(',').map(|ms| ms.parse().expect("milliseconds")) {
        let medians = measure(&server, clients, rounds, Duration::from_millis(ms));
        let growth = medians.map(|(one, all)| all / one);
        for ((arm, (one, all)), growth) in ARMS.iter().zip(medians).zip(growth) {
            println!("{:<14}{arm:<18}{one:>14.0}{all:>14.0}{growth:>10.2}", format!("{ms} ms"));
        }
        println!(
            "{:<14}growth with tviewc / without triggers {:.2}; {clients} clients with tviewc / with a whole-view lock {:.2}",
            "",
            growth[1] / growth[0],
            medians[1].1 / medians[2].1
        );
    }
    for number in 1..ARMS.len() {
        let report = compare(&mut server.connect(&database(number), SUPERUSER).expect("connected")).expect("compared");
        assert!(report.is_equal(), "{report}");
    }
}

fn database(number: usize) -> String {
    format!("concurrency_{number}")
}

fn prepare(server: &Server, name: &str, arm: &str, clients: usize) {
    server.create_database(name, SUPERUSER, None).expect("the database is created");
    let mut script = format!("{BLOG}\n{}", ROWS.replace("{n}", &clients.to_string()));
    if arm != "no triggers" {
        let sources =
            Sources { files: vec![SourceFile { name: "views.sql".into(), text: BLOG.into(), context_only: false }] };
        let compilation = compile(&sources, &Options { program: Some("blog".into()), ..Options::default() });
        script += &compilation.output.expect("the blog compiles").up;
    }
    if arm == "whole-view lock" {
        script += WHOLE_VIEW_LOCK;
    }
    server.psql(name, SUPERUSER, &format!("{script}\nVACUUM ANALYZE;")).expect("the database is filled");
}

/// Transactions per second of one client and of all, per database.
fn measure(server: &Server, clients: usize, rounds: usize, open: Duration) -> [(f64, f64); 3] {
    let mut samples = [const { (Vec::new(), Vec::new()) }; 3];
    for _ in 0..rounds {
        for (number, (one, all)) in samples.iter_mut().enumerate() {
            one.push(throughput(server, &database(number), 1, open));
            all.push(throughput(server, &database(number), clients, open));
        }
    }
    samples.map(|(one, all)| (median(one), median(all)))
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn throughput(server: &Server, database: &str, clients: usize, open: Duration) -> f64 {
    let (ready, done, commits) = (Barrier::new(clients + 1), AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for client in 0..clients {
            let (ready, done, commits) = (&ready, &done, &commits);
            scope.spawn(move || {
                let mut connection = server.connect(database, SUPERUSER).expect("connected");
                let write = "UPDATE bench_comments SET content = md5(random()::text) WHERE id = $1";
                let write = connection.prepare(write).expect("the write is valid");
                ready.wait();
                for turn in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let comment = (client * 100 + turn % 100 + 1) as i32;
                    let mut transaction = connection.transaction().expect("begun");
                    transaction.execute(&write, &[&comment]).expect("written");
                    if !open.is_zero() {
                        std::thread::sleep(open);
                    }
                    transaction.commit().expect("committed");
                    commits.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        ready.wait();
        let begun = Instant::now();
        std::thread::sleep(SLICE);
        let made = commits.load(Ordering::Relaxed);
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        made as f64 / took.as_secs_f64()
    })
}
