//! No lock of a value can be left out: for each link of a tview, and each of the two modes, a runtime that forgets just that one leaves a
//! document stale after some order of two writes made from the plan.
//!
//! In: a schema with views. Out: what was lost and not noticed. Full runs try every lock; others one of them.
//!
//! Where rows refer to each other by chance only (no foreign keys, filters), writes at random meet too seldom for this: for the kinds of locks
//! of such views `needed_locks` has pairs that are written down.

use std::collections::BTreeMap;

use postgres::Client;
use tviewc_verify::dice::Dice;
use tviewc_verify::writer::Writer;
use tviewc_verify::{InterleaveOptions, Orders, SUPERUSER, Session, interleave_with};

use crate::plan_pairs::{Case, cases, few, few_rows};
use crate::support::{OWNER, fixture, full, installed, server};

/// How often all pairs of a tview's writes are tried, with other rows each time.
const ROUNDS: u64 = 12;

/// The lock functions, so that one mode of one link is forgotten; and the links of other tviews, whose locks would keep the same
/// writers apart.
fn forgetting(tview: &str, link: &str, exclusive: bool) -> String {
    let (values, whole) =
        if exclusive { ("NULL, shared", "false, shared") } else { ("exclusive, NULL", "exclusive, false") };
    let one = |function: &str, types: &str, kept: &str| {
        format!(
            "ALTER FUNCTION tview.{function}(regclass, {types}, {types}) RENAME TO {function}_of_all;
             CREATE FUNCTION tview.{function}(link regclass, exclusive {types}, shared {types})
             RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                 IF link = 'tview.{link}'::regclass THEN PERFORM tview.{function}_of_all(link, {kept});
                 ELSIF link::text NOT LIKE '%\\_\\_lock\\_\\_%' OR link::text LIKE 'tview.{tview}\\_\\_lock\\_\\_%' THEN
                     PERFORM tview.{function}_of_all(link, exclusive, shared);
                 END IF; END $$;"
        )
    };
    one("lock_values", "integer[]", values) + &one("lock_link", "boolean", whole)
}

/// Whether some order of two writes, one that takes the lock and one that it keeps away, leaves a difference in the tview.
fn is_noticed(database: &str, tview: &str, pairs: &[(&Case, &Case)]) -> bool {
    let query = format!("SELECT key::text FROM tview.check('{tview}')");
    let is_equal = |client: &mut Client| {
        let rows = client.query(&query, &[]).expect("compared");
        Ok(rows.iter().map(|row| row.get(0)).collect())
    };
    let scratch = format!("{database}_rows");
    server().create_database(&scratch, SUPERUSER, Some(database)).expect("copied");
    let mut client = server().connect(&scratch, OWNER).expect("connected");
    let mut reader = server().connect(&scratch, SUPERUSER).expect("connected");
    let noticed = (0..ROUNDS).any(|round| {
        let mut writer = Writer::for_role(&mut reader, OWNER, round, few()).expect("a writer");
        pairs.iter().any(|(one, other)| {
            let mut statement = |case: &Case| writer.aimed(&mut client, &case.table, &case.aim).expect("it writes");
            let (Some(first), Some(second)) = (statement(one), statement(other)) else { return false };
            let sessions = [first, second].map(|sql| Session::new("s", OWNER, &["BEGIN", &sql, "COMMIT"]));
            let orders = Orders::Sample { count: 6, seed: round };
            let options = InterleaveOptions { orders, ..InterleaveOptions::default() };
            let report = interleave_with(server(), database, &sessions, &options, &is_equal).expect("they run");
            !report.findings.is_empty()
        })
    });
    drop((client, reader));
    server().drop_database(&scratch).expect("dropped");
    noticed
}

/// One lock of one link.
struct Lost<'l> {
    tview: &'l str,
    /// The table that stands for it.
    link: &'l str,
    exclusive: bool,
    /// The writes that take it, with those that it keeps away.
    pairs: Vec<(&'l Case, &'l Case)>,
}

/// What can be lost of a schema's tviews; `links`: the tables that stand for them, each with the join that it is said to be.
fn mutants<'l>(cases: &'l BTreeMap<String, Vec<Case>>, links: &'l [(String, String)]) -> Vec<Lost<'l>> {
    let both = |(link, comment): &'l (String, String)| {
        let (tview, on) = comment.split_once(": ").expect("a comment names the tview");
        let takes = |case: &Case, mode: &str| case.locks.contains(&format!("{mode} on the value of {on}"));
        let of_tview = &cases[tview];
        let taking = |mode| of_tview.iter().filter(move |case| takes(case, mode));
        let pairs: Vec<_> =
            taking("exclusive").flat_map(|one| taking("shared").map(move |other| (one, other))).collect();
        [true, false].map(|exclusive| Lost { tview, link, exclusive, pairs: pairs.clone() })
    };
    links.iter().flat_map(both).collect()
}

/// No lock is lost unnoticed.
fn none_can_be_lost(name: &str, path: &str) {
    let (template, sql) = (format!("lost_{name}"), fixture(path));
    installed(&template, &sql);
    few_rows(&template);
    let links = "SELECT c.relname::text, obj_description(c.oid) FROM pg_class AS c
        WHERE c.relnamespace = 'tview'::regnamespace AND c.relkind = 'r' AND c.relname LIKE 'test%\\_\\_lock\\_\\_%' ORDER BY 1";
    let rows = server().connect(&template, OWNER).expect("connected").query(links, &[]).expect("found");
    let links: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let cases = cases(&sql);
    let mut mutants = mutants(&cases, &links);
    if !full() {
        Dice::new(1).shuffle(&mut mutants);
        mutants.truncate(1);
    }
    let mut unnoticed = Vec::new();
    for Lost { tview, link, exclusive, pairs } in mutants {
        let database = format!("{template}_one");
        server().create_database(&database, SUPERUSER, Some(&template)).expect("copied");
        let program = format!("test__{}", tview.trim_start_matches("public."));
        server().psql(&database, SUPERUSER, &forgetting(&program, link, exclusive)).expect("the lock is lost");
        if !is_noticed(&database, tview, &pairs) {
            unnoticed.push(format!("{link} {}", if exclusive { "exclusive" } else { "shared" }));
        }
        server().drop_database(&database).expect("dropped");
    }
    assert!(unnoticed.is_empty(), "{name}: {unnoticed:?}");
    server().drop_database(&template).expect("dropped");
}

#[test]
fn blog() {
    none_can_be_lost("blog", "examples/blog/views.sql");
}
