//! Reading statements in order.
//!
//! In: statements. Out: the raw tables, views, types and functions after the last of them, which
//! `finish` turns into the [`Catalog`]. This file holds the state and finds the reader for each
//! statement; the readers are in `beforehand`, `create`, `create_as`, `alter`, `rename`, `drop`, `indexes`, `functions`, `types_ddl`, `extensions`,
//! `settings`.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use super::raw::{RawConstraint, RawKind};
use super::restrictions::Restriction;
use super::types::{self, TypeName, WrittenType};
use super::{Catalog, Column, RowSecurity, SqlType, TableKind, TypeClass, Unreadable, View};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::names::{Ident, QualName};
use crate::source::{Sources, Span};
use crate::syntax::Statement;
use crate::syntax::cursor::{Cursor, WrittenName};

/// A table while statements can still change it.
#[derive(Clone, Debug)]
pub(super) struct RawTable {
    pub kind: TableKind,
    pub columns: Vec<Column>,
    pub constraints: Vec<RawConstraint>,
    pub indexes: Vec<RawIndex>,
    pub parents: Vec<QualName>,
    pub has_rules: Option<Span>,
    pub row_security: RowSecurity,
    pub span: Span,
}

impl RawTable {
    /// One with these columns, of which nothing else has been said yet.
    pub(super) fn new(kind: TableKind, columns: Vec<Column>, span: Span) -> Self {
        RawTable {
            kind,
            columns,
            constraints: vec![],
            indexes: vec![],
            parents: vec![],
            has_rules: None,
            row_security: RowSecurity::default(),
            span,
        }
    }
}

/// An index, unique or not.
#[derive(Clone, Debug)]
pub(super) struct RawIndex {
    pub name: Option<Ident>,
    /// Its leading plain columns.
    pub columns: Vec<Ident>,
    /// Every column that it mentions, in expressions and INCLUDE too: it goes with each of them.
    pub mentions: Vec<Ident>,
    pub method: String,
    pub unique: bool,
    pub partial: bool,
    /// Of a partial one, what its condition says, where that is known.
    pub only_where: Option<Vec<Restriction>>,
    /// Of the partitioned table alone: its partitions have none because of it.
    pub only: bool,
    /// Why a unique one proves nothing.
    pub weak: Option<String>,
    /// The collations that it names, by columns.
    pub collations: Vec<(Ident, Ident)>,
    /// The columns for which it names an operator class.
    pub classes: Vec<Ident>,
    pub span: Span,
}

