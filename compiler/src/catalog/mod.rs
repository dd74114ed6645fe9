//! Catalog: what the DDL says exists.
//!
//! In: [`Statement`]s in order. Out: [`Catalog`]: tables with columns, types, keys and foreign keys,
//! views with their parsed queries, functions with their volatility. Each fact knows the span it
//! rests on. A constraint is listed as a key only with what it really guarantees: deferrable, not
//! valid, expression and nullable unique constraints are recorded as such and prove nothing; a unique index over some
//! rows is one of these rows, where what its condition says is known.

mod alter;
mod beforehand;
mod build;
mod create;
mod create_as;
mod drop;
mod extensions;
mod finish;
mod functions;
mod indexes;
pub mod live;
mod raw;
mod rename;
pub mod restrictions;
mod settings;
mod types;
mod types_ddl;

use std::collections::BTreeSet;

use indexmap::IndexMap;

use self::restrictions::Restriction;
use crate::diagnostics::Diagnostics;
use crate::names::{Ident, QualName};
use crate::source::{Sources, Span};
use crate::syntax::{Directive, Statement};

/// Everything declared, by name, in the order of declaration.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Tables, views and other relations.
    pub relations: IndexMap<QualName, Relation>,
    /// Enums, domains, composites, ranges.
    pub types: IndexMap<QualName, TypeDef>,
    /// Attributes of the composite types among them.
    pub composites: IndexMap<QualName, Vec<Column>>,
    /// User functions; overloads share a name.
    pub functions: IndexMap<QualName, Vec<Function>>,
    /// Statements that are not applied to a database before its migration: see `beforehand`.
    pub waiting: Vec<Span>,
}

/// A relation.
#[derive(Clone, Debug)]
pub enum Relation {
    /// Something that holds rows.
    Table(Table),
    /// A view.
    View(View),
    /// Declared, but in a way that could not be read: whoever needs it reports the reason.
    Unreadable(Unreadable),
}

/// A relation whose definition is not known.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Its name.
    pub name: QualName,
    /// Why: fits behind "cannot be read: ".
    pub reason: String,
    /// Where reading ended.
    pub at: Span,
    /// The name in its CREATE statement.
    pub span: Span,
}

/// What kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// An ordinary table.
    Ordinary,
    /// `PARTITION BY`.
    Partitioned,
    /// `PARTITION OF`.
    Partition,
    /// Child of `INHERITS`.
    InheritanceChild,
    /// Has `INHERITS` children.
    InheritanceParent,
    /// A temporary table.
    Temporary,
    /// A foreign table.
    Foreign,
    /// A materialized view.
    MaterializedView,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: QualName,
    /// What kind.
    pub kind: TableKind,
    /// In declaration order.
    pub columns: Vec<Column>,
    /// Primary key and unique constraints and indexes that really guarantee uniqueness.
    pub keys: Vec<Key>,
    /// Unique indexes over the rows that fulfil a condition.
    pub partial_keys: Vec<PartialKey>,
    /// Unique constraints and indexes that prove nothing, with the reason.
    pub weak_keys: Vec<WeakKey>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Every index that a lookup can use, including those behind keys.
    pub indexes: Vec<Index>,
    /// The partitioned table or inheritance parents, directly above.
    pub parents: Vec<QualName>,
    /// Whether rules other than a view's own exist (`CREATE RULE`).
    pub has_rules: Option<Span>,
    /// Whether policies apply.
    pub row_security: RowSecurity,
    /// The name in its CREATE statement.
    pub span: Span,
}

/// Row-level security of a table: each is the statement that switched it on.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowSecurity {
    /// `ENABLE ROW LEVEL SECURITY`.
    pub enabled: Option<Span>,
    /// `FORCE ROW LEVEL SECURITY`: policies bind the owner, too, where they are enabled.
    pub forced: Option<Span>,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: SqlType,
    /// NOT NULL, also through a primary key. A domain's NOT NULL does not count: `INSERT … SELECT` of an empty scalar
    /// subquery of that domain stores a NULL.
    pub not_null: bool,
    /// `GENERATED ALWAYS AS (…) VIRTUAL`.
    pub virtual_generated: bool,
    /// An explicit COLLATE.
    pub collation: Option<String>,
    /// Index of the statement that added it: `*` in an earlier view does not include it.
    pub statement: usize,
    /// Its declaration.
    pub span: Span,
}

