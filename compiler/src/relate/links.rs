//! Links: the way from each use of a base table to the key.
//!
//! In: a variant of a view and its key. Out: a tree of [`Link`]s below one use, the root. A row reaches the documents
//! whose keys are found by joining from use to parent, using only the pairs of each link, until all key terms are at
//! hand. A condition may be followed from X to Y only where a row of X has an influence on nothing but the rows of Y
//! that fulfil it: within a block's inner joins both ways, over an outer join from the nullable to the preserved side,
//! from a subquery to the block around it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::closure::equality_class;
use super::locks::{self, ValueLock};
use super::steps::{Step, steps};
use crate::catalog::Catalog;
use crate::resolve::{ColumnRef, FlatView, Formula, TOP, Term, UseId};

/// What a link compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair {
    /// A term of the child and one of the parent are equal.
    Equal {
        /// Over the child's columns.
        child: Term,
        /// Over the parent's columns.
        parent: Term,
        /// NULLs count as equal.
        null_safe: bool,
    },
    /// A formula over columns of both holds.
    Holds(Arc<Formula>),
}

impl Pair {
    /// Both columns, where it is an equality of columns.
    pub fn columns(&self) -> Option<(ColumnRef, ColumnRef)> {
        match self {
            Pair::Equal { child, parent, .. } => child.as_column().zip(parent.as_column()),
            Pair::Holds(_) => None,
        }
    }

    /// As text, with columns written by `column`.
    pub fn text(&self, column: &dyn Fn(ColumnRef) -> String) -> String {
        match self {
            Pair::Equal { child, parent, null_safe: false } => {
                format!("{} = {}", child.text(column), parent.text(column))
            }
            Pair::Equal { child, parent, null_safe: true } => {
                format!("{} IS NOT DISTINCT FROM {}", child.text(column), parent.text(column))
            }
            Pair::Holds(formula) => formula.text(column),
        }
    }

    /// Every column that it reads.
    pub fn reads(&self) -> BTreeSet<ColumnRef> {
        match self {
            Pair::Equal { child, parent, .. } => child.columns().into_iter().chain(parent.columns()).collect(),
            Pair::Holds(formula) => formula.columns(),
        }
    }
}

/// One step from a use towards the key.
#[derive(Clone, Debug)]
pub struct Link {
    /// The use.
    pub child: UseId,
    /// The next use on the way; `None` for the root.
    pub parent: Option<UseId>,
    /// What leads from one to the other.
    pub on: Vec<Pair>,
    /// The child's own terms that equal the key, in key order, where it has them all.
    pub key: Option<Vec<Term>>,
    /// What writers lock; `None` where the key's own lock serves.
    pub lock: Option<ValueLock>,
    /// Which of the different links of the child it is; the same in all variants.
    pub number: usize,
}

impl Link {
    /// Whether another variant's link is the same.
    fn is_same(&self, other: &Link) -> bool {
        (self.child, self.parent, &self.on) == (other.child, other.parent, &other.on)
    }
}

/// Gives links that are the same in several variants the same number.
pub(super) fn number<'l>(variants: impl Iterator<Item = &'l mut Links>) {
    let mut known: Vec<Link> = Vec::new();
    for link in variants.flat_map(|l| l.list.iter_mut()) {
        let of_child = known.iter().filter(|k| k.child == link.child);
        link.number = match of_child.clone().position(|k| k.is_same(link)) {
            Some(number) => number,
            None => of_child.count(),
        };
        if !known.iter().any(|k| k.is_same(link)) {
            known.push(link.clone());
        }
    }
}

/// All links of a variant, parents before children; that order is the order of locking.
#[derive(Clone, Debug, Default)]
pub struct Links {
    list: Vec<Link>,
    /// The uses that nothing links to the key: their changes concern the view as a whole.
    pub whole: Vec<UseId>,
}

impl Links {
    /// In locking order.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.list.iter()
    }

    /// The link of a use; `None` for a use that nothing selected reads or that nothing links.
    pub fn of(&self, use_id: UseId) -> Option<&Link> {
        self.list.iter().find(|l| l.child == use_id)
    }

    /// The links from a use up to the root, its own first.
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

/// The links of all live uses: below the root that leaves the fewest unlinked.
pub fn derive(view: &FlatView, key: &[Term], catalog: &Catalog) -> Links {
    let live = view.live_blocks();
    let uses: Vec<UseId> = (0..view.uses.len()).map(UseId).filter(|u| live.contains(&view.uses[u.0].block)).collect();
    if view.whole.is_some() {
        return Links { list: Vec::new(), whole: uses };
    }
    let steps = steps(view, catalog);
    let mut best: Option<Links> = None;
    for root in roots(view, key, &uses, catalog) {
        let links = Tree { view, key, catalog, steps: &steps }.below(root, &uses);
        let reachable = key.iter().all(|t| t.uses().iter().all(|u| links.of(*u).is_some()));
        let better = best.as_ref().is_none_or(|b| links.whole.len() < b.whole.len());
        let done = links.whole.is_empty();
        if reachable && better {
            best = Some(links);
            if done {
                break;
            }
        }
    }
    best.unwrap_or(Links { list: Vec::new(), whole: uses })
}

