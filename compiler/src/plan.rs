//! Plan: for each base table, what a write to it does to each tview.
//!
//! In: the tviews in topological order. Out: one [`TablePlan`] per base table: which columns of the
//! changed rows are carried, which columns decide whether a tview is concerned, and per tview the locks to
//! take, in locking order, and the ways to the affected keys. What always holds: tviews appear in
//! topological order and links parents first, in every plan alike, so that all writers lock in one
//! order.
//!
//! Strategy of this version: *skip* where no column that a tview reads has changed, else *key
//! recompute*.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::catalog::{Catalog, Relation, Table};
use crate::document::Documents;
use crate::names::{Ident, QualName};
use crate::relate::{Link, Relations};
use crate::resolve::{ColumnRef, FlatView, UseId};

/// One materialized view.
#[derive(Clone, Debug)]
pub struct Tview {
    /// The table that holds its rows.
    pub name: QualName,
    /// The defining view.
    pub view: FlatView,
    /// Key and links.
    pub relations: Relations,
    /// What its documents consist of.
    pub documents: Documents,
}

impl Tview {
    /// The names of the key columns.
    pub fn key_names(&self) -> Vec<&Ident> {
        self.relations.key.columns.iter().map(|k| &self.view.outputs[k.output].name).collect()
    }
}

/// A set of columns of one table; one boolean per changed row says whether any of them changed.
pub type ColumnSet = BTreeSet<usize>;

/// What writes to one base table do.
#[derive(Clone, Debug)]
pub struct TablePlan {
    /// The table.
    pub table: QualName,
    /// The key by which old and new rows are paired; `None` where no key holds at every moment.
    pub pairing: Option<Vec<usize>>,
    /// All columns that any tview reads: where none has changed, nothing is done.
    pub reads: ColumnSet,
    /// Columns whose values later steps need.
    pub carried: ColumnSet,
    /// The narrower column sets that single steps ask about.
    pub flags: Vec<ColumnSet>,
    /// In topological order.
    pub steps: Vec<TviewStep>,
}

/// What a write to the table does to one tview.
#[derive(Clone, Debug)]
pub struct TviewStep {
    /// Index of the tview.
    pub tview: usize,
    /// Why.
    pub uses: Vec<UseStep>,
    /// In locking order.
    pub locks: Vec<LockStep>,
}

/// One use of the table in the tview.
#[derive(Clone, Debug)]
pub struct UseStep {
    /// The use.
    pub use_id: UseId,
    /// Index into [`TablePlan::flags`]: did a column change that this use reads? `None`: always asked already.
    pub changed: Option<usize>,
    /// From the row to the documents.
    pub keys: Way,
}

/// The locks on one link.
#[derive(Clone, Debug)]
pub struct LockStep {
    /// The use whose link it is.
    pub link: UseId,
    /// Values whose meaning the write changes: old and new.
    pub exclusive: Vec<Source>,
    /// Values that documents newly depend on: new ones of rows whose links changed.
    pub shared: Vec<Source>,
}

/// Values to lock.
#[derive(Clone, Debug)]
pub struct Source {
    /// Index into the flags that restricts the rows.
    pub flag: Option<usize>,
    /// From the changed rows to the values.
    pub way: Way,
}

/// A chain of joins that begins at the changed rows.
#[derive(Clone, Debug)]
pub struct Way {
    /// The use that the changed rows stand for.
    pub start: UseId,
    /// Each joined use with the pairs (its column, a column that is there already).
    pub joins: Vec<(UseId, Vec<(ColumnRef, ColumnRef)>)>,
    /// What is selected at the end.
    pub select: Vec<ColumnRef>,
}

impl Way {
    /// The columns of the changed rows that the way needs.
    fn needs(&self) -> impl Iterator<Item = usize> + '_ {
        let joined = self.joins.iter().flat_map(|(_, on)| on.iter().map(|(_, known)| *known));
        joined.chain(self.select.iter().copied()).filter(|c| c.use_id == self.start).map(|c| c.column)
    }
}

/// The plans of all base tables, in the order of their first use.
pub fn plan(tviews: &[Tview], catalog: &Catalog) -> Vec<TablePlan> {
    let mut readers: IndexMap<&QualName, Vec<usize>> = IndexMap::new();
    for (index, tview) in tviews.iter().enumerate() {
        for link in tview.relations.links.iter() {
            let of_table = readers.entry(&tview.view.uses[link.child.0].table).or_default();
            if of_table.last() != Some(&index) {
                of_table.push(index);
            }
        }
    }
    readers.into_iter().map(|(name, readers)| table_plan(name, &readers, tviews, catalog)).collect()
}

/// The plan of a table that these tviews read.
fn table_plan(name: &QualName, readers: &[usize], tviews: &[Tview], catalog: &Catalog) -> TablePlan {
    let Relation::Table(table) = &catalog.relations[name] else { unreachable!("uses are of base tables") };
    let own = readers.iter().map(|index| &tviews[*index]);
    let reads: ColumnSet = own.flat_map(|t| uses_of(t, name).flat_map(|l| read_columns(t, l.child))).collect();
    let mut plan = TablePlan {
        table: name.clone(),
        pairing: pairing(table),
        reads,
        carried: ColumnSet::new(),
        flags: Vec::new(),
        steps: Vec::new(),
    };
    for &index in readers {
        let step = tview_step(&mut plan, index, &tviews[index]);
        plan.steps.push(step);
    }
    let carried: ColumnSet = plan.steps.iter().flat_map(step_needs).collect();
    plan.carried = carried;
    plan
}

