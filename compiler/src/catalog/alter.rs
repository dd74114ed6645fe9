//! ALTER.
//!
//! Changes reach partitions and inheritance children as PostgreSQL carries them there. What is not
//! known here (owners, triggers, storage) changes nothing.

use sqlparser::tokenizer::Token;

use super::build::{Builder, Entry};
use super::raw;
use super::types;
use super::{Column, RowSecurity, TableKind};
use crate::names::QualName;
use crate::source::Span;
use crate::syntax::cursor::Cursor;

/// What ALTER COLUMN does, to the table's column and its descendants'.
type ColumnChange = Box<dyn Fn(&mut Column)>;

impl<'a> Builder<'a> {
    /// After ALTER.
    pub(super) fn alter(&mut self, mut c: Cursor<'a>) {
        c.eat(&["foreign"]);
        match () {
            () if c.eat(&["function"]) || c.eat(&["routine"]) => self.alter_function(c),
            () if c.eat(&["index"]) => self.alter_index(c),
            () if c.eat(&["type"]) => self.alter_type(c),
            () if c.eat(&["domain"]) => self.alter_domain(c),
            () if c.eat(&["schema"]) => self.alter_schema(c),
            () if c.eat(&["table"]) || c.eat(&["view"]) || c.eat(&["materialized", "view"]) => self.alter_relation(c),
            () => {}
        }
    }

    /// After ALTER TABLE, VIEW or MATERIALIZED VIEW.
    fn alter_relation(&mut self, mut c: Cursor<'a>) {
        c.eat(&["if", "exists"]);
        let only = c.eat(&["only"]);
        let Some(name) = c.name().and_then(|n| self.find(&n)) else {
            return;
        };
        c.eat_token(&Token::Mul);
        for action in c.split_commas() {
            if self.rename(action, &name) {
                return;
            }
            self.action(action, &name, only);
        }
    }

    /// A table and everything below it, or the table alone.
    pub(super) fn with_descendants(&self, name: &QualName, only: bool) -> Vec<QualName> {
        let mut all = vec![name.clone()];
        let mut at = 0;
        while at < all.len() && !only {
            if let Some(children) = self.children.get(&all[at]) {
                let new: Vec<QualName> = children.iter().filter(|c| !all.contains(c)).cloned().collect();
                all.extend(new);
            }
            at += 1;
        }
        all
    }

    fn action(&mut self, mut c: Cursor<'a>, name: &QualName, only: bool) {
        match () {
            () if c.eat(&["add"]) => self.add(c, name, only),
            () if c.eat(&["drop", "constraint"]) => {
                c.eat(&["if", "exists"]);
                if let Some((constraint, _)) = c.ident() {
                    self.drop_constraint(name, &constraint);
                }
            }
            () if c.eat(&["drop", "column"]) || c.eat(&["drop"]) => {
                c.eat(&["if", "exists"]);
                if let Some((column, _)) = c.ident() {
                    self.drop_column(name, &column, only);
                }
            }
            () if c.eat(&["alter", "constraint"]) => self.alter_constraint(c, name),
            () if c.eat(&["alter", "column"]) || c.eat(&["alter"]) => self.alter_column(c, name, only),
            () if c.eat(&["validate", "constraint"]) => {
                if let (Some((constraint, _)), Some(table)) = (c.ident(), self.table_mut(name)) {
                    let found = table.constraints.iter_mut().filter(|k| k.name.as_ref() == Some(&constraint));
                    found.for_each(|k| k.not_valid = false);
                }
            }
            () if c.eat(&["enable", "row", "level"]) => self.row_security(c, name, |on, at| on.enabled = Some(at)),
            () if c.eat(&["disable", "row", "level"]) => self.row_security(c, name, |on, _| on.enabled = None),
            () if c.eat(&["force", "row", "level"]) => self.row_security(c, name, |on, at| on.forced = Some(at)),
            () if c.eat(&["no", "force", "row", "level"]) => self.row_security(c, name, |on, _| on.forced = None),
            () if c.eat(&["attach", "partition"]) => self.attach(c, name, TableKind::Partition),
            () if c.eat(&["detach", "partition"]) => self.detach(c, name),
            () if c.eat(&["inherit"]) => self.inherit_later(c, name),
            () if c.eat(&["no", "inherit"]) => {
                if let Some(parent) = c.name().and_then(|n| self.find(&n)) {
                    self.unlink(&parent, name);
                }
            }
            () => {}
        }
    }

    /// After `ENABLE ROW LEVEL` and the like.
    fn row_security(&mut self, c: Cursor<'a>, name: &QualName, switch: impl FnOnce(&mut RowSecurity, Span)) {
        if let (Some(table), Some(at)) = (self.table_mut(name), c.span()) {
            switch(&mut table.row_security, at);
        }
    }

    fn add(&mut self, mut c: Cursor<'a>, name: &QualName, only: bool) {
        let column_word = c.eat(&["column"]);
        c.eat(&["if", "not", "exists"]);
        if !column_word && raw::is_constraint(&c) {
            // A constraint that cannot be read proves nothing: at worst a key is missing.
            if let Ok(mut constraint) = raw::table_constraint(&mut c) {
                constraint.only = only;
                self.on_table(name, |builder, name, table| builder.add_constraint(name, table, constraint));
            }
            return;
        }
        match raw::column(&mut c, self.sources) {
            Ok((column, constraints)) => {
                for table in self.with_descendants(name, only) {
                    let column = self.column(column.clone());
                    let Some(raw) = self.table_mut(&table) else {
                        continue;
                    };
                    if raw.columns.iter().any(|k| k.name == column.name) {
                        continue;
                    }
                    raw.columns.push(column);
                }
                self.on_table(name, |builder, name, table| {
                    constraints.into_iter().for_each(|k| builder.add_constraint(name, table, k));
                });
            }
            Err((reason, at)) => self.give_up(name, format!("ALTER TABLE … ADD: {reason}"), at),
        }
    }

