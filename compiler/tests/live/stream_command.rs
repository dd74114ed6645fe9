//! `tviewc stream` through the binary: what is written, how early, in how much memory, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tviewc_verify::SUPERUSER;

use crate::support::{OWNER, database, installed, run, server, value};

const ODD: &str = r#"CREATE SCHEMA "Odd";
CREATE TABLE "Odd"."It em" ("a'b" integer PRIMARY KEY, "V" text);
CREATE VIEW "Odd"."v_It em" AS SELECT i."a'b", i."V", jsonb_build_object('v', i."V") AS "Da""ta" FROM "Odd"."It em" i;
"#;

/// Rows whose number is above a limit wait for a lock that the test holds; each document is so many bytes long.
const SLOW: &str = "CREATE FUNCTION waited(i integer, most integer) RETURNS integer LANGUAGE plpgsql AS
    $$ BEGIN IF i > most THEN PERFORM pg_advisory_xact_lock_shared(42); END IF; RETURN i; END $$;
CREATE VIEW v_slow AS SELECT waited(g, 3) AS id, jsonb_build_object('id', g) AS data FROM generate_series(1, 10) AS g;
CREATE VIEW v_wide AS SELECT waited(g, 2990) AS id, jsonb_build_object('text', repeat('x', 50000)) AS data
  FROM generate_series(1, 3000) AS g;";

fn url(database: &str) -> String {
    format!("host={} port={} user={OWNER} dbname={database}", server().socket_dir().display(), server().port())
}

fn command(database: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tviewc"));
    command.arg("stream").args(arguments).args(["--database-url", &url(database)]);
    command
}

