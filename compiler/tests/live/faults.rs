//! Faults in the middle of a write: sessions that are killed or run into a limit, a server that crashes, transactions that are
//! prepared. Nothing that was committed is lost, and nothing is stale afterwards.

use postgres::Client;
use tviewc_verify::{SUPERUSER, Server, ServerOptions, compare};

use crate::support::{OWNER, compiled, fixture};

const BLOG: &str = "examples/blog/views.sql";

const ROWS: &str = "INSERT INTO bench_authors (name, email) SELECT 'a' || i, 'e' FROM generate_series(1, 100) AS i;
    INSERT INTO bench_posts (author_id, title, content) SELECT i, 't', 'c' FROM generate_series(1, 100) AS i;
    INSERT INTO bench_comments (post_id, author_id, content) SELECT i, 101 - i, 'c' FROM generate_series(1, 100) AS i;";

const RENAME: &str = "UPDATE bench_authors SET name = name || '!' WHERE id = 1";
const COMMENT: &str = "INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 1, 'new')";

/// A server of its own: what happens to it is nobody else's business.
fn server(settings: &[(&str, &str)]) -> Server {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let server = Server::start(&ServerOptions { settings, ..ServerOptions::default() }).expect("a server");
    server.create_role(OWNER).expect("the role is created");
    server.create_database("blog", OWNER, None).expect("created");
    let sql = fixture(BLOG);
    for script in [&sql, &compiled(&sql, "blog").up, ROWS] {
        server.psql("blog", OWNER, script).expect("applied");
    }
    server
}

fn connect(server: &Server) -> Client {
    server.connect("blog", OWNER).expect("connected")
}

/// Every tview equals its view, and writes go on.
fn is_well(server: &Server) {
    let compared = || {
        let report = compare(&mut server.connect("blog", SUPERUSER).expect("connected")).expect("compared");
        assert!(report.is_equal(), "{report}");
    };
    compared();
    connect(server).batch_execute(&format!("{RENAME}; {COMMENT}")).expect("writes go on");
    compared();
}

fn code(result: Result<(), postgres::Error>) -> String {
    let error = result.expect_err("it fails");
    error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned())
}

