//! What of the source is not applied to a database before its migration.
//!
//! In: statements, each after the catalog has read it. Out: the places of those that wait: definitions of tviews that
//! are written as tables or materialized views, views that read one of these, whatever else names one (indexes, grants,
//! comments, changes), and views that the context has already. The migration makes of them what it needs. A statement
//! that names none of them is never among them.

use std::ops::ControlFlow;

use sqlparser::ast::Query;
use sqlparser::tokenizer::Token;

use super::build::{Builder, Entry};
use super::drop::parsed_ident;
use crate::names::{Ident, QualName};
use crate::syntax::cursor::{Cursor, Spanned, WrittenName};
use crate::syntax::{Statement, StatementKind, view};

impl<'a> Builder<'a> {
    /// Before a statement is read: whether it makes a view that the context has. The migration replaces that one.
    pub(super) fn is_in_context(&self, statement: &Statement) -> bool {
        let Some(name) = made(statement).filter(|_| !self.is_context(statement)) else { return false };
        match self.relations.get(&self.creation_name(&name)) {
            Some(Entry::View(view)) => self.sources.file(view.span.file).context_only && !replaces(statement),
            _ => false,
        }
    }

    /// After a statement was read.
    pub(super) fn note_waiting(&mut self, statement: &'a Statement, in_context: bool) {
        if in_context || self.define(statement) || self.reads_waiting(statement) || self.names_waiting(statement) {
            self.catalog.waiting.push(statement.span);
        }
    }

    /// Whether it defines a tview. The name as written and that of its view are awaited then.
    fn define(&mut self, statement: &Statement) -> bool {
        let Some(written) = made(statement).map(|name| self.creation_name(&name)) else { return false };
        let of_table = written.name.as_str().strip_prefix("tv_").map(|stem| Ident::new(format!("v_{stem}")));
        let of_table = of_table.map(|name| QualName::new(written.schema.clone(), name));
        let here = self.statement;
        let is_made_here = |name: &QualName| match self.relations.get(name) {
            Some(Entry::View(view)) => view.is_definition && view.statement == here,
            _ => false,
        };
        let defined = of_table.into_iter().chain([written.clone()]).find(is_made_here);
        let defines = defined.is_some();
        self.awaited.extend(defined.into_iter().flat_map(|name| [name, written.clone()]));
        defines
    }

    /// Whether it is a view that reads what is not there yet, so that it is not there yet itself.
    fn reads_waiting(&mut self, statement: &Statement) -> bool {
        let (Some(name), StatementKind::Parsed(query)) = (made(statement), &statement.kind) else { return false };
        let waits = !self.awaited.is_empty() && self.mentions_awaited(query);
        if waits {
            let name = self.creation_name(&name);
            self.awaited.insert(name);
        }
        waits
    }

