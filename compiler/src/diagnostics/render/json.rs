//! One JSON object per finding and line.

use serde_json::{Map, Value, json};

use super::{Region, severity};
use crate::diagnostics::{Diagnostic, Label};
use crate::source::Lines;

pub(super) fn one(d: &Diagnostic, lines: &Lines<'_>) -> String {
    let mut object = Map::new();
    object.insert("code".into(), d.code.number().into());
    object.insert("name".into(), d.code.name().into());
    object.insert("severity".into(), severity(d.severity).into());
    object.insert("title".into(), d.title.as_str().into());
    place(&mut object, d.primary.as_ref(), lines);
    let labels = d.primary.iter().chain(&d.secondary).map(|l| {
        let mut object = Map::new();
        object.insert("text".into(), l.text.as_str().into());
        place(&mut object, Some(l), lines);
        Value::Object(object)
    });
    object.insert("labels".into(), labels.collect());
    object.insert("notes".into(), json!(d.notes));
    object.insert("help".into(), json!(d.help));
    format!("{}\n", Value::Object(object))
}

fn place(object: &mut Map<String, Value>, label: Option<&Label>, lines: &Lines<'_>) {
    let region = label.map(|l| Region::of(l.span, lines));
    let mut put = |key: &str, value: Option<usize>| object.insert(key.into(), json!(value));
    put("line", region.as_ref().map(|r| r.line));
    put("column", region.as_ref().map(|r| r.column));
    put("end_line", region.as_ref().map(|r| r.end_line));
    put("end_column", region.as_ref().map(|r| r.end_column));
    put("byte_start", label.map(|l| l.span.start));
    put("byte_end", label.map(|l| l.span.end));
    object.insert("file".into(), json!(label.map(|l| &lines.file(l.span.file).name)));
}
