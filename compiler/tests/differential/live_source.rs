//! `--database-url` gives what `--schema` gives.
//!
//! In: the corpus. The views of each database are compiled twice by the binary, once with a dump as context and once with
//! the server; but for the source's name and hash the migrations are the same bytes.

use std::path::Path;
use std::process::{Command, Output};

use tviewc_verify::SUPERUSER;

use super::{can_dump, corpus, pg_dump, server, url};

const VIEWS: &str = "SELECT format(E'CREATE VIEW %I.%I AS\n%s\n', n.nspname, c.relname, pg_get_viewdef(c.oid))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'v' AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY c.oid";

fn tviewc(context: &[&str], views: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tviewc"))
        .args(["compile", "--program", "p", "--message-format", "concise"])
        .args(context)
        .arg(views)
        .output()
        .unwrap()
}

/// Without what the name and the text of the context decide.
fn comparable(output: &Output, hide: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let mut script = String::from_utf8(output.stdout.clone()).unwrap();
    let hash = script
        .split("source hash ")
        .nth(1)
        .and_then(|t| t.split(|c: char| !c.is_ascii_hexdigit()).next())
        .map(str::to_owned);
    for text in hide.iter().copied().chain(hash.as_deref().filter(|h| h.len() == 32)) {
        script = script.replace(text, "*");
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut codes: Vec<String> =
        errors.split('[').skip(1).filter_map(|t| Some(t.split_once(']')?.0.to_owned())).collect();
    codes.sort();
    (output.status.code(), script, codes)
}

#[test]
fn a_live_server_is_as_good_as_its_dump() {
    if !can_dump() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live_source");
    std::fs::create_dir_all(&folder).unwrap();
    let mut compiled = 0;
    for (name, text) in corpus() {
        let database = format!("l_{name}");
        server().create_database(&database, SUPERUSER, None).unwrap();
        server().psql(&database, SUPERUSER, &text).unwrap();
        let mut client = server().connect(&database, SUPERUSER).unwrap();
        client.batch_execute("SET search_path = pg_catalog").unwrap();
        let views: String = client.query(VIEWS, &[]).unwrap().iter().map(|r| r.get::<_, String>(0)).collect();
        let (file, schema) = (folder.join(format!("{name}.sql")), folder.join(format!("{name}.schema.sql")));
        std::fs::write(&file, views).unwrap();
        std::fs::write(&schema, pg_dump(&database, &["--schema-only"])).unwrap();
        let schema = schema.to_str().unwrap();
        let dumped = comparable(&tviewc(&["--schema", schema], &file), &[schema]);
        let live = comparable(&tviewc(&["--database-url", &url(&database)], &file), &["<database>"]);
        assert_eq!(dumped, live, "{name}");
        compiled += u32::from(dumped.0 == Some(0));
    }
    assert!(compiled >= 8, "only {compiled} compiled");
}

#[test]
fn what_cannot_be_reached_is_exit_code_2_without_the_password() {
    for url in ["host=/nowhere password=geheim user=x", "nonsense", "postgres://x:geheim@localhost/x?sslmode=require"] {
        let output = tviewc(&["--database-url", url], Path::new("-"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(!text.contains("geheim") && text.contains("database"), "{text}");
    }
}
