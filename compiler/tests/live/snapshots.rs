//! Writes under snapshot isolation.
//!
//! The snapshot of a transaction under REPEATABLE READ or SERIALIZABLE is older than the locks that it waits for. With the extension
//! (`TVIEWC_NATIVE=required`) such a write looks again with the latest snapshot, and fails with 40001 where it would miss something;
//! without it every write that changes documents is refused with 0A000. Either way nothing is stale afterwards.

use tviewc_verify::interleave::{is_wrong, tviews_are_equal};
use tviewc_verify::writer::{RunOptions, random_run_with};
use tviewc_verify::{InterleaveOptions, InterleaveReport, Orders, SUPERUSER, Session, WriterOptions, interleave_with};

use crate::group_pairs::GROUP_ROWS;
use crate::key_pairs::{THREE_PARTS, THREE_PARTS_ROWS};
use crate::more_pairs::BLOG_ROWS;
use crate::support::{OWNER, fixture, full, has_extension, installed, run, server};

const RENAME: &str = "UPDATE bench_authors SET name = name || '!' WHERE id = 1";
const COMMENT: &str = "INSERT INTO bench_comments (post_id, author_id, content) VALUES (2, 1, 'new')";
/// The first comment of an author, whose name no document has shown before: no row of a document is changed by both.
const FIRST_COMMENT: &str = "INSERT INTO bench_comments (post_id, author_id, content) VALUES (2, 3, 'new')";
const RENAME_OTHER: &str = "UPDATE bench_authors SET name = name || '!' WHERE id = 3";

/// One statement; under snapshot isolation after a query, with which the snapshot is taken.
fn session(level: &str, statement: &str) -> Session {
    let steps: &[&str] = match level {
        "READ COMMITTED" => &["BEGIN", statement, "COMMIT"],
        _ => &["BEGIN", "SELECT count(*) FROM pg_class", statement, "COMMIT"],
    };
    Session::new("s", OWNER, steps).isolation(level)
}

fn ordered(template: &str, sessions: &[Session], orders: Orders) -> InterleaveReport {
    let options = InterleaveOptions { orders, ..InterleaveOptions::default() };
    interleave_with(server(), template, sessions, &options, &tviews_are_equal).expect("orders run")
}

/// Every two of the writes, one with an old snapshot and the other one with any.
fn old_snapshots(template: &str, sql: &str, rows: &str, writes: &[&str]) {
    installed(template, sql);
    run(template, rows);
    let levels = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];
    let (mut completed, mut failed) = (0, 0);
    for (first, one) in writes.iter().enumerate() {
        for (second, other) in writes.iter().enumerate() {
            let seed = first * writes.len() + second;
            let sessions = [session(levels[1 + seed % 2], one), session(levels[seed % 3], other)];
            let count = if full() { 35 } else { 4 };
            let report = ordered(template, &sessions, Orders::Sample { count, seed: seed as u64 });
            assert!(!is_wrong(&sessions, &report), "{one}\n{other}\n{report}");
            // PostgreSQL's own: rows that both change; and the same row twice.
            let own: &[&str] = if first == second { &["40001", "40P01", "23505"] } else { &["40001", "40P01"] };
            let expected = if has_extension() { "40001" } else { "0A000" };
            let is_known = |code: &String| code == expected || own.contains(&code.as_str());
            assert!(report.failures.keys().all(is_known), "{one}\n{other}\n{report}");
            completed += report.completed;
            failed += report.failures.get(expected).copied().unwrap_or_default();
        }
    }
    assert!(failed > 0 && completed > 0, "{failed} failed, {completed} did not");
}

#[test]
fn blog() {
    let writes = [
        RENAME,
        COMMENT,
        "INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'new', 't')",
        "UPDATE bench_comments SET post_id = 2 WHERE id = 1",
        "UPDATE bench_posts SET author_id = 3 WHERE id = 1",
        "DELETE FROM bench_comments WHERE post_id = 1",
    ];
    old_snapshots("snapshot_blog", &fixture("examples/blog/views.sql"), BLOG_ROWS, &writes);
}

#[test]
fn groups() {
    let writes = [
        "INSERT INTO book VALUES (9, 2, 'new', 'essay', 0.5)",
        "UPDATE book SET writer = 3 - writer, genre = 'essay'",
        "DELETE FROM book WHERE id = 3",
        "UPDATE country SET name = name || '!' WHERE code = 'AA'",
        "UPDATE review SET book = 2, stars = 4 WHERE id = 1",
    ];
    old_snapshots("snapshot_groups", &fixture("compiler/tests/data/live/groups.sql"), GROUP_ROWS, &writes);
}

