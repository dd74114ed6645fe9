//! More stepped interleavings: what the examples of `concurrency` do not have.

use tviewc_verify::interleave::tviews_are_equal;
use tviewc_verify::{InterleaveOptions, Orders, Session, interleave_with};

use crate::concurrency::{Deadlocks, all_pairs, long_transactions};
use crate::support::{OWNER, assert_equal, fixture, full, installed, run, server};

pub(crate) const BLOG_ROWS: &str =
    "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'a'), ('Bob', 'b'), ('Cyd', 'c');
     INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 't'), (2, 'two', 't');
     INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'x'), (1, 1, 'y'), (2, 1, 'z');";

/// One statement fires the triggers of two events, and each of them locks documents. The third session holds the
/// documents of both, so that the other two wait in the middle of their statements and go on at the same time: they
/// can deadlock, as docs/architecture.md says, and nothing may be stale afterwards.
fn two_events(template: &str, first: &str, second: &str) {
    installed(template, &fixture("examples/blog/views.sql"));
    run(template, BLOG_ROWS);
    let both = "UPDATE bench_posts SET title = title || '!'";
    let sessions = [("first", first), ("second", second), ("both", both)]
        .map(|(name, sql)| Session::new(name, OWNER, &["BEGIN", sql, "COMMIT"]));
    let count = if full() { 120 } else { 20 };
    let options = InterleaveOptions { orders: Orders::Sample { count, seed: 3 }, ..InterleaveOptions::default() };
    let report = interleave_with(server(), template, &sessions, &options, &tviews_are_equal).expect("orders run");
    assert!(report.findings.is_empty(), "{report}");
    assert!(report.failures.keys().all(|state| state == "40P01"), "{report}");
}

#[test]
fn upserts() {
    two_events(
        "pairs_upsert",
        "INSERT INTO bench_comments (id, post_id, author_id, content) VALUES (100, 1, 1, 'new'), (3, 2, 1, 'again')
         ON CONFLICT (id) DO UPDATE SET content = excluded.content",
        "INSERT INTO bench_comments (id, post_id, author_id, content) VALUES (101, 2, 2, 'new'), (1, 1, 1, 'again')
         ON CONFLICT (id) DO UPDATE SET content = excluded.content",
    );
}

/// A tree: the same table above and below the key, filters on both sides, an anti-join.
#[test]
fn tree_pairs() {
    installed("pairs_tree", &fixture("compiler/tests/data/live/tree.sql"));
    run(
        "pairs_tree",
        "INSERT INTO node VALUES (1, NULL, NULL, 'root', 1), (2, 1, 1, 'two', 2), (3, 2, 1, 'three', 3), (4, 3, 9, 'four', 4), (5, 9, 2, 'five', 5)",
    );
    all_pairs(
        "pairs_tree",
        &[
            "INSERT INTO node VALUES (9, 1, 4, 'nine', 9)",
            "UPDATE node SET parent_id = 1 WHERE id = 4",
            "UPDATE node SET parent_id = 4, link_id = 5.00 WHERE id = 2",
            "UPDATE node SET id = 9 WHERE id = 3",
            "UPDATE node SET label = label || '!' WHERE id = 1",
            "UPDATE node SET weight = 10 - weight",
            "DELETE FROM node WHERE id = 2",
        ],
        Deadlocks::Never,
    );
}

/// Rows that appear and disappear on the nullable side, on both sides of an anti-join, and below an inner join over it.
#[test]
fn outer_join_pairs() {
    installed("pairs_outer", &fixture("compiler/tests/data/live/outer_joins.sql"));
    run(
        "pairs_outer",
        "INSERT INTO a VALUES (1, 1, 1, 'left', 1), (2, 2, 1, 'left', 2);
         INSERT INTO b VALUES (1, 1, 'left', 2, 'b1'), (3, 1, 'r', 0, 'b3');
         INSERT INTO c VALUES (1, 1, 'left', 1, 'c1'), (2, 1, NULL, 2, 'c2');",
    );
    all_pairs(
        "pairs_outer",
        &[
            "INSERT INTO b VALUES (2, 2, 'left', 2, 'b2')",
            "DELETE FROM b WHERE id = 1",
            "UPDATE b SET c_id = 2, x = 1, kind = 'r' WHERE id = 1",
            "UPDATE b SET id = 2 WHERE id = 3",
            "UPDATE c SET kind = 'left', t = t || '!', x = 2",
            "UPDATE c SET id = 3 - id, b_id = 2 WHERE id = 5 OR t = 'none'",
            "UPDATE a SET b_id = 3, c_id = 2, x = 2 WHERE id = 1",
            "INSERT INTO a VALUES (3, 2, 2, 'left', 1)",
            "DELETE FROM c WHERE id = 1",
        ],
        Deadlocks::Never,
    );
}

