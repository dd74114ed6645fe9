//! Links: the way from each use of a base table to the key.
//!
//! In: a variant of a view and its key. Out: a tree of [`Link`]s below one use, the root. A row reaches the documents
//! whose keys are found by joining from use to parent, using only the pairs of each link, until all key terms are at
//! hand. A condition may be followed from X to Y only where a row of X has an influence on nothing but the rows of Y
//! that fulfil it: within a block's inner joins both ways, over an outer join from the nullable to the preserved side,
//! from a subquery to the block around it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::closure::Equals;
use super::locks::{self, ValueLock};
use super::made;
use super::steps::{Step, steps};
use crate::catalog::Catalog;
use crate::resolve::{ColumnRef, FlatView, Formula, TOP, Term, UseId};

/// What a link compares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    let mut known: BTreeMap<UseId, Vec<Link>> = BTreeMap::new();
    for link in variants.flat_map(|l| l.list.iter_mut()) {
        let of_child = known.entry(link.child).or_default();
        link.number = of_child.iter().position(|k| k.is_same(link)).unwrap_or(of_child.len());
        if link.number == of_child.len() {
            of_child.push(link.clone());
        }
    }
}

/// All links of a variant, parents before children; that order is the order of locking.
#[derive(Clone, Debug, Default)]
pub struct Links {
    list: Vec<Link>,
    /// By use: its place in the list.
    at: Vec<Option<usize>>,
    /// The uses that nothing links to the key: their changes concern the view as a whole.
    pub whole: Vec<UseId>,
    /// One of those, where it is for the length of the way only.
    pub too_far: Option<UseId>,
    /// How many are combined with all rows of the root.
    pub(super) crossed: usize,
}

