//! Interleavings of writes to grouped views: first and last rows of a group, groups that move, limits and filters.

use crate::concurrency::{Deadlocks, all_pairs};
use crate::support::{fixture, installed, run};

pub(crate) const GROUP_ROWS: &str = "INSERT INTO country VALUES ('AA', 'first'), ('BB', 'second');
     INSERT INTO writer VALUES (1, 'Ann', 'AA', NULL), (2, 'Ben', 'BB', 1);
     INSERT INTO book VALUES (1, 1, 'one', 'poem', 1.0), (2, 1, 'two', 'play', 2.00), (3, 2, 'three', 'poem', 3);
     INSERT INTO review VALUES (1, 1, 5, 'good'), (2, 9, 1, 'lost');";

#[test]
fn groups() {
    installed("pairs_groups", &fixture("compiler/tests/data/live/groups.sql"));
    run("pairs_groups", GROUP_ROWS);
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
