//! What changes of the schema do to an installation: a write fails, or the documents are right, or status says so.

use tviewc_verify::compare;

use crate::support::{OWNER, assert_equal, compiled, database, fails, fixture, installed, run, server, value};

const BLOG: &str = "examples/blog/views.sql";

const ROWS: &str = "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'ada@x'), ('Bob', 'bob@x');
INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 'text'), (2, 'two', 'text');
INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'hm'), (1, 1, 'yes'), (2, 1, 'no');";

/// Writes by positions and by columns that no change touches, so that it is our functions that fail.
const WRITES: &[&str] = &[
    "DO $$ BEGIN EXECUTE format('UPDATE %s SET email = email || ''!''', (SELECT oid::regclass FROM pg_class WHERE relname IN ('bench_authors', 'authors_renamed') AND relkind = 'r')); END $$",
    "DO $$ BEGIN EXECUTE format('DELETE FROM %s WHERE id = 1', (SELECT oid::regclass FROM pg_class WHERE relname IN ('bench_comments', 'comments_renamed') AND relkind = 'r')); END $$",
    "DO $$ BEGIN EXECUTE format('UPDATE %s SET id = id + 10', (SELECT oid::regclass FROM pg_class WHERE relname IN ('bench_posts', 'posts_renamed') AND relkind = 'r')); END $$",
];

fn problems(database: &str) -> String {
    value(database, "SELECT string_agg(DISTINCT p, '; ' ORDER BY p) FROM tview.status() s, unnest(s.problems) p")
}

/// Whether every tview that can still be compared equals its view.
fn right(database: &str) -> bool {
    let mut client = server().connect(database, OWNER).expect("connected");
    compare(&mut client).is_ok_and(|report| report.is_equal())
}

#[test]
fn no_change_of_the_schema_makes_a_write_silently_wrong() {
    let changes = [
        "ALTER TABLE bench_authors RENAME COLUMN name TO full_name",
        "ALTER TABLE bench_comments RENAME COLUMN post_id TO about",
        "ALTER TABLE bench_posts RENAME COLUMN title TO headline",
        "ALTER TABLE bench_authors RENAME TO authors_renamed",
        "ALTER TABLE bench_comments RENAME TO comments_renamed",
        "ALTER TABLE bench_posts RENAME TO posts_renamed",
        "CREATE SCHEMA elsewhere; ALTER TABLE bench_comments SET SCHEMA elsewhere",
        "ALTER VIEW v_bench_posts RENAME TO v_other",
        "CREATE SCHEMA elsewhere; ALTER VIEW v_bench_comments SET SCHEMA elsewhere",
        "ALTER VIEW v_bench_posts RENAME COLUMN data TO document",
        "ALTER TABLE tv_bench_posts RENAME TO tv_other",
        "ALTER TABLE tv_bench_posts RENAME COLUMN data TO document",
        "ALTER TABLE tv_bench_posts DROP COLUMN author_id",
        "ALTER TABLE tv_bench_posts ALTER COLUMN data TYPE text",
        "DROP VIEW v_bench_comments",
        "DROP TABLE tv_bench_comments",
        "ALTER TABLE bench_authors DROP COLUMN name CASCADE",
        "ALTER TABLE bench_posts ADD COLUMN extra integer DEFAULT 1",
        "ALTER TABLE bench_posts DROP COLUMN status CASCADE",
        "ALTER TABLE bench_authors ALTER COLUMN created_at TYPE text",
        "ALTER SCHEMA tview RENAME TO tview_other",
        "DROP FUNCTION tview.test__tv_bench_posts__recompute(integer[])",
        "DROP TABLE tview.test__tv_bench_posts__lock_key",
    ];
    for (n, change) in changes.iter().enumerate() {
        let name = format!("drift_{n}");
        installed(&name, &fixture(BLOG));
        run(&name, ROWS);
        if server().psql(&name, OWNER, change).is_err() {
            // PostgreSQL itself holds on to what a view reads.
            assert_equal(&name);
            continue;
        }
        let renamed_runtime = change.contains("SCHEMA tview");
        for write in WRITES {
            let loud = server().psql(&name, OWNER, write).is_err();
            let reported = || !renamed_runtime && !problems(&name).is_empty();
            assert!(loud || reported() || right(&name), "{change}\n{write}");
        }
    }
}

/// The one thing that no trigger sees: a view that shows something else from now on.
#[test]
fn a_view_replaced_by_hand_is_reported_and_found() {
    installed("drift_view", &fixture(BLOG));
    run("drift_view", ROWS);
    run(
        "drift_view",
        "CREATE OR REPLACE VIEW v_bench_posts AS SELECT p.id, p.author_id, jsonb_build_object('short', p.title) AS data FROM bench_posts p",
    );
    assert!(problems("drift_view").contains("is not what was compiled"));
    assert!(!right("drift_view"));
    // The migration puts back the view that it was compiled from.
    run("drift_view", &compiled(&fixture(BLOG), "test").up);
    assert_eq!(problems("drift_view"), "");
    assert_eq!(assert_equal("drift_view"), 5);
}

