//! Patches: which columns of a use can be changed in the documents without computing the view again.
//!
//! In: a tview, and one use of a base table in it. Out: a [`Patch`], the columns with their places and the proof, or the
//! fact that is missing. What always holds of a patch: a row of which nothing but these columns changed reaches each of
//! its documents as exactly one row, shows in it at these places and at no other, and has no influence on which
//! documents there are. What cannot be shown is recomputed.

use std::collections::{BTreeMap, BTreeSet};

use super::arrays::{Array, arrays};
use super::layout::{ArrayId, Layout};
use super::occurrences::{Occurrences, columns, opened};
use super::{ColumnSet, Strategy, Tview, Way, is_collectable, way_to_key};
use crate::catalog::{Catalog, Table};
use crate::diagnostics::Code;
use crate::names::{Ident, QualName};
use crate::relate::{Link, Pair, Variant, same_type};
use crate::resolve::{ColumnRef, Expr, ExprKind, FlatView, OuterKind, TOP, Term, UseId};

/// Each further place costs a copy of the document.
const MAX_CHANGES: usize = 16;

/// A place that holds the value of a column and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The output column.
    pub output: usize,
    /// Fields from the root of the document; empty where the output column itself is the value.
    pub path: Vec<String>,
    /// Of the use's table.
    pub column: usize,
}

/// Names of fields and the columns that they hold.
pub type Fields = Vec<(String, usize)>;

/// What is written into an output column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The output column is a column of the table.
    Column {
        /// The output column.
        output: usize,
        /// Of the use's table.
        column: usize,
    },
    /// Fields of an object.
    Object {
        /// The output column.
        output: usize,
        /// Where the object is; empty for the document itself.
        path: Vec<String>,
        /// What the fields hold.
        fields: Fields,
        /// Whether the object has no other fields, and would have none if the table got more columns.
        whole: bool,
    },
}

/// What is patched, and why that is right.
#[derive(Clone, Debug)]
pub struct Patch {
    /// The columns.
    pub columns: ColumnSet,
    /// Where they show, in the order of output column and path.
    pub sites: Vec<Site>,
    /// The same as what is written: by output column, outer objects before those in them.
    pub changes: Vec<Change>,
    /// From a changed row to the keys of its documents.
    pub way: Way,
    /// Whether constraints say that there is a document for each of these keys.
    pub all_shown: bool,
    /// For people.
    pub proof: String,
    /// The other columns that are read, each with what keeps it from being patched.
    pub others: Vec<(usize, &'static str)>,
}

/// What the patches of one tview are proved with.
pub(super) struct Prover<'t> {
    pub(super) variant: &'t Variant,
    pub(super) catalog: &'t Catalog,
    pub(super) occurrences: Occurrences,
    /// Where the parts of the query stand, if it has a form that can be taken apart.
    pub(super) layout: Option<&'t Layout>,
    pub(super) strategy: Strategy,
    /// The arrays in the documents, where elements may be changed.
    pub(super) arrays: BTreeMap<ArrayId, Result<Array<'t>, String>>,
    /// Whether rows are read at once for all keys, or for many.
    pub(super) is_read_at_once: bool,
    /// By use: what its link compares, if that leads from a document's key to at most one row, which is the one that the
    /// document shows.
    links: BTreeMap<UseId, Result<String, String>>,
    /// Tables with rows that concern all documents.
    pub(super) whole: BTreeSet<&'t QualName>,
}

