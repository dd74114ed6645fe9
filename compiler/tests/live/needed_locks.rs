//! Each lock of the protocol is needed: without it, some order of two small transactions leaves a document that differs from
//! its view, or a transaction failed. With it, none does. So the suites of interleavings would notice a lock that is lost.

use tviewc_verify::interleave::tviews_are_equal;
use tviewc_verify::{InterleaveOptions, Orders, SUPERUSER, Session, interleave_with};

use crate::key_pairs::{THREE_PARTS, THREE_PARTS_ROWS};
use crate::support::{OWNER, compiled, database, fixture, run, server};

/// A way to lose a lock.
enum Lost {
    /// A statement that is run after the migration.
    Replaced(&'static str),
    /// A text of the migration, and what stands in its place.
    Changed(&'static str, &'static str),
}

/// The lock function of values, for one kind of lock without what it should do.
macro_rules! values_without {
    ($condition:literal, $exclusive:literal, $shared:literal) => {
        Lost::Replaced(concat!(
            "ALTER FUNCTION tview.lock_values(regclass, integer[], integer[]) RENAME TO lock_all_values;
             CREATE FUNCTION tview.lock_values(link regclass, exclusive integer[], shared integer[])
             RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                 IF ",
            $condition,
            " THEN PERFORM tview.lock_all_values(link, ",
            $exclusive,
            ", ",
            $shared,
            "); ELSE PERFORM tview.lock_all_values(link, exclusive, shared); END IF; END $$;"
        ))
    };
}

const ROWS: &str = "INSERT INTO bench_authors (name, email) SELECT 'a' || i, 'e' FROM generate_series(1, 80) AS i;
    INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 't'), (2, 'two', 't');
    INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'x'), (2, 1, 'z');";

const COMMENT: &str = "INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 1, 'new')";
const RENAME: &str = "UPDATE bench_authors SET name = name || '!' WHERE id = 1";

/// How many times a document differs or a transaction fails, over all orders of two writes and a sample of those of more; with a
/// lock lost and with all.
fn wrong_orders(name: &str, sql: &str, rows: &str, writes: &[&str], lost: &Lost) -> (usize, usize) {
    let up = compiled(sql, "test").up;
    let wrong = |suffix: &str, up: &str, replaced: Option<&str>| {
        let template = format!("needed_{name}_{suffix}");
        database(&template, sql);
        server().psql(&template, OWNER, up).expect("the migration is applied");
        run(&template, rows);
        if let Some(sql) = replaced {
            server().psql(&template, SUPERUSER, sql).expect("the lock is lost");
        }
        let sessions: Vec<Session> =
            writes.iter().map(|sql| Session::new("s", OWNER, &["BEGIN", sql, "COMMIT"])).collect();
        let orders = if writes.len() == 2 { Orders::All } else { Orders::Sample { count: 60, seed: 7 } };
        let options = InterleaveOptions { orders, ..InterleaveOptions::default() };
        let report =
            interleave_with(server(), &template, &sessions, &options, &tviews_are_equal).expect("all orders run");
        server().drop_database(&template).expect("dropped");
        report.findings.len() + report.failures.values().sum::<usize>()
    };
    let without = match lost {
        Lost::Replaced(sql) => wrong("lost", &up, Some(sql)),
        Lost::Changed(text, other) => {
            assert!(up.contains(text));
            wrong("lost", &up.replace(text, other), None)
        }
    };
    (without, wrong("whole", &up, None))
}

fn is_needed(name: &str, sql: &str, rows: &str, writes: &[&str], lost: &Lost) {
    let (without, with) = wrong_orders(name, sql, rows, writes, lost);
    assert!(without > 0, "{name}: nothing is wrong without the lock");
    assert_eq!(with, 0, "{name}");
}

/// Who changes what a value means excludes who begins to depend on it.
#[test]
fn exclusive_values() {
    let lost = values_without!("link::text NOT LIKE '%lock_key'", "NULL", "shared");
    is_needed("exclusive", &fixture("examples/blog/views.sql"), ROWS, &[COMMENT, RENAME], &lost);
}

/// Who begins to depend on a value excludes who changes what it means.
#[test]
fn shared_values() {
    let lost = values_without!("link::text NOT LIKE '%lock_key'", "exclusive", "NULL");
    is_needed("shared", &fixture("examples/blog/views.sql"), ROWS, &[COMMENT, RENAME], &lost);
}

