//! ALTER and DROP.
//!
//! Changes reach partitions and inheritance children as PostgreSQL carries them there. What is not
//! known here (owners, triggers, policies, storage) changes nothing.

use sqlparser::tokenizer::Token;

use super::build::{Builder, Entry};
use super::raw::{self, RawKind};
use super::types;
use super::{Column, TableKind};
use crate::names::{Ident, QualName};
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

    fn alter_index(&mut self, mut c: Cursor<'a>) {
        c.eat(&["if", "exists"]);
        let Some(name) = c.name() else { return };
        if !c.eat(&["rename", "to"]) {
            return;
        }
        let Some((new, _)) = c.ident() else { return };
        for entry in self.relations.values_mut() {
            let Entry::Table(table) = entry else { continue };
            for index in &mut table.indexes {
                if index.name.as_ref() == Some(&name.name) {
                    index.name = Some(new.clone());
                }
            }
        }
    }

    /// RENAME and SET SCHEMA; whether it was one of them.
    fn rename(&mut self, mut c: Cursor<'a>, name: &QualName) -> bool {
        if c.eat(&["set", "schema"]) {
            if let Some((schema, span)) = c.ident() {
                self.move_relation(name, QualName::new(schema, name.name.clone()), span);
            }
            return true;
        }
        if !c.eat(&["rename"]) {
            return false;
        }
        if c.eat(&["to"]) {
            if let Some((new, span)) = c.ident() {
                self.move_relation(name, QualName::new(name.schema.clone(), new), span);
            }
        } else if c.eat(&["constraint"]) {
            self.rename_constraint(c, name);
        } else {
            c.eat(&["column"]);
            let (Some((old, span)), true) = (c.ident(), c.eat(&["to"])) else {
                return true;
            };
            if let Some((new, _)) = c.ident() {
                self.rename_column(name, &old, &new, span);
            }
        }
        true
    }

    fn rename_constraint(&mut self, mut c: Cursor<'a>, name: &QualName) {
        let (Some((old, _)), true) = (c.ident(), c.eat(&["to"])) else {
            return;
        };
        let (Some((new, _)), Some(table)) = (c.ident(), self.table_mut(name)) else {
            return;
        };
        for constraint in table.constraints.iter_mut().filter(|k| k.name.as_ref() == Some(&old)) {
            constraint.name = Some(new.clone());
        }
    }

    fn move_relation(&mut self, old: &QualName, new: QualName, at: Span) {
        let Some(mut entry) = self.relations.shift_remove(old) else {
            return;
        };
        if let Entry::View(view) = &mut entry {
            view.name = new.clone();
        }
        self.relations.insert(new.clone(), entry);
        for entry in self.relations.values_mut() {
            let Entry::Table(table) = entry else { continue };
            table.parents.iter_mut().filter(|p| *p == old).for_each(|p| *p = new.clone());
            for constraint in &mut table.constraints {
                if let RawKind::Foreign { table, .. } = &mut constraint.kind {
                    if table.schema.as_ref() == Some(&old.schema) && table.name == old.name {
                        table.schema = Some(new.schema.clone());
                        table.name = new.name.clone();
                    }
                }
            }
        }
        if let Some(children) = self.children.shift_remove(old) {
            self.children.insert(new.clone(), children);
        }
        for children in self.children.values_mut() {
            children.iter_mut().filter(|c| *c == old).for_each(|c| *c = new.clone());
        }
        self.renamed(&old.name, at);
    }

    fn rename_column(&mut self, name: &QualName, old: &Ident, new: &Ident, at: Span) {
        if let Some(Entry::View(view)) = self.relations.get(name) {
            let span = view.span;
            let reason = format!("its column `{old}` is renamed after it is defined");
            let entry = super::Unreadable { name: name.clone(), reason, at, span };
            self.relations.insert(name.clone(), Entry::Unreadable(entry));
            return;
        }
        for table in self.with_descendants(name, false) {
            let Some(raw) = self.table_mut(&table) else {
                continue;
            };
            raw.columns.iter_mut().filter(|c| c.name == *old).for_each(|c| c.name = new.clone());
            let lists = raw
                .constraints
                .iter_mut()
                .map(|c| &mut c.columns)
                .chain(raw.indexes.iter_mut().map(|i| &mut i.columns));
            lists.flatten().filter(|c| *c == old).for_each(|c| *c = new.clone());
        }
        for entry in self.relations.values_mut() {
            let Entry::Table(table) = entry else { continue };
            for constraint in &mut table.constraints {
                if let RawKind::Foreign { table, columns } = &mut constraint.kind {
                    if table.schema.as_ref() == Some(&name.schema) && table.name == name.name {
                        columns.iter_mut().filter(|c| *c == old).for_each(|c| *c = new.clone());
                    }
                }
            }
        }
        self.renamed(old, at);
    }

    /// A table and everything below it, or the table alone.
    fn with_descendants(&self, name: &QualName, only: bool) -> Vec<QualName> {
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
                if let (Some((constraint, _)), Some(table)) = (c.ident(), self.table_mut(name)) {
                    table.constraints.retain(|k| k.name.as_ref() != Some(&constraint));
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

    fn add(&mut self, mut c: Cursor<'a>, name: &QualName, only: bool) {
        let column_word = c.eat(&["column"]);
        c.eat(&["if", "not", "exists"]);
        if !column_word && raw::is_constraint(&c) {
            // A constraint that cannot be read proves nothing: at worst a key is missing.
            if let Ok(constraint) = raw::table_constraint(&mut c) {
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

    fn drop_column(&mut self, name: &QualName, column: &Ident, only: bool) {
        for table in self.with_descendants(name, only) {
            let Some(raw) = self.table_mut(&table) else {
                continue;
            };
            raw.columns.retain(|c| c.name != *column);
            raw.constraints.retain(|k| !k.columns.contains(column));
            raw.indexes.retain(|i| !i.columns.contains(column));
        }
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
                let domain = self.type_def(&written).is_some_and(|def| def.not_null);
                let collation = if c.eat(&["collate"]) { c.name() } else { None };
                let collation = collation.map(|n| self.sources.text(n.span).to_owned());
                change = Some(Box::new(move |k| {
                    k.ty = ty.clone();
                    k.not_null |= domain;
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

    /// A detached partition keeps the keys that it had from its parent.
    fn keep_parents_keys(&mut self, parent: &QualName, child: &QualName) {
        let Some(keys) = self.table_mut(parent).map(|t| t.constraints.clone()) else {
            return;
        };
        if let Some(table) = self.table_mut(child) {
            table.constraints.extend(keys);
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

    /// After DROP.
    pub(super) fn drop(&mut self, mut c: Cursor<'a>) {
        c.eat(&["foreign"]);
        let kind = ["table", "view", "index", "type", "domain", "function", "schema", "materialized"]
            .into_iter()
            .find(|kind| c.eat(&[kind]));
        c.eat(&["view"]);
        c.eat(&["concurrently"]);
        c.eat(&["if", "exists"]);
        match kind {
            Some("function") => self.drop_functions(&c),
            Some("schema") => self.drop_schemas(&c),
            Some("index") => self.drop_indexes(&c),
            Some("type" | "domain") => {
                for mut part in c.split_commas() {
                    if let Some(name) = part.name() {
                        let name = self.creation_name(&name);
                        self.catalog.types.shift_remove(&name);
                        self.composites.shift_remove(&name);
                    }
                }
            }
            Some(_) => self.drop_relations(&c),
            None => {}
        }
    }

    fn drop_relations(&mut self, c: &Cursor<'a>) {
        for mut part in c.split_commas() {
            let Some(name) = part.name().and_then(|n| self.find(&n)) else {
                continue;
            };
            self.relations.shift_remove(&name);
            for table in self.with_descendants(&name, false).split_off(1) {
                self.relations.shift_remove(&table);
            }
            self.children.shift_remove(&name);
            for children in self.children.values_mut() {
                children.retain(|c| *c != name);
            }
            self.forget_references(&name);
        }
    }

    /// DROP … CASCADE takes the foreign keys to the table along.
    fn forget_references(&mut self, name: &QualName) {
        for entry in self.relations.values_mut() {
            let Entry::Table(table) = entry else { continue };
            table.constraints.retain(|k| match &k.kind {
                RawKind::Foreign { table, .. } => {
                    table.schema.as_ref() != Some(&name.schema) || table.name != name.name
                }
                _ => true,
            });
        }
    }

    fn drop_schemas(&mut self, c: &Cursor<'a>) {
        for mut part in c.split_commas() {
            let Some((schema, _)) = part.ident() else {
                continue;
            };
            self.relations.retain(|name, _| name.schema != schema);
            self.catalog.types.retain(|name, _| name.schema != schema);
            self.catalog.functions.retain(|name, _| name.schema != schema);
            self.signatures.retain(|name, _| name.schema != schema);
        }
    }

    fn drop_indexes(&mut self, c: &Cursor<'a>) {
        for mut part in c.split_commas() {
            let Some(name) = part.name() else { continue };
            let schema = name.schema.clone();
            for (table, entry) in &mut self.relations {
                let Entry::Table(raw) = entry else { continue };
                if schema.as_ref().is_none_or(|s| *s == table.schema) {
                    raw.indexes.retain(|i| i.name.as_ref() != Some(&name.name));
                }
            }
        }
    }
}
