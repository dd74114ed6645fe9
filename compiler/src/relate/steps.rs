//! Steps: the directions in which conditions may be followed.
//!
//! In: the equalities and comparisons of a variant. Out: for each use, the uses that its rows lead to. What always holds:
//! a row of the use influences only those rows of the other one for which the condition holds.

use std::collections::BTreeSet;

use super::guards::Guards;
use super::links::Pair;
use super::locks::{is_row_column, is_scalar_column};
use crate::catalog::Catalog;
use crate::resolve::{BlockId, ColumnRef, Comparison, ComparisonKind, Equality, FlatView, Formula, Scope, Term, UseId};

/// A condition that leads from one use to another.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Where it leads.
    pub to: UseId,
    /// What is compared.
    pub pair: Pair,
    /// Whether one side's value is given by the other's.
    pub is_equality: bool,
}

/// All steps, by the use that they begin at.
pub(super) fn steps(view: &FlatView, catalog: &Catalog) -> Vec<Vec<Step>> {
    let mut steps: Vec<Vec<Step>> = vec![Vec::new(); view.uses.len()];
    let mut add = |from: UseId, step: Step| steps[from.0].push(step);
    let (nullable, guards) = (nullable_ranges(view), Guards::new(view));
    for equality in &view.equalities {
        for (from, to) in columns(view, catalog, equality) {
            let (child, parent) = (Term::Column(from), Term::Column(to));
            let pair = Pair::Equal { child, parent, null_safe: equality.null_safe };
            add(from.use_id, Step { to: to.use_id, pair, is_equality: true });
        }
    }
    for comparison in &view.comparisons {
        for (from, Step { to, pair, is_equality }) in compared(view, catalog, comparison, &nullable) {
            let pair = match pair {
                Pair::Equal { child, parent, null_safe: false } => {
                    Pair::Equal { child: guards.term(&child), parent: guards.term(&parent), null_safe: false }
                }
                Pair::Holds(formula) => Pair::Holds(guards.formula(&formula)),
                other => other,
            };
            add(from, Step { to, pair, is_equality });
        }
    }
    steps
}

fn allowed(view: &FlatView, from: UseId, to: UseId, block: BlockId, scope: Scope) -> bool {
    leads(view, from, view.uses[to.0].block, block, scope)
}

/// Whether what a block compares leads from the rows of a use to rows that are seen in the block `end`.
pub(super) fn leads(view: &FlatView, from: UseId, end: BlockId, block: BlockId, scope: Scope) -> bool {
    let start = view.uses[from.0].block;
    let here = view.is_stable(start, block) && view.sees(block, end);
    // What a query says that has to have a row is true of one of its rows.
    let below = scope == Scope::Always && view.is_asked(from, block) && view.in_region(end, block);
    below
        || here
            && match scope {
                Scope::Always => true,
                Scope::Outer { from: first, to: last } => (first..last).contains(&from.0),
                Scope::Full(_) => false,
            }
}

/// The directions of an equality of columns.
fn columns(view: &FlatView, catalog: &Catalog, equality: &Equality) -> Vec<(ColumnRef, ColumnRef)> {
    if !is_scalar_column(view, catalog, equality.left) || !is_scalar_column(view, catalog, equality.right) {
        return Vec::new();
    }
    // Where NULLs are equal, the NULLs of an outer join are too, and these are in no row of the table. An outer join around a
    // window's query puts NULL in the place of the window's value too, so that these are none of the partition.
    if equality.null_safe
        && !equality.of_rows
        && [equality.left, equality.right].iter().any(|c| view.use_of(*c).nullable)
    {
        return Vec::new();
    }
    [(equality.left, equality.right), (equality.right, equality.left)]
        .into_iter()
        .filter(|(from, to)| from.use_id != to.use_id)
        .filter(|(from, to)| allowed(view, from.use_id, to.use_id, equality.block, equality.scope))
        .collect()
}