fn stream(database: &str, arguments: &[&str]) -> Output {
    command(database, arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What is written, of a run that must succeed.
fn lines(database: &str, arguments: &[&str]) -> Vec<String> {
    let out = stream(database, arguments);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    text(&out.stdout).lines().map(str::to_owned).collect()
}

/// What is said, of a run that must not succeed and writes nothing.
fn refused(database: &str, arguments: &[&str]) -> String {
    let out = stream(database, arguments);
    assert_eq!((out.status.code(), text(&out.stdout).as_str()), (Some(2), ""), "{}", text(&out.stderr));
    text(&out.stderr)
}

/// A run whose output is read line by line.
fn started(database: &str, arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut child =
        command(database, arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command starts");
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    (child, out)
}

fn line(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).expect("a line is read");
    line
}

/// Waits until a query says so; a minute is more than any of them takes.
fn wait_until(database: &str, query: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while value(database, query) != "true" {
        assert!(Instant::now() < deadline, "never true: {query}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn sessions(database: &str) -> String {
    format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'tviewc stream'")
}

#[test]
fn every_document_is_a_line() {
    installed("stream_plain", ODD);
    run(
        "stream_plain",
        r#"INSERT INTO "Odd"."It em" SELECT g, E'line\nbreak \\ "' || g FROM generate_series(1, 2500) g"#,
    );
    let documents = r#"SELECT string_agg("Da""ta"::text, E'\n' ORDER BY "a'b") FROM "Odd"."tv_It em""#;
    let order = ["--order-by", "\"a'b\" -- of the key"];
    for (name, chunk) in
        [(r#""Odd"."tv_It em""#, "1"), (r#""Odd"."tv_It em""#, "700"), (r#""Odd"."v_It em""#, "1000000")]
    {
        let found = lines("stream_plain", &[&[name, "--chunk", chunk], &order[..]].concat());
        assert_eq!((found.len(), found.join("\n")), (2500, value("stream_plain", documents)), "{name} {chunk}");
    }
    let out = stream("stream_plain", &[r#""Odd"."tv_It em""#, "--where", "false"]);
    assert_eq!((out.status.code(), out.stdout.len(), text(&out.stderr).as_str()), (Some(0), 0, "tviewc: 0 rows\n"));
}

#[test]
fn rows_order_and_columns_are_chosen_in_the_server() {
    installed("stream_choice", ODD);
    run("stream_choice", r#"INSERT INTO "Odd"."It em" SELECT g, 'v' || g FROM generate_series(1, 20) g"#);
    let tview = r#""Odd"."tv_It em""#;
    let found = lines(
        "stream_choice",
        &[
            tview,
            "--where",
            "\"a'b\" < 3 OR \"V\" = 'v20' --)",
            "--order-by",
            "\"a'b\" DESC",
            "--columns",
            "a'b,Da\"ta",
        ],
    );
    assert_eq!(
        found,
        [
            r#"{"a'b":20,"Da\"ta":{"v": "v20"}}"#,
            r#"{"a'b":2,"Da\"ta":{"v": "v2"}}"#,
            r#"{"a'b":1,"Da\"ta":{"v": "v1"}}"#
        ]
    );
    let found = lines("stream_choice", &[tview, "--select", r#""a'b" * 2 AS n"#, "--where", "\"V\" = 'v4'"]);
    assert_eq!(found, [r#"{"n":8}"#]);
    // One column is an object too, when it is asked for by name.
    let found = lines("stream_choice", &[tview, "--columns", "V", "--where", "\"V\" = 'v4'"]);
    assert_eq!(found, [r#"{"V":"v4"}"#]);
}

/// The type json keeps its text, several documents make an object, and times do not depend on who reads.
#[test]
fn json_stays_on_its_line_and_times_are_in_utc() {
    database(
        "stream_json",
        "CREATE TABLE two (id integer, a json, b jsonb); INSERT INTO two VALUES (1, E'{\"x\":\\n\\t1}', '[1]'), (2, NULL, NULL);
         CREATE TABLE one (a json, at timestamptz); INSERT INTO one VALUES (E'{\"x\":\\r\\n 1}', '2026-01-02 03:04:05+06');
         CREATE DOMAIN document AS jsonb; CREATE TABLE of_domain (d document); INSERT INTO of_domain VALUES ('{}'), (NULL);
         ALTER DATABASE stream_json SET TimeZone = 'Asia/Kolkata';",
    );
    let found = lines("stream_json", &["two", "--order-by", "id"]);
    assert_eq!(found, ["{\"a\":{\"x\": \t1},\"b\":[1]}", r#"{"a":null,"b":null}"#]);
    assert_eq!(lines("stream_json", &["one"]), [r#"{"x":   1}"#]);
    assert_eq!(lines("stream_json", &["one", "--columns", "at"]), [r#"{"at":"2026-01-01T21:04:05+00:00"}"#]);
    assert_eq!(lines("stream_json", &["of_domain", "--order-by", "d"]), ["{}", "null"]);
}

#[test]
fn what_is_wrong_is_said() {
    installed("stream_wrong", ODD);
    run("stream_wrong", r#"INSERT INTO "Odd"."It em" VALUES (1, 'v'); CREATE TABLE plain (id integer)"#);
    let tview = r#""Odd"."tv_It em""#;
    let said = refused("stream_wrong", &["tv_it"]);
    assert!(said.contains("there is no table or view tv_it (bare names are looked for in: public)"), "{said}");
    assert!(refused("stream_wrong", &["plain"]).contains("public.plain has no json or jsonb column"));
    let said = refused("stream_wrong", &[tview, "--columns", "v"]);
    assert!(said.contains(r#""Odd"."tv_It em" has no column v; there are: "a'b", "V", "Da""ta""#), "{said}");
    let said = refused("stream_wrong", &[tview, "--where", "nothing = 1"]);
    assert!(said.starts_with("tviewc: --where: 42703 column \"nothing\" does not exist"), "{said}");
    let said = refused("stream_wrong", &[tview, "--where", "true", "--order-by", "1,"]);
    assert!(said.starts_with("tviewc: --order-by: 42601"), "{said}");
    let said = refused("stream_wrong", &[tview, "--where", "true; DROP TABLE plain"]);
    assert!(said.starts_with("tviewc: --where: 42601"), "{said}");
    let said = refused("stream_wrong", &[tview, "--where", "set_config('x.y', '1', false) = (1 / 0)::text"]);
    assert!(said.contains("22012"), "{said}");
    // The transaction is read-only, whatever the SQL calls.
    run("stream_wrong", "CREATE FUNCTION writes() RETURNS boolean LANGUAGE sql AS 'DELETE FROM plain RETURNING true'");
    assert!(refused("stream_wrong", &[tview, "--where", "writes()"]).contains("25006"));
    assert!(refused("stream_wrong", &[tview, "--chunk", "0"]).contains("--chunk"));
}

/// The first rows come while the server is still at work on those behind them, with a chunk that holds them all.
#[test]
fn the_first_row_is_early_and_an_interrupt_ends_the_query() {
    for (signal, code) in [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 143)] {
        let name = format!("stream_interrupt_{code}");
        database(&name, SLOW);
        let mut holder = server().connect(&name, SUPERUSER).expect("connected");
        holder.batch_execute("SELECT pg_advisory_lock(42)").expect("locked");
        let (mut child, mut out) = started(&name, &["v_slow", "--chunk", "1000"]);
        assert_eq!(line(&mut out), "{\"id\": 1}\n");
        wait_until(&name, &format!("SELECT ({}  AND wait_event_type = 'Lock') = 1", sessions(&name)));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).expect("it is there");
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        // A backend that waits for a lock does not see its client go: it was told.
        wait_until(&name, &format!("SELECT ({}) = 0", sessions(&name)));
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_query() {
    database("stream_closed", SLOW);
    let mut holder = server().connect("stream_closed", SUPERUSER).expect("connected");
    holder.batch_execute("SELECT pg_advisory_lock(42)").expect("locked");
    let (mut child, mut out) = started("stream_closed", &["v_slow"]);
    assert_eq!(line(&mut out), "{\"id\": 1}\n");
    wait_until("stream_closed", &format!("SELECT ({}  AND wait_event_type = 'Lock') = 1", sessions("stream_closed")));
    drop(out);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    wait_until("stream_closed", &format!("SELECT ({}) = 0", sessions("stream_closed")));
}

/// 150 MB of documents pass through a process that holds no more than some chunks of them.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_that_of_a_chunk() {
    database("stream_memory", SLOW);
    let mut holder = server().connect("stream_memory", SUPERUSER).expect("connected");
    holder.batch_execute("SELECT pg_advisory_lock(42)").expect("locked");
    let (mut child, mut out) = started("stream_memory", &["v_wide", "--chunk", "50"]);
    let mut read = 0;
    while read < 2_900 {
        read += usize::from(line(&mut out).len() > 50_000);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells the peak");
    let peak: usize = peak.trim().trim_end_matches(" kB").trim().parse().expect("kilobytes");
    assert!(peak < 30_000, "{peak} kB");
    holder.batch_execute("SELECT pg_advisory_unlock(42)").expect("unlocked");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("read");
    assert_eq!(read + rest.lines().count(), 3_000);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
