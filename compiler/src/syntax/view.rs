//! The head of a view definition, and its query.
//!
//! In: a statement's tokens. Out: the parts of `CREATE [OR REPLACE] [TEMP] [RECURSIVE] VIEW` and
//! `CREATE MATERIALIZED VIEW`, with the token range of the query. The head is read here and only the
//! query is given to the parser, which refuses many heads that PostgreSQL accepts.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::cursor::{Cursor, Spanned, WrittenName};
use crate::names::Ident;
use crate::source::Span;

/// A view definition's parts.
#[derive(Clone, Debug)]
pub struct ViewHead {
    /// As written.
    pub name: WrittenName,
    /// `v (a, b)`.
    pub columns: Vec<Ident>,
    /// `WITH (…)` or a check option.
    pub has_options: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS` (materialized views).
    pub if_not_exists: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `RECURSIVE`.
    pub recursive: bool,
    /// `MATERIALIZED`.
    pub materialized: bool,
    /// `CREATE TABLE tv_x AS`.
    pub table: bool,
    /// The query, as a range of the statement's tokens.
    pub query: Range<usize>,
}

/// Whether a statement is a view definition at all, readable or not.
pub fn is_view(tokens: &[Spanned]) -> bool {
    let mut c = Cursor::new(tokens);
    if !c.eat(&["create"]) {
        return false;
    }
    if is_tview(c) {
        return true;
    }
    c.eat(&["or", "replace"]);
    while c.eat_any(&["temp", "temporary", "local", "global", "recursive", "materialized"]) {}
    c.eat(&["view"])
}

/// Whether `[UNLOGGED] TABLE [IF NOT EXISTS] tv_x … AS query` follows: other tools write their definitions so.
pub fn is_tview(mut c: Cursor<'_>) -> bool {
    c.eat(&["unlogged"]);
    if !c.eat(&["table"]) {
        return false;
    }
    c.eat(&["if", "not", "exists"]);
    if !c.name().is_some_and(|n| n.name.as_str().starts_with("tv_")) {
        return false;
    }
    // Anything but a list of names in parentheses is a list of columns with types.
    if c.peek(0) == Some(&Token::LParen) && c.ident_list().is_none() {
        return false;
    }
    while !c.is_end() && !c.eat(&["as"]) {
        c.skip();
    }
    c.is_any(&["select", "with", "values", "table"]) || c.peek(0) == Some(&Token::LParen)
}

/// Reads the head; on failure says what was expected and where.
pub fn head(tokens: &[Spanned]) -> Result<ViewHead, (String, Option<Span>)> {
    let mut c = Cursor::new(tokens);
    let expected = |what: &str, c: &Cursor<'_>| Err((format!("expected {what}"), c.span()));
    c.eat(&["create"]);
    let or_replace = c.eat(&["or", "replace"]);
    let (mut temporary, mut recursive, mut materialized) = (false, false, false);
    let table = is_tview(c);
    while !c.eat(&["view"]) {
        match () {
            () if table && c.eat(&["table"]) => break,
            () if table && c.eat(&["unlogged"]) => {}
            () if c.eat_any(&["temp", "temporary"]) => temporary = true,
            () if c.eat(&["recursive"]) => recursive = true,
            () if c.eat(&["materialized"]) => materialized = true,
            () if c.eat_any(&["local", "global"]) => {}
            () => return expected("VIEW", &c),
        }
    }
    let if_not_exists = c.eat(&["if", "not", "exists"]);
    let Some(name) = c.name() else {
        return expected("the view's name", &c);
    };
    let mut columns = Vec::new();
    if c.peek(0) == Some(&Token::LParen) {
        match c.ident_list() {
            Some(list) => columns = list,
            None => return expected("a list of column names", &c),
        }
    }
    let mut has_options = false;
    while !c.eat(&["as"]) {
        match () {
            () if c.eat(&["with"]) => {
                has_options = true;
                if c.group().is_none() {
                    return expected("view options in parentheses", &c);
                }
            }
            () if (materialized || table) && c.eat_any(&["using", "tablespace"]) => {
                c.bump();
            }
            () => return expected("AS", &c),
        }
    }
    let query = c.position()..query_end(tokens, c.position(), materialized || table);
    if query.is_empty() {
        return expected("a query", &c);
    }
    has_options |= !(materialized || table) && query.end < tokens.len();
    Ok(ViewHead {
        name,
        columns,
        has_options,
        or_replace,
        if_not_exists,
        temporary,
        recursive,
        materialized,
        table,
        query,
    })
}

/// The query's end: without `WITH … CHECK OPTION` or `WITH [NO] DATA`.
fn query_end(tokens: &[Spanned], start: usize, materialized: bool) -> usize {
    let tails: &[&[&str]] = if materialized {
        &[&["with", "no", "data"], &["with", "data"]]
    } else {
        &[&["with", "cascaded", "check", "option"], &["with", "local", "check", "option"], &["with", "check", "option"]]
    };
    for tail in tails {
        if tokens.len() >= start + tail.len() {
            let mut c = Cursor::new(&tokens[tokens.len() - tail.len()..]);
            if c.eat(tail) {
                return tokens.len() - tail.len();
            }
        }
    }
    tokens.len()
}
