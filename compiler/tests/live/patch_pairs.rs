//! Patches: that they run, that a document which is reached in two ways is written once, and the interleavings with writes
//! that make documents depend on the patched rows.

use tviewc_verify::Session;

use crate::concurrency::{Deadlocks, all_pairs, long_transactions};
use crate::support::{OWNER, assert_equal, count_writes, counted, fixture, installed, run, value};

const ROWS: &str = "
    INSERT INTO person VALUES (1, 'Ann', 'a', 1.0), (2, 'Ben', NULL, 2), (3, 'Cyd', 'c', 3);
    INSERT INTO place VALUES (1, 'here', 1), (2, 'there', 2);
    INSERT INTO article VALUES
        (1, 1, 2, 1, 'one', true), (2, 2, 2, NULL, 'two', false), (3, 1, 1, 2, 'three', true), (4, 9, NULL, 9, 'four', true);";

fn prepared(database: &str) {
    installed(database, &fixture("compiler/tests/data/live/patches.sql"));
    run(database, ROWS);
}

/// What one statement writes: documents patched and documents recomputed.
fn writes(database: &str, statement: &str) -> (i64, i64) {
    let before = counted(database);
    run(database, statement);
    let after = counted(database);
    assert_equal(database);
    let written = |strategy: &str| after[strategy] - before[strategy];
    (written("any") - written("key_recompute"), written("key_recompute"))
}

#[test]
fn each_change_takes_its_strategy() {
    let database = "patch_counts";
    prepared(database);
    count_writes(database);
    // Articles 1 and 3 are shown. Article 3 has the same author and editor: it is written once.
    assert_eq!(writes(database, "UPDATE person SET name = 'Anna' WHERE id = 1"), (3, 0));
    assert_eq!(writes(database, "UPDATE person SET name = NULL WHERE id = 2"), (2, 0));
    assert_eq!(writes(database, "UPDATE person SET score = 1.00 WHERE id = 1"), (3, 0));
    assert_eq!(writes(database, "UPDATE person SET score = 1.00 WHERE id = 1"), (0, 0));
    assert_eq!(writes(database, "UPDATE article SET title = title || '!'"), (2, 0));
    // A filter: the document comes, nothing is patched.
    assert_eq!(writes(database, "UPDATE article SET shown = true, title = 'new' WHERE id = 2"), (0, 0));
    // Some rows this way, some the other: article 1 is reached in both and recomputed; article 3 and both places are patched.
    let mixed = "UPDATE person SET name = name || '?', tag = CASE id WHEN 2 THEN 'b' ELSE tag END WHERE id IN (1, 2)";
    assert_eq!(writes(database, mixed), (3, 2));
    assert_eq!(value(database, "SELECT data #>> '{author,name}' FROM tv_article WHERE id = 3"), "Anna?");
}

#[test]
fn several_changes_to_one_document_are_one_write() {
    let database = "patch_objects";
    installed(database, &fixture("compiler/tests/data/live/patch_objects.sql"));
    run(
        database,
        "INSERT INTO person VALUES (1, 'Ann', 'a', 1.0), (2, 'Ben', NULL, 2), (3, 'Cyd', 'c', 3);
         INSERT INTO team VALUES (1, 'one', 1, 2), (2, 'two', 2, 2), (3, 'three', 3, NULL), (4, 'four', 3, 1);",
    );
    count_writes(database);
    assert_eq!(writes(database, "UPDATE person SET name = name || '!', score = score + 1"), (4, 0));
    assert_eq!(writes(database, "UPDATE person SET name = NULL, tag = 'x' WHERE id = 2"), (2, 0));
    assert_eq!(writes(database, "UPDATE person SET score = 2.00 WHERE id = 1"), (2, 0));
    assert_eq!(writes(database, "UPDATE team SET title = title || '!' WHERE id > 1"), (3, 0));
    assert_eq!(value(database, "SELECT data #>> '{people,more,u}' FROM tv_team WHERE id = 4"), "2.00");
}

/// Documents that a plan for few keys finds, and those that a plan for many does, are the same.
#[test]
fn many_rows_and_many_documents() {
    let database = "patch_many";
    installed(database, &fixture("compiler/tests/data/live/patch_objects.sql"));
    run(
        database,
        "INSERT INTO person SELECT i, 'name ' || i, 'tag', i FROM generate_series(1, 1500) AS i;
         INSERT INTO team SELECT i, 'team ' || i, 1 + i % 3, CASE WHEN i % 5 > 0 THEN 1 + i % 1500 END FROM generate_series(1, 4000) AS i;",
    );
    count_writes(database);
    // Few rows, many documents; many rows and many documents; few of both again, in one session.
    let all = "UPDATE person SET name = name || '!' WHERE id = 2; UPDATE person SET score = score + 1;
               UPDATE person SET name = name || '?' WHERE id = 1200; UPDATE team SET title = title || '!'";
    let (patched, recomputed) = writes(database, all);
    assert!(patched > 9_000, "{patched}");
    assert_eq!(recomputed, 0);
    assert_eq!(value(database, "SELECT current_setting('plan_cache_mode')"), "auto");
}

