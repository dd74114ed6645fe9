//! The command line as scripts see it: exit codes, streams, files.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn tviewc(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tviewc"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn errors_are_on_standard_error_with_exit_code_1() {
    let out = tviewc(&["check", "--message-format", "concise", "-"], "CREATE VIEW v AS SELECT 1,;");
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(text(&out.stdout), "");
    assert_eq!(
        text(&out.stderr),
        "<stdin>:1:26: error[TV0101]: syntax error in the definition of `v`\ntviewc: 1 error\n"
    );
}

#[test]
fn machine_formats_stand_alone() {
    let out = tviewc(&["check", "--message-format", "json"], "CREATE VIEW v AS SELECT 1,;");
    for line in text(&out.stderr).lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let out = tviewc(&["check", "--message-format", "sarif"], "CREATE VIEW v AS SELECT 1,;");
    let sarif: serde_json::Value = serde_json::from_slice(&out.stderr).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "TV0101");
}

#[test]
fn usage_and_input_errors_are_exit_code_2() {
    for arguments in [
        &["compile", "nowhere.sql"][..],
        &["compile", "--nonsense"],
        &["compile", "--program", "a b"],
        &["explain", "TV0000"],
    ] {
        let out = tviewc(arguments, "");
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&out.stdout), "", "{arguments:?}");
    }
    let out = tviewc(&["check", "--program", "p", "nowhere.sql"], "");
    assert!(text(&out.stderr).contains("error[TV0001]: cannot read `nowhere.sql`"), "{}", text(&out.stderr));
}

