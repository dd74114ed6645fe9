//! The compiler's catalog as lines.

use tviewc::catalog::{self, Catalog, Column, Relation, Table, TableKind, TypeClass, Volatility};
use tviewc::diagnostics::render::{Color, Format, render};
use tviewc::diagnostics::{Diagnostics, Severity};
use tviewc::source::{SourceFile, Sources};
use tviewc::{resolve, syntax};

use super::Facts;

/// All facts of one file. A diagnostic of severity error is a line too: a schema file has none.
pub fn read(sql: &str) -> Facts {
    let file = SourceFile { name: "schema.sql".into(), text: sql.into(), context_only: false };
    let sources = Sources { files: vec![file] };
    let mut diagnostics = Diagnostics::default();
    let statements = syntax::parse(&sources, &mut diagnostics);
    let catalog = catalog::build(&sources, &statements, &mut diagnostics);
    let mut facts = Facts::new();
    for relation in catalog.relations.values() {
        match relation {
            Relation::Table(table) if table.kind == TableKind::Temporary => {}
            Relation::Table(t) => table(t, &mut facts),
            Relation::View(view) => drop(facts.insert(format!("view {}", view.name))),
            Relation::Unreadable(u) => drop(facts.insert(format!("unreadable {}: {}", u.name, u.reason))),
        }
    }
    types(&catalog, &mut facts);
    functions(&catalog, &mut facts);
    for view in resolve::resolve(&sources, &statements, &catalog, &mut diagnostics) {
        for (at, output) in view.outputs.iter().enumerate() {
            let json = output.expr.json.map_or("other".to_owned(), |j| format!("{j:?}").to_lowercase());
            facts.insert(format!("output {} {} {} {json}", view.name, at + 1, output.name));
        }
    }
    if diagnostics.count(Severity::Error) > 0 {
        facts.insert(render(&diagnostics, &sources, Format::Concise, Color::Never));
    }
    facts
}

fn names(table: &Table, columns: &[usize]) -> String {
    columns.iter().map(|c| table.columns[*c].name.to_string()).collect::<Vec<_>>().join(", ")
}

fn kind(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Ordinary => "ordinary",
        TableKind::Partitioned => "partitioned",
        TableKind::Partition => "partition",
        TableKind::InheritanceChild => "child",
        TableKind::InheritanceParent => "parent",
        TableKind::Temporary => "temporary",
        TableKind::Foreign => "foreign",
        TableKind::MaterializedView => "materialized",
    }
}

fn table(table: &Table, facts: &mut Facts) {
    let name = &table.name;
    facts.insert(format!("table {name} {}", kind(table.kind)));
    for parent in &table.parents {
        facts.insert(format!("parent {name} {parent}"));
    }
    // What a materialized view's columns are is not derived; no view may read them.
    if table.kind != TableKind::MaterializedView {
        for (at, c) in table.columns.iter().enumerate() {
            facts.insert(format!("column {name} {} {}", at + 1, column(c)));
        }
        for key in &table.keys {
            let kind = if key.primary { "primary" } else { "unique" };
            let null = if key.not_null { "not null" } else { "nullable" };
            facts.insert(format!("key {name} ({}) {kind} {null}", names(table, &key.columns)));
        }
        // Those over some rows are no keys of the table.
        let partial = table.partial_keys.iter().map(|key| &key.columns);
        for columns in table.weak_keys.iter().map(|weak| &weak.columns).chain(partial) {
            facts.insert(format!("weak key {name} ({})", names(table, columns)));
        }
        for index in &table.indexes {
            let partial = if index.partial { " partial" } else { "" };
            facts.insert(format!("index {name} {} ({}){partial}", index.method, names(table, &index.columns)));
        }
    }
    for fk in &table.foreign_keys {
        let referenced: Vec<String> = fk.referenced.iter().map(ToString::to_string).collect();
        facts.insert(format!(
            "foreign key {name} ({}) -> {} ({}) {}",
            names(table, &fk.columns),
            fk.references,
            referenced.join(", "),
            if fk.enforced { "enforced" } else { "not enforced" }
        ));
    }
    if table.has_rules.is_some() {
        facts.insert(format!("rules {name}"));
    }
}

fn column(c: &Column) -> String {
    let null = if c.not_null { " not null" } else { "" };
    let generated = if c.virtual_generated { " virtual" } else { "" };
    // The last part of the name is enough.
    let collation = c.collation.as_deref().map(|text| text.rsplit('.').next().unwrap_or(text).replace('"', ""));
    let collation = collation.map_or(String::new(), |c| format!(" collate {c}"));
    format!("{} {}{null}{generated}{collation}", c.name, c.ty.sql)
}

fn types(catalog: &Catalog, facts: &mut Facts) {
    for (name, def) in &catalog.types {
        let null = if def.not_null { " not null" } else { "" };
        let what = match &def.class {
            TypeClass::Enum => "enum".to_owned(),
            TypeClass::Composite => "composite".to_owned(),
            TypeClass::Range => "range".to_owned(),
            TypeClass::Domain(below) => format!("domain {}{null}", below.sql),
            TypeClass::Builtin | TypeClass::Unknown => continue,
        };
        facts.insert(format!("type {name} {what}"));
    }
}

fn functions(catalog: &Catalog, facts: &mut Facts) {
    for (name, overloads) in &catalog.functions {
        let mut each: Vec<String> = overloads
            .iter()
            .map(|f| {
                let volatility = match f.volatility {
                    Volatility::Immutable => 'i',
                    Volatility::Stable => 's',
                    Volatility::Volatile => 'v',
                };
                format!("{volatility}{}", if f.returns_set { " set" } else { "" })
            })
            .collect();
        each.sort();
        facts.insert(format!("function {name} {}", each.join(", ")));
    }
}
