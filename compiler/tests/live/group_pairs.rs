//! Interleavings of writes to grouped views: first and last rows of a group, groups that move, limits and filters.

use crate::concurrency::{Deadlocks, all_pairs};
use crate::support::{fixture, installed, run};

#[test]
fn groups() {
    installed("pairs_groups", &fixture("compiler/tests/data/live/groups.sql"));
    run(
        "pairs_groups",
        "INSERT INTO country VALUES ('AA', 'first'), ('BB', 'second');
         INSERT INTO writer VALUES (1, 'Ann', 'AA', NULL), (2, 'Ben', 'BB', 1);
         INSERT INTO book VALUES (1, 1, 'one', 'poem', 1.0), (2, 1, 'two', 'play', 2.00), (3, 2, 'three', 'poem', 3);
         INSERT INTO review VALUES (1, 1, 5, 'good'), (2, 9, 1, 'lost');",
    );
    all_pairs(
        "pairs_groups",
        &[
            "INSERT INTO book VALUES (9, 2, 'new', 'essay', 0.5)",
            "INSERT INTO book VALUES (8, 1, 'other', 'essay', 0.5)",
            "UPDATE book SET writer = 3 - writer, genre = 'essay'",
            "DELETE FROM book WHERE id = 3",
            "UPDATE writer SET country = 'BB', name = name || '!' WHERE id = 1",
            "UPDATE country SET name = name || '!' WHERE code = 'AA'",
            "UPDATE review SET book = 2, stars = 4 WHERE id = 1",
            "INSERT INTO review VALUES (3, 3, 3, 'fair')",
        ],
        Deadlocks::Never,
    );
}

/// Keys of which each table has a part: a row that goes away with a part does not know the other parts of the documents that come
/// to be meanwhile.
#[test]
fn keys_of_several_tables() {
    installed("pairs_parts", &fixture("compiler/tests/data/live/several_tables.sql"));
    run(
        "pairs_parts",
        "INSERT INTO customer VALUES (1, 'Rome', 'Ann'), (2, 'Oslo', 'Ben');
         INSERT INTO product VALUES (1, 'Rome', 'map'), (2, 'Oslo', 'hat'); INSERT INTO variant VALUES (1, 1, 'S'), (2, 2, 'L');
         INSERT INTO ord VALUES (1, 1); INSERT INTO item VALUES (1, 1, 1, 3), (2, 1, 2, 4);",
    );
    all_pairs(
        "pairs_parts",
        &[
            "DELETE FROM customer WHERE id = 2",
            "INSERT INTO product VALUES (9, 'Oslo', 'new')",
            "INSERT INTO customer VALUES (9, 'Oslo', 'Cyd')",
            "DELETE FROM product WHERE id = 2 AND title = 'hat'",
            "UPDATE customer SET city = 'Rome' WHERE id = 2",
            "UPDATE product SET category = 'Oslo' WHERE id = 1",
        ],
        Deadlocks::Never,
    );
}

#[test]
fn every_row_with_every_row() {
    installed(
        "pairs_cross",
        "CREATE TABLE shelf (id integer PRIMARY KEY, room text); CREATE TABLE level (id integer PRIMARY KEY, name text);
         CREATE TABLE box (id integer PRIMARY KEY, level_id integer); CREATE INDEX ON box (level_id);
         CREATE VIEW v_slot AS SELECT s.id AS shelf, l.id AS level, jsonb_build_object('room', s.room, 'level', l.name,
             'n', (SELECT count(*) FROM box b WHERE b.level_id = l.id)) AS data FROM shelf s CROSS JOIN level l;",
    );
    run(
        "pairs_cross",
        "INSERT INTO shelf VALUES (1, 'a'), (2, 'b'); INSERT INTO level VALUES (1, 'x'), (2, 'y'); INSERT INTO box VALUES (1, 1);",
    );
    all_pairs(
        "pairs_cross",
        &[
            "DELETE FROM shelf WHERE id = 1",
            "INSERT INTO level VALUES (9, 'new')",
            "INSERT INTO shelf VALUES (9, 'new')",
            "DELETE FROM level WHERE id = 2",
            "UPDATE shelf SET id = 8 WHERE id = 2",
            "UPDATE level SET name = name || '!'",
            "UPDATE box SET level_id = 2",
        ],
        Deadlocks::Never,
    );
}