/// Many values are locked as a whole, which excludes single ones.
#[test]
fn many_values() {
    let lost = values_without!("cardinality(coalesce(exclusive, shared)) > 64", "NULL", "NULL");
    let all = "UPDATE bench_authors SET name = name || '?'";
    is_needed("many", &fixture("examples/blog/views.sql"), ROWS, &[COMMENT, all], &lost);
}

/// Who makes a document appear through a filter, and who changes what it shows before it is there.
#[test]
fn keys_of_documents_to_come() {
    let sql = "CREATE TABLE a (id integer PRIMARY KEY, name text);
        CREATE TABLE p (id integer PRIMARY KEY, a_id integer REFERENCES a, shown boolean NOT NULL);
        CREATE INDEX ON p (a_id);
        CREATE VIEW v_p AS SELECT p.id, jsonb_build_object('a', jsonb_build_object('name', a.name)) AS data
            FROM p JOIN a ON a.id = p.a_id WHERE p.shown;";
    let pair = &["UPDATE p SET shown = true", "UPDATE a SET name = 'new'"];
    let lost = values_without!("link::text LIKE '%lock_key'", "NULL", "NULL");
    is_needed("filter", sql, "INSERT INTO a VALUES (1, 'old'); INSERT INTO p VALUES (1, 1, false)", pair, &lost);
}

/// Two who make the first document of a key.
#[test]
fn keys_without_a_document() {
    let sql = "CREATE TABLE item (id integer PRIMARY KEY, kind text NOT NULL);
        CREATE INDEX ON item (kind);
        CREATE VIEW v_kind AS SELECT kind, jsonb_build_object('n', count(*)) AS data FROM item GROUP BY kind;";
    let pair = &["INSERT INTO item VALUES (1, 'new')", "INSERT INTO item VALUES (2, 'new')"];
    let lost = values_without!("link::text LIKE '%lock_key'", "NULL", "NULL");
    is_needed("absent", sql, "INSERT INTO item VALUES (9, 'old')", pair, &lost);
}

/// Two who compute one document.
#[test]
fn rows_of_documents() {
    let other = "INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 3, 'other')";
    let lost = Lost::Changed("FOR UPDATE OF t", "");
    is_needed("rows", &fixture("examples/blog/views.sql"), ROWS, &[COMMENT, other], &lost);
}

/// Rows that show the same, so that who moves one to the other locks its document and does not write it.
const SAME: &str = "CREATE TABLE a (id integer PRIMARY KEY, name text NOT NULL);
    CREATE TABLE p (id integer PRIMARY KEY, a_id integer NOT NULL REFERENCES a);
    CREATE INDEX ON p (a_id);
    CREATE VIEW v_p AS SELECT p.id, jsonb_build_object('a', jsonb_build_object('name', a.name)) AS data
        FROM p JOIN a ON a.id = p.a_id;";
const SAME_ROWS: &str = "INSERT INTO a VALUES (1, 'old'), (2, 'old'); INSERT INTO p VALUES (1, 1), (2, 1), (3, 2)";

/// Who patches documents that nobody has locked, and who moves one of them away.
#[test]
fn ways_that_are_followed_again() {
    let lost = Lost::Changed("IF cardinality(patched_1) <> (", "IF 0 > (");
    let pair = &["UPDATE p SET a_id = 2 WHERE id = 1", "UPDATE a SET name = 'new' WHERE id = 1"];
    is_needed("again", SAME, SAME_ROWS, pair, &lost);
}

const ARRAYS: &str = "CREATE TABLE a (id integer PRIMARY KEY, name text);
    CREATE TABLE p (id integer PRIMARY KEY, a_id integer NOT NULL REFERENCES a);
    CREATE TABLE item (id integer PRIMARY KEY, p_id integer NOT NULL REFERENCES p);
    CREATE INDEX ON p (a_id);
    CREATE INDEX ON item (p_id);
    CREATE VIEW v_p AS SELECT p.id, jsonb_build_object('a', jsonb_build_object('name', a.name), 'items',
            (SELECT jsonb_agg(jsonb_build_object('id', i.id) ORDER BY i.id) FROM item i WHERE i.p_id = p.id)) AS data
        FROM p JOIN a ON a.id = p.a_id;";