impl<'t> Prover<'t> {
    /// The prover of a tview, or why none of its uses is patched.
    pub fn new(
        tview: &'t Tview,
        layout: Option<&'t Layout>,
        strategy: Strategy,
        catalog: &'t Catalog,
    ) -> Result<Self, &'static str> {
        if strategy == Strategy::Recompute {
            return Err("patches are turned off");
        }
        let [variant] = tview.relations.variants.as_slice() else {
            return Err("the view is a union");
        };
        if tview.relations.key.asserted {
            return Err("the key is asserted, not proved");
        }
        if tview.relations.key.can_be_null() {
            return Err("the key can be NULL");
        }
        plain_query(&variant.view)?;
        let fact = |link: &Link| (link.child, one_row(&variant.view, link, catalog));
        Ok(Prover {
            variant,
            catalog,
            occurrences: Occurrences::of(variant, layout),
            layout,
            strategy,
            arrays: arrays(&variant.view, layout.filter(|_| strategy == Strategy::Auto), catalog),
            is_read_at_once: tview.computed_whole.at_once || tview.computed_whole.by_row,
            links: variant.links.iter().map(fact).collect(),
            whole: tview.relations.whole().map(|u| &tview.view.uses[u.0].table).collect(),
        })
    }

    /// The patch of a use that reads these columns and whose changed rows are paired by those, or what is missing.
    pub fn patch(&self, use_id: UseId, reads: &ColumnSet, pairing: Option<&[usize]>) -> Result<Patch, String> {
        if self.strategy != Strategy::Auto {
            return Err("patches are turned off".into());
        }
        let view = &self.variant.view;
        let table = table(view, self.catalog, use_id);
        let pairing = pairing.ok_or("no key pairs the old and the new rows of the table")?;
        if self.whole.contains(&table.name) {
            return Err("nothing links these rows to single documents".into());
        }
        let proof = self.one_row_per_document(use_id)?;
        let way = way_to_key(self.variant, use_id);
        let found_by: ColumnSet = way.needs().into_iter().chain(pairing.iter().copied()).collect();
        if !is_collectable(table, &found_by) {
            return Err("its rows are found by arrays or rows".into());
        }
        let (mut columns, mut sites, mut others) = (ColumnSet::new(), Vec::new(), Vec::new());
        for column in reads {
            match self.occurrences.sites(ColumnRef { use_id, column: *column }, pairing) {
                Ok(found) => {
                    columns.insert(*column);
                    sites.extend(found);
                }
                Err(reason) => others.push((*column, reason)),
            }
        }
        if columns.is_empty() {
            return Err(nothing_shown(table, pairing, others));
        }
        sites.sort();
        let changes = changes(view, table, use_id, &sites)?;
        let all_shown = self.shows_all_rows() && self.ends_at_rows(&way);
        Ok(Patch { columns, sites, changes, way, all_shown, proof, others })
    }

    /// No condition, and no join, leaves a row of the root out: each other relation is on the nullable side of a join, or is what a foreign
    /// key that cannot be NULL refers to.
    fn shows_all_rows(&self) -> bool {
        let view = &self.variant.view;
        let compared: BTreeSet<ColumnRef> =
            self.variant.links.iter().flat_map(|l| &l.on).filter_map(Pair::columns).flat_map(|(a, b)| [a, b]).collect();
        let joins = |c: &Expr| opened(c).is_empty() && !columns(c).is_empty() && columns(c).is_subset(&compared);
        let joins_only = view.blocks[TOP.0].conditions.iter().all(joins);
        let mut links = self.variant.links.iter().filter(|link| view.uses[link.child.0].block == TOP);
        let is_nullable = |at: UseId| view.uses[at.0].nullable;
        let has_row = |link: &Link| {
            link.parent.is_none_or(|p| is_nullable(link.child) || (!is_nullable(p) && self.refers(link, p)))
        };
        joins_only && view.derived.iter().all(|d| d.block != TOP) && links.all(has_row)
    }

    /// The keys at the end of a way are those of rows of the root: its own columns, which are never NULL, or what a foreign key says to be
    /// them. (A way ends before it, where a table on it has the key too.)
    fn ends_at_rows(&self, way: &Way) -> bool {
        let view = &self.variant.view;
        let Some(ends) = way.select.iter().map(Term::as_column).collect::<Option<Vec<ColumnRef>>>() else {
            return false;
        };
        let is_not_null = |end: &ColumnRef| column(view, self.catalog, *end).not_null;
        let is_root = |end: &ColumnRef| self.variant.links.of(end.use_id).is_some_and(|link| link.parent.is_none());
        let refers = |end: &ColumnRef| {
            let Some(link) = self.variant.links.of(end.use_id) else { return false };
            let compared: BTreeSet<ColumnRef> = link.on.iter().filter_map(Pair::columns).map(|(own, _)| own).collect();
            let to_root = link.parent.and_then(|p| self.variant.links.of(p)).is_some_and(|l| l.parent.is_none());
            to_root && compared == ends.iter().copied().collect() && self.refers_up(link)
        };
        ends.iter().all(|end| is_not_null(end) && (is_root(end) || refers(end)))
    }

    /// A foreign key says that each row of the parent has one of the child.
    fn refers(&self, link: &Link, parent: UseId) -> bool {
        let pairs = link.on.iter().map(|pair| pair.columns().map(|(own, above)| (above, own))).collect();
        self.is_foreign_key(parent, link.child, pairs)
    }

    /// A foreign key says that each row of the child has one of the parent.
    fn refers_up(&self, link: &Link) -> bool {
        let pairs = link.on.iter().map(Pair::columns).collect();
        link.parent.is_some_and(|parent| self.is_foreign_key(link.child, parent, pairs))
    }

    /// These pairs of columns are an enforced foreign key that cannot be NULL.
    fn is_foreign_key(&self, from: UseId, to: UseId, pairs: Option<Vec<(ColumnRef, ColumnRef)>>) -> bool {
        let (from, to) = (table(&self.variant.view, self.catalog, from), table(&self.variant.view, self.catalog, to));
        let name = |(own, other): (ColumnRef, ColumnRef)| (own.column, &to.columns[other.column].name);
        let pairs: Option<BTreeSet<(usize, &Ident)>> = pairs.map(|all| all.into_iter().map(name).collect());
        from.foreign_keys.iter().any(|key| {
            let said: BTreeSet<(usize, &Ident)> = key.columns.iter().copied().zip(&key.referenced).collect();
            key.enforced
                && key.references == to.name
                && pairs.as_ref() == Some(&said)
                && key.columns.iter().all(|c| from.columns[*c].not_null)
        })
    }

    /// Each link on the way from a document's key to the use leads to at most one row.
    fn one_row_per_document(&self, use_id: UseId) -> Result<String, String> {
        let way = self.variant.links.way_up(use_id);
        let end = way.iter().position(|l| l.key.is_some()).ok_or("the key comes from several tables")?;
        let fact = |link: &&Link| self.links[&link.child].as_deref().map_err(Clone::clone);
        let steps = way[..=end].iter().map(fact).collect::<Result<Vec<&str>, String>>()?;
        let alias = &self.variant.view.uses[use_id.0].alias;
        Ok(format!("one row of {alias} per document: {}", steps.join(", ")))
    }
}

