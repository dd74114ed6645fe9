//! RENAME and SET SCHEMA, of relations, columns, constraints, types and schemas.
//!
//! Everything that refers to the old name follows, as in PostgreSQL; only views, which are kept by their text, cannot.

use super::build::{Builder, Entry, RawIndex};
use super::raw::RawKind;
use super::{SqlType, TypeClass};
use crate::names::{Ident, QualName};
use crate::source::Span;
use crate::syntax::cursor::Cursor;

impl<'a> Builder<'a> {
    pub(super) fn alter_index(&mut self, mut c: Cursor<'a>) {
        c.eat(&["if", "exists"]);
        let Some(name) = c.name() else { return };
        if c.eat(&["attach", "partition"]) {
            self.attached.insert(self.creation_name(&name));
            return;
        }
        if !c.eat(&["rename", "to"]) {
            return;
        }
        let Some((new, _)) = c.ident() else { return };
        for entry in self.relations.values_mut() {
            let Entry::Table(table) = entry else { continue };
            let indexes = table.indexes.iter_mut().map(|i| &mut i.name);
            // The index behind a constraint has its name, and both are renamed together.
            let names = indexes.chain(table.constraints.iter_mut().map(|k| &mut k.name));
            names.filter(|n| n.as_ref() == Some(&name.name)).for_each(|n| *n = Some(new.clone()));
        }
    }

    /// RENAME and SET SCHEMA; whether it was one of them.
    pub(super) fn rename(&mut self, mut c: Cursor<'a>, name: &QualName) -> bool {
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
        self.relocate(old, new);
        self.renamed(&old.name, at);
    }