/// Waits until so many sessions wait for a lock.
fn until_waiting(server: &Server, sessions: i64) {
    let mut client = server.connect("blog", SUPERUSER).expect("connected");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    for _ in 0..600 {
        if client.query_one(waiting, &[]).expect("counted").get::<_, i64>(0) >= sessions {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("nobody waits");
}

#[test]
fn a_killed_session_leaves_nothing_behind() {
    let server = server(&[]);
    let (mut first, mut second) = (connect(&server), connect(&server));
    first.batch_execute(&format!("BEGIN; {RENAME}; DELETE FROM bench_comments WHERE post_id = 1")).expect("written");
    let waiting = std::thread::spawn(move || second.batch_execute(COMMENT));
    until_waiting(&server, 1);
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'";
    server.connect("blog", SUPERUSER).expect("connected").batch_execute(kill).expect("killed");
    waiting.join().expect("no panic").expect("whoever waited goes on");
    is_well(&server);
    // In the middle of a cascade, too.
    let mut holder = connect(&server);
    holder.batch_execute("BEGIN; SELECT FROM tv_bench_comments WHERE id = 50 FOR UPDATE").expect("a document is held");
    let mut all = connect(&server);
    let waiting = std::thread::spawn(move || all.batch_execute("UPDATE bench_authors SET name = name || '?'"));
    until_waiting(&server, 1);
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    server.connect("blog", SUPERUSER).expect("connected").batch_execute(kill).expect("killed");
    // Whether a client reads the last message before it sees that the connection has ended is chance.
    let killed = code(waiting.join().expect("no panic"));
    assert!(["57P01", "connection closed"].contains(&killed.as_str()), "{killed}");
    holder.batch_execute("COMMIT").expect("committed");
    is_well(&server);
}

#[test]
fn time_that_runs_out_takes_the_write_back() {
    let server = server(&[]);
    let (mut holder, mut other) = (connect(&server), connect(&server));
    for (limit, expected) in [("statement_timeout", "57014"), ("lock_timeout", "55P03")] {
        holder.batch_execute(&format!("BEGIN; {RENAME}")).expect("written");
        other.batch_execute(&format!("SET {limit} = '150ms'")).expect("set");
        assert_eq!(code(other.batch_execute(COMMENT)), expected);
        // A savepoint gives back what was locked, and the transaction goes on.
        other.batch_execute("BEGIN; SAVEPOINT s").expect("begun");
        assert_eq!(code(other.batch_execute(COMMENT)), expected);
        other
            .batch_execute("ROLLBACK TO s; UPDATE bench_posts SET title = 'other' WHERE id = 50; COMMIT")
            .expect("it goes on");
        holder.batch_execute("COMMIT").expect("committed");
        other.batch_execute(&format!("{COMMENT}; RESET {limit}")).expect("the same again succeeds");
    }
    is_well(&server);
}

/// No room for another lock is an error of the write, and nothing else.
#[test]
fn a_full_lock_table_refuses_the_write() {
    let server =
        server(&[("max_locks_per_transaction", "10"), ("max_connections", "10"), ("max_prepared_transactions", "0")]);
    let (mut hog, mut writer) = (connect(&server), connect(&server));
    // Locks of the session outlive the statement that fails. A few are given back: enough to begin the write.
    let all = "SELECT pg_advisory_lock(i) FROM generate_series(1, 100000) AS i";
    assert_eq!(code(hog.batch_execute(all)), "53200");
    hog.batch_execute("SELECT pg_advisory_unlock(i) FROM generate_series(1, 40) AS i").expect("given back");
    let renames = "UPDATE bench_authors SET name = name || '!' WHERE id <= 60";
    assert_eq!(code(writer.batch_execute(renames)), "53200");
    // A session that is dropped gives its locks back some time later.
    hog.batch_execute("SELECT pg_advisory_unlock_all()").expect("given back");
    is_well(&server);
    writer.batch_execute(renames).expect("there is room again");
    is_well(&server);
}

#[test]
fn a_crash_keeps_what_was_committed_and_what_was_prepared() {
    let mut server = server(&[]);
    let mut prepared = connect(&server);
    prepared.batch_execute(&format!("BEGIN; {RENAME}; PREPARE TRANSACTION 'renamed'")).expect("prepared");
    let mut lost = connect(&server);
    lost.batch_execute("BEGIN; UPDATE bench_authors SET name = 'lost' WHERE id = 2").expect("written");
    connect(&server).batch_execute("UPDATE bench_posts SET title = 'committed' WHERE id = 3").expect("committed");
    server.crash().expect("it recovers");
    let mut client = connect(&server);
    // What was prepared holds its locks over the crash.
    client.batch_execute("SET lock_timeout = '150ms'").expect("set");
    assert_eq!(code(client.batch_execute(COMMENT)), "55P03");
    client.batch_execute("COMMIT PREPARED 'renamed'").expect("committed");
    client.batch_execute(COMMENT).expect("it goes on");
    let shown = "SELECT string_agg(name, ',' ORDER BY id) FROM bench_authors WHERE id IN (1, 2)";
    assert_eq!(client.query_one(shown, &[]).expect("read").get::<_, String>(0), "a1!,a2");
    is_well(&server);
}

/// A pool gives each transaction another session, which may have been anybody's: nothing of a transaction stays in it.
#[test]
fn a_pooled_session_remembers_nothing() {
    let server = server(&[]);
    let mut sessions = [connect(&server), connect(&server)];
    for turn in 0..6 {
        let session = &mut sessions[turn % 2];
        // More values than are locked one by one, so that they are counted; then one.
        session.batch_execute("BEGIN; UPDATE bench_authors SET name = name || '.'; COMMIT").expect("many");
        session.batch_execute(&format!("BEGIN; {RENAME}")).expect("one");
        let whole = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'ExclusiveLock'";
        assert_eq!(session.query_one(whole, &[]).expect("counted").get::<_, i64>(0), 0, "a link is locked as a whole");
        session.batch_execute(if turn % 3 == 0 { "ROLLBACK" } else { "COMMIT" }).expect("ended");
        if turn % 3 == 1 {
            session.batch_execute("DISCARD ALL").expect("the pool cleans it");
        }
    }
    is_well(&server);
}

/// The query of the documentation, as it stands there.
#[test]
fn who_waits_for_whom_can_be_asked() {
    let page = include_str!("../../../docs/concurrency.md");
    let query = page.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a query");
    let server = server(&[]);
    let mut asker = server.connect("blog", SUPERUSER).expect("connected");
    let mut ask =
        || -> Vec<String> { asker.query(query, &[]).expect("answered").iter().map(|row| row.get("what")).collect() };
    assert_eq!(ask(), Vec::<String>::new());
    let post = "UPDATE bench_posts SET title = title || '!' WHERE id = 1";
    for (first, second, what) in [(RENAME, COMMENT, "public.tv_bench_comments: a"), (post, post, "a row")] {
        let (mut holder, mut other) = (connect(&server), connect(&server));
        holder.batch_execute(&format!("BEGIN; {first}")).expect("written");
        let waiting = std::thread::spawn(move || other.batch_execute(second));
        until_waiting(&server, 1);
        let told = ask();
        assert!(told.len() == 1 && told[0].starts_with(what), "{told:?}");
        holder.batch_execute("COMMIT").expect("committed");
        waiting.join().expect("no panic").expect("it goes on");
    }
}