/// What keeps each column from being patched.
fn nothing_shown(table: &Table, pairing: &[usize], mut others: Vec<(usize, &'static str)>) -> String {
    // What identifies the row says nothing where there is more to say.
    others.sort_by_key(|(column, _)| pairing.contains(column));
    let telling = others.iter().position(|(c, _)| pairing.contains(c)).unwrap_or(others.len()).max(1);
    let reason = |(column, reason): &(usize, &str)| format!("{} {reason}", table.columns[*column].name);
    let reasons: Vec<String> = others.iter().take(telling).map(reason).collect();
    if reasons.is_empty() { "it shows no column".into() } else { reasons.join(", ") }
}

/// A row of the view is one combination of rows of its tables.
fn plain_query(view: &FlatView) -> Result<(), &'static str> {
    let top = &view.blocks[TOP.0];
    let says = |is_so: bool, what: &'static str| if is_so { Err(what) } else { Ok(()) };
    says(view.whole.is_some(), "any write can change any document")?;
    // Documents are as of their last change, all of a document of the same one.
    says(view.accepts(Code::VolatileFunction), "the view may read the clock")?;
    says(top.grouped.is_some() || top.aggregated, "the view groups rows")?;
    says(top.limited || top.picked || top.recursive, "the view picks rows")?;
    // That of a relation in FROM is lost where the relation is merged into the query.
    says(view.blocks.iter().any(|b| b.distinct), "the view has DISTINCT")?;
    says(view.derived.iter().any(|d| d.block == TOP && d.inner.is_none()), "a function in FROM makes rows")?;
    says(
        view.outer_joins.iter().any(|j| j.borrows),
        "the nullable side of an outer join may show other tables' columns",
    )
}

/// A link that compares a key of the table below it, and, where an outer join can leave the row out, is its whole condition.
fn one_row(view: &FlatView, link: &Link, catalog: &Catalog) -> Result<String, String> {
    let owner = &view.uses[link.child.0];
    if owner.block != TOP {
        return Err(format!("{} is not joined by the query itself", owner.alias));
    }
    let (compared, text) = compared(view, link, catalog)?;
    let table = catalog.table(&owner.table);
    if !table.keys.iter().any(|k| k.columns.iter().all(|c| compared.contains(c))) {
        return Err(format!("{} is not found by a unique key of {}", owner.alias, table.name.name));
    }
    is_shown_where_linked(view, link)?;
    Ok(text)
}

