//! Plan: for each base table, what a write to it does to each tview.
//!
//! In: the tviews in topological order. Out: one [`TablePlan`] per base table: which columns of the
//! changed rows are carried, which columns decide whether a tview is concerned, and per tview the locks to
//! take, in locking order, and the ways to the affected keys. What always holds: tviews appear in
//! topological order and links parents first, in every plan alike, so that all writers lock in one
//! order.
//!
//! Strategies: *skip* where no column that a tview reads has changed, *patch* where [`patch`] proves it, *array patch* and *path
//! recompute* where [`parts`] does, else *key recompute*.

mod arrays;
mod decide;
mod layout;
mod occurrences;
mod parts;
mod patch;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::catalog::{Catalog, Relation, Table};
use crate::cut::Text;
use crate::document::Documents;
use crate::names::{Ident, QualName};
use crate::relate::{Absent, Link, Pair, Relations, Variant, is_scalar};
use crate::resolve::{FlatView, Term, UseId};
use crate::source::{Sources, Span};
use crate::syntax::Statement;
pub use arrays::value_expr;
pub use decide::{Changed, Decisions, Handling};
use decide::{Recomputed, whole_values};
pub use layout::{ArrayId, ArrayText, Layout, Sort, Value};
pub use occurrences::ValueId;

use patch::Prover;
pub use patch::{Change, Patch, Site};

/// How far the plan may go (`--strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Every dependency is recomputed by key.
    Recompute,
    /// No patches; single paths may be computed again.
    Path,
    /// The cheapest that is proved.
    #[default]
    Auto,
}

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
    /// What is computed for all rows whichever key is asked for.
    pub computed_whole: Whole,
}

/// What of a view is computed for all rows whichever key is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whole {
    /// A window.
    pub window: Option<Span>,
    /// Whether such a window or group is in the FROM clause, and not in a subquery: then it is computed once for all keys together.
    pub at_once: bool,
    /// Whether there are windows in FROM that are computed for each row over its own partitions: for many keys together that is more
    /// than to compute all.
    pub by_row: bool,
    /// A FULL JOIN with another one.
    pub chain: Option<Span>,
    /// A condition of which one part has to hold, each of which leads to other rows of a table: it is asked of all of them.
    pub parts: Option<Span>,
    /// A grouped query in a FROM clause.
    pub group: Option<Span>,
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
    /// Whether a row can be shown twice by one update, once with another key: such rows are not paired.
    pub may_repeat: bool,
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
    /// Which documents are recomputed.
    pub uses: Vec<UseStep>,
    /// Which documents are concerned, whatever is done with them.
    pub reached: Vec<UseStep>,
    /// Which are patched, unless they are recomputed.
    pub patches: Vec<PatchStep>,
    /// In which values or elements are computed again, unless the documents are recomputed.
    pub parts: Vec<PartStep>,
    /// For each use of the table that is not patched: what is missing.
    pub missing: Vec<(UseId, String)>,
    /// In locking order.
    pub locks: Vec<LockStep>,
}

impl TviewStep {
    /// The uses that the tview reads the table as, in their order.
    pub fn read_as(&self) -> BTreeSet<UseId> {
        self.uses.iter().map(|u| u.use_id).chain(self.parts.iter().map(|p| p.use_id)).collect()
    }

    /// All ways to keys.
    pub fn ways(&self) -> impl Iterator<Item = &Way> {
        let ways = self.uses.iter().chain(&self.reached).filter_map(|u| match &u.reach {
            Reach::Keys(way) | Reach::Parts { way, .. } => Some(way),
            Reach::Whole => None,
        });
        ways.chain(self.parts.iter().map(|p| &p.way))
    }
}

/// Rows of one use of the table in the tview of which nothing but patched columns has changed.
#[derive(Clone, Debug)]
pub struct PatchStep {
    /// The use.
    pub use_id: UseId,
    /// What and why.
    pub patch: Patch,
    /// Index into [`TablePlan::flags`]: did anything change that is recomputed?
    pub other: usize,
    /// Did a patched column change? `None`: one did, if nothing else has.
    pub changed: Option<usize>,
}

