//! Every kind of workload, as small as it gets, on a real server: what is measured is there, and documents are equal.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tviewc_bench::program::{self, ArmKind};
use tviewc_bench::progress::Progress;
use tviewc_bench::result::{EQUAL, Workload};
use tviewc_bench::workloads::{Kind, Request};
use tviewc_verify::Server;

/// The program that reads, where it has been built: `cargo test --workspace` does.
fn tviewc() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_tviewc-bench")).with_file_name("tviewc");
    path.is_file().then_some(path)
}

fn measured(name: &str, sizes: &[(&str, i64)], arms: &[ArmKind], only: &str) -> Workload {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| program::server(true).expect("a server starts"));
    let progress = Progress::default();
    let request = Request {
        server,
        arms: arms.to_vec(),
        rounds: Some(3),
        passes: 1,
        limit: Duration::from_secs(60),
        sizes: sizes.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        only: only.to_owned(),
        tviewc: tviewc(),
        progress: &progress,
    };
    let kind = Kind::parse(name).expect("there is such a workload");
    kind.run(&request).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Arms by name, with the number of their samples; all of them equal.
fn arms(workload: &Workload, operation: usize) -> BTreeMap<&str, usize> {
    let arms = &workload.operations[operation].arms;
    assert!(arms.iter().all(|arm| arm.equal.as_deref().is_none_or(|equal| equal == EQUAL)), "{arms:#?}");
    arms.iter().map(|arm| (arm.name.as_str(), arm.samples.len())).collect()
}

/// One write does the same in every arm, and each cell that is empty says why.
#[test]
fn every_arm_keeps_the_blog_or_says_why_not() {
    let workload = measured("blog", &[("authors", 10)], &ArmKind::ALL, "");
    let found = arms(&workload, 0);
    let expected = ["hand", "none", "rebuild", "recompute", "auto", "refresh", "refresh-concurrently"];
    assert!(expected.iter().all(|arm| found[arm] == 3), "{found:?}");
    let operation = &workload.operations[0];
    for arm in &operation.arms {
        assert_eq!(arm.samples.is_empty(), arm.missing.is_some(), "{}", arm.name);
    }
    let auto = operation.arm("auto").expect("measured");
    let counters = auto.counters.as_ref().expect("counted");
    assert!(counters.documents > 1.0 && counters.buffers > 10.0, "{counters:?}");
    assert!(auto.wal.iter().all(|bytes| *bytes > 100.0), "{:?}", auto.wal);
    // Whoever has auto_explain, which is most, sees where the time goes.
    if let Some(split) = &auto.split {
        let sum = split.statement + split.finding + split.jsonb + split.writing + split.locking + split.rest;
        assert!((sum - 1.0).abs() < 0.01 && split.writing > 0.0, "{split:?}");
    }
    assert_eq!(workload.documents.iter().map(|d| d.rows).collect::<Vec<_>>(), [500, 100]);
    assert!(operation.ratio("auto", "none").expect("both").value > 1.0);
}

#[test]
fn three_levels_stay_equal_in_every_arm() {
    let sizes = [("servers", 12), ("configurations", 3), ("per_configuration", 5), ("allocations", 6)];
    let arms_wanted = [ArmKind::None, ArmKind::Hand, ArmKind::Rebuild, ArmKind::Auto];
    let workload = measured("cqrs", &sizes, &arms_wanted, "");
    assert_eq!(workload.operations.len(), 6);
    for (number, operation) in workload.operations.iter().enumerate() {
        assert_eq!(arms(&workload, number).len(), 4, "{}", operation.name);
        // Every round changes something: no operation finds its values there already.
        for arm in ["hand", "rebuild", "auto"] {
            let counters = operation.arm(arm).and_then(|arm| arm.counters.clone()).expect("counted");
            assert!(counters.documents >= 1.0, "{}: {arm}: {counters:?}", operation.name);
        }
    }
}

#[test]
fn arrays_make_curves() {
    let workload =
        measured("arrays", &[("longest", 100), ("lists", 2)], &[ArmKind::None, ArmKind::Rebuild, ArmKind::Auto], "");
    let points: Vec<(&str, f64)> =
        workload.operations.iter().map(|o| (o.curve.as_deref().unwrap_or_default(), o.at.unwrap_or(0.0))).collect();
    assert_eq!(
        points,
        ["changed", "added", "removed"]
            .iter()
            .map(|what| (*what, 10.0))
            .chain(["changed", "added", "removed"].iter().map(|what| (*what, 100.0)))
            .map(|(what, at)| (
                ["an element changed", "an element added", "an element removed"]
                    .into_iter()
                    .find(|name| name.ends_with(what))
                    .expect("a name"),
                at
            ))
            .collect::<Vec<_>>()
    );
    (0..6).for_each(|number| assert_eq!(arms(&workload, number).values().copied().collect::<Vec<_>>(), [3, 3, 3]));
}