#[test]
fn the_blog_is_patched() {
    let database = "patch_blog";
    installed(database, &fixture("examples/blog/views.sql"));
    run(
        database,
        "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'a'), ('Bob', 'b');
         INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 't'), (1, 'two', 't'), (2, 'three', 't');
         INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 1, 'x'), (3, 1, 'y'), (3, 2, 'z');",
    );
    count_writes(database);
    // Two comments and two posts of the author, and, of the third post, a comment; the first post is written once.
    assert_eq!(writes(database, "UPDATE bench_authors SET name = 'Ida' WHERE id = 1"), (5, 0));
    assert_eq!(writes(database, "UPDATE bench_posts SET title = title || '!'"), (3, 0));
    assert_eq!(writes(database, "UPDATE bench_comments SET content = content || '!'"), (5, 0));
    // A comment that comes, moves to another post, or goes.
    let insert = "INSERT INTO bench_comments (post_id, author_id, content) VALUES (3, 2, 'between')";
    assert_eq!(writes(database, insert), (1, 0));
    assert_eq!(writes(database, "UPDATE bench_comments SET post_id = 2 WHERE id = 4"), (3, 0));
    assert_eq!(writes(database, "UPDATE bench_comments SET id = 5 WHERE id = 2"), (1, 0));
    assert_eq!(value(database, "SELECT data -> 'comments' -> 1 ->> 'id' FROM tv_bench_posts WHERE id = 3"), "5");
    assert_eq!(writes(database, "DELETE FROM bench_comments WHERE id = 5"), (1, 0));
}

#[test]
fn a_row_that_is_changed_again_meanwhile_is_patched_as_it_is() {
    let database = "patch_again";
    prepared(database);
    run(
        database,
        "CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF pg_trigger_depth() = 1 THEN
                 UPDATE person SET name = name || ' again', tag = 'x' WHERE id = NEW.id;
                 UPDATE article SET editor = 3 WHERE editor = NEW.id;
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER again AFTER UPDATE ON person FOR EACH ROW EXECUTE FUNCTION again();",
    );
    run(database, "UPDATE person SET name = 'new' WHERE id IN (1, 2)");
    assert_equal(database);
    assert_eq!(value(database, "SELECT data #>> '{author,name}' FROM tv_article WHERE id = 1"), "new again");
    run(
        database,
        "WITH renamed AS (UPDATE person SET name = 'both' WHERE id = 3 RETURNING id)
         UPDATE article SET author = 3, title = 'both' WHERE id IN (1, 3)",
    );
    assert_equal(database);
}

#[test]
fn patch_pairs() {
    prepared("pairs_patch");
    all_pairs(
        "pairs_patch",
        &[
            "UPDATE person SET name = name || '!' WHERE id = 1",
            "UPDATE person SET name = name || '?', score = score + 1",
            "INSERT INTO article VALUES (9, 1, 2, 1, 'new', true)",
            "UPDATE article SET author = 3 - author, place = 1 WHERE id IN (1, 2)",
            "UPDATE article SET shown = NOT shown",
            "UPDATE article SET title = title || '!'",
            "UPDATE place SET owner = 2, name = name || '!'",
            "DELETE FROM person WHERE id = 1",
            "INSERT INTO person VALUES (9, 'Zoe', 'z', 9)",
            "UPDATE person SET tag = NULL WHERE id = 1",
        ],
        Deadlocks::Never,
    );
}

#[test]
fn crossed_renames() {
    prepared("long_patch");
    let first = [
        "BEGIN",
        "UPDATE person SET name = 'one' WHERE id = 1",
        "UPDATE article SET editor = 2 WHERE id = 3",
        "UPDATE person SET name = 'two' WHERE id = 2",
        "COMMIT",
    ];
    let second = [
        "BEGIN",
        "UPDATE person SET name = 'three' WHERE id = 2",
        "UPDATE article SET shown = NOT shown WHERE id = 2",
        "UPDATE person SET name = 'four' WHERE id = 1",
        "COMMIT",
    ];
    long_transactions("long_patch", &[Session::new("first", OWNER, &first), Session::new("second", OWNER, &second)]);
}