/// Rows of one use of the table in the tview that have a part in one value of its documents.
#[derive(Clone, Debug)]
pub struct PartStep {
    /// The use.
    pub use_id: UseId,
    /// Which value.
    pub value: ValueId,
    /// Index into [`TablePlan::flags`]: did a column change that the value is computed from?
    pub changed: Option<usize>,
    /// From a changed row to the keys and, of an array, to the match keys of the elements around it and of its own.
    pub way: Way,
    /// The columns that it is computed from.
    pub columns: ColumnSet,
    /// Where elements are computed again and not the value, or why that is not so.
    pub element: Result<ElementStep, String>,
}

/// What a change of a row does to elements of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementStep {
    /// The array.
    pub array: ArrayId,
    /// Besides that they show something else.
    pub moves: ElementMoves,
}

/// Whether elements come, go or move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementMoves {
    /// They stay.
    Never,
    /// They may not, if the flag says so.
    If(Option<usize>),
}

/// One use of the table in the tview.
#[derive(Clone, Debug)]
pub struct UseStep {
    /// The use.
    pub use_id: UseId,
    /// Index into [`TablePlan::flags`]: did a column change that this use reads? `None`: always asked already.
    pub changed: Option<usize>,
    /// Which documents it concerns.
    pub reach: Reach,
}

/// Which documents a changed row concerns.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// Those at the end of a way.
    Keys(Way),
    /// Those that hold a part of the key: where a row on the way from the changed row to the rest of the key was changed in
    /// the same statement, nothing else is left of the old one.
    Parts {
        /// From the changed row, as it was, to the part.
        way: Way,
        /// The key columns that it selects.
        keys: Vec<usize>,
        /// The way to the whole key, which may be gone.
        whole: Way,
    },
    /// All.
    Whole,
}

/// The locks on one link.
#[derive(Clone, Debug)]
pub struct LockStep {
    /// The use whose link it is.
    pub link: UseId,
    /// Which of its links ([`Link::number`]).
    pub number: usize,
    /// Values whose meaning the write changes: old and new.
    pub exclusive: Vec<Source>,
    /// Values that documents newly depend on: new ones of rows whose links changed.
    pub shared: Vec<Source>,
    /// Those of the latter that are asked for once more, after all locks: a row on the way may have moved while they were waited for.
    pub again: Vec<Source>,
}

impl LockStep {
    /// All values.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.exclusive.iter().chain(&self.shared)
    }
}

/// Values to lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Index into the flags that restricts the rows.
    pub flag: Option<usize>,
    /// From the changed rows to the values.
    pub way: Way,
}

/// A chain of joins that begins at the changed rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The use that the changed rows stand for.
    pub start: UseId,
    /// In order.
    pub joins: Vec<Join>,
    /// What is selected at the end.
    pub select: Vec<Term>,
    /// Whether each of these may be NULL and counts all the same.
    pub null_safe: Vec<bool>,
    /// Only where this finds no row.
    pub absent: Option<Join>,
}

/// One use joined to those that are there already.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The use.
    pub use_id: UseId,
    /// What leads there.
    pub on: Vec<Pair>,
    /// Whether the use is the child of these pairs.
    pub is_child: bool,
}

impl Way {
    fn new(start: UseId, joins: Vec<Join>, select: Vec<Term>) -> Self {
        let null_safe = vec![false; select.len()];
        Way { start, joins, select, null_safe, absent: None }
    }

    /// The columns of the changed rows that the way needs.
    pub fn needs(&self) -> ColumnSet {
        let joined = self.joins.iter().chain(&self.absent).flat_map(|j| j.on.iter().flat_map(Pair::reads));
        let selected = self.select.iter().flat_map(Term::columns);
        joined.chain(selected).filter(|c| c.use_id == self.start).map(|c| c.column).collect()
    }
}

/// What the plans of several tables ask of one tview.
struct Reader<'t> {
    tview: &'t Tview,
    /// Index of the tview.
    index: usize,
    /// The uses of each table.
    uses: BTreeMap<&'t QualName, Vec<UseId>>,
    /// For each variant, by use: the columns that links or the key compare. Where one of them changes, a document comes to
    /// depend on other rows.
    compared: Vec<BTreeMap<UseId, ColumnSet>>,
    /// What patches are proved with, or why there are none.
    prover: Result<Prover<'t>, &'static str>,
}

