//! Partitioned tables: writes through parents and leaves, moves, partitions that come and go.

use crate::concurrency::{Deadlocks, all_pairs};
use crate::support::{assert_equal, compiled, database, fails, fixture, installed, run, server, value};

const PATH: &str = "compiler/tests/data/live/partitions.sql";

const ROWS: &str = "INSERT INTO region VALUES ('north', 'N'), ('east', 'E'), ('south', 'S'), ('west', 'W');
INSERT INTO shipment VALUES (1, 'north', 1.0, 'a'), (2, 'east', 2, 'b'), (3, 'south', 3, 'c'), (4, 'west', 4, 'd'), (40, 'west', 5, 'e');
INSERT INTO parcel VALUES (1, 1, 'north', 'x'), (2, 3, 'south', 'y'), (3, 4, 'west', 'z'), (4, NULL, NULL, 'w');";

fn with_rows(name: &str) {
    installed(name, &fixture(PATH));
    run(name, ROWS);
    assert_eq!(assert_equal(name), 5 + 4 + 4);
}

/// Every write leaves documents that equal their views, and is seen by at least one of them.
fn each_changes_documents(name: &str, writes: &[&str]) {
    let picture = "SELECT md5(string_agg(d, ',' ORDER BY d)) FROM (SELECT t::text AS d FROM tv_shipment t UNION ALL
                   SELECT t::text FROM tv_region t UNION ALL SELECT t::text FROM tv_parcel t) AS all_documents";
    for write in writes {
        let before = value(name, picture);
        run(name, write);
        assert_equal(name);
        assert_ne!(value(name, picture), before, "no document has changed: {write}");
    }
}

#[test]
fn writes_through_the_root_through_levels_and_through_leaves() {
    with_rows("partition_writes");
    each_changes_documents(
        "partition_writes",
        &[
            "INSERT INTO shipment_south (note, weight, region, id) VALUES ('leaf', 9, 'south', 7)",
            "INSERT INTO shipment_rest VALUES (8, 'west', 1, 'level')",
            "INSERT INTO shipment_rest_high VALUES (11, 'west', 1, 'leaf of a level')",
            "UPDATE shipment_south SET weight = weight + 1",
            "UPDATE shipment_rest SET note = note || '!'",
            "UPDATE shipment SET weight = weight * 2",
            "UPDATE shipment SET region = 'south' WHERE id = 1",
            "UPDATE shipment SET id = id + 30 WHERE id IN (4, 8)",
            "UPDATE shipment_rest SET id = 9 WHERE id = 11",
            "DELETE FROM shipment_south WHERE id = 7",
            "DELETE FROM shipment WHERE region = 'west' AND id > 9",
            "UPDATE parcel SET id = id + 101",
            "UPDATE parcel_0 SET label = 'even'",
            "UPDATE region SET code = 'far' WHERE code = 'east'",
            "UPDATE region SET code = 'east' WHERE code = 'far'",
            "WITH a AS (DELETE FROM shipment_south RETURNING *) INSERT INTO shipment_rest_low SELECT id, 'west', weight, note FROM a",
            "COPY shipment_south (id, region, note) FROM stdin;\n55\tsouth\tcopied\n\\.\n",
            "INSERT INTO parcel SELECT g, NULL, NULL, 'many' FROM generate_series(1000, 1020) g",
            "TRUNCATE parcel_1",
            "DELETE FROM region WHERE code = 'west'",
            "TRUNCATE shipment CASCADE",
            "TRUNCATE region CASCADE",
        ],
    );
}

