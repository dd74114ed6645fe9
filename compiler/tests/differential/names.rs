//! Names mean what they mean to PostgreSQL.
//!
//! In: `data/names.sql`: a schema, then one query per line; `/* app */` before it sets the search path. Each is made a
//! view on a server and resolved by the compiler. What PostgreSQL refuses must not be accepted; what it accepts must not
//! be refused *because of a name*, and its output columns must have the same names. What is only not supported yet is
//! counted.

use tviewc::diagnostics::Diagnostics;
use tviewc::source::{SourceFile, Sources};
use tviewc::{catalog, resolve, syntax};
use tviewc_verify::SUPERUSER;

use super::server;

/// What became of a query.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// Accepted, with these columns.
    Columns(Vec<String>),
    /// Refused because of a name: code and message.
    Name(String),
    /// Refused for another reason.
    Other(String),
}

fn compiled(schema: &str, path: &str, query: &str) -> Verdict {
    let file = |name: &str, text: String, context_only| SourceFile { name: name.into(), text, context_only };
    let view = format!("SET search_path = {path};\nCREATE VIEW public.case_view AS {query};");
    let sources = Sources { files: vec![file("schema.sql", schema.to_owned(), true), file("case.sql", view, false)] };
    let mut diagnostics = Diagnostics::default();
    let statements = syntax::parse(&sources, &mut diagnostics);
    let catalog = catalog::build(&sources, &statements, &mut diagnostics);
    let views = resolve::resolve(&sources, &statements, &catalog, &mut diagnostics);
    match views.first() {
        Some(view) if !diagnostics.has_errors() => {
            Verdict::Columns(view.outputs.iter().map(|o| o.name.to_string()).collect())
        }
        _ => {
            let said: Vec<String> =
                diagnostics.sorted().iter().map(|d| format!("{} {}", d.code.number(), d.title)).collect();
            let said = said.join("; ");
            if said.contains("TV02") { Verdict::Name(said) } else { Verdict::Other(said) }
        }
    }
}

fn judged(client: &mut postgres::Client, path: &str, query: &str) -> Verdict {
    let mut transaction = client.transaction().unwrap();
    let create = format!("SET LOCAL search_path = {path}; CREATE VIEW public.case_view AS {query}");
    if let Err(error) = transaction.batch_execute(&create) {
        let code = error.code().map_or("", |c| c.code());
        let message = error.as_db_error().map_or("", |e| e.message());
        let name = ["42703", "42P01", "42702", "42712", "42701", "42P09", "42P10", "3F000"].contains(&code);
        let text = format!("{code} {message}");
        return if name { Verdict::Name(text) } else { Verdict::Other(text) };
    }
    let columns = "SELECT attname::text FROM pg_attribute
                    WHERE attrelid = 'public.case_view'::regclass AND attnum > 0 ORDER BY attnum";
    Verdict::Columns(transaction.query(columns, &[]).unwrap().iter().map(|r| r.get(0)).collect())
}

#[test]
fn names_mean_what_they_mean_to_postgresql() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/names.sql");
    let text = std::fs::read_to_string(file).unwrap();
    let (schema, cases) = text.split_once("\n-- cases\n").unwrap();
    server().create_database("names", SUPERUSER, None).unwrap();
    server().psql("names", SUPERUSER, schema).unwrap();
    let mut client = server().connect("names", SUPERUSER).unwrap();
    let (mut report, mut agreed, mut unsupported) = (String::new(), 0, String::new());
    for line in cases.lines() {
        let known = line.strip_prefix("-- known: ");
        let case = known.unwrap_or(line);
        if case.is_empty() || case.starts_with("--") {
            continue;
        }
        let parts = case.strip_prefix("/* ").and_then(|rest| rest.split_once(" */ "));
        let (path, query) = parts.unwrap_or(("public", case));
        let before = agreed;
        match (compiled(schema, path, query), judged(&mut client, path, query)) {
            (Verdict::Columns(ours), Verdict::Columns(theirs)) if ours == theirs => agreed += 1,
            (Verdict::Name(_) | Verdict::Other(_), Verdict::Name(_) | Verdict::Other(_)) => agreed += 1,
            (Verdict::Other(reason), Verdict::Columns(_)) => unsupported += &format!("{case}\n    {reason}\n"),
            (_, _) if known.is_some() => continue,
            (ours, theirs) => report += &format!("{case}\n    tviewc:     {ours:?}\n    PostgreSQL: {theirs:?}\n"),
        }
        if known.is_some() && agreed > before {
            report += &format!("{case}\n    agrees now: remove `-- known:`\n");
        }
    }
    println!("{agreed} agreed; accepted by PostgreSQL and not supported here:\n{unsupported}");
    assert!(report.is_empty(), "{report}");
    assert!(agreed > 100, "{agreed}");
}
