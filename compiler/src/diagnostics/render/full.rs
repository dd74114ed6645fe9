//! Like a compiler's: the user's text with labels, then notes and help.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

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
    for cluster in clusters(d) {
        group = match snippet(&cluster, lines) {
            Ok(snippet) => group.element(snippet),
            Err(origin) => group.element(origin),
        };
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

type Marked<'a> = (&'a Label, AnnotationKind);

/// Labels that are further apart than this many bytes are shown by snippets of their own: what lies between would cost
/// time for nothing, in a file with many findings the square of its size.
const MAX_GAP: usize = 4_096;

/// Lines that are longer are not shown, for the same reason.
const MAX_SHOWN: usize = 65_536;

/// Labels that are shown together, the primary one's first, then by place.
fn clusters(d: &Diagnostic) -> Vec<Vec<Marked<'_>>> {
    let mut labels: Vec<Marked<'_>> = d.primary.iter().map(|l| (l, AnnotationKind::Primary)).collect();
    labels.extend(d.secondary.iter().map(|l| (l, AnnotationKind::Context)));
    // Files in the order in which they are first mentioned.
    let mut files: Vec<FileId> = Vec::new();
    for (label, _) in &labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let mut clusters = Vec::new();
    for file in files {
        let mut here: Vec<Marked<'_>> = labels.iter().filter(|(l, _)| l.span.file == file).copied().collect();
        here.sort_by_key(|(l, _)| l.span.start);
        clusters.extend(here.chunk_by(|(a, _), (b, _)| b.span.start <= a.span.end + MAX_GAP).map(<[_]>::to_vec));
    }
    clusters.sort_by_key(|c: &Vec<Marked<'_>>| !c.iter().any(|(_, kind)| *kind == AnnotationKind::Primary));
    clusters
}

/// The lines from the first to the last label; only the place where they are too long.
fn snippet<'a>(cluster: &[Marked<'a>], lines: &Lines<'a>) -> Result<Snippet<'a, Annotation<'a>>, Origin<'a>> {
    let file = cluster[0].0.span.file;
    let text = &lines.file(file).text;
    let here = || cluster.iter();
    let first = here().map(|(l, _)| l.span.start).min().unwrap_or(0);
    let last = here().map(|(l, _)| l.span.end).max().unwrap_or(0);
    let start = text[..first].rfind('\n').map_or(0, |i| i + 1);
    let end = text[last..].find('\n').map_or(text.len(), |i| last + i);
    let path = lines.file(file).name.as_str();
    if end - start > MAX_SHOWN {
        let (line, column) = lines.line_column(Span { file, start: first, end: first });
        return Err(Origin::path(path).line(line).char_column(column));
    }
    let (line, _) = lines.line_column(Span { file, start, end: start });
    let annotations = here().map(|(label, kind)| {
        let span = kind.span(label.span.start - start..label.span.end - start);
        if label.text.is_empty() { span } else { span.label(label.text.as_str()) }
    });
    Ok(Snippet::source(&text[start..end]).line_start(line).path(path).annotations(annotations))
}
