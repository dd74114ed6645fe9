//! Stepped interleavings: every order of the steps of two transactions, every tview compared after each.

use tviewc_verify::interleave::tviews_are_equal;
use tviewc_verify::{InterleaveOptions, InterleaveReport, Orders, Session, interleave_with};

use crate::support::{OWNER, fixture, full, installed, run, server};

/// Whether two transactions of one statement each may deadlock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadlocks {
    /// One generated function each: never.
    Never,
    /// Statements that fire two generated functions (upserts, MERGE), or that are checked at COMMIT.
    Possible,
    /// Rows that move between partitions: PostgreSQL itself ends whoever waits for one with 40001.
    Moves,
}

/// Runs two transactions of one statement each (BEGIN, statement, COMMIT): in every order in full runs, else in a
/// sample of the 20, another one for each pair.
pub(crate) fn pair(template: &str, first: &str, second: &str, deadlocks: Deadlocks) -> InterleaveReport {
    let sessions =
        [("first", first), ("second", second)].map(|(name, sql)| Session::new(name, OWNER, &["BEGIN", sql, "COMMIT"]));
    let seed = (first.len() * 31 + second.len()) as u64;
    let orders = if full() { Orders::All } else { Orders::Sample { count: 2, seed } };
    let options = InterleaveOptions { orders, ..InterleaveOptions::default() };
    let report = interleave_with(server(), template, &sessions, &options, &tviews_are_equal).expect("all orders run");
    assert!(report.findings.is_empty(), "{first}\n{second}\n{report}");
    if deadlocks == Deadlocks::Never {
        assert_eq!(report.deadlocks, 0, "{first}\n{second}\n{report}");
    }
    assert!(deadlocks == Deadlocks::Moves || !report.failures.contains_key("40001"), "{report}");
    report
}

/// Every pair of the writes, each also with itself.
pub(crate) fn all_pairs(template: &str, writes: &[&str], deadlocks: Deadlocks) {
    let mut waits = 0;
    for (n, first) in writes.iter().enumerate() {
        for second in &writes[n..] {
            waits += pair(template, first, second, deadlocks).waits;
        }
    }
    assert!(waits > 0, "no write ever waited for another one");
}

/// Runs three transactions of one statement each.
pub(crate) fn triple(template: &str, writes: [&str; 3], deadlocks: Deadlocks) {
    sampled(template, &writes.map(|sql| Session::new("s", OWNER, &["BEGIN", sql, "COMMIT"])), deadlocks);
}

/// Transactions of several statements: deadlocks may happen, staleness not.
pub(crate) fn long_transactions(template: &str, sessions: &[Session]) {
    sampled(template, sessions, Deadlocks::Possible);
}

fn sampled(template: &str, sessions: &[Session], deadlocks: Deadlocks) {
    let count = if full() { 1_000 } else { 16 };
    let options = InterleaveOptions { orders: Orders::Sample { count, seed: 7 }, ..InterleaveOptions::default() };
    let report = interleave_with(server(), template, sessions, &options, &tviews_are_equal).expect("orders run");
    assert!(report.findings.is_empty(), "{report}");
    assert!(!report.failures.contains_key("40001"), "{report}");
    assert!(deadlocks == Deadlocks::Possible || report.deadlocks == 0, "{report}");
}

#[test]
fn blog_pairs() {
    installed("pairs_blog", &fixture("examples/blog/views.sql"));
    run(
        "pairs_blog",
        "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'a'), ('Bob', 'b'), ('Cyd', 'c');
         INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 't'), (2, 'two', 't');
         INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'x'), (1, 1, 'y'), (2, 1, 'z');",
    );
    all_pairs(
        "pairs_blog",
        &[
            "UPDATE bench_authors SET name = name || '!' WHERE id = 1",
            "UPDATE bench_authors SET name = name || '?'",
            "INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 1, 'new')",
            "INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'new', 't')",
            "UPDATE bench_comments SET post_id = 2 WHERE id = 1",
            "UPDATE bench_comments SET author_id = 1 WHERE id = 1",
            "UPDATE bench_posts SET author_id = 3 WHERE id = 1",
            "UPDATE bench_posts SET title = title || '!'",
            "DELETE FROM bench_comments WHERE post_id = 1",
        ],
        Deadlocks::Never,
    );
}

/// No foreign keys: a child can come before its parent, references can dangle, three hops.
#[test]
fn organisation_pairs() {
    installed("pairs_organisation", &fixture("compiler/tests/data/live/organisation.sql"));
    run(
        "pairs_organisation",
        "INSERT INTO department VALUES (1, 'one', 'north'), (2, 'two', 'south');
         INSERT INTO employee VALUES (1, 'Ann', NULL, 2, 1, 10), (2, 'Ben', 1, 1, 2, 20), (3, 'Cat', 9, 9, 9, 0);",
    );
    all_pairs(
        "pairs_organisation",
        &[
            "UPDATE employee SET name = name || '!' WHERE id = 1",
            "INSERT INTO employee VALUES (9, 'Zoe', 1, 2, 1, 5)",
            "INSERT INTO department VALUES (9, 'nine', 'east')",
            "UPDATE department SET name = name || '!' WHERE id = 1",
            "UPDATE employee SET department_id = 1, manager_id = 3 WHERE id = 2",
            "UPDATE employee SET salary = 0 WHERE id = 2",
            "UPDATE employee SET id = 8 WHERE id = 1",
            "DELETE FROM department WHERE id = 1",
            "DELETE FROM employee",
        ],
        Deadlocks::Never,
    );
}

