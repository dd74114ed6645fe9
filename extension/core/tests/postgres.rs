//! Against a real server: what PostgreSQL stores, byte for byte.
//!
//! Runs if `JSONB_CORE_PG` holds a connection string that `psql` understands, for a role that may
//! create the extension `pageinspect`; else it does nothing. Documents are stored uncompressed
//! (`STORAGE PLAIN`) and read back from the pages of their table, so each must fit into one.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::generate::{document, json, seed};
use common::json::Json;
use common::model::{Op, Operands, position};
use jsonb_core::{PathText, apply, build_value, get_path, has_path_changed, text};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Leaves room in a page for the tuple's header and the number of the case.
const FITS: usize = 7900;

/// An SQL expression, and the bytes that we say PostgreSQL stores for it.
struct Case {
    sql: String,
    ours: Vec<u8>,
}

#[test]
fn stored_bytes_are_the_servers() {
    let Ok(conninfo) = std::env::var("JSONB_CORE_PG") else {
        return;
    };
    let mut runner = TestRunner::deterministic();
    let mut cases: Vec<Case> = fixed().into_iter().map(encoded).collect();
    cases.push(numbers_from_a_table());
    for _ in 0..300 {
        cases.push(encoded(draw(&mut runner, &json()).text()));
        cases.extend(operation(&mut runner));
        cases.extend(builtin(&mut runner));
    }
    cases.retain(|case| case.ours.len() <= FITS);
    let stored = store(&conninfo, &cases);
    assert_eq!(stored.len(), cases.len());
    for (case, stored) in cases.iter().zip(&stored) {
        assert_eq!(&case.ours, stored, "{}", case.sql);
    }
    println!("{} documents are equal", cases.len());
}

/// What a change of text means is the server's `is distinct from` on the text of `#>`.
#[test]
fn changed_paths_are_the_servers() {
    let Ok(conninfo) = std::env::var("JSONB_CORE_PG") else {
        return;
    };
    let mut runner = TestRunner::deterministic();
    let (mut sql, mut ours) = (String::new(), Vec::new());
    for _ in 0..300 {
        let (old, change, reader) =
            (draw(&mut runner, &document()), draw(&mut runner, &seed()), draw(&mut runner, &seed()));
        let mut new = old.clone();
        let _ = change.fit(&old).run(&mut new);
        let path = reader.path(&old);
        let elements: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
        ours.push(has_path_changed(&old.binary(), &new.binary(), &elements).unwrap());
        let at = |doc: &Json| format!("({} #> {})::text", jsonb(&doc.text()), text_array(&path));
        sql.push_str(&format!("select {} is distinct from {};\n", at(&old), at(&new)));
    }
    let theirs: Vec<bool> = psql(&conninfo, &sql).lines().map(|line| line == "t").collect();
    assert_eq!(ours, theirs);
}

/// Errors show paths as the server shows a `text[]`, and indexes are read as the server reads them.
#[test]
fn paths_are_the_servers() {
    let Ok(conninfo) = std::env::var("JSONB_CORE_PG") else {
        return;
    };
    let elements = [
        "a",
        "",
        "null",
        "Null",
        "nulls",
        "a b",
        "a\tb",
        "\u{b}",
        "\u{a0}",
        "a,b",
        "{}",
        "q\"",
        "\\",
        "é",
        "'",
        "-1",
        " 1",
        "\n1",
        "+1",
        "-0",
        "1 ",
        "1.0",
        "01",
        "0x1",
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "--1",
        "1e0",
        "+",
    ];
    let document = Json::Arr(vec![Json::Str("zero".into()), Json::Str("one".into())]);
    let bytes = document.binary();
    let (mut sql, mut ours) = (String::new(), Vec::new());
    for element in elements {
        let path = text_array(&[element.to_owned(), "x".to_owned()]);
        sql.push_str(&format!("select to_json({path}::text);\n"));
        let shown = PathText::new([element.as_bytes(), b"x"]).to_string();
        ours.push(Json::Str(shown).text());
        let path = text_array(&[element.to_owned()]);
        sql.push_str(&format!("select {} #> {path};\n", jsonb(&document.text())));
        let found = get_path(&bytes, &[element.as_bytes()]).unwrap();
        ours.push(found.map(|value| text::value_to_text(value).unwrap()).unwrap_or_default());
    }
    let theirs = psql(&conninfo, &sql);
    assert_eq!(ours, theirs.lines().collect::<Vec<_>>());
}