const ARRAYS_ROWS: &str = "INSERT INTO a VALUES (1, 'old'), (2, 'old'); INSERT INTO p VALUES (1, 1), (2, 1), (3, 2); INSERT INTO item VALUES (1, 1)";

/// The same, where documents hold arrays.
#[test]
fn ways_to_large_documents() {
    let lost = Lost::Changed("IF cardinality(patched_1) <> (", "IF 0 > (");
    let pair = &["UPDATE p SET a_id = 2 WHERE id = 1", "UPDATE a SET name = 'new' WHERE id = 1"];
    is_needed("again_large", ARRAYS, ARRAYS_ROWS, pair, &lost);
}

/// Who has read a document to compare it and to change it, and who changes another part of it before the first has locked it: that one
/// finds that it was not written. (Where other bytes are another text nothing is compared, and the newer version is what is changed.)
#[test]
fn versions_that_are_replaced() {
    let sql = ARRAYS.replace("name text", "name float8");
    let rows = ARRAYS_ROWS.replace("'old'", "1");
    let lost = Lost::Changed("cardinality(written_1) IS DISTINCT FROM cardinality(patched_1)", "false");
    let pair = &["INSERT INTO item VALUES (2, 1)", "UPDATE a SET name = 2 WHERE id = 1"];
    is_needed("version", &sql, &rows, pair, &lost);
}

/// What a condition without values links.
#[test]
fn links_as_a_whole() {
    let sql = "CREATE TABLE band (id integer PRIMARY KEY, low integer, high integer);
        CREATE TABLE item (id integer PRIMARY KEY, price integer);
        CREATE VIEW v_item AS SELECT i.id AS item_id, b.id AS band_id, jsonb_build_object('price', i.price, 'low', b.low) AS data
            FROM item i JOIN band b ON i.price BETWEEN b.low AND b.high;";
    let rows = "INSERT INTO band VALUES (1, 0, 10), (2, 11, 20); INSERT INTO item VALUES (1, 5), (2, 15)";
    let pair = &["INSERT INTO item VALUES (3, 12)", "UPDATE band SET low = 12, high = 15 WHERE id = 1"];
    let lost = Lost::Replaced(
        "CREATE OR REPLACE FUNCTION tview.lock_link(link regclass, exclusive boolean, shared boolean)
         RETURNS void LANGUAGE sql AS ''",
    );
    is_needed("whole", sql, rows, pair, &lost);
}

/// Who changes what hangs on one part of a key, and who makes documents by a row that holds another part.
#[test]
fn links_down_to_the_key() {
    let sql = "CREATE TABLE p (id integer PRIMARY KEY, area integer); CREATE INDEX ON p (area);
        CREATE TABLE t (id integer PRIMARY KEY, area integer); CREATE INDEX ON t (area);
        CREATE TABLE c (id integer PRIMARY KEY, p_id integer); CREATE INDEX ON c (p_id);
        CREATE VIEW v_pt AS SELECT p.id AS p, t.id AS t, jsonb_build_object('n',
            (SELECT count(*) FROM c WHERE c.p_id = p.id)) AS data FROM p JOIN t ON t.area = p.area;";
    let rows = "INSERT INTO p VALUES (1, 1); INSERT INTO t VALUES (1, 1)";
    let lost = values_without!("link::text LIKE '%lock__t' AND shared IS NOT NULL", "exclusive", "NULL");
    is_needed("down", sql, rows, &["INSERT INTO c VALUES (1, 1)", "INSERT INTO t VALUES (2, 1)"], &lost);
}

/// The same where a row on the way moves while its value is waited for.
#[test]
fn links_down_to_the_key_once_more() {
    let writes =
        ["UPDATE c SET r_area = 2 WHERE id = 1", "INSERT INTO y VALUES (9, 1)", "INSERT INTO b VALUES (9, 2, 'new')"];
    is_needed(
        "moved",
        THREE_PARTS,
        THREE_PARTS_ROWS,
        &writes,
        &Lost::Changed("EXIT WHEN NOT EXISTS", "EXIT WHEN true OR NOT EXISTS"),
    );
}
