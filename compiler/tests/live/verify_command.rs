//! `tviewc verify` through the binary: exit codes, streams, scripts that can be run.

use std::path::PathBuf;
use std::process::{Command, Output};

use tviewc_verify::SUPERUSER;

use crate::support::{assert_equal, compiled, database, fixture, installed, run, server, value};

const BLOG: &str = "examples/blog/views.sql";

fn tviewc(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tviewc"));
    command.args(arguments).env("TVIEWC_PG_BIN", server().bin_dir()).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("written");
    path.display().to_string()
}

fn root(path: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path).display().to_string()
}

fn url(database: &str, user: &str) -> String {
    format!("host={} port={} user={user} dbname={database}", server().socket_dir().display(), server().port())
}

/// A function that claims to depend on nothing and reads a table: what tviewc believes, and verify does not.
const LIE: &str = "CREATE TABLE other (id integer PRIMARY KEY, name text);
CREATE TABLE item (id integer PRIMARY KEY, other_id integer, n integer);
CREATE FUNCTION other_name(i integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN RETURN (SELECT o.name FROM public.other o WHERE o.id = i); END $$;
CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n, 'other', public.other_name(i.other_id)) AS data FROM item i;
";

#[test]
fn a_program_that_is_right_passes_on_a_throwaway_server() {
    let out = tviewc(&["verify", &root(BLOG), "--steps", "60", "--seed", "7"]);
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!((out.status.code(), stdout.as_str()), (Some(0), ""), "{stderr}");
    assert!(stderr.contains("30 of 60 transactions"), "{stderr}");
    assert!(stderr.contains("2 tviews equal to their views in") && stderr.contains("(seed 7)"), "{stderr}");
}

#[test]
fn a_program_that_is_wrong_gives_a_short_script_that_shows_it() {
    let lie = file("lie.sql", LIE);
    let out = tviewc(&["verify", &lie, "--steps", "200"]);
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(1), "{stderr}");
    assert!(stdout.contains("public.tv_item <> public.v_item"), "{stdout}");
    let writes =
        stdout.lines().filter(|l| l.starts_with("INSERT") || l.starts_with("UPDATE") || l.starts_with("DELETE"));
    assert!((1..=4).contains(&writes.count()), "{stdout}");

    // The same seed finds the same.
    assert_eq!(text(&tviewc(&["verify", &lie, "--steps", "200"]).stdout), stdout);

    installed("verify_replay", LIE);
    run("verify_replay", &stdout);
    assert_ne!(value("verify_replay", "SELECT count(*) FROM tview.check('tv_item')"), "0");
}

