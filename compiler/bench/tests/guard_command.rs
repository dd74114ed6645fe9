//! The guard as a workflow sees it: files in, an exit code and a comment out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use tviewc_bench::result::{Arm, FORMAT, Guard, Operation, Run, Workload};

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder is made");
    folder
}

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tviewc-bench")).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A result in which `auto` takes so many times what `none` does, on a machine that is so many times slower.
fn result(commit: &str, ratio: f64, machine: f64, equal: &str) -> Run {
    // A scatter that repeats: nothing here is left to chance.
    let noise = |round: usize, salt: usize| 1.0 + ((round * 7 + salt * 13) % 11) as f64 / 100.0;
    let arm = |name: &str, factor: f64, salt: usize, equal: Option<&str>| Arm {
        name: name.to_owned(),
        samples: (0..60).map(|round| 100.0 * factor * machine * noise(round, salt)).collect(),
        equal: equal.map(str::to_owned),
        ..Arm::default()
    };
    let operation = Operation {
        name: "a write".to_owned(),
        arms: vec![arm("none", 1.0, 0, None), arm("auto", ratio, commit.len(), Some(equal))],
        guards: vec![Guard { arm: "auto".to_owned(), yardstick: "none".to_owned() }],
        ..Operation::default()
    };
    let workload = Workload { name: "writes".to_owned(), operations: vec![operation], ..Workload::default() };
    Run {
        format: FORMAT,
        commit: Some(commit.to_owned()),
        time: 1,
        machine: BTreeMap::new(),
        versions: BTreeMap::new(),
        settings: BTreeMap::new(),
        workloads: vec![workload],
    }
}

#[test]
fn a_fifth_slower_fails_and_another_machine_does_not() {
    let folder = folder("guard");
    let path = |name: &str| folder.join(name).display().to_string();
    let write = |name: &str, run: Run| run.write(&folder.join(name)).expect("written");
    write("before.json", result("a", 5.0, 1.0, "equal"));
    write("same.json", result("bc", 5.0, 7.0, "equal"));
    write("slower.json", result("def", 6.0, 0.5, "equal"));
    write("wrong.json", result("ghij", 5.0, 1.0, "1 rows of tv_x differ from v_x"));
    let made = bench(&["baseline", &path("before.json"), "--out", &path("baseline.json")]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let compare = |name: &str| {
        bench(&["compare", &path(name), "--baseline", &path("baseline.json"), "--markdown", &path("comment.md")])
    };
    let same = compare("same.json");
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stdout));
    assert!(text(&same.stdout).contains("0 slower, 0 warnings, 0 faster, 1 as before"), "{}", text(&same.stdout));
    let slower = compare("slower.json");
    assert_eq!(slower.status.code(), Some(1), "{}", text(&slower.stdout));
    assert!(text(&slower.stdout).contains("SLOWER   writes/a write/auto:none: +"), "{}", text(&slower.stdout));
    let comment = std::fs::read_to_string(path("comment.md")).expect("the comment is written");
    assert!(comment.starts_with("### **Regression**") && comment.contains("writes/a write/auto:none"), "{comment}");
    let wrong = compare("wrong.json");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stdout).contains("UNEQUAL  writes/a write/auto: 1 rows of tv_x"), "{}", text(&wrong.stdout));
    let missing = compare("nothing.json");
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn history_is_lines_and_the_report_is_made_of_results_alone() {
    let folder = folder("history");
    let path = |name: &str| folder.join(name).display().to_string();
    for (commit, ratio) in [("a", 5.0), ("b", 4.0), ("b", 3.0)] {
        result(commit, ratio, 1.0, "equal").write(&folder.join("result.json")).expect("written");
        let added =
            bench(&["history", &path("result.json"), "--file", &path("history.jsonl"), "--chart", &path("trend.svg")]);
        assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    }
    let lines = std::fs::read_to_string(path("history.jsonl")).expect("written");
    assert_eq!(lines.lines().count(), 3);
    let entries = tviewc_bench::guard::history::read(&folder.join("history.jsonl")).expect("read");
    let ratios: Vec<(String, f64)> = entries
        .iter()
        .map(|entry| (entry.commit.clone(), entry.figures["writes/a write/auto:none"].value.round()))
        .collect();
    // The last line of a commit counts.
    assert_eq!(ratios, [("a".to_owned(), 5.0), ("b".to_owned(), 3.0)]);
    assert!(std::fs::read_to_string(path("trend.svg")).expect("drawn").contains("<svg"));

    let report =
        bench(&["report", &path("result.json"), "--history", &path("history.jsonl"), "--out", &path("report.md")]);
    assert_eq!(report.status.code(), Some(0), "{}", text(&report.stderr));
    let report = std::fs::read_to_string(path("report.md")).expect("written");
    assert!(report.contains("| auto | 315 µs |"), "{report}");
    for chart in ["report/writes.svg", "report/trend.svg"] {
        assert!(report.contains(&format!("]({chart})")), "{chart}: {report}");
        assert!(folder.join(chart).is_file(), "{chart}");
    }
}
