//! Where the key leads: which relations of FROM clauses the planner reads by it, and which it would read as a whole.
//!
//! In: a tview. Out: of each relation of each FROM clause, of the view itself and of those that it reads, whether equalities lead from the
//! key, in a subquery from the rows around it, to the relation's own columns, or to what it is joined to. What always holds: nothing but
//! speed depends on it.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use petgraph::unionfind::UnionFind;

use crate::plan::Tview;
use crate::resolve::{BlockId, Claim, ColumnRef, Expr, FlatView, FromClause, TOP};
use crate::source::FileId;

/// How a relation of a FROM clause is reached.
#[derive(Clone, Copy)]
pub(super) struct Led {
    /// What it is joined to is, without it.
    pub behind: bool,
    /// Its own columns are, as the planner finds out.
    pub itself: bool,
    /// The clause is not in a subquery.
    pub in_from: bool,
}

/// Of the relations of each FROM clause, by the place of its SELECT.
pub(super) struct Leads(HashMap<(FileId, usize), Vec<Led>>);

impl Leads {
    /// Of a tview's view and of all that it reads.
    pub(super) fn of(tview: &Tview) -> Leads {
        let view = &tview.view;
        let key = tview.relations.key.columns.iter().map(|k| &view.outputs[k.output].expr);
        // Rows are looked up by the key, and with windows all rows of their partitions as well.
        let mut asked: Vec<BTreeSet<ColumnRef>> = vec![key.flat_map(columns).collect()];
        asked.extend((!view.partitions.is_empty()).then(|| view.partitions.iter().flat_map(columns).collect()));
        let equal = equal(view);
        let mut leads = HashMap::<_, Vec<Led>>::new();
        for clause in &view.from_clauses {
            let region = view.region_of(clause.block);
            let equal: Vec<&Equal> = equal.iter().filter(|e| e.region == region).collect();
            let ways = |asked| Ways { view, asked, clause, region, equal: &equal };
            let ways: Vec<Ways> = asked.iter().map(ways).collect();
            let all: Vec<Led> = (0..clause.bounds.len().saturating_sub(1)).map(|n| led(&ways, n)).collect();
            let known = leads.entry((clause.span.file, clause.span.start)).or_insert_with(|| all.clone());
            // One that is read several times has the same text for all of them.
            for (known, led) in known.iter_mut().zip(all) {
                known.behind &= led.behind;
                known.itself &= led.itself;
                known.in_from |= led.in_from;
            }
        }
        Leads(leads)
    }

    /// Of the relations of a SELECT, in the order of the text.
    pub(super) fn at(&self, file: FileId, select: usize) -> &[Led] {
        self.0.get(&(file, select)).map_or(&[], Vec::as_slice)
    }
}

/// How a relation is reached, whatever is asked for.
fn led(ways: &[Ways], n: usize) -> Led {
    let itself = |way: &Ways| way.holds(n) || way.is_itself(n);
    Led {
        behind: !ways.iter().any(|way| way.holds(n)) && ways.iter().all(|way| way.is_itself(n) || way.is_behind(n)),
        itself: ways.iter().all(itself),
        in_from: ways.iter().any(|way| way.region == TOP),
    }
}

/// What a condition says is equal.
struct Equal {
    /// The query in whose FROM clause it is seen in the end.
    region: BlockId,
    sides: [BTreeSet<ColumnRef>; 2],
    /// Where both sides are columns: the planner concludes from one to the other.
    pair: Option<[ColumnRef; 2]>,
}

impl Equal {
    fn columns(&self) -> impl Iterator<Item = &ColumnRef> {
        self.sides.iter().flatten()
    }
}

fn equal(view: &FlatView) -> Vec<Equal> {
    let said = |(block, claim): (BlockId, &Claim)| match claim {
        Claim::Equal(left, right) => {
            let pair = left.as_column().zip(right.as_column()).map(|(left, right)| [left, right]);
            Some(Equal { region: view.region_of(block), sides: [columns(left), columns(right)], pair })
        }
        _ => None,
    };
    view.conjuncts.iter().map(|c| (c.block, &c.claim)).filter_map(said).collect()
}

