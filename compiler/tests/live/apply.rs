//! Applying and taking back: nothing more is made or removed than what is said.

use tviewc_verify::writer::{RunOptions, random_run_with};

use crate::support::{
    OWNER, assert_equal, beforehand, compiled, database, fails, fixture, installed, run, server, value,
};

const BLOG: &str = "examples/blog/views.sql";

const ROWS: &str = "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'ada@x'), ('Bob', 'bob@x');
INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 'text'), (2, 'two', 'text');
INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'hm'), (1, 1, 'yes'), (2, 1, 'no');";

/// Everything in the catalog and all rows of the tviews, as one text.
fn picture(database: &str) -> String {
    value(
        database,
        "SELECT string_agg(o, E'\\n' ORDER BY o) FROM (
             SELECT format('relation %s.%s %s %s', relnamespace::regnamespace, relname, relkind, relowner) AS o
               FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_|information_schema'
             UNION ALL SELECT format('function %s', oid::regprocedure) FROM pg_proc
                        WHERE pronamespace::regnamespace::text !~ '^pg_|information_schema'
             UNION ALL SELECT format('trigger %s on %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
             UNION ALL SELECT format('view %s', pg_get_viewdef(oid)) FROM pg_class
                        WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
             UNION ALL SELECT format('schema %s', nspname) FROM pg_namespace) AS all_objects",
    )
}

fn versions(database: &str) -> String {
    value(
        database,
        "SELECT string_agg(v, ' ' ORDER BY v) FROM (SELECT format('%s %s %s', id, xmin, ctid) AS v FROM tv_bench_posts
         UNION ALL SELECT format('%s %s %s', tview_oid, xmin, ctid) FROM tview.pg_tview_meta
         UNION ALL SELECT format('%s %s %s', name, xmin, ctid) FROM tview.program) AS rows",
    )
}

#[test]
fn down_removes_exactly_what_up_made() {
    let sql = fixture(BLOG);
    database("down_all", &sql);
    let before = picture("down_all");
    let output = compiled(&sql, "test");
    run("down_all", &output.up);
    assert_ne!(picture("down_all"), before);
    run("down_all", &output.down);
    assert_eq!(picture("down_all"), before);
    run("down_all", &output.down);
}

#[test]
fn views_that_were_not_there_are_made_and_removed_again() {
    let sql = fixture(BLOG);
    database("down_views", &sql);
    run("down_views", "DROP VIEW v_bench_posts, v_bench_comments;");
    let before = picture("down_views");
    let output = compiled(&sql, "test");
    run("down_views", &output.up);
    run("down_views", &output.up);
    run("down_views", ROWS);
    assert_eq!(assert_equal("down_views"), 5);
    run("down_views", &output.down);
    assert_eq!(picture("down_views"), before);
}

#[test]
fn a_second_application_changes_nothing() {
    let output = installed("twice", &fixture(BLOG));
    run("twice", ROWS);
    let (objects, rows) = (picture("twice"), versions("twice"));
    run("twice", &output.up);
    assert_eq!(picture("twice"), objects);
    assert_eq!(versions("twice"), rows, "rows were written again");
    assert_eq!(assert_equal("twice"), 5);
}

#[test]
fn rows_that_were_there_before_are_taken_over() {
    let sql = fixture(BLOG);
    database("existing", &sql);
    run("existing", ROWS);
    run("existing", &compiled(&sql, "test").up);
    assert_eq!(assert_equal("existing"), 5);
}

#[test]
fn another_source_of_the_same_program_is_refused() {
    let sql = fixture(BLOG);
    installed("other_source", &sql);
    let other = compiled(&sql.replace("'title', p.title,", ""), "test");
    let error = fails("other_source", &other.up);
    assert!(error.contains("installed from another source"), "{error}");
    let error = fails("other_source", &other.down);
    assert!(error.contains("installed from another source"), "{error}");
    run("other_source", ROWS);
    assert_eq!(assert_equal("other_source"), 5);
}

#[test]
fn a_table_of_ours_by_name_only_is_refused_and_nothing_is_left() {
    let sql = fixture(BLOG);
    database("foreign_table", &sql);
    run("foreign_table", "CREATE TABLE tv_bench_posts (mine text);");
    let before = picture("foreign_table");
    let error = fails("foreign_table", &compiled(&sql, "test").up);
    assert!(error.contains("tv_bench_posts exists already"), "{error}");
    assert_eq!(picture("foreign_table"), before);
}