#[test]
fn a_program_is_named_after_its_file_without_its_number() {
    let folder = std::env::temp_dir().join(format!("tviewc-names-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let sql = "CREATE TABLE a (id integer PRIMARY KEY);\nCREATE VIEW v AS SELECT a.id, jsonb_build_object('id', a.id) AS d FROM a;\n";
    for (file, program) in
        [("20260101_create-views.sql", Some("create_views")), ("_own.sql", Some("_own")), ("42.sql", None)]
    {
        let path = folder.join(file);
        std::fs::write(&path, sql).unwrap();
        let out = tviewc(&["compile", path.to_str().unwrap()], "");
        match program {
            Some(name) => assert!(text(&out.stdout).contains(&format!("-- Program {name}, source hash")), "{file}"),
            None => assert_eq!(out.status.code(), Some(2), "{file}"),
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn explain_says_what_a_change_does() {
    let blog = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/blog/views.sql");
    let column = tviewc(&["explain", "bench_authors.name", blog], "");
    let text = String::from_utf8(column.stdout).expect("UTF-8");
    assert!(column.status.success());
    assert!(text.contains("tv_bench_posts as a: patch\n    path      data.author."), "{text}");
    assert!(text.contains("tv_bench_posts as ca: array_patch\n"), "{text}");
    assert!(text.contains("exclusive on the value of a.id = p.author_id"), "{text}");
    let unread = tviewc(&["explain", "bench_authors.created_at", blog], "");
    assert!(String::from_utf8_lossy(&unread.stdout).contains("skip"));
    let view = tviewc(&["explain", "v_bench_comments", blog], "");
    assert!(String::from_utf8_lossy(&view.stdout).contains("bench_comments (post_id, content, created_at)"));
    let off = tviewc(&["explain", "bench_authors", "--strategy", "recompute", blog], "");
    assert!(String::from_utf8_lossy(&off.stdout).contains("patches are turned off"));
    assert_eq!(tviewc(&["explain", "nobody", blog], "").status.code(), Some(2));
}

#[test]
fn explain_prints_the_page() {
    let out = tviewc(&["explain", "TV0401"], "");
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out.stdout).starts_with("# TV0401 missing-key\n"));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = tviewc(&["completions", shell], "");
        assert_eq!(out.status.code(), Some(0), "{shell}");
        assert!(text(&out.stdout).contains("tviewc"), "{shell}");
    }
}

#[test]
fn color_is_only_where_it_is_wanted() {
    let sql = "CREATE VIEW v AS SELECT 1,;";
    assert!(!text(&tviewc(&["check"], sql).stderr).contains('\u{1b}'));
    assert!(text(&tviewc(&["check", "--color", "always"], sql).stderr).contains('\u{1b}'));
}

#[test]
fn a_directory_gets_both_files_and_unchanged_ones_are_left_alone() {
    let dir = folder("front_cli_out");
    let source = dir.join("blog.sql");
    std::fs::write(&source, "CREATE TABLE post (id int PRIMARY KEY, title text);\nCREATE VIEW v_post AS SELECT id, jsonb_build_object('title', title) AS data FROM post;\n").unwrap();
    let out_dir = dir.join("out");
    let run = || tviewc(&["compile", source.to_str().unwrap(), "-o", out_dir.to_str().unwrap()], "");
    let out = run();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert_eq!(text(&out.stdout), "");
    assert_eq!(text(&out.stderr), "tviewc: 1 tview from 1 table\n");
    let names = || {
        let mut names: Vec<String> =
            std::fs::read_dir(&out_dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["blog.down.sql", "blog.up.sql"]);
    let modified = || std::fs::metadata(out_dir.join("blog.up.sql")).unwrap().modified().unwrap();
    let before = modified();
    std::thread::sleep(std::time::Duration::from_millis(20));
    run();
    assert_eq!(modified(), before);
    let printed = tviewc(&["compile", source.to_str().unwrap()], "");
    assert_eq!(printed.stdout, std::fs::read(out_dir.join("blog.up.sql")).unwrap());
}

/// A misspelt column, with what is around it.
const MISSPELT: &str = "CREATE TABLE post (id int PRIMARY KEY, title text);
CREATE VIEW v_post AS SELECT p.id, jsonb_build_object('t', p.titel) AS data FROM post p;
";

fn checked(format: &str) -> String {
    let out = tviewc(&["check", "--message-format", format], MISSPELT);
    assert_eq!(out.status.code(), Some(1), "{format}");
    assert_eq!(text(&out.stdout), "", "{format}");
    text(&out.stderr)
}

#[test]
fn every_format_names_the_place_the_code_and_the_way_out() {
    let full = checked("full");
    assert!(full.contains("error[TV0202]") && full.contains("<stdin>:2:60"), "{full}");
    assert!(full.contains("did you mean `title`?") && full.contains("^^^^^^^"), "{full}");
    assert!(full.ends_with("tviewc: 1 error\n"), "{full}");
    let concise = checked("concise");
    assert_eq!(concise, "<stdin>:2:60: error[TV0202]: `p` has no column `titel`\ntviewc: 1 error\n");
    let json: serde_json::Value = serde_json::from_str(checked("json").trim_end()).unwrap();
    for (key, value) in [("code", "TV0202"), ("name", "unknown-column"), ("severity", "error"), ("file", "<stdin>")] {
        assert_eq!(json[key], value, "{json}");
    }
    assert_eq!((&json["line"], &json["column"]), (&2.into(), &60.into()));
    assert_eq!(json["help"][0], "did you mean `title`?");
    let github = checked("github");
    assert!(github.starts_with("::error file=<stdin>,line=2,col=60,endLine=2,endColumn=67,title=TV0202"), "{github}");
    assert!(github.contains("%0Ahelp: did you mean"), "{github}");
}

/// What SARIF 2.1.0 requires of the properties that are written.
#[test]
fn sarif_has_what_its_schema_requires() {
    let log: serde_json::Value = serde_json::from_str(&checked("sarif")).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "tviewc");
    let rules = driver["rules"].as_array().unwrap();
    let levels = ["none", "note", "warning", "error"];
    for rule in rules {
        assert!(rule["id"].is_string() && rule["help"]["text"].is_string(), "{rule}");
        assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()), "{rule}");
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    for result in results {
        assert!(result["message"]["text"].as_str().is_some_and(|t| !t.is_empty()), "{result}");
        assert!(levels.contains(&result["level"].as_str().unwrap()), "{result}");
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        for location in result["locations"].as_array().unwrap() {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.bytes().all(|c| c.is_ascii_graphic() && !b"<> \"".contains(&c)), "{uri}");
            let region = |key: &str| place["region"][key].as_u64().unwrap();
            assert!(region("startLine") >= 1 && region("startColumn") >= 1, "{place}");
            assert!(region("endLine") >= region("startLine"), "{place}");
        }
    }
    assert!(["utf16CodeUnits", "unicodeCodePoints"].contains(&run["columnKind"].as_str().unwrap()));
}

#[test]
fn near_misses_are_named() {
    let out = tviewc(&["explain", "missing-kye"], "");
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("did you mean `missing-key`?"), "{}", text(&out.stderr));
    for (sql, near) in [
        (
            "CREATE TABLE author (id int PRIMARY KEY);\nCREATE VIEW v AS SELECT id, to_jsonb(1) AS d FROM authro;",
            "author",
        ),
        ("CREATE TABLE t (id int PRIMARY KEY);\nCREATE VIEW v AS SELECT tt.id, to_jsonb(1) AS d FROM t ttt;", "ttt"),
        ("CREATE TABLE t (id int PRIMARY KEY);\n-- tviewc: skipp\nCREATE VIEW v AS SELECT id FROM t;", "skip"),
    ] {
        let out = tviewc(&["check"], sql);
        let hint = format!("did you mean `{near}`?");
        assert!(text(&out.stderr).contains(&hint), "{sql}\n{}", text(&out.stderr));
    }
}

#[test]
fn every_code_can_be_explained() {
    for code in tviewc::diagnostics::Code::ALL {
        for name in [code.number(), code.name()] {
            let out = tviewc(&["explain", name], "");
            assert_eq!(text(&out.stdout), code.page(), "{name}");
        }
    }
}
