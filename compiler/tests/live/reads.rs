//! What single-row writes read: as much of large tables as of small ones.
//!
//! In: a fixture, and rows for it. Out: nothing; a write of one row that reads more blocks where there are more rows fails. Blocks are
//! counted by the server, in tables and indexes, for all statements that the triggers run: a plan that computes a view as a whole
//! shows, whatever it looks like, and no clock is asked.

use postgres::Client;
use tviewc_verify::SUPERUSER;

use crate::support::{OWNER, assert_equal, compiled, database, fixture, run, server};

/// How many rows there are. A view as it is written may take their square to fill its tview.
const FEW: i32 = 1_000;
const MANY: i32 = 10_000;
/// Trees of indexes are higher, and pages fuller, where there are more rows.
const FACTOR: i64 = 2;
const SLACK: i64 = 60;

fn blocks(client: &mut Client) -> i64 {
    let query = "SELECT coalesce(sum(pg_stat_get_xact_blocks_fetched(c.oid)), 0)::bigint
                   FROM pg_class AS c WHERE c.relkind IN ('r', 'i') AND c.relnamespace <> 'pg_catalog'::regnamespace";
    client.query_one(query, &[]).expect("counted").get(0)
}

/// How much each write reads, `?` being a row's number; the least of several, since a first one makes the plans.
fn read(name: &str, sql: &str, fill: &str, writes: &[&str], rows: i32) -> Vec<i64> {
    let name = format!("{name}_{rows}");
    database(&name, sql);
    run(&name, &fill.replace("{n}", &rows.to_string()));
    run(&name, &compiled(sql, "test").up);
    run(&name, "VACUUM ANALYZE");
    let mut client = server().connect(&name, OWNER).expect("connected");
    let mut least = |write: &&str| {
        let mut once = |row: i32| {
            client.batch_execute("BEGIN").expect("begun");
            let before = blocks(&mut client);
            let write = write.replace('?', &row.to_string());
            client.batch_execute(&write).unwrap_or_else(|e| panic!("{write}: {e}"));
            let read = blocks(&mut client) - before;
            client.batch_execute("COMMIT").expect("committed");
            read
        };
        [rows / 2, rows / 3, rows / 5, rows / 7].map(&mut once).into_iter().min().unwrap_or_default()
    };
    let least = writes.iter().map(&mut least).collect();
    drop(client);
    assert_equal(&name);
    server().drop_database(&name).expect("dropped");
    least
}

fn reads_as_much(name: &str, path: &str, fill: &str, writes: &[&str]) {
    let sql = fixture(path);
    let few = read(name, &sql, fill, writes, FEW);
    let many = read(name, &sql, fill, writes, MANY);
    for (write, (few, many)) in writes.iter().zip(few.into_iter().zip(many)) {
        assert!(many <= FACTOR * few + SLACK, "{write}: {few} blocks of {FEW} rows, {many} of {MANY}");
        // Less would mean that nothing was counted.
        assert!(few > 3, "{write}: {few} blocks");
    }
}

#[test]
fn windows_below() {
    reads_as_much(
        "reads_windows_below",
        "compiler/tests/data/live/windows_below.sql",
        "INSERT INTO club SELECT i, 'k' || i, i * 7 FROM generate_series(1, {n} / 20) i;
         INSERT INTO entry SELECT i, CASE WHEN i > 5 THEN 1 + i % ({n} / 20) END, CASE WHEN i > 3 THEN 'k' || i / 8 END, i % 97, i / 20
           FROM generate_series(1, {n}) i;
         INSERT INTO remark SELECT i, k, 'r' || i FROM generate_series(1, {n}) i, generate_series(1, 1 + i % 2) k;",
        &[
            "UPDATE entry SET points = points + 1 WHERE id = ?",
            "UPDATE entry SET kind = 'k' || id WHERE id = ?",
            "UPDATE entry SET club_id = greatest(1, club_id - 1), ref = 3 WHERE id = ?",
            "UPDATE remark SET body = body || '.' WHERE entry_id = ? AND n = 1",
            "UPDATE club SET best = best + 1, name = name || '.' WHERE id = ? / 20",
            "DELETE FROM entry WHERE id = ?",
        ],
    );
}

/// Of many keys in one partition all rows are computed, once: for each row its partition would be the square.
#[test]
fn windows_below_of_one_partition() {
    let sql = fixture("compiler/tests/data/live/windows_below.sql");
    let fill = "INSERT INTO club VALUES (1, 'k', 1);
        INSERT INTO entry SELECT i, 1, 'k', i % 97, i FROM generate_series(1, {n}) i;";
    let write = ["UPDATE entry SET points = points + 1 WHERE id = ?"];
    let [few, many] = [100, 1_000].map(|rows| read("reads_one_partition", &sql, fill, &write, rows)[0]);
    // Ten times as many rows change.
    assert!(many <= 20 * few + SLACK, "{few} blocks of 100 rows, {many} of 1,000");
}

