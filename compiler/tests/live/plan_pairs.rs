//! Interleavings made from the plan.
//!
//! In: a schema with views. Out: for each tview, pairs of small transactions of everything that its plan tells apart: each set of
//! columns whose change is handled in a way of its own, rows that come and rows that go; on rows at random, few enough to meet.
//! Always: no order of a pair's steps leaves a document that differs from its view. What the compiler does in a new way has its
//! own effects, and so its pairs.

use std::collections::{BTreeMap, BTreeSet};

use tviewc::explain::Effect;
use tviewc::{Options, compile};
use tviewc_verify::dice::Dice;
use tviewc_verify::interleave::{is_wrong, told, tviews_are_equal};
use tviewc_verify::writer::{Aim, RunOptions, Writer, random_run_with};
use tviewc_verify::{InterleaveOptions, Orders, SUPERUSER, Session, WriterOptions, interleave_with};

use crate::support::{OWNER, fixture, full, has_extension, installed, server, sources};

/// Something that the plan of a tview handles in a way of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub table: String,
    strategy: &'static str,
    pub aim: Aim,
    /// What it locks, as `explain` says.
    pub locks: BTreeSet<String>,
}

/// By tview.
pub(crate) fn cases(sql: &str) -> BTreeMap<String, Vec<Case>> {
    let options = Options { program: Some("test".into()), explain: true, ..Options::default() };
    let effects = compile(&sources(sql), &options).output.expect("it compiles").effects;
    let mut cases: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for Effect { table, columns, reached } in effects {
        let Some(reached) = reached else { continue };
        let known = cases.entry(reached.tview.to_string()).or_default();
        let (table, strategy) = (table.to_string(), reached.strategy);
        for aim in [Aim::Update(columns), Aim::Insert, Aim::Delete] {
            let locks = reached.locks.iter().cloned().collect();
            let case = Case { table: table.clone(), strategy, aim, locks };
            match known.iter_mut().find(|k| k.table == case.table && k.aim == case.aim) {
                Some(known) => known.locks.extend(case.locks),
                None => known.push(case),
            }
        }
    }
    cases
}

/// Every pair.
fn pairs(cases: &[Case]) -> Vec<(Case, Case)> {
    let others = |at: usize| cases[at..].iter().map(move |other| (cases[at].clone(), other.clone()));
    (0..cases.len()).flat_map(others).collect()
}

/// Each case in one pair with another at random.
fn sample(cases: &[Case], dice: &mut Dice) -> Vec<(Case, Case)> {
    cases.iter().filter_map(|case| Some((case.clone(), dice.pick(cases)?.clone()))).collect()
}

/// So that writes meet.
pub(crate) fn few() -> WriterOptions {
    WriterOptions { max_rows: 5, settings: false, ..WriterOptions::default() }
}

/// Fills a database with a few rows.
pub(crate) fn few_rows(database: &str) {
    let rows = RunOptions { seed: 3, transactions: 30, writer: few(), ..RunOptions::default() };
    random_run_with(server(), database, OWNER, &rows, &mut |_, _| {}).unwrap_or_else(|failure| panic!("{failure}"));
}

fn plan_pairs(name: &str, path: &str) {
    let (database, sql) = (format!("planned_{name}"), fixture(path));
    installed(&database, &sql);
    few_rows(&database);
    let scratch = format!("{database}_rows");
    server().create_database(&scratch, SUPERUSER, Some(&database)).expect("copied");
    let mut client = server().connect(&scratch, OWNER).expect("connected");
    let mut reader = server().connect(&scratch, SUPERUSER).expect("connected");
    let mut writer = Writer::for_role(&mut reader, OWNER, 1, few()).expect("a writer");
    let mut dice = Dice::new(1);
    // Others are refused without the extension.
    let levels: &[&str] = if has_extension() { &["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] } else { &[] };
    let (mut planned, mut met) = (BTreeSet::new(), BTreeSet::new());
    for (tview, cases) in cases(&sql) {
        planned.extend(cases.iter().map(|case| case.strategy));
        let sampled = if full() { pairs(&cases) } else { sample(&cases, &mut dice) };
        let count = sampled.len();
        // Where rows at random are not those that a sample needs, others are tried for the strategies that have met nothing.
        for (number, (one, other)) in sampled.into_iter().chain(pairs(&cases)).enumerate() {
            if number >= count && met.contains(one.strategy) {
                continue;
            }
            let mut statement = |case: &Case| writer.aimed(&mut client, &case.table, &case.aim).expect("it writes");
            let (Some(first), Some(second)) = (statement(&one), statement(&other)) else { continue };
            let sessions = [first, second].map(|sql| Session::new("s", OWNER, &["BEGIN", &sql, "COMMIT"]));
            let sessions = sessions.map(|session| match dice.pick(levels) {
                Some(level) => session.isolation(level),
                None => session,
            });
            let orders = if full() { Orders::All } else { Orders::Sample { count: 2, seed: number as u64 } };
            let options = InterleaveOptions { orders, ..InterleaveOptions::default() };
            let found = interleave_with(server(), &database, &sessions, &options, &tviews_are_equal).expect("they run");
            assert!(!is_wrong(&sessions, &found), "{tview}: {one:?} and {other:?}\n{}{found}", told(&sessions));
            met.extend([one.strategy, other.strategy]);
        }
    }
    assert_eq!(met, planned, "{name}: strategies that met another write");
    drop((client, reader, writer));
    [scratch, database].iter().for_each(|d| server().drop_database(d).expect("dropped"));
}

macro_rules! fixtures {
    ($($name:ident: $path:literal,)*) => { $(
        #[test]
        fn $name() {
            plan_pairs(stringify!($name), $path);
        }
    )* };
}

fixtures! {
    blog: "examples/blog/views.sql",
    network: "examples/network/views.sql",
    shop: "examples/shop/views.sql",
    arrays: "compiler/tests/data/live/arrays.sql",
    levels: "compiler/tests/data/live/levels.sql",
    patches: "compiler/tests/data/live/patches.sql",
    groups: "compiler/tests/data/live/groups.sql",
    absent_partners: "compiler/tests/data/live/absent_partners.sql",
    subqueries: "compiler/tests/data/live/subqueries.sql",
    told_keys: "compiler/tests/data/live/told_keys.sql",
    several_tables: "compiler/tests/data/live/several_tables.sql",
    set_operations: "compiler/tests/data/live/set_operations.sql",
    windows: "compiler/tests/data/live/windows.sql",
}