#[test]
fn a_database_that_is_not_the_one_compiled_for_is_refused() {
    let sql = fixture(BLOG);
    let changes = [
        ("ALTER TABLE bench_comments DROP CONSTRAINT bench_comments_pkey", "no valid unique key"),
        ("ALTER TABLE bench_authors DROP COLUMN email CASCADE", "email should be text"),
        ("CREATE RULE r AS ON DELETE TO bench_comments DO INSTEAD NOTHING", "has rules"),
        ("CREATE TABLE heir () INHERITS (bench_comments)", "takes part in inheritance"),
    ];
    for (n, (change, expected)) in changes.iter().enumerate() {
        let name = format!("drifted_{n}");
        database(&name, &sql);
        run(&name, change);
        let error = fails(&name, &compiled(&sql, "test").up);
        assert!(error.contains(expected), "{change}: {error}");
        assert_eq!(value(&name, "to_regnamespace('tview')"), "");
    }
}

/// A column, the condition of a unique index on other columns, and what a view says of its rows.
const SOME_ROWS: &[[&str; 3]] = &[
    ["at integer", "at IS NULL", "at IS NULL"],
    ["at integer", "at IS NOT NULL AND at != 3", "at <> 3"],
    ["at integer", "(at > -1)", "at > -1"],
    ["at bigint", "at IN (1, 2)", "at IN (2)"],
    ["at numeric", "at = 1.5", "at = 1.5"],
    ["at boolean", "at", "at = true"],
    ["at boolean", "at IS TRUE", "at"],
    ["at boolean", "NOT at", "at = false"],
    ["at boolean", "at <> true", "at IS FALSE"],
    ["\"At all\" boolean", "\"At all\" = false", "NOT \"At all\""],
    ["at varchar(9)", "at = 'a (b)'", "at = 'a (b)'"],
    ["at text", "at IN ('a', 'it''s')", "at = 'it''s'"],
    ["at varchar", "at <> 'x'::text", "at <> 'x'"],
    ["at character(3)", "at = 'USD'", "at = 'USD'"],
    ["at uuid", "at = '1b671a64-40d5-491e-99b0-da01ff1f3341'", "at = '1b671a64-40d5-491e-99b0-da01ff1f3341'"],
    ["at \"Mood\"", "at = ANY (ARRAY['calm'::\"Mood\", 'Cross'])", "at = 'Cross'"],
    ["at code", "at = 'x'", "at = 'x'"],
];

#[test]
fn indexes_over_some_rows_are_recognized_however_they_are_written() {
    let mut sql = "CREATE TYPE \"Mood\" AS ENUM ('calm', 'Cross'); CREATE DOMAIN code AS text;\n".to_owned();
    for (n, [column, condition, said]) in SOME_ROWS.iter().enumerate() {
        sql += &format!(
            "CREATE TABLE t_{n} (id integer PRIMARY KEY, slug text NOT NULL, {column});
             CREATE UNIQUE INDEX only_{n} ON t_{n} (slug) INCLUDE (id) WHERE {condition};
             CREATE VIEW v_{n} AS SELECT slug, jsonb_build_object('id', id) AS doc FROM t_{n} WHERE {said};\n"
        );
    }
    let up = compiled(&sql, "test").up;
    database("some_rows", &sql);
    run("some_rows", &up);
    let changes =
        ["", "CREATE UNIQUE INDEX ON t_0 (slug) WHERE at = 1", "CREATE UNIQUE INDEX ON t_0 (id) WHERE at IS NULL"];
    for (n, change) in changes.iter().enumerate() {
        let name = format!("other_rows_{n}");
        database(&name, &sql);
        run(&name, &format!("DROP INDEX only_0; {change}"));
        let error = fails(&name, &up);
        assert!(error.contains("no valid unique index on (slug) WHERE at IS NULL"), "{change}: {error}");
    }
}

#[test]
fn two_programs_on_one_table_do_not_disturb_each_other() {
    let sql = fixture(BLOG);
    let at = sql.find("-- A post with its author").expect("the second view");
    let tables = &sql[..sql.find("-- A comment with its author").expect("the first view")];
    let comments = compiled(&sql[..at], "comments");
    let posts = compiled(&format!("{tables}{}", &sql[at..]), "posts");
    database("two_programs", &sql);
    run("two_programs", &comments.up);
    let first_only = picture("two_programs");
    run("two_programs", &posts.up);
    run("two_programs", ROWS);
    assert_eq!(assert_equal("two_programs"), 5);
    run("two_programs", "UPDATE bench_authors SET name = name || '!'; DELETE FROM bench_comments WHERE id = 1;");
    assert_eq!(assert_equal("two_programs"), 4);
    run("two_programs", &posts.down);
    assert_eq!(picture("two_programs"), first_only);
    run("two_programs", "UPDATE bench_authors SET name = name || '?'");
    assert_eq!(assert_equal("two_programs"), 2);
    run("two_programs", &comments.down);
    assert_eq!(value("two_programs", "to_regnamespace('tview')"), "");
}