/// The steps of another comparison: it has to be between two uses.
fn compared(
    view: &FlatView,
    catalog: &Catalog,
    comparison: &Comparison,
    nullable: &[Option<(usize, usize)>],
) -> Vec<(UseId, Step)> {
    let (sides, formulas) = match &comparison.kind {
        ComparisonKind::Equal(left, right) | ComparisonKind::Same(left, right) => {
            let formulas = [left, right].into_iter().filter_map(|t| match t {
                Term::Formula(formula) => Some(formula.as_ref()),
                Term::Column(_) => None,
            });
            (Some((left, right)), formulas.collect::<Vec<_>>())
        }
        ComparisonKind::Holds(formula) => (None, vec![formula.as_ref()]),
    };
    let all: BTreeSet<ColumnRef> = match sides {
        Some((left, right)) => left.columns().into_iter().chain(right.columns()).collect(),
        None => formulas[0].columns(),
    };
    let mut uses: Vec<UseId> = all.iter().map(|c| c.use_id).collect();
    uses.dedup();
    let &[first, second] = uses.as_slice() else { return Vec::new() };
    // Of a row with a NULL in it `IS NOT NULL` is not true, although it is equal to others.
    let row = |t: &&Term| t.as_column().is_some_and(|c| is_row_column(view, catalog, c));
    if sides.is_some_and(|(left, right)| [left, right].iter().any(row)) {
        return Vec::new();
    }
    if !formulas.iter().all(|f| is_evaluable(f, comparison.scope, nullable)) {
        return Vec::new();
    }
    let null_safe = matches!(comparison.kind, ComparisonKind::Same(..));
    if null_safe && uses.iter().any(|u| view.uses[u.0].nullable) {
        return Vec::new();
    }
    let step = |from: UseId, to: UseId| {
        let own = |t: &Term, u: UseId| t.uses().iter().all(|x| *x == u);
        if !allowed(view, from, to, comparison.block, comparison.scope) {
            return None;
        }
        let pair = match &comparison.kind {
            ComparisonKind::Equal(left, right) | ComparisonKind::Same(left, right) => {
                let (child, parent) = if own(left, from) { (left, right) } else { (right, left) };
                if !own(child, from) || !own(parent, to) {
                    return None;
                }
                Pair::Equal { child: child.clone(), parent: parent.clone(), null_safe }
            }
            ComparisonKind::Holds(formula) => Pair::Holds(formula.clone()),
        };
        Some((from, Step { to, pair, is_equality: sides.is_some() }))
    };
    [step(first, second), step(second, first)].into_iter().flatten().collect()
}

/// By use: the nullable side of the innermost outer join around it. Those of the others hold it. Where two joins have the same uses on
/// that side, because what else stands there has no table, nobody can tell which of them is read first: it is a side of no join then.
pub(super) fn nullable_ranges(view: &FlatView) -> Vec<Option<(usize, usize)>> {
    let mut ranges: Vec<Option<(usize, usize)>> = vec![None; view.uses.len()];
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for range in view.outer_joins.iter().flat_map(|j| j.nullable()) {
        if !seen.insert(range) {
            twice.insert(range);
        }
    }
    for (from, to) in view.outer_joins.iter().flat_map(|j| j.nullable()) {
        for range in &mut ranges[from..to] {
            *range = Some(range.map_or((from, to), |(f, t)| (f.max(from), t.min(to))));
        }
    }
    for range in ranges.iter_mut().flatten().filter(|range| twice.contains(range)) {
        *range = (usize::MAX, 0);
    }
    ranges
}

/// Whether a formula says of the current rows what it says in the view: not where an outer join has put NULLs in the place
/// of a row and the formula makes something of them. The ON condition of a join is read before that join does so, and
/// before those do that the join lies within.
pub(super) fn is_evaluable(formula: &Formula, scope: Scope, nullable: &[Option<(usize, usize)>]) -> bool {
    let later = |(from, to): (usize, usize)| matches!(scope, Scope::Outer { from: f, to: t } if from <= f && t <= to);
    formula.null_in_null_out || formula.uses().into_iter().all(|u| nullable[u.0].is_none_or(later))
}
