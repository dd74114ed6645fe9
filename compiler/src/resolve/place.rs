//! From the parser's lines and columns to byte spans.
//!
//! In: sqlparser spans (1-based lines and columns in characters, often too narrow). Out: byte
//! [`Span`]s to point at; they are never used to cut text.

use sqlparser::ast::Spanned;
use sqlparser::tokenizer::Location;

use crate::source::{FileId, Sources, Span};

/// Line starts of all files.
pub struct Places<'a> {
    sources: &'a Sources,
    line_starts: Vec<Vec<usize>>,
}

impl<'a> Places<'a> {
    /// Indexes all files once.
    pub fn new(sources: &'a Sources) -> Self {
        let line_starts = sources
            .files
            .iter()
            .map(|f| std::iter::once(0).chain(f.text.match_indices('\n').map(|(i, _)| i + 1)).collect())
            .collect();
        Places { sources, line_starts }
    }

    /// The bytes of a syntax node, or `fallback` where the parser kept no place.
    pub fn span(&self, file: FileId, node: &impl Spanned, fallback: Span) -> Span {
        let span = node.span();
        match (self.offset(file, span.start), self.offset(file, span.end)) {
            (Some(start), Some(end)) if start < end => Span { file, start, end },
            _ => fallback,
        }
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> &'a str {
        self.sources.text(span)
    }

    fn offset(&self, file: FileId, at: Location) -> Option<usize> {
        let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
        let start = *self.line_starts[file.0 as usize].get(line)?;
        let rest = &self.sources.file(FileId(file.0)).text[start..];
        if column <= rest.len() && rest.as_bytes()[..column].is_ascii() {
            return Some(start + column);
        }
        rest.char_indices().map(|(i, _)| i).chain([rest.len()]).nth(column).map(|i| start + i)
    }
}
