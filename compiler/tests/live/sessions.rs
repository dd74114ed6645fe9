//! Sessions of all kinds: settings, roles, policies, grants. Documents do not depend on who writes.

use tviewc_verify::SUPERUSER;

use crate::support::{assert_equal, fixture, installed, run, server, value};

const BLOG: &str = "examples/blog/views.sql";

/// Types that print by settings, and names with what string constants treat as special.
const RENDERED: &str = r#"CREATE TABLE "back\slash" (id integer PRIMARY KEY, label text);
CREATE TABLE item (
    at timestamptz, n numeric(10, 2), id integer NOT NULL, f double precision, b bytea, i interval, d date, m money, x xml,
    "it's\" integer, j json, PRIMARY KEY (id, at)
);
CREATE VIEW v_item AS
SELECT i.id, i.at, i.m,
       jsonb_build_object('at', i.at, 'n', i.n, 'f', i.f, 'b', i.b, 'i', i.i, 'd', i.d, 'm', i.m, 'x', i.x, 'j', i.j, 'it''s\', l.label,
                          'text', concat_ws('|', i.at, i.f, i.b, i.i, i.d), 'char', to_char(i.n, 'FML999G990D00')) AS data
  FROM item i LEFT JOIN "back\slash" l ON l.id = i."it's\";