    /// Gives a relation another name, and to all that refer to it.
    fn relocate(&mut self, old: &QualName, new: QualName) {
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
        self.retype(old, &new);
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
            let names = raw.constraints.iter_mut().flat_map(|c| &mut c.columns);
            let names = names.chain(raw.indexes.iter_mut().flat_map(RawIndex::names_of_columns));
            names.filter(|c| *c == old).for_each(|c| *c = new.clone());
        }
        for entry in self.relations.values_mut() {
            let Entry::Table(table) = entry else { continue };
            for constraint in &mut table.constraints {
                if let RawKind::Foreign { table, columns, .. } = &mut constraint.kind {
                    if table.schema.as_ref() == Some(&name.schema) && table.name == name.name {
                        columns.iter_mut().filter(|c| *c == old).for_each(|c| *c = new.clone());
                    }
                }
            }
        }
        self.renamed(old, at);
    }

    /// After ALTER TYPE: RENAME, SET SCHEMA, and what changes a composite type.
    pub(super) fn alter_type(&mut self, mut c: Cursor<'a>) {
        let Some(name) = c.name().and_then(|n| self.find_type(&n)).map(|(name, _)| name) else {
            return;
        };
        if self.rename_type(&mut c, &name) {
            return;
        }
        for action in c.split_commas() {
            self.alter_attribute(action, &name);
        }
    }

    /// After ALTER DOMAIN.
    pub(super) fn alter_domain(&mut self, mut c: Cursor<'a>) {
        let Some(name) = c.name().and_then(|n| self.find_type(&n)).map(|(name, _)| name) else {
            return;
        };
        if self.rename_type(&mut c, &name) {
            return;
        }
        let not_null = match () {
            () if c.eat(&["set", "not", "null"]) => true,
            () if c.eat(&["drop", "not", "null"]) => false,
            () => return,
        };
        if let Some(def) = self.catalog.types.get_mut(&name) {
            def.not_null = not_null;
        }
    }

    /// RENAME TO or SET SCHEMA of a type or domain; whether it was one of them.
    fn rename_type(&mut self, c: &mut Cursor<'a>, name: &QualName) -> bool {
        let new = match () {
            () if c.eat(&["rename", "to"]) => c.ident().map(|(new, _)| QualName::new(name.schema.clone(), new)),
            () if c.eat(&["set", "schema"]) => c.ident().map(|(schema, _)| QualName::new(schema, name.name.clone())),
            () => return false,
        };
        if let Some(new) = new {
            self.move_type(name, new);
        }
        true
    }

    fn move_type(&mut self, old: &QualName, new: QualName) {
        if let Some(mut def) = self.catalog.types.shift_remove(old) {
            def.name = new.clone();
            self.catalog.types.insert(new.clone(), def);
        }
        if let Some(attributes) = self.composites.shift_remove(old) {
            self.composites.insert(new.clone(), attributes);
        }
        self.retype(old, &new);
    }

    /// Columns, attributes and domains of a renamed type.
    fn retype(&mut self, old: &QualName, new: &QualName) {
        let (old, new) = (old.sql(), new.sql());
        let tables = self.relations.values_mut().filter_map(|entry| match entry {
            Entry::Table(table) => Some(&mut table.columns),
            _ => None,
        });
        tables.chain(self.composites.values_mut()).flatten().for_each(|column| retyped(&mut column.ty, &old, &new));
        for def in self.catalog.types.values_mut() {
            if let TypeClass::Domain(below) = &mut def.class {
                retyped(below, &old, &new);
            }
        }
    }

    fn alter_attribute(&mut self, mut c: Cursor<'a>, name: &QualName) {
        let Some(mut attributes) = self.composites.get(name).cloned() else {
            return;
        };
        let position = |attributes: &[super::Column], name: &Ident| attributes.iter().position(|a| a.name == *name);
        match () {
            () if c.eat(&["rename", "attribute"]) => {
                let old = c.ident().and_then(|(old, _)| position(&attributes, &old));
                c.eat(&["to"]);
                if let (Some(at), Some((new, _))) = (old, c.ident()) {
                    attributes[at].name = new;
                }
            }
            () if c.eat(&["add", "attribute"]) => {
                if let Some(attribute) = self.attribute(&mut c) {
                    attributes.push(attribute);
                }
            }
            () if c.eat(&["drop", "attribute"]) => {
                c.eat(&["if", "exists"]);
                if let Some(at) = c.ident().and_then(|(old, _)| position(&attributes, &old)) {
                    attributes.remove(at);
                }
            }
            () if c.eat(&["alter", "attribute"]) => {
                let at = c.ident().and_then(|(old, _)| position(&attributes, &old));
                c.eat(&["set", "data"]);
                c.eat(&["type"]);
                let ty = super::types::read(&mut c, self.sources);
                if let (Some(at), Some(ty)) = (at, ty) {
                    attributes[at].ty = self.sql_type(&ty);
                }
            }
            () => return,
        }
        self.composites.insert(name.clone(), attributes);
    }

    /// After ALTER SCHEMA: `old RENAME TO new`.
    pub(super) fn alter_schema(&mut self, mut c: Cursor<'a>) {
        let Some((old, span)) = c.ident() else { return };
        if !c.eat(&["rename", "to"]) {
            return;
        }
        let Some((new, _)) = c.ident() else { return };
        let inside = |name: &&QualName| name.schema == old;
        let moved = |name: &QualName| QualName::new(new.clone(), name.name.clone());
        let relations: Vec<QualName> = self.relations.keys().filter(inside).cloned().collect();
        let types: Vec<QualName> = self.catalog.types.keys().filter(inside).cloned().collect();
        let functions: Vec<QualName> = self.catalog.functions.keys().filter(inside).cloned().collect();
        types.iter().for_each(|name| self.move_type(name, moved(name)));
        relations.iter().for_each(|name| self.relocate(name, moved(name)));
        functions.iter().for_each(|name| self.move_function(name, moved(name)));
        for entry in self.relations.values_mut() {
            if let Entry::View(view) = entry {
                view.search_path.iter_mut().filter(|s| **s == old).for_each(|s| *s = new.clone());
            }
        }
        self.renamed(&old, span);
    }
}

fn retyped(ty: &mut SqlType, old: &str, new: &str) {
    if ty.base == old {
        ty.sql = format!("{new}{}", &ty.sql[old.len()..]);
        ty.base = new.to_owned();
    }
    if let TypeClass::Domain(below) = &mut ty.class {
        retyped(below, old, new);
    }
}