/// Conditions within conditions: whether a row counts depends on rows of a third table.
#[test]
fn subquery_pairs() {
    installed("pairs_sub", &fixture("compiler/tests/data/live/subqueries.sql"));
    run(
        "pairs_sub",
        "INSERT INTO p VALUES (1, 1, false, 1, 'p1'), (2, 2, NULL, 2, 'p2');
         INSERT INTO q VALUES (1, 1, true, 1, 'q1'), (2, 1, false, 3, 'q2'), (3, 2, true, 3, 'q3');
         INSERT INTO r VALUES (1, 1, 1, true, 5, 'r1'), (2, 1, 2, false, 1, 'r2'), (3, 2, 9, true, 2, 'r3');
         INSERT INTO loose VALUES (1, 1, 'l'), (2, 2, 'm');",
    );
    all_pairs(
        "pairs_sub",
        &[
            "UPDATE r SET q_id = 3 WHERE id = 3",
            "DELETE FROM r WHERE id = 2",
            "UPDATE r SET flag = NOT flag, n = n + 1",
            "UPDATE q SET n = 3, p_id = 2 WHERE id = 1",
            "DELETE FROM q WHERE n = 3",
            "UPDATE p SET flag = NOT flag, q_id = 1, n = 2",
            "UPDATE p SET id = 3 WHERE id = 2",
            "UPDATE loose SET q_id = 3 - q_id",
            "INSERT INTO q VALUES (9, 3, true, 1, 'q9')",
        ],
        Deadlocks::Never,
    );
}

/// Tables that share their keys: whoever creates one of the rows meets the others' creators.
#[test]
fn shared_key_pairs() {
    installed("pairs_shared", &fixture("compiler/tests/data/live/shared_keys.sql"));
    run(
        "pairs_shared",
        "INSERT INTO org VALUES (1, 'one'), (2, 'two'); INSERT INTO org_settings VALUES (1, '{}');
         INSERT INTO item VALUES (1, 1, 'i1'), (2, 1, 'i2'); INSERT INTO s1.item VALUES (1, 1, 'n1');
         INSERT INTO line VALUES (1, 1, 1, 1), (2, 1, 1, 0);",
    );
    all_pairs(
        "pairs_shared",
        &[
            "INSERT INTO item VALUES (3, 1, 'i3')",
            "INSERT INTO s1.item VALUES (3, 1, 'n3'), (2, 1, 'n2')",
            "INSERT INTO org VALUES (3, 'three')",
            "UPDATE org SET org = 3, title = title || '!' WHERE org = 1",
            "UPDATE org_settings SET org = 2, settings = '[1 ]'",
            "UPDATE item SET name = name || '!'",
            "DELETE FROM s1.item",
            "INSERT INTO line VALUES (1, 1, 2, 5), (2, 1, 2, 7)",
            "UPDATE line SET amount = 1 - amount, org = 3 - org",
            "INSERT INTO item_extra VALUES (1, 1, '1.0'), (3, 1, '{}')",
        ],
        Deadlocks::Never,
    );
}

/// Cascades and the user's own triggers: deadlocks may happen, staleness not.
#[test]
fn actions_in_every_order() {
    installed("long_actions", &fixture("compiler/tests/data/live/actions.sql"));
    run(
        "long_actions",
        "INSERT INTO owner VALUES (1, 'o1'), (2, 'o2');
         INSERT INTO asset (id, owner_id, backup, title, version) VALUES (1, 1, 2, 'b1', 3), (2, 2, 1, 'b2', 4);
         INSERT INTO slot VALUES (1, 1, 'x'), (2, 2, 'y');",
    );
    let sessions = [
        Session::new("owner", OWNER, &["BEGIN", "UPDATE owner SET id = id + 10 WHERE id = 1", "COMMIT"]),
        Session::new("asset", OWNER, &["BEGIN", "UPDATE asset SET title = 'c', owner_id = 2 WHERE id = 1", "COMMIT"]),
        Session::new(
            "slot",
            OWNER,
            &["BEGIN", "UPDATE slot SET place = 3 - place, asset_id = 1", "DELETE FROM asset WHERE id = 2", "COMMIT"],
        ),
    ];
    long_transactions("long_actions", &sessions);
}