CREATE VIEW "v_back\slash" AS SELECT l.id, jsonb_build_object('n', (SELECT count(*) FROM item i WHERE i."it's\" = l.id)) AS data FROM "back\slash" l;
"#;

const SETTINGS: &[&str] = &[
    "SET \"TimeZone\" = 'Asia/Kolkata'",
    "SET \"TimeZone\" = 'America/St_Johns'",
    "SET \"DateStyle\" = 'German'",
    "SET \"DateStyle\" = 'SQL, DMY'",
    "SET \"IntervalStyle\" = 'sql_standard'",
    "SET \"IntervalStyle\" = 'iso_8601'",
    "SET extra_float_digits = -15",
    "SET extra_float_digits = 3",
    "SET bytea_output = 'escape'",
    "SET lc_monetary = 'POSIX'",
    "SET lc_numeric = 'POSIX'",
    "SET lc_time = 'POSIX'",
    "SET search_path = ''",
    "SET search_path = pg_temp, nowhere",
    "SET row_security = off",
    "SET standard_conforming_strings = off; SET escape_string_warning = off",
    "SET quote_all_identifiers = on",
    "SET xmlbinary = 'hex'; SET xmloption = 'document'",
    "SET array_nulls = off; SET transform_null_equals = on",
    "SET plan_cache_mode = force_generic_plan",
    "SET plan_cache_mode = force_custom_plan",
    "SET enable_nestloop = off; SET enable_hashjoin = off",
    "SET work_mem = '64kB'; SET jit_above_cost = 0",
    "SET client_encoding = 'LATIN1'",
    "SET client_min_messages = error",
    "SET default_transaction_deferrable = on",
    "SET synchronous_commit = off",
    "SET check_function_bodies = off",
    "SET \"plpgsql.variable_conflict\" = 'use_column'",
    "SET \"plpgsql.extra_errors\" = 'all'",
    "SET statement_timeout = '60s'; SET lock_timeout = '30s'",
];

#[test]
fn settings_of_the_session_change_no_document() {
    installed("sessions_settings", RENDERED);
    run("sessions_settings", r#"INSERT INTO "back\slash" SELECT g, 'l' || g FROM generate_series(1, 40) g"#);
    for (n, settings) in SETTINGS.iter().enumerate() {
        let n = n + 1;
        run(
            "sessions_settings",
            &format!(
                r#"{settings};
                INSERT INTO public.item VALUES
                    ('2026-03-29 01:30:00+00', 1234.5, {n}, 0.1::float8 + 0.2, E'\\x00ff5c', '1 mon -2 days 03:04:05.6', '2026-02-01', 1234.5, '<a>1</a>', {n}, '{{"a":  1}}'),
                    ('infinity', NULL, {n}, 'NaN', '', '-00:00:01', 'infinity', -1, NULL, NULL, NULL);
                UPDATE public.item SET n = n + 1, i = i * 2, "it's\" = 1 WHERE id = {n};
                UPDATE public."back\slash" SET label = label || '!' WHERE id IN (1, {n});
                DELETE FROM public.item WHERE id = {n} - 1 AND at = 'infinity';"#
            ),
        );
        assert!(assert_equal("sessions_settings") > 40, "{settings}");
    }
    let text = value("sessions_settings", "SELECT data->>'text' FROM tv_item WHERE id = 3 AND at < 'infinity'");
    assert_eq!(text, r"2026-03-29 01:30:00+00|0.30000000000000004|\x00ff5c|2 mons -4 days +06:08:11.2|2026-02-01");
}

#[test]
fn a_role_without_rights_on_the_tviews_writes() {
    installed("sessions_roles", &fixture(BLOG));
    let setup = "CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON bench_authors, bench_posts, bench_comments TO clerk;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk;";
    server().psql("sessions_roles", SUPERUSER, setup).expect("made");
    let as_clerk = |sql: &str| server().psql("sessions_roles", "clerk", sql);
    as_clerk(
        "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'a'), ('Bob', 'b');
         INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 't'), (2, 'two', 't');
         INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'c');
         UPDATE bench_authors SET name = 'Eve' WHERE id = 1; DELETE FROM bench_comments WHERE id = 1;",
    )
    .expect("written");
    assert_eq!(assert_equal("sessions_roles"), 2);
    // Neither through a table nor through a function does the role reach more than that.
    for forbidden in [
        "SELECT * FROM tv_bench_posts",
        "INSERT INTO tv_bench_posts VALUES (1, 1, '{}')",
        "SELECT * FROM tview.pg_tview_meta",
        "SELECT tview.test__tv_bench_posts__recompute('{1}')",
        "SELECT tview.lock_link('bench_posts', true, false)",
    ] {
        let error = as_clerk(forbidden).expect_err(forbidden).to_string();
        assert!(error.contains("permission denied"), "{forbidden}: {error}");
    }
    // Objects that the role puts in the way of names are not found by what runs with the owner's rights.
    as_clerk(
        "CREATE TEMP TABLE bench_posts (id integer); CREATE TEMP TABLE tv_bench_posts (id integer); CREATE TEMP VIEW v_bench_posts AS SELECT 1 AS id;
         SET search_path = pg_temp, public;
         UPDATE public.bench_authors SET name = 'Mallory' WHERE id = 2;",
    )
    .expect("written");
    assert_eq!(assert_equal("sessions_roles"), 2);
    server().psql("sessions_roles", SUPERUSER, "DROP OWNED BY clerk; DROP ROLE clerk;").expect("dropped");
}

/// Functions and operators of a writer's own are called by none of ours, wherever the session looks for them.
#[test]
fn a_writer_cannot_lend_its_operators() {
    let sql = "CREATE TABLE item (id integer PRIMARY KEY, n integer, tg_op text, label varchar(9) NOT NULL UNIQUE);
        CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n, 'op', i.tg_op, 'label', i.label) AS data FROM item i;
        CREATE VIEW v_op AS SELECT i.tg_op, jsonb_build_object('count', count(*)) AS data FROM item i WHERE i.tg_op IS NOT NULL GROUP BY i.tg_op;";
    installed("sessions_lent", sql);
    let setup = "CREATE ROLE mallory LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON item TO mallory; CREATE SCHEMA mallory AUTHORIZATION mallory;
        ALTER ROLE mallory SET \"plpgsql.variable_conflict\" = 'use_column';";
    server().psql("sessions_lent", SUPERUSER, setup).expect("made");
    let lent = |name: &str, types: &str, returns: &str| {
        format!(
            "CREATE FUNCTION mallory.{name}({types}) RETURNS {returns} LANGUAGE plpgsql AS $$ BEGIN
                 IF current_user <> 'mallory' THEN RAISE EXCEPTION 'runs as %', current_user; END IF; RETURN NULL; END $$;"
        )
    };
    let mut script = lent("record_image_ne", "record, record", "boolean")
        + &lent("coalesced", "integer[], integer", "integer[]")
        + "CREATE AGGREGATE mallory.array_agg(integer) (SFUNC = mallory.coalesced, STYPE = integer[]);";
    for ty in ["integer", "text", "varchar", "record", "anyarray"] {
        script += &lent("same", &format!("{ty}, {ty}"), "boolean");
        for operator in ["=", "<>", "*<>"] {
            script += &format!(
                "CREATE OPERATOR mallory.{operator} (LEFTARG = {ty}, RIGHTARG = {ty}, FUNCTION = mallory.same);"
            );
        }
    }
    script += "SET search_path = mallory, pg_catalog, public;
        INSERT INTO item VALUES (1, 1, 'INSERT', 'a'), (2, 2, 'none', 'b'); UPDATE item SET n = 7, tg_op = 'DELETE'; DELETE FROM item WHERE label LIKE 'b';";
    server().psql("sessions_lent", "mallory", &script).expect("written");
    assert_eq!(assert_equal("sessions_lent"), 2);
    server().psql("sessions_lent", SUPERUSER, "DROP OWNED BY mallory; DROP ROLE mallory;").expect("dropped");
}

