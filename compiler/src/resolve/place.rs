//! From the parser's lines and columns to byte spans.
//!
//! In: sqlparser spans (1-based lines and columns in characters, often too narrow). Out: byte
//! [`Span`]s to point at; they are never used to cut text.

use sqlparser::ast::Spanned;
use sqlparser::tokenizer::Location;

use crate::source::{FileId, Sources, Span};

/// Where lines and characters begin, in all files.
pub struct Places<'a> {
    sources: &'a Sources,
    files: Vec<FilePlaces>,
}

/// One character in so many has its place remembered; from there the others are counted. A line may be as long as the
/// file.
const STRIDE: usize = 64;

struct FilePlaces {
    /// The number of each line's first character.
    lines: Vec<usize>,
    /// The byte of every [`STRIDE`]th character; the end of the text counts as one.
    bytes: Vec<usize>,
}

impl FilePlaces {
    fn new(text: &str) -> Self {
        let mut places = FilePlaces { lines: vec![0], bytes: Vec::with_capacity(text.len() / STRIDE + 1) };
        // The end is a place as well.
        let ends = text.char_indices().chain([(text.len(), ' ')]);
        for (number, (byte, c)) in ends.enumerate() {
            if number % STRIDE == 0 {
                places.bytes.push(byte);
            }
            if c == '\n' {
                places.lines.push(number + 1);
            }
        }
        places
    }
}

impl<'a> Places<'a> {
    /// Indexes all files once.
    pub fn new(sources: &'a Sources) -> Self {
        Places { sources, files: sources.files.iter().map(|f| FilePlaces::new(&f.text)).collect() }
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
        let places = &self.files[file.0 as usize];
        let number = places.lines.get(line)? + column;
        let text = &self.sources.file(file).text;
        let start = *places.bytes.get(number / STRIDE)?;
        let rest = &text[start..];
        rest.char_indices().map(|(i, _)| i).chain([rest.len()]).nth(number % STRIDE).map(|i| start + i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    #[test]
    fn every_character_is_found() {
        let text = format!("{}\nSELECT 'é😀', {}\n", "é".repeat(STRIDE - 2), "x".repeat(3 * STRIDE));
        let sources = Sources { files: vec![SourceFile { name: "a.sql".into(), text, context_only: false }] };
        let places = Places::new(&sources);
        let text = &sources.files[0].text;
        let (mut line, mut column) = (1, 1);
        for (byte, c) in text.char_indices() {
            assert_eq!(places.offset(FileId(0), Location { line, column }), Some(byte));
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        assert_eq!(places.offset(FileId(0), Location { line, column }), Some(text.len()));
        assert_eq!(places.offset(FileId(0), Location { line, column: column + 1 }), None);
        assert_eq!(places.offset(FileId(0), Location { line: line + 1, column: 1 }), None);
        assert_eq!(places.offset(FileId(0), Location { line: 0, column: 0 }), None);
    }
}