/// Documents that chance may leave out.
fn fixed() -> Vec<String> {
    let mut texts: Vec<String> = [
        "null",
        "true",
        "0",
        "-0",
        "-0.00",
        "1.10",
        "1e5",
        "1.5e-7",
        "0.00001",
        "1e131071",
        "\"\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        r#"{"b": 1, "a": 2, "b": 3, "aa": {"": null}}"#,
        r#""\u00e9\ud83d\ude00\n\u0001\u007f""#,
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push(format!("0.{}1", "0".repeat(16_000)));
    for count in [31, 32, 33, 63, 64, 65, 96, 97, 200] {
        texts.push(format!("[{}]", vec!["\"abc\", 1.5"; count].join(", ")));
        let pairs: Vec<String> = (0..count).map(|i| format!("\"k{i}\": [{i}, \"x\"]")).collect();
        texts.push(format!("{{{}}}", pairs.join(", ")));
    }
    for power in (-80..=80).step_by(3) {
        texts.push(format!("[\"x\", 12.345e{power}, -9999e{power}]"));
    }
    texts
}

/// A number that is stored in a row with a short varlena header gets a plain one in a document.
fn numbers_from_a_table() -> Case {
    let sql = "(select jsonb_build_object('n', n, 'l', jsonb_build_array('x', n)) from jsonb_core_numbers)";
    Case { ours: text::from_text(r#"{"n": 1.50, "l": ["x", 1.50]}"#).unwrap(), sql: sql.into() }
}

fn encoded(text: String) -> Case {
    Case { ours: text::from_text(&text).unwrap(), sql: jsonb(&text) }
}

/// One of our operations on bytes; the server encodes the text of the model's result.
fn operation(runner: &mut TestRunner) -> Option<Case> {
    let (document, seed) = (draw(runner, &document()), draw(runner, &seed()));
    let op = seed.fit(&document);
    let mut expected = document.clone();
    op.run(&mut expected).ok()?;
    let data = document.binary();
    let ours = apply(&data, &[Operands::new(&op).change()]).unwrap().into_owned();
    Some(Case { ours, sql: jsonb(&expected.text()) })
}

/// One of our operations where the server has a function of its own for it.
fn builtin(runner: &mut TestRunner) -> Option<Case> {
    let (document, seed) = (draw(runner, &document()), draw(runner, &seed()));
    let data = document.binary();
    let op = seed.fit(&document);
    let (doc, path) = (jsonb(&document.text()), text_array(op.path()));
    let elements: Vec<&[u8]> = op.path().iter().map(String::as_bytes).collect();
    let there = get_path(&data, &elements).unwrap();
    let with = |last: String| text_array(&[op.path(), &[last]].concat());
    let sql = match &op {
        Op::Merge { patch, .. } if elements.is_empty() => {
            format!("{doc} || {}", jsonb(&patch.text()))
        }
        Op::Merge { patch, .. } if there.is_some() => {
            format!("jsonb_set({doc}, {path}, ({doc} #> {path}) || {})", jsonb(&patch.text()))
        }
        Op::InsertAt { element, position, .. } if there.is_some() => {
            format!("jsonb_insert({doc}, {}, {})", with(position.to_string()), jsonb(&element.text()))
        }
        Op::DeleteWhere { key, value, .. } => {
            let Some(Json::Arr(array)) = common::model::get(&document, op.path()) else {
                return None;
            };
            format!("{doc} #- {}", with(position(array, key, value)?.to_string()))
        }
        _ => {
            let ours = build_value(there?).unwrap();
            return Some(Case { ours, sql: format!("{doc} #> {path}") });
        }
    };
    let ours = apply(&data, &[Operands::new(&op).change()]).ok()?.into_owned();
    Some(Case { ours, sql })
}

fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn jsonb(text: &str) -> String {
    format!("{}::jsonb", literal(text))
}

fn text_array(path: &[String]) -> String {
    format!("array[{}]::text[]", path.iter().map(|element| literal(element)).collect::<Vec<_>>().join(", "))
}

/// Stores the values of the expressions and returns the bytes behind their varlena headers, in
/// order.
fn store(conninfo: &str, cases: &[Case]) -> Vec<Vec<u8>> {
    let mut sql = String::from(
        "create extension if not exists pageinspect;
         create temp table jsonb_core_numbers (n numeric);
         insert into jsonb_core_numbers values (1.50);
         create table jsonb_core_check (id int not null, document jsonb not null);
         alter table jsonb_core_check alter document set storage plain;\n",
    );
    for (id, case) in cases.iter().enumerate() {
        sql.push_str(&format!("insert into jsonb_core_check values ({id}, {});\n", case.sql));
    }
    sql.push_str(
        "select encode(i.t_data, 'hex')
           from generate_series(0, pg_relation_size('jsonb_core_check') / current_setting('block_size')::int - 1) b,
                heap_page_items(get_raw_page('jsonb_core_check', b::int)) i;
         drop table jsonb_core_check;\n",
    );
    let mut rows: Vec<(u32, Vec<u8>)> = psql(conninfo, &sql).lines().map(row).collect();
    rows.sort();
    rows.into_iter().map(|(_, document)| document).collect()
}

/// A stored row: four bytes of number, a varlena header of one byte or of four, the document.
fn row(hex: &str) -> (u32, Vec<u8>) {
    let bytes: Vec<u8> = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..][..2], 16).unwrap()).collect();
    let is_short = bytes[4] & if cfg!(target_endian = "little") { 0x01 } else { 0x80 } != 0;
    let document = if is_short { &bytes[5..] } else { &bytes[8..] };
    (u32::from_ne_bytes(bytes[..4].try_into().unwrap()), document.to_vec())
}

fn psql(conninfo: &str, sql: &str) -> String {
    let mut psql = Command::new("psql")
        .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-f", "-", "-d", conninfo])
        .env("PGCLIENTENCODING", "UTF8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql is installed");
    let mut stdin = psql.stdin.take().unwrap();
    let sql = sql.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(sql.as_bytes()));
    let output = psql.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    assert!(output.status.success(), "psql failed");
    String::from_utf8(output.stdout).unwrap()
}
