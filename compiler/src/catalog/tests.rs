//! The catalog of small inputs, written out as text.

use std::fmt::Write;

use super::restrictions::Restriction;
use super::*;
use crate::source::SourceFile;

fn read(sql: &str) -> (Catalog, Diagnostics) {
    let sources = Sources { files: vec![SourceFile { name: "t.sql".into(), text: sql.into(), context_only: false }] };
    let mut diagnostics = Diagnostics::default();
    let statements = crate::syntax::parse(&sources, &mut diagnostics);
    let catalog = build(&sources, &statements, &mut diagnostics);
    (catalog, diagnostics)
}

fn names(table: &Table, columns: &[usize]) -> String {
    columns.iter().map(|&c| table.columns[c].name.as_str()).collect::<Vec<_>>().join(",")
}

/// One line per fact.
fn show(sql: &str) -> String {
    let (catalog, diagnostics) = read(sql);
    let mut out = String::new();
    for d in diagnostics.sorted() {
        writeln!(out, "{} {}", d.code.number(), d.title).unwrap();
    }
    for (name, relation) in &catalog.relations {
        match relation {
            Relation::View(view) => {
                writeln!(out, "view {name} {:?} {:?}", view.column_aliases, view.search_path).unwrap()
            }
            Relation::Unreadable(u) => writeln!(out, "unreadable {name}: {}", u.reason).unwrap(),
            Relation::Table(table) => show_table(&mut out, table),
        }
    }
    out
}

fn show_table(out: &mut String, t: &Table) {
    let columns: Vec<String> = t
        .columns
        .iter()
        .map(|c| {
            format!(
                "{} {}{}{}",
                c.name,
                c.ty.sql,
                if c.not_null { "!" } else { "" },
                if c.virtual_generated { " virtual" } else { "" }
            )
        })
        .collect();
    writeln!(out, "{}", format!("{:?} {}: {}", t.kind, t.name, columns.join(", ")).trim_end()).unwrap();
    for k in &t.keys {
        let kind = if k.primary { "primary" } else { "unique" };
        writeln!(out, "  {kind} ({}){}", names(t, &k.columns), if k.not_null { "!" } else { "" }).unwrap();
    }
    for k in &t.partial_keys {
        let condition: Vec<String> = k.only_where.iter().map(Restriction::sql).collect();
        writeln!(out, "  unique ({}) where {}", names(t, &k.columns), condition.join(" and ")).unwrap();
    }
    for k in &t.weak_keys {
        writeln!(out, "  weak ({}) {}", names(t, &k.columns), k.reason).unwrap();
    }
    for f in &t.foreign_keys {
        let enforced = if f.enforced { "" } else { " unenforced" };
        writeln!(out, "  fk ({}) -> {} {:?}{enforced}", names(t, &f.columns), f.references, f.referenced).unwrap();
    }
}

#[track_caller]
fn check(sql: &str, expected: &str) {
    let expected: String = expected
        .trim_matches('\n')
        .lines()
        .map(|l| format!("{}\n", l.trim_end().replacen("        ", "", 1)))
        .collect();
    assert_eq!(show(sql), expected.trim_end().to_owned() + "\n");
}

#[test]
fn types_are_written_as_format_type_writes_them() {
    check(
        r#"CREATE TABLE t (a int4, b SERIAL, c varchar(20)[], d timestamptz(3), e pg_catalog.int8, f _int4, g numeric(10),
            h char, i "char", j double precision DEFAULT 1.5 NOT NULL, k interval day to second(3), l bit varying(3),
            m national character varying(4), n float(10), o text COLLATE "de-x-icu" NOT NULL, p time, q text ARRAY[3], r geometry(Point,4326),
            s "Mixed"."Type", t decimal(4,2) CHECK (t > 0));"#,
        r#"
        Ordinary public.t: a integer, b integer!, c character varying(20)[], d timestamp(3) with time zone, e bigint, f integer[], g numeric(10,0), h character(1), i "char", j double precision!, k interval day to second(3), l bit varying(3), m character varying(4), n real, o text!, p time without time zone, q text[], r geometry(Point,4326), s "Mixed"."Type", t numeric(4,2)
        "#,
    );
}

