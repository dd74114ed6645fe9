//! The catalog of a live server, as DDL text.
//!
//! In: a [`Database`], plain values as the server gave them. Out: text that the front reads like any other context
//! file. So a fact of a live server has a span, and diagnostics can point at it; there is one way from DDL to the
//! [`Catalog`](super::Catalog), not two. The text holds what the catalog keeps, and nothing else: it is never applied.

use std::fmt::Write;

use crate::names::{Ident, QualName, sql_literal};

/// What a server holds, in the order of creation.
#[derive(Clone, Debug, Default)]
pub struct Database {
    /// Extensions and their schemas.
    pub extensions: Vec<(Ident, Ident)>,
    /// User types that are no row types of tables.
    pub types: Vec<LiveType>,
    /// Tables of every kind, without views.
    pub tables: Vec<LiveTable>,
    /// Children and their parents.
    pub parents: Vec<(QualName, QualName, Lineage)>,
    /// Keys and foreign keys.
    pub constraints: Vec<LiveConstraint>,
    /// `pg_get_indexdef` of each index that no constraint owns.
    pub indexes: Vec<String>,
    /// Tables with rules.
    pub rules: Vec<(Ident, QualName)>,
    /// Tables whose owners are bound by policies.
    pub forced_policies: Vec<QualName>,
    /// Functions.
    pub functions: Vec<LiveFunction>,
    /// Views.
    pub views: Vec<LiveView>,
}

/// A type.
#[derive(Clone, Debug)]
pub struct LiveType {
    /// Its name.
    pub name: QualName,
    /// What it is.
    pub kind: LiveTypeKind,
}

/// What a type is. Types are written as `format_type` writes them under `search_path = pg_catalog`.
#[derive(Clone, Debug)]
pub enum LiveTypeKind {
    /// With its labels.
    Enum(Vec<String>),
    /// Over a type, perhaps NOT NULL.
    Domain(String, bool),
    /// With its attributes.
    Composite(Vec<LiveColumn>),
    /// With its multirange type, where the server has them.
    Range(Option<QualName>),
}

/// A table.
#[derive(Clone, Debug)]
pub struct LiveTable {
    /// Its name.
    pub name: QualName,
    /// Which kind of table.
    pub kind: LiveTableKind,
    /// Its columns.
    pub columns: Vec<LiveColumn>,
}

/// Kinds of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveTableKind {
    /// An ordinary table.
    Ordinary,
    /// A partitioned table.
    Partitioned,
    /// A foreign table.
    Foreign,
    /// A materialized view.
    MaterializedView,
}

/// How a child came to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// ATTACH PARTITION.
    Partition,
    /// INHERIT.
    Inheritance,
}

/// A column or attribute.
#[derive(Clone, Debug)]
pub struct LiveColumn {
    /// Its name.
    pub name: Ident,
    /// Its type as `format_type` writes it.
    pub ty: String,
    /// NOT NULL.
    pub not_null: bool,
    /// A virtual generated column.
    pub virtual_generated: bool,
    /// A collation that is not the type's own, as SQL text.
    pub collation: Option<String>,
}

/// A key or foreign key.
#[derive(Clone, Debug)]
pub struct LiveConstraint {
    /// Its table.
    pub table: QualName,
    /// Its name.
    pub name: Ident,
    /// `pg_get_constraintdef`.
    pub definition: String,
    /// Whether an index behind it does not cover all partitions.
    pub only: bool,
}

/// A function.
#[derive(Clone, Debug)]
pub struct LiveFunction {
    /// Its name.
    pub name: QualName,
    /// `pg_get_function_identity_arguments`.
    pub arguments: String,
    /// `pg_get_function_result`.
    pub returns: String,
    /// `immutable`, `stable` or `volatile`.
    pub volatility: &'static str,
}

/// A view.
#[derive(Clone, Debug)]
pub struct LiveView {
    /// Its name.
    pub name: QualName,
    /// Its options, such as `security_barrier=true`.
    pub options: Vec<String>,
    /// `pg_get_viewdef`.
    pub query: String,
}

