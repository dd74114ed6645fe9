//! How long a splice takes next to copying the document: a sanity check, not a benchmark.
//!
//! Run with `cargo run --release -p jsonb-core --example splice_timing --features text`.

use std::hint::black_box;
use std::time::Instant;

use jsonb_core::{Change, apply_into, array_update_where, text, validate};

/// The median time of one call, in nanoseconds.
fn median(mut call: impl FnMut()) -> f64 {
    let mut samples: Vec<f64> = (0..301)
        .map(|_| {
            let start = Instant::now();
            (0..20).for_each(|_| call());
            start.elapsed().as_nanos() as f64 / 20.0
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn report(what: &str, nanoseconds: f64, copy: f64) {
    println!("{what:<44} {:>8.2} µs {:>6.1} × copy", nanoseconds / 1000.0, nanoseconds / copy);
}

fn main() {
    for row_text in [40, 400] {
        let rows = 100_000 / (row_text + 60);
        let row = |id: usize| format!(r#"{{"id": {id}, "name": "{}", "price": 1.10}}"#, "x".repeat(row_text));
        let elements: Vec<String> = (0..rows).map(row).collect();
        let data = text::from_text(&format!(r#"{{"items": [{}]}}"#, elements.join(", "))).unwrap();
        assert_eq!(validate(&data), Ok(()));
        println!("{rows} elements, {} bytes", data.len());

        let copy = median(|| {
            black_box(black_box(&data).to_vec());
        });
        report("copy", copy, copy);
        let path: [&[u8]; 1] = [b"items"];
        let patch = text::from_text(r#"{"name": "another"}"#).unwrap();
        for (what, at) in [("first", 0), ("middle", rows / 2), ("last", rows - 1)] {
            let by_index = at.to_string();
            let element: [&[u8]; 2] = [b"items", by_index.as_bytes()];
            let mut out = Vec::new();
            let time = median(|| {
                out.clear();
                apply_into(&data, &[Change::Merge { path: &element, patch: &patch }], &mut out).unwrap();
            });
            report(&format!("merge into {what}, by index, same buffer"), time, copy);
            let id = text::from_text(&by_index).unwrap();
            let time = median(|| {
                black_box(array_update_where(&data, &path, b"id", &id, &patch).unwrap());
            });
            report(&format!("update {what} where id = …"), time, copy);
        }
        let missing = text::from_text("-1").unwrap();
        let time = median(|| {
            black_box(array_update_where(&data, &path, b"id", &missing, &patch).unwrap());
        });
        report("search alone: no element matches", time, copy);
        let time = median(|| {
            black_box(validate(black_box(&data))).unwrap();
        });
        report("validate", time, copy);
    }
}
