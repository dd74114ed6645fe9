//! CREATE TABLE AS and SELECT INTO.
//!
//! In: the query's tokens. Out: the new table's columns, where each is a column of a known table, a cast or a string:
//! the type of anything else would be a guess, and the table is unreadable then. No constraint is carried over.

use sqlparser::tokenizer::Token;

use super::build::{Builder, Entry, RawTable};
use super::raw::Unread;
use super::types;
use super::{Column, SqlType, TableKind, TypeClass};
use crate::names::{Ident, QualName};
use crate::source::Span;
use crate::syntax::Statement;
use crate::syntax::cursor::{Cursor, Spanned};

/// A relation of the FROM clause: the name it is called by, and its columns.
type Source = (Ident, Vec<Column>);

/// Words that end a FROM clause.
const ENDS_FROM: &[&str] = &["where", "group", "having", "window", "order", "limit", "offset", "fetch", "for"];

/// Words that make the query one whose columns are not derived.
const SET_OPERATIONS: &[&str] = &["union", "intersect", "except", "with", "values", "execute"];

impl<'a> Builder<'a> {
    /// What CREATE TABLE says after its name, if it is a query: the columns' names and the query.
    pub(super) fn as_query(&self, c: &Cursor<'a>) -> Option<(Vec<Ident>, Cursor<'a>)> {
        let mut c = *c;
        let names = c.ident_list().unwrap_or_default();
        while !c.is_end() {
            if c.eat(&["as"]) {
                let rest = c.rest();
                let data = [&["with", "no", "data"][..], &["with", "data"]];
                let tail = data.iter().find(|words| {
                    rest.len() >= words.len() && Cursor::new(&rest[rest.len() - words.len()..]).eat(words)
                });
                let length = rest.len() - tail.map_or(0, |words| words.len());
                return Some((names, Cursor::new(&rest[..length])));
            }
            c.skip();
        }
        None
    }

    /// The table that a query makes.
    pub(super) fn table_of_query(
        &self,
        names: &[Ident],
        query: &Cursor<'a>,
        kind: TableKind,
        span: Span,
    ) -> Result<RawTable, Unread> {
        let unread = || ("the columns of CREATE TABLE AS are not derived from such a query".to_owned(), query.span());
        let mut columns = self.columns_of_query(*query).ok_or_else(unread)?;
        for (column, name) in columns.iter_mut().zip(names) {
            column.name = name.clone();
        }
        for column in &mut columns {
            column.not_null = false;
            column.virtual_generated = false;
            column.statement = self.statement;
            column.span = span;
        }
        Ok(RawTable::new(kind, columns, span))
    }

    /// `SELECT … INTO [TABLE] name FROM …`.
    pub(super) fn select_into(&mut self, statement: &'a Statement) {
        let mut c = Cursor::new(&statement.tokens);
        while !c.is_end() && !c.eat(&["into"]) {
            c.skip();
        }
        let mut temporary = false;
        while c.is_any(&["temp", "temporary", "local", "global", "unlogged", "table"]) {
            temporary |= c.is_any(&["temp", "temporary"]);
            c.bump();
        }
        let Some(written) = c.name() else { return };
        let schema = if temporary { Ident::new("pg_temp") } else { self.creation_name(&written).schema };
        let name = QualName::new(schema, written.name.clone());
        let kind = if temporary { TableKind::Temporary } else { TableKind::Ordinary };
        match self.table_of_query(&[], &Cursor::new(&statement.tokens), kind, written.span) {
            Ok(table) => self.declare(name, Entry::Table(table), false),
            Err((reason, at)) => self.unreadable(name, written.span, reason, at),
        }
    }

    fn columns_of_query(&self, mut c: Cursor<'a>) -> Option<Vec<Column>> {
        if c.eat(&["table"]) {
            return Some(self.source(&mut c)?.1);
        }
        if !c.eat(&["select"]) || top_level(c.rest(), SET_OPERATIONS).is_some() {
            return None;
        }
        c.eat(&["all"]);
        if c.eat(&["distinct"]) && c.eat(&["on"]) {
            c.group();
        }
        let rest = c.rest();
        let from = top_level(rest, &["from"]).unwrap_or(rest.len());
        let sources = self.sources_of(&rest[(from + 1).min(rest.len())..])?;
        let items = &rest[..top_level(rest, &["into"]).unwrap_or(from).min(from)];
        let mut columns = Vec::new();
        for item in Cursor::new(items).split_commas() {
            columns.extend(self.item(item, &sources)?);
        }
        Some(columns)
    }

    /// The relations after FROM. Joins that merge columns, functions and subqueries are left alone.
    fn sources_of(&self, tokens: &'a [Spanned]) -> Option<Vec<Source>> {
        let mut c = Cursor::new(&tokens[..top_level(tokens, ENDS_FROM).unwrap_or(tokens.len())]);
        let mut sources = Vec::new();
        while !c.is_end() {
            c.eat(&["only"]);
            sources.push(self.source(&mut c)?);
            while !c.is_end() && !starts_source(&mut c) {
                if c.is_any(&["using", "natural"]) {
                    return None;
                }
                c.skip();
            }
        }
        Some(sources)
    }

