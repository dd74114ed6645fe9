//! CREATE INDEX and CREATE RULE.

use sqlparser::tokenizer::Token;

use super::build::{Builder, Entry, RawIndex};
use super::restrictions;
use crate::names::Ident;
use crate::syntax::cursor::{Cursor, word_ident};

/// Two rows may be apart to the index that are equal to the column.
pub(super) const OTHER_EQUALITY: &str = "operator class or collation with an equality of its own";

/// One element of an index: a column with how the index compares it where that is written, or an expression.
enum Element {
    Column { name: Ident, collation: Option<Ident>, class: Option<Class> },
    Expression,
}

/// An operator class.
enum Class {
    /// Of one of PostgreSQL's types.
    Known,
    /// Whose equality is not known to be the type's own.
    Other,
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
        let mut condition = None;
        while !c.is_end() && condition.is_none() {
            match c.eat(&["where"]) {
                true => condition = Some(c.rest()),
                false => c.skip(),
            }
        }
        while !c.is_end() {
            c.skip();
        }
        let (partial, columns) = (condition.is_some(), self.table_mut(&table_name).map(|t| t.columns.as_slice()));
        let only_where = condition.zip(columns).and_then(|(condition, columns)| {
            restrictions::of_tokens(condition.iter().map(|(token, _)| token.clone()), columns)
        });
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
            only_where,
            only,
            weak: None,
            collations: vec![],
            classes: vec![],
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
        let Element::Column { name, collation, class } = element(part) else {
            leading = false;
            index.weak.get_or_insert_with(|| "expression index".to_owned());
            continue;
        };
        if matches!(class, Some(Class::Other)) {
            index.weak.get_or_insert_with(|| OTHER_EQUALITY.to_owned());
        }
        index.classes.extend(class.map(|_| name.clone()));
        index.collations.extend(collation.map(|collation| (name.clone(), collation)));
        if leading {
            index.columns.push(name);
        }
    }
}

fn element(mut part: Cursor<'_>) -> Element {
    let Some((name, _)) = part.ident() else {
        return Element::Expression;
    };
    if matches!(part.peek(0), Some(Token::LParen | Token::Period)) {
        return Element::Expression;
    }
    let (mut collation, mut class) = (None, None);
    while !part.is_end() {
        if part.eat(&["collate"]) {
            collation = part.name().map(|n| n.name);
        } else if part.eat_any(&["asc", "desc"]) || part.eat(&["nulls", "first"]) || part.eat(&["nulls", "last"]) {
        } else if let Some(written) = part.name() {
            // PostgreSQL's own classes compare bytewise, or as the type's default class does.
            let is_known = written.name.as_str().ends_with("_ops");
            class = Some(if is_known { Class::Known } else { Class::Other });
            part.group();
        } else {
            return Element::Expression;
        }
    }
    Element::Column { name, collation, class }
}
