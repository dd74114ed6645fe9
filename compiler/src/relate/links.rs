//! Links: the way from each use of a base table to the key.
//!
//! In: a view and its key. Out: a tree of [`Link`]s rooted at the key holder. A row reaches the
//! documents whose keys are found by joining from use to parent, using only the equalities of each
//! link. An equality may be followed from X to Y only where a row of X has an influence on nothing
//! but the rows of Y that equal it: within a block's inner joins both ways, over an outer join from
//! the nullable to the preserved side, from a subquery to the block around it.

use std::collections::{BTreeMap, BTreeSet};

use super::closure::{Equals, table};
use super::keys::ViewKey;
use super::locks::{self, ValueLock};
use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::resolve::{ColumnRef, Equality, FlatView, Scope, TOP, UseId};

/// One step from a use towards the key.
#[derive(Clone, Debug)]
pub struct Link {
    /// The use.
    pub child: UseId,
    /// The next use on the way; `None` for the key holder.
    pub parent: Option<UseId>,
    /// Pairs that are equal: the child's column and the parent's.
    pub on: Vec<(ColumnRef, ColumnRef)>,
    /// The child's own columns that equal the key, in key order, where it has them all.
    pub key: Option<Vec<ColumnRef>>,
    /// What writers lock; `None` where the key's own lock serves.
    pub lock: Option<ValueLock>,
}

/// All links of a view, parents before children; that order is the order of locking.
#[derive(Clone, Debug)]
pub struct Links {
    list: Vec<Link>,
    /// By use: its place in the list.
    of: Vec<Option<usize>>,
}

impl Links {
    /// In locking order.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.list.iter()
    }

    /// The link of a use; `None` for a use that nothing selected reads.
    pub fn of(&self, use_id: UseId) -> Option<&Link> {
        self.of[use_id.0].map(|at| &self.list[at])
    }

    /// The links from a use up to the key holder, its own first.
    pub fn way_up(&self, use_id: UseId) -> Vec<&Link> {
        let mut way = Vec::new();
        let mut at = self.of(use_id);
        while let Some(link) = at {
            way.push(link);
            at = link.parent.and_then(|p| self.of(p));
        }
        way
    }

    /// The links from just below `ancestor` down to `descendant`, or `None` where it is not below.
    pub fn way_down(&self, ancestor: UseId, descendant: UseId) -> Option<Vec<&Link>> {
        let up = self.way_up(descendant);
        let at = up.iter().position(|l| l.child == ancestor)?;
        Some(up[..at].iter().rev().copied().collect())
    }
}

/// The links of all live uses.
pub fn derive(view: &FlatView, key: &ViewKey, catalog: &Catalog, diagnostics: &mut Diagnostics) -> Option<Links> {
    let live = view.live_blocks();
    let mut open: Vec<UseId> =
        (0..view.uses.len()).map(UseId).filter(|u| live.contains(&view.uses[u.0].block) && *u != key.holder).collect();
    let root =
        Link { child: key.holder, parent: None, on: Vec::new(), key: Some(key.holder_columns.clone()), lock: None };
    let mut list = vec![root];
    let all = Steps::new(view, key, catalog);
    let mut at: Vec<Option<usize>> = vec![None; view.uses.len()];
    at[key.holder.0] = Some(0);
    add(&mut list, &mut at, open.iter().filter_map(|u| all.direct_link(key, *u)).collect());
    open.retain(|u| at[u.0].is_none());
    let mut layer = 0..list.len();
    for joins in 0.. {
        let linked = |u: UseId| at[u.0].is_some_and(|n| layer.contains(&n));
        let next: Vec<Link> = open.iter().filter_map(|u| all.best_link(*u, &linked)).collect();
        let Some(first) = next.first() else { break };
        if joins == MAX_WAY {
            diagnostics.push(too_far(view, first.child));
            return None;
        }
        layer = list.len()..list.len() + next.len();
        add(&mut list, &mut at, next);
        open.retain(|u| at[u.0].is_none());
    }
    for unlinked in &open {
        diagnostics.push(unlinked_table(view, *unlinked, catalog));
    }
    open.is_empty().then_some(Links { list, of: at })
}

/// How many joins may lie between a table and the key. Every table on the way is locked through all that are above it,
/// so that what is emitted for a chain grows with the third power of its length.
const MAX_WAY: usize = 32;

fn add(list: &mut Vec<Link>, at: &mut [Option<usize>], more: Vec<Link>) {
    for link in more {
        at[link.child.0] = Some(list.len());
        list.push(link);
    }
}