    fn source(&self, c: &mut Cursor<'a>) -> Option<Source> {
        const NO_ALIAS: &[&str] = &["join", "cross", "inner", "left", "right", "full", "natural", "on", "using"];
        let name = c.name()?;
        let found = self.find(&name)?;
        let Some(Entry::Table(table)) = self.relations.get(&found) else {
            return None;
        };
        if table.kind == TableKind::MaterializedView || matches!(c.peek(0), Some(Token::LParen)) {
            return None;
        }
        let alias = if c.eat(&["as"]) || !c.is_any(NO_ALIAS) { c.ident() } else { None };
        if c.peek(0) == Some(&Token::LParen) {
            return None; // column aliases
        }
        Some((alias.map_or(name.name, |(a, _)| a), table.columns.clone()))
    }

    fn item(&self, mut c: Cursor<'a>, sources: &[Source]) -> Option<Vec<Column>> {
        if c.eat_token(&Token::Mul) {
            return c.is_end().then(|| sources.iter().flat_map(|(_, columns)| columns.clone()).collect());
        }
        let all = c.rest();
        if let [(Token::Word(_), _), (Token::Period, _), (Token::Mul, _)] = all {
            let (relation, _) = c.ident()?;
            return sources.iter().find(|(name, _)| *name == relation).map(|(_, columns)| columns.clone());
        }
        let (value, alias) = match all {
            [value @ .., (Token::Word(word), _), last] if is(word, "as") => {
                (value, Cursor::new(std::slice::from_ref(last)).ident())
            }
            [value @ .., (Token::Word(_), _), last @ (Token::Word(_), _)] => {
                (&all[..value.len() + 1], Cursor::new(std::slice::from_ref(last)).ident())
            }
            _ => (all, None),
        };
        let mut column = self.value(Cursor::new(value), sources)?;
        if let Some((alias, _)) = alias {
            column.name = alias;
        }
        (!column.name.as_str().is_empty()).then(|| vec![column])
    }

    /// A column, a string, or a cast of a single operand.
    fn value(&self, c: Cursor<'a>, sources: &[Source]) -> Option<Column> {
        let mut plain = c;
        if let Some(name) = plain.name() {
            if plain.is_end() {
                let fits = |(relation, _): &&Source| name.schema.as_ref().is_none_or(|s| s == relation);
                let mut columns = sources.iter().filter(fits).flat_map(|(_, columns)| columns);
                return columns.find(|column| column.name == name.name).cloned();
            }
        }
        if let [(Token::SingleQuotedString(_), span)] = c.rest() {
            return Some(anonymous(builtin("text"), *span));
        }
        let tokens = c.rest();
        let cast = tokens.iter().rposition(|(t, _)| *t == Token::DoubleColon)?;
        let mut ty = Cursor::new(&tokens[cast + 1..]);
        let written = types::read(&mut ty, self.sources)?;
        let operand = Cursor::new(&tokens[..cast]);
        if !ty.is_end() || !is_single(operand) {
            return None;
        }
        let name = self.value(operand, sources).map(|column| column.name);
        let unnamed = anonymous(self.sql_type(&written), c.span()?);
        Some(Column { name: name.unwrap_or_else(|| unnamed.name.clone()), ..unnamed })
    }
}

fn is(word: &sqlparser::tokenizer::Word, text: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text)
}

fn builtin(name: &str) -> SqlType {
    SqlType { sql: name.to_owned(), base: name.to_owned(), dimensions: 0, class: TypeClass::Builtin }
}

/// A column whose name comes from an alias.
fn anonymous(ty: SqlType, span: Span) -> Column {
    let name = Ident::new("");
    Column { name, ty, not_null: false, virtual_generated: false, collation: None, statement: 0, span }
}

/// A name, a literal, a group or a call: what a cast binds to as a whole.
fn is_single(mut c: Cursor<'_>) -> bool {
    let named = c.name().is_some();
    let group = c.group().is_some();
    if !named && !group {
        c.bump();
    }
    while c.eat_token(&Token::DoubleColon) {
        if c.name().is_none() {
            return false;
        }
        c.group();
    }
    c.is_end()
}

/// The position of one of these words outside of parentheses.
fn top_level(tokens: &[Spanned], words: &[&str]) -> Option<usize> {
    let mut c = Cursor::new(tokens);
    while !c.is_end() {
        if c.is_any(words) {
            return Some(c.position());
        }
        c.skip();
    }
    None
}

/// Takes a comma or the words of a join.
fn starts_source(c: &mut Cursor<'_>) -> bool {
    let before = *c;
    c.eat_any(&["cross", "inner", "left", "right", "full"]);
    c.eat(&["outer"]);
    if c.eat(&["join"]) {
        return true;
    }
    *c = before;
    c.eat_token(&Token::Comma)
}
