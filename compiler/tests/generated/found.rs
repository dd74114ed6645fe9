//! What random generation has found, cut down by hand: `compiler/tests/data/found`.
//!
//! In: one file per finding: tables and views, a line `-- writes`, then statements that once went wrong, each ended by a semicolon at
//! the end of a line. Out: after each of them every tview equals its view.

use std::collections::BTreeSet;
use std::path::Path;

use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, compile};
use tviewc_verify::{CompareOptions, Multisets, SUPERUSER, compare::compare_with};

use crate::shared::{OWNER, server};

/// Findings that are not mended yet. The test says so when one is.
const OPEN: &[&str] = &[];

/// What `TVIEWC_GEN_SHAPES` is where it is not set: the shapes of open findings are left out, so that they do not hide others.
pub const SHAPES: &str = "";

#[test]
fn what_was_found_stays_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/found");
    let entries = std::fs::read_dir(folder).expect("the findings");
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).expect("the finding is read");
        let result = replayed(&format!("found_{name}"), &text);
        match (result, OPEN.contains(&name.as_str())) {
            (Err(error), false) => wrong.push(format!("{name}: {error}")),
            (Ok(()), true) => wrong.push(format!("{name} is mended: take it off the list")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn replayed(database: &str, text: &str) -> Result<(), String> {
    let (source, writes) = text.split_once("-- writes\n").expect("a line `-- writes`");
    server().create_database(database, OWNER, None).expect("the database is created");
    server().psql(database, OWNER, source).expect("the tables and views are made");
    let result = installed(database, source).and_then(|()| written(database, writes, text));
    server().drop_database(database).expect("the database is dropped");
    result
}

fn installed(database: &str, source: &str) -> Result<(), String> {
    let file = SourceFile { name: "views.sql".into(), text: source.into(), context_only: false };
    let compilation =
        compile(&Sources { files: vec![file] }, &Options { program: Some("found".into()), ..Options::default() });
    let titles: Vec<&str> = compilation.diagnostics.sorted().iter().map(|d| d.title.as_str()).collect();
    let output = compilation.output.ok_or_else(|| titles.join("\n"))?;
    server().psql(database, OWNER, &output.up).map_err(|error| error.to_string())
}

fn written(database: &str, writes: &str, text: &str) -> Result<(), String> {
    let mut client = server().connect(database, OWNER).expect("connected");
    let mut reader = server().connect(database, SUPERUSER).expect("connected");
    let multisets = if text.contains("-- multisets") { views(&mut reader) } else { BTreeSet::new() };
    let options = CompareOptions { multisets: Multisets::Of(multisets), ..CompareOptions::default() };
    for statement in writes.split_inclusive(";\n").filter(|statement| !statement.trim().is_empty()) {
        let done = client.batch_execute(statement);
        done.map_err(|e| format!("{statement}{}", tviewc_verify::error::describe(&e)))?;
        let report = compare_with(&mut reader, &options, &mut |_| Ok(())).map_err(|error| error.to_string())?;
        if !report.is_equal() {
            return Err(format!("{statement}{report}"));
        }
    }
    Ok(())
}

fn views(client: &mut postgres::Client) -> BTreeSet<String> {
    let sql = "SELECT 'public.' || relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace";
    client.query(sql, &[]).expect("the views are listed").iter().map(|row| row.get(0)).collect()
}
