//! A change of one value in documents of 1 KB to 1 MB: on the binary form, beside a copy of the document, which is the least that any
//! change costs, and beside a round trip through serde_json, which is what a change of text costs.
//!
//! `cargo bench -p jsonb-core --bench binary`; needs no server. All of them end with the document changed the same way, which is
//! checked before anything is measured.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use jsonb_core::{array_update_where, get_path, merge_at_path, text};
use serde_json::{Value, json};

/// Bytes of one element, nearly.
const ELEMENT: usize = 100;

/// A document of about so many bytes: a header and an array of objects.
fn document(bytes: usize) -> Value {
    let element = |id: usize| json!({"id": id, "name": format!("element {id}"), "note": "x".repeat(40)});
    let elements: Vec<Value> = (0..bytes.div_ceil(ELEMENT)).map(element).collect();
    json!({"author": {"id": 7, "name": "somebody"}, "items": elements})
}

/// What every arm does to it: one element in the middle gets another name.
fn by_serde(text: &str, id: usize) -> String {
    let mut document: Value = serde_json::from_str(text).expect("it is JSON");
    let items = document["items"].as_array_mut().expect("an array");
    let found = items.iter_mut().find(|item| item["id"] == id).expect("the element is there");
    found["name"] = "another".into();
    document.to_string()
}

fn binary(c: &mut Criterion) {
    for kilobytes in [1, 10, 100, 1_000] {
        let document = document(kilobytes * 1_024);
        let text = document.to_string();
        let data = text::from_text(&text).expect("it is JSON");
        let id = document["items"].as_array().map_or(0, Vec::len) / 2;
        let key = text::from_text(&id.to_string()).expect("a number");
        let patch = text::from_text(r#"{"name": "another"}"#).expect("it is JSON");
        let items: [&[u8]; 1] = [b"items"];
        let author: [&[u8]; 1] = [b"author"];
        let name: [&[u8]; 2] = [b"author", b"name"];
        let update = || array_update_where(&data, &items, b"id", &key, &patch).expect("patched");
        let patched: Value =
            serde_json::from_str(&text::to_text(&update()).expect("as text")).expect("what comes out is JSON");
        let expected: Value = serde_json::from_str(&by_serde(&text, id)).expect("so is this");
        assert_eq!(patched, expected);

        let mut group = c.benchmark_group("binary jsonb");
        group.sample_size(20).throughput(Throughput::Bytes(data.len() as u64));
        let size = format!("{kilobytes} KB");
        group.bench_function(BenchmarkId::new("copy", &size), |b| b.iter(|| black_box(&data).to_vec()));
        group.bench_function(BenchmarkId::new("element by key", &size), |b| b.iter(update));
        group.bench_function(BenchmarkId::new("merge at a path", &size), |b| {
            b.iter(|| merge_at_path(black_box(&data), &patch, &author).expect("merged"));
        });
        group.bench_function(BenchmarkId::new("read at a path", &size), |b| {
            b.iter(|| get_path(black_box(&data), &name).expect("read").is_some());
        });
        group.bench_function(BenchmarkId::new("element by serde_json", &size), |b| {
            b.iter(|| by_serde(black_box(&text), id))
        });
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    binary(&mut criterion);
    criterion.final_summary();
}