impl Links {
    /// In locking order.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.list.iter()
    }

    /// The link of a use; `None` for a use that nothing selected reads or that nothing links.
    pub fn of(&self, use_id: UseId) -> Option<&Link> {
        self.at.get(use_id.0).copied().flatten().map(|at| &self.list[at])
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

impl Links {
    /// The uses that ways to the key go down to, where the root does not hold it: parts of the key, and what lies between them and
    /// the root.
    pub fn down_to_key(&self, key: &[Term]) -> BTreeSet<UseId> {
        if self.list.first().is_none_or(|root| root.key.is_some()) {
            return BTreeSet::new();
        }
        let below_root = key.iter().flat_map(Term::uses).flat_map(|u| self.way_up(u)).filter(|l| l.parent.is_some());
        below_root.map(|l| l.child).collect()
    }

    /// The same links, of those with one parent the ones that lead down to the key last: who comes up through another one
    /// locks that before it asks where the key is.
    fn key_last(mut self, key: &[Term]) -> Self {
        let down = self.down_to_key(key);
        if down.is_empty() {
            return self;
        }
        let mut children: BTreeMap<Option<UseId>, Vec<Link>> = BTreeMap::new();
        for link in std::mem::take(&mut self.list) {
            children.entry(link.parent).or_default().push(link);
        }
        let mut open = children.remove(&None).unwrap_or_default();
        while let Some(link) = open.pop() {
            let mut below = children.remove(&Some(link.child)).unwrap_or_default();
            below.sort_by_key(|l| !down.contains(&l.child));
            // The last one is taken first.
            let key_from = below.partition_point(|l| down.contains(&l.child));
            below[..key_from].reverse();
            below[key_from..].reverse();
            open.extend(below);
            self.at[link.child.0] = Some(self.list.len());
            self.list.push(link);
        }
        self
    }
}

/// How many joins may lie between a table and the key. Every table on the way is locked through all that are above it,
/// so that what is emitted for a chain grows with the third power of its length.
pub(super) const MAX_WAY: usize = 32;

/// How many uses are tried as the root.
const MAX_ROOTS: usize = 16;

/// The links of all live uses: below the root that leaves the fewest unlinked.
pub fn derive(view: &FlatView, key: &[Term], catalog: &Catalog) -> Links {
    let live = view.live_blocks();
    let uses: Vec<UseId> = (0..view.uses.len()).map(UseId).filter(|u| live.contains(&view.uses[u.0].block)).collect();
    if view.whole.is_some() || key.is_empty() {
        return Links { whole: uses, ..Links::default() };
    }
    let ways = Ways::new(view, key, catalog);
    let mut best: Option<Links> = None;
    let mut too_far = None;
    for root in ways.roots(&uses) {
        let links = Tree::new(&ways, &uses).below(root);
        too_far = too_far.or(links.too_far);
        let reachable = key.iter().all(|t| t.uses().iter().all(|u| links.of(*u).is_some()));
        // What a function makes of constants is a part of no row's: it is added to a key that one row holds.
        let held = links.iter().next().is_some_and(|root| root.key.is_some());
        let reachable = reachable && (held || !key.iter().any(Term::is_of_constants));
        let rank = |l: &Links| (l.whole.len(), l.crossed);
        let better = best.as_ref().is_none_or(|b| rank(&links) < rank(b));
        // What is too far from the best root is not brought nearer by another one.
        let done = rank(&links) == (0, 0) || links.too_far.is_some();
        if reachable && better {
            best = Some(links);
            if done {
                break;
            }
        }
    }
    // Where nobody's rows are the documents', those that hold the key stand side by side.
    let holders = ways.holders(&uses);
    let is_incomplete = best.as_ref().is_none_or(|b| !b.whole.is_empty());
    if is_incomplete && !holders.is_empty() {
        let links = Tree::new(&ways, &uses).below_all(holders);
        too_far = too_far.or(links.too_far);
        if best.as_ref().is_none_or(|b| links.whole.len() < b.whole.len()) {
            best = Some(links);
        }
    }
    best.map_or(Links { whole: uses, too_far, ..Links::default() }, |links| links.key_last(key))
}

/// The links of all live uses below a certain root.
pub fn derive_below(view: &FlatView, key: &[Term], root: UseId, catalog: &Catalog) -> Links {
    let live = view.live_blocks();
    let uses: Vec<UseId> = (0..view.uses.len()).map(UseId).filter(|u| live.contains(&view.uses[u.0].block)).collect();
    if view.whole.is_some() {
        return Links { whole: uses, ..Links::default() };
    }
    Tree::new(&Ways::new(view, key, catalog), &uses).below(root)
}

/// What links are made of, whatever the root is.
struct Ways<'v> {
    view: &'v FlatView,
    catalog: &'v Catalog,
    key: &'v [Term],
    /// By use.
    steps: Vec<Vec<Step>>,
    /// By use: the uses with a step to it, and whether that is an equality.
    back: Vec<BTreeSet<(UseId, bool)>>,
    /// For each term of the key that is a column: what equals it, the nearest first.
    classes: Vec<Option<Class>>,
    /// By use, for each term of the key that is made of constants: the use's own term that equals it.
    made: Vec<Vec<Option<Term>>>,
}

/// The columns that equal one.
struct Class {
    all: BTreeSet<ColumnRef>,
    /// The first one of each use.
    of_use: BTreeMap<UseId, ColumnRef>,
}

impl<'v> Ways<'v> {
    fn new(view: &'v FlatView, key: &'v [Term], catalog: &'v Catalog) -> Self {
        let steps = steps(view, catalog);
        let mut back = vec![BTreeSet::new(); view.uses.len()];
        for (from, own) in steps.iter().enumerate() {
            for step in own {
                back[step.to.0].insert((UseId(from), step.is_equality));
            }
        }
        let equals = Equals::new(view, catalog);
        let class = |term: &Term| {
            let list = equals.class(term.as_column()?);
            let mut of_use = BTreeMap::new();
            for column in &list {
                of_use.entry(column.use_id).or_insert(*column);
            }
            Some(Class { all: list.into_iter().collect(), of_use })
        };
        let classes = key.iter().map(class).collect();
        Ways { view, catalog, key, steps, back, classes, made: made::own_terms(view, key, catalog) }
    }

    /// The uses that can be the root, the best first: those that hold the whole key, parts of it, none of it.
    fn roots(&self, uses: &[UseId]) -> Vec<UseId> {
        let view = self.view;
        let solid = |u: &UseId| !view.uses[u.0].nullable && view.is_stable(view.uses[u.0].block, TOP);
        let of_key: BTreeSet<UseId> = self.key.iter().flat_map(Term::uses).collect();
        let mut roots: Vec<UseId> = uses.iter().copied().filter(solid).collect();
        roots.sort_by_cached_key(|u| (self.own_key(*u).is_none(), !of_key.contains(u)));
        roots.truncate(MAX_ROOTS);
        roots
    }