/// The primary key, or else a unique key without NULLs.
fn pairing(table: &Table) -> Option<Vec<usize>> {
    let best = table.primary_key().or_else(|| table.keys.iter().find(|k| k.not_null));
    best.map(|k| k.columns.clone())
}

fn uses_of<'t>(tview: &'t Tview, table: &'t QualName) -> impl Iterator<Item = &'t Link> {
    tview.relations.links.iter().filter(move |l| &tview.view.uses[l.child.0].table == table)
}

fn read_columns(tview: &Tview, use_id: UseId) -> ColumnSet {
    tview.documents.reads.get(&use_id).into_iter().flatten().copied().collect()
}

/// The columns of a use that links or the key compare: where one of them changes, a document
/// comes to depend on other rows.
fn link_columns(tview: &Tview, use_id: UseId) -> ColumnSet {
    let compared = tview.relations.links.iter().flat_map(|l| l.on.iter().flat_map(|(a, b)| [*a, *b]));
    let key = tview.relations.key.holder_columns.iter().copied();
    compared.chain(key).filter(|c| c.use_id == use_id).map(|c| c.column).collect()
}

fn tview_step(plan: &mut TablePlan, index: usize, tview: &Tview) -> TviewStep {
    let table = plan.table.clone();
    let own: Vec<&Link> = uses_of(tview, &table).collect();
    let uses = own
        .iter()
        .map(|link| UseStep {
            use_id: link.child,
            changed: plan.flag(read_columns(tview, link.child)),
            keys: way_to_key(tview, link.child),
        })
        .collect::<Vec<_>>();
    let mut locks = Vec::new();
    for link in tview.relations.links.iter().filter(|l| l.lock.is_some()) {
        let exclusive = uses.iter().filter(|u| u.use_id == link.child).map(|u| Source {
            flag: u.changed,
            way: Way { start: link.child, joins: Vec::new(), select: link.on.iter().map(|(c, _)| *c).collect() },
        });
        let exclusive: Vec<Source> = exclusive.collect();
        let mut shared = Vec::new();
        for above in own.iter().filter(|l| l.child != link.child) {
            if let Some(way) = way_to_value(tview, above.child, link) {
                shared.push(Source { flag: plan.flag(link_columns(tview, above.child)), way });
            }
        }
        if !exclusive.is_empty() || !shared.is_empty() {
            locks.push(LockStep { link: link.child, exclusive, shared });
        }
    }
    TviewStep { tview: index, uses, locks }
}

/// From a changed row up to the first use that carries the key.
fn way_to_key(tview: &Tview, start: UseId) -> Way {
    let mut joins = Vec::new();
    let mut at = tview.relations.links.of(start);
    while let Some(link) = at {
        if let Some(key) = &link.key {
            return Way { start, joins, select: key.clone() };
        }
        let Some(parent) = link.parent else { break };
        joins.push((parent, link.on.iter().map(|(child, parent)| (*parent, *child)).collect()));
        at = tview.relations.links.of(parent);
    }
    unreachable!("every link leads to a use that carries the key")
}

/// From a changed row of `above` down to the parent's side of `link`.
fn way_to_value(tview: &Tview, above: UseId, link: &Link) -> Option<Way> {
    let way = tview.relations.links.way_down(above, link.child)?;
    let (last, between) = way.split_last()?;
    let joins = between.iter().map(|l| (l.child, l.on.clone())).collect();
    Some(Way { start: above, joins, select: last.on.iter().map(|(_, parent)| *parent).collect() })
}

impl TablePlan {
    /// The flag for a column set; none is needed where it is all that is read anyway, and none can
    /// be had where old and new rows are not paired.
    fn flag(&mut self, columns: ColumnSet) -> Option<usize> {
        if self.pairing.is_none() || columns == self.reads {
            return None;
        }
        let at = self.flags.iter().position(|f| *f == columns);
        Some(at.unwrap_or_else(|| {
            self.flags.push(columns);
            self.flags.len() - 1
        }))
    }
}

fn step_needs(step: &TviewStep) -> BTreeSet<usize> {
    let sources = step.locks.iter().flat_map(|l| l.exclusive.iter().chain(&l.shared)).map(|s| &s.way);
    let ways = sources.chain(step.uses.iter().map(|u| &u.keys));
    ways.flat_map(|w| w.needs().collect::<Vec<_>>()).collect()
}

/// For each tview, the tables that a write to reaches it; used by pictures and messages.
pub fn tables_of(tview: &Tview) -> BTreeMap<&QualName, usize> {
    let mut tables = BTreeMap::new();
    for link in tview.relations.links.iter() {
        *tables.entry(&tview.view.uses[link.child.0].table).or_insert(0) += 1;
    }
    tables
}