#[test]
fn writes_bulk_and_clients_stay_equal() {
    let sizes = [("users", 200), ("clients", 2), ("slice_ms", 50)];
    let arms_wanted = [ArmKind::None, ArmKind::Comparison, ArmKind::Hand, ArmKind::Auto];
    let writes = measured("writes", &sizes, &arms_wanted, "");
    assert_eq!(writes.operations.len(), 6);
    (0..6).for_each(|number| assert_eq!(arms(&writes, number).len(), 4));
    let bulk = measured("bulk_1k_rows", &sizes, &arms_wanted, "");
    assert!((arms(&bulk, 0)["auto"], arms(&bulk, 0).len()) == (3, 3));
    let written = bulk.operations[0].arm("auto").and_then(|arm| arm.counters.clone()).expect("counted");
    assert_eq!(written.documents, 1000.0);
    let clients = measured("clients", &sizes, &arms_wanted, "comments");
    assert_eq!(clients.operations.len(), 2);
    (0..2).for_each(|number| assert_eq!(arms(&clients, number)["auto"], 3));
}

#[test]
fn sizes_memory_and_waiting_are_measured_over_time() {
    let scale = measured("scale", &[("largest", 20_000)], &[], "inner join");
    assert_eq!(arms(&scale, 0), BTreeMap::from([("10000", 3), ("20000", 3)]));
    // Two of these shapes call a view below by the same name.
    let grouped = measured("scale", &[("largest", 10_000)], &[], "grouped quer");
    (0..grouped.operations.len()).for_each(|number| assert_eq!(arms(&grouped, number), BTreeMap::from([("10000", 3)])));
    let stability =
        measured("stability", &[("users", 200), ("slices", 4), ("writes", 20)], &[ArmKind::Hand, ArmKind::Auto], "");
    (0..3).for_each(|number| assert_eq!(arms(&stability, number), BTreeMap::from([("hand", 4), ("auto", 4)])));
    let memory = measured("memory", &[("document_kb", 5), ("few", 5), ("many", 10)], &[], "");
    assert!(memory.operations.iter().all(|operation| operation.arm("portable").is_some()));
    let concurrency = measured("concurrency", &[("clients", 2), ("slice_ms", 50), ("open_ms", 1)], &[], "");
    assert_eq!(concurrency.operations.len(), 4);
    (0..4).for_each(|number| assert_eq!(arms(&concurrency, number).len(), 3));
}

#[test]
fn streams_are_read_to_the_last_row_by_socket_and_tcp() {
    if tviewc().is_none() {
        // Not by a macro: those are captured.
        let _ = writeln!(std::io::stderr(), "SKIPPED: reads; tviewc is not built (cargo build -p tviewc)");
        return;
    }
    let sizes = [("small", 100), ("medium", 120), ("large", 150), ("long", 3_000)];
    let workload = measured("reads", &sizes, &[], "");
    // Seven of each size, and three of the long stream.
    assert_eq!(workload.operations.len(), 3 * 7 + 3);
    for (number, operation) in workload.operations.iter().enumerate() {
        assert!(arms(&workload, number).values().all(|samples| *samples == 3), "{}", operation.name);
    }
    let memory = workload.operations.last().expect("it is the last");
    let peak = memory.arm("chunk 100").and_then(|arm| arm.summary()).expect("measured").median;
    assert!(memory.name.ends_with("memory of the reader") && (1_000.0..60_000.0).contains(&peak), "{peak}");
}

#[test]
fn a_size_that_does_not_fit_is_refused() {
    let kind = Kind::parse("bulk_100k_rows").expect("there is one");
    let server = program::server(false).expect("a server starts");
    let progress = Progress::default();
    let request = Request {
        server: &server,
        arms: vec![ArmKind::Auto],
        rounds: None,
        passes: 1,
        limit: Duration::from_secs(1),
        sizes: BTreeMap::from([("users".to_owned(), 10)]),
        only: String::new(),
        tviewc: None,
        progress: &progress,
    };
    let error = kind.run(&request).expect_err("too small").to_string();
    assert_eq!(error, "bulk_100k_rows: users=10 is not within 2000 and 1000000");
    assert!(
        Kind::parse("nothing").is_err_and(|said| said.contains("there is no workload nothing; there are: blog, cqrs"))
    );
}