#[test]
fn user_types_are_found_by_search_path() {
    check(
        "CREATE SCHEMA app; SET search_path TO app, public;
         CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN public.email AS text NOT NULL CHECK (value <> '');
         CREATE DOMAIN em2 email; CREATE TYPE pair AS (a int, b mood);
         CREATE TABLE t (m mood, e email, f em2, p pair[], x citext);
         CREATE TABLE u OF pair (PRIMARY KEY (a));",
        r#"
        Ordinary app.t: m app.mood, e public.email, f app.em2, p app.pair[], x citext
        Ordinary app.u: a integer!, b app.mood
          primary (a)!
        "#,
    );
    let (catalog, _) = read("CREATE DOMAIN a AS int; CREATE DOMAIN b AS a; CREATE TABLE t (x b)");
    let Some(Relation::Table(t)) = catalog.lookup(None, &Ident::new("t"), &[Ident::new("public")]) else { panic!() };
    assert!(matches!(&t.columns[0].ty.class, TypeClass::Domain(below) if below.sql == "integer"));
}

#[test]
fn what_an_index_tells_apart_may_be_equal_to_the_column() {
    check(
        r#"CREATE COLLATION nd (provider = icu, locale = 'und', deterministic = false);
         CREATE TABLE t (a text, b text COLLATE nd, c citext, d text COLLATE "C");
         CREATE UNIQUE INDEX ON t (a COLLATE "C"); CREATE UNIQUE INDEX ON t (a text_pattern_ops);
         CREATE UNIQUE INDEX ON t (b); CREATE UNIQUE INDEX ON t (b COLLATE public.nd);
         CREATE UNIQUE INDEX ON t (b COLLATE "C"); CREATE UNIQUE INDEX ON t (c text_ops);
         CREATE UNIQUE INDEX ON t (d COLLATE "C"); CREATE UNIQUE INDEX ON t (d COLLATE "de-x-icu");"#,
        r#"
        Ordinary public.t: a text, b text, c citext, d text
          unique (a)
          unique (a)
          unique (b)
          unique (b)
          unique (d)
          weak (b) operator class or collation with an equality of its own
          weak (c) operator class or collation with an equality of its own
          weak (d) operator class or collation with an equality of its own
        "#,
    );
}

#[test]
fn indexes_over_some_rows_are_keys_of_these_where_their_condition_is_understood() {
    check(
        "CREATE TYPE mood AS ENUM ('calm');
         CREATE TABLE t (id int PRIMARY KEY, a int, b text, c boolean, d mood, e timestamptz, f varchar(9));
         CREATE UNIQUE INDEX ON t (a) WHERE b IS NULL AND (NOT c);
         CREATE UNIQUE INDEX ON t (a, b) INCLUDE (c) WITH (fillfactor = 70) WHERE ((f)::text = 'x'::text) AND d = 'calm'::public.mood;
         CREATE UNIQUE INDEX ON t (b) WHERE a IN (1, -2) AND c IS TRUE;
         CREATE UNIQUE INDEX ON t (a) WHERE c IS NOT TRUE; CREATE UNIQUE INDEX ON t (a) WHERE b = 'x' OR c;
         CREATE UNIQUE INDEX ON t (a) WHERE e > '2020-01-01'; CREATE UNIQUE INDEX ON t (a) WHERE a > length(b);
         CREATE UNIQUE INDEX ON t (lower(b)) WHERE c;
         ALTER TABLE t RENAME b TO body; ALTER TABLE t RENAME c TO gone;",
        r#"
        Ordinary public.t: id integer!, a integer, body text, gone boolean, d public.mood, e timestamp with time zone, f character varying(9)
          primary (id)!
          unique (a) where body IS NULL and NOT gone
          unique (a,body) where f = 'x' and d = 'calm'
          unique (body) where a = ANY (ARRAY[1, -2]) and gone
          weak (a) partial index
          weak (a) partial index
          weak (a) partial index
          weak (a) partial index
          weak () expression index
        "#,
    );
}

#[test]
fn only_what_is_guaranteed_is_a_key() {
    check(
        "CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE, c int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED, d text,
            CONSTRAINT x UNIQUE NULLS NOT DISTINCT (b, c) INCLUDE (d));
         CREATE UNIQUE INDEX i1 ON t (d) WHERE a > 0; CREATE UNIQUE INDEX i2 ON t (lower(d), a);
         CREATE UNIQUE INDEX i3 ON public.t USING btree (d DESC NULLS LAST, b text_pattern_ops);
         CREATE UNIQUE INDEX i4 ON t ((d)); CREATE UNIQUE INDEX i5 ON t (d funny_class);",
        r#"
        Ordinary public.t: a integer!, b integer, c integer!, d text
          primary (a)!
          unique (b)
          unique (b,c)
          unique (d,b)
          unique (d) where a > 0
          weak (c) DEFERRABLE
          weak () expression index
          weak () expression index
          weak (d) operator class or collation with an equality of its own
        "#,
    );
}