/// The plans of a program.
pub struct Plans {
    /// Those of all base tables, in the order of their first use.
    pub tables: Vec<TablePlan>,
    /// For each tview, what of its documents is computed by itself.
    pub parts: Vec<TviewParts>,
}

/// What of a tview's documents is computed by itself.
#[derive(Clone, Debug, Default)]
pub struct TviewParts {
    /// Where the parts of the view's query stand.
    pub layout: Option<Layout>,
    /// The values that some write computes again, by themselves or as what their elements are taken from.
    pub values: BTreeSet<ValueId>,
    /// The arrays of which elements are computed again, and those around them.
    pub arrays: BTreeMap<ArrayId, ArrayPart>,
    /// Arrays that are computed again as a whole, because nothing tells their elements apart.
    pub unmatched: Vec<Unmatched>,
}

/// An array whose elements nothing tells apart.
#[derive(Clone, Debug)]
pub struct Unmatched {
    /// Its element.
    pub span: Span,
    /// What would.
    pub help: String,
}

/// An array whose elements are told apart.
#[derive(Clone, Debug)]
pub struct ArrayPart {
    /// The field.
    pub field: String,
    /// What it holds, as it is written in the array's query.
    pub written: String,
    /// The type of that, for variables.
    pub ty: String,
    /// Whether the match key is among the expressions that elements are sorted by.
    pub sorted_by_match: bool,
    /// Where it is the first of these and an integer: whether the largest comes first. The elements in a document then tell where
    /// another one goes.
    pub descending: Option<bool>,
}

/// More elements of one array than this are not changed one by one.
pub const MANY_ELEMENTS: usize = 16;

/// The plans of all base tables.
pub fn plan(
    tviews: &[Tview],
    catalog: &Catalog,
    sources: &Sources,
    statements: &[Statement],
    strategy: Strategy,
) -> Plans {
    let layout = |tview: &Tview| match catalog.relations.get(&tview.view.name) {
        Some(Relation::View(view)) if strategy != Strategy::Recompute => {
            let text = Text { sources, statement: &statements[view.statement], query: view.query_span };
            layout::layout(&text, view, &tview.view)
        }
        _ => None,
    };
    let layouts: Vec<Option<Layout>> = tviews.iter().map(layout).collect();
    let mut order: IndexMap<&QualName, Vec<usize>> = IndexMap::new();
    let mut readers = Vec::with_capacity(tviews.len());
    for (index, tview) in tviews.iter().enumerate() {
        let mut uses: BTreeMap<&QualName, Vec<UseId>> = BTreeMap::new();
        for use_id in live_uses(tview) {
            let table = &tview.view.uses[use_id.0].table;
            let of_table = uses.entry(table).or_default();
            if of_table.is_empty() {
                order.entry(table).or_default().push(index);
            }
            of_table.push(use_id);
        }
        let compared = tview.relations.variants.iter().map(compared_columns).collect();
        let prover = Prover::new(tview, layouts[index].as_ref(), strategy, catalog);
        readers.push(Reader { tview, index, uses, compared, prover });
    }
    let plan = |(name, indexes): (&QualName, Vec<usize>)| {
        table_plan(name, &indexes.iter().map(|index| &readers[*index]).collect::<Vec<_>>(), catalog)
    };
    let tables: Vec<TablePlan> = order.into_iter().map(plan).collect();
    let parts = readers.iter().map(|r| r.parts(&tables)).collect();
    Plans { tables, parts }
}

impl Reader<'_> {
    /// What of the tview's documents the plans compute by itself.
    fn parts(&self, tables: &[TablePlan]) -> TviewParts {
        let Ok(prover) = &self.prover else { return TviewParts::default() };
        let steps = tables.iter().flat_map(|t| &t.steps).filter(|s| s.tview == self.index);
        let mut all = TviewParts::default();
        for part in steps.clone().flat_map(|s| &s.parts) {
            all.values.insert(part.value);
            for id in part.element.iter().flat_map(|element| element.array.chain()) {
                if let Some(Ok(array)) = prover.arrays.get(&id) {
                    all.arrays.insert(id, array.part(prover));
                }
            }
        }
        let uses: BTreeSet<UseId> = steps.flat_map(|s| &s.parts).map(|p| p.use_id).collect();
        let is_unmatched = |id: &&ArrayId| all.values.contains(&id.value) && prover.is_unmatched(id, &uses);
        all.unmatched = prover.arrays.keys().filter(is_unmatched).filter_map(|id| prover.unmatched(id)).collect();
        if !all.values.is_empty() {
            all.layout = prover.layout.cloned();
        }
        all
    }
}

