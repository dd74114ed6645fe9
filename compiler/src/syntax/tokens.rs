//! Tokens with byte places.
//!
//! In: a statement's text. Out: sqlparser's tokens without white space, each with its byte span and
//! its line and column in the whole file (so that what the parser says can be found again).

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::cursor::Spanned;
use super::scan::Piece;
use crate::source::{FileId, Span};

/// A place that moves forward through a file's text, counting lines and characters as sqlparser
/// does: both from 1, a line ends at `\n`, every other character is one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walker<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
    column: u64,
}

impl<'a> Walker<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Walker { text, byte: 0, line: 1, column: 1 }
    }

    fn step(&mut self) -> bool {
        let Some(c) = self.text[self.byte..].chars().next() else {
            return false;
        };
        self.byte += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        true
    }

    pub(super) fn forward_to_byte(&mut self, byte: usize) {
        while self.byte < byte && self.step() {}
    }

    fn forward_to(&mut self, line: u64, column: u64) -> usize {
        while (self.line, self.column) < (line, column) && self.step() {}
        self.byte
    }
}

/// What a statement's text consists of.
#[derive(Default)]
pub(super) struct Tokens {
    pub spanned: Vec<Spanned>,
    pub located: Vec<TokenWithSpan>,
    /// Where and why the tokenizer stopped.
    pub error: Option<(String, Span)>,
}

/// Tokenizes one piece; `walker` must not have passed its start, and is left inside of it.
pub(super) fn tokenize(walker: &mut Walker<'_>, piece: Piece, file: FileId) -> Tokens {
    walker.forward_to_byte(piece.start);
    let text = &walker.text[piece.start..piece.end];
    let mut raw = Vec::new();
    let result = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location_into_buf(&mut raw);
    let base = *walker;
    let to_file = |l: Location| Location {
        line: l.line + base.line - 1,
        column: if l.line == 1 { l.column + base.column - 1 } else { l.column },
    };
    let mut tokens =
        Tokens { spanned: Vec::with_capacity(raw.len()), located: Vec::with_capacity(raw.len()), error: None };
    for mut token in raw {
        if matches!(token.token, Token::Whitespace(_) | Token::EOF) {
            continue;
        }
        token.span.start = to_file(token.span.start);
        token.span.end = to_file(token.span.end);
        let start = walker.forward_to(token.span.start.line, token.span.start.column);
        let end = walker.forward_to(token.span.end.line, token.span.end.column).min(piece.end);
        tokens.spanned.push((token.token.clone(), Span { file, start: start.min(end), end }));
        tokens.located.push(token);
    }
    if let Err(error) = result {
        let place = to_file(error.location);
        let mut finder = base;
        let start = finder.forward_to(place.line, place.column).clamp(piece.start, piece.end);
        let width = walker.text[start..piece.end].chars().next().map_or(0, char::len_utf8);
        tokens.error = Some((error.message, Span { file, start, end: start + width }));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_spans_survive_multibyte_text_tabs_and_crlf() {
        let text = "-- é\r\n\tselect 'ñ€😀',\r\n\"Größe\" ,x";
        let piece = Piece { start: text.find("select").unwrap(), end: text.len() };
        let tokens = tokenize(&mut Walker::new(text), piece, FileId(0));
        let cut: Vec<&str> = tokens.spanned.iter().map(|(_, s)| &text[s.start..s.end]).collect();
        assert_eq!(cut, ["select", "'ñ€😀'", ",", "\"Größe\"", ",", "x"]);
        assert_eq!(tokens.located[0].span.start, Location { line: 2, column: 2 });
        assert_eq!(tokens.located[5].span.start, Location { line: 3, column: 10 });
    }
}