/// The columns of the child that one row of its parent, or the key, gives values for.
fn compared(view: &FlatView, link: &Link, catalog: &Catalog) -> Result<(BTreeSet<usize>, String), String> {
    let name = |c: ColumnRef| format!("{}.{}", view.use_of(c).alias, column(view, catalog, c).name);
    let alias = &view.uses[link.child.0].alias;
    if let Some(key) = &link.key {
        let own: Option<Vec<ColumnRef>> = key.iter().map(Term::as_column).collect();
        let own = own.ok_or_else(|| format!("the key of {alias} is computed"))?;
        let names: Vec<String> = own.iter().map(|c| name(*c)).collect();
        return Ok((own.iter().map(|c| c.column).collect(), format!("the key is {}", names.join(", "))));
    }
    let mut columns = BTreeSet::new();
    for pair in &link.on {
        let same = pair
            .columns()
            .filter(|(child, parent)| same_type(&column(view, catalog, *child).ty, &column(view, catalog, *parent).ty));
        match (pair, same) {
            (Pair::Equal { null_safe: false, .. }, Some((child, _))) => columns.insert(child.column),
            _ => return Err(format!("{alias} is linked by `{}`", pair.text(&name))),
        };
    }
    let pairs: Vec<String> = link.on.iter().map(|p| p.text(&name)).collect();
    Ok((columns, pairs.join(" and ")))
}

pub(super) fn column<'c>(view: &FlatView, catalog: &'c Catalog, column: ColumnRef) -> &'c crate::catalog::Column {
    &table(view, catalog, column.use_id).columns[column.column]
}

pub(super) fn table<'c>(view: &FlatView, catalog: &'c Catalog, use_id: UseId) -> &'c Table {
    catalog.table(&view.uses[use_id.0].table)
}

/// Where an outer join can leave the row out, it does so exactly where the link does not hold.
fn is_shown_where_linked(view: &FlatView, link: &Link) -> Result<(), String> {
    let at = link.child.0;
    let linked = |(left, right): &(ColumnRef, ColumnRef)| {
        let mut pairs = link.on.iter().filter_map(Pair::columns);
        pairs.any(|(child, parent)| (child, parent) == (*left, *right) || (child, parent) == (*right, *left))
    };
    for join in &view.outer_joins {
        if !join.nullable().iter().any(|(from, to)| (*from..*to).contains(&at)) {
            continue;
        }
        let alone = join.kind == OuterKind::Left && join.right == (at, at + 1);
        let exact = join.pairs.as_ref().is_some_and(|pairs| pairs.iter().all(linked));
        if !alone || !exact {
            return Err(format!("{} is outer-joined by more than its link", view.uses[at].alias));
        }
    }
    Ok(())
}

/// Output column, depth and path of an object.
type ObjectPlace<'p> = (usize, usize, &'p [String]);

/// What the sites, which are sorted, make one statement write.
fn changes(view: &FlatView, table: &Table, use_id: UseId, sites: &[Site]) -> Result<Vec<Change>, String> {
    let mut columns = Vec::new();
    let mut objects: BTreeMap<ObjectPlace, Fields> = BTreeMap::new();
    for Site { output, path, column } in sites {
        match path.split_last() {
            None => columns.push(Change::Column { output: *output, column: *column }),
            Some((field, object)) => {
                objects.entry((*output, object.len(), object)).or_default().push((field.clone(), *column));
            }
        }
    }
    if columns.len() + objects.len() > MAX_CHANGES {
        return Err(format!("it shows in more than {MAX_CHANGES} places"));
    }
    let object = |((output, _, path), fields): (ObjectPlace, Fields)| {
        let whole = whole_object(view, table, use_id, output, path);
        let (whole, fields) = (whole.is_some(), whole.unwrap_or(fields));
        Change::Object { output, path: path.to_vec(), fields, whole }
    };
    columns.extend(objects.into_iter().map(object));
    columns.sort_by_key(|change| match change {
        Change::Column { output, .. } | Change::Object { output, .. } => *output,
    });
    Ok(columns)
}

/// All fields of the object at a path, where each holds a column of one use as it is: such an object is replaced as a
/// whole. Not where all columns of the table are among them: it may be `to_jsonb(t)`, which shows columns that were
/// added to the table since.
fn whole_object(view: &FlatView, table: &Table, use_id: UseId, output: usize, path: &[String]) -> Option<Fields> {
    if path.is_empty() {
        return None;
    }
    let mut at = &view.outputs[output].expr;
    for step in path {
        let ExprKind::Object(fields) = &at.kind else { return None };
        at = &fields.iter().find(|(name, _)| name == step)?.1;
    }
    let ExprKind::Object(fields) = &at.kind else { return None };
    let own = |(name, value): &(String, Expr)| {
        let column = value.as_column().filter(|c| c.use_id == use_id)?;
        Some((name.clone(), column.column))
    };
    let fields: Fields = fields.iter().map(own).collect::<Option<_>>()?;
    let names: BTreeSet<&String> = fields.iter().map(|(name, _)| name).collect();
    let columns: ColumnSet = fields.iter().map(|(_, column)| *column).collect();
    (names.len() == fields.len() && columns.len() < table.columns.len()).then_some(fields)
}