/// A column's type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SqlType {
    /// As SQL text that PostgreSQL reads under `search_path = pg_catalog`: `integer`,
    /// `character varying(20)`, `public.mood`, `text[]`; user types are schema-qualified.
    pub sql: String,
    /// The canonical name of the type without modifiers and dimensions, as `format_type` writes
    /// it: `integer`, `bigint`, `text`, `timestamp with time zone`, `public.mood`.
    pub base: String,
    /// Array dimensions, 0 for none.
    pub dimensions: u32,
    /// What the base is.
    pub class: TypeClass,
}

/// The types of exact numbers, each converted to those behind it.
pub const NUMBERS: &[&str] = &["smallint", "integer", "bigint", "numeric"];

impl SqlType {
    /// Whether it is one of PostgreSQL's own types whose equal values are the same value to the eye, under a deterministic collation.
    pub fn is_plain(&self) -> bool {
        const TYPES: &[&str] = &[
            "smallint",
            "integer",
            "bigint",
            "uuid",
            "text",
            "character varying",
            "boolean",
            "date",
            "timestamp without time zone",
            "timestamp with time zone",
        ];
        self.dimensions == 0 && TYPES.contains(&self.base.as_str())
    }

    /// Whether other bytes are another text in JSON: not so of floating point numbers (-0) and of what is JSON itself (spaces).
    pub fn is_shown_exactly(&self) -> bool {
        const OTHERS: &[&str] = &["numeric", "character", "time without time zone", "time with time zone", "interval"];
        let is_other = self.dimensions == 0 && self.class == TypeClass::Builtin && OTHERS.contains(&self.base.as_str());
        self.is_plain() || is_other || (self.dimensions == 0 && self.class == TypeClass::Enum)
    }

    /// The type below a domain; any other type is its own.
    pub fn underlying(&self) -> &SqlType {
        match &self.class {
            TypeClass::Domain(below) => below,
            _ => self,
        }
    }

    /// The type that UNION, `coalesce`, CASE and the like make of several, where they agree in what kind of value they hold.
    pub fn common(types: &[&SqlType]) -> Option<SqlType> {
        // Each is converted to those behind it.
        const KINDS: &[&[&str]] = &[NUMBERS, &["date", "timestamp without time zone", "timestamp with time zone"]];
        let is_text = |ty: &SqlType| ty.dimensions == 0 && matches!(ty.base.as_str(), "character varying" | "text");
        let (first, rest) = types.split_first()?;
        let is_same = |ty: &&SqlType| ty.base == first.base && ty.dimensions == first.dimensions;
        if rest.iter().all(is_same) || types.iter().all(|ty| is_text(ty)) {
            return Some((*first).clone());
        }
        let widest = |kind: &&[&str]| {
            let rank = |ty: &&SqlType| kind.iter().position(|k| ty.base == *k).filter(|_| ty.dimensions == 0);
            let ranks: Vec<usize> = types.iter().map(rank).collect::<Option<_>>()?;
            let at = (0..types.len()).max_by_key(|n| ranks[*n])?;
            Some(types[at].clone())
        };
        KINDS.iter().find_map(widest)
    }