/// The DDL text of a database.
pub fn render(database: &Database) -> String {
    let mut out = String::from("-- The catalog of the database, as far as a view can depend on it.\n");
    for (name, schema) in &database.extensions {
        line(&mut out, format_args!("CREATE EXTENSION {} SCHEMA {};", name.sql(), schema.sql()));
    }
    database.types.iter().for_each(|t| render_type(&mut out, t));
    database.tables.iter().for_each(|t| render_table(&mut out, t));
    for (child, parent, lineage) in &database.parents {
        let (child, parent) = (child.sql(), parent.sql());
        match lineage {
            Lineage::Partition => {
                line(&mut out, format_args!("ALTER TABLE {parent} ATTACH PARTITION {child} DEFAULT;"))
            }
            Lineage::Inheritance => line(&mut out, format_args!("ALTER TABLE {child} INHERIT {parent};")),
        }
    }
    for c in &database.constraints {
        let only = if c.only { "ONLY " } else { "" };
        let (table, name) = (c.table.sql(), c.name.sql());
        line(&mut out, format_args!("ALTER TABLE {only}{table} ADD CONSTRAINT {name} {};", c.definition));
    }
    for index in &database.indexes {
        line(&mut out, format_args!("{index};"));
    }
    for (name, table) in &database.rules {
        line(&mut out, format_args!("CREATE RULE {} AS ON UPDATE TO {} DO NOTHING;", name.sql(), table.sql()));
    }
    for name in &database.forced_policies {
        let name = name.sql();
        line(&mut out, format_args!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"));
    }
    for f in &database.functions {
        let (name, arguments, returns, volatility) = (f.name.sql(), &f.arguments, &f.returns, f.volatility);
        line(&mut out, format_args!("CREATE FUNCTION {name}({arguments}) RETURNS {returns} {volatility} AS '';"));
    }
    for view in &database.views {
        let options =
            if view.options.is_empty() { String::new() } else { format!(" WITH ({})", view.options.join(", ")) };
        let query = view.query.trim().trim_end_matches(';');
        line(&mut out, format_args!("CREATE VIEW {}{options} AS\n{query};", view.name.sql()));
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

fn render_type(out: &mut String, t: &LiveType) {
    let name = t.name.sql();
    match &t.kind {
        LiveTypeKind::Enum(labels) => {
            let labels: Vec<String> = labels.iter().map(|l| sql_literal(l)).collect();
            line(out, format_args!("CREATE TYPE {name} AS ENUM ({});", labels.join(", ")));
        }
        LiveTypeKind::Domain(base, not_null) => {
            let not_null = if *not_null { " NOT NULL" } else { "" };
            line(out, format_args!("CREATE DOMAIN {name} AS {base}{not_null};"));
        }
        LiveTypeKind::Composite(attributes) => {
            let attributes: Vec<String> = attributes.iter().map(column).collect();
            line(out, format_args!("CREATE TYPE {name} AS (\n    {}\n);", attributes.join(",\n    ")));
        }
        LiveTypeKind::Range(multirange) => {
            let multirange = multirange.as_ref().map(|m| format!(" (multirange_type_name = {})", m.sql()));
            line(out, format_args!("CREATE TYPE {name} AS RANGE{};", multirange.unwrap_or_default()));
        }
    }
}

fn render_table(out: &mut String, table: &LiveTable) {
    let name = table.name.sql();
    let (create, tail) = match table.kind {
        LiveTableKind::Ordinary => ("CREATE TABLE", ""),
        LiveTableKind::Partitioned => ("CREATE TABLE", " PARTITION BY LIST ((1))"),
        LiveTableKind::Foreign => ("CREATE FOREIGN TABLE", ""),
        LiveTableKind::MaterializedView => {
            return line(out, format_args!("CREATE MATERIALIZED VIEW {name} AS SELECT 1 AS x;"));
        }
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    let columns = if columns.is_empty() { String::new() } else { format!("\n    {}\n", columns.join(",\n    ")) };
    line(out, format_args!("{create} {name} ({columns}){tail};"));
}

fn column(c: &LiveColumn) -> String {
    let mut text = format!("{} {}", c.name.sql(), c.ty);
    if let Some(collation) = &c.collation {
        text += &format!(" COLLATE {collation}");
    }
    if c.virtual_generated {
        text += " GENERATED ALWAYS AS (NULL) VIRTUAL";
    }
    if c.not_null {
        text += " NOT NULL";
    }
    text
}