/// A query that takes whole rows shows a new column without a write.
#[test]
fn a_column_that_whole_rows_take_in_is_reported() {
    let sql = "CREATE TABLE label (id integer PRIMARY KEY, text text);
        CREATE TABLE item (id integer PRIMARY KEY, label_id integer);
        CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('label', to_jsonb(l)) AS data FROM item i JOIN label l ON l.id = i.label_id;
        CREATE VIEW v_label AS SELECT l.id, jsonb_build_object('text', l.text) AS data FROM label l;";
    installed("drift_whole_row", sql);
    run(
        "drift_whole_row",
        "INSERT INTO label VALUES (1, 'a'); INSERT INTO item VALUES (1, 1); ALTER TABLE item ADD COLUMN unseen integer DEFAULT 1",
    );
    assert!(!problems("drift_whole_row").contains("v_label"));
    run("drift_whole_row", "ALTER TABLE label ADD COLUMN more integer DEFAULT 7");
    let found = problems("drift_whole_row");
    assert!(found.contains("public.v_item") && !found.contains("public.v_label"), "{found}");
    assert_eq!(value("drift_whole_row", "SELECT string_agg(difference, '') FROM tview.check('tv_item')"), "different");
}

/// A table of the old name takes the place of one that was renamed: the view follows the old one, our functions the name.
#[test]
fn a_table_that_was_exchanged_is_reported() {
    installed("drift_exchange", &fixture(BLOG));
    run("drift_exchange", ROWS);
    run(
        "drift_exchange",
        "ALTER TABLE bench_posts RENAME TO posts_old; CREATE TABLE bench_posts (LIKE posts_old INCLUDING ALL)",
    );
    assert!(problems("drift_exchange").contains("is not what was compiled"), "{}", problems("drift_exchange"));
}

/// Also in a session that has planned with the table that was there before.
#[test]
fn a_write_that_would_look_into_an_exchanged_table_fails() {
    let database = "drift_stranger";
    let output = installed(database, &fixture(BLOG));
    run(database, ROWS);
    let mut writer = server().connect(database, OWNER).expect("connected");
    let rename = "UPDATE bench_authors SET name = name || '!' WHERE id = 1";
    (0..8).for_each(|_| assert_eq!(writer.execute(rename, &[]).expect("written"), 1));
    let exchange =
        "ALTER TABLE bench_posts RENAME TO posts_old; CREATE TABLE bench_posts (LIKE posts_old INCLUDING ALL);";
    run(database, exchange);
    let mut refused = || {
        let error = writer.execute(rename, &[]).expect_err("the posts of the author are looked for in another table");
        let error = error.as_db_error().expect("an error of the server");
        assert_eq!(error.message(), "table public.bench_posts is not the one that program test was installed for");
        assert!(error.hint().is_some_and(|hint| hint.contains("apply the migration again")), "{error:?}");
    };
    refused();
    refused();
    // What looks into no such table is written and right.
    run(database, "INSERT INTO bench_comments (post_id, author_id, content) SELECT min(id), 1, 'new' FROM posts_old");
    assert!(right(database));
    // A patch takes the new title from the table of that name.
    let error = fails(database, "UPDATE posts_old SET title = 'changed'");
    assert!(error.contains("bench_posts is not the one that program test was installed for"), "{error}");
    assert!(right(database));

    run(database, "DROP TABLE bench_posts; ALTER TABLE posts_old RENAME TO bench_posts");
    writer.execute(rename, &[]).expect("the name is given back");
    assert_equal(database);

    run(database, exchange);
    let mut writer = server().connect(database, OWNER).expect("connected");
    writer.execute(rename, &[]).expect_err("as before");
    run(database, "INSERT INTO bench_posts SELECT * FROM posts_old");
    run(database, &output.up);
    writer.execute(rename, &[]).expect("the views read the new table");
    run(database, "UPDATE posts_old SET title = 'gone'; UPDATE bench_posts SET title = title || '?'");
    assert!(assert_equal(database) > 0);
}

#[test]
fn an_application_that_fails_half_way_leaves_nothing() {
    let sql = fixture(BLOG);
    database("drift_half", &sql);
    let picture = "SELECT string_agg(format('%s %s', n.nspname, c.relname), ',' ORDER BY 1) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";
    let before = value("drift_half", picture);
    let up = compiled(&sql, "test").up;
    let statements: Vec<usize> =
        up.match_indices("\n\n").map(|(at, _)| at).filter(|at| is_between_statements(&up, *at)).collect();
    assert!(statements.len() > 20);
    for at in statements.iter().step_by(statements.len() / 12) {
        let broken = format!("{}\n\nSELECT 1 / 0;\n{}", &up[..*at], &up[*at..]);
        let error = fails("drift_half", &broken);
        assert!(error.contains("division by zero"), "{error}");
        // A client that goes on after an error gets no further.
        run("drift_half", &format!("\\set ON_ERROR_STOP off\n{broken}"));
        assert_eq!(value("drift_half", picture), before);
    }
    run("drift_half", &up);
    assert_equal("drift_half");
}

/// Outside of dollar quotes and after the transaction has begun.
fn is_between_statements(sql: &str, at: usize) -> bool {
    let before = &sql[..at];
    before.contains("\nBEGIN;\n") && before.matches("$tview$").count() % 2 == 0 && before.trim_end().ends_with(';')
}
