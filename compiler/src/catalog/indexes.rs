//! CREATE INDEX and CREATE RULE.

use sqlparser::tokenizer::Token;

use super::build::{Builder, Entry, RawIndex};
use crate::names::Ident;
use crate::syntax::cursor::{Cursor, word_ident};

/// One element of an index.
enum Element {
    Plain(Ident),
    Expression,
    /// A column under an operator class whose equality is not known to be the type's own.
    OtherClass(Ident),
}

impl<'a> Builder<'a> {
    /// After `CREATE [UNIQUE] INDEX`.
    pub(super) fn create_index(&mut self, mut c: Cursor<'a>, unique: bool) {
        let start = c.position();
        c.eat(&["concurrently"]);
        let if_not_exists = c.eat(&["if", "not", "exists"]);
        let name = if c.is_word(0, "on") { None } else { c.ident().map(|(ident, _)| ident) };
        if !c.eat(&["on"]) {
            return;
        }
        let only = c.eat(&["only"]);
        let Some(table_name) = c.name().and_then(|n| self.find(&n)) else {
            return;
        };
        let method = if c.eat(&["using"]) { c.ident().map(|(i, _)| i) } else { None };
        let Some(elements) = c.group() else { return };
        let tail = c;
        let mut partial = false;
        while !c.is_end() {
            if c.eat(&["where"]) {
                partial = true;
                break;
            }
            c.skip();
        }
        while !c.is_end() {
            c.skip();
        }
        let Some(span) = c.span_from(start) else {
            return;
        };
        let mut index = RawIndex {
            name,
            columns: vec![],
            mentions: vec![],
            method: method.map_or("btree".to_owned(), |m| m.as_str().to_owned()),
            unique,
            partial,
            only,
            weak: partial.then(|| "partial index".to_owned()),
            span,
        };
        read_elements(&elements, &mut index);
        index.mentions = mentioned(&elements, &tail);
        if let Some(Entry::Table(table)) = self.relations.get_mut(&table_name) {
            let exists = if_not_exists && table.indexes.iter().any(|i| i.name.is_some() && i.name == index.name);
            if !exists {
                table.indexes.push(index);
            }
        }
    }

    /// After `CREATE [OR REPLACE] RULE`: `name AS ON event TO table …`.
    pub(super) fn create_rule(&mut self, mut c: Cursor<'a>) {
        let Some((_, span)) = c.ident() else { return };
        while !c.is_end() && !c.eat(&["to"]) {
            c.bump();
        }
        let Some(name) = c.name().and_then(|n| self.find(&n)) else {
            return;
        };
        if let Some(table) = self.table_mut(&name) {
            table.has_rules = Some(span);
        }
    }
}

/// Every name in the elements and behind them; one too many does no harm, because only columns are looked up.
fn mentioned(elements: &Cursor<'_>, tail: &Cursor<'_>) -> Vec<Ident> {
    let words = elements.rest().iter().chain(tail.rest()).filter_map(|(token, _)| match token {
        Token::Word(word) => Some(word_ident(word)),
        _ => None,
    });
    words.collect()
}

fn read_elements(elements: &Cursor<'_>, index: &mut RawIndex) {
    let mut leading = true;
    for part in elements.split_commas() {
        match element(part) {
            Element::Plain(column) if leading => index.columns.push(column),
            Element::Plain(_) => {}
            Element::OtherClass(column) => {
                if leading {
                    index.columns.push(column);
                }
                index.weak.get_or_insert_with(|| "operator class with an equality of its own".to_owned());
            }
            Element::Expression => {
                leading = false;
                index.weak.get_or_insert_with(|| "expression index".to_owned());
            }
        }
    }
}

fn element(mut part: Cursor<'_>) -> Element {
    let Some((column, _)) = part.ident() else {
        return Element::Expression;
    };
    if matches!(part.peek(0), Some(Token::LParen | Token::Period)) {
        return Element::Expression;
    }
    let mut known = true;
    while !part.is_end() {
        if part.eat(&["collate"]) {
            part.name();
        } else if part.eat_any(&["asc", "desc"]) || part.eat(&["nulls", "first"]) || part.eat(&["nulls", "last"]) {
        } else if let Some(class) = part.name() {
            // PostgreSQL's own classes compare bytewise, or as the type's default class does.
            known &= class.name.as_str().ends_with("_ops");
            part.group();
        } else {
            return Element::Expression;
        }
    }
    if known { Element::Plain(column) } else { Element::OtherClass(column) }
}