#[test]
fn documents_are_unchanged_by_writes_that_no_view_shows() {
    installed("skip", &fixture(BLOG));
    run("skip", ROWS);
    let rows = versions("skip");
    run("skip", "UPDATE bench_authors SET created_at = created_at + interval '1 day', name = name;");
    assert_eq!(versions("skip"), rows);
    // Equal under `=` is not enough: a change of bytes is a change.
    run("skip", "UPDATE bench_authors SET name = name || '' WHERE id = 1;");
    assert_eq!(versions("skip"), rows);
}

#[test]
fn only_affected_documents_are_written() {
    installed("affected", &fixture(BLOG));
    run("affected", ROWS);
    let unaffected = "SELECT xmin::text FROM tv_bench_posts WHERE id = 2";
    let affected = "SELECT xmin::text FROM tv_bench_posts WHERE id = 1";
    let before = (value("affected", unaffected), value("affected", affected));
    run("affected", "UPDATE bench_comments SET content = 'changed' WHERE id = 1;");
    assert_eq!(value("affected", unaffected), before.0);
    assert_ne!(value("affected", affected), before.1);
}

#[test]
fn other_isolation_levels_are_refused_by_the_portable_runtime() {
    installed("isolation", &fixture(BLOG));
    run("isolation", ROWS);
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let write = "UPDATE bench_authors SET name = 'X' WHERE id = 1";
        let error = fails("isolation", &format!("BEGIN ISOLATION LEVEL {level}; {write}; COMMIT;"));
        assert!(error.contains("READ COMMITTED"), "{error}");
        run(
            "isolation",
            &format!("BEGIN ISOLATION LEVEL {level}; UPDATE bench_authors SET created_at = now(); COMMIT;"),
        );
    }
    assert_eq!(assert_equal("isolation"), 5);
    let sql = fixture(BLOG);
    database("isolation_default", &sql);
    let up = compiled(&sql, "test").up;
    let error = fails("isolation_default", &format!("SET default_transaction_isolation = 'serializable'; {up}"));
    assert!(error.contains("default_transaction_isolation"), "{error}");
    run(
        "isolation_default",
        &format!("SET tview.accept_isolation = on; SET default_transaction_isolation = 'serializable'; {up}"),
    );
}

#[test]
fn functions_are_not_for_everybody() {
    installed("revoked", &fixture(BLOG));
    let open = "SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                 WHERE p.pronamespace = 'tview'::regnamespace AND a.grantee = 0";
    assert_eq!(value("revoked", open), "0");
    server().create_role("reader").expect("the role is created");
    run(
        "revoked",
        "GRANT SELECT, INSERT ON bench_authors TO reader; GRANT USAGE ON SEQUENCE bench_authors_id_seq TO reader;",
    );
    server()
        .psql("revoked", "reader", "INSERT INTO bench_authors (name, email) VALUES ('x', 'y');")
        .expect("a role without rights on the tviews writes");
    assert!(server().psql("revoked", "reader", "SELECT tview.test__tv_bench_posts__refresh();").is_err());
}

#[test]
fn tables_and_materialized_views_are_definitions() {
    let sql = fixture("compiler/tests/data/live/definitions.sql");
    let output = compiled(&sql, "test");
    database("definitions", &beforehand(&sql, &output));
    let before = picture("definitions");
    run("definitions", &output.up);
    run("definitions", &output.up);
    let options = RunOptions { seed: 5, transactions: 100, ..RunOptions::default() };
    let report = random_run_with(server(), "definitions", OWNER, &options, &mut |_, _| {})
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.most_rows.values().all(|rows| *rows > 0), "{report}");
    run("definitions", &output.down);
    assert_eq!(picture("definitions"), before);
}

#[test]
fn a_definition_takes_the_place_of_nothing() {
    let sql = fixture("compiler/tests/data/live/definitions.sql");
    let output = compiled(&sql, "test");
    database("definitions_taken", &beforehand(&sql, &output));
    run("definitions_taken", "CREATE MATERIALIZED VIEW album_doc AS SELECT id FROM album;");
    let before = picture("definitions_taken");
    let error = fails("definitions_taken", &output.up);
    assert!(error.contains("public.album_doc exists already"), "{error}");
    assert_eq!(picture("definitions_taken"), before);
}

/// Equal texts of such a collation would be one key and two documents.
#[test]
fn nondeterministic_collations_are_refused() {
    let sql = "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE person (id integer PRIMARY KEY, name text COLLATE nocase);
        CREATE VIEW v_person AS SELECT p.id, jsonb_build_object('name', p.name) AS data FROM person p;";
    let output = compiled(sql, "test");
    database("nondeterministic", sql);
    let error = fails("nondeterministic", &output.up);
    assert!(error.contains("columns of table public.person have a nondeterministic collation: name"), "{error}");
    // So would those of an expression.
    let sql = "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL);
        CREATE VIEW v_name AS
        SELECT p.name COLLATE nocase AS name, jsonb_build_object('people', count(*)) AS data FROM person p GROUP BY p.name COLLATE nocase;";
    let output = compiled(sql, "test");
    database("nondeterministic_key", sql);
    let error = fails("nondeterministic_key", &output.up);
    assert!(error.contains("columns of table public.tv_name have a nondeterministic collation: name"), "{error}");
}

