//! From raw tables to the catalog.
//!
//! In: what stands after the last statement. Out: tables whose keys and foreign keys are what they
//! guarantee then: inherited by partitions, worthless over inheritance children, NOT NULL counted.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::build::{Builder, Entry, RawIndex, RawTable};
use super::indexes::OTHER_EQUALITY;
use super::raw::{RawConstraint, RawKind};
use super::{Catalog, Column, ForeignKey, Index, Key, PartialKey, Relation, Table, TableKind, TypeClass, WeakKey};
use crate::names::{Ident, QualName};

impl Builder<'_> {
    pub(super) fn finish(self) -> Catalog {
        let Builder { relations, mut catalog, children, attached, composites, .. } = self;
        catalog.composites = composites;
        let tables: IndexMap<QualName, RawTable> = relations
            .iter()
            .filter_map(|(name, entry)| match entry {
                Entry::Table(table) => Some((name.clone(), table.clone())),
                _ => None,
            })
            .collect();
        let raw = Raw { tables, children, attached };
        for (name, entry) in relations {
            let relation = match entry {
                Entry::View(view) => Relation::View(view),
                Entry::Unreadable(unreadable) => Relation::Unreadable(unreadable),
                Entry::Table(_) => Relation::Table(table(&name, &raw)),
            };
            catalog.relations.insert(name, relation);
        }
        catalog
    }
}

/// All that stands after the last statement.
struct Raw {
    tables: IndexMap<QualName, RawTable>,
    children: IndexMap<QualName, Vec<QualName>>,
    attached: BTreeSet<QualName>,
}

impl Raw {
    fn has_children(&self, name: &QualName) -> bool {
        self.children.get(name).is_some_and(|list| list.iter().any(|child| self.tables.contains_key(child)))
    }

    /// Why the index of a partitioned table alone is not one yet: some partition may have none.
    fn incomplete(&self, out: &Table, only: bool, index: Option<&Ident>) -> Option<String> {
        let attached = |i: &Ident| self.attached.contains(&QualName::new(out.name.schema.clone(), i.clone()));
        let lacking = only && out.kind == TableKind::Partitioned && self.has_children(&out.name);
        (lacking && !index.is_some_and(attached)).then(|| "declared ON ONLY the partitioned table".to_owned())
    }
}

fn table(name: &QualName, raw: &Raw) -> Table {
    let own = &raw.tables[name];
    let has_children = raw.has_children(name);
    let kind = match own.kind {
        TableKind::Ordinary | TableKind::InheritanceChild if has_children => TableKind::InheritanceParent,
        kind => kind,
    };
    let mut out = Table {
        name: name.clone(),
        kind,
        columns: own.columns.clone(),
        keys: vec![],
        partial_keys: vec![],
        weak_keys: vec![],
        foreign_keys: vec![],
        indexes: vec![],
        parents: own.parents.clone(),
        has_rules: own.has_rules,
        row_security: own.row_security,
        span: own.span,
    };
    let mut seen = vec![name.clone()];
    add(&mut out, own, raw, true);
    let mut above: Vec<&QualName> = own.parents.iter().collect();
    // A partition has its parents' keys and foreign keys; an inheritance child does not.
    while let Some(parent) = above.pop() {
        let Some(table) = raw.tables.get(parent).filter(|_| !seen.contains(parent)) else {
            continue;
        };
        seen.push(parent.clone());
        if table.kind == TableKind::Partitioned {
            add(&mut out, table, raw, false);
            above.extend(&table.parents);
        }
    }
    out
}

fn positions(columns: &[Column], names: &[Ident]) -> Option<Vec<usize>> {
    names.iter().map(|n| columns.iter().position(|c| &c.name == n)).collect()
}

