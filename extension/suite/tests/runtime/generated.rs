//! Triggers that the compiler writes: with the extension, without it, and while it comes and goes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;
use tview_runtime_suite::{has_native, server};
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, compile};
use tviewc_verify::{SUPERUSER, compare};

/// Documents with an object of a table's columns, fields beside others, a nested object and an array.
const VIEWS: &str = "
    CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, mail text);
    CREATE TABLE post (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES author, title text NOT NULL, words integer);
    CREATE TABLE comment (
        id integer PRIMARY KEY, post_id integer NOT NULL REFERENCES post ON DELETE CASCADE, author_id integer NOT NULL REFERENCES author,
        body text NOT NULL);
    CREATE VIEW v_post AS
    SELECT p.id, jsonb_build_object('id', p.id, 'title', p.title, 'words', p.words,
               'author', jsonb_build_object('name', a.name, 'mail', a.mail, 'of', jsonb_build_object('post', p.title)),
               'comments', coalesce((SELECT jsonb_agg(jsonb_build_object('id', c.id, 'body', c.body, 'by', ca.name) ORDER BY c.id)
                                       FROM comment c JOIN author ca ON ca.id = c.author_id WHERE c.post_id = p.id), '[]')) AS data
      FROM post p JOIN author a ON a.id = p.author_id;";

const ROWS: &str = "
    INSERT INTO author SELECT n, 'author ' || n, NULL FROM generate_series(1, 8) AS n;
    INSERT INTO post SELECT n, 1 + n % 8, 'post ' || n, n FROM generate_series(1, 40) AS n;
    INSERT INTO comment SELECT n, 1 + n % 40, 1 + n % 8, repeat('body ', 20) FROM generate_series(1, 400) AS n;";

/// A database with the views' program; the compiler's own statements are the migration.
fn installed(name: &str) -> Client {
    let sources =
        Sources { files: vec![SourceFile { name: "views.sql".into(), text: VIEWS.into(), context_only: false }] };
    let output = compile(&sources, &Options::default()).output.expect("it compiles");
    server().create_database(name, SUPERUSER, None).expect("the database is created");
    let mut client = server().connect(name, SUPERUSER).expect("a connection");
    for script in [VIEWS, ROWS, &output.up] {
        client.batch_execute(script).unwrap_or_else(|error| panic!("{error:?}"));
    }
    client
}

fn assert_equal(client: &mut Client, when: &str) {
    let report = compare(client).expect("compared");
    assert!(report.is_equal(), "{when}: {report}");
}

/// Some writes of each kind; `n` says of which rows.
fn writes(n: i32) -> Vec<String> {
    let (author, post, comment) = (1 + n % 8, 1 + n % 40, 1 + n % 400);
    vec![
        format!("UPDATE author SET name = name || 'x', mail = 'm{n}' WHERE id = {author}"),
        format!("UPDATE post SET title = 'title {n}' WHERE id = {post}"),
        format!("UPDATE post SET words = {n}, title = left(title, 5) WHERE id IN ({post}, {})", 1 + (n + 1) % 40),
        format!("UPDATE comment SET body = 'body {n}' WHERE id = {comment}"),
        format!("INSERT INTO comment VALUES ({n}, {post}, {author}, 'new') ON CONFLICT (id) DO NOTHING"),
        format!("UPDATE comment SET post_id = {post} WHERE id = {comment}"),
        format!("DELETE FROM comment WHERE id = {comment} AND body LIKE 'body%'"),
        format!("UPDATE post SET author_id = {author} WHERE id = {post}"),
    ]
}

/// How often the native functions have been called in the transaction.
fn native_calls(client: &mut Client) -> i64 {
    let calls = "SELECT coalesce(sum(pg_stat_get_xact_function_calls(p.oid)), 0)::bigint FROM pg_proc AS p
                  WHERE p.pronamespace = 'tview_native'::regnamespace
                    AND p.proname IN ('jsonb_put', 'jsonb_change_elements', 'jsonb_change_sorted_elements')";
    client.query_one(calls, &[]).expect("a number").get(0)
}