#[test]
fn keys_of_several_tables() {
    let writes = [
        "INSERT INTO b VALUES (9, 1, 'new')",
        "INSERT INTO c VALUES (9, 1, 'new')",
        "INSERT INTO y VALUES (9, 1)",
        "UPDATE c SET r_area = 2 WHERE id = 1",
        "UPDATE r SET area = 1",
    ];
    old_snapshots("snapshot_parts", THREE_PARTS, THREE_PARTS_ROWS, &writes);
}

/// Filters that begin and stop to hold: what was committed meanwhile is reached by nothing that the old snapshot sees.
#[test]
fn filters() {
    let sql = "CREATE TABLE a (id integer PRIMARY KEY, name text);
        CREATE TABLE p (id integer PRIMARY KEY, a_id integer, shown boolean NOT NULL); CREATE INDEX ON p (a_id);
        CREATE TABLE n (id integer PRIMARY KEY, p_id integer, hidden boolean NOT NULL); CREATE INDEX ON n (p_id);
        CREATE VIEW v_p AS SELECT p.id, jsonb_build_object('a', a.name, 'n', (SELECT count(*) FROM n WHERE n.p_id = p.id AND NOT hidden)) AS data
            FROM p JOIN a ON a.id = p.a_id WHERE p.shown;";
    let rows = "INSERT INTO a VALUES (1, 'one'), (2, 'two'); INSERT INTO p VALUES (1, 1, false), (2, 2, true); INSERT INTO n VALUES (1, 1, true)";
    let writes = [
        "UPDATE p SET shown = NOT shown",
        "UPDATE a SET name = name || '!'",
        "UPDATE n SET hidden = false",
        "INSERT INTO n VALUES (9, 1, false)",
        "INSERT INTO p VALUES (9, 1, true)",
        "UPDATE p SET a_id = 2 WHERE id = 1",
    ];
    old_snapshots("snapshot_filters", sql, rows, &writes);
}

/// Nothing that the write needs is newer than its snapshot: it does not fail, whatever else was committed.
#[test]
fn only_what_is_missed_fails() {
    installed("snapshot_other", &fixture("examples/blog/views.sql"));
    run("snapshot_other", BLOG_ROWS);
    if !has_extension() {
        return;
    }
    let of_another = "UPDATE bench_posts SET title = 'other' WHERE id = 1";
    let of_nobody = "INSERT INTO bench_authors (name, email) VALUES ('Dan', 'd')";
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        for other in [of_another, of_nobody] {
            // On another post, by an author whose row nobody changes.
            let sessions = [session(level, FIRST_COMMENT), session("READ COMMITTED", other)];
            let report = ordered("snapshot_other", &sessions, Orders::All);
            assert!(report.findings.is_empty() && report.failures.is_empty(), "{report}");
        }
        let sessions = [session(level, FIRST_COMMENT), session("READ COMMITTED", RENAME_OTHER)];
        let report = ordered("snapshot_other", &sessions, Orders::All);
        assert!(report.findings.is_empty() && report.failures.keys().eq(["40001"]), "{report}");
    }
}

/// A document that others have made since the snapshot: who writes it locks its row, which is not there for the old snapshot. The write
/// of that changes nothing that the document shows yet; what a third one makes it show is what the write has changed.
fn made_since(template: &str, sql: &str, rows: &str, write: &str) {
    installed(template, sql);
    run(template, rows);
    let old = Session::new("old", OWNER, &["BEGIN; SELECT count(*) FROM pg_class", write, "COMMIT"]);
    let sessions = [
        old.isolation("REPEATABLE READ"),
        Session::new("shows", OWNER, &["UPDATE p SET shown = true WHERE id = 1"]),
        Session::new("tells", OWNER, &["UPDATE p SET tells = true WHERE id = 1"]),
    ];
    let report = ordered(template, &sessions, Orders::All);
    let expected = if has_extension() { "40001" } else { "0A000" };
    assert!(!is_wrong(&sessions, &report) && report.failures.keys().eq([expected]), "{report}");
}

