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