    fn mentions_awaited(&self, query: &Query) -> bool {
        let found = sqlparser::ast::visit_relations(query, |mention| {
            let parts: Option<Vec<Ident>> = mention.0.iter().map(|p| p.as_ident().map(parsed_ident)).collect();
            let awaited = match parts.as_deref() {
                Some([.., schema, name]) => self.is_awaited(Some(schema), name),
                Some([name]) => self.is_awaited(None, name),
                _ => false,
            };
            if awaited { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found.is_break()
    }

    /// Whether it changes or describes what is not there yet, and what it makes of it.
    fn names_waiting(&mut self, statement: &'a Statement) -> bool {
        if self.awaited.is_empty() {
            return false;
        }
        let Some(target) = targets(&statement.tokens).into_iter().find(|t| self.is_awaited_name(t)) else {
            return false;
        };
        let mut c = Cursor::new(&statement.tokens);
        match () {
            () if c.eat(&["create"]) => {
                let index = index_name(c).map(|name| QualName::new(self.schema_of(&target), name));
                self.awaited.extend(index);
            }
            () if c.eat(&["alter"]) => {
                let moved = moved(&statement.tokens, &self.schema_of(&target), &target.name);
                self.awaited.extend(moved);
            }
            () if c.eat(&["drop"]) => {
                let gone = QualName::new(self.schema_of(&target), target.name.clone());
                self.awaited.shift_remove(&gone);
            }
            () => {}
        }
        true
    }

    fn is_awaited_name(&self, name: &WrittenName) -> bool {
        self.is_awaited(name.schema.as_ref(), &name.name)
    }

    fn is_awaited(&self, schema: Option<&Ident>, name: &Ident) -> bool {
        let at = |schema: &Ident| QualName::new(schema.clone(), name.clone());
        let known = |name: &QualName| self.awaited.contains(name) || self.relations.contains_key(name);
        let found = match schema {
            Some(schema) => Some(at(schema)),
            None => self.search_path.iter().map(at).find(known),
        };
        found.is_some_and(|name| self.awaited.contains(&name))
    }

    /// The schema that a name which is awaited is in.
    fn schema_of(&self, name: &WrittenName) -> Ident {
        let holds = |schema: &&Ident| self.is_awaited(Some(schema), &name.name);
        let found = name.schema.as_ref().or_else(|| self.search_path.iter().find(holds));
        found.cloned().unwrap_or_else(|| Ident::new("public"))
    }

    fn is_context(&self, statement: &Statement) -> bool {
        self.sources.file(statement.span.file).context_only
    }
}

/// The relation that a view definition makes.
fn made(statement: &Statement) -> Option<WrittenName> {
    if !view::is_view(&statement.tokens) {
        return None;
    }
    view::head(&statement.tokens).ok().map(|head| head.name)
}

fn replaces(statement: &Statement) -> bool {
    view::head(&statement.tokens).is_ok_and(|head| head.or_replace)
}

/// The relations that a statement changes or describes, other than those whose rows it writes.
fn targets(tokens: &[Spanned]) -> Vec<WrittenName> {
    let mut c = Cursor::new(tokens);
    match () {
        () if c.eat(&["create"]) => match () {
            () if c.is_any(&["unique", "index", "trigger", "policy"]) => after_word(c, "on"),
            () if c.eat(&["rule"]) => after_word(c, "to"),
            () if c.eat(&["statistics"]) => after_word(c, "from"),
            () => Vec::new(),
        },
        () if c.eat(&["comment", "on", "column"]) => owner_of_column(c).into_iter().collect(),
        () if c.eat(&["comment", "on"]) => {
            let of_another = after_word(c, "on");
            if of_another.is_empty() { relations(c) } else { of_another }
        }
        () if c.eat_any(&["grant", "revoke"]) => after_word(c, "on"),
        () if c.eat_any(&["alter", "drop", "refresh", "analyze", "cluster"]) => relations(c),
        () => Vec::new(),
    }
}

/// The names that stand behind the first such word.
fn after_word(mut c: Cursor<'_>, word: &str) -> Vec<WrittenName> {
    while !c.is_end() {
        if c.eat(&[word]) {
            return relations(c);
        }
        c.skip();
    }
    Vec::new()
}

/// The names of a list, behind the kind of what is named.
fn relations(mut c: Cursor<'_>) -> Vec<WrittenName> {
    const KINDS: &[&str] = &["foreign", "table", "materialized", "view", "index", "concurrently", "verbose"];
    c.group();
    while c.eat_any(KINDS) || c.eat(&["if", "exists"]) || c.eat(&["only"]) {}
    let mut names = Vec::new();
    loop {
        names.extend(c.name());
        if !c.eat_token(&Token::Comma) {
            return names;
        }
    }
}

/// The relation in `relation.column`.
fn owner_of_column(mut c: Cursor<'_>) -> Option<WrittenName> {
    let mut parts = vec![c.ident()?];
    while c.eat_token(&Token::Period) {
        parts.push(c.ident()?);
    }
    parts.pop();
    let (name, span) = parts.pop()?;
    Some(WrittenName { schema: parts.pop().map(|(schema, _)| schema), name, span })
}

/// The name of an index, behind CREATE.
fn index_name(mut c: Cursor<'_>) -> Option<Ident> {
    c.eat(&["unique"]);
    if !c.eat(&["index"]) {
        return None;
    }
    c.eat(&["concurrently"]);
    c.eat(&["if", "not", "exists"]);
    if c.is_word(0, "on") { None } else { c.ident().map(|(name, _)| name) }
}

/// What a relation is called after RENAME TO or SET SCHEMA.
fn moved(tokens: &[Spanned], schema: &Ident, name: &Ident) -> Option<QualName> {
    let mut c = Cursor::new(tokens);
    while !c.is_end() {
        if c.eat(&["rename", "to"]) {
            return c.ident().map(|(new, _)| QualName::new(schema.clone(), new));
        }
        if c.eat(&["set", "schema"]) {
            return c.ident().map(|(new, _)| QualName::new(new, name.clone()));
        }
        c.skip();
    }
    None
}
