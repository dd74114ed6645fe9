//! SARIF 2.1.0: one document with one run.

use serde_json::{Value, json};

use super::Region;
use crate::diagnostics::{Code, Diagnostic, Label, Severity};
use crate::source::Lines;

pub(super) fn document(all: &[&Diagnostic], lines: &Lines<'_>) -> String {
    let mut codes: Vec<Code> = Vec::new();
    for d in all {
        if !codes.contains(&d.code) {
            codes.push(d.code);
        }
    }
    let rules: Vec<Value> = codes.iter().map(|c| rule(*c)).collect();
    let results: Vec<Value> = all.iter().map(|d| result(d, &codes, lines)).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "tviewc", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.number(),
        "name": code.name(),
        "help": { "text": code.page(), "markdown": code.page() },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn result(d: &Diagnostic, codes: &[Code], lines: &Lines<'_>) -> Value {
    let mut text = d.title.clone();
    d.notes.iter().for_each(|note| text.push_str(&format!("\nnote: {note}")));
    d.help.iter().for_each(|help| text.push_str(&format!("\nhelp: {help}")));
    json!({
        "ruleId": d.code.number(),
        "ruleIndex": codes.iter().position(|c| *c == d.code),
        "level": level(d.severity),
        "message": { "text": text },
        "locations": d.primary.iter().map(|l| location(l, lines)).collect::<Vec<_>>(),
        "relatedLocations": d.secondary.iter().map(|l| location(l, lines)).collect::<Vec<_>>(),
    })
}

fn location(label: &Label, lines: &Lines<'_>) -> Value {
    let r = Region::of(label.span, lines);
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&lines.file(label.span.file).name) },
            "region": {
                "startLine": r.line,
                "startColumn": r.column,
                "endLine": r.end_line,
                "endColumn": r.end_column,
                "byteOffset": label.span.start,
                "byteLength": label.span.end - label.span.start,
            },
        },
    });
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    location
}

/// A path as a relative URI reference.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
