//! Dumps, restores and renames: what was installed is installed there, too.

use std::path::PathBuf;
use std::process::Command;

use tviewc_verify::{SUPERUSER, Server, ServerOptions, binaries, compare};

use crate::support::{OWNER, assert_equal, compiled, fixture, installed, run, server, value};

const ROWS: &str = "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'ada@x'), ('Bob', 'bob@x');
INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 'text'), (2, 'two', 'text');
INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'hm'), (1, 1, 'yes'), (2, 1, 'no');";

/// A client program of the server in use; `None` where only the server itself is installed.
fn program(name: &str, database: &str) -> Option<Command> {
    let path = server().bin_dir().join(name);
    path.is_file().then(|| server().client_command(&path, database, SUPERUSER))
}

fn output(mut command: Command) -> Vec<u8> {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A database with documents whose oids are not those that a restored one will have.
fn dumped(name: &str) {
    installed(name, &fixture("examples/blog/views.sql"));
    run(name, ROWS);
    run(name, "SELECT * FROM tview.check('tv_bench_posts')");
}

fn works(database: &str) {
    assert_eq!(assert_equal(database), 5);
    let problems = "SELECT string_agg(p, '; ') FROM tview.status() s, unnest(s.problems) p";
    assert_eq!(value(database, problems), "");
    let known = "SELECT count(*) FROM tview.pg_tview_meta WHERE tview_oid = 'tv_bench_posts'::regclass::oid";
    assert_eq!(value(database, known), "1");
    run(
        database,
        "UPDATE bench_authors SET name = name || '!'; INSERT INTO bench_comments (post_id, author_id, content) VALUES (2, 2, 'new')",
    );
    assert_eq!(assert_equal(database), 6);
    assert_eq!(value(database, "SELECT count(*) FROM tview.check('tv_bench_posts')"), "0");
}

#[test]
fn a_plain_dump() {
    dumped("dump_plain");
    let Some(dump) = program("pg_dump", "dump_plain") else { return };
    let script = String::from_utf8(output(dump)).expect("UTF-8");
    server().create_database("dump_plain_restored", OWNER, None).expect("created");
    server().psql("dump_plain_restored", SUPERUSER, &script).expect("restored");
    works("dump_plain_restored");
    // The same migration still knows what is there, and so does its reverse.
    let program = crate::support::compiled(&fixture("examples/blog/views.sql"), "test");
    run("dump_plain_restored", &program.up);
    works_after_reverse("dump_plain_restored", &program.down);
}

fn works_after_reverse(database: &str, down: &str) {
    run(database, down);
    assert_eq!(value(database, "to_regnamespace('tview')"), "");
    run(database, "UPDATE bench_authors SET name = 'after'");
}

#[test]
fn a_custom_dump_as_a_whole_and_by_sections() {
    dumped("dump_custom");
    let archive = file("dump_custom.dump");
    let Some(mut dump) = program("pg_dump", "dump_custom") else { return };
    dump.arg("-Fc").arg("-f").arg(&archive);
    output(dump);
    let restore = |database: &str, arguments: &[&str]| {
        let mut restore = program("pg_restore", database).expect("it comes with pg_dump");
        restore.args(["--exit-on-error", "-d", database]).args(arguments).arg(&archive);
        output(restore);
    };
    server().create_database("dump_custom_whole", OWNER, None).expect("created");
    restore("dump_custom_whole", &["--single-transaction"]);
    works("dump_custom_whole");

    server().create_database("dump_custom_jobs", OWNER, None).expect("created");
    restore("dump_custom_jobs", &["--jobs=2"]);
    works("dump_custom_jobs");

    server().create_database("dump_custom_sections", OWNER, None).expect("created");
    for section in ["--section=pre-data", "--section=data", "--section=post-data"] {
        restore("dump_custom_sections", &[section]);
    }
    works("dump_custom_sections");
}

/// Rows alone, into a database in which the program is installed: without triggers the documents come from the dump.
#[test]
fn a_dump_of_rows_alone() {
    dumped("dump_rows");
    let archive = file("dump_rows.dump");
    let Some(mut dump) = program("pg_dump", "dump_rows") else { return };
    dump.args(["-Fc", "--data-only", "-n", "public", "-f"]).arg(&archive);
    output(dump);
    let restore = |database: &str, arguments: &[&str]| {
        let mut restore = program("pg_restore", database).expect("it comes with pg_dump");
        restore.args(["--exit-on-error", "-d", database]).args(arguments).arg(&archive);
        restore.output().expect("it runs")
    };
    installed("dump_rows_silent", &fixture("examples/blog/views.sql"));
    let silent = restore("dump_rows_silent", &["--disable-triggers"]);
    assert!(silent.status.success(), "{}", String::from_utf8_lossy(&silent.stderr));
    works("dump_rows_silent");

    // With triggers the documents are there before the dump's: that is an error, and nothing is stale.
    installed("dump_rows_loud", &fixture("examples/blog/views.sql"));
    let loud = restore("dump_rows_loud", &["--single-transaction"]);
    assert!(!loud.status.success());
    assert_eq!(assert_equal("dump_rows_loud"), 0);
}

#[test]
fn partitions_with_their_triggers() {
    installed("dump_partitions", &fixture("compiler/tests/data/live/partitions.sql"));
    run(
        "dump_partitions",
        "INSERT INTO region VALUES ('north', 'N'), ('south', 'S'); INSERT INTO shipment VALUES (1, 'north', 1, 'a'), (2, 'south', 2, 'b')",
    );
    let Some(dump) = program("pg_dump", "dump_partitions") else { return };
    let script = String::from_utf8(output(dump)).expect("UTF-8");
    server().create_database("dump_partitions_restored", OWNER, None).expect("created");
    server().psql("dump_partitions_restored", SUPERUSER, &script).expect("restored");
    let name = "dump_partitions_restored";
    assert_eq!(value(name, "SELECT string_agg(p, '; ') FROM tview.status() s, unnest(s.problems) p"), "");
    run(
        name,
        "UPDATE shipment_south SET note = 'leaf'; UPDATE shipment SET region = 'north'; INSERT INTO shipment VALUES (3, 'south', 3, 'c')",
    );
    assert_eq!(assert_equal(name), 3 + 2);
    assert_eq!(value(name, "SELECT tview.attach('shipment')"), "0");
}

#[test]
fn a_database_under_another_name() {
    dumped("dump_name");
    let rename = "ALTER DATABASE dump_name RENAME TO \"dump renamed\"";
    server().psql("postgres", SUPERUSER, rename).expect("renamed");
    works("dump renamed");
    // A copy made from it is one more.
    server().create_database("dump_copied", OWNER, Some("dump renamed")).expect("copied");
    assert_eq!(assert_equal("dump_copied"), 6);
    run("dump_copied", "UPDATE bench_authors SET name = 'copy'");
    assert_eq!(assert_equal("dump_copied"), 6);
}

/// To the newest version that is there, which can be the same: relations keep their oids, functions and operators need not.
#[test]
fn an_upgraded_cluster() {
    let found = binaries::available();
    let complete = || found.iter().filter(|b| b.dir.join("pg_upgrade").is_file());
    let from = complete().find(|b| b.dir == server().bin_dir());
    let (Some(from), Some(to)) = (from, complete().max_by_key(|b| b.major)) else { return };
    let options = ServerOptions { bin_dir: Some(from.dir.clone()), ..ServerOptions::default() };
    let mut server = Server::start(&options).expect("a server");
    server.create_role(OWNER).expect("the role is created");
    let fixtures = ["examples/blog/views.sql", "compiler/tests/data/live/partitions.sql"].map(fixture);
    let rows = [
        ROWS,
        "INSERT INTO region VALUES ('north', 'N'), ('south', 'S'); INSERT INTO shipment VALUES (1, 'north', 1, 'a')",
    ];
    let writes = [
        "UPDATE bench_authors SET name = name || '!'; DELETE FROM bench_comments WHERE id = 1",
        "UPDATE shipment_north SET note = 'leaf'; INSERT INTO shipment VALUES (3, 'south', 3, 'c')",
    ];
    for (name, (fixture, rows)) in ["blog", "partitions"].iter().zip(fixtures.iter().zip(rows)) {
        server.create_database(name, OWNER, None).expect("created");
        for sql in [fixture, &compiled(fixture, name).up, rows] {
            server.psql(name, OWNER, sql).expect("applied");
        }
    }
    server.upgrade(to).expect("upgraded");
    for (name, (fixture, writes)) in ["blog", "partitions"].iter().zip(fixtures.iter().zip(writes)) {
        server.psql(name, OWNER, writes).expect("written");
        let mut client = server.connect(name, SUPERUSER).expect("connected");
        let report = compare(&mut client).expect("compared");
        assert!(report.is_equal() && report.tviews.iter().any(|t| t.view_rows > 0), "{report:?}");
        let problems = "SELECT string_agg(p, '; ') FROM tview.status() s, unnest(s.problems) p";
        let problems: Option<String> = client.query_one(problems, &[]).expect("a status").get(0);
        assert_eq!(problems, None);
        // The same migration knows what is there.
        server.psql(name, OWNER, &compiled(fixture, name).up).expect("applied again");
    }
}
