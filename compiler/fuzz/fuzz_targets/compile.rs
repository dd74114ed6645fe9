//! `cargo +nightly fuzz run compile -- -max_total_time=60 -timeout=2`, in `compiler/`.
//!
//! Arbitrary text through the whole compiler: no panic, no hang. A line `\x01` splits it into a context file and a
//! program. Good seeds: `compiler/tests/data`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tviewc::diagnostics::render::{Color, Format, render};
use tviewc::source::{SourceFile, Sources};

fuzz_target!(|text: &str| {
    let file = |text: &str, context_only| SourceFile { name: "fuzz.sql".into(), text: text.into(), context_only };
    let files = match text.split_once("\n\u{1}\n") {
        Some((context, program)) => vec![file(context, true), file(program, false)],
        None => vec![file(text, false)],
    };
    let sources = Sources { files };
    let compilation = tviewc::compile(&sources, &tviewc::Options::default());
    for format in [Format::Full, Format::Concise, Format::Json, Format::Github, Format::Sarif] {
        render(&compilation.diagnostics, &sources, format, Color::Never);
    }
});