    /// A use's own terms that equal the key in every row.
    fn own_key(&self, use_id: UseId) -> Option<Vec<Term>> {
        let own = |(at, (term, class)): (usize, (&Term, &Option<Class>))| match (term, class) {
            (Term::Column(_), Some(class)) => class.of_use.get(&use_id).copied().map(Term::Column),
            _ if let Some(equal) = self.made_term(use_id, at) => Some(equal),
            _ => term.uses().iter().all(|u| *u == use_id).then(|| term.clone()),
        };
        self.key.iter().zip(&self.classes).enumerate().map(own).collect()
    }

    /// What a use knows of a term of the key that is made of constants: what it compares with it or, where it compares others of them, all
    /// of its values.
    fn made_term(&self, use_id: UseId, at: usize) -> Option<Term> {
        let own = &self.made[use_id.0];
        let term = &self.key[at];
        let is_enumerated = || own.iter().any(Option::is_some) && term.is_of_constants();
        own[at].clone().or_else(|| is_enumerated().then(|| term.clone()))
    }

    /// The uses that hold a key that is made of constants.
    fn holders(&self, uses: &[UseId]) -> Vec<(UseId, Vec<Term>)> {
        let held = |u: &UseId| Some((*u, (0..self.key.len()).map(|at| self.made_term(*u, at)).collect::<Option<_>>()?));
        uses.iter().filter_map(held).collect()
    }

    /// A use that carries the whole key in its own columns, where the root holds it.
    fn direct_link(&self, root: UseId, root_key: &[Term], use_id: UseId) -> Option<Link> {
        let (view, catalog) = (self.view, self.catalog);
        let ty = |c: ColumnRef| &catalog.table(&view.use_of(c).table).columns[c.column].ty;
        let own = |(at, class): (usize, &Option<Class>)| {
            let Some(Class { all, .. }) = class else { return self.made_term(use_id, at) };
            let pairs = self.steps[use_id.0].iter().filter_map(|s| s.pair.columns());
            let mut equal = pairs.filter(|(from, to)| all.contains(to) && locks::same_type(ty(*from), ty(*to)));
            equal.next().map(|(from, _)| Term::Column(from))
        };
        let columns: Vec<Term> = self.classes.iter().enumerate().map(own).collect::<Option<_>>()?;
        let pair = |(child, parent): (&Term, &Term)| Pair::Equal {
            child: child.clone(),
            parent: parent.clone(),
            null_safe: false,
        };
        // What is made of constants is no part of a row.
        let is_of_rows = |term: &Term| !term.columns().is_empty();
        let of_rows = columns.iter().zip(root_key).filter(|(child, parent)| is_of_rows(child) && is_of_rows(parent));
        let mut on: Vec<Pair> = of_rows.map(pair).collect();
        if on.is_empty() {
            on.push(Pair::Holds(Arc::new(Formula::always())));
        }
        Some(Link { child: use_id, parent: Some(root), on, key: Some(columns), lock: None, number: 0 })
    }

    /// The link to the use with which most is compared, among these to the one that has been linked longest.
    fn best_link(&self, use_id: UseId, linked: &[Option<usize>], equalities: bool) -> Option<Link> {
        let mut by_parent: BTreeMap<usize, (UseId, Vec<&Pair>)> = BTreeMap::new();
        let mut seen: BTreeSet<&Pair> = BTreeSet::new();
        for step in self.steps[use_id.0].iter().filter(|s| s.is_equality == equalities) {
            if let Some(at) = linked[step.to.0] {
                let (_, pairs) = by_parent.entry(at).or_insert_with(|| (step.to, Vec::new()));
                if seen.insert(&step.pair) {
                    pairs.push(&step.pair);
                }
            }
        }
        let best = by_parent.into_iter().max_by_key(|(at, (_, pairs))| (pairs.len(), std::cmp::Reverse(*at)));
        best.map(|(_, (parent, on))| {
            let on: Vec<Pair> = on.into_iter().cloned().collect();
            let lock = Some(locks::for_pairs(self.view, self.catalog, &on));
            Link { child: use_id, parent: Some(parent), on, key: None, lock, number: 0 }
        })
    }
}