#[test]
fn triggers_use_the_extension_while_it_is_there() {
    let mut client = installed("generated");
    client.batch_execute("SET track_functions = 'all'").expect("a setting");
    let mut turn = 0;
    let mut write = |client: &mut Client| -> Vec<i64> {
        let mut calls = Vec::new();
        for _ in 0..2 {
            turn += 1;
            for sql in writes(1_000 + turn) {
                client.batch_execute(&format!("BEGIN; {sql}")).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                calls.push(native_calls(client));
                client.batch_execute("COMMIT").expect("the transaction ends");
            }
        }
        assert_equal(client, "after writes");
        calls
    };
    assert!(write(&mut client).iter().all(|calls| *calls == 0));
    if !has_native() {
        return;
    }
    for _ in 0..2 {
        client.batch_execute("CREATE EXTENSION tview_native").expect("the extension is created");
        let calls = write(&mut client);
        // But for the writes that find nothing to do, and the one that recomputes documents.
        assert!(calls.iter().filter(|calls| **calls > 0).count() >= 8, "{calls:?}");
        client.batch_execute("DROP EXTENSION tview_native").expect("the extension is dropped");
        assert!(write(&mut client).iter().all(|calls| *calls == 0));
    }
    client.batch_execute("CREATE EXTENSION tview_native VERSION '0.1.0'").expect("the first version");
    assert!(write(&mut client).iter().all(|calls| *calls == 0));
    client.batch_execute("ALTER EXTENSION tview_native UPDATE").expect("it is updated");
    assert!(write(&mut client).iter().any(|calls| *calls > 0));
}

/// What a session does between the writes: nothing, a transaction of several, or it begins anew.
#[test]
fn writers_do_not_notice_that_it_comes_and_goes() {
    if !has_native() {
        return;
    }
    let mut admin = installed("generated_busy");
    let long = std::env::var_os("TVIEWC_TEST_FULL").is_some();
    let until = Instant::now() + Duration::from_secs(if long { 120 } else { 8 });
    let (stop, written, switches) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let (stop, written) = (&stop, &written);
                scope.spawn(move || {
                    let connect = || server().connect("generated_busy", SUPERUSER).expect("a connection");
                    let (mut client, mut turn) = (connect(), 0);
                    while !stop.load(Ordering::Relaxed) {
                        turn += 1;
                        let all = writes(1_000 + number + 4 * turn);
                        match turn % 3 {
                            // One statement of several does not deadlock with others; two of a transaction may.
                            0 => run(&mut client, &format!("BEGIN; {}; {}; COMMIT", all[3], all[6]), true),
                            1 => all.iter().for_each(|sql| run(&mut client, sql, false)),
                            _ => run(&mut client, &all[(turn / 3) as usize % all.len()], false),
                        }
                        if turn % 29 == 0 {
                            client = connect();
                        }
                        written.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        while Instant::now() < until && writers.iter().all(|writer| !writer.is_finished()) {
            for command in [
                "CREATE EXTENSION tview_native",
                "DROP EXTENSION tview_native",
                "CREATE EXTENSION tview_native VERSION '0.1.0'",
                "ALTER EXTENSION tview_native UPDATE",
                "DROP EXTENSION tview_native",
            ] {
                admin.batch_execute(command).unwrap_or_else(|error| panic!("{command}: {error:?}"));
                std::thread::sleep(Duration::from_millis(15));
                switches.fetch_add(1, Ordering::Relaxed);
            }
        }
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().expect("no write fails");
        }
    });
    assert_equal(&mut admin, "after all");
    let (written, switches) = (written.load(Ordering::Relaxed), switches.load(Ordering::Relaxed));
    assert!(written > 100 && switches > 20, "{written} rounds of writes, {switches} switches");
}

/// A deadlock is an error that a transaction of several statements, or a row's foreign key, may meet whatever the runtime.
fn run(client: &mut Client, sql: &str, several: bool) {
    match client.batch_execute(sql) {
        Ok(()) => {}
        Err(error) if error.code().is_some_and(|code| code.code() == "40P01") => {
            if several {
                client.batch_execute("ROLLBACK").expect("the transaction ends");
            }
        }
        Err(error) => panic!("{sql}: {error:?}"),
    }
}