#[test]
fn full_joins() {
    reads_as_much(
        "reads_full_joins",
        "compiler/tests/data/live/full_joins.sql",
        "INSERT INTO plan SELECT i, i / 3, i % 7 FROM generate_series(1, {n}) i;
         INSERT INTO actual SELECT i * 2, i / 3, i % 5 FROM generate_series(1, {n}) i;
         INSERT INTO region SELECT i, 'r' || i FROM generate_series(1, {n} / 3) i;
         INSERT INTO note SELECT i * 3, i, 'n' || i FROM generate_series(1, {n}) i;",
        &[
            "UPDATE plan SET planned = planned + 1 WHERE id = ?",
            "UPDATE plan SET region = region + 1 WHERE id = ?",
            "UPDATE actual SET spent = spent + 1 WHERE id = ? * 2",
            "UPDATE region SET name = name || '.' WHERE region = ? / 3",
            "UPDATE note SET body = body || '.', ref = ref + 1 WHERE note_id = ? * 3",
            "DELETE FROM plan WHERE id = ?",
        ],
    );
}

#[test]
fn memberships() {
    reads_as_much(
        "reads_memberships",
        "compiler/tests/data/live/memberships.sql",
        "INSERT INTO author SELECT 'a' || i, i FROM generate_series(0, {n} / 5) i;
         INSERT INTO post SELECT i, 'a' || i / 5, i / 3, i % 3, 't' || i FROM generate_series(1, {n}) i;
         INSERT INTO hidden SELECT i * 4, 'a' || i, CASE WHEN i % 3 > 0 THEN 'new' END FROM generate_series(1, {n}) i;
         INSERT INTO banned SELECT 'a' || i * 7, i % 3 FROM generate_series(1, {n}) i;
         INSERT INTO pinned SELECT i, 1, i FROM generate_series(1, {n}) i;
         INSERT INTO shown SELECT i, i FROM generate_series(1, {n}) i;
         INSERT INTO comment SELECT i, i / 2, 'a' || i % ({n} / 5), 'c' || i FROM generate_series(1, {n}) i;",
        &[
            "UPDATE post SET title = title || '.' WHERE id = ?",
            "UPDATE post SET kind = kind + 1, slot = 1 WHERE id = ?",
            "UPDATE comment SET body = body || '.' WHERE id = ?",
            "UPDATE hidden SET reason = 'old' WHERE post_id = ? / 4 * 4",
            "DELETE FROM shown WHERE kind = ?",
            "UPDATE author SET since = since + 1, name = name || '.' WHERE since = ? / 5",
            "DELETE FROM post WHERE id = ?",
        ],
    );
}

/// The latest of each: some numbers are by the key, some are not.
#[test]
fn numbered() {
    reads_as_much(
        "reads_numbered",
        "compiler/tests/data/live/numbered.sql",
        "INSERT INTO room SELECT i, 'r' || i FROM generate_series(1, {n} / 10) i;
         INSERT INTO message SELECT i, 1 + i % ({n} / 10), i / 9, 'c' || i, i % 31 FROM generate_series(1, {n}) i;
         INSERT INTO reader SELECT i, 1, i FROM generate_series(1, {n} / 10) i;",
        &["UPDATE message SET at = at + 1, body = body || '.' WHERE id = ?", "DELETE FROM message WHERE id = ?"],
    );
}

/// Else nothing here would ever fail.
#[test]
fn counters_count() {
    let name = "reads_counters";
    database(
        name,
        "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 1000) i;",
    );
    let mut client = server().connect(name, SUPERUSER).expect("connected");
    client.batch_execute("BEGIN").expect("begun");
    let before = blocks(&mut client);
    client.batch_execute("SELECT count(v) FROM t").expect("read");
    let whole = blocks(&mut client) - before;
    client.batch_execute("COMMIT").expect("committed");
    assert!(whole > 50, "a table of more than 60 pages, {whole} read");
    drop(client);
    server().drop_database(name).expect("dropped");
}

#[test]
fn grouped_joins() {
    reads_as_much(
        "reads_grouped_joins",
        "compiler/tests/data/live/grouped_joins.sql",
        "INSERT INTO author SELECT i, 'a' || i, i / 10 FROM generate_series(1, {n}) i;
         INSERT INTO post SELECT i, 1 + i * 7 % {n}, 't' || i FROM generate_series(1, {n}) i;
         INSERT INTO vote SELECT i, k, i % 5 FROM generate_series(1, {n}) i, generate_series(1, 1 + i % 3) k;",
        &[
            "UPDATE post SET title = title || '.' WHERE post_id = ?",
            "UPDATE post SET author_id = 1 + author_id % 500 WHERE post_id = ?",
            "UPDATE author SET name = name || '.', team = team + 1 WHERE author_id = ?",
            "UPDATE vote SET worth = worth + 1 WHERE post_id = ? AND voter = 1",
            "INSERT INTO vote SELECT ?, 9, 1",
            "DELETE FROM post WHERE post_id = ?",
        ],
    );
}
