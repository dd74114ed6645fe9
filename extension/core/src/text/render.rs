//! Binary to JSON text.
//!
//! In: a document or a value. Out: text as PostgreSQL shows it. Always: bytes that are not UTF-8
//! come out as U+FFFD.

use super::number;
use crate::container::{Children, Container, Value};
use crate::error::Result;

/// Renders a document.
pub fn to_text(bytes: &[u8]) -> Result<String> {
    value_to_text(Value::document(bytes)?)
}

/// A container that is being rendered.
struct Frame<'a> {
    keys: Option<Children<'a>>,
    values: Children<'a>,
    first: bool,
}

/// Renders a value.
pub fn value_to_text(value: Value<'_>) -> Result<String> {
    let mut out = String::new();
    let mut frames = Vec::new();
    begin(value, &mut out, &mut frames)?;
    while let Some(frame) = frames.last_mut() {
        let Some(child) = frame.values.next() else {
            out.push(if frame.keys.is_some() { '}' } else { ']' });
            frames.pop();
            continue;
        };
        if !std::mem::replace(&mut frame.first, false) {
            out.push_str(", ");
        }
        if let Some(key) = frame.keys.as_mut().and_then(Iterator::next) {
            scalar(key?, &mut out)?;
            out.push_str(": ");
        }
        begin(child?, &mut out, &mut frames)?;
    }
    Ok(out)
}

fn begin<'a>(value: Value<'a>, out: &mut String, frames: &mut Vec<Frame<'a>>) -> Result<()> {
    match value {
        Value::Array(array) => {
            out.push('[');
            frames.push(Frame { keys: None, values: array.elements(), first: true });
        }
        Value::Object(object) => {
            out.push('{');
            let keys = Container::children(&object, 0, object.len());
            frames.push(Frame { keys: Some(keys), values: object.elements(), first: true });
        }
        value => scalar(value, out)?,
    }
    Ok(())
}

fn scalar(value: Value<'_>, out: &mut String) -> Result<()> {
    match value {
        Value::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Number(value) => number::render(value, out)?,
        Value::String(bytes) => string(&String::from_utf8_lossy(bytes), out),
        Value::Null | Value::Array(_) | Value::Object(_) => out.push_str("null"),
    }
    Ok(())
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