impl RawIndex {
    /// Every place where it names a column.
    pub(super) fn names_of_columns(&mut self) -> impl Iterator<Item = &mut Ident> {
        let RawIndex { columns, mentions, only_where, collations, classes, .. } = self;
        let of_condition = only_where.iter_mut().flatten().map(|restriction| &mut restriction.column);
        let compared = collations.iter_mut().map(|(column, _)| column).chain(classes);
        columns.iter_mut().chain(mentions).chain(of_condition).chain(compared)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Entry {
    Table(RawTable),
    View(View),
    Unreadable(Unreadable),
}

impl Entry {
    fn span(&self) -> Span {
        match self {
            Entry::Table(t) => t.span,
            Entry::View(v) => v.span,
            Entry::Unreadable(u) => u.span,
        }
    }
}

pub(super) struct Builder<'a> {
    pub sources: &'a Sources,
    pub statements: &'a [Statement],
    pub diagnostics: &'a mut Diagnostics,
    pub relations: IndexMap<QualName, Entry>,
    pub catalog: Catalog,
    /// Attributes of composite types, for `CREATE TABLE … OF`.
    pub composites: IndexMap<QualName, Vec<Column>>,
    /// Argument lists of functions, as far as CREATE OR REPLACE needs them.
    pub signatures: IndexMap<QualName, Vec<String>>,
    /// Direct partitions and inheritance children.
    pub children: IndexMap<QualName, Vec<QualName>>,
    /// Indexes of partitioned tables to which those of partitions were attached.
    pub attached: BTreeSet<QualName>,
    /// Relations that come with the migration, also under the names that the source has for them.
    pub awaited: IndexSet<QualName>,
    /// User schemas only.
    pub search_path: Vec<Ident>,
    /// Index of the statement being read.
    pub statement: usize,
}

pub(super) fn run(sources: &Sources, statements: &[Statement], diagnostics: &mut Diagnostics) -> Catalog {
    let mut builder = Builder {
        sources,
        statements,
        diagnostics,
        relations: IndexMap::new(),
        catalog: Catalog::default(),
        composites: IndexMap::new(),
        signatures: IndexMap::new(),
        children: IndexMap::new(),
        attached: BTreeSet::new(),
        awaited: IndexSet::new(),
        search_path: default_path(),
        statement: 0,
    };
    for (index, statement) in statements.iter().enumerate() {
        // Each file is a session of its own, as with one psql call per file.
        if index == 0 || statements[index - 1].span.file != statement.span.file {
            builder.search_path = default_path();
        }
        builder.statement = index;
        let path = builder.search_path.clone();
        builder.search_path.splice(0..0, statement.in_schema.clone());
        let in_context = builder.is_in_context(statement);
        builder.read(statement);
        builder.note_waiting(statement, in_context);
        if statement.in_schema.is_some() {
            builder.search_path = path;
        }
    }
    builder.finish()
}

fn default_path() -> Vec<Ident> {
    vec![Ident::new("public")]
}

impl<'a> Builder<'a> {
    fn read(&mut self, statement: &'a Statement) {
        let mut c = Cursor::new(&statement.tokens);
        match () {
            () if c.eat(&["create"]) => self.create(c, statement),
            () if c.eat(&["alter"]) => self.alter(c),
            () if c.eat(&["drop"]) => self.drop(c),
            () if c.eat_any(&["set", "reset"]) => self.set(c),
            () if c.eat(&["select"]) => {
                self.set_config(c);
                self.select_into(statement);
            }
            () => {}
        }
    }

    fn create(&mut self, mut c: Cursor<'a>, statement: &'a Statement) {
        // What is only context, or skipped, is the table that it says.
        let is_left = self.sources.file(statement.span.file).context_only || statement.has_directive("skip");
        let is_table = crate::syntax::view::is_tview(c) && is_left;
        if !is_table && crate::syntax::view::is_view(&statement.tokens) {
            return self.create_view(statement);
        }
        let or_replace = c.eat(&["or", "replace"]);
        let (mut temporary, mut foreign) = (false, false);
        loop {
            match () {
                () if c.eat_any(&["temp", "temporary"]) => temporary = true,
                () if c.eat_any(&["local", "global", "unlogged"]) => {}
                () => break,
            }
        }
        if c.is_word(0, "foreign") && c.is_word(1, "table") {
            foreign = c.eat(&["foreign"]);
        }
        match () {
            () if c.eat(&["table"]) => self.create_table(c, temporary, foreign),
            () if c.eat(&["unique", "index"]) => self.create_index(c, true),
            () if c.eat(&["index"]) => self.create_index(c, false),
            () if c.eat(&["type"]) => self.create_type(c),
            () if c.eat(&["domain"]) => self.create_domain(c),
            () if c.eat(&["function"]) => self.create_function(c, or_replace),
            () if c.eat(&["rule"]) => self.create_rule(c),
            () if c.eat(&["extension"]) => self.create_extension(c),
            () => {}
        }
    }

    /// Where an unqualified name is created.
    pub(super) fn creation_name(&self, name: &WrittenName) -> QualName {
        let schema = name.schema.clone().or_else(|| self.search_path.first().cloned());
        QualName::new(schema.unwrap_or_else(|| Ident::new("public")), name.name.clone())
    }

    /// What a name means now, among relations.
    pub(super) fn find(&self, name: &WrittenName) -> Option<QualName> {
        let exists = |schema: &Ident| {
            let name = QualName::new(schema.clone(), name.name.clone());
            self.relations.contains_key(&name).then_some(name)
        };
        match &name.schema {
            Some(schema) => exists(schema),
            None => std::iter::once(&Ident::new("pg_temp")).chain(&self.search_path).find_map(exists),
        }
    }