/// The directions in which the equalities of a view may be followed.
struct Steps<'v> {
    view: &'v FlatView,
    catalog: &'v Catalog,
    /// By the use that they lead away from, in the order of the equalities.
    from: Vec<Vec<(ColumnRef, ColumnRef)>>,
    /// For each of the holder's key columns, what equals it.
    classes: Vec<BTreeSet<ColumnRef>>,
}

impl<'v> Steps<'v> {
    fn new(view: &'v FlatView, key: &ViewKey, catalog: &'v Catalog) -> Self {
        let mut from = vec![Vec::new(); view.uses.len()];
        for step in view.equalities.iter().flat_map(|e| steps(view, catalog, e)) {
            from[step.0.use_id.0].push(step);
        }
        let equals = Equals::new(view, catalog);
        let classes = key.holder_columns.iter().map(|c| equals.class(*c).into_iter().collect()).collect();
        Steps { view, catalog, from, classes }
    }

    /// A use that carries the whole key in its own columns.
    fn direct_link(&self, key: &ViewKey, use_id: UseId) -> Option<Link> {
        let ty = |c: ColumnRef| &table(self.catalog, &self.view.use_of(c).table).columns[c.column].ty;
        let own = |class: &BTreeSet<ColumnRef>| {
            let mut steps = self.from[use_id.0].iter();
            steps.find(|(from, to)| class.contains(to) && locks::same_type(ty(*from), ty(*to))).map(|(from, _)| *from)
        };
        let columns: Vec<ColumnRef> = self.classes.iter().map(own).collect::<Option<_>>()?;
        let on = columns.iter().copied().zip(key.holder_columns.iter().copied()).collect();
        Some(Link { child: use_id, parent: Some(key.holder), on, key: Some(columns), lock: None })
    }

    /// The link to the use of the layer with which most columns are compared.
    fn best_link(&self, use_id: UseId, layer: &dyn Fn(UseId) -> bool) -> Option<Link> {
        let mut by_parent: BTreeMap<UseId, Vec<(ColumnRef, ColumnRef)>> = BTreeMap::new();
        for step in self.from[use_id.0].iter().filter(|(_, to)| layer(to.use_id)) {
            let pairs = by_parent.entry(step.1.use_id).or_default();
            if !pairs.contains(step) {
                pairs.push(*step);
            }
        }
        let best = by_parent.into_iter().max_by_key(|(parent, pairs)| (pairs.len(), std::cmp::Reverse(*parent)));
        best.map(|(parent, on)| {
            let lock = Some(locks::for_pairs(self.view, self.catalog, &on));
            Link { child: use_id, parent: Some(parent), on, key: None, lock }
        })
    }
}

/// The directions in which an equality may be followed.
fn steps(view: &FlatView, catalog: &Catalog, equality: &Equality) -> Vec<(ColumnRef, ColumnRef)> {
    let allowed = |from: ColumnRef, to: ColumnRef| {
        let (start, end) = (view.use_of(from).block, view.use_of(to).block);
        let here = view.is_stable(start, equality.block)
            && (view.is_stable(end, equality.block) || view.within(equality.block, end));
        here && match equality.scope {
            Scope::Always => true,
            Scope::Outer { from: start, to: end } => (start..end).contains(&from.use_id.0),
        }
    };
    // Arrays and rows cannot be collected into arrays of changed values.
    let scalar = |c: ColumnRef| locks::is_scalar(&table(catalog, &view.use_of(c).table).columns[c.column].ty);
    if !scalar(equality.left) || !scalar(equality.right) {
        return Vec::new();
    }
    [(equality.left, equality.right), (equality.right, equality.left)]
        .into_iter()
        .filter(|(from, to)| from.use_id != to.use_id && allowed(*from, *to))
        .collect()
}

fn too_far(view: &FlatView, use_id: UseId) -> Diagnostic {
    let owner = &view.uses[use_id.0];
    let title = format!("`{}` is more than {MAX_WAY} joins away from the key of `{}`", owner.alias, view.name.name);
    Diagnostic::new(Code::UnsupportedQuery, title, owner.span)
        .note("what a write to it would have to do grows with every table on the way")
        .help("keep a column of the key's table in a table on the way, and compare it with the key")
}

fn unlinked_table(view: &FlatView, use_id: UseId, catalog: &Catalog) -> Diagnostic {
    let owner = &view.uses[use_id.0];
    let title = format!("nothing links `{}` to the key of `{}`", owner.alias, view.name.name);
    let declared = table(catalog, &owner.table);
    let diagnostic = Diagnostic::new(Code::UnlinkedTable, title, owner.span)
        .note(format!("a change of one row of `{}` would change every document", declared.name.name));
    if owner.block == TOP {
        diagnostic.help("join it by equality of columns with a table that is linked to the key")
    } else {
        diagnostic.help("correlate the subquery: compare one of its columns with a column of the query around it, by `=` and not under OR")
    }
}