/// The uses of all variants, in the order of their links.
pub fn live_uses(tview: &Tview) -> Vec<UseId> {
    let mut uses = Vec::new();
    let mut seen = BTreeSet::new();
    for variant in &tview.relations.variants {
        let all = variant.links.iter().map(|l| l.child).chain(variant.links.whole.iter().copied());
        uses.extend(all.filter(|u| seen.insert(*u)));
    }
    uses
}

/// The plan of a table that these tviews read.
fn table_plan(name: &QualName, readers: &[&Reader], catalog: &Catalog) -> TablePlan {
    let table = catalog.table(name);
    let reads: ColumnSet =
        readers.iter().flat_map(|r| r.uses[name].iter().flat_map(|u| read_columns(r.tview, *u))).collect();
    let pairing = pairing(table);
    let mut plan = TablePlan {
        table: name.clone(),
        may_repeat: pairing.as_deref().is_some_and(|key| catalog.may_change_twice(table, key)),
        pairing,
        reads,
        carried: ColumnSet::new(),
        flags: Vec::new(),
        steps: Vec::new(),
    };
    for reader in readers {
        let step = tview_step(&mut plan, reader);
        plan.steps.push(step);
    }
    let needs: Vec<ColumnSet> = plan.steps.iter().flat_map(step_needs).collect();
    plan.carried.extend(needs.into_iter().flatten());
    if plan.steps.iter().any(|s| !s.patches.is_empty()) {
        // The current versions of patched rows are found by these.
        plan.carried.extend(plan.pairing.iter().flatten());
    }
    if plan.carried.is_empty() {
        // Something has to say whether there are rows at all.
        let scalar = |c: &usize| is_scalar(&table.columns[*c].ty);
        plan.carried.extend((0..table.columns.len()).find(scalar));
    }
    plan
}

/// Whether values of these columns can be collected into arrays as they are, one element per row; others are collected as text.
pub fn is_collectable(table: &Table, columns: &ColumnSet) -> bool {
    columns.iter().all(|c| is_scalar(&table.columns[*c].ty))
}

/// The primary key, or else a unique key without NULLs.
fn pairing(table: &Table) -> Option<Vec<usize>> {
    let best = table.primary_key().or_else(|| table.keys.iter().find(|k| k.not_null));
    best.map(|k| k.columns.clone())
}

fn read_columns(tview: &Tview, use_id: UseId) -> ColumnSet {
    tview.documents.reads.get(&use_id).into_iter().flatten().copied().collect()
}

fn compared_columns(variant: &Variant) -> BTreeMap<UseId, ColumnSet> {
    let on = variant.links.iter().map(|l| &l.on).chain(variant.absent.iter().map(|absent| &absent.on));
    let compared = on.flat_map(|on| on.iter().flat_map(Pair::reads));
    let key = variant.key.iter().flat_map(Term::columns);
    let held = variant.links.iter().flat_map(|l| {
        let own = l.key.iter().flatten().flat_map(Term::columns);
        own.filter(|c| c.use_id == l.child)
    });
    let mut all: BTreeMap<UseId, ColumnSet> = BTreeMap::new();
    for column in compared.chain(key).chain(held) {
        all.entry(column.use_id).or_default().insert(column.column);
    }
    all
}

