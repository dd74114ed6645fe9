//! check, repair and status: what they say of a database in which something is wrong.

use tviewc_verify::compare::compare_with;
use tviewc_verify::{CompareOptions, Multisets, SUPERUSER};

use crate::support::{assert_equal, fails, fixture, installed, run, server, value};

const BLOG: &str = "examples/blog/views.sql";

const ROWS: &str = "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'ada@x'), ('Bob', 'bob@x');
INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 'text'), (2, 'two', 'text'), (1, 'three', 'text');
INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'hm'), (1, 1, 'yes'), (2, 1, 'no');";

/// One row too many, one too few, one that differs.
const DAMAGE: &str = "INSERT INTO tv_bench_posts SELECT 9, author_id, data FROM tv_bench_posts WHERE id = 1;
UPDATE tv_bench_posts SET data = data || '{\"x\": 1}' WHERE id = 2; DELETE FROM tv_bench_posts WHERE id = 3;";

const FOUND: &str =
    "SELECT string_agg(format('%s %s', c.key, c.difference), ', ') FROM tview.check('tv_bench_posts') AS c";

fn damaged(name: &str) {
    installed(name, &fixture(BLOG));
    run(name, ROWS);
    assert_equal(name);
    run(name, DAMAGE);
}

fn problems(database: &str) -> String {
    value(database, "SELECT string_agg(DISTINCT p, '; ' ORDER BY p) FROM tview.status() s, unnest(s.problems) p")
}

