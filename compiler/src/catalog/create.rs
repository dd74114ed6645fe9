//! CREATE TABLE and CREATE VIEW.

use std::sync::Arc;

use super::build::{Builder, Entry, RawIndex, RawTable};
use super::raw::{self, RawColumn, RawConstraint, RawKind, Unread};
use super::types::WrittenType;
use super::{Column, TableKind, View};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::{Ident, QualName};
use crate::source::Span;
use crate::syntax::cursor::{Cursor, WrittenName};
use crate::syntax::{Statement, StatementKind, view};

/// What PostgreSQL allows.
const MAX_COLUMNS: usize = 1_600;

impl<'a> Builder<'a> {
    pub(super) fn create_table(&mut self, mut c: Cursor<'a>, temporary: bool, foreign: bool) {
        let if_not_exists = c.eat(&["if", "not", "exists"]);
        let Some(written) = c.name() else { return };
        let name = match temporary {
            true => QualName::new(Ident::new("pg_temp"), written.name.clone()),
            false => self.creation_name(&written),
        };
        if if_not_exists && self.relations.contains_key(&name) {
            return;
        }
        let kind = match (temporary, foreign) {
            (true, _) => TableKind::Temporary,
            (_, true) => TableKind::Foreign,
            _ => TableKind::Ordinary,
        };
        if let Some((names, query)) = self.as_query(&c) {
            return match self.table_of_query(&names, &query, kind, written.span) {
                Ok(table) => self.declare(name, Entry::Table(table), false),
                Err((reason, at)) => self.unreadable(name, written.span, reason, at),
            };
        }
        let mut table = RawTable::new(kind, vec![], written.span);
        match self.table_body(&mut c, &name, &mut table) {
            Ok(()) => {
                for parent in &table.parents {
                    self.children.entry(parent.clone()).or_default().push(name.clone());
                }
                self.declare(name, Entry::Table(table), false);
            }
            Err((reason, at)) => self.unreadable(name, written.span, reason, at),
        }
    }

    fn table_body(&mut self, c: &mut Cursor<'a>, name: &QualName, table: &mut RawTable) -> Result<(), Unread> {
        if c.eat(&["partition", "of"]) {
            let parent = c.name().ok_or(("expected the partitioned table".to_owned(), c.span()))?;
            self.inherit(&parent, table)?;
            table.kind = if table.kind == TableKind::Ordinary { TableKind::Partition } else { table.kind };
            if let Some(elements) = c.group() {
                self.typed_elements(&elements, name, table)?;
            }
        } else if c.eat(&["of"]) {
            let ty = c.name().ok_or(("expected a type".to_owned(), c.span()))?;
            let composite = QualName::new(self.creation_name(&ty).schema, ty.name.clone());
            let columns = self.composites.get(&composite).cloned();
            table.columns =
                columns.ok_or((format!("the type `{composite}` is not declared in the input"), Some(ty.span)))?;
            if let Some(elements) = c.group() {
                self.typed_elements(&elements, name, table)?;
            }
        } else {
            let elements = c.group().ok_or(("expected columns".to_owned(), c.span()))?;
            self.elements(&elements, name, table)?;
        }
        self.table_tail(c, table)
    }

    fn table_tail(&mut self, c: &mut Cursor<'a>, table: &mut RawTable) -> Result<(), Unread> {
        while !c.is_end() {
            match () {
                () if c.eat(&["inherits"]) => {
                    let parents = c.group().ok_or(("expected parents".to_owned(), c.span()))?;
                    let own = std::mem::take(&mut table.columns);
                    for mut part in parents.split_commas() {
                        let parent = part.name().ok_or(("expected a parent".to_owned(), part.span()))?;
                        self.inherit(&parent, table)?;
                    }
                    own.into_iter().for_each(|column| merge(&mut table.columns, column));
                    if table.kind == TableKind::Ordinary && !table.parents.is_empty() {
                        table.kind = TableKind::InheritanceChild;
                    }
                }
                () if c.eat(&["partition", "by"]) => {
                    if table.kind != TableKind::Temporary {
                        table.kind = TableKind::Partitioned;
                    }
                }
                () => c.skip(),
            }
        }
        Ok(())
    }

    /// Takes over a parent's columns.
    fn inherit(&mut self, parent: &WrittenName, table: &mut RawTable) -> Result<(), Unread> {
        let found = self.find(parent).and_then(|name| Some((name.clone(), self.table_mut(&name)?.columns.clone())));
        let Some((name, columns)) = found else {
            return Err((format!("its parent `{}` is not known", parent.name), Some(parent.span)));
        };
        columns.into_iter().for_each(|column| merge(&mut table.columns, column));
        table.parents.push(name);
        Ok(())
    }