#[test]
fn alter_table_changes_what_is_proved() {
    check(
        "CREATE TABLE a (id int, x int); CREATE TABLE b (id bigint, a_id int);
         CREATE UNIQUE INDEX ai ON a (id); ALTER TABLE a ADD CONSTRAINT apk PRIMARY KEY USING INDEX ai;
         ALTER TABLE ONLY b ADD CONSTRAINT bpk PRIMARY KEY (id), ALTER COLUMN a_id SET NOT NULL;
         ALTER TABLE ONLY public.b ADD CONSTRAINT f FOREIGN KEY (a_id) REFERENCES a ON DELETE SET NULL (a_id) NOT VALID;
         ALTER TABLE b ADD COLUMN c text NOT NULL UNIQUE, ADD FOREIGN KEY (a_id) REFERENCES public.a(id) ON UPDATE CASCADE;
         ALTER TABLE b ALTER c DROP NOT NULL, DROP COLUMN id; ALTER TABLE b VALIDATE CONSTRAINT f;
         ALTER TABLE b RENAME COLUMN c TO d; ALTER TABLE a RENAME TO aa; ALTER TABLE aa DROP CONSTRAINT apk;
         ALTER TABLE b ENABLE ROW LEVEL SECURITY, OWNER TO x; ALTER TABLE b ALTER d TYPE varchar(3) USING d::varchar;",
        r#"
        Ordinary public.b: a_id integer!, d character varying(3)
          unique (d)
        Ordinary public.aa: id integer!, x integer
        "#.replace("[\"id\"]", "[id]").as_str(),
    );
}

#[test]
fn partitions_share_keys_and_inheritance_children_do_not() {
    check(
        "CREATE TABLE p (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
         CREATE TABLE p2 (at date NOT NULL, id int NOT NULL); ALTER TABLE ONLY p ATTACH PARTITION p2 DEFAULT;
         ALTER TABLE p ADD COLUMN x text;
         CREATE TABLE q (id int PRIMARY KEY); CREATE TABLE q1 (y int) INHERITS (q);",
        r#"
        Partitioned public.p: id integer!, at date!, x text
          primary (id,at)!
        Partition public.p1: id integer!, at date!, x text
          primary (id,at)!
        Partition public.p2: at date!, id integer!, x text
          primary (id,at)!
        InheritanceParent public.q: id integer!
          weak (id) does not cover the rows of inheritance children
        InheritanceChild public.q1: id integer!, y integer
        "#,
    );
}

#[test]
fn pg_dump_forms_are_read() {
    check(
        r#"SELECT pg_catalog.set_config('search_path', '', false);
         CREATE TABLE public."Order" (
            id integer NOT NULL, "user" text COLLATE pg_catalog."C" DEFAULT 'a;b'::text NOT NULL, tags text[] DEFAULT '{}'::text[],
            total numeric(10,2) GENERATED ALWAYS AS ((price * (2)::numeric)) STORED, price numeric DEFAULT (1 IS NOT NULL)::int,
            v int GENERATED ALWAYS AS (id + 1) VIRTUAL, CONSTRAINT c CHECK ((id > 0)) NOT VALID
         ) WITH (fillfactor='70') TABLESPACE ts;
         ALTER TABLE public."Order" ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
            SEQUENCE NAME public."Order_id_seq" START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1);
         ALTER TABLE ONLY public."Order" ADD CONSTRAINT "Order_pkey" PRIMARY KEY (id);
         CREATE TABLE public.copy (LIKE public."Order" INCLUDING ALL EXCLUDING GENERATED, extra xml STORAGE MAIN);"#,
        r#"
        Ordinary public.Order: id integer!, user text!, tags text[], total numeric(10,2), price numeric, v integer virtual
          primary (id)!
        Ordinary public.copy: id integer!, user text!, tags text[], total numeric(10,2), price numeric, v integer, extra xml
          primary (id)!
        "#,
    );
}

#[test]
fn what_cannot_be_read_is_known_by_name() {
    check(
        "CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b (x int, y); CREATE TABLE c (x int) INHERITS (nope);
         CREATE TABLE d (a int); CREATE VIEW v AS SELECT a FROM d; ALTER TABLE d RENAME COLUMN a TO b;
         CREATE TEMP TABLE e (x int); CREATE FOREIGN TABLE f (x int OPTIONS (a 'b')) SERVER s; CREATE MATERIALIZED VIEW g AS SELECT 1 WITH NO DATA;
         CREATE TABLE d (x int); CREATE TABLE IF NOT EXISTS d (x int); CREATE RECURSIVE VIEW r (n) AS SELECT 1;",
        "
        TV0204 relation `public.d` is defined twice
        TV0301 `r` is a recursive view
        unreadable public.a: the columns of CREATE TABLE AS are not derived from such a query
        unreadable public.b: expected a type
        unreadable public.c: its parent `nope` is not known
        Ordinary public.d: b integer
        unreadable public.v: it mentions `a`, which is renamed after the view is defined
        Temporary pg_temp.e: x integer
        Foreign public.f: x integer
        MaterializedView public.g:
        unreadable public.r: it is a recursive view
        ",
    );
}

