//! Every kind of write, alone and in company: after each one, every tview equals its view.

use crate::support::{OWNER, assert_equal, fixture, installed, run, server, value};

const SHOP: &str = "compiler/tests/data/live/shop.sql";

const SHOP_ROWS: &str = "INSERT INTO customer (name, vip) VALUES ('Ada', false), ('Bob', true), ('Cyd', false);
INSERT INTO product (sku, name, price, active) VALUES ('p1', 'pen', 1.0, true), ('p2', 'ink', 2.00, false), ('p3', 'pad', 3, true);
INSERT INTO tag (label) VALUES ('red'), ('blue');
INSERT INTO product_tag VALUES (1, 1), (2, 1), (2, 2);
INSERT INTO sale (customer_id, status) VALUES (1, 'open'), (1, 'closed'), (2, 'closed');
INSERT INTO sale_line VALUES (1, 1, 1, 2), (1, 2, 2, 0), (2, 1, 2, 1), (3, 1, 1, 5);";

/// A digest of the rows of all tviews.
fn picture(database: &str) -> String {
    let mut client = server().connect(database, crate::support::OWNER).expect("connected");
    let names = "SELECT tview_oid::text FROM tview.pg_tview_meta ORDER BY 1";
    let mut all = String::new();
    for row in client.query(names, &[]).expect("read") {
        let name: String = row.get(0);
        let digest = format!("SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {name} AS t");
        all += &client.query_one(&digest, &[]).expect("read").get::<_, String>(0);
    }
    all
}

/// Whether a write is to be seen in a document; a test whose writes change nothing tests nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Yes,
    No,
}

fn check_all(name: &str, writes: &[(Seen, &str)]) {
    for (seen, write) in writes {
        let before = picture(name);
        run(name, write);
        assert_equal(name);
        assert_eq!(picture(name) != before, *seen == Seen::Yes, "{write}");
    }
}

fn shop(name: &str) {
    installed(name, &fixture(SHOP));
    run(name, SHOP_ROWS);
    assert!(assert_equal(name) > 0);
}

use Seen::{No, Yes};

