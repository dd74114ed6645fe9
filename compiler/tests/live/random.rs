//! Random writes: after every commit every tview equals its view, byte for byte.

use std::collections::BTreeMap;
use std::time::Duration;

use tviewc::plan::Strategy;
use tviewc_verify::interleave::{RandomOptions, random_interleavings};
use tviewc_verify::writer::{Kind, RunOptions, random_run_with};
use tviewc_verify::{LoadOptions, LoadReport, SUPERUSER, WriterOptions, load};

use crate::key_pairs::THREE_PARTS;
use crate::support::{OWNER, count_writes, counted, fixture, full, installed, installed_with, server, value};

/// Random transactions from several seeds, each on a fresh database.
fn random_writes(name: &str, path: &str) {
    let sql = fixture(path);
    let (seeds, transactions) = if full() { (20, 2_000) } else { (2, 150) };
    let mut most_rows: BTreeMap<String, i64> = BTreeMap::new();
    let mut written: BTreeMap<&str, i64> = BTreeMap::new();
    let mut planned = String::new();
    for seed in 1..=seeds {
        let database = format!("random_{name}_{seed}");
        installed(&database, &sql);
        count_writes(&database);
        let options = RunOptions { seed, transactions, ..RunOptions::default() };
        let report = random_run_with(server(), &database, OWNER, &options, &mut |_, _| {})
            .unwrap_or_else(|failure| panic!("{failure}"));
        assert!(report.commits > transactions / 3, "{report}");
        counted(&database).into_iter().for_each(|(strategy, count)| *written.entry(strategy).or_default() += count);
        for (view, rows) in report.most_rows {
            let most = most_rows.entry(view).or_default();
            *most = rows.max(*most);
        }
        planned = value(&database, PLANNED);
        server().drop_database(&database).expect("dropped");
    }
    recompute_only(name, &sql, transactions / 2);
    let idle: Vec<&str> = planned.lines().filter(|strategy| written[strategy] == 0).collect();
    assert!(idle.is_empty(), "never used: {idle:?}; {written:?}");
    assert!(most_rows.values().all(|rows| *rows > 0), "a run over empty views proves nothing: {most_rows:?}");
}

/// The same without patches: what they are compared with has to be right as well.
fn recompute_only(name: &str, sql: &str, transactions: usize) {
    let database = format!("recompute_{name}");
    installed_with(&database, sql, Strategy::Recompute);
    count_writes(&database);
    let options = RunOptions { seed: 1, transactions, ..RunOptions::default() };
    random_run_with(server(), &database, OWNER, &options, &mut |_, _| {}).unwrap_or_else(|failure| panic!("{failure}"));
    let written = counted(&database);
    assert_eq!(written["any"], written["key_recompute"], "nothing else was to run");
    server().drop_database(&database).expect("dropped");
}

/// The strategies of a program, one a line.
const PLANNED: &str = "SELECT string_agg(DISTINCT s, E'\\n') FROM tview.pg_tview_meta AS m, unnest(m.strategies) AS s";

/// Many clients at once, in full runs for two minutes; what fails is tried again, and nothing may be stale at the end.
fn load_of(name: &str, path: &str) {
    let database = format!("load_{name}");
    installed(&database, &fixture(path));
    loaded(&database, WriterOptions::default());
    server().drop_database(&database).expect("dropped");
}

fn loaded(database: &str, writer: WriterOptions) -> LoadReport {
    // Whoever waits in a deadlock waits for that long, and whoever has to run again may meet the same clients again.
    let often = format!("ALTER DATABASE {database} SET deadlock_timeout = '20ms'");
    server().psql(database, SUPERUSER, &often).expect("it may be set");
    let (threads, transactions) = if full() { (8, usize::MAX) } else { (4, 40) };
    let duration = Duration::from_secs(120);
    let options = LoadOptions { threads, transactions, duration, writer, retries: 200, ..LoadOptions::default() };
    let report = load(server(), database, OWNER, &options).expect("the load runs");
    println!("{database}: {} commits, {} deadlocks, in {:?}", report.commits, report.deadlocks, report.elapsed);
    assert!(report.compared.is_equal(), "{report}");
    assert_eq!((report.suspicious_total, report.given_up), (0, 0), "{report}");
    report
}