    fn elements(&mut self, elements: &Cursor<'a>, name: &QualName, table: &mut RawTable) -> Result<(), Unread> {
        for mut part in elements.split_commas() {
            if part.eat(&["like"]) {
                self.like(&mut part, table)?;
            } else if raw::is_constraint(&part) {
                let constraint = raw::table_constraint(&mut part)?;
                self.add_constraint(name, table, constraint);
            } else {
                let (column, constraints) = raw::column(&mut part, self.sources)?;
                let span = column.span;
                if table.columns.len() >= MAX_COLUMNS {
                    return Err((format!("it has more than {MAX_COLUMNS} columns"), Some(span)));
                }
                if table.columns.iter().any(|c| c.name == column.name) {
                    return Err((format!("the column `{}` is declared twice", column.name), Some(span)));
                }
                let column = self.column(column);
                table.columns.push(column);
                constraints.into_iter().for_each(|c| self.add_constraint(name, table, c));
            }
        }
        Ok(())
    }

    /// Elements that repeat columns without their types.
    fn typed_elements(&mut self, elements: &Cursor<'a>, name: &QualName, table: &mut RawTable) -> Result<(), Unread> {
        for mut part in elements.split_commas() {
            if raw::is_constraint(&part) {
                let constraint = raw::table_constraint(&mut part)?;
                self.add_constraint(name, table, constraint);
                continue;
            }
            let (ident, span) = part.ident().ok_or(("expected a column".to_owned(), part.span()))?;
            let ty = WrittenType {
                name: super::types::TypeName::Builtin { base: String::new(), sql: String::new() },
                dimensions: 0,
                serial: false,
                set: false,
            };
            let mut column =
                RawColumn { name: ident, ty, not_null: false, virtual_generated: false, collation: None, span };
            let constraints = raw::column_constraints(&mut part, self.sources, &mut column)?;
            if let Some(known) = table.columns.iter_mut().find(|c| c.name == column.name) {
                known.not_null |= column.not_null;
            }
            constraints.into_iter().for_each(|c| self.add_constraint(name, table, c));
        }
        Ok(())
    }

    /// `LIKE source [INCLUDING …]`: columns and NOT NULL always, keys where asked for.
    fn like(&mut self, part: &mut Cursor<'a>, table: &mut RawTable) -> Result<(), Unread> {
        let source = part.name().ok_or(("expected a table".to_owned(), part.span()))?;
        let found = self.find(&source).and_then(|name| self.table_mut(&name).cloned());
        let from = found.ok_or((format!("`{}` is not known", source.name), Some(source.span)))?;
        let (mut indexes, mut generated) = (false, false);
        while !part.is_end() {
            let including = part.eat(&["including"]);
            if !including && !part.eat(&["excluding"]) {
                return Err(("expected INCLUDING or EXCLUDING".to_owned(), part.span()));
            }
            if part.is_any(&["all", "indexes"]) {
                indexes = including;
            }
            if part.is_any(&["all", "generated"]) {
                generated = including;
            }
            part.bump();
        }
        for mut column in from.columns {
            column.virtual_generated &= generated;
            column.statement = self.statement;
            column.span = source.span;
            table.columns.push(column);
        }
        if indexes {
            let keys = from.constraints.into_iter().filter(|c| matches!(c.kind, RawKind::Primary | RawKind::Unique));
            table.constraints.extend(keys.map(|c| RawConstraint { name: None, span: source.span, ..c }));
            table.indexes.extend(from.indexes.into_iter().map(|i| RawIndex { name: None, span: source.span, ..i }));
        }
        Ok(())
    }

    /// A column with its type found.
    pub(super) fn column(&self, raw: RawColumn) -> Column {
        Column {
            ty: self.sql_type(&raw.ty),
            not_null: raw.not_null,
            name: raw.name,
            virtual_generated: raw.virtual_generated,
            collation: raw.collation,
            statement: self.statement,
            span: raw.span,
        }
    }

    /// Adds a constraint, under the name that PostgreSQL gives it where none is written.
    pub(super) fn add_constraint(&mut self, name: &QualName, table: &mut RawTable, constraint: RawConstraint) {
        let mut constraint = self.qualify(constraint);
        // In CREATE TABLE there is no row yet that would not be valid.
        constraint.not_valid &= self.relations.contains_key(name);
        if let RawKind::UsingIndex { primary, index } = &constraint.kind {
            let Some(at) = table.indexes.iter().position(|i| i.name.as_ref() == Some(index)) else {
                return;
            };
            let index = table.indexes.remove(at);
            constraint.kind = if *primary { RawKind::Primary } else { RawKind::Unique };
            constraint.name = constraint.name.or(index.name);
            constraint.columns = index.columns;
            constraint.weak = index.weak;
        }
        let not_null = match constraint.kind {
            RawKind::Primary => true,
            RawKind::NotNull => !constraint.not_valid,
            _ => false,
        };
        if not_null {
            let columns = &constraint.columns;
            table.columns.iter_mut().filter(|c| columns.contains(&c.name)).for_each(|c| c.not_null = true);
        }
        if constraint.name.is_none() {
            constraint.name = default_name(name, table, &constraint);
        }
        table.constraints.push(constraint);
    }