fn tview_step(plan: &mut TablePlan, reader: &Reader) -> TviewStep {
    let table = plan.table.clone();
    let tview = reader.tview;
    let of_table = |u: &UseId| tview.view.uses[u.0].table == table;
    let mut step = StepBuilder::default();
    let (mut patches, mut parts, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let mut recomputed: BTreeMap<UseId, Option<usize>> = BTreeMap::new();
    let mut by_parts: BTreeSet<UseId> = BTreeSet::new();
    for use_id in &reader.uses[&table] {
        let decision = plan.decide(reader, *use_id);
        match decision.recomputed {
            Recomputed::Never => drop(by_parts.insert(*use_id)),
            Recomputed::If(flag) => drop(recomputed.insert(*use_id, flag)),
            Recomputed::Always => {}
        }
        patches.extend(decision.patch);
        parts.extend(decision.parts);
        missing.extend(decision.missing.map(|missing| (*use_id, missing)));
    }
    whole_values(&mut parts);
    for (variant, compared) in tview.relations.variants.iter().zip(&reader.compared) {
        let compared = |u: UseId| compared.get(&u).cloned().unwrap_or_default();
        for link in variant.starts().filter(|l| of_table(&l.child) && !by_parts.contains(&l.child)) {
            let changed = match recomputed.get(&link.child) {
                // What it shows is shown by its own documents.
                _ if variant.absent.as_ref().is_some_and(|absent| absent.child == link.child) => {
                    plan.flag(compared(link.child))
                }
                Some(other) => *other,
                None => plan.flag(read_columns(tview, link.child)),
            };
            step.add(UseStep { use_id: link.child, changed, reach: Reach::Keys(way_to_key(variant, link.child)) });
            if let Some(reach) = way_to_parts(variant, link.child) {
                let changed = plan.flag(compared(link.child));
                step.add(UseStep { use_id: link.child, changed, reach });
            }
        }
        for use_id in variant.links.whole.iter().copied().filter(of_table) {
            let changed = plan.flag(read_columns(tview, use_id));
            step.add(UseStep { use_id, changed, reach: Reach::Whole });
        }
        let uses: Vec<UseId> = variant.links.iter().map(|l| l.child).filter(of_table).collect();
        lock_links(plan, variant, &uses, &|u| (read_columns(tview, u), compared(u)), &mut step);
    }
    let StepBuilder { uses, locks, .. } = step;
    let mut step = TviewStep { tview: reader.index, uses, reached: Vec::new(), patches, parts, missing, locks };
    step.reached = reached(plan, tview, &step);
    step
}

/// Which documents any change of any use of the table concerns: those that the step locks, and no others.
fn reached(plan: &TablePlan, tview: &Tview, step: &TviewStep) -> Vec<UseStep> {
    let of_table = |u: &UseId| tview.view.uses[u.0].table == plan.table;
    let mut all = StepBuilder::default();
    for variant in &tview.relations.variants {
        for start in variant.starts().map(|l| l.child).filter(of_table) {
            let keys = Reach::Keys(way_to_key(variant, start));
            for reach in [keys].into_iter().chain(way_to_parts(variant, start)) {
                for changed in plan.rows_of(step, start, &read_columns(tview, start)) {
                    all.add(UseStep { use_id: start, changed, reach: reach.clone() });
                }
            }
        }
        for use_id in variant.links.whole.iter().copied().filter(of_table) {
            let changed = plan.known_flag(&read_columns(tview, use_id));
            all.add(UseStep { use_id, changed, reach: Reach::Whole });
        }
    }
    all.uses
}

/// What a write to these uses locks: the values of their own links, since it changes what these lead to; those of links below, since
/// documents come to depend on them; and those of links that the way to the key goes down, since whoever inserts a row there
/// makes documents that this write does not see, and reads what it changes.
fn lock_links(
    plan: &mut TablePlan,
    variant: &Variant,
    uses: &[UseId],
    columns: &dyn Fn(UseId) -> (ColumnSet, ColumnSet),
    step: &mut StepBuilder,
) {
    let to_key = variant.links.down_to_key(&variant.key);
    let mut passed: BTreeSet<UseId> = BTreeSet::new();
    for link in variant.links.iter() {
        passed.insert(link.child);
        if link.lock.is_none() {
            continue;
        }
        let (exclusive, shared, again) = (Vec::new(), Vec::new(), Vec::new());
        let mut lock = LockStep { link: link.child, number: link.number, exclusive, shared, again };
        let above: Vec<UseId> = variant.links.way_up(link.child)[1..].iter().map(|l| l.child).collect();
        let leads_to_key = to_key.contains(&link.child);
        for start in uses.iter().copied() {
            let (read, compared) = columns(start);
            if start == link.child {
                let way = values(Way::new(start, Vec::new(), Vec::new()), link, true);
                lock.exclusive.push(Source { flag: plan.flag(read), way });
            } else if above.contains(&start) {
                let flag = plan.flag(if leads_to_key { read } else { compared });
                lock.shared.push(Source { flag, way: way_to_value(variant, start, link) });
            } else if leads_to_key && variant.links.way_down(link.child, start).is_none() {
                let source = Source { flag: plan.flag(read), way: way_to_value(variant, start, link) };
                if !passed.contains(&start) {
                    lock.again.push(source.clone());
                }
                lock.shared.push(source);
            }
        }
        step.lock(lock);
    }
}

/// The values of one side of a link.
fn values(way: Way, link: &Link, of_child: bool) -> Way {
    let side = |pair: &Pair| match pair {
        Pair::Equal { child, parent, null_safe } => {
            Some((if of_child { child.clone() } else { parent.clone() }, *null_safe))
        }
        Pair::Holds(_) => None,
    };
    let (select, null_safe) = link.on.iter().filter_map(side).unzip();
    Way { select, null_safe, ..way }
}

/// A step to which variants add what they need; what is the same in several is there once.
#[derive(Default)]
struct StepBuilder {
    uses: Vec<UseStep>,
    /// By use: its places in the list.
    of_use: BTreeMap<UseId, Vec<usize>>,
    locks: Vec<LockStep>,
    /// By link: its place in the list.
    of_link: BTreeMap<(UseId, usize), usize>,
}

impl StepBuilder {
    fn add(&mut self, step: UseStep) {
        let known = self.of_use.entry(step.use_id).or_default();
        if !known.iter().any(|at| (self.uses[*at].changed, &self.uses[*at].reach) == (step.changed, &step.reach)) {
            known.push(self.uses.len());
            self.uses.push(step);
        }
    }

    fn lock(&mut self, lock: LockStep) {
        if lock.exclusive.is_empty() && lock.shared.is_empty() {
            return;
        }
        let at = (lock.link, lock.number);
        match self.of_link.get(&at) {
            Some(at) => {
                let known = &mut self.locks[*at];
                let add = |list: &mut Vec<Source>, more: Vec<Source>| {
                    let new: Vec<Source> = more.into_iter().filter(|s| !list.contains(s)).collect();
                    list.extend(new);
                };
                add(&mut known.exclusive, lock.exclusive);
                add(&mut known.shared, lock.shared);
                add(&mut known.again, lock.again);
            }
            None => {
                self.of_link.insert(at, self.locks.len());
                self.locks.push(lock);
            }
        }
    }
}

/// From a changed row up to the first use that carries the key, or to the root and from there to the parts of the key. To the key of rows
/// without a partner only where there is none; from a row that may be one, always.
fn way_to_key(variant: &Variant, start: UseId) -> Way {
    match &variant.absent {
        None => way_up_to_key(variant, start),
        Some(Absent { child, .. }) if *child == start => Way::new(start, Vec::new(), variant.key.clone()),
        Some(Absent { child, on, .. }) => {
            let absent = Some(Join { use_id: *child, on: on.clone(), is_child: true });
            Way { absent, ..way_up_to_key(variant, start) }
        }
    }
}

fn way_up_to_key(variant: &Variant, start: UseId) -> Way {
    let mut joins = Vec::new();
    let mut at = variant.links.of(start);
    while let Some(link) = at {
        if let Some(key) = &link.key {
            return Way::new(start, joins, key.clone());
        }
        let Some(parent) = link.parent else { break };
        joins.push(Join { use_id: parent, on: link.on.clone(), is_child: false });
        at = variant.links.of(parent);
    }
    let wanted = variant.key.iter().flat_map(Term::uses);
    let joins = descend(variant, start, joins, wanted);
    Way::new(start, joins, variant.key.clone())
}

/// Joins more uses, each from the nearest use above it that is there already.
fn descend(variant: &Variant, start: UseId, mut joins: Vec<Join>, wanted: impl Iterator<Item = UseId>) -> Vec<Join> {
    for use_id in wanted {
        let up = variant.links.way_up(use_id);
        let is_there = |u: UseId, joins: &[Join]| u == start || joins.iter().any(|j| j.use_id == u);
        let open = up.iter().take_while(|l| !is_there(l.child, &joins)).count();
        for link in up[..open].iter().rev() {
            joins.push(Join { use_id: link.child, on: link.on.clone(), is_child: true });
        }
    }
    joins
}

/// From a row below the root to the parts of the key that it leads to, where the root does not hold the key itself.
fn way_to_parts(variant: &Variant, start: UseId) -> Option<Reach> {
    let link = variant.links.of(start)?;
    let held = variant.links.way_up(start).iter().any(|l| l.key.is_some());
    if held || link.parent.is_none() {
        return None;
    }
    let below = |term: &Term| term.uses().iter().all(|u| *u == start || variant.links.way_down(start, *u).is_some());
    let keys: Vec<usize> =
        (0..variant.key.len()).filter(|k| !variant.key[*k].columns().is_empty() && below(&variant.key[*k])).collect();
    let select: Vec<Term> = keys.iter().map(|k| variant.key[*k].clone()).collect();
    let joins = descend(variant, start, Vec::new(), select.iter().flat_map(Term::uses).collect::<Vec<_>>().into_iter());
    (!keys.is_empty()).then(|| Reach::Parts {
        way: Way::new(start, joins, select),
        keys,
        whole: way_to_key(variant, start),
    })
}

/// For each variant: from the rows of its root to the key.
pub fn rows_of_keys(tview: &Tview) -> Vec<Way> {
    let roots = tview.relations.variants.iter().filter_map(|v| Some((v, v.links.iter().next()?)));
    roots.map(|(v, root)| way_to_key(v, root.child)).collect()
}

/// The sets of key columns by which documents are looked up.
pub fn parts_of_key(variant: &Variant) -> Vec<Vec<usize>> {
    let parts = variant.links.iter().filter_map(|l| match way_to_parts(variant, l.child) {
        Some(Reach::Parts { keys, .. }) => Some(keys),
        _ => None,
    });
    parts.collect()
}

/// From a changed row to the parent's side of a link: up as far as that lies below, and then down.
fn way_to_value(variant: &Variant, start: UseId, link: &Link) -> Way {
    let above: BTreeSet<UseId> = link.parent.iter().flat_map(|p| variant.links.way_up(*p)).map(|l| l.child).collect();
    let up = variant.links.way_up(start);
    let open = up.iter().take_while(|l| !above.contains(&l.child));
    let joins = open.filter_map(|l| Some(Join { use_id: l.parent?, on: l.on.clone(), is_child: false })).collect();
    let joins = descend(variant, start, joins, link.parent.into_iter());
    values(Way::new(start, joins, Vec::new()), link, false)
}

impl TablePlan {
    /// The flags of the rows of a use in which something changed that it reads: one for that, if it is needed anyway, or else those
    /// of all that the step does with them.
    fn rows_of(&self, step: &TviewStep, use_id: UseId, read: &ColumnSet) -> BTreeSet<Option<usize>> {
        let known = self.known_flag(read);
        if known.is_some() || *read == self.reads {
            return BTreeSet::from([known]);
        }
        let uses =
            step.uses.iter().filter(|u| u.use_id == use_id && matches!(u.reach, Reach::Keys(_))).map(|u| u.changed);
        let patches = step.patches.iter().filter(|p| p.use_id == use_id).map(|p| p.changed);
        let parts = step.parts.iter().filter(|p| p.use_id == use_id).map(|p| p.changed);
        let flags: BTreeSet<Option<usize>> = uses.chain(patches).chain(parts).collect();
        // Without one every row counts.
        if flags.contains(&None) { BTreeSet::from([None]) } else { flags }
    }

    /// The flag for a column set where others need it anyway.
    fn known_flag(&self, columns: &ColumnSet) -> Option<usize> {
        self.flags.iter().position(|f| f == columns)
    }

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

/// What each way of a step needs of the changed rows.
fn step_needs(step: &TviewStep) -> Vec<ColumnSet> {
    let sources = step.locks.iter().flat_map(LockStep::sources).map(|s| &s.way);
    let patches = step.patches.iter().map(|p| &p.patch.way);
    sources.chain(step.ways()).chain(patches).map(Way::needs).collect()
}