#[test]
fn check_names_the_keys_and_repair_mends_them() {
    damaged("repair_all");
    assert_eq!(value("repair_all", FOUND), r#"{"id": 2} different, {"id": 3} missing, {"id": 9} extra"#);
    assert_eq!(value("repair_all", "SELECT tview.repair('tv_bench_posts')"), "3");
    assert_eq!(value("repair_all", FOUND), "");
    assert_equal("repair_all");
    assert_eq!(value("repair_all", "SELECT tview.repair('tv_bench_posts')"), "0");
}

#[test]
fn repair_of_some_keys_leaves_the_others() {
    damaged("repair_some");
    let keys = r#"'[{"id": 2}, {"id": 9}, {"id": 9}, {"id": 1}, {"id": 404}, {"id": null}]'"#;
    assert_eq!(value("repair_some", &format!("SELECT tview.repair('tv_bench_posts', {keys})")), "2");
    assert_eq!(value("repair_some", FOUND), r#"{"id": 3} missing"#);
    assert_eq!(value("repair_some", "SELECT tview.repair('tv_bench_posts', '[]')"), "0");
    // What check has found is what repair takes.
    let both =
        "SELECT tview.repair('tv_bench_posts', (SELECT jsonb_agg(c.key) FROM tview.check('tv_bench_posts') AS c))";
    assert_eq!(value("repair_some", both), "1");
    assert_equal("repair_some");
}

/// Waits until a session waits for a lock.
fn blocked(client: &mut postgres::Client, pid: i32) {
    let waits = "SELECT cardinality(pg_blocking_pids($1)) > 0";
    for _ in 0..600 {
        if client.query_one(waits, &[&pid]).expect("a catalog query").get(0) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("session {pid} waits for nobody");
}

/// A repair that finds a document gone gives back the others before it waits for the key: whoever makes the document
/// again has the key and may ask for the others.
#[test]
fn repair_holds_no_document_while_it_waits_for_a_key() {
    let database = "repair_waits";
    installed(database, &fixture(BLOG));
    run(database, ROWS);
    run(database, "DELETE FROM bench_comments WHERE post_id = 2");
    let connect = || server().connect(database, SUPERUSER).expect("connected");
    let (mut remover, mut maker, mut repairer) = (connect(), connect(), connect());
    remover.batch_execute("BEGIN; DELETE FROM bench_posts WHERE id = 2").expect("post 2 goes away");
    let pid: i32 = repairer.query_one("SELECT pg_backend_pid()", &[]).expect("its number").get(0);
    let repair = std::thread::spawn(move || {
        let keys = r#"SELECT tview.repair('tv_bench_posts', '[{"id": 1}, {"id": 2}]')"#;
        repairer.query_one(keys, &[]).map(|row| row.get::<_, i64>(0))
    });
    blocked(&mut maker, pid);
    // What makes post 2 again locks its key, which has no document then, and afterwards the documents that it finds.
    maker
        .batch_execute(
            "BEGIN; SELECT tview.lock_values('tview.test__tv_bench_posts__lock_key', ARRAY[hash_array(ARRAY[2])], NULL)",
        )
        .expect("the key is locked");
    remover.batch_execute("COMMIT").expect("committed");
    // Now it waits for the key; a deadlock would end it or the maker.
    blocked(&mut remover, pid);
    maker.batch_execute("UPDATE bench_posts SET title = 'new' WHERE id = 1; COMMIT").expect("no deadlock");
    assert_eq!(repair.join().expect("no panic").expect("no deadlock"), 0);
    assert_equal(database);
}

/// The session's own settings render nothing.
#[test]
fn repair_renders_under_the_settings_of_the_documents() {
    let sql = "CREATE TABLE item (at timestamptz, n numeric(10, 2), c char(4), t interval, PRIMARY KEY (at, n, c));
        CREATE VIEW v_item AS SELECT i.at, i.n, i.c, jsonb_build_object('at', i.at, 't', i.t, 'text', i.at::text) AS data FROM item i;";
    installed("repair_settings", sql);
    let session = "SET \"TimeZone\" = 'Asia/Tokyo'; SET \"DateStyle\" = 'German'; SET \"IntervalStyle\" = 'sql_standard'; SET search_path = '';";
    run(
        "repair_settings",
        &format!("{session} INSERT INTO public.item VALUES ('2020-01-01 10:00+00', 1.50, 'ab', '1 day 2 hours'), ('infinity', 0, '', '-3 min');
                  DELETE FROM public.tv_item;
                  SELECT tview.repair('public.tv_item', (SELECT jsonb_agg(c.key) FROM tview.check('public.tv_item') c));"),
    );
    assert_eq!(assert_equal("repair_settings"), 2);
    run("repair_settings", &format!("{session} DELETE FROM public.tv_item; SELECT tview.repair('public.tv_item');"));
    assert_eq!(assert_equal("repair_settings"), 2);
    let at = value("repair_settings", "SELECT data->>'text' FROM tv_item WHERE n = 1.5");
    assert_eq!(at, "2020-01-01 10:00:00+00");
}

/// Types of keys with values that print by settings, that are equal and look different, or that need quotes.
const KEY_TYPES: &[(&str, &[&str])] = &[
    ("integer", &["-1", "0", "7"]),
    ("numeric", &["1.50", "-0.0", "NaN", "12345678901234567890.5"]),
    ("double precision", &["0.1", "-0", "NaN", "Infinity", "1e300"]),
    ("real", &["0.1", "16777216"]),
    ("text", &["", "it's", "back\\slash", "ÄÖ", "{\"a\": 1}"]),
    ("varchar(10)", &["a", "A "]),
    ("char(5)", &["a", "b  "]),
    ("\"char\"", &["a", "b"]),
    ("name", &["a", "b c"]),
    ("boolean", &["t", "f"]),
    ("date", &["2026-02-01", "infinity", "0044-03-15 BC"]),
    ("timestamp", &["2026-02-01 01:02:03.000004", "-infinity"]),
    ("timestamptz", &["2026-03-29 01:30:00+00", "infinity"]),
    ("time", &["01:02:03.5", "24:00"]),
    ("timetz", &["01:02:03+05", "01:02:03-05"]),
    ("interval", &["1 mon -2 days 03:04:05.6", "-00:00:01"]),
    ("uuid", &["00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ("bytea", &["\\x00ff5c", "\\x"]),
    ("inet", &["10.0.0.1", "10.0.0.1/8", "::1"]),
    ("bit(3)", &["101", "000"]),
    ("varbit", &["1", "10"]),
    ("money", &["1234.5", "-1"]),
    ("jsonb", &["{\"a\": [1, \"x\"]}", "\"it's\""]),
    ("int4range", &["[1,5)", "empty", "(,3)"]),
    ("tstzrange", &["[\"2026-01-01 00:00+00\",)"]),
    ("mood", &["glad", "so so"]),
    ("positive", &["1", "2"]),
];

#[test]
fn keys_of_every_type_are_found_compared_and_mended() {
    let mut views =
        "CREATE TYPE mood AS ENUM ('so so', 'glad'); CREATE DOMAIN positive AS integer CHECK (VALUE > 0);".to_owned();
    let mut rows = String::new();
    for (n, (ty, values)) in KEY_TYPES.iter().enumerate() {
        views += &format!(
            "CREATE TABLE t{n} (k {ty}, n integer, PRIMARY KEY (k, n));
             CREATE VIEW v_{n} AS SELECT t.n, t.k, jsonb_build_object('n', t.n) AS data FROM t{n} t;"
        );
        for (at, value) in values.iter().enumerate() {
            rows +=
                &format!("INSERT INTO t{n} VALUES ({}, {at}), ({0}, {at} + 10);", tviewc_verify::quote::literal(value));
        }
    }
    installed("every_key", &views);
    run("every_key", &rows);
    let all = assert_equal("every_key");
    let one_by_one = tviewc_verify::CompareOptions { batch: 1, ..Default::default() };
    let differing = |database: &str| {
        let mut client = server().connect(database, SUPERUSER).expect("connected");
        let report = tviewc_verify::compare_with(&mut client, &one_by_one, &mut |_| Ok(())).expect("compared");
        let count = |f: fn(&tviewc_verify::compare::TviewReport) -> i64| report.tviews.iter().map(f).sum::<i64>();
        (count(|t| t.view_rows), count(|t| t.tview_rows), count(|t| t.differing_rows))
    };
    assert_eq!(differing("every_key"), (all, all, 0));

    let mut damage = String::new();
    let mut repair = String::new();
    for n in 0..KEY_TYPES.len() {
        damage += &format!("DELETE FROM tv_{n} WHERE n = 0; UPDATE tv_{n} SET data = '{{}}' WHERE n > 0;");
        repair += &format!("SELECT tview.repair('tv_{n}', (SELECT jsonb_agg(c.key) FROM tview.check('tv_{n}') c));");
    }
    run("every_key", &damage);
    let (view_rows, tview_rows, wrong) = differing("every_key");
    assert_eq!((view_rows, tview_rows, wrong), (all, all - KEY_TYPES.len() as i64, all));
    run("every_key", &repair);
    assert_eq!(differing("every_key"), (all, all, 0));
}

#[test]
fn duplicates_of_a_view_that_was_replaced_by_hand_are_found() {
    damaged("replaced");
    run("replaced", "SELECT tview.repair('tv_bench_posts')");
    run(
        "replaced",
        "DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW v_bench_posts AS ' || rtrim(pg_get_viewdef('v_bench_posts'), '; ')
            || ' UNION ALL SELECT id, author_id, jsonb_build_object() FROM bench_posts WHERE id = 1'; END $$;",
    );
    assert_eq!(value("replaced", FOUND), r#"{"id": 1} duplicate"#);
    assert!(
        problems("replaced")
            .contains("public.v_bench_posts, or a view or function that it uses, is not what was compiled")
    );
    // No table with that key can hold both rows: it stays reported.
    run("replaced", "SELECT tview.repair('tv_bench_posts')");
    assert_eq!(value("replaced", FOUND), r#"{"id": 1} duplicate"#);
}

#[test]
fn neither_waits_for_a_snapshot_that_is_too_old() {
    damaged("old_snapshot");
    for call in ["tview.repair('tv_bench_posts')", "tview.repair('tv_bench_posts', '[{\"id\": 2}]')"] {
        let error = fails("old_snapshot", &format!("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT {call}; COMMIT;"));
        assert!(error.contains("READ COMMITTED"), "{error}");
    }
    // A check only looks, also where nothing may be written.
    let read_only =
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT * FROM tview.check('tv_bench_posts'); COMMIT;";
    run("old_snapshot", read_only);
    assert_eq!(value("old_snapshot", "SELECT count(*) FROM tview.check_result"), "0");
    let error = fails("old_snapshot", "SELECT * FROM tview.check('bench_posts')");
    assert!(error.contains("bench_posts is not a tview"), "{error}");
}

#[test]
fn status_shows_every_tview_and_its_last_check() {
    damaged("status_fine");
    assert_eq!(problems("status_fine"), "");
    let row = "SELECT format('%s %s %s %s %s', s.view, s.program, length(s.source_hash), s.last_check IS NULL, s.last_differences)
                 FROM tview.status() s WHERE s.tview = 'tv_bench_posts'::regclass";
    assert_eq!(value("status_fine", row), "v_bench_posts test 32 t ");
    run("status_fine", "SELECT * FROM tview.check('tv_bench_posts'); ANALYZE tv_bench_posts;");
    assert_eq!(value("status_fine", row), "v_bench_posts test 32 f 3");
    assert_eq!(
        value("status_fine", "SELECT estimated_rows FROM tview.status() WHERE tview = 'tv_bench_posts'::regclass"),
        "3"
    );
    assert_eq!(value("status_fine", "SELECT count(*) FROM tview.status()"), "2");
}

#[test]
fn status_reports_what_lets_writes_pass() {
    let damages = [
        (
            "ALTER TABLE bench_authors DISABLE TRIGGER zzz_tview_test__update",
            "trigger zzz_tview_test__update of public.bench_authors is disabled",
        ),
        (
            "ALTER TABLE bench_authors ENABLE REPLICA TRIGGER zzz_tview_test__insert",
            "trigger zzz_tview_test__insert of public.bench_authors fires on replicas only",
        ),
        ("DROP TRIGGER zzz_tview_test__delete ON bench_posts", "public.bench_posts has no trigger for DELETE"),
        (
            "ALTER TABLE bench_posts DISABLE TRIGGER USER",
            "trigger zzz_tview_test__truncate of public.bench_posts is disabled",
        ),
        ("DROP TABLE bench_comments CASCADE", "does not exist"),
        ("DROP VIEW v_bench_posts", "does not exist"),
        ("ALTER VIEW v_bench_posts RENAME COLUMN data TO document", "is not what was compiled"),
        ("ALTER TABLE bench_authors RENAME COLUMN name TO full_name", "is not what was compiled"),
    ];
    for (n, (damage, expected)) in damages.iter().enumerate() {
        let name = format!("status_{n}");
        installed(&name, &fixture(BLOG));
        run(&name, damage);
        let found = problems(&name);
        assert!(found.contains(expected), "{damage}: {found}");
    }
    // A trigger that fires always fires.
    installed("status_always", &fixture(BLOG));
    run("status_always", "ALTER TABLE bench_authors ENABLE ALWAYS TRIGGER zzz_tview_test__update");
    assert_eq!(problems("status_always"), "");
}

#[test]
fn a_function_that_was_replaced_is_a_view_that_has_changed() {
    let sql = "CREATE TABLE item (id integer PRIMARY KEY, n integer);
        CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
        CREATE VIEW inner_item AS SELECT i.id, public.twice(i.n) AS n FROM item i;
        CREATE VIEW v_item AS SELECT x.id, jsonb_build_object('n', x.n) AS data FROM inner_item x;";
    let output = installed("function_replaced", sql);
    run("function_replaced", "INSERT INTO item VALUES (1, 5)");
    assert_eq!(problems("function_replaced"), "");
    run(
        "function_replaced",
        "CREATE OR REPLACE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3'",
    );
    assert!(problems("function_replaced").contains("public.v_item"), "{}", problems("function_replaced"));
    assert_eq!(
        value("function_replaced", "SELECT string_agg(difference, '') FROM tview.check('tv_item')"),
        "different"
    );
    // The migration, applied again, compares all rows and takes the function as it is now.
    run("function_replaced", &output.up);
    assert_eq!(problems("function_replaced"), "");
    assert_equal("function_replaced");
}

#[test]
fn replication_role_and_the_functions_are_not_for_everybody() {
    damaged("operations_roles");
    server()
        .psql(
            "operations_roles",
            SUPERUSER,
            "DROP ROLE IF EXISTS operator; CREATE ROLE operator LOGIN; GRANT USAGE ON SCHEMA tview TO operator;",
        )
        .expect("made");
    for call in [
        "tview.status()",
        "tview.check('tv_bench_posts')",
        "tview.repair('tv_bench_posts')",
        "tview.attach('bench_posts')",
    ] {
        let error =
            server().psql("operations_roles", "operator", &format!("SELECT {call}")).expect_err("refused").to_string();
        assert!(error.contains("permission denied"), "{call}: {error}");
    }
    // What a monitor needs, and no more.
    let grants = "GRANT SELECT ON ALL TABLES IN SCHEMA tview TO operator; GRANT EXECUTE ON FUNCTION tview.status(), tview.view_hash(regclass) TO operator;";
    run("operations_roles", grants);
    server().psql("operations_roles", "operator", "SELECT * FROM tview.status()").expect("the monitor sees");
    // session_replication_role = replica silences ordinary triggers; that is what repair is for.
    run("operations_roles", "SELECT tview.repair('tv_bench_posts')");
    let silent = "SET session_replication_role = replica; UPDATE bench_authors SET name = 'silent' WHERE id = 1;";
    server().psql("operations_roles", SUPERUSER, silent).expect("written");
    assert_ne!(value("operations_roles", FOUND), "");
    run("operations_roles", "SELECT tview.repair('tv_bench_posts'); SELECT tview.repair('tv_bench_comments');");
    assert_equal("operations_roles");
}

/// Elements in no order, in json, jsonb and array columns, and below ordered ones.
const UNORDERED: &str = "CREATE TABLE owner (id int PRIMARY KEY, name text);
CREATE TABLE pet (id int PRIMARY KEY, owner_id int NOT NULL REFERENCES owner, name text);
CREATE INDEX ON pet (owner_id);
CREATE VIEW v_owner AS SELECT o.id, jsonb_build_object('name', o.name, 'pets',
    (SELECT jsonb_agg(jsonb_build_object('name', p.name)) FROM pet p WHERE p.owner_id = o.id)) AS data,
    (SELECT array_agg(p.name) FROM pet p WHERE p.owner_id = o.id) AS names, o.name AS v, o.id AS t FROM owner o;
CREATE VIEW v_pet AS SELECT id, jsonb_build_object('list', jsonb_build_array(id, name)) AS data FROM pet;";

#[test]
fn the_order_of_elements_counts_where_the_view_says_it() {
    installed("check_unordered", UNORDERED);
    run(
        "check_unordered",
        "INSERT INTO owner VALUES (1, 'Ada'); INSERT INTO pet VALUES (1, 1, 'cat'), (2, 1, 'dog'), (3, 1, 'cat');",
    );
    let found = "SELECT string_agg(format('%s %s', c.key, c.difference), ', ') FROM tview.check('tv_owner') AS c";
    let compared = || {
        let options = CompareOptions { multisets: Multisets::AsInstalled, ..CompareOptions::default() };
        let mut client = server().connect("check_unordered", SUPERUSER).expect("connected");
        compare_with(&mut client, &options, &mut |_| Ok(())).expect("compared").is_equal()
    };
    let pets = |list: &str| {
        let set = format!("UPDATE tv_owner SET data = jsonb_set(data, '{{pets}}', '{list}')");
        run("check_unordered", &set);
    };
    pets(r#"[{"name": "dog"}, {"name": "cat"}, {"name": "cat"}]"#);
    run("check_unordered", "UPDATE tv_owner SET names = '{dog,cat,cat}'");
    assert_eq!((value("check_unordered", found), compared()), (String::new(), true));
    // How often an element is there counts.
    pets(r#"[{"name": "dog"}, {"name": "dog"}, {"name": "cat"}]"#);
    assert_eq!((value("check_unordered", found), compared()), (r#"{"id": 1} different"#.to_owned(), false));
    pets(r#"[{"name": "dog"}, {"name": "cat"}, {"name": "cat"}]"#);
    run("check_unordered", "UPDATE tv_owner SET names = '{dog,cat}'");
    assert_eq!((value("check_unordered", found), compared()), (r#"{"id": 1} different"#.to_owned(), false));
    run(
        "check_unordered",
        "SELECT tview.repair('tv_owner'); UPDATE tv_pet SET data = '{\"list\": [\"cat\", 1]}' WHERE id = 1",
    );
    assert_eq!(value("check_unordered", found), "");
    let found = "SELECT string_agg(format('%s %s', c.key, c.difference), ', ') FROM tview.check('tv_pet') AS c";
    assert_eq!((value("check_unordered", found), compared()), (r#"{"id": 1} different"#.to_owned(), false));
}