/// Links out of NOT IN rest on columns outside keys.
#[test]
fn what_proofs_rest_on_is_not_null() {
    let sql = "CREATE TABLE person (id integer PRIMARY KEY, name text);
        CREATE TABLE ban (id integer PRIMARY KEY, person_id integer NOT NULL);
        CREATE INDEX ON ban (person_id);
        CREATE VIEW v_person AS SELECT p.id, jsonb_build_object('free', p.id NOT IN (SELECT b.person_id FROM ban b)) AS data FROM person p;";
    let output = compiled(sql, "test");
    database("nullable", &sql.replace("integer NOT NULL", "integer"));
    let error = fails("nullable", &output.up);
    assert!(error.contains("person_id should be integer NOT NULL"), "{error}");
    run("nullable", "ALTER TABLE ban ALTER COLUMN person_id SET NOT NULL");
    run("nullable", &output.up);
    run("nullable", "INSERT INTO person VALUES (1, 'a'), (2, 'b'); INSERT INTO ban VALUES (1, 2);");
    assert_eq!(assert_equal("nullable"), 2);
}

#[test]
fn an_asserted_key_that_is_none_fails_loudly() {
    let sql = "CREATE TABLE note (id integer PRIMARY KEY, code text NOT NULL, body text);
        -- tviewc: key(code)
        CREATE VIEW v_note AS SELECT n.code, jsonb_build_object('body', n.body) AS data FROM note n;";
    installed("asserted", sql);
    run("asserted", "INSERT INTO note VALUES (1, 'a', 'x'), (2, 'b', 'y');");
    let error = fails("asserted", "UPDATE note SET code = 'a' WHERE id = 2;");
    assert!(error.contains("several rows of public.v_note have the same key"), "{error}");
    let error = fails("asserted", "INSERT INTO note VALUES (3, 'c', 'x'), (4, 'c', 'y');");
    assert!(error.contains("several rows of public.v_note have the same key"), "{error}");
    run("asserted", "UPDATE note SET code = CASE code WHEN 'a' THEN 'b' ELSE 'a' END;");
    assert_eq!(assert_equal("asserted"), 2);
}

#[test]
fn a_key_without_a_value_is_said_to_be_one() {
    let sql = "CREATE TABLE part (id integer PRIMARY KEY, code text, parent integer);
        -- tviewc: key(code)
        -- tviewc: full_refresh
        CREATE VIEW v_part AS WITH RECURSIVE below AS (
            SELECT p.id, p.code, 1 AS depth FROM part p WHERE p.parent IS NULL
            UNION ALL SELECT p.id, p.code, b.depth + 1 FROM part p JOIN below b ON b.id = p.parent)
        SELECT b.code, jsonb_build_object('depth', b.depth) AS data FROM below b;";
    installed("null_key", sql);
    run("null_key", "INSERT INTO part VALUES (1, 'a', NULL), (2, 'b', 1);");
    let error = fails("null_key", "INSERT INTO part VALUES (3, NULL, 2);");
    assert!(error.contains("a row of public.v_part has NULL in its key"), "{error}");
    assert!(error.contains("key(code)"), "{error}");
    run("null_key", "INSERT INTO part VALUES (3, NULL, 4);");
    assert_eq!(assert_equal("null_key"), 2);
}

#[test]
fn arrays_of_json_depend_on_the_rows_of_their_elements() {
    installed("json_arrays", &fixture("compiler/tests/data/live/document_types.sql"));
    let of = |tview: &str| {
        let row = "format('%s %s at %s of %s', m.source_table_names[n], m.dependency_types[n], m.dependency_paths[n], m.document_columns[n])";
        let all = format!(
            "SELECT string_agg({row}, ', ' ORDER BY n) FROM tview.pg_tview_meta AS m, generate_subscripts(m.dependency_types, 1) AS n
              WHERE m.tview_oid = '{tview}'::regclass::oid"
        );
        value("json_arrays", &all)
    };
    assert_eq!(of("tv_tasks"), "owner scalar at  of tasks, task array at  of tasks");
    let steps = "task scalar at  of steps, step array at  of steps, step array at  of rows, step scalar at  of first, step scalar at  of few";
    assert_eq!(of("tv_steps"), steps);
    // The array is a value of one row.
    assert_eq!(of("tv_marks"), "task scalar at  of marks, owner scalar at  of marks");
}