    /// The same of exact numbers: what arithmetic makes of them, too.
    pub fn common_number(types: &[&SqlType]) -> Option<&'static str> {
        let common = Self::common(types).filter(|ty| ty.dimensions == 0)?;
        NUMBERS.iter().find(|n| **n == common.base).copied()
    }

    /// The type that `=` converts values of this one to where the other side is of that type, if there is no operator for the two in
    /// one operator family: no index on a column finds these.
    pub fn converted_for(&self, other: &SqlType) -> Option<&'static str> {
        let is_integer = |ty: &SqlType| matches!(ty.base.as_str(), "smallint" | "integer" | "bigint");
        let is_float = |ty: &SqlType| matches!(ty.base.as_str(), "real" | "double precision");
        let is_varying = |ty: &SqlType| matches!(ty.base.as_str(), "text" | "character varying");
        if self.dimensions > 0 || other.dimensions > 0 {
            None
        } else if is_float(other) {
            (is_integer(self) || self.base == "numeric").then_some("double precision")
        } else if other.base == "numeric" {
            is_integer(self).then_some("numeric")
        } else {
            (self.base == "character" && is_varying(other)).then_some("text")
        }
    }
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TypeClass {
    /// One of PostgreSQL's own.
    Builtin,
    /// An enum of the input.
    Enum,
    /// A domain of the input, with the type below it (fully unwrapped).
    Domain(Box<SqlType>),
    /// A composite type (or a table's row type).
    Composite,
    /// A range type of the input.
    Range,
    /// Of an extension or not declared in the input.
    Unknown,
}

/// A unique key that holds at every moment: not deferrable, valid, not partial, plain columns.
#[derive(Clone, Debug)]
pub struct Key {
    /// Indexes into the table's columns, in key order.
    pub columns: Vec<usize>,
    /// Whether it is the primary key.
    pub primary: bool,
    /// All columns are NOT NULL.
    pub not_null: bool,
    /// What it rests on.
    pub span: Span,
}

/// A unique index over the rows that fulfil a condition: a key of these rows.
#[derive(Clone, Debug)]
pub struct PartialKey {
    /// Indexes into the table's columns, in key order.
    pub columns: Vec<usize>,
    /// The condition: all of these.
    pub only_where: Vec<Restriction>,
    /// Its declaration.
    pub span: Span,
}

/// A unique constraint or index that cannot be relied on.
#[derive(Clone, Debug)]
pub struct WeakKey {
    /// The columns, as far as they are plain.
    pub columns: Vec<usize>,
    /// Why: `DEFERRABLE`, `partial index`, `expression index`, …
    pub reason: String,
    /// Its declaration.
    pub span: Span,
}

/// An index.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its leading plain columns, as indexes into the table's columns; none where it begins with an expression.
    pub columns: Vec<usize>,
    /// `btree`, `hash`, `gin`, …
    pub method: String,
    /// Has a WHERE clause.
    pub partial: bool,
    /// What that says, where it is known.
    pub only_where: Option<Vec<Restriction>>,
    /// Its declaration.
    pub span: Span,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// Indexes into the referencing table's columns.
    pub columns: Vec<usize>,
    /// The referenced table.
    pub references: QualName,
    /// The referenced columns by name (the primary key's where none were written).
    pub referenced: Vec<Ident>,
    /// Validated and not deferrable.
    pub enforced: bool,
    /// A change of the referenced row is written to the referencing ones.
    pub updates: bool,
    /// Its declaration.
    pub span: Span,
}

/// A view.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name.
    pub name: QualName,
    /// `CREATE VIEW v (a, b)`: names given to the output columns.
    pub column_aliases: Vec<Ident>,
    /// The parsed query; the statement's own.
    pub query: std::sync::Arc<sqlparser::ast::Query>,
    /// The query's own text, from the token after `AS` to the last one.
    pub query_span: Span,
    /// Index of the CREATE VIEW in the statements.
    pub statement: usize,
    /// `security_barrier`, `security_invoker` and the like, as written.
    pub has_options: bool,
    /// Directives above it.
    pub directives: Vec<Directive>,
    /// `search_path` at that point of the file, user schemas only.
    pub search_path: Vec<Ident>,
    /// Declared in a context-only file.
    pub context_only: bool,
    /// Written as a table or materialized view, which is not applied beforehand: the migration makes a view of it.
    pub is_definition: bool,
    /// The name in its CREATE statement.
    pub span: Span,
}