#[test]
fn a_server_that_was_there_keeps_what_it_had() {
    database("verify_host", "CREATE TABLE bench_posts (mine text); INSERT INTO bench_posts VALUES ('stays');");
    let databases = "SELECT count(*) FROM pg_database WHERE datname LIKE 'tviewc_verify%'";
    let out = tviewc(&["verify", &root(BLOG), "--steps", "30", "--database-url", &url("verify_host", SUPERUSER)]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert_eq!(value("verify_host", "SELECT mine FROM bench_posts"), "stays");
    assert_eq!(value("verify_host", databases), "0");
    let out =
        tviewc(&["verify", &file("lie2.sql", LIE), "--steps", "200", "--database-url", &url("verify_host", SUPERUSER)]);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    assert_eq!(value("verify_host", databases), "0");
}

/// What a dump says of owners and readers.
#[test]
fn roles_that_the_files_name_are_made_on_a_throwaway_server() {
    let sql = "CREATE TABLE item (id integer PRIMARY KEY, n integer);
        ALTER TABLE item OWNER TO \"the app\"; GRANT SELECT ON item TO reader, PUBLIC;
        CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n) AS data FROM item i;
        GRANT SELECT ON v_item TO reader;";
    let named = file("roles.sql", sql);
    let out = tviewc(&["verify", &named, "--steps", "20"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let out = tviewc(&["verify", &named, "--steps", "20", "--database-url", &url("postgres", SUPERUSER)]);
    assert_eq!(out.status.code(), Some(2), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("role \"the app\" does not exist"), "{}", text(&out.stderr));
}

/// As scripts of migration tools write it; a role that is missing later in the file must not be in the way of the first.
#[test]
fn files_may_make_roles_themselves() {
    let sql = "DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'made_here') THEN CREATE ROLE made_here LOGIN; END IF;
        END $$;
        CREATE ROLE made_plainly;
        CREATE TABLE item (id integer PRIMARY KEY, n integer);
        CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n) AS data FROM item i;
        GRANT SELECT ON v_item TO made_here, made_plainly, missing;";
    let out = tviewc(&["verify", &file("makes_roles.sql", sql), "--steps", "20"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
}

/// Where a view leaves the order of an array's elements open, any order is right; what is in it is not open.
#[test]
fn elements_without_an_order_may_come_in_any() {
    let tables = "CREATE TABLE a (id integer PRIMARY KEY, name text);
        CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a, n integer); CREATE INDEX ON b (a_id);";
    let view = "CREATE VIEW v_a AS SELECT a.id, jsonb_build_object('name', a.name, 'n', jsonb_agg(b.id)) AS data
        FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.id;";
    let program = file("unordered.sql", &format!("{tables}\n{view}\n"));
    let out = tviewc(&["verify", &program, "--steps", "150"]);
    assert_eq!(out.status.code(), Some(0), "{}{}", text(&out.stdout), text(&out.stderr));
}

/// What the migration makes is not made before it: definitions, what reads or names them, views that the context has.
#[test]
fn definitions_wait_for_the_migration() {
    let out = tviewc(&["verify", &root("compiler/tests/data/live/definitions.sql"), "--steps", "60", "--seed", "3"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("5 tviews equal to their views in"), "{}", text(&out.stderr));

    let dump = "CREATE TABLE item (id integer PRIMARY KEY, n integer);
        CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n) AS data FROM item i;
        CREATE VIEW v_number AS SELECT v.data FROM v_item v;";
    let program = "CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n, 'id', i.id) AS data FROM item i;";
    let (dump, program) = (file("dump.sql", dump), file("program.sql", program));
    let out = tviewc(&["verify", "--schema", &dump, &program, "--steps", "20"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
}

/// A dump of a database in which the program runs is as good a schema as any.
#[test]
fn an_older_state_of_the_program_gives_way() {
    let tables = "CREATE TABLE item (id integer PRIMARY KEY, n integer);
        CREATE TABLE other (id integer PRIMARY KEY, item integer REFERENCES item ON DELETE CASCADE);
        CREATE INDEX ON other (item);";
    let old = "CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n) AS data FROM item i;
        CREATE VIEW v_other AS SELECT o.id, jsonb_build_object('n', i.n) AS data FROM other o JOIN item i ON i.id = o.item;";
    let new = "CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('n', i.n,
            'others', (SELECT jsonb_agg(o.id ORDER BY o.id) FROM other o WHERE o.item = i.id)) AS data FROM item i;";
    let up = compiled(&format!("{tables}\n{old}"), "program").up;
    let dump = file("program_dump.sql", &format!("{tables}\n{old}\nINSERT INTO item VALUES (1, 1);\n{up}"));
    let out = tviewc(&["verify", "--schema", &dump, &file("program.sql", new), "--steps", "30"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("1 tview equal to their views in"), "{}", text(&out.stderr));
}

#[test]
fn failures_of_the_input_are_not_mismatches() {
    let broken = file(
        "broken.sql",
        "CREATE TABLE a (id integer PRIMARY KEY, CHECK (nowhere > 1));
        CREATE VIEW v_a AS SELECT a.id, jsonb_build_object('id', a.id) AS data FROM a;",
    );
    let out = tviewc(&["verify", &broken]);
    assert_eq!(out.status.code(), Some(2), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("cannot apply"), "{}", text(&out.stderr));

    let leaving = file("leaving.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n\\connect elsewhere\n");
    let out = tviewc(&["verify", &leaving]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("leaving.sql:2: the file connects"), "{}", text(&out.stderr));

    let refused = file(
        "refused.sql",
        "CREATE TABLE a (x integer); CREATE VIEW v_a AS SELECT jsonb_build_object('x', x) AS data FROM a;",
    );
    assert_eq!(tviewc(&["verify", &refused]).status.code(), Some(1));
    let nothing = file("nothing.sql", "CREATE TABLE a (x integer);");
    assert_eq!(tviewc(&["verify", &nothing]).status.code(), Some(2));
    assert_eq!(tviewc(&["verify", "--compare-only"]).status.code(), Some(2));
    let unreachable =
        tviewc(&["verify", "--compare-only", "--database-url", "host=/nowhere user=x password=hidden dbname=x"]);
    assert_eq!(unreachable.status.code(), Some(2));
    assert!(!text(&unreachable.stderr).contains("hidden"), "{}", text(&unreachable.stderr));
}

/// Keys of two columns, so many rows that they do not fit into one batch, and names that need quotes.
const WIDE: &str = r#"CREATE SCHEMA "Odd";
CREATE TABLE "Odd"."It em" ("a'b" text, n numeric, v text, PRIMARY KEY ("a'b", n));
CREATE VIEW "Odd"."v_It em" AS SELECT i."a'b", i.n, jsonb_build_object('v', i.v) AS data FROM "Odd"."It em" i;
"#;

#[test]
fn a_production_database_is_compared_in_batches_and_mended_by_its_script() {
    database("verify_production", WIDE);
    let up = compiled(WIDE, "wide").up;
    run("verify_production", &up);
    run(
        "verify_production",
        r#"INSERT INTO "Odd"."It em" SELECT chr(97 + g % 7) || E'\\''"', g / 2.0, g FROM generate_series(1, 500) g"#,
    );
    let url = url("verify_production", "app");
    let compare = |more: &[&str]| {
        tviewc(&[&["verify", "--compare-only", "--database-url", &url, "--batch", "37"], more].concat())
    };
    let fine = compare(&[]);
    assert_eq!((fine.status.code(), text(&fine.stdout).as_str()), (Some(0), ""), "{}", text(&fine.stderr));
    assert!(text(&fine.stderr).contains("1 tview and 500 rows compared, all equal"), "{}", text(&fine.stderr));

    run(
        "verify_production",
        r#"DELETE FROM "Odd"."tv_It em" WHERE n < 100; UPDATE "Odd"."tv_It em" SET data = '{}' WHERE n BETWEEN 150 AND 160;
           INSERT INTO "Odd"."tv_It em" VALUES ('zz', 1.00, '{}'), ('', 1, '{}');
           UPDATE "Odd"."tv_It em" SET n = n * 1.00 WHERE n = 170"#,
    );
    let repair = file("repair.sql", "old");
    let found = compare(&["--write-repair", &repair]);
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stderr).contains("500 rows compared"), "{}", text(&found.stderr));
    let differing = 199 + 21 + 2;
    // A key that is equal and reads differently is a row too many and one too few for the eye.
    assert!(
        text(&found.stdout).contains(&format!(": {} of 500 rows differ", differing + 2)),
        "{}",
        text(&found.stdout)
    );
    assert!(text(&found.stdout).lines().count() < 100);
    assert_eq!(value("verify_production", r#"SELECT count(*) FROM "Odd"."tv_It em""#), "303");

    let script = std::fs::read_to_string(&repair).expect("written");
    assert!(
        !script.contains("data") && script.lines().filter(|l| l.starts_with("SELECT tview.repair")).count() == 2,
        "{script}"
    );
    run("verify_production", &script);
    assert_eq!(assert_equal("verify_production"), 500);
    assert_eq!(compare(&[]).status.code(), Some(0));
    let unknown = compare(&["--tview", "Odd.tv_x"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains(r#"there are: "Odd"."tv_It em""#), "{}", text(&unknown.stderr));
}

#[test]
fn a_comparison_writes_nothing_and_says_where_nothing_is_installed() {
    installed("verify_reader", &fixture(BLOG));
    run("verify_reader", "ALTER DATABASE verify_reader SET default_transaction_read_only = on");
    let out = tviewc(&[
        "verify",
        "--compare-only",
        "--database-url",
        &url("verify_reader", "app"),
        "--message-format",
        "json",
    ]);
    assert_eq!((out.status.code(), text(&out.stderr).as_str()), (Some(0), ""));
    database("verify_bare", "CREATE TABLE a (id integer)");
    let out = tviewc(&["verify", "--compare-only", "--database-url", &url("verify_bare", "app")]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("no table tview.pg_tview_meta"), "{}", text(&out.stderr));
}