    pub(super) fn create_view(&mut self, statement: &'a Statement) {
        let Ok(head) = view::head(&statement.tokens) else {
            return;
        };
        let temporary = head.temporary;
        let name = match temporary {
            true => QualName::new(Ident::new("pg_temp"), head.name.name.clone()),
            false => self.creation_name(&head.name),
        };
        if head.if_not_exists && self.relations.contains_key(&name) {
            return;
        }
        let span = head.name.span;
        let is_definition = head.table || (head.materialized && self.defines_tview(statement, &name));
        if head.materialized && !is_definition {
            return self.materialized_view(name, &head, span);
        }
        let name = match name.name.as_str().strip_prefix("tv_").filter(|_| is_definition) {
            Some(stem) => QualName::new(name.schema, Ident::new(format!("v_{stem}"))),
            None => name,
        };
        let query = match &statement.kind {
            StatementKind::Parsed(query) => Arc::clone(query),
            StatementKind::Opaque { error, at } => {
                return self.unreadable_view(name, span, error.clone(), *at, head.or_replace);
            }
            StatementKind::Tokens => return,
        };
        if head.recursive || temporary {
            return self.refused_view(statement, name, span, head.recursive, head.or_replace);
        }
        let view = View {
            name: name.clone(),
            column_aliases: head.columns,
            query,
            query_span: statement.tokens[head.query.start].1.to(statement.tokens[head.query.end - 1].1),
            statement: self.statement,
            has_options: head.has_options,
            directives: statement.directives.clone(),
            search_path: self.search_path.clone(),
            context_only: self.sources.file(span.file).context_only,
            is_definition,
            span,
        };
        self.declare(name, Entry::View(view), head.or_replace);
    }

    /// Whether a materialized view is meant to become a tview: it builds documents, or says so by its name or a directive.
    fn defines_tview(&self, statement: &Statement, name: &QualName) -> bool {
        let StatementKind::Parsed(query) = &statement.kind else { return false };
        let is_meant = !statement.directives.is_empty() || name.name.as_str().starts_with("tv_");
        let is_left = self.sources.file(statement.span.file).context_only || statement.has_directive("skip");
        !is_left && (is_meant || crate::resolve::looks_like_json(query))
    }

    /// A materialized view that stays one; nothing can be kept up to date from it.
    fn materialized_view(&mut self, name: QualName, head: &view::ViewHead, span: Span) {
        let columns = head.columns.iter().map(|n| unknown_column(n.clone(), self.statement, span)).collect();
        let table = RawTable::new(TableKind::MaterializedView, columns, span);
        self.declare(name, Entry::Table(table), false);
    }

    fn unreadable_view(&mut self, name: QualName, span: Span, reason: String, at: Span, replace: bool) {
        let entry = Entry::Unreadable(super::Unreadable { name: name.clone(), reason, at, span });
        self.declare(name, entry, replace);
    }

    fn refused_view(&mut self, statement: &Statement, name: QualName, span: Span, recursive: bool, replace: bool) {
        let reason = if recursive { "it is a recursive view" } else { "it is a temporary view" };
        if !statement.has_directive("skip") && !self.sources.file(span.file).context_only {
            let shown = &name.name;
            self.diagnostics.push(match recursive {
                true => Diagnostic::new(Code::UnsupportedQuery, format!("`{shown}` is a recursive view"), span)
                    .help("write it as CREATE VIEW … AS WITH RECURSIVE …, or `-- tviewc: skip` above it"),
                false => {
                    Diagnostic::new(Code::NotMaterialized, format!("`{shown}` is temporary and not materialized"), span)
                        .note("a temporary view ends with its session")
                }
            });
        }
        self.unreadable_view(name, span, reason.to_owned(), span, replace);
    }
}

/// Adds an inherited or repeated column; NOT NULL of either holds.
fn merge(columns: &mut Vec<Column>, column: Column) {
    match columns.iter_mut().find(|c| c.name == column.name) {
        Some(known) => known.not_null |= column.not_null,
        None => columns.push(column),
    }
}

fn unknown_column(name: Ident, statement: usize, span: Span) -> Column {
    let ty =
        super::SqlType { sql: String::new(), base: String::new(), dimensions: 0, class: super::TypeClass::Unknown };
    Column { name, ty, not_null: false, virtual_generated: false, collation: None, statement, span }
}

/// `t_pkey`, `t_a_b_key`, `t_a_fkey`, with a number behind it where taken.
fn default_name(name: &QualName, table: &RawTable, constraint: &RawConstraint) -> Option<Ident> {
    let columns: Vec<&str> = constraint.columns.iter().map(Ident::as_str).collect();
    let base = match constraint.kind {
        RawKind::Primary => format!("{}_pkey", name.name),
        RawKind::Unique => format!("{}_{}_key", name.name, columns.join("_")),
        RawKind::Foreign { .. } => format!("{}_{}_fkey", name.name, columns.join("_")),
        _ => return None,
    };
    let taken = |n: &str| table.constraints.iter().any(|c| c.name.as_ref().is_some_and(|k| k.as_str() == n));
    let numbered = (1..).map(|i| format!("{base}{i}"));
    std::iter::once(base.clone()).chain(numbered).find(|n| !taken(n)).map(Ident::new)
}