#[test]
fn rows_that_merge_moves() {
    if server().major_version() < 15 {
        return;
    }
    with_rows("partition_merge");
    each_changes_documents(
        "partition_merge",
        &[
            // Only moves: both sets of rows are empty.
            "MERGE INTO shipment s USING (VALUES (1)) AS n(id) ON s.id = n.id WHEN MATCHED THEN UPDATE SET region = 'south'",
            // One moves, one stays, one comes, one goes.
            "MERGE INTO shipment s USING (VALUES (1, 'east', 7.0), (2, 'east', 8), (3, 'gone', 0), (9, 'north', 9)) AS n(id, region, weight)
                ON s.id = n.id
              WHEN MATCHED AND n.region = 'gone' THEN DELETE
              WHEN MATCHED THEN UPDATE SET region = n.region, weight = n.weight
              WHEN NOT MATCHED THEN INSERT VALUES (n.id, n.region, n.weight, 'new')",
            // Within a level below the root.
            "MERGE INTO shipment_rest s USING (VALUES (4)) AS n(id) ON s.id = n.id WHEN MATCHED THEN UPDATE SET id = 50",
            // Two that change places: what is left of both sets hides neither.
            "MERGE INTO shipment s USING (VALUES (50, 'north'), (9, 'west')) AS n(id, region) ON s.id = n.id
              WHEN MATCHED THEN UPDATE SET region = n.region, note = 'swapped'",
            "MERGE INTO parcel p USING (VALUES (1)) AS n(id) ON p.id = n.id WHEN MATCHED THEN UPDATE SET id = 1000, label = 'moved'",
            // Within a function that a trigger calls.
            "CREATE TABLE tick (id integer);
             CREATE FUNCTION on_tick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                MERGE INTO shipment s USING (VALUES (40)) AS n(id) ON s.id = n.id WHEN MATCHED THEN UPDATE SET region = 'south';
                RETURN NULL; END $$;
             CREATE TRIGGER on_tick AFTER INSERT ON tick FOR EACH ROW EXECUTE FUNCTION on_tick();
             INSERT INTO tick VALUES (1);",
        ],
    );
    // A count of a statement that was taken back is taken back with it, and one that was served is not served again.
    run(
        "partition_merge",
        "BEGIN; SAVEPOINT a;
         MERGE INTO shipment s USING (VALUES (40)) AS n(id) ON s.id = n.id WHEN MATCHED THEN UPDATE SET region = 'east';
         ROLLBACK TO a;
         UPDATE shipment SET region = 'east' WHERE id = 2; COMMIT;",
    );
    assert_equal("partition_merge");
    let counters = "SELECT string_agg(s, ',') FROM (SELECT coalesce(current_setting(format('tview.moves_test_%s_1', 'shipment'::regclass::oid), true), '')) AS c(s)";
    assert_eq!(value("partition_merge", counters), "");
}

/// The row trigger is what sees such rows; an installation without it says so.
#[test]
fn without_the_row_trigger_a_move_is_missed_and_status_says_so() {
    if server().major_version() < 15 {
        return;
    }
    with_rows("partition_unseen");
    run("partition_unseen", "ALTER TABLE shipment DISABLE TRIGGER zzz_tview_test__move");
    assert!(problems("partition_unseen").contains("rows that MERGE moves is missing or disabled"));
    run(
        "partition_unseen",
        "MERGE INTO shipment s USING (VALUES (2)) AS n(id) ON s.id = n.id WHEN MATCHED THEN UPDATE SET region = 'south'",
    );
    let wrong =
        "SELECT string_agg(format('%s %s', c.key->>'id', c.difference), ', ') FROM tview.check('tv_shipment') c";
    assert_eq!(value("partition_unseen", wrong), "2 extra, 2 missing");
    run(
        "partition_unseen",
        "ALTER TABLE shipment ENABLE TRIGGER zzz_tview_test__move; SELECT tview.attach('shipment')",
    );
    assert_equal("partition_unseen");
}

