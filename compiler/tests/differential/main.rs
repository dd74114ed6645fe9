//! The catalog that the compiler builds, compared with the one PostgreSQL builds from the same file.
//!
//! In: `data/schemas/*.sql`. Each is applied to an empty database and read by the compiler; so are the dumps that
//! `pg_dump` makes of that database. Both catalogs become lists of facts, one line each; any line that only one side
//! has is a bug of the front.

mod compiler_facts;
#[path = "../../src/cli/database.rs"]
mod database;
mod live_source;
mod names;
mod server_facts;
#[path = "../common/server.rs"]
mod shared;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tviewc_verify::{SUPERUSER, binaries};

use crate::shared::server;

type Facts = BTreeSet<String>;

/// The corpus, without the files that need a newer server (`-- requires: 15` in the first line).
fn corpus() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schemas");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "sql"));
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        let required = text.lines().next().and_then(|l| l.strip_prefix("-- requires: ")).map(|v| v.parse::<u32>());
        let fits = required.is_none_or(|v| v.unwrap() <= server().major_version());
        fits.then(|| (file.file_stem().unwrap().to_string_lossy().into_owned(), text))
    };
    files.into_iter().filter_map(read).collect()
}

fn url(database: &str) -> String {
    format!("host={} port=5432 user={SUPERUSER} dbname={database}", server().socket_dir().display())
}

/// Whether this machine has a pg_dump that the server is not too new for.
fn can_dump() -> bool {
    let programs = binaries::find(None, Some(server().major_version())).unwrap();
    let Ok(output) = Command::new(programs.program("pg_dump")).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = text.split([' ', '.']).find_map(|part| part.parse::<u32>().ok());
    major.is_some_and(|m| m >= server().major_version())
}

fn pg_dump(database: &str, options: &[&str]) -> String {
    let programs = binaries::find(None, Some(server().major_version())).unwrap();
    let output = Command::new(programs.program("pg_dump"))
        .args(options)
        .args(["-U", SUPERUSER, "-p", "5432", "-d", database, "-h"])
        .arg(server().socket_dir())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Lines that one side has and the other has not.
fn difference(compiler: &Facts, server: &Facts) -> String {
    let only = |a: &Facts, b: &Facts, whose: &str| -> String {
        a.difference(b).map(|line| format!("  only {whose}: {line}\n")).collect()
    };
    only(compiler, server, "tviewc    ") + &only(server, compiler, "PostgreSQL")
}

const DUMPS: &[&[&str]] = &[
    &["--schema-only"],
    &["--quote-all-identifiers", "--no-owner"],
    &["--inserts", "--no-privileges", "--no-comments"],
];

/// The differences between a database and what the compiler reads in the script that made it.
fn compared(name: &str, style: &str, database: &str, sql: &str) -> String {
    let facts = server_facts::read(&mut server().connect(database, SUPERUSER).unwrap());
    assert!(facts.len() > 10, "{name}: {facts:?}");
    match difference(&compiler_facts::read(sql), &facts) {
        found if found.is_empty() => found,
        found => format!("{name} ({style}):\n{found}"),
    }
}

#[test]
fn the_catalog_is_postgresqls() {
    let mut report = String::new();
    let corpus = corpus();
    assert!(corpus.len() >= 12, "{} files", corpus.len());
    for (name, text) in &corpus {
        let database = format!("d_{name}");
        server().create_database(&database, SUPERUSER, None).unwrap();
        if let Err(error) = server().psql(&database, SUPERUSER, text) {
            report += &format!("{name}: PostgreSQL refuses it: {error}\n");
            continue;
        }
        report += &compared(name, "as written", &database, text);
        let live = database::source(&url(&database)).unwrap();
        report += &compared(name, "--database-url", &database, &live.text);
        for (at, options) in DUMPS.iter().filter(|_| can_dump()).enumerate() {
            let dump = pg_dump(&database, options);
            // What a dump makes is what counts: the order of inherited columns does not survive it.
            let restored = format!("{database}_{at}");
            server().create_database(&restored, SUPERUSER, None).unwrap();
            server().psql(&restored, SUPERUSER, &dump).unwrap();
            report += &compared(name, &options.join(" "), &restored, &dump);
            server().drop_database(&restored).unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
}
