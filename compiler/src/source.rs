//! Source files and places in them.
//!
//! In: the names and texts that the command line has read. Out: [`Span`]s, byte ranges that every
//! later stage and every diagnostic points with. A span always lies on character boundaries of its
//! file's text.

/// One input file. `text` is valid UTF-8; the file system is never touched from here.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As the user named it; `<stdin>` for standard input.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Context only (`--schema`): its views are not materialized.
    pub context_only: bool,
}

/// Index of a file in the list given to the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A byte range of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The smallest span that holds both; both must be of one file.
    pub fn to(self, other: Span) -> Span {
        debug_assert_eq!(self.file, other.file);
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// All input of one compilation.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// In the order given.
    pub files: Vec<SourceFile>,
}

impl Sources {
    /// The file of a span.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The user's own text at a span.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.start..span.end]
    }

    /// The same files without what stands at some spans: blanks and line breaks are left, so that all else keeps its place.
    pub fn without(&self, spans: &[Span]) -> Sources {
        let mut files = self.files.clone();
        for span in spans {
            let text = &mut files[span.file.0 as usize].text;
            let blank =
                text[span.start..span.end].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect::<String>();
            text.replace_range(span.start..span.end, &blank);
        }
        Sources { files }
    }

    /// 1-based line and column (in characters) of a span's first byte. Reads the file up to there: whoever asks for many
    /// places asks [`Lines`].
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let before = &self.file(span.file).text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.bytes().filter(|b| *b == b'\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// `views.sql:12`, for comments in the generated SQL.
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}", self.file(span.file).name, self.line_column(span).0)
    }
}

/// Where the lines of all files begin, to find many places in them.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    sources: &'a Sources,
    starts: Vec<Vec<usize>>,
}

impl<'a> Lines<'a> {
    /// Reads every file once.
    pub fn new(sources: &'a Sources) -> Self {
        let starts =
            |file: &SourceFile| std::iter::once(0).chain(file.text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Lines { sources, starts: sources.files.iter().map(starts).collect() }
    }

    /// The file of a span.
    pub fn file(&self, id: FileId) -> &'a SourceFile {
        self.sources.file(id)
    }

    /// 1-based line and column (in characters) of a span's first byte.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let starts = &self.starts[span.file.0 as usize];
        let line = starts.partition_point(|start| *start <= span.start);
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line, self.sources.file(span.file).text[start..span.start].chars().count() + 1)
    }

    /// `views.sql:12`, for comments in the generated SQL.
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}", self.sources.file(span.file).name, self.line_column(span).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_either_way() {
        let text = "é\n\r\n abc\n";
        let file = SourceFile { name: "a.sql".into(), text: text.into(), context_only: false };
        let sources = Sources { files: vec![file] };
        let lines = Lines::new(&sources);
        for start in (0..=text.len()).filter(|i| text.is_char_boundary(*i)) {
            let span = Span { file: FileId(0), start, end: start };
            assert_eq!(lines.line_column(span), sources.line_column(span), "{start}");
        }
        assert_eq!(lines.place(Span { file: FileId(0), start: 6, end: 7 }), "a.sql:3");
    }
}