    /// The table of a name, if it is one that could be read.
    pub(super) fn table_mut(&mut self, name: &QualName) -> Option<&mut RawTable> {
        match self.relations.get_mut(name) {
            Some(Entry::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// Adds a relation; a second one of the same name is reported and the first one kept.
    pub(super) fn declare(&mut self, name: QualName, entry: Entry, replace: bool) {
        if let Some(earlier) = self.relations.get(&name) {
            let context = |span: Span| self.sources.file(span.file).context_only;
            // The context (say, a dump of the database) may hold what the program defines.
            let overrides = context(earlier.span()) && !context(entry.span());
            if !replace && !overrides {
                let hint = "drop it first, or use CREATE OR REPLACE for a view";
                self.duplicate("relation", &name, entry.span(), earlier.span(), hint);
                return;
            }
        }
        self.relations.insert(name, entry);
    }

    pub(super) fn duplicate(&mut self, what: &str, name: &QualName, again: Span, first: Span, hint: &str) {
        let mut d = Diagnostic::new(Code::DuplicateName, format!("{what} `{name}` is defined twice"), again)
            .label("defined again here")
            .help(hint.to_owned());
        if first.file == again.file {
            d = d.also(first, "first defined here");
        } else {
            d = d.note(format!("it is first defined in {}", self.sources.place(first)));
        }
        self.diagnostics.push(d);
    }

    /// The type that a written one means here.
    pub(super) fn sql_type(&self, written: &WrittenType) -> SqlType {
        let suffix = if written.dimensions > 0 { "[]" } else { "" };
        let (base, sql, class) = match &written.name {
            TypeName::Builtin { base, sql } => (base.clone(), sql.clone(), TypeClass::Builtin),
            TypeName::User { name, modifiers } => match self.find_type(name) {
                Some((name, class)) => (name.sql(), format!("{}{modifiers}", name.sql()), class),
                None => {
                    let text = types::as_written(name);
                    (text.clone(), format!("{text}{modifiers}"), TypeClass::Unknown)
                }
            },
        };
        SqlType { sql: format!("{sql}{suffix}"), base, dimensions: written.dimensions, class }
    }

    pub(super) fn find_type(&self, name: &WrittenName) -> Option<(QualName, TypeClass)> {
        let at = |schema: &Ident| {
            let name = QualName::new(schema.clone(), name.name.clone());
            if let Some(found) = self.catalog.types.get(&name) {
                return Some((name, found.class.clone()));
            }
            self.relations.contains_key(&name).then_some((name, TypeClass::Composite))
        };
        match &name.schema {
            Some(schema) => at(schema),
            None => self.search_path.iter().find_map(at),
        }
    }

    /// A foreign key's target under its full name, so that a later `search_path` does not matter.
    pub(super) fn qualify(&self, mut constraint: RawConstraint) -> RawConstraint {
        if let RawKind::Foreign { table, .. } = &mut constraint.kind {
            let found = self.find(table).unwrap_or_else(|| self.creation_name(table));
            table.schema = Some(found.schema);
        }
        constraint
    }

    /// Views are kept by the text of their definition, but PostgreSQL keeps them by what the names
    /// meant then: after a rename the two differ, so such views can no longer be read.
    pub(super) fn renamed(&mut self, old: &Ident, at: Span) {
        let statements = self.statements;
        for (name, entry) in &mut self.relations {
            let Entry::View(view) = entry else { continue };
            let query = view.query_span;
            let inside = |span: &Span| query.start <= span.start && span.end <= query.end;
            let mentions = statements[view.statement].tokens.iter().any(|(token, span)| match token {
                sqlparser::tokenizer::Token::Word(word) => {
                    crate::syntax::cursor::word_ident(word) == *old && inside(span)
                }
                _ => false,
            });
            if mentions {
                let reason = format!("it mentions `{old}`, which is renamed after the view is defined");
                *entry = Entry::Unreadable(Unreadable { name: name.clone(), reason, at, span: view.span });
            }
        }
    }

    pub(super) fn unreadable(&mut self, name: QualName, span: Span, reason: String, at: Option<Span>) {
        let entry = Entry::Unreadable(Unreadable { name: name.clone(), reason, at: at.unwrap_or(span), span });
        self.declare(name, entry, false);
    }
}