#[test]
fn functions_have_their_volatility() {
    let (catalog, _) = read(
        "CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS $$ select 1; $$;
         CREATE OR REPLACE FUNCTION f(a int) RETURNS SETOF int STABLE LANGUAGE sql BEGIN ATOMIC SELECT volatile FROM t; END;
         CREATE FUNCTION f(a text) RETURNS TABLE (immutable int) AS 'x' LANGUAGE plpgsql COST 10;
         CREATE FUNCTION app.g() RETURNS trigger AS 'y' LANGUAGE c; ALTER FUNCTION app.g() IMMUTABLE;",
    );
    let shown: Vec<String> = catalog
        .functions
        .iter()
        .flat_map(|(n, fs)| fs.iter().map(move |f| format!("{n} {:?} {}", f.volatility, f.returns_set)))
        .collect();
    assert_eq!(shown, ["public.f Stable true", "public.f Volatile true", "app.g Immutable false"]);
}

#[test]
fn an_output_argument_is_what_a_function_returns() {
    let (catalog, _) = read(
        "CREATE FUNCTION a(IN x int, OUT jsonb) AS 'x' LANGUAGE sql;
         CREATE FUNCTION b(x inout double precision, OUT y int) AS 'x' LANGUAGE sql;
         CREATE FUNCTION c(x IN OUT double precision, y int DEFAULT 1) AS 'x' LANGUAGE sql;
         CREATE FUNCTION d(y int, out x jsonb[]) AS 'x' LANGUAGE sql;
         CREATE FUNCTION e(OUT x anyelement) AS 'x' LANGUAGE sql;
         CREATE FUNCTION f(OUT x int) RETURNS SETOF int AS 'x' LANGUAGE sql;",
    );
    let returned =
        |f: &Function| f.returns.as_ref().map(|ty| format!("{}{}", ty.base, "[]".repeat(ty.dimensions as usize)));
    let shown: Vec<String> = catalog
        .functions
        .values()
        .flatten()
        .map(|f| format!("{} {}", f.name.name, returned(f).unwrap_or_else(|| "-".into())))
        .collect();
    assert_eq!(shown, ["a jsonb", "b -", "c double precision", "d jsonb[]", "e -", "f -"]);
}

#[test]
fn views_keep_their_text_and_path() {
    let sql = "SET search_path = App, \"Other\", public;\n-- tviewc: key(id, \"B\")\n-- note\nCREATE OR REPLACE VIEW v (a, b) WITH (security_barrier) AS\n SELECT 1, 'é' WITH LOCAL CHECK OPTION;";
    let (catalog, diagnostics) = read(sql);
    assert_eq!(diagnostics.sorted().len(), 0, "{diagnostics:?}");
    let Some(Relation::View(view)) = catalog.relations.values().next() else { panic!("{catalog:?}") };
    assert_eq!(&sql[view.query_span.start..view.query_span.end], "SELECT 1, 'é'");
    assert_eq!(view.directives[0].arguments, ["id", "B"]);
    assert_eq!(view.search_path, [Ident::new("app"), Ident::new("Other"), Ident::new("public")]);
    assert!(view.has_options);
    assert_eq!(view.name.to_string(), "app.v");
}

#[test]
fn near_names_are_suggested() {
    assert_eq!(did_you_mean("autor_id", ["author_id", "id"]), Some("author_id"));
    assert_eq!(did_you_mean("zzz", ["author_id", "id"]), None);
}

#[test]
fn context_may_hold_what_cannot_be_read_and_what_is_defined_again() {
    let file = |text: &str, context_only| SourceFile { name: "t.sql".into(), text: text.into(), context_only };
    let context = "CREATE TABLE t (id int); CREATE VIEW odd AS SELECT (f(1)).* FROM ROWS FROM (g()) x; CREATE VIEW v AS SELECT 1;";
    let sources = Sources { files: vec![file(context, true), file("CREATE VIEW v AS SELECT 2 AS x;", false)] };
    let mut diagnostics = Diagnostics::default();
    let statements = crate::syntax::parse(&sources, &mut diagnostics);
    let catalog = build(&sources, &statements, &mut diagnostics);
    assert_eq!(diagnostics.sorted().len(), 0, "{diagnostics:?}");
    let find = |name: &str| catalog.lookup(None, &Ident::new(name), &[Ident::new("public")]);
    assert!(matches!(find("odd"), Some(Relation::Unreadable(_))));
    assert!(matches!(find("v"), Some(Relation::View(view)) if !view.context_only));
}