/// The columns that an expression is made of.
fn columns(expr: &Expr) -> BTreeSet<ColumnRef> {
    let mut columns = BTreeSet::new();
    expr.visit(&mut |e| columns.extend(e.as_column()));
    columns
}

/// What leads to the relations of one FROM clause.
struct Ways<'v> {
    view: &'v FlatView,
    /// The columns that conditions on the view's rows are about.
    asked: &'v BTreeSet<ColumnRef>,
    clause: &'v FromClause,
    region: BlockId,
    equal: &'v [&'v Equal],
}

impl Ways<'_> {
    /// The uses of a relation.
    fn own(&self, n: usize) -> Range<usize> {
        self.clause.bounds[n]..self.clause.bounds[n + 1]
    }

    /// Whether it has columns that are asked for.
    fn holds(&self, n: usize) -> bool {
        self.region == TOP && self.asked.iter().any(|column| self.own(n).contains(&column.use_id.0))
    }

    /// Whether a column has a value before the FROM clause is read: one that is asked for, or one of a query around.
    fn is_given(&self, column: ColumnRef) -> bool {
        match self.region {
            TOP => self.asked.contains(&column),
            region => self.view.region_of(self.view.use_of(column).block) != region,
        }
    }

    /// Whether equalities lead, without those of the relation's own columns, to each of the relations around it that it is joined to.
    fn is_behind(&self, n: usize) -> bool {
        let (own, bounds) = (self.own(n), &self.clause.bounds);
        // The first one changes places with the second.
        let around = if n == 0 { bounds[1]..bounds.get(2).copied().unwrap_or(bounds[1]) } else { bounds[0]..own.start };
        if self.region == TOP && self.asked.iter().all(|column| around.contains(&column.use_id.0)) {
            return !self.asked.is_empty();
        }
        let is_across = |equal: &&&Equal| equal.columns().any(|column| own.contains(&column.use_id.0));
        let (across, outside): (Vec<&Equal>, Vec<&Equal>) = self.equal.iter().partition(is_across);
        let given = self.view.uses.len();
        let mut linked = UnionFind::new(given + 1);
        for equal in outside {
            let uses = || equal.columns().map(|column| column.use_id.0);
            let from = if equal.columns().any(|column| self.is_given(*column)) { Some(given) } else { uses().next() };
            for (one, other) in uses().zip(from.into_iter().cycle()) {
                linked.union(one, other);
            }
        }
        if self.region == TOP {
            for column in self.asked {
                linked.union(column.use_id.0, given);
            }
        }
        let joined = across.iter().flat_map(|equal| equal.columns()).map(|column| column.use_id.0);
        let mut joined = joined.filter(|used| around.contains(used)).peekable();
        joined.peek().is_some() && joined.all(|used| linked.equiv(used, given))
    }

    /// Whether equalities of columns lead to all of its own that it is joined by.
    fn is_itself(&self, n: usize) -> bool {
        let own = self.own(n);
        let pairs = || self.equal.iter().filter_map(|equal| equal.pair);
        let columns: Vec<ColumnRef> = pairs().flatten().collect::<BTreeSet<_>>().into_iter().collect();
        let (number, given) = (|column: &ColumnRef| columns.partition_point(|c| c < column), columns.len());
        let mut linked = UnionFind::new(given + 1);
        for column in columns.iter().filter(|column| self.is_given(**column)) {
            linked.union(number(column), given);
        }
        for [one, other] in pairs() {
            linked.union(number(&one), number(&other));
        }
        let is_here = |side: &BTreeSet<ColumnRef>| side.iter().any(|column| own.contains(&column.use_id.0));
        let across = self.equal.iter().filter(|equal| is_here(&equal.sides[0]) != is_here(&equal.sides[1]));
        let mut across = across.peekable();
        let is_led = |equal: &&Equal| equal.pair.is_some_and(|[one, _]| linked.equiv(number(&one), given));
        across.peek().is_some() && across.all(is_led)
    }
}