#[test]
fn documents_made_since() {
    let sql = "CREATE TABLE a (id integer PRIMARY KEY, name text);
        CREATE TABLE p (id integer PRIMARY KEY, a_id integer, shown boolean NOT NULL, tells boolean NOT NULL); CREATE INDEX ON p (a_id);
        CREATE VIEW v_p AS SELECT p.id, jsonb_build_object('a', CASE WHEN p.tells THEN a.name END) AS data
            FROM p JOIN a ON a.id = p.a_id WHERE p.shown;";
    let rows = "INSERT INTO a VALUES (1, 'one'); INSERT INTO p VALUES (1, 1, false, false)";
    made_since("snapshot_made", sql, rows, "UPDATE a SET name = 'new'");
}

#[test]
fn documents_made_since_a_comparison_of_all() {
    let sql = "CREATE TABLE g (id integer PRIMARY KEY, v integer);
        CREATE TABLE p (id integer PRIMARY KEY, shown boolean NOT NULL, tells boolean NOT NULL);
        -- tviewc: full_refresh
        CREATE VIEW v_p AS SELECT p.id, jsonb_build_object('m', CASE WHEN p.tells THEN (SELECT max(g.v) FROM g) END) AS data
            FROM p WHERE p.shown;";
    let rows = "INSERT INTO g VALUES (1, 1); INSERT INTO p VALUES (1, false, false), (2, true, false)";
    made_since("snapshot_made_whole", sql, rows, "UPDATE g SET v = 7");
}

/// A session by itself misses nothing. Statements that fire several generated functions leave documents to the later ones.
fn alone(name: &str, path: &str) {
    if !has_extension() {
        return;
    }
    let database = format!("snapshot_alone_{name}");
    installed(&database, &fixture(path));
    let isolation = ["REPEATABLE READ", "SERIALIZABLE"].map(str::to_owned).to_vec();
    let writer = WriterOptions { isolation, ..WriterOptions::default() };
    // TRUNCATE is refused.
    let tolerate = vec!["0A000".to_owned()];
    let transactions = if full() { 2_000 } else { 100 };
    let options = RunOptions { seed: 1, transactions, writer, tolerate, ..RunOptions::default() };
    let report = random_run_with(server(), &database, OWNER, &options, &mut |_, _| {})
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.commits > transactions / 3, "{report}");
}

#[test]
fn nothing_fails_alone() {
    alone("blog", "examples/blog/views.sql");
    alone("arrays", "compiler/tests/data/live/arrays.sql");
    alone("actions", "compiler/tests/data/live/actions.sql");
    alone("patches", "compiler/tests/data/live/patches.sql");
    alone("several_tables", "compiler/tests/data/live/several_tables.sql");
}

/// What is locked once more is not counted once more: a link is not locked as a whole before it would be under READ COMMITTED.
#[test]
fn values_count_once() {
    if !has_extension() {
        return;
    }
    installed("snapshot_counted", &fixture("examples/blog/views.sql"));
    run(
        "snapshot_counted",
        "INSERT INTO bench_authors (name, email) SELECT 'a' || i, 'e' FROM generate_series(1, 100) AS i",
    );
    let whole = |level: &str, authors: usize| {
        let mut client = server().connect("snapshot_counted", OWNER).expect("connected");
        let write = format!("UPDATE bench_authors SET name = name || '!' WHERE id <= {authors}");
        client.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}; {write}")).expect("it writes");
        let locks = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'ExclusiveLock'
                     AND relation::regclass::text LIKE '%__lock__%'";
        client.query_one(locks, &[]).expect("counted").get::<_, i64>(0)
    };
    for level in ["READ COMMITTED", "REPEATABLE READ"] {
        assert_eq!(whole(level, 60), 0, "{level}");
        assert!(whole(level, 70) > 0, "{level}");
    }
}

/// Without the second look documents would be stale.
#[test]
fn the_second_look_is_needed() {
    if !has_extension() {
        return;
    }
    let unseen =
        "CREATE OR REPLACE FUNCTION tview.require_seen(tview text, is_seen boolean) RETURNS void LANGUAGE sql AS ''";
    installed("snapshot_needed", &fixture("examples/blog/views.sql"));
    run("snapshot_needed", BLOG_ROWS);
    server().psql("snapshot_needed", SUPERUSER, unseen).expect("replaced");
    let sessions = [session("REPEATABLE READ", FIRST_COMMENT), session("READ COMMITTED", RENAME_OTHER)];
    assert!(!ordered("snapshot_needed", &sessions, Orders::All).findings.is_empty());
}
