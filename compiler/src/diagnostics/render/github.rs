//! Workflow commands: `::error file=…,line=…::message`.

use super::Region;
use crate::diagnostics::{Diagnostic, Severity};
use crate::source::Lines;

pub(super) fn one(d: &Diagnostic, lines: &Lines<'_>) -> String {
    let command = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = String::new();
    let mut message = d.title.clone();
    if let Some(label) = &d.primary {
        let r = Region::of(label.span, lines);
        properties = format!(
            "file={},line={},col={},endLine={},endColumn={},",
            property(&lines.file(label.span.file).name),
            r.line,
            r.column,
            r.end_line,
            r.end_column
        );
        if !label.text.is_empty() {
            message.push_str(&format!(": {}", label.text));
        }
    }
    d.notes.iter().for_each(|note| message.push_str(&format!("\nnote: {note}")));
    d.help.iter().for_each(|help| message.push_str(&format!("\nhelp: {help}")));
    let title = property(&format!("{} {}", d.code.number(), d.code.name()));
    format!("::{command} {properties}title={title}::{}\n", data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