/// Where there are no foreign keys, transactions of one statement that changes one row wait for nothing but our locks.
#[test]
fn single_statements_do_not_deadlock() {
    let plain = ["full_joins", "organisation", "outer_joins", "patches", "subqueries", "tenants", "tree"];
    let fixtures = plain.map(|name| (name, fixture(&format!("compiler/tests/data/live/{name}.sql"))));
    for (name, sql) in fixtures.into_iter().chain([("three_parts", THREE_PARTS.to_owned())]) {
        let database = format!("single_{name}");
        installed(&database, &sql);
        let kinds =
            [Kind::InsertOne, Kind::UpdateOne, Kind::UpdateKey, Kind::UpdateForeignKey, Kind::DeleteOne].to_vec();
        let writer =
            WriterOptions { kinds, transactions: false, settings: false, max_rows: 12, ..WriterOptions::default() };
        let report = loaded(&database, writer);
        assert_eq!(report.deadlocks, 0, "{report}\n{}", report.deadlock_texts.join("\n"));
        server().drop_database(&database).expect("dropped");
    }
}

/// Random transactions in random orders of their steps, on rows that they share; under READ COMMITTED, and in mixtures.
fn orders_of(name: &str, path: &str) {
    let database = format!("orders_{name}");
    installed(&database, &fixture(path));
    let writer = WriterOptions { max_rows: 6, settings: false, ..WriterOptions::default() };
    let rows = RunOptions { seed: 5, transactions: 25, writer: writer.clone(), ..RunOptions::default() };
    random_run_with(server(), &database, OWNER, &rows, &mut |_, _| {}).unwrap_or_else(|failure| panic!("{failure}"));
    let (rounds, orders) = if full() { (400, 10) } else { (4, 3) };
    let mixed = ["READ COMMITTED", "REPEATABLE READ", "READ COMMITTED", "SERIALIZABLE"].map(str::to_owned).to_vec();
    for (isolation, rounds) in [(Vec::new(), rounds), (mixed, rounds / 3)] {
        let options = RandomOptions { rounds, orders, isolation, writer: writer.clone(), ..RandomOptions::default() };
        let report = random_interleavings(server(), &database, OWNER, &options).expect("all orders run");
        assert!(report.wrong.is_none(), "{name}: {report}");
    }
    server().drop_database(&database).expect("dropped");
}

macro_rules! fixtures {
    ($($name:ident: $path:literal,)*) => { $(
        mod $name {
            #[test]
            fn random_writes() {
                super::random_writes(stringify!($name), $path);
            }

            #[test]
            fn orders() {
                super::orders_of(stringify!($name), $path);
            }

            #[test]
            fn load() {
                super::load_of(stringify!($name), $path);
            }

            #[test]
            fn scans() {
                crate::scans::scans_of(stringify!($name), $path);
            }
        }
    )* };
}