/// The statements that wait for the migration, by their first words.
fn waiting(files: &[(&str, bool)]) -> Vec<String> {
    let file = |(text, context_only): &(&str, bool)| SourceFile {
        name: "t.sql".into(),
        text: (*text).into(),
        context_only: *context_only,
    };
    let sources = Sources { files: files.iter().map(file).collect() };
    let mut diagnostics = Diagnostics::default();
    let statements = crate::syntax::parse(&sources, &mut diagnostics);
    let catalog = build(&sources, &statements, &mut diagnostics);
    let text = |span: &Span| sources.text(*span).split_whitespace().take(5).collect::<Vec<_>>().join(" ");
    catalog.waiting.iter().map(text).collect()
}

#[test]
fn what_is_defined_by_the_migration_waits() {
    let all = "CREATE TABLE t (id int PRIMARY KEY, tv_t int, doc int);
        ALTER TABLE t ADD CHECK (tv_t > 0), ADD CHECK (doc > 0);
        CREATE INDEX doc_of ON t (doc);
        CREATE TABLE tv_t AS SELECT id, jsonb_build_object('a', doc) AS data FROM t;
        CREATE UNIQUE INDEX tv_t_key ON public.tv_t (id);
        ALTER INDEX tv_t_key SET (fillfactor = 90);
        CREATE MATERIALIZED VIEW doc AS SELECT id, to_jsonb(t) AS d FROM t;
        CREATE INDEX ON t (tv_t, doc);
        COMMENT ON COLUMN t.doc IS 'tv_t';
        COMMENT ON COLUMN public.doc.d IS '';
        COMMENT ON TRIGGER x ON tv_t IS '';
        GRANT SELECT (doc), UPDATE ON t, doc TO doc;
        GRANT doc TO somebody;
        REFRESH MATERIALIZED VIEW CONCURRENTLY doc WITH NO DATA;
        CREATE VIEW reader AS SELECT doc.id FROM t AS doc;
        CREATE VIEW other AS SELECT (SELECT count(*) FROM doc) FROM t;
        CREATE VIEW another AS SELECT * FROM v_t;
        CREATE VIEW further AS SELECT * FROM public.other o;
        ALTER VIEW further RENAME TO last;
        GRANT SELECT ON last TO somebody;
        DROP VIEW last;
        CREATE TABLE last (id int);
        COMMENT ON TABLE last IS '';";
    let expected = [
        "CREATE TABLE tv_t AS SELECT",
        "CREATE UNIQUE INDEX tv_t_key ON",
        "ALTER INDEX tv_t_key SET (fillfactor",
        "CREATE MATERIALIZED VIEW doc AS",
        "COMMENT ON COLUMN public.doc.d IS",
        "COMMENT ON TRIGGER x ON",
        "GRANT SELECT (doc), UPDATE ON",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY doc",
        "CREATE VIEW other AS SELECT",
        "CREATE VIEW another AS SELECT",
        "CREATE VIEW further AS SELECT",
        "ALTER VIEW further RENAME TO",
        "GRANT SELECT ON last TO",
        "DROP VIEW last",
    ];
    assert_eq!(waiting(&[(all, false)]), expected);
    // Left as they are: a skipped definition, one of the context, one without documents, another schema's.
    let none = "CREATE TABLE t (id int PRIMARY KEY);
        -- tviewc: skip
        CREATE TABLE tv_t AS SELECT id, to_jsonb(t) AS data FROM t;
        CREATE MATERIALIZED VIEW ids AS SELECT id FROM t;
        COMMENT ON TABLE tv_t IS '';
        CREATE SCHEMA s;
        SET search_path = s, public;
        CREATE TABLE doc (id int);
        COMMENT ON TABLE doc IS '';";
    let context = "CREATE TABLE b (id int); CREATE MATERIALIZED VIEW c AS SELECT to_jsonb(b) AS d FROM b;";
    assert_eq!(waiting(&[(context, true), (none, false)]), [""; 0]);
}

#[test]
fn views_of_the_context_are_replaced_by_the_migration() {
    let context = "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v;";
    let program = "CREATE VIEW v AS SELECT id FROM t; CREATE OR REPLACE VIEW w AS SELECT id FROM v;";
    assert_eq!(waiting(&[(context, true), (program, false)]), ["CREATE VIEW v AS SELECT"]);
}