/// Filters that switch documents and elements on and off, keys from several columns, cascades.
#[test]
fn shop_pairs() {
    installed("pairs_shop", &fixture("compiler/tests/data/live/shop.sql"));
    run(
        "pairs_shop",
        "INSERT INTO customer (name, vip) VALUES ('Ada', false), ('Bob', true);
         INSERT INTO product (sku, name, price, active) VALUES ('p1', 'pen', 1.0, true), ('p2', 'ink', 2.00, false);
         INSERT INTO tag (label) VALUES ('red'), ('blue');
         INSERT INTO product_tag VALUES (1, 1), (2, 1), (2, 2);
         INSERT INTO sale (customer_id, status) VALUES (1, 'open'), (1, 'closed'), (2, 'closed');
         INSERT INTO sale_line VALUES (1, 1, 1, 2), (1, 2, 2, 0), (2, 1, 2, 1), (3, 1, 1, 5);",
    );
    all_pairs(
        "pairs_shop",
        &[
            "UPDATE customer SET vip = NOT vip, name = name || '!' WHERE id = 1",
            "UPDATE sale SET status = 'open' WHERE id = 2",
            "UPDATE product SET active = NOT active",
            "UPDATE product SET price = 1.00, name = 'quill' WHERE id = 1",
            "UPDATE tag SET label = label || '!' WHERE id = 1",
            "INSERT INTO product_tag VALUES (1, 2)",
            "UPDATE sale_line SET quantity = 7, product_id = 1 WHERE product_id = 2",
            "UPDATE sale_line SET sale_id = 2, line_no = line_no + 10 WHERE sale_id = 1",
        ],
        Deadlocks::Never,
    );
}

#[test]
fn several_statements_and_savepoints() {
    installed("long_blog", &fixture("examples/blog/views.sql"));
    run(
        "long_blog",
        "INSERT INTO bench_authors (name, email) VALUES ('Ada', 'a'), ('Bob', 'b');
         INSERT INTO bench_posts (author_id, title, content) VALUES (1, 'one', 't'), (2, 'two', 't');
         INSERT INTO bench_comments (post_id, author_id, content) VALUES (1, 2, 'x'), (2, 1, 'z');",
    );
    let sessions = [
        Session::new(
            "renames",
            OWNER,
            &[
                "BEGIN",
                "UPDATE bench_authors SET name = 'A2' WHERE id = 1",
                "SAVEPOINT s",
                "UPDATE bench_authors SET name = 'B2' WHERE id = 2",
                "ROLLBACK TO s",
                "UPDATE bench_posts SET title = 'late' WHERE id = 2",
                "COMMIT",
            ],
        ),
        Session::new(
            "writes",
            OWNER,
            &[
                "BEGIN",
                "INSERT INTO bench_posts (id, author_id, title, content) VALUES (9, 1, 'new', 't')",
                "INSERT INTO bench_comments (post_id, author_id, content) VALUES (9, 2, 'n')",
                "COMMIT",
            ],
        ),
        Session::new(
            "moves",
            OWNER,
            &[
                "BEGIN",
                "UPDATE bench_comments SET post_id = 3 - post_id",
                "ROLLBACK",
                "UPDATE bench_comments SET author_id = 1",
            ],
        ),
    ];
    long_transactions("long_blog", &sessions);
}

/// More values than are locked singly: the links are locked as a whole, against single ones too.
#[test]
fn bulk_against_single_rows() {
    installed("bulk_blog", &fixture("examples/blog/views.sql"));
    run(
        "bulk_blog",
        "INSERT INTO bench_authors (name, email) SELECT 'a' || i, 'e' FROM generate_series(1, 100) AS i;
         INSERT INTO bench_posts (author_id, title, content) SELECT i, 't', 'c' FROM generate_series(1, 100) AS i;",
    );
    all_pairs(
        "bulk_blog",
        &[
            "UPDATE bench_authors SET name = name || '!'",
            "INSERT INTO bench_posts (author_id, title, content) SELECT i, 'new', 'c' FROM generate_series(1, 100) AS i",
            "INSERT INTO bench_posts (author_id, title, content) VALUES (50, 'new', 'c')",
            "UPDATE bench_authors SET name = 'single' WHERE id = 50",
            "TRUNCATE bench_comments",
        ],
        Deadlocks::Never,
    );
}
