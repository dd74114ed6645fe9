//! Like a compiler's: the user's text with labels, then notes and help.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::Color;
use crate::diagnostics::{Diagnostic, Label, Severity};
use crate::source::{FileId, Lines, Span};

pub(super) fn one(d: &Diagnostic, lines: &Lines<'_>, color: Color) -> String {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(d.title.as_str()).id(d.code.number()));
    for file in files(d) {
        group = group.element(snippet(d, file, lines));
    }
    group = group.elements(d.notes.iter().map(|n| Level::NOTE.message(n.as_str())));
    group = group.elements(d.help.iter().map(|h| Level::HELP.message(h.as_str())));
    let renderer = match color {
        Color::Never => Renderer::plain(),
        Color::Always => Renderer::styled(),
    };
    let text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
    // Trailing blanks are nothing that a snapshot or a log should hold.
    let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n\n", trimmed.join("\n").trim_end())
}

fn labels(d: &Diagnostic) -> impl Iterator<Item = (&Label, AnnotationKind)> {
    let primary = d.primary.iter().map(|l| (l, AnnotationKind::Primary));
    primary.chain(d.secondary.iter().map(|l| (l, AnnotationKind::Context)))
}

/// The files with labels, the primary one's first.
fn files(d: &Diagnostic) -> Vec<FileId> {
    let mut files = Vec::new();
    for (label, _) in labels(d) {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    files
}

/// The lines from the first to the last label; a whole large file would cost time for nothing.
fn snippet<'a>(d: &'a Diagnostic, file: FileId, lines: &Lines<'a>) -> Snippet<'a, Annotation<'a>> {
    let text = &lines.file(file).text;
    let here = || labels(d).filter(|(l, _)| l.span.file == file);
    let first = here().map(|(l, _)| l.span.start).min().unwrap_or(0);
    let last = here().map(|(l, _)| l.span.end).max().unwrap_or(0);
    let start = text[..first].rfind('\n').map_or(0, |i| i + 1);
    let end = text[last..].find('\n').map_or(text.len(), |i| last + i);
    let (line, _) = lines.line_column(Span { file, start, end: start });
    let annotations = here().map(|(label, kind)| {
        let span = kind.span(label.span.start - start..label.span.end - start);
        if label.text.is_empty() { span } else { span.label(label.text.as_str()) }
    });
    Snippet::source(&text[start..end]).line_start(line).path(lines.file(file).name.as_str()).annotations(annotations)
}
