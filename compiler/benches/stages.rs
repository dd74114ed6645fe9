//! What each stage costs: `cargo bench -p tviewc --bench stages`.
//!
//! The input is generated: n tables, each with a key, a foreign key to the one before it and an index, and n views that
//! nest the parent and aggregate the children. Twice as many must take about twice as long. The input itself is printed
//! by `cargo bench -p tviewc --bench stages -- --generate 1000`, to measure the whole program with it.

use std::fmt::Write;

use criterion::{BenchmarkId, Criterion, Throughput};
use tviewc::diagnostics::Diagnostics;
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, catalog, compile, resolve, syntax};

/// A program of `n` tables and `n` views.
fn generated(n: usize) -> Sources {
    let mut text = String::new();
    for i in 0..n {
        let parent = i.saturating_sub(1);
        let _ = write!(
            text,
            "CREATE TABLE t{i} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id bigint REFERENCES t{parent} (id) ON DELETE CASCADE,
    name text NOT NULL,
    price numeric(10,2) DEFAULT 0 NOT NULL,
    created timestamptz DEFAULT now()
);
CREATE INDEX t{i}_parent ON t{i} (parent_id);
CREATE VIEW v_t{i} AS
SELECT t.id, jsonb_build_object('name', t.name, 'price', t.price,
    'parent', jsonb_build_object('id', p.id, 'name', p.name),
    'siblings', (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name) ORDER BY c.id)
                 FROM t{i} c WHERE c.parent_id = p.id)) AS data
FROM t{i} t LEFT JOIN t{parent} p ON p.id = t.parent_id;
"
        );
    }
    Sources { files: vec![SourceFile { name: "generated.sql".into(), text, context_only: false }] }
}

fn stages(c: &mut Criterion) {
    for n in [10, 100, 1_000] {
        let sources = generated(n);
        let statements = syntax::parse(&sources, &mut Diagnostics::default());
        let catalog = catalog::build(&sources, &statements, &mut Diagnostics::default());
        let mut group = c.benchmark_group("stages");
        group.sample_size(10).throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new("syntax", n), |b| {
            b.iter(|| syntax::parse(&sources, &mut Diagnostics::default()));
        });
        group.bench_function(BenchmarkId::new("catalog", n), |b| {
            b.iter(|| catalog::build(&sources, &statements, &mut Diagnostics::default()));
        });
        group.bench_function(BenchmarkId::new("resolve", n), |b| {
            b.iter(|| resolve::resolve(&sources, &statements, &catalog, &mut Diagnostics::default()));
        });
        group.bench_function(BenchmarkId::new("compile", n), |b| {
            b.iter(|| {
                let compilation = compile(&sources, &Options::default());
                assert!(compilation.output.is_some());
                compilation
            });
        });
        group.finish();
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--generate") {
        let n = arguments.get(at + 1).and_then(|n| n.parse().ok()).expect("--generate takes a number of tables");
        print!("{}", generated(n).files[0].text);
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    stages(&mut criterion);
    criterion.final_summary();
}