/// A user type.
#[derive(Clone, Debug)]
pub struct TypeDef {
    /// Its name.
    pub name: QualName,
    /// What it is.
    pub class: TypeClass,
    /// Domain with NOT NULL of its own (not through a domain below it). It does not make columns NOT NULL.
    pub not_null: bool,
    /// Its declaration.
    pub span: Span,
}

/// Volatility as declared; VOLATILE where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// Same input, same output, reads nothing.
    Immutable,
    /// May read the database or settings.
    Stable,
    /// May do anything.
    Volatile,
}

/// A user function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: QualName,
    /// As declared.
    pub volatility: Volatility,
    /// Returns a set or a table.
    pub returns_set: bool,
    /// What it returns otherwise, where that is declared and does not depend on the arguments.
    pub returns: Option<SqlType>,
    /// Its declaration.
    pub span: Span,
}

impl Table {
    /// The position of a column by name.
    pub fn column(&self, name: &Ident) -> Option<usize> {
        self.columns.iter().position(|c| &c.name == name)
    }

    /// Whether rows are looked up by an index, given these columns: its first column is among them.
    pub fn is_indexed_by(&self, columns: &[usize]) -> bool {
        let usable = |i: &&Index| !i.partial && matches!(i.method.as_str(), "btree" | "hash");
        self.indexes.iter().filter(usable).any(|i| i.columns.first().is_some_and(|first| columns.contains(first)))
    }

    /// The primary key.
    pub fn primary_key(&self) -> Option<&Key> {
        self.keys.iter().find(|k| k.primary)
    }
}

impl Catalog {
    /// Whether one statement can change the key of a row and change the row once more, through actions of foreign keys, whose
    /// rows are shown to triggers with those of the statement: the table refers to itself, maybe through others, or several of its
    /// references take changes over, one of them into the key.
    pub fn may_change_twice(&self, table: &Table, key: &[usize]) -> bool {
        fn updating(table: &Table) -> impl Iterator<Item = &ForeignKey> {
            table.foreign_keys.iter().filter(|f| f.updates)
        }
        let mut open: Vec<&QualName> = updating(table).map(|f| &f.references).collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if let (true, Some(Relation::Table(next))) = (seen.insert(name), self.relations.get(name)) {
                open.extend(updating(next).map(|f| &f.references));
            }
        }
        let into_key = || updating(table).any(|f| f.columns.iter().any(|c| key.contains(c)));
        seen.contains(&table.name) || updating(table).count() > 1 && into_key()
    }

    /// A base table; resolve guarantees that the tables of uses exist.
    pub fn table(&self, name: &QualName) -> &Table {
        match self.relations.get(name) {
            Some(Relation::Table(table)) => table,
            _ => unreachable!("uses are of base tables"),
        }
    }

    /// What an unqualified or qualified name means under a search path.
    pub fn lookup(&self, schema: Option<&Ident>, name: &Ident, search_path: &[Ident]) -> Option<&Relation> {
        let find = |s: &Ident| self.relations.get(&QualName::new(s.clone(), name.clone()));
        match schema {
            Some(schema) => find(schema),
            // A temporary relation hides every other.
            None => std::iter::once(&Ident::new("pg_temp")).chain(search_path).find_map(find),
        }
    }
}

/// Builds the catalog. Statements that cannot be read are kept out of it, or recorded as
/// [`Relation::Unreadable`]; what that breaks is reported where a view needs it.
pub fn build(sources: &Sources, statements: &[Statement], diagnostics: &mut Diagnostics) -> Catalog {
    build::run(sources, statements, diagnostics)
}

/// The canonical name of one of PostgreSQL's own types, from any spelling of it without modifiers.
pub fn builtin_type(name: &str) -> Option<String> {
    types::builtin(name)
}

/// The candidate closest to a misspelt name, if one is close enough to be meant.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    let scored = candidates.into_iter().filter(|c| *c != name).map(|c| (strsim::damerau_levenshtein(name, c), c));
    scored.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, c)| c)
}

#[cfg(test)]
mod tests;