#[test]
fn policies_of_writers_hide_nothing_from_documents() {
    installed("sessions_policies", &fixture(BLOG));
    let setup = "CREATE ROLE tenant LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON bench_authors, bench_posts, bench_comments TO tenant;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO tenant;
        ALTER TABLE bench_authors ENABLE ROW LEVEL SECURITY; ALTER TABLE bench_posts ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON bench_authors TO tenant USING (name LIKE 'T%');
        CREATE POLICY own ON bench_posts TO tenant USING (title LIKE 'T%');";
    server().psql("sessions_policies", SUPERUSER, setup).expect("made");
    run(
        "sessions_policies",
        "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'a'), ('Tom', 't');
         INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 't'), (2, 'two', 't'), (2, 'Three', 't');",
    );
    let as_tenant = |sql: &str| server().psql("sessions_policies", "tenant", sql);
    as_tenant(
        "UPDATE bench_authors SET name = name || '!'; INSERT INTO bench_posts (author_id, title, content) VALUES (2, 'T4', 't');
         DELETE FROM bench_posts WHERE title = 'Three'; INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 1, 'on a hidden post');",
    )
    .expect("written");
    assert_eq!(assert_equal("sessions_policies"), 3 + 1);
    // Tom's post that the tenant does not see has his new name all the same.
    assert_eq!(value("sessions_policies", "SELECT data->'author'->>'name' FROM tv_bench_posts WHERE id = 2"), "Tom!");

    // Policies that bind the owner too would hide rows from the documents: then nothing is written.
    run(
        "sessions_policies",
        "ALTER TABLE bench_posts FORCE ROW LEVEL SECURITY; CREATE POLICY all_rows ON bench_posts TO app USING (id < 3)",
    );
    let error = as_tenant("UPDATE bench_authors SET name = 'Trudy'").expect_err("refused").to_string();
    assert!(error.contains("row-level security"), "{error}");
    run("sessions_policies", "ALTER TABLE bench_posts NO FORCE ROW LEVEL SECURITY");
    as_tenant("UPDATE bench_authors SET name = 'Trudy'").expect("written");
    assert_equal("sessions_policies");
    server().psql("sessions_policies", SUPERUSER, "DROP OWNED BY tenant; DROP ROLE tenant;").expect("dropped");
}

#[test]
fn readers_of_the_view_read_the_tview() {
    let sql = fixture(BLOG);
    crate::support::database("sessions_grants", &sql);
    let setup = "CREATE ROLE reader_a LOGIN; CREATE ROLE \"Reader B\" LOGIN; CREATE ROLE reader_c LOGIN;";
    server().psql("sessions_grants", SUPERUSER, setup).expect("made");
    run(
        "sessions_grants",
        "GRANT SELECT ON v_bench_posts TO reader_a WITH GRANT OPTION; GRANT SELECT (id) ON v_bench_posts TO \"Reader B\";
         GRANT ALL ON v_bench_comments TO reader_c; GRANT SELECT ON v_bench_comments TO PUBLIC;",
    );
    let up = crate::support::compiled(&sql, "test").up;
    run("sessions_grants", &up);
    let may = |role: &str, sql: &str| server().psql("sessions_grants", role, sql).is_ok();
    assert!(may("reader_a", "SELECT data FROM tv_bench_posts; GRANT SELECT ON tv_bench_posts TO reader_c"));
    assert!(may("Reader B", "SELECT id FROM tv_bench_posts") && !may("Reader B", "SELECT data FROM tv_bench_posts"));
    assert!(may("Reader B", "SELECT data FROM tv_bench_comments"));
    assert!(!may("reader_c", "DELETE FROM tv_bench_comments"), "only reading is carried over");
    // What was taken away since then does not come back.
    run("sessions_grants", "REVOKE SELECT ON tv_bench_comments FROM PUBLIC");
    run("sessions_grants", &up);
    assert!(!may("Reader B", "SELECT data FROM tv_bench_comments"));
    let clean = "DROP OWNED BY reader_a, \"Reader B\", reader_c; DROP ROLE reader_a, \"Reader B\", reader_c;";
    server().psql("sessions_grants", SUPERUSER, clean).expect("dropped");
}

#[test]
fn a_view_for_each_reader_gives_no_rights_to_all_rows() {
    if server().major_version() < 15 {
        return;
    }
    let sql = "CREATE TABLE item (id integer PRIMARY KEY, n integer);
        CREATE VIEW v_item WITH (security_invoker = on) AS SELECT i.id, jsonb_build_object('n', i.n) AS data FROM item i;";
    crate::support::database("sessions_invoker", sql);
    server().psql("sessions_invoker", SUPERUSER, "CREATE ROLE reader_d LOGIN").expect("made");
    run("sessions_invoker", "GRANT SELECT ON v_item TO reader_d");
    run("sessions_invoker", &crate::support::compiled(sql, "test").up);
    assert!(server().psql("sessions_invoker", "reader_d", "SELECT * FROM tv_item").is_err());
    server().psql("sessions_invoker", SUPERUSER, "DROP OWNED BY reader_d; DROP ROLE reader_d;").expect("dropped");
}
