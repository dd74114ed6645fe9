//! Reading a statement token by token.
//!
//! The catalog reads data definitions with this rather than from the parser's tree: PostgreSQL's own
//! grammar for them is simple, the parser refuses a third of it, and spans stay exact.

use sqlparser::tokenizer::{Token, Word};

use crate::names::{Ident, truncate};
use crate::source::Span;

/// A token with its place.
pub type Spanned = (Token, Span);

/// A position in a run of tokens. Everything that fails leaves the position where it was.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    tokens: &'a [Spanned],
    at: usize,
}

/// A name as written: up to three parts, of which the catalog's database name is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenName {
    /// The schema, if one was written.
    pub schema: Option<Ident>,
    /// The last part.
    pub name: Ident,
    /// All parts.
    pub span: Span,
}

impl<'a> Cursor<'a> {
    /// At the first of some tokens.
    pub fn new(tokens: &'a [Spanned]) -> Self {
        Cursor { tokens, at: 0 }
    }

    /// Tokens before the position.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What is left.
    pub fn rest(&self) -> &'a [Spanned] {
        &self.tokens[self.at..]
    }

    /// Whether nothing is left.
    pub fn is_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The token `ahead` places on.
    pub fn peek(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead).map(|t| &t.0)
    }

    /// The place of the next token, or of the last one at the end.
    pub fn span(&self) -> Option<Span> {
        self.tokens.get(self.at).or(self.tokens.last()).map(|t| t.1)
    }

    /// From the first token of this run to the last one read.
    pub fn span_from(&self, start: usize) -> Option<Span> {
        let first = self.tokens.get(start)?.1;
        let last = self.tokens.get(self.at.saturating_sub(1).max(start))?.1;
        Some(first.to(last))
    }

    /// Moves on by one.
    pub fn bump(&mut self) -> Option<&'a Spanned> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn unquoted(&self, ahead: usize) -> Option<&'a Word> {
        match self.peek(ahead)? {
            Token::Word(word) if word.quote_style.is_none() => Some(word),
            _ => None,
        }
    }

    /// Whether the token `ahead` places on is this unquoted word (given in lower case).
    pub fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.unquoted(ahead).is_some_and(|w| w.value.eq_ignore_ascii_case(word))
    }

    /// Whether the next token is one of these unquoted words.
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|w| self.is_word(0, w))
    }

    /// Takes these words if they all follow.
    pub fn eat(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(i, w)| self.is_word(i, w));
        if found {
            self.at += words.len();
        }
        found
    }

    /// Takes one of these words.
    pub fn eat_any(&mut self, words: &[&str]) -> bool {
        let found = self.is_any(words);
        self.at += usize::from(found);
        found
    }

    /// Takes this token if it follows.
    pub fn eat_token(&mut self, token: &Token) -> bool {
        let found = self.peek(0) == Some(token);
        self.at += usize::from(found);
        found
    }

    /// An identifier, folded. `U&"…"` is not read: its escapes would be taken literally.
    pub fn ident(&mut self) -> Option<(Ident, Span)> {
        let (token, span) = self.tokens.get(self.at)?;
        let Token::Word(word) = token else {
            return None;
        };
        if is_unicode_prefix(&self.tokens[self.at..]) {
            return None;
        }
        self.at += 1;
        Some((word_ident(word), *span))
    }

    /// `a`, `a.b` or `a.b.c`.
    pub fn name(&mut self) -> Option<WrittenName> {
        let start = self.at;
        let (mut name, mut span) = self.ident()?;
        let mut schema = None;
        while self.peek(0) == Some(&Token::Period) {
            self.at += 1;
            let Some((next, next_span)) = self.ident() else {
                self.at = start;
                return None;
            };
            schema = Some(std::mem::replace(&mut name, next));
            span = span.to(next_span);
        }
        Some(WrittenName { schema, name, span })
    }

    /// The inside of the parentheses that open here.
    pub fn group(&mut self) -> Option<Cursor<'a>> {
        if self.peek(0) != Some(&Token::LParen) {
            return None;
        }
        let start = self.at;
        let mut depth = 0usize;
        for (i, (token, _)) in self.tokens.iter().enumerate().skip(start) {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = i + 1;
                return Some(Cursor::new(&self.tokens[start + 1..i]));
            }
        }
        None
    }

    /// Skips one token, or a whole group in parentheses or brackets.
    pub fn skip(&mut self) {
        if self.group().is_none() {
            self.at = (self.at + 1).min(self.tokens.len());
        }
    }

    /// What is left, split at commas outside of parentheses and brackets.
    pub fn split_commas(&self) -> Vec<Cursor<'a>> {
        let rest = self.rest();
        let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0i32);
        for (i, (token, _)) in rest.iter().enumerate() {
            match token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth -= 1,
                Token::Comma if depth == 0 => {
                    parts.push(Cursor::new(&rest[start..i]));
                    start = i + 1;
                }
                _ => {}
            }
        }
        if start < rest.len() || !parts.is_empty() {
            parts.push(Cursor::new(&rest[start..]));
        }
        parts
    }

    /// `(a, b, c)` as identifiers.
    pub fn ident_list(&mut self) -> Option<Vec<Ident>> {
        let before = *self;
        let list = self.group().and_then(|inside| inside.split_commas().into_iter().map(only_ident).collect());
        if list.is_none() {
            *self = before;
        }
        list
    }
}

fn only_ident(mut part: Cursor<'_>) -> Option<Ident> {
    let (ident, _) = part.ident()?;
    part.is_end().then_some(ident)
}

/// The identifier that a word is.
pub fn word_ident(word: &Word) -> Ident {
    match word.quote_style {
        Some(_) => Ident::new(truncate(&word.value)),
        None => Ident::fold(&word.value),
    }
}

/// Whether tokens begin with `U&"…"`, which arrives as three tokens without space between.
pub(super) fn is_unicode_prefix(tokens: &[Spanned]) -> bool {
    let [(Token::Word(u), a), (Token::Ampersand, b), (Token::Word(quoted), c), ..] = tokens else {
        return false;
    };
    u.quote_style.is_none()
        && u.value.eq_ignore_ascii_case("u")
        && quoted.quote_style.is_some()
        && a.end == b.start
        && b.end == c.start
}