/// A deferred foreign key is checked at COMMIT, when the document is locked already.
#[test]
fn deferred_references() {
    installed(
        "pairs_deferred",
        "CREATE TABLE author (id integer PRIMARY KEY, name text);
         CREATE TABLE book (id integer PRIMARY KEY, author_id integer REFERENCES author DEFERRABLE INITIALLY DEFERRED, title text);
         CREATE INDEX ON book (author_id);
         CREATE VIEW v_author AS
         SELECT a.id, jsonb_build_object('name', a.name, 'books', (SELECT jsonb_agg(b.title ORDER BY b.id) FROM book b WHERE b.author_id = a.id)) AS data
           FROM author a;",
    );
    run("pairs_deferred", "INSERT INTO author VALUES (1, 'a'), (2, 'b'); INSERT INTO book VALUES (1, 1, 't');");
    all_pairs(
        "pairs_deferred",
        &[
            "INSERT INTO book VALUES (2, 2, 'n')",
            "DELETE FROM author WHERE id = 2",
            "UPDATE author SET name = name || '!'",
        ],
        Deadlocks::Possible,
    );
}

#[test]
fn merges() {
    if server().major_version() < 15 {
        return;
    }
    let merge = |new: i32, post: i32, old: i32| {
        format!(
            "MERGE INTO bench_comments AS c USING (VALUES ({new}), ({old})) AS s(id) ON c.id = s.id
             WHEN MATCHED THEN UPDATE SET content = 'merged'
             WHEN NOT MATCHED THEN INSERT (id, post_id, author_id, content) VALUES (s.id, {post}, 1, 'new')"
        )
    };
    two_events("pairs_merge", &merge(100, 1, 3), &merge(101, 2, 1));
}

/// Transactions of one statement on one table each, while documents come and go between the locks of the others.
#[test]
fn documents_that_vanish_while_they_are_waited_for() {
    let name = "vanishing";
    installed(
        name,
        "CREATE TABLE a (id integer PRIMARY KEY, t text);
         CREATE TABLE b (id integer PRIMARY KEY, a_id integer, t text);
         CREATE TABLE r (id integer PRIMARY KEY, a_id integer, t text);
         CREATE INDEX ON b (a_id);
         CREATE INDEX ON r (a_id);
         CREATE VIEW v_a AS
         SELECT a.id, jsonb_build_object('t', a.t, 'b', (SELECT jsonb_agg(b.t ORDER BY b.id) FROM b WHERE b.a_id = a.id),
                                         'r', (SELECT jsonb_agg(r.t ORDER BY r.id) FROM r WHERE r.a_id = a.id)) AS data
           FROM a;",
    );
    run(
        name,
        "INSERT INTO a SELECT i, 'a' FROM generate_series(1, 6) AS i;
         INSERT INTO b SELECT i, i % 6 + 1, 'b' FROM generate_series(1, 12) AS i; INSERT INTO r SELECT * FROM b;",
    );
    let writers = [
        "UPDATE b SET t = random()::text",
        "UPDATE r SET t = random()::text",
        "DELETE FROM a WHERE id = 1 + (random() * 5)::integer",
        "INSERT INTO a SELECT g, 'new' FROM generate_series(1, 6) AS g WHERE NOT EXISTS (SELECT FROM a WHERE a.id = g) ON CONFLICT DO NOTHING",
    ];
    let deadlocks: usize = std::thread::scope(|scope| {
        let handles = writers.map(|sql| {
            scope.spawn(move || {
                let mut client = server().connect(name, OWNER).expect("connected");
                let results = (0..150).map(|_| client.batch_execute(sql).err());
                results
                    .flatten()
                    .filter(|e| e.to_string().contains("deadlock") || e.code().is_some_and(|c| c.code() == "40P01"))
                    .count()
            })
        });
        handles.into_iter().map(|h| h.join().expect("no panic")).sum()
    });
    assert_equal(name);
    assert_eq!(deadlocks, 0);
}
