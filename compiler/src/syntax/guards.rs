//! Token-level guards: what the parser would read without an error, but not as PostgreSQL does.
//!
//! In: the tokens of a view's query. Out: the first misreading, if any. Also the bounds that keep
//! every later walk over the tree within the stack.

use sqlparser::tokenizer::Token;

use super::cursor::{Spanned, is_unicode_prefix};
use crate::source::{Sources, Span};

/// Operators in a row (over all enclosing parentheses) that make a tree this deep; beyond it the
/// statement is refused, because walking and freeing such a tree needs stack.
const MAX_CHAIN: usize = 1_000;

/// Parentheses within parentheses.
const MAX_NESTING: usize = 200;

/// What a guard found: what it is, where, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// What would be misread.
    pub what: String,
    /// Where.
    pub at: Span,
    /// The edit to make.
    pub help: String,
}

fn misread(what: &str, at: Span, help: &str) -> Option<Misread> {
    Some(Misread { what: what.to_owned(), at, help: help.to_owned() })
}

/// The first misreading among a query's tokens.
pub(super) fn tokens(sources: &Sources, tokens: &[Spanned]) -> Option<Misread> {
    (0..tokens.len()).find_map(|i| at(sources, tokens, i))
}

fn at(sources: &Sources, tokens: &[Spanned], i: usize) -> Option<Misread> {
    let (token, span) = &tokens[i];
    let next = tokens.get(i + 1);
    if is_unicode_prefix(&tokens[i..]) {
        return misread(
            "`U&` identifiers are read without their escapes",
            *span,
            "write the identifier in plain double quotes",
        );
    }
    if is_string(token) && next.is_some_and(|(t, _)| is_string(t)) {
        let help = "join the parts into one literal";
        return misread(
            "adjacent string literals are one literal in PostgreSQL, but an alias to the parser",
            next?.1,
            help,
        );
    }
    match token {
        Token::Word(word) if word.quote_style.is_none() => {
            let upper = word.value.to_ascii_uppercase();
            let label = i > 0 && (tokens[i - 1].0 == Token::Period || is_as(&tokens[i - 1].0));
            match upper.as_str() {
                "ISNULL" if !label => misread("`ISNULL` is read as an alias", *span, "write `IS NULL`"),
                "NOTNULL" if !label => {
                    misread("`NOTNULL` is a short form that is not relied on here", *span, "write `IS NOT NULL`")
                }
                _ => None,
            }
        }
        Token::Number(..) | Token::HexStringLiteral(_) => number(sources, token, *span, next),
        Token::DoubleEq => misread("`==` is not an operator of PostgreSQL", *span, "write `=`"),
        Token::Spaceship | Token::DuckIntDiv => {
            misread("this operator is of another SQL dialect", *span, "use PostgreSQL's own operators")
        }
        Token::CustomBinaryOperator(op) if op.contains('`') => {
            misread("backticks do not quote names in PostgreSQL", *span, "use double quotes")
        }
        Token::Placeholder(_) => misread("a view cannot have parameters", *span, "write the value"),
        Token::LBrace | Token::RBrace => {
            misread("braces are of another SQL dialect", *span, "use PostgreSQL's own syntax")
        }
        _ => None,
    }
}

fn number(sources: &Sources, token: &Token, span: Span, next: Option<&Spanned>) -> Option<Misread> {
    let glued =
        next.filter(|(t, s)| matches!(token, Token::Number(..)) && matches!(t, Token::Word(_)) && s.start == span.end);
    let text = sources.text(span);
    let plain = text.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E' | b'+' | b'-'));
    let hex_string = matches!(token, Token::HexStringLiteral(_)) && !text.starts_with('0');
    if (plain && glued.is_none()) || hex_string {
        return None;
    }
    let at = glued.map_or(span, |(_, s)| span.to(*s));
    misread("this number's form is not read as PostgreSQL reads it", at, "write the number in plain decimal digits")
}

fn is_as(token: &Token) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case("as"))
}

fn is_string(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

/// The first token at which a query is too deep to be handled.
pub(super) fn too_deep(tokens: &[Spanned]) -> Option<Span> {
    let mut open: Vec<usize> = Vec::new();
    // Set operations make a tree of their own, which the commas of the select lists do not end.
    let (mut chain, mut sets) = (0usize, 0usize);
    for (token, span) in tokens {
        match token {
            Token::LParen | Token::LBracket => open.push(chain),
            Token::RParen | Token::RBracket => chain = open.pop().unwrap_or(0).max(chain.min(1)),
            Token::Comma => chain = open.last().copied().unwrap_or(0),
            Token::Word(word) => {
                let operators = [
                    "AND", "OR", "NOT", "IS", "IN", "LIKE", "ILIKE", "BETWEEN", "AT", "COLLATE", "CASE", "ISNULL",
                    "NOTNULL", "SIMILAR", "OPERATOR",
                ];
                let is_one_of = |words: &[&str]| {
                    word.quote_style.is_none() && words.iter().any(|w| word.value.eq_ignore_ascii_case(w))
                };
                chain += usize::from(is_one_of(&operators));
                sets += usize::from(is_one_of(&["UNION", "EXCEPT", "INTERSECT"]));
            }
            Token::Number(..) | Token::Period => {}
            token if is_string(token) => {}
            _ => chain += 1,
        }
        if chain > MAX_CHAIN || sets > MAX_CHAIN || open.len() > MAX_NESTING {
            return Some(*span);
        }
    }
    None
}
