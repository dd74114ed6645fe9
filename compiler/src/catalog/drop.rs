//! DROP, and what CASCADE takes along.

use std::ops::ControlFlow;

use super::build::{Builder, Entry};
use super::raw::{RawConstraint, RawKind};
use crate::names::{Ident, QualName, truncate};
use crate::syntax::cursor::Cursor;

impl<'a> Builder<'a> {
    /// After DROP.
    pub(super) fn drop(&mut self, mut c: Cursor<'a>) {
        c.eat(&["foreign"]);
        let kind = ["table", "view", "index", "type", "domain", "function", "routine", "schema", "materialized"]
            .into_iter()
            .find(|kind| c.eat(&[kind]));
        c.eat(&["view"]);
        c.eat(&["concurrently"]);
        c.eat(&["if", "exists"]);
        match kind {
            Some("function" | "routine") => self.drop_functions(&c),
            Some("schema") => self.drop_schemas(&c),
            Some("index") => self.drop_indexes(&c),
            Some("type" | "domain") => {
                for mut part in c.split_commas() {
                    if let Some((name, _)) = part.name().and_then(|n| self.find_type(&n)) {
                        self.drop_type(&name);
                    }
                }
            }
            Some(_) => {
                for mut part in c.split_commas() {
                    if let Some(name) = part.name().and_then(|n| self.find(&n)) {
                        self.drop_relation(&name);
                    }
                }
            }
            None => {}
        }
    }

    /// A statement that PostgreSQL accepts drops only what nothing depends on, or CASCADE takes that along.
    fn drop_relation(&mut self, name: &QualName) {
        let all = self.with_descendants(name, false);
        self.drop_readers(&all);
        for table in &all {
            self.relations.shift_remove(table);
            self.children.shift_remove(table);
        }
        for children in self.children.values_mut() {
            children.retain(|c| !all.contains(c));
        }
        for table in &all {
            self.drop_references(table, |_| true);
        }
    }

    /// Views that read one of these relations, and the views that read those.
    fn drop_readers(&mut self, dropped: &[QualName]) {
        let mut queue = dropped.to_vec();
        while let Some(name) = queue.pop() {
            let readers: Vec<QualName> =
                self.relations.keys().filter(|reader| self.reads(reader, &name)).cloned().collect();
            for reader in readers {
                self.relations.shift_remove(&reader);
                queue.push(reader);
            }
        }
    }

    fn reads(&self, reader: &QualName, name: &QualName) -> bool {
        let Some(Entry::View(view)) = self.relations.get(reader) else {
            return false;
        };
        let found = sqlparser::ast::visit_relations(&*view.query, |mention| {
            let parts: Option<Vec<Ident>> = mention.0.iter().map(|p| p.as_ident().map(parsed_ident)).collect();
            let Some(parts) = parts else {
                return ControlFlow::Continue(());
            };
            let same = match parts.as_slice() {
                [.., schema, last] => *schema == name.schema && *last == name.name,
                [last] if *last == name.name => {
                    let visible =
                        |schema: &&Ident| self.relations.contains_key(&QualName::new((*schema).clone(), last.clone()));
                    view.search_path.iter().find(visible) == Some(&name.schema)
                }
                _ => false,
            };
            if same { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found.is_break()
    }

    /// Foreign keys to a table.
    fn drop_references(&mut self, name: &QualName, which: impl Fn(&[Ident]) -> bool) {
        for entry in self.relations.values_mut() {
            let Entry::Table(table) = entry else { continue };
            table.constraints.retain(|k| match &k.kind {
                RawKind::Foreign { table, columns, .. } => {
                    table.schema.as_ref() != Some(&name.schema) || table.name != name.name || !which(columns)
                }
                _ => true,
            });
        }
    }

    /// ALTER TABLE … DROP CONSTRAINT.
    pub(super) fn drop_constraint(&mut self, name: &QualName, constraint: &Ident) {
        for table in self.with_descendants(name, false) {
            let Some(raw) = self.table_mut(&table) else { continue };
            let is_it = |k: &RawConstraint| k.name.as_ref() == Some(constraint);
            let Some(dropped) = raw.constraints.iter().find(|k| is_it(k)).cloned() else {
                continue;
            };
            raw.constraints.retain(|k| !is_it(k));
            match dropped.kind {
                RawKind::NotNull => {
                    let required = |column: &Ident| {
                        let primary =
                            |k: &RawConstraint| matches!(k.kind, RawKind::Primary) && k.columns.contains(column);
                        raw.constraints.iter().any(primary)
                    };
                    let free: Vec<Ident> = dropped.columns.into_iter().filter(|c| !required(c)).collect();
                    raw.columns.iter_mut().filter(|c| free.contains(&c.name)).for_each(|c| c.not_null = false);
                }
                RawKind::Primary => self.drop_references(&table, |r| r.is_empty() || same_set(r, &dropped.columns)),
                RawKind::Unique => self.drop_references(&table, |r| !r.is_empty() && same_set(r, &dropped.columns)),
                _ => {}
            }
        }
    }

    /// ALTER TABLE … DROP COLUMN.
    pub(super) fn drop_column(&mut self, name: &QualName, column: &Ident, only: bool) {
        for table in self.with_descendants(name, only) {
            let Some(raw) = self.table_mut(&table) else {
                continue;
            };
            let primary =
                raw.constraints.iter().any(|k| matches!(k.kind, RawKind::Primary) && k.columns.contains(column));
            raw.columns.retain(|c| c.name != *column);
            raw.constraints.retain(|k| !k.columns.contains(column));
            raw.indexes.retain(|i| !i.mentions.contains(column));
            self.drop_references(&table, |r| if r.is_empty() { primary } else { r.contains(column) });
        }
    }

    fn drop_type(&mut self, name: &QualName) {
        self.catalog.types.shift_remove(name);
        self.composites.shift_remove(name);
        let sql = name.sql();
        let mut gone: Vec<(QualName, Ident)> = Vec::new();
        for (table, entry) in &self.relations {
            if let Entry::Table(raw) = entry {
                let columns = raw.columns.iter().filter(|c| c.ty.base == sql);
                gone.extend(columns.map(|c| (table.clone(), c.name.clone())));
            }
        }
        gone.iter().for_each(|(table, column)| self.drop_column(table, column, true));
    }

    fn drop_schemas(&mut self, c: &Cursor<'a>) {
        for mut part in c.split_commas() {
            let Some((schema, _)) = part.ident() else {
                continue;
            };
            let inside = |name: &&QualName| name.schema == schema;
            let relations: Vec<QualName> = self.relations.keys().filter(inside).cloned().collect();
            let types: Vec<QualName> = self.catalog.types.keys().filter(inside).cloned().collect();
            relations.iter().for_each(|name| self.drop_relation(name));
            types.iter().for_each(|name| self.drop_type(name));
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

fn same_set(a: &[Ident], b: &[Ident]) -> bool {
    a.len() == b.len() && a.iter().all(|x| b.contains(x))
}

pub(super) fn parsed_ident(ident: &sqlparser::ast::Ident) -> Ident {
    match ident.quote_style {
        Some(_) => Ident::new(truncate(&ident.value)),
        None => Ident::fold(&ident.value),
    }
}