    /// A table that was changed in a way that could not be read is no longer known.
    fn give_up(&mut self, name: &QualName, reason: String, at: Option<Span>) {
        let Some(Entry::Table(table)) = self.relations.get(name) else {
            return;
        };
        let span = table.span;
        let entry = super::Unreadable { name: name.clone(), reason, at: at.unwrap_or(span), span };
        self.relations.insert(name.clone(), Entry::Unreadable(entry));
    }

    /// Runs with the table taken out, so that the builder can be asked meanwhile.
    fn on_table(&mut self, name: &QualName, change: impl FnOnce(&mut Self, &QualName, &mut super::build::RawTable)) {
        let Some(Entry::Table(table)) = self.relations.get_mut(name) else {
            return;
        };
        let mut table = table.clone();
        change(self, name, &mut table);
        self.relations.insert(name.clone(), Entry::Table(table));
    }

    fn alter_constraint(&mut self, mut c: Cursor<'a>, name: &QualName) {
        let (Some((constraint, _)), Some(table)) = (c.ident(), self.table_mut(name)) else {
            return;
        };
        for found in table.constraints.iter_mut().filter(|k| k.name.as_ref() == Some(&constraint)) {
            let mut rest = c;
            while !rest.is_end() {
                match () {
                    () if rest.eat(&["not", "deferrable"]) => found.deferrable = false,
                    () if rest.eat(&["deferrable"]) || rest.eat(&["initially", "deferred"]) => found.deferrable = true,
                    () if rest.eat(&["not", "enforced"]) => found.not_enforced = true,
                    () if rest.eat(&["enforced"]) => found.not_enforced = false,
                    () => rest.skip(),
                }
            }
        }
    }

    fn alter_column(&mut self, mut c: Cursor<'a>, name: &QualName, only: bool) {
        let Some((column, _)) = c.ident() else { return };
        let mut change: Option<ColumnChange> = None;
        match () {
            () if c.eat(&["set", "not", "null"]) => change = Some(Box::new(|k| k.not_null = true)),
            () if c.eat(&["drop", "not", "null"]) => change = Some(Box::new(|k| k.not_null = false)),
            () if c.eat(&["drop", "expression"]) => change = Some(Box::new(|k| k.virtual_generated = false)),
            () if c.eat(&["set", "data", "type"]) || c.eat(&["type"]) => {
                let Some(written) = types::read(&mut c, self.sources) else {
                    return self.give_up(name, "ALTER COLUMN TYPE: expected a type".to_owned(), c.span());
                };
                let ty = self.sql_type(&written);
                let collation = if c.eat(&["collate"]) { c.name() } else { None };
                let collation = collation.map(|n| self.sources.text(n.span).to_owned());
                change = Some(Box::new(move |k| {
                    k.ty = ty.clone();
                    k.collation = collation.clone();
                }));
            }
            () => {}
        }
        let Some(change) = change else { return };
        for table in self.with_descendants(name, only) {
            if let Some(raw) = self.table_mut(&table) {
                raw.columns.iter_mut().filter(|k| k.name == column).for_each(&change);
            }
        }
    }

    fn attach(&mut self, mut c: Cursor<'a>, parent: &QualName, kind: TableKind) {
        let Some(child) = c.name().and_then(|n| self.find(&n)) else {
            return;
        };
        let Some(table) = self.table_mut(&child) else {
            return;
        };
        if table.kind == TableKind::Ordinary {
            table.kind = kind;
        }
        if !table.parents.contains(parent) {
            table.parents.push(parent.clone());
            self.children.entry(parent.clone()).or_default().push(child);
        }
    }

    fn inherit_later(&mut self, mut c: Cursor<'a>, child: &QualName) {
        let Some(parent) = c.name().and_then(|n| self.find(&n)) else {
            return;
        };
        let Some(table) = self.table_mut(child) else {
            return;
        };
        if table.kind == TableKind::Ordinary {
            table.kind = TableKind::InheritanceChild;
        }
        table.parents.push(parent.clone());
        self.children.entry(parent).or_default().push(child.clone());
    }

    fn detach(&mut self, mut c: Cursor<'a>, parent: &QualName) {
        if let Some(child) = c.name().and_then(|n| self.find(&n)) {
            self.keep_parents_keys(parent, &child);
            self.unlink(parent, &child);
        }
    }

    /// A detached partition keeps the keys and indexes that it had from its parent.
    fn keep_parents_keys(&mut self, parent: &QualName, child: &QualName) {
        let Some((keys, indexes)) = self.table_mut(parent).map(|t| (t.constraints.clone(), t.indexes.clone())) else {
            return;
        };
        if let Some(table) = self.table_mut(child) {
            table.constraints.extend(keys.into_iter().filter(|k| !k.only));
            table.indexes.extend(indexes.into_iter().filter(|i| !i.only));
        }
    }

    fn unlink(&mut self, parent: &QualName, child: &QualName) {
        if let Some(children) = self.children.get_mut(parent) {
            children.retain(|c| c != child);
        }
        let Some(table) = self.table_mut(child) else {
            return;
        };
        table.parents.retain(|p| p != parent);
        if table.parents.is_empty() && matches!(table.kind, TableKind::Partition | TableKind::InheritanceChild) {
            table.kind = TableKind::Ordinary;
        }
    }
}
