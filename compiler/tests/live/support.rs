//! What the live tests share: one server, fixtures, and their installation.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tviewc::plan::Strategy;
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, Output, compile};
use tviewc_verify::{SUPERUSER, compare};

pub use crate::shared::{OWNER, server};

/// Whether the long runs are wanted.
pub fn full() -> bool {
    std::env::var_os("TVIEWC_TEST_FULL").is_some_and(|v| v == "1")
}

/// A schema with views, by the path of its file below the repository.
pub fn fixture(path: &str) -> String {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

pub fn sources(sql: &str) -> Sources {
    Sources { files: vec![SourceFile { name: "views.sql".into(), text: sql.into(), context_only: false }] }
}

/// What of a source is applied before its migration.
pub fn beforehand(sql: &str, output: &Output) -> String {
    sources(sql).without(&output.waiting).files.remove(0).text
}

/// Compiles one text as `views.sql`.
pub fn compiled(sql: &str, program: &str) -> Output {
    compiled_with(sql, program, Strategy::Auto)
}

/// The same with a choice of strategies.
pub fn compiled_with(sql: &str, program: &str, strategy: Strategy) -> Output {
    let options = Options { program: Some(program.into()), strategy, ..Options::default() };
    let compilation = compile(&sources(sql), &options);
    let titles: Vec<&str> = compilation.diagnostics.sorted().iter().map(|d| d.title.as_str()).collect();
    compilation.output.unwrap_or_else(|| panic!("{titles:?}"))
}

/// A database with the fixture's own statements applied by the owner.
pub fn database(name: &str, sql: &str) {
    server().create_database(name, OWNER, None).expect("the database is created");
    server().psql(name, OWNER, sql).expect("the fixture's statements are applied");
}

/// The same with its migration.
pub fn installed(name: &str, sql: &str) -> Output {
    installed_with(name, sql, Strategy::Auto)
}

/// Whether the databases of this run have the extension.
pub fn has_extension() -> bool {
    std::env::var("TVIEWC_NATIVE").is_ok_and(|value| value == "required")
}

/// The same with a choice of strategies. With `TVIEWC_NATIVE=required` triggers find the extension.
pub fn installed_with(name: &str, sql: &str, strategy: Strategy) -> Output {
    database(name, sql);
    let output = compiled_with(sql, "test", strategy);
    server().psql(name, OWNER, &output.up).expect("the migration is applied");
    if has_extension() {
        server().psql(name, SUPERUSER, "CREATE EXTENSION tview_native").expect("the extension is created");
    }
    output
}

/// Fails with the differences if any tview differs from its view; returns how many rows were compared.
pub fn assert_equal(database: &str) -> i64 {
    let mut client = server().connect(database, SUPERUSER).expect("connected");
    let report = compare(&mut client).expect("compared");
    assert!(report.is_equal(), "{report}");
    report.tviews.iter().map(|t| t.view_rows).sum()
}

/// One value of a query, as text.
pub fn value(database: &str, query: &str) -> String {
    let mut client = server().connect(database, OWNER).expect("connected");
    let row = client.query_one(&format!("SELECT ({query})::text"), &[]).unwrap_or_else(|e| panic!("{query}: {e}"));
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

/// Applies SQL as the owner.
pub fn run(database: &str, sql: &str) {
    server().psql(database, OWNER, sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Applies SQL as the owner, which must fail; the error's text.
pub fn fails(database: &str, sql: &str) -> String {
    match server().psql(database, OWNER, sql) {
        Ok(()) => panic!("this succeeded: {sql}"),
        Err(error) => error.to_string(),
    }
}

/// Counts, from now on, how the documents of a database are written: sequences, which no rollback takes back and no random
/// write touches. The generated SQL is what users get; which strategies wrote is read off the statement on the call stack.
pub fn count_writes(database: &str) {
    let sequences: String = STRATEGIES.iter().map(|s| format!("CREATE SEQUENCE counted.{};", s.name)).collect();
    let counts: String = STRATEGIES
        .iter()
        .map(|s| format!("IF stack ~ '{}' THEN PERFORM nextval('counted.{}'); END IF;", s.statement, s.name))
        .collect();
    run(
        database,
        &format!(
            r"CREATE SCHEMA counted;
              {sequences}
              CREATE FUNCTION counted.write() RETURNS trigger LANGUAGE plpgsql AS $$
              DECLARE
                  stack text;
              BEGIN
                  GET DIAGNOSTICS stack = PG_CONTEXT;
                  {counts}
                  RETURN NULL;
              END
              $$;
              DO $$
              DECLARE
                  tview regclass;
              BEGIN
                  FOR tview IN SELECT m.tview_oid FROM tview.pg_tview_meta AS m LOOP
                      EXECUTE format(
                          'CREATE TRIGGER counted AFTER UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION counted.write()', tview);
                  END LOOP;
              END
              $$;"
        ),
    );
}

/// How the statements of a strategy look.
struct Written {
    name: &'static str,
    statement: &'static str,
}

const STRATEGIES: [Written; 6] = [
    Written { name: "any", statement: "" },
    Written { name: "patch", statement: r"AS part_\d" },
    Written { name: "array_patch", statement: r"jsonb_change_(sorted_)?elements" },
    Written { name: "path_recompute", statement: r"__parts AS w" },
    // No other selects rows of the view but a refresh.
    Written { name: "key_recompute", statement: r"SELECT [vw]\.\*" },
    Written { name: "full_refresh", statement: r"__refresh\(\)" },
];

/// By strategy, how many documents it has changed since then, and `any` of them; one statement may take several.
pub fn counted(database: &str) -> BTreeMap<&'static str, i64> {
    let count = |name: &str| {
        let query = format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM counted.{name}");
        value(database, &query).parse().expect("a number")
    };
    STRATEGIES.iter().map(|s| (s.name, count(s.name))).collect()
}