fixtures! {
    blog: "examples/blog/views.sql",
    example_network: "examples/network/views.sql",
    example_shop: "examples/shop/views.sql",
    example_chat: "examples/chat/views.sql",
    example_organisation: "examples/organisation/views.sql",
    example_ledger: "examples/ledger/views.sql",
    example_leaderboard: "examples/leaderboard/views.sql",
    organisation: "compiler/tests/data/live/organisation.sql",
    tenants: "compiler/tests/data/live/tenants.sql",
    shop: "compiler/tests/data/live/shop.sql",
    tree: "compiler/tests/data/live/tree.sql",
    outer_joins: "compiler/tests/data/live/outer_joins.sql",
    subqueries: "compiler/tests/data/live/subqueries.sql",
    actions: "compiler/tests/data/live/actions.sql",
    shared_keys: "compiler/tests/data/live/shared_keys.sql",
    key_types: "compiler/tests/data/live/key_types.sql",
    odd_names: "compiler/tests/data/live/odd_names.sql",
    wide_references: "compiler/tests/data/live/wide_references.sql",
    null_documents: "compiler/tests/data/live/null_documents.sql",
    outer_limit: "compiler/tests/data/live/outer_limit.sql",
    ordered_view: "compiler/tests/data/live/ordered_view.sql",
    using_star: "compiler/tests/data/live/using_star.sql",
    quoted_names: "compiler/tests/data/live/quoted_names.sql",
    fixed_below: "compiler/tests/data/live/fixed_below.sql",
    partitions: "compiler/tests/data/live/partitions.sql",
    odd_partitions: "compiler/tests/data/live/odd_partitions.sql",
    groups: "compiler/tests/data/live/groups.sql",
    set_operations: "compiler/tests/data/live/set_operations.sql",
    full_joins: "compiler/tests/data/live/full_joins.sql",
    expressions: "compiler/tests/data/live/expressions.sql",
    several_tables: "compiler/tests/data/live/several_tables.sql",
    windows: "compiler/tests/data/live/windows.sql",
    windows_below: "compiler/tests/data/live/windows_below.sql",
    refresh: "compiler/tests/data/live/refresh.sql",
    patches: "compiler/tests/data/live/patches.sql",
    patch_shapes: "compiler/tests/data/live/patch_shapes.sql",
    patch_objects: "compiler/tests/data/live/patch_objects.sql",
    narrowed: "compiler/tests/data/live/narrowed.sql",
    elements: "compiler/tests/data/live/elements.sql",
    arrays: "compiler/tests/data/live/arrays.sql",
    levels: "compiler/tests/data/live/levels.sql",
    document_types: "compiler/tests/data/live/document_types.sql",
    guarded: "compiler/tests/data/live/guarded.sql",
    made_keys: "compiler/tests/data/live/made_keys.sql",
    made_rows: "compiler/tests/data/live/made_rows.sql",
    idle_outer_joins: "compiler/tests/data/live/idle_outer_joins.sql",
    array_values: "compiler/tests/data/live/array_values.sql",
    group_values: "compiler/tests/data/live/group_values.sql",
    numbered: "compiler/tests/data/live/numbered.sql",
    memberships: "compiler/tests/data/live/memberships.sql",
    told_keys: "compiler/tests/data/live/told_keys.sql",
    among: "compiler/tests/data/live/among.sql",
    days: "compiler/tests/data/live/days.sql",
    constant_keys: "compiler/tests/data/live/constant_keys.sql",
    nested_arrays: "compiler/tests/data/live/nested_arrays.sql",
    nested_names: "compiler/tests/data/live/nested_names.sql",
    fallbacks: "compiler/tests/data/live/fallbacks.sql",
    hidden_groups: "compiler/tests/data/live/hidden_groups.sql",
    permissions: "compiler/tests/data/live/permissions.sql",
    absent_partners: "compiler/tests/data/live/absent_partners.sql",
    partial_keys: "compiler/tests/data/live/partial_keys.sql",
    distinct_sides: "compiler/tests/data/live/distinct_sides.sql",
    composed_keys: "compiler/tests/data/live/composed_keys.sql",
    permissions_of_all: "compiler/tests/data/live/permissions_of_all.sql",
    nullable_keys: "compiler/tests/data/live/nullable_keys.sql",
    told_by_queries: "compiler/tests/data/live/told_by_queries.sql",
    shown_documents: "compiler/tests/data/live/shown_documents.sql",
    grouped_joins: "compiler/tests/data/live/grouped_joins.sql",
    grouped_whole: "compiler/tests/data/live/grouped_whole.sql",
}