#[test]
fn single_statements() {
    shop("writes_single");
    check_all(
        "writes_single",
        &[
            (No, "INSERT INTO customer (name, vip) SELECT name || ' II', NOT vip FROM customer"),
            (Yes, "INSERT INTO sale (customer_id, status) SELECT id, 'open' FROM customer"),
            (Yes, "COPY product (sku, name, price, active) FROM stdin;\nc1\tcopied\t9.90\ttrue\nc2\ttwo\\twords\t\\N\ttrue\n\\.\n"),
            (Yes, "INSERT INTO product (id, sku, name) SELECT 1, 'p1', 'upserted' ON CONFLICT (id) DO UPDATE SET name = excluded.name"),
            (No, "INSERT INTO product (id, sku, name) VALUES (1, 'p1', 'ignored') ON CONFLICT DO NOTHING"),
            (Yes, "INSERT INTO product (id, sku, name, active) VALUES (1, 'p1', 'both', true), (901, 'p901', 'both', true)
                   ON CONFLICT (id) DO UPDATE SET name = excluded.name"),
            (No, "INSERT INTO product (id, sku, name) VALUES (1, 'p1', 'x') ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE product.name = 'nobody'"),
            // Keys that change places in one statement.
            (Yes, "UPDATE sale_line SET product_id = CASE product_id WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE product_id END"),
            (Yes, "UPDATE product_tag SET tag_id = 2 WHERE product_id = 1"),
            (Yes, "UPDATE sale SET customer_id = 3 - customer_id WHERE customer_id IN (1, 2)"),
            // Keys of documents that change places, one step at a time and as a whole row of them.
            (Yes, "BEGIN; UPDATE product SET id = -1 WHERE id = 1; UPDATE product SET id = 1 WHERE id = 3; UPDATE product SET id = 3 WHERE id = -1; COMMIT"),
            (Yes, "UPDATE sale_line SET line_no = line_no + 100; UPDATE sale_line SET line_no = 202 - line_no - 100 WHERE sale_id = 1"),
            (No, "UPDATE product SET id = id + 2000; UPDATE product SET id = id - 2000"),
            (No, "UPDATE customer SET name = name"),
            (No, "UPDATE customer SET name = 'x' WHERE false"),
            (No, "DELETE FROM customer WHERE false"),
            (No, "INSERT INTO customer (name) SELECT 'x' WHERE false"),
            // Several matches for one row: one of them wins.
            (Yes, "UPDATE product SET name = s.name FROM (VALUES (1, 'first'), (1, 'second')) AS s(id, name) WHERE product.id = s.id"),
            (Yes, "DELETE FROM sale_line USING sale WHERE sale_line.sale_id = sale.id AND sale.customer_id = 1"),
            (Yes, "DELETE FROM customer WHERE id = (SELECT max(customer_id) FROM sale)"),
            (Yes, "TRUNCATE tag, product_tag RESTART IDENTITY CASCADE"),
            (Yes, "INSERT INTO tag (label) VALUES ('first again'); INSERT INTO product_tag VALUES (1, 1)"),
            (Yes, "TRUNCATE customer RESTART IDENTITY CASCADE"),
            (Yes, "INSERT INTO customer (name) VALUES ('one'); INSERT INTO sale (customer_id, status) VALUES (1, 'open')"),
        ],
    );
}

#[test]
fn merge_in_all_its_parts() {
    if server().major_version() < 15 {
        return;
    }
    shop("writes_merge");
    check_all(
        "writes_merge",
        &[
            (Yes, "MERGE INTO product p USING (VALUES (1, 'merged'), (2, NULL), (77, 'new')) AS s(id, name) ON p.id = s.id
                   WHEN MATCHED AND s.name IS NULL THEN DELETE
                   WHEN MATCHED THEN UPDATE SET name = s.name
                   WHEN NOT MATCHED THEN INSERT (id, sku, name, price, active) VALUES (s.id, 'm' || s.id, s.name, 1, true)"),
            (No, "MERGE INTO product p USING (VALUES (1)) AS s(id) ON p.id = s.id WHEN MATCHED THEN DO NOTHING"),
            (No, "MERGE INTO product p USING (SELECT 1 AS id WHERE false) AS s ON p.id = s.id WHEN MATCHED THEN DELETE"),
            (Yes, "MERGE INTO sale s USING customer c ON c.id = s.customer_id WHEN MATCHED AND c.vip THEN DELETE
                   WHEN NOT MATCHED THEN INSERT (customer_id, status) VALUES (c.id, 'open')"),
        ],
    );
}

#[test]
fn statements_with_several_writes() {
    shop("writes_with");
    check_all(
        "writes_with",
        &[
            (
                Yes,
                "WITH c AS (INSERT INTO customer (name) VALUES ('with') RETURNING id),
                        s AS (INSERT INTO sale (customer_id, status) SELECT id, 'open' FROM c RETURNING id)
                   INSERT INTO sale_line SELECT id, 1, 1, 7 FROM s",
            ),
            (
                Yes,
                "WITH gone AS (DELETE FROM sale_line WHERE sale_id = 1 RETURNING *),
                        p AS (UPDATE product SET price = price + 1 RETURNING id),
                        t AS (DELETE FROM product_tag WHERE product_id = 2 RETURNING 1)
                   UPDATE customer SET name = name || '!' WHERE id IN (SELECT 1 FROM gone)",
            ),
            // The same table twice: both parts see the rows as they were.
            (
                Yes,
                "WITH a AS (UPDATE product SET name = 'a' WHERE id = 1 RETURNING id) UPDATE product SET name = 'b' WHERE id = 2",
            ),
            (
                Yes,
                "WITH a AS (INSERT INTO customer (id, name) VALUES (500, 'a') RETURNING id),
                        b AS (DELETE FROM customer WHERE id = 3 RETURNING id)
                   UPDATE customer SET name = 'both' WHERE id IN (1, 500)",
            ),
            (
                No,
                "WITH RECURSIVE n(i) AS (SELECT 600 UNION ALL SELECT i + 1 FROM n WHERE i < 605)
                   INSERT INTO customer (id, name) SELECT i, 'n' || i FROM n",
            ),
        ],
    );
}

#[test]
fn functions_blocks_savepoints_and_cursors() {
    shop("writes_blocks");
    check_all(
        "writes_blocks",
        &[
            (Yes, "DO $$ DECLARE r record; BEGIN
                     FOR r IN SELECT id FROM customer LOOP UPDATE customer SET name = 'loop ' || r.id WHERE id = r.id; END LOOP;
                     BEGIN INSERT INTO product (id, sku, name) VALUES (1, 'p1', 'twice'); EXCEPTION WHEN unique_violation THEN
                       UPDATE product SET name = 'caught' WHERE id = 1; END;
                   END $$"),
            (Yes, "CREATE FUNCTION sell(integer) RETURNS integer LANGUAGE sql AS
                     'INSERT INTO sale (customer_id, status) VALUES ($1, ''open'') RETURNING id';
                   SELECT sell(id) FROM customer"),
            (Yes, "DO $$ BEGIN EXECUTE 'UPDATE product SET name = $1 WHERE id = $2' USING 'dynamic', 1; END $$"),
            (Yes, "CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$ BEGIN
                     UPDATE customer SET name = 'first'; COMMIT; UPDATE customer SET name = 'second' WHERE id = 1; ROLLBACK;
                     UPDATE customer SET name = 'third' WHERE id = 2; END $$;
                   CALL twice()"),
            (Yes, "BEGIN; UPDATE customer SET name = 'kept'; SAVEPOINT a; DELETE FROM sale_line; SAVEPOINT b; TRUNCATE tag CASCADE;
                   ROLLBACK TO b; UPDATE product SET name = 'gone'; ROLLBACK TO a; UPDATE product SET name = 'stays' WHERE id = 1;
                   RELEASE a; COMMIT"),
            (No, "BEGIN; DELETE FROM sale_line; TRUNCATE customer CASCADE; ROLLBACK"),
            (Yes, "BEGIN; DECLARE c CURSOR FOR SELECT * FROM product ORDER BY id FOR UPDATE; FETCH 2 FROM c;
                   UPDATE product SET name = 'cursor' WHERE CURRENT OF c; FETCH c; DELETE FROM product WHERE CURRENT OF c; COMMIT"),
            (Yes, "PREPARE p(integer, text) AS UPDATE product SET name = $2 WHERE id = $1;
                   EXECUTE p(1, 'a'); EXECUTE p(2, 'b'); EXECUTE p(1, 'c'); EXECUTE p(99, 'd'); EXECUTE p(1, 'e'); EXECUTE p(2, 'f');
                   EXECUTE p(1, 'g'); EXECUTE p(1, 'h')"),
            (Yes, "PREPARE i(integer) AS INSERT INTO sale (customer_id, status) SELECT id, 'open' FROM customer WHERE id <= $1;
                   EXECUTE i(0); EXECUTE i(1); EXECUTE i(0); EXECUTE i(2); EXECUTE i(1); EXECUTE i(0); EXECUTE i(3)"),
            (Yes, "BEGIN; UPDATE customer SET name = 'prepared'; PREPARE TRANSACTION 'writes_blocks'; COMMIT PREPARED 'writes_blocks'"),
        ],
    );
}

/// CASCADE, SET NULL and SET DEFAULT on both events, within one table too, checked at once and at COMMIT; triggers of
/// the user's own that write the same and other tables.
#[test]
fn foreign_key_actions_and_triggers() {
    installed("writes_actions", &fixture("compiler/tests/data/live/actions.sql"));
    check_all(
        "writes_actions",
        &[
            (Yes, "INSERT INTO owner VALUES (1, 'Ann', 0), (2, 'Ben', 0), (3, 'Cat', 0)"),
            (
                Yes,
                "INSERT INTO asset (id, owner_id, backup, title) VALUES (1, 1, 2, 'house'), (2, 1, 3, 'boat'), (3, 2, 1, 'atlas')",
            ),
            (
                Yes,
                "INSERT INTO asset (id, owner_id, backup, part_of, title) VALUES (4, 3, NULL, 1, 'roof'), (5, 3, 2, 4, 'tile')",
            ),
            (Yes, "UPDATE owner SET id = 10 WHERE id = 1"),
            (Yes, "UPDATE owner SET id = 20 WHERE id = 2"),
            (Yes, "UPDATE asset SET id = id + 100 WHERE id = 1"),
            (Yes, "DELETE FROM owner WHERE id = 10"),
            (Yes, "DELETE FROM asset WHERE id = 101"),
            (Yes, "DELETE FROM owner WHERE id = 20"),
            // The reference is mended before it is checked.
            (
                Yes,
                "BEGIN; INSERT INTO asset (id, backup, title) VALUES (9, 77, 'early'); INSERT INTO owner VALUES (77, 'late', 0); COMMIT",
            ),
            (No, "INSERT INTO slot VALUES (1, 404, 'nowhere'), (2, 405, 'nowhere')"),
            (Yes, "INSERT INTO slot VALUES (3, 9, 'a'), (4, 9, 'b')"),
            (Yes, "UPDATE slot SET place = 7 - place WHERE place IN (3, 4)"),
            (
                Yes,
                "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; UPDATE slot SET place = place + 10, note = note || '!'; COMMIT",
            ),
        ],
    );
    let error =
        crate::support::fails("writes_actions", "INSERT INTO asset (id, backup, title) VALUES (10, 999, 'dangling')");
    assert!(error.contains("violates foreign key constraint"), "{error}");
    assert_equal("writes_actions");
}

#[test]
fn triggers_that_write_other_tables_by_row_and_by_statement() {
    shop("writes_triggers");
    run(
        "writes_triggers",
        "CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO tag (label) VALUES ('before ' || NEW.id) ON CONFLICT DO NOTHING;
            INSERT INTO product_tag SELECT NEW.id, t.id FROM tag t WHERE EXISTS (SELECT FROM product p WHERE p.id = NEW.id) ON CONFLICT DO NOTHING;
            NEW.name := upper(NEW.name); RETURN NEW; END $$;
         CREATE TRIGGER a BEFORE UPDATE ON product FOR EACH ROW EXECUTE FUNCTION before_row();
         CREATE FUNCTION after_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE customer SET name = name || '.' WHERE id = 1; RETURN NULL; END $$;
         CREATE TRIGGER b AFTER INSERT OR UPDATE OR DELETE ON sale_line FOR EACH ROW EXECUTE FUNCTION after_row();
         CREATE FUNCTION before_statement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE product SET name = 'by statement' || pg_trigger_depth(), price = price + 1 WHERE id = 1; RETURN NULL; END $$;
         CREATE TRIGGER c BEFORE INSERT ON customer FOR EACH STATEMENT EXECUTE FUNCTION before_statement();
         CREATE TRIGGER zzzzzz_last AFTER DELETE ON sale_line FOR EACH STATEMENT EXECUTE FUNCTION before_statement();
         CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF OLD.status = 'closed' THEN RETURN NULL; END IF; RETURN OLD; END $$;
         CREATE TRIGGER d BEFORE DELETE ON sale FOR EACH ROW EXECUTE FUNCTION refuse_row();",
    );
    check_all(
        "writes_triggers",
        &[
            (Yes, "UPDATE product SET price = price + 1"),
            (Yes, "UPDATE sale_line SET quantity = quantity + 1"),
            (Yes, "INSERT INTO customer (name) VALUES ('new')"),
            (Yes, "DELETE FROM sale_line WHERE sale_id = 1"),
            (Yes, "INSERT INTO sale_line VALUES (1, 1, 1, 2)"),
            (Yes, "DELETE FROM sale WHERE customer_id = 1"),
            (Yes, "UPDATE product SET name = 'Later', id = id + 1000 WHERE id = 3"),
        ],
    );
    assert_eq!(value("writes_triggers", "SELECT count(*) > 0 FROM sale WHERE status = 'closed'"), "true");
}

/// Each action on both events, checked at once and at COMMIT, with a default that exists.
#[test]
fn every_foreign_key_action() {
    for (n, action) in ["NO ACTION", "CASCADE", "SET NULL", "SET DEFAULT"].iter().enumerate() {
        for deferred in ["", "DEFERRABLE INITIALLY DEFERRED"] {
            let sql = format!(
                "CREATE TABLE parent (id integer PRIMARY KEY, name text);
                 CREATE TABLE child (id integer PRIMARY KEY, parent_id integer DEFAULT 0
                     REFERENCES parent ON DELETE {action} ON UPDATE {action} {deferred}, note text);
                 CREATE TABLE grandchild (id integer PRIMARY KEY, child_id integer REFERENCES child ON DELETE CASCADE ON UPDATE CASCADE);
                 CREATE INDEX ON child (parent_id); CREATE INDEX ON grandchild (child_id);
                 CREATE VIEW v_parent AS SELECT p.id, jsonb_build_object('name', p.name,
                     'children', (SELECT jsonb_agg(c.note ORDER BY c.id) FROM child c WHERE c.parent_id = p.id)) AS data FROM parent p;
                 CREATE VIEW v_grandchild AS SELECT g.id, jsonb_build_object('child', c.note, 'parent', p.name) AS data
                     FROM grandchild g LEFT JOIN child c ON c.id = g.child_id LEFT JOIN parent p ON p.id = c.parent_id;"
            );
            let name = format!("writes_actions_{n}_{}", deferred.len());
            installed(&name, &sql);
            run(
                &name,
                "INSERT INTO parent SELECT g, 'p' || g FROM generate_series(0, 4) g;
                        INSERT INTO child SELECT g, g % 5, 'c' || g FROM generate_series(1, 10) g;
                        INSERT INTO grandchild SELECT g, 1 + g % 10 FROM generate_series(1, 20) g;",
            );
            let mut writes =
                vec!["UPDATE parent SET id = id + 10 WHERE id IN (1, 2)", "DELETE FROM parent WHERE id IN (3, 4, 11)"];
            if *action == "NO ACTION" {
                writes = match deferred {
                    "" => vec![
                        "WITH c AS (UPDATE child SET parent_id = 0 WHERE parent_id = 1) DELETE FROM parent WHERE id = 1",
                    ],
                    _ => vec![
                        "BEGIN; DELETE FROM parent WHERE id = 1; UPDATE child SET parent_id = 2 WHERE parent_id = 1; COMMIT",
                        "BEGIN; UPDATE parent SET id = 12 WHERE id = 2; UPDATE child SET parent_id = 12 WHERE parent_id = 2; COMMIT",
                    ],
                };
            }
            for write in writes {
                check_all(&name, &[(Yes, write)]);
            }
            server().drop_database(&name).expect("dropped");
        }
    }
}

/// A write to a view that PostgreSQL turns into one of its table fires the table's triggers.
#[test]
fn writes_through_views() {
    shop("writes_views");
    check_all(
        "writes_views",
        &[
            (No, "CREATE VIEW pens AS SELECT id, name, active FROM product WHERE name LIKE 'p%' WITH CHECK OPTION"),
            (Yes, "UPDATE pens SET name = name || '!'"),
            (Yes, "INSERT INTO product (sku, name) VALUES ('px', 'px'); DELETE FROM pens WHERE id = 1"),
            (No, "CREATE VIEW joined AS SELECT s.id, c.name FROM sale s JOIN customer c ON c.id = s.customer_id;
                  CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    UPDATE customer c SET name = NEW.name FROM sale s WHERE s.id = OLD.id AND c.id = s.customer_id; RETURN NEW; END $$;
                  CREATE TRIGGER t INSTEAD OF UPDATE ON joined FOR EACH ROW EXECUTE FUNCTION rename()"),
            (Yes, "UPDATE joined SET name = 'through a view' WHERE id = 1"),
        ],
    );
}

/// Plans stay for a session. Those that are made while all tables are empty must do when they are not.
#[test]
fn plans_of_empty_tables_do_not_read_whole_ones() {
    installed("writes_grow", &fixture("examples/blog/views.sql"));
    let mut client = server().connect("writes_grow", OWNER).expect("connected");
    let mut grow = |n: i32| {
        let rows = format!(
            "DO $$ BEGIN FOR i IN 1..{n} LOOP
                 INSERT INTO bench_authors (name, email) VALUES ('a' || i, 'e');
                 INSERT INTO bench_posts (author_id, title, content) VALUES (i, 't', 'c');
                 INSERT INTO bench_comments (post_id, author_id, content) VALUES (i, 1 + i / 2, 'c');
                 UPDATE bench_authors SET name = name || '!' WHERE id = i;
                 UPDATE bench_posts SET title = title || '!' WHERE id = i;
             END LOOP; END $$"
        );
        client
            .batch_execute(&format!(
                "BEGIN; TRUNCATE bench_authors, bench_posts, bench_comments RESTART IDENTITY; {rows}"
            ))
            .expect("written");
        let read =
            "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_xact_user_tables WHERE schemaname = 'public'";
        let read: i64 = client.query_one(read, &[]).expect("counted").get(0);
        client.batch_execute("COMMIT").expect("committed");
        read
    };
    // What comes first may read a table whole while it has a row or two.
    let (few, many) = (grow(50), grow(300));
    assert!(many < few + 600, "{few} rows read for 50 authors, {many} for 300");
    assert_equal("writes_grow");
}