/// A tree that grows from its root. Every step is looked at once when the use that it leads to is linked, and once when
/// the use that it begins at is.
struct Tree<'t> {
    ways: &'t Ways<'t>,
    list: Vec<Link>,
    /// By use: its place in the list.
    at: Vec<Option<usize>>,
    open: BTreeSet<UseId>,
    /// Those of the open uses, and some linked meanwhile, that have a step to a linked one: an equality.
    by_equality: BTreeSet<UseId>,
    /// Any other condition.
    by_condition: BTreeSet<UseId>,
    /// How many joins lie between the last uses and the key.
    joins: usize,
    crossed: usize,
}

impl<'t> Tree<'t> {
    fn new(ways: &'t Ways<'t>, uses: &[UseId]) -> Self {
        Tree {
            ways,
            list: Vec::new(),
            at: vec![None; ways.view.uses.len()],
            open: uses.iter().copied().collect(),
            by_equality: BTreeSet::new(),
            by_condition: BTreeSet::new(),
            joins: 0,
            crossed: 0,
        }
    }

    fn below(mut self, root: UseId) -> Links {
        let key = self.ways.own_key(root);
        self.add(Link { child: root, parent: None, on: Vec::new(), key: key.clone(), lock: None, number: 0 });
        if let Some(key) = key {
            let direct: Vec<Link> = self.open.iter().filter_map(|u| self.ways.direct_link(root, &key, *u)).collect();
            direct.into_iter().for_each(|link| self.add(link));
        }
        self.grown(Some(root))
    }

    /// A tree below each of these, which hold the key.
    fn below_all(mut self, roots: Vec<(UseId, Vec<Term>)>) -> Links {
        for (root, key) in roots {
            self.add(Link { child: root, parent: None, on: Vec::new(), key: Some(key), lock: None, number: 0 });
        }
        self.grown(None)
    }

    fn grown(mut self, root: Option<UseId>) -> Links {
        // Equalities first; what they do not reach, other conditions may.
        let mut too_far = None;
        loop {
            let equalities = self.by_equality.iter().any(|u| self.open.contains(u));
            if !equalities && !self.by_condition.iter().any(|u| self.open.contains(u)) {
                if self.joins < MAX_WAY && root.is_some_and(|root| self.cross(root)) {
                    continue;
                }
                break;
            }
            let next = std::mem::take(if equalities { &mut self.by_equality } else { &mut self.by_condition });
            let next: Vec<UseId> = next.into_iter().filter(|u| self.open.contains(u)).collect();
            let Some(first) = next.first() else { break };
            if self.joins == MAX_WAY {
                too_far = Some(*first);
                break;
            }
            self.joins += 1;
            let links: Vec<Link> = next.iter().filter_map(|u| self.ways.best_link(*u, &self.at, equalities)).collect();
            links.into_iter().for_each(|link| self.add(link));
        }
        let whole = self.open.into_iter().collect();
        Links { list: self.list, at: self.at, whole, too_far, crossed: self.crossed }
    }

    /// Links a use that holds a part of the key and that no condition joins to anything linked: each of its rows is combined with all
    /// rows of the root. Whether there was one.
    fn cross(&mut self, root: UseId) -> bool {
        let view = self.ways.view;
        let of_key: BTreeSet<UseId> = self.ways.key.iter().flat_map(Term::uses).collect();
        let joined = |u: &&UseId| {
            let owner = &view.uses[u.0];
            of_key.contains(u) && !owner.nullable && view.is_stable(owner.block, TOP)
        };
        let Some(child) = self.open.iter().find(joined).copied() else { return false };
        let on = vec![Pair::Holds(Arc::new(Formula::always()))];
        let lock = Some(locks::for_pairs(view, self.ways.catalog, &on));
        self.add(Link { child, parent: Some(root), on, key: None, lock, number: 0 });
        self.crossed += 1;
        true
    }

    fn add(&mut self, link: Link) {
        let child = link.child;
        self.open.remove(&child);
        self.at[child.0] = Some(self.list.len());
        self.list.push(link);
        for (from, is_equality) in self.ways.back[child.0].iter().filter(|(u, _)| self.open.contains(u)) {
            let reached = if *is_equality { &mut self.by_equality } else { &mut self.by_condition };
            reached.insert(*from);
        }
    }
}
