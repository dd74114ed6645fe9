//! Interleavings of writes to views whose keys are put together from several tables: nobody but the rows that hold the parts can
//! name the documents, and rows that come and go at the same time do not see each other.

use crate::concurrency::{Deadlocks, all_pairs, triple};
use crate::support::{fixture, installed, run};

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

/// What a document counts hangs on one table that holds a part of its key, and the other one gets a row meanwhile.
#[test]
fn what_hangs_on_one_part() {
    installed(
        "pairs_part_counts",
        "CREATE TABLE shelf (id integer PRIMARY KEY, room text); CREATE TABLE level (id integer PRIMARY KEY, name text);
         CREATE TABLE box (id integer PRIMARY KEY, shelf_id integer); CREATE INDEX ON box (shelf_id);
         CREATE VIEW v_slot AS SELECT s.id AS shelf, l.id AS level, jsonb_build_object('room', s.room, 'level', l.name,
             'n', (SELECT count(*) FROM box b WHERE b.shelf_id = s.id)) AS data FROM shelf s CROSS JOIN level l;",
    );
    run(
        "pairs_part_counts",
        "INSERT INTO shelf VALUES (1, 'a'), (2, 'b'); INSERT INTO level VALUES (1, 'x'); INSERT INTO box VALUES (1, 1);",
    );
    all_pairs(
        "pairs_part_counts",
        &[
            "INSERT INTO level VALUES (9, 'new')",
            "INSERT INTO box VALUES (9, 1)",
            "UPDATE box SET shelf_id = 2",
            "DELETE FROM box",
            "UPDATE shelf SET room = room || '!'",
            "INSERT INTO shelf VALUES (9, 'new')",
        ],
        Deadlocks::Never,
    );
}

/// Three tables with a part each, joined by values that no key tells, and rows that hang on each of them.
pub(crate) const THREE_PARTS: &str = "CREATE TABLE r (id integer PRIMARY KEY, area integer, name text); CREATE INDEX ON r (area);
    CREATE TABLE b (id integer PRIMARY KEY, r_area integer, name text); CREATE INDEX ON b (r_area);
    CREATE TABLE c (id integer PRIMARY KEY, r_area integer, name text); CREATE INDEX ON c (r_area);
    CREATE TABLE x (id integer PRIMARY KEY, b_id integer); CREATE INDEX ON x (b_id);
    CREATE TABLE y (id integer PRIMARY KEY, c_id integer); CREATE INDEX ON y (c_id);
    CREATE VIEW v_rbc AS SELECT r.id AS r, b.id AS b, c.id AS c, jsonb_build_object('r', r.name, 'b', b.name, 'c', c.name,
        'x', (SELECT count(*) FROM x WHERE x.b_id = b.id), 'y', (SELECT count(*) FROM y WHERE y.c_id = c.id)) AS data
        FROM r JOIN b ON b.r_area = r.area JOIN c ON c.r_area = r.area;";
pub(crate) const THREE_PARTS_ROWS: &str =
    "INSERT INTO r VALUES (1, 1, 'r1'), (2, 2, 'r2'); INSERT INTO b VALUES (1, 1, 'b1'), (2, 2, 'b2');
    INSERT INTO c VALUES (1, 1, 'c1'), (2, 2, 'c2'); INSERT INTO x VALUES (1, 1); INSERT INTO y VALUES (1, 1);";

#[test]
fn three_parts() {
    installed("pairs_three", THREE_PARTS);
    run("pairs_three", THREE_PARTS_ROWS);
    all_pairs(
        "pairs_three",
        &[
            "INSERT INTO b VALUES (9, 1, 'new')",
            "INSERT INTO c VALUES (9, 1, 'new')",
            "INSERT INTO x VALUES (9, 1)",
            "INSERT INTO y VALUES (9, 1)",
            "UPDATE c SET r_area = 2 WHERE id = 1",
            "UPDATE b SET name = name || '!' WHERE id = 1",
            "UPDATE r SET area = 1",
            "DELETE FROM r WHERE id = 1",
        ],
        Deadlocks::Never,
    );
}

/// A part that moves while a row that hangs on it comes, to where another part comes to be. Whichever of two values is locked first, one
/// of the directions asks for them in the other order.
#[test]
fn a_part_that_moves() {
    installed("pairs_moving", THREE_PARTS);
    run("pairs_moving", THREE_PARTS_ROWS);
    let triple = |writes: [&str; 3]| triple("pairs_moving", writes, Deadlocks::Never);
    let comes = "INSERT INTO y VALUES (9, 1)";
    triple(["UPDATE c SET r_area = 2 WHERE id = 1", comes, "INSERT INTO b VALUES (9, 2, 'new')"]);
    triple(["UPDATE c SET r_area = 2 WHERE id = 1", comes, "UPDATE b SET r_area = 2 WHERE id = 1"]);
    triple([
        "UPDATE c SET r_area = 1 WHERE id = 2",
        "INSERT INTO y VALUES (9, 2)",
        "UPDATE b SET r_area = 2 WHERE id = 1",
    ]);
    let comes = "INSERT INTO x VALUES (9, 1)";
    triple(["UPDATE b SET r_area = 2 WHERE id = 1", comes, "INSERT INTO c VALUES (9, 2, 'new')"]);
}

/// Cascades that take several parts at once, against rows that complete keys with them.
#[test]
fn parts_that_go_together() {
    installed(
        "pairs_cascade",
        "CREATE TABLE project (id integer PRIMARY KEY, name text);
         CREATE TABLE phase (id integer PRIMARY KEY, project_id integer REFERENCES project ON DELETE CASCADE);
         CREATE TABLE step (id integer PRIMARY KEY, phase_id integer REFERENCES phase ON DELETE CASCADE, label text);
         CREATE TABLE person (id integer PRIMARY KEY, project_id integer, name text);
         CREATE INDEX ON phase (project_id); CREATE INDEX ON step (phase_id); CREATE INDEX ON person (project_id);
         CREATE VIEW v_duty AS SELECT s.id AS step, w.id AS person, jsonb_build_object('step', s.label, 'person', w.name,
             'project', p.name) AS data
             FROM project p JOIN phase h ON h.project_id = p.id JOIN step s ON s.phase_id = h.id JOIN person w ON w.project_id = p.id;",
    );
    run(
        "pairs_cascade",
        "INSERT INTO project VALUES (1, 'one'), (2, 'two'); INSERT INTO phase VALUES (1, 1), (2, 1), (3, 2);
         INSERT INTO step VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'); INSERT INTO person VALUES (1, 1, 'Ann'), (2, 2, 'Ben');",
    );
    all_pairs(
        "pairs_cascade",
        &[
            "DELETE FROM phase WHERE id = 1",
            "DELETE FROM project WHERE id = 1",
            "INSERT INTO person VALUES (9, 1, 'new')",
            "INSERT INTO person VALUES (8, 2, 'new')",
            "UPDATE person SET project_id = 1 WHERE id = 2",
            "UPDATE project SET name = name || '!'",
            "DELETE FROM person WHERE id = 1",
        ],
        Deadlocks::Possible,
    );
}
