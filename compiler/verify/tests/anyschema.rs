//! The writer over a schema with everything in it, and the comparison with known differences.

use tviewc_verify::compare::DifferenceKind;
use tviewc_verify::writer::script;
use tviewc_verify::{SUPERUSER, Server, ServerOptions, Writer, WriterOptions, compare, random_run};

const EVERYTHING: &str = r#"
CREATE SCHEMA "Odd Name";
CREATE SCHEMA tview;
CREATE TABLE tview.pg_tview_meta (tview_oid regclass, view_oid regclass, program text, key_columns text[]);
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN short_text AS varchar(5) NOT NULL;
CREATE TABLE account (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, "user" text,
                      parent_id bigint REFERENCES account ON DELETE CASCADE);
CREATE TABLE "Odd Name"."Order" (id serial PRIMARY KEY, account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
       code char(3), total numeric(10,2) CHECK (total >= 0), free numeric, status text NOT NULL DEFAULT 'new'
       CHECK (status IN ('new', 'paid', 'sent')), dropped int, placed timestamptz DEFAULT '2020-01-01', m mood);
ALTER TABLE "Odd Name"."Order" DROP COLUMN dropped;
CREATE TABLE item (order_id int REFERENCES "Odd Name"."Order" ON DELETE RESTRICT, line smallint, qty positive NOT NULL,
       name short_text, price float8, doubled int GENERATED ALWAYS AS (qty * 2) STORED, PRIMARY KEY (order_id, line));
CREATE TABLE note (order_id int, line smallint, body json, tags text[], FOREIGN KEY (order_id, line) REFERENCES item);
CREATE TABLE types (id uuid PRIMARY KEY, b bool, i2 int2, f4 float4, n name, c "char", vc varchar(4), d date,
       ts timestamp, t time, ttz timetz, iv interval, bin bytea, j json, jb jsonb, ip inet, net cidr, mac macaddr,
       bits bit(3), vbits varbit(5), p point, x box, m mood, ms mood[], pr pair, ps positive[], r int4range,
       tr tstzrange, rr int4range[], tsv tsvector, mo money, l line);
CREATE TABLE measure (day date NOT NULL, kind text NOT NULL, v numeric, PRIMARY KEY (day, kind)) PARTITION BY LIST (kind);
CREATE TABLE measure_a PARTITION OF measure FOR VALUES IN ('a', 'b');
CREATE TABLE measure_rest PARTITION OF measure DEFAULT;
CREATE TABLE base_table (id int PRIMARY KEY DEFAULT 7, v text);
CREATE TABLE heir (extra int) INHERITS (base_table);
CREATE TABLE no_key (a int, b text);
CREATE TABLE no_columns ();
CREATE TABLE late (id int PRIMARY KEY, other int UNIQUE DEFERRABLE INITIALLY DEFERRED,
       account_id bigint REFERENCES account DEFERRABLE INITIALLY DEFERRED);
GRANT USAGE ON SCHEMA "Odd Name" TO app;
GRANT ALL ON ALL TABLES IN SCHEMA public, "Odd Name" TO app;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public, "Odd Name" TO app;
"#;

#[test]
fn the_writer_knows_every_construct() {
    let server = Server::start(&ServerOptions::default()).expect("the server starts");
    server.create_role("app").expect("created");
    server.create_database("everything", SUPERUSER, None).expect("created");
    server.psql("everything", SUPERUSER, EVERYTHING).expect("the schema is made");
    server.create_database("again", SUPERUSER, Some("everything")).expect("copied");

    let report =
        random_run(&server, "everything", "app", 3, 500, &mut |_, l| print!("{l}")).unwrap_or_else(|f| panic!("{f}"));
    println!("{report}");
    assert!(report.doubtful.is_empty(), "{}", report.doubtful[0]);
    assert!(report.tally.below(2).iter().all(|kind| kind.to_string() == "Merge"), "{report}");
    let failed: u64 = report.tally.0.values().flat_map(|count| count.failed.values()).sum();
    let succeeded: u64 = report.tally.0.values().map(|count| count.succeeded).sum();
    assert!(failed * 2 < succeeded, "too many failures: {report}");

    // The same seed on an equal database gives the same statements with the same results.
    let run = |database: &str| {
        let mut admin = server.connect(database, SUPERUSER).expect("connected");
        let mut client = server.connect(database, "app").expect("connected");
        let mut writer = Writer::for_role(&mut admin, "app", 9, WriterOptions::default()).expect("looked at");
        let history: Vec<_> = (0..60).map(|_| writer.transaction(&mut client).expect("run")).collect();
        script(&history)
    };
    server.create_database("once", SUPERUSER, Some("again")).expect("copied");
    assert_eq!(run("once"), run("again"));
}

#[test]
fn the_comparison_sees_every_kind_of_difference() {
    let server = Server::start(&ServerOptions::default()).expect("the server starts");
    let setup = "CREATE SCHEMA tview;
        CREATE TABLE tview.pg_tview_meta (tview_oid regclass, view_oid regclass, program text, key_columns text[]);
        CREATE TABLE base (id int, n numeric, c bpchar, f float8, t timestamptz, j jsonb);
        INSERT INTO base VALUES (1, 1.0, 'x ', 0, '2020-01-01', '{}'), (2, 2, 'x', 'NaN', 'infinity', NULL), (3, 3, NULL, 3, NULL, '[1]');
        CREATE VIEW v_base AS SELECT * FROM base;
        CREATE TABLE tv_base AS SELECT * FROM base;
        INSERT INTO tview.pg_tview_meta VALUES ('tv_base', 'v_base', 'p', '{id}');";
    server.psql("postgres", SUPERUSER, setup).expect("set up");
    let mut client = server.admin().expect("connected");
    let kinds_after = |sql: &str| {
        let mut client = server.admin().expect("connected");
        client.batch_execute(sql).expect("changed");
        let report = compare(&mut client).expect("compared");
        println!("{report}");
        report.differences().map(|difference| difference.kind.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds_after("SET TimeZone = 'Asia/Tokyo'"), []);
    let text = |text: &str| Some(text.to_owned());
    let column = |name: &str, view, tview| DifferenceKind::Column { column: name.to_owned(), view, tview };
    assert_eq!(kinds_after("UPDATE tv_base SET n = 1.00 WHERE id = 1"), [column("n", text("1.0"), text("1.00"))]);
    assert_eq!(
        kinds_after("UPDATE tv_base SET n = 1.0, c = 'x', f = '-0' WHERE id = 1"),
        [column("c", text("x "), text("x")), column("f", text("0"), text("-0"))]
    );
    assert_eq!(
        kinds_after("UPDATE tv_base SET c = 'x ', f = 0, j = NULL WHERE id = 1"),
        [column("j", text("{}"), None)]
    );
    assert!(matches!(
        kinds_after("UPDATE tv_base SET j = '{}', id = 4 WHERE id = 1")[..],
        [DifferenceKind::MissingInTview(_), DifferenceKind::MissingInView(_)]
    ));
    assert_eq!(
        kinds_after("UPDATE tv_base SET id = 1 WHERE id = 4; INSERT INTO base SELECT * FROM base WHERE id = 3"),
        [DifferenceKind::DuplicateKey(2)]
    );
    client.batch_execute("ALTER TABLE tv_base DROP COLUMN f").expect("dropped");
    let found = kinds_after("DELETE FROM base WHERE id = 3; DELETE FROM tv_base WHERE id = 3");
    assert_eq!(found, [DifferenceKind::NoSuchColumn("f".to_owned())]);
}
