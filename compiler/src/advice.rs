//! Advice: what compiles but costs more than it has to.
//!
//! In: the plans. Out: warnings with the statement to run. Nothing here changes the output.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Relation, Table};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::names::QualName;
use crate::plan::{TablePlan, Tview, Way};
use crate::relate::ValueLock;
use crate::resolve::{ColumnRef, UseId};

/// Reports missing indexes and coarse locks.
pub fn advise(tviews: &[Tview], tables: &[TablePlan], catalog: &Catalog, diagnostics: &mut Diagnostics) {
    let mut said = BTreeSet::new();
    for plan in tables {
        for step in &plan.steps {
            let tview = &tviews[step.tview];
            let sources = step.locks.iter().flat_map(|l| l.exclusive.iter().chain(&l.shared)).map(|s| &s.way);
            for way in step.uses.iter().map(|u| &u.keys).chain(sources) {
                lookups(tview, way, catalog, &mut said, diagnostics);
            }
        }
    }
    for tview in tviews {
        for link in tview.relations.links.iter() {
            subquery_lookup(tview, link.child, catalog, &mut said, diagnostics);
            if let Some(ValueLock::Relation(reason)) = &link.lock {
                let owner = &tview.view.uses[link.child.0];
                let title =
                    format!("writes through `{}` take turns for the whole of `{}`", owner.alias, tview.name.name);
                diagnostics.push(Diagnostic::new(Code::CoarseLock, title, owner.span).note(reason.clone()));
            }
        }
    }
}

type Said = BTreeSet<(QualName, Vec<usize>)>;

/// Every table that a cascade joins is looked up by the columns of the join.
fn lookups(tview: &Tview, way: &Way, catalog: &Catalog, said: &mut Said, diagnostics: &mut Diagnostics) {
    for (use_id, on) in &way.joins {
        let columns: Vec<ColumnRef> = on.iter().map(|(own, _)| *own).collect();
        lookup(tview, *use_id, &columns, catalog, said, diagnostics);
    }
}

/// A recomputed document looks up the rows of each use by the link to its parent.
fn subquery_lookup(tview: &Tview, use_id: UseId, catalog: &Catalog, said: &mut Said, diagnostics: &mut Diagnostics) {
    let Some(link) = tview.relations.links.of(use_id) else { return };
    let columns: Vec<ColumnRef> = link.on.iter().map(|(own, _)| *own).collect();
    if !columns.is_empty() {
        lookup(tview, use_id, &columns, catalog, said, diagnostics);
    }
}

fn lookup(
    tview: &Tview,
    use_id: UseId,
    columns: &[ColumnRef],
    catalog: &Catalog,
    said: &mut Said,
    diagnostics: &mut Diagnostics,
) {
    let owner = &tview.view.uses[use_id.0];
    let Some(Relation::Table(table)) = catalog.relations.get(&owner.table) else { return };
    let mut wanted: Vec<usize> = columns.iter().map(|c| c.column).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if !has_index(table, &wanted) && said.insert((table.name.clone(), wanted.clone())) {
        let names: Vec<String> = wanted.iter().map(|c| table.columns[*c].name.sql()).collect();
        let list = names.join(", ");
        diagnostics.push(
            Diagnostic::new(
                Code::MissingIndex,
                format!("no index of `{}` begins with ({list})", table.name.name),
                owner.span,
            )
            .label("its rows are looked up by that")
            .note("every write that gets here would read the whole table")
            .help(format!("CREATE INDEX ON {} ({list});", table.name.sql())),
        );
    }
}

/// An index whose first column is among the wanted ones narrows the lookup.
fn has_index(table: &Table, wanted: &[usize]) -> bool {
    let usable = |i: &&crate::catalog::Index| !i.partial && matches!(i.method.as_str(), "btree" | "hash");
    table.indexes.iter().filter(usable).any(|i| i.columns.first().is_some_and(|first| wanted.contains(first)))
}
