//! Random schemas and views from the whole grammar, compiled, applied, written at random and compared.
//!
//! A refusal with a code is an answer; a wrong document, a panic, an error of generated code and SQL that PostgreSQL does not
//! accept are failures. `TVIEWC_TEST_FULL=1` runs thousands of cases; `TVIEWC_GEN_SEED` and `TVIEWC_GEN_CASES` choose which and how
//! many; `TVIEWC_GEN_SHAPES` switches shapes (see `shapes.rs`). A failing case is saved in Cargo's folder for files of tests.

mod constants;
mod elements;
mod expr;
mod found;
mod from;
mod full;
mod groups;
mod made;
mod query;
mod relation;
mod report;
mod run;
mod schema;
mod scope;
mod shapes;
#[path = "../common/server.rs"]
mod shared;
mod subquery;
mod triggers;
mod values;
mod whole;
mod windows;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use report::Summary;
use run::{Case, Effort};
use shapes::Menu;

/// The bound of a quick run; it has begun its last cases then.
const QUICK: Duration = Duration::from_secs(60);

#[test]
fn generated_views_stay_equal() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let full = std::env::var_os("TVIEWC_TEST_FULL").is_some_and(|v| v == "1");
    let shapes = std::env::var("TVIEWC_GEN_SHAPES").unwrap_or_else(|_| found::SHAPES.to_owned());
    let menu = Menu::parse(Some(&shapes)).expect("known shapes");
    let (first, asked) = (number("TVIEWC_GEN_SEED").unwrap_or(1), number("TVIEWC_GEN_CASES"));
    let cases = asked.unwrap_or(if full { 3_000 } else { 400 });
    let deadline = (asked.is_none() && !full).then(|| Instant::now() + QUICK);
    let effort = Effort { transactions: if full { 60 } else { 25 }, trials: 200, sabotage: false };

    let next = AtomicU64::new(first);
    let summary = Mutex::new(Summary::default());
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + cases || deadline.is_some_and(|deadline| Instant::now() > deadline) {
                        return;
                    }
                    let report = Case::of(seed, &menu).run(&effort);
                    summary.lock().expect("no thread has panicked").add(report);
                }
            });
        }
    });
    let summary = summary.into_inner().expect("no thread has panicked");
    println!("{summary}");
    summary.save_refusals();
    assert!(
        summary.failures.is_empty(),
        "{} of {} cases failed:\n{}",
        summary.failures.len(),
        summary.cases,
        summary.failed()
    );
    if asked.is_none() {
        summary.assert_worth();
    }
}

/// The comparison sees that the writes of a table reach no document; some programs hardly read that table.
#[test]
fn a_missing_trigger_is_found() {
    let menu = Menu::parse(Some(found::SHAPES)).expect("known shapes");
    let effort = Effort { transactions: 20, trials: 0, sabotage: true };
    let found = (1..=8).filter(|seed| Case::of(*seed, &menu).run_as("sabotage", &effort).failed.is_some()).count();
    assert!(found >= 4, "only {found} of 8 programs without triggers differ from their views");
}

/// The same seed gives the same program, on every machine: a failure can be seen again.
#[test]
fn a_seed_is_a_program() {
    let menu = Menu::parse(None).expect("no list");
    let (one, two) = (Case::of(7, &menu), Case::of(7, &menu));
    assert_eq!(one.text(), two.text());
    assert_ne!(one.text(), Case::of(8, &menu).text());
}