/// Adds the constraints and indexes of `from` (the table itself, or a partitioned parent).
fn add(out: &mut Table, from: &RawTable, raw: &Raw, own: bool) {
    for constraint in from.constraints.iter().filter(|c| own || !c.only) {
        let Some(columns) = positions(&out.columns, &constraint.columns) else {
            continue;
        };
        match &constraint.kind {
            RawKind::Primary | RawKind::Unique => {
                let primary = matches!(constraint.kind, RawKind::Primary);
                let index = Index {
                    columns: columns.clone(),
                    method: "btree".to_owned(),
                    partial: false,
                    only_where: None,
                    span: constraint.span,
                };
                out.indexes.push(index);
                let weak =
                    weakness(constraint).or_else(|| raw.incomplete(out, constraint.only, constraint.name.as_ref()));
                key(out, columns, primary, weak, constraint.span);
            }
            RawKind::Foreign { table, columns: referenced, updates } => {
                foreign_key(out, columns, constraint, (table, referenced, *updates), raw);
            }
            _ => {}
        }
    }
    for index in from.indexes.iter().filter(|i| own || !i.only) {
        let mut plain: Vec<usize> = index.columns.iter().map_while(|n| out.column(n)).collect();
        let complete = plain.len() == index.columns.len();
        if index.unique {
            let weak = index.weak.clone().or_else(|| (!complete).then(|| "expression index".to_owned()));
            let weak = weak.or_else(|| has_other_equality(out, index).then(|| OTHER_EQUALITY.to_owned()));
            let weak = weak.or_else(|| raw.incomplete(out, index.only, index.name.as_ref()));
            match (index.partial, &index.only_where) {
                (false, _) => key(out, plain.clone(), false, weak, index.span),
                (true, Some(condition)) if weak.is_none() && out.kind != TableKind::InheritanceParent => {
                    let key = PartialKey { columns: plain.clone(), only_where: condition.clone(), span: index.span };
                    out.partial_keys.push(key);
                }
                (true, _) => {
                    key(out, plain.clone(), false, weak.or_else(|| Some("partial index".to_owned())), index.span)
                }
            }
        }
        // A comparison under the column's own collation finds nothing in an index of another.
        let other = plain.iter().position(|c| is_collated_otherwise(&out.columns[*c], index));
        plain.truncate(other.unwrap_or(plain.len()));
        out.indexes.push(Index {
            columns: plain,
            method: index.method.clone(),
            partial: index.partial,
            only_where: index.only_where.clone(),
            span: index.span,
        });
    }
}

fn is_collated_otherwise(column: &Column, index: &RawIndex) -> bool {
    let own = match column.collation.as_ref().and_then(|written| written.rsplit('.').next()) {
        Some(quoted) if quoted.starts_with('"') => Ident::new(quoted.trim_matches('"')),
        Some(written) => Ident::fold(written),
        None => Ident::new("default"),
    };
    let is_other = |(name, collation): &(Ident, Ident)| *name == column.name && own != *collation;
    index.collations.iter().any(is_other)
}

/// Whether values may be equal to a column that the index tells apart. Under the collation of a database equal texts have the same bytes,
/// and under no class of PostgreSQL's own types is equality finer than the type's.
fn has_other_equality(table: &Table, index: &RawIndex) -> bool {
    let column = |name: &Ident| table.column(name).map(|at| &table.columns[at]);
    let is_plain = |column: &Column| column.ty.class == TypeClass::Builtin && column.ty.base != "record";
    let of_collation = |c: &Column| is_collated_otherwise(c, index) && !(is_plain(c) && c.collation.is_none());
    index.collations.iter().filter_map(|(name, _)| column(name)).any(of_collation)
        || index.classes.iter().filter_map(column).any(|c| !is_plain(c))
}

fn weakness(constraint: &RawConstraint) -> Option<String> {
    match constraint {
        RawConstraint { weak: Some(reason), .. } => Some(reason.clone()),
        RawConstraint { deferrable: true, .. } => Some("DEFERRABLE".to_owned()),
        RawConstraint { not_enforced: true, .. } => Some("NOT ENFORCED".to_owned()),
        RawConstraint { not_valid: true, .. } => Some("NOT VALID".to_owned()),
        _ => None,
    }
}

fn key(out: &mut Table, columns: Vec<usize>, primary: bool, weak: Option<String>, span: crate::source::Span) {
    let over_children = out.kind == TableKind::InheritanceParent;
    let weak = weak.or_else(|| over_children.then(|| "does not cover the rows of inheritance children".to_owned()));
    match weak {
        Some(reason) => out.weak_keys.push(WeakKey { columns, reason, span }),
        None => {
            let not_null = columns.iter().all(|&c| out.columns[c].not_null);
            out.keys.push(Key { columns, primary, not_null, span });
        }
    }
}

fn foreign_key(
    out: &mut Table,
    columns: Vec<usize>,
    constraint: &RawConstraint,
    (table, referenced, updates): (&crate::syntax::cursor::WrittenName, &[Ident], bool),
    raw: &Raw,
) {
    let Some(schema) = table.schema.clone() else {
        return;
    };
    let references = QualName::new(schema, table.name.clone());
    let primary = || {
        let constraints = raw.tables.get(&references).map_or(&[][..], |t| &t.constraints);
        constraints.iter().find(|c| matches!(c.kind, RawKind::Primary)).map_or(vec![], |c| c.columns.clone())
    };
    let referenced = if referenced.is_empty() { primary() } else { referenced.to_vec() };
    let over_children = out.kind == TableKind::InheritanceParent;
    let enforced = !constraint.deferrable && !constraint.not_valid && !constraint.not_enforced && !over_children;
    out.foreign_keys.push(ForeignKey { columns, references, referenced, enforced, updates, span: constraint.span });
}