/// The uses that can be the root, the best first: those that hold the whole key, parts of it, none of it.
fn roots(view: &FlatView, key: &[Term], uses: &[UseId], catalog: &Catalog) -> Vec<UseId> {
    const MAX_ROOTS: usize = 16;
    let solid = |u: &UseId| !view.uses[u.0].nullable && view.is_stable(view.uses[u.0].block, TOP);
    let holds = |u: &UseId| own_key(view, key, *u, catalog).is_some();
    let of_key: BTreeSet<UseId> = key.iter().flat_map(Term::uses).collect();
    let mut roots: Vec<UseId> = uses.iter().copied().filter(solid).collect();
    roots.sort_by_key(|u| (!holds(u), !of_key.contains(u)));
    roots.truncate(MAX_ROOTS);
    roots
}

/// A use's own terms that equal the key in every row.
fn own_key(view: &FlatView, key: &[Term], use_id: UseId, catalog: &Catalog) -> Option<Vec<Term>> {
    let own = |term: &Term| match term {
        Term::Column(column) => {
            let class = equality_class(view, catalog, *column);
            class.into_iter().find(|c| c.use_id == use_id).map(Term::Column)
        }
        Term::Formula(formula) => formula.uses().iter().all(|u| *u == use_id).then(|| term.clone()),
    };
    key.iter().map(own).collect()
}

struct Tree<'t> {
    view: &'t FlatView,
    key: &'t [Term],
    catalog: &'t Catalog,
    steps: &'t BTreeMap<UseId, Vec<Step>>,
}

impl Tree<'_> {
    fn below(&self, root: UseId, uses: &[UseId]) -> Links {
        let key = own_key(self.view, self.key, root, self.catalog);
        let mut list =
            vec![Link { child: root, parent: None, on: Vec::new(), key: key.clone(), lock: None, number: 0 }];
        let mut open: Vec<UseId> = uses.iter().copied().filter(|u| *u != root).collect();
        if let Some(key) = &key {
            list.extend(open.iter().filter_map(|u| self.direct_link(root, key, *u)));
            open.retain(|u| list.iter().all(|l| l.child != *u));
        }
        // Equalities first; what they do not reach, other conditions may.
        loop {
            self.grow(&mut list, &mut open, true);
            let before = open.len();
            self.grow_once(&mut list, &mut open, false);
            if open.len() == before {
                return Links { list, whole: open };
            }
        }
    }

    /// Layer by layer, until nothing more is reached.
    fn grow(&self, list: &mut Vec<Link>, open: &mut Vec<UseId>, equalities: bool) {
        loop {
            let before = open.len();
            self.grow_once(list, open, equalities);
            if open.len() == before {
                return;
            }
        }
    }

    fn grow_once(&self, list: &mut Vec<Link>, open: &mut Vec<UseId>, equalities: bool) {
        let position: BTreeMap<UseId, usize> = list.iter().enumerate().map(|(at, l)| (l.child, at)).collect();
        let found: Vec<Link> = open.iter().filter_map(|u| self.best_link(*u, &position, equalities)).collect();
        let linked: BTreeSet<UseId> = found.iter().map(|l| l.child).collect();
        open.retain(|u| !linked.contains(u));
        list.extend(found);
    }

    /// A use that carries the whole key in its own columns.
    fn direct_link(&self, root: UseId, key: &[Term], use_id: UseId) -> Option<Link> {
        let (view, catalog) = (self.view, self.catalog);
        let ty = |c: ColumnRef| &catalog.table(&view.use_of(c).table).columns[c.column].ty;
        let own = |wanted: &Term| {
            let class = equality_class(view, catalog, wanted.as_column()?);
            let pairs = self.steps.get(&use_id)?.iter().filter_map(|s| s.pair.columns());
            let mut equal = pairs.filter(|(from, to)| class.contains(to) && locks::same_type(ty(*from), ty(*to)));
            equal.next().map(|(from, _)| Term::Column(from))
        };
        let columns: Vec<Term> = key.iter().map(own).collect::<Option<_>>()?;
        let pair = |(child, parent): (&Term, &Term)| Pair::Equal {
            child: child.clone(),
            parent: parent.clone(),
            null_safe: false,
        };
        let on = columns.iter().zip(key).map(pair).collect();
        Some(Link { child: use_id, parent: Some(root), on, key: Some(columns), lock: None, number: 0 })
    }

    /// The link to the use that has been linked longest, among these to the one with which most is compared.
    fn best_link(&self, use_id: UseId, linked: &BTreeMap<UseId, usize>, equalities: bool) -> Option<Link> {
        let mut by_parent: BTreeMap<usize, (UseId, Vec<Pair>)> = BTreeMap::new();
        for step in self.steps.get(&use_id)?.iter().filter(|s| s.is_equality == equalities) {
            if let Some(at) = linked.get(&step.to) {
                let (_, pairs) = by_parent.entry(*at).or_insert_with(|| (step.to, Vec::new()));
                if !pairs.contains(&step.pair) {
                    pairs.push(step.pair.clone());
                }
            }
        }
        let best = by_parent.into_iter().max_by_key(|(at, (_, pairs))| (pairs.len(), std::cmp::Reverse(*at)));
        best.map(|(_, (parent, on))| {
            let lock = Some(locks::for_pairs(self.view, self.catalog, &on));
            Link { child: use_id, parent: Some(parent), on, key: None, lock, number: 0 }
        })
    }
}