/// Partition keys with odd names, on two levels, by an expression and in a table without a key.
#[test]
fn merge_moves_by_keys_of_all_sorts() {
    if server().major_version() < 15 {
        return;
    }
    let name = "partition_odd";
    installed(name, &fixture("compiler/tests/data/live/odd_partitions.sql"));
    run(
        name,
        r#"INSERT INTO kinds VALUES ('a', 'A'), ('b', 'B'), ('c', 'C');
           INSERT INTO "Ev ents" VALUES (1, '2019-01-01', 'a', 1), (2, '2019-01-01', 'c', 2), (3, '2021-01-01', 'a', 3);
           INSERT INTO noted VALUES ('a', 1, 'x'), ('a', 7, 'y'), ('b', NULL, 'z');"#,
    );
    let documents = "SELECT string_agg(t.data::text, ',' ORDER BY t.kind) FROM tv_kind t";
    for (merge, matched) in [
        (r#""Ev ents" t USING (VALUES (1)) AS s(id) ON t."it's" = s.id"#, r#"UPDATE SET "Day, of" = '2022-01-01'"#),
        (r#""Ev ents" t USING (VALUES (2)) AS s(id) ON t."it's" = s.id"#, "UPDATE SET kind = 'b'"),
        (r#""Ev ents" t USING (VALUES (2)) AS s(id) ON t."it's" = s.id"#, "UPDATE SET v = 9"),
        (
            r#""Ev ents" t USING (VALUES (1), (2), (3)) AS s(id) ON t."it's" = s.id"#,
            r#"UPDATE SET kind = 'c', "Day, of" = t."Day, of" - 1000"#,
        ),
        ("noted t USING (VALUES ('x'), ('y')) AS s(note) ON t.note = s.note", "UPDATE SET k = 8 - t.k"),
        ("noted t USING (VALUES ('z')) AS s(note) ON t.note = s.note", "UPDATE SET k = 2, kind = 'c'"),
        ("noted t USING (VALUES ('z')) AS s(note) ON t.note = s.note", "UPDATE SET k = NULL"),
        // Another value of the key in the same partition: nothing moves, and the statement shows the row.
        ("noted t USING (VALUES ('x')) AS s(note) ON t.note = s.note", "UPDATE SET k = t.k + 10"),
    ] {
        let before = value(name, documents);
        run(name, &format!("MERGE INTO {merge} WHEN MATCHED THEN {matched}"));
        assert_equal(name);
        assert_ne!(value(name, documents), before, "{merge} {matched}");
    }
}

/// What PostgreSQL shows as the new row of an update is the row inserted before it, where one MERGE does both.
#[test]
fn merge_that_inserts_and_then_updates() {
    if server().major_version() < 15 {
        return;
    }
    let name = "partition_insert_update";
    installed(name, &fixture("compiler/tests/data/live/odd_partitions.sql"));
    run(
        name,
        r#"INSERT INTO kinds VALUES ('a', 'A'), ('b', 'B'), ('c', 'C');
           INSERT INTO "Ev ents" VALUES (45, '2021-07-03', 'a', 1), (46, '2021-07-03', 'a', 2);
           INSERT INTO noted VALUES ('a', 1, 'x'), ('a', 7, 'y');"#,
    );
    let source = r#"USING (VALUES (25, 'b'), (45, 'a'), (26, 'b'), (46, 'a')) AS s(id, kind)"#;
    for (table, on, matched, insert) in [
        (
            r#""Ev ents" t"#,
            r#"t."it's" = s.id"#,
            r#"UPDATE SET "it's" = s.id + 100"#,
            r#"("it's", "Day, of", kind) VALUES (s.id, '2021-07-03', s.kind)"#,
        ),
        (
            r#""Ev ents" t"#,
            r#"t."it's" = s.id + 100"#,
            "UPDATE SET kind = 'c'",
            r#"("it's", "Day, of", kind) VALUES (s.id + 200, '2021-07-03', 'b')"#,
        ),
        (
            r#""Ev ents" t"#,
            r#"t."it's" = s.id + 100"#,
            "UPDATE SET v = 77",
            r#"("it's", "Day, of", kind) VALUES (s.id + 300, '2021-07-03', 'b')"#,
        ),
        (
            "noted t",
            "t.kind = s.kind AND t.k = s.id - 44",
            "UPDATE SET kind = 'c', note = 'moved'",
            "VALUES ('b', 3, 'new')",
        ),
    ] {
        run(
            name,
            &format!(
                "MERGE INTO {table} {source} ON {on} WHEN MATCHED THEN {matched} WHEN NOT MATCHED THEN INSERT {insert}"
            ),
        );
        assert_equal(name);
    }
}

/// Between a row's move being counted and being looked for, a trigger of the user's own updates the same table.
#[test]
fn a_statement_within_a_merge_counts_for_itself() {
    if server().major_version() < 15 {
        return;
    }
    with_rows("partition_nested");
    run(
        "partition_nested",
        "CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF pg_trigger_depth() < 2 THEN UPDATE shipment SET region = 'north', note = 'echo' WHERE id = 3; END IF;
            RETURN NEW; END $$;
         CREATE TRIGGER aaa_echo BEFORE UPDATE ON shipment FOR EACH ROW EXECUTE FUNCTION echo();
         CREATE TRIGGER zzzzz_echo BEFORE UPDATE ON shipment FOR EACH ROW EXECUTE FUNCTION echo();
         MERGE INTO shipment s USING (VALUES (1), (2)) AS n(id) ON s.id = n.id WHEN MATCHED THEN UPDATE SET region = 'west', note = 'outer';",
    );
    assert_equal("partition_nested");
    assert_eq!(value("partition_nested", "SELECT count(*) FROM tv_shipment WHERE region = 'west'"), "4");
}

fn problems(database: &str) -> String {
    value(database, "SELECT string_agg(DISTINCT p, '; ' ORDER BY p) FROM tview.status() s, unnest(s.problems) p")
}

#[test]
fn partitions_that_come_and_go_are_reported_and_attached() {
    with_rows("partition_changes");
    assert_eq!(problems("partition_changes"), "");
    run(
        "partition_changes",
        "CREATE TABLE shipment_far (id integer NOT NULL, region text NOT NULL, weight numeric, note text);
         INSERT INTO region VALUES ('far', 'F');
         INSERT INTO shipment_far VALUES (70, 'far', 1, 'was there before');
         ALTER TABLE shipment ATTACH PARTITION shipment_far FOR VALUES IN ('far');
         ALTER TABLE parcel DROP CONSTRAINT parcel_shipment_id_region_fkey;
         ALTER TABLE shipment DETACH PARTITION shipment_south;",
    );
    let found = problems("partition_changes");
    assert!(found.contains("public.shipment_far has no trigger for INSERT"), "{found}");
    assert!(found.contains("public.shipment_south was a partition of public.shipment"), "{found}");
    let wrong =
        "SELECT string_agg(format('%s %s', c.key->>'id', c.difference), ', ') FROM tview.check('tv_shipment') c";
    assert_eq!(value("partition_changes", wrong), "3 extra, 70 missing");

    // A shipment less, one more, their regions, and the parcel of the one that is gone.
    assert_eq!(value("partition_changes", "SELECT tview.attach('shipment')"), "5");
    assert_eq!(problems("partition_changes"), "");
    assert_equal("partition_changes");
    run(
        "partition_changes",
        "UPDATE shipment_far SET note = 'through the leaf'; UPDATE shipment_south SET note = 'not ours any more'",
    );
    assert_equal("partition_changes");
    assert_eq!(value("partition_changes", "SELECT tview.attach('shipment')"), "0");
    assert!(fails("partition_changes", "SELECT tview.attach('region')").contains("not a partitioned table"));

    // One that is dropped takes its rows with it, and its triggers.
    run("partition_changes", "DROP TABLE shipment_far");
    assert_eq!(value("partition_changes", wrong), "70 extra");
    assert_eq!(value("partition_changes", "SELECT tview.attach('shipment')"), "2");
    assert_equal("partition_changes");
}

#[test]
fn a_level_with_another_key_is_watched_after_it_was_attached() {
    if server().major_version() < 15 {
        return;
    }
    let sql =
        "CREATE TABLE box (id integer, a integer, b integer, note text, PRIMARY KEY (id, a, b)) PARTITION BY LIST (a);
        CREATE TABLE box_1 PARTITION OF box FOR VALUES IN (1);
        CREATE VIEW v_box AS SELECT x.id, x.a, x.b, jsonb_build_object('note', x.note) AS data FROM box x;";
    installed("partition_levels", sql);
    run(
        "partition_levels",
        "CREATE TABLE box_2 PARTITION OF box FOR VALUES IN (2) PARTITION BY LIST (b);
         CREATE TABLE box_2_1 PARTITION OF box_2 FOR VALUES IN (1);
         CREATE TABLE box_2_2 PARTITION OF box_2 FOR VALUES IN (2);",
    );
    let found = problems("partition_levels");
    assert!(found.contains("public.box_2_2 has no trigger for UPDATE"), "{found}");
    assert_eq!(value("partition_levels", "SELECT tview.attach('box')"), "0");
    assert_eq!(problems("partition_levels"), "");
    run(
        "partition_levels",
        "INSERT INTO box VALUES (1, 1, 1, 'x'), (2, 2, 1, 'y');
         MERGE INTO box x USING (VALUES (2)) AS n(id) ON x.id = n.id WHEN MATCHED THEN UPDATE SET b = 2, note = 'moved';",
    );
    assert_eq!(assert_equal("partition_levels"), 2);
    assert_eq!(value("partition_levels", "SELECT data->>'note' FROM tv_box WHERE (id, b) = (2, 2)"), "moved");
}

#[test]
fn the_reverse_takes_every_trigger_back() {
    let sql = fixture(PATH);
    let output = installed("partition_down", &sql);
    let ours = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zzz_tview%'";
    // Two trees and one more table; the row trigger of two roots with its copies; the one of tables that route rows.
    assert_eq!(value("partition_down", ours), ((6 + 3 + 1) * 4 + (6 + 3) + (2 + 1)).to_string());
    run("partition_down", "ALTER TABLE parcel DETACH PARTITION parcel_1");
    run("partition_down", &output.down);
    assert_eq!(value("partition_down", ours), "0");
    assert_eq!(value("partition_down", "to_regnamespace('tview')"), "");
}

#[test]
fn a_partition_that_is_a_foreign_table_is_refused() {
    let sql = "CREATE TABLE other (id integer NOT NULL, region text NOT NULL, weight numeric) PARTITION BY LIST (region);
        CREATE TABLE item (id integer PRIMARY KEY, region text);
        CREATE VIEW v_item AS SELECT i.id, jsonb_build_object('w', (SELECT sum(o.weight) FROM other o WHERE o.region = i.region)) AS data
          FROM item i;";
    database("partition_foreign", sql);
    let far = "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
        CREATE FOREIGN TABLE other_far PARTITION OF other FOR VALUES IN ('far') SERVER elsewhere;";
    server().psql("partition_foreign", tviewc_verify::SUPERUSER, far).expect("made");
    let error = fails("partition_foreign", &compiled(sql, "test").up);
    assert!(error.contains("public.other_far, a partition of public.other, is a foreign table"), "{error}");
    assert_eq!(value("partition_foreign", "to_regnamespace('tview')"), "");
}

#[test]
fn a_view_of_one_partition_is_refused_with_the_way_out() {
    let sql = "CREATE TABLE p (id integer, PRIMARY KEY (id)) PARTITION BY LIST (id);
        CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
        CREATE VIEW v_p AS SELECT x.id, jsonb_build_object('id', x.id) AS data FROM p_1 x;";
    let file = tviewc::source::SourceFile { name: "views.sql".into(), text: sql.into(), context_only: false };
    let options = tviewc::Options { program: Some("test".into()), ..tviewc::Options::default() };
    let compilation = tviewc::compile(&tviewc::source::Sources { files: vec![file] }, &options);
    let found = compilation.diagnostics.sorted();
    assert!(
        found.iter().any(|d| d.title.contains("is a partition")),
        "{:?}",
        found.iter().map(|d| &d.title).collect::<Vec<_>>()
    );
}

#[test]
fn partition_pairs() {
    with_rows("pairs_partitions");
    let mut writes = vec![
        "UPDATE region SET name = name || '!' WHERE code = 'south'",
        "UPDATE shipment SET region = 'south' WHERE id = 1",
        "UPDATE shipment_south SET note = note || '?'",
        "INSERT INTO shipment VALUES (99, 'south', 1, 'new')",
        "INSERT INTO parcel_0 VALUES (6, 3, 'south', 'new')",
    ];
    all_pairs("pairs_partitions", &writes, Deadlocks::Moves);
    if server().major_version() >= 15 {
        writes.push("MERGE INTO shipment s USING (VALUES (2)) AS n(id) ON s.id = n.id WHEN MATCHED THEN UPDATE SET region = 'south'");
        let merge = writes.len() - 1;
        for other in &writes {
            crate::concurrency::pair("pairs_partitions", writes[merge], other, Deadlocks::Moves);
        }
    }
}
