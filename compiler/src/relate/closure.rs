//! Functional dependencies within a block.
//!
//! In: a set of columns whose values are given. Out: all columns whose values follow, through
//! equalities, constants and declared unique keys. Used to prove keys, match keys and total orders;
//! a proof is never taken from a name or from the data.

use std::collections::BTreeSet;

use super::locks::{same_equality, same_type};
use crate::catalog::{Catalog, Column, Key};
use crate::resolve::{
    BlockId, ColumnRef, Comparison, ComparisonKind, Derived, Equality, Expr, ExprKind, Fact, FlatView, Formula, Rows,
    Scope, Stated, TOP, Term, UseId,
};

/// The uses that stand in the FROM clause of a block.
pub(super) fn uses_of(view: &FlatView, block: BlockId) -> impl Iterator<Item = UseId> + '_ {
    (0..view.uses.len()).map(UseId).filter(move |u| view.uses[u.0].block == block)
}

/// Whether giving `columns` fixes one row of everything in the block's FROM clause (within one row of
/// the blocks around it, and within one group where the block groups).
pub fn determines_rows(view: &FlatView, catalog: &Catalog, block: BlockId, columns: &[ColumnRef]) -> bool {
    let grouped = view.blocks[block.0].grouped.iter().flatten().filter_map(Expr::as_column);
    let given: Vec<ColumnRef> = columns.iter().copied().chain(grouped).collect();
    let known = closure(view, catalog, block, &given);
    let derived = view.derived.iter().filter(|d| d.block == block);
    open_in(view, catalog, block, &known).is_empty() && derived.into_iter().all(|d| is_known(view, catalog, d, &known))
}

/// Whether giving `terms` fixes a row of the view: of its tables, or of its groups, or, under DISTINCT, of
/// what it selects.
pub(super) fn determines_view_row(view: &FlatView, catalog: &Catalog, terms: &[Term]) -> bool {
    let top = &view.blocks[TOP.0];
    let columns: Vec<ColumnRef> = terms.iter().filter_map(Term::as_column).collect();
    if let Some(keys) = &top.grouped {
        let known = closure(view, catalog, TOP, &columns);
        let follows = |key: &Expr| match key.as_term() {
            Some(key) => terms.contains(&key) || key.columns().iter().all(|c| known.contains(c)),
            None => matches!(key.kind, crate::resolve::ExprKind::Constant),
        };
        return keys.iter().all(follows);
    }
    if top.distinct {
        let known = closure(view, catalog, TOP, &columns);
        return selected_columns(view).iter().all(|c| known.contains(c));
    }
    determines_rows(view, catalog, TOP, &columns)
}

/// The columns of the top block that the outputs are functions of.
fn selected_columns(view: &FlatView) -> BTreeSet<ColumnRef> {
    let mut columns = BTreeSet::new();
    let mut queue: Vec<&Expr> = view.outputs.iter().map(|o| &o.expr).collect();
    let mut seen = BTreeSet::new();
    while let Some(expr) = queue.pop() {
        expr.visit(&mut |e| {
            columns.extend(e.as_column().filter(|c| view.in_region(view.use_of(*c).block, TOP)));
            if let Some(block) = e.block().filter(|b| seen.insert(*b)) {
                let block = &view.blocks[block.0];
                queue.extend(block.conditions.iter().chain(&block.order_by));
            }
        });
    }
    columns
}

/// Whether the values of `wanted` follow from those of `terms` in the top block.
pub(super) fn follows(view: &FlatView, catalog: &Catalog, terms: &[Term], wanted: &[Term]) -> bool {
    let columns: Vec<ColumnRef> = terms.iter().filter_map(Term::as_column).collect();
    let known = closure(view, catalog, TOP, &columns);
    wanted.iter().all(|t| terms.contains(t) || t.columns().iter().all(|c| known.contains(c)))
}

/// The uses of a block whose row is not fixed.
fn open_in(view: &FlatView, catalog: &Catalog, block: BlockId, known: &BTreeSet<ColumnRef>) -> Vec<UseId> {
    uses_of(view, block).filter(|u| !row_is_known(view, catalog, *u, known)).collect()
}

/// Whether one row of a derived relation is fixed.
fn is_known(view: &FlatView, catalog: &Catalog, derived: &Derived, known: &BTreeSet<ColumnRef>) -> bool {
    let Some(inner) = derived.inner else { return false };
    match derived.rows {
        Rows::One => true,
        Rows::Many | Rows::Branch(..) => false,
        Rows::Groups => {
            let mut keys = view.blocks[inner.0].grouped.iter().flatten();
            keys.all(|k| match k.as_term() {
                Some(Term::Column(column)) => known.contains(&column),
                Some(key) => is_given(view, derived.block, &key, known),
                None => matches!(k.kind, ExprKind::Constant),
            })
        }
        Rows::Joined => {
            let nested = view.derived.iter().filter(|d| d.block == inner);
            open_in(view, catalog, inner, known).is_empty()
                && nested.into_iter().all(|d| is_known(view, catalog, d, known))
        }
    }
}

/// Whether a formula is compared with something known, of the same type.
fn is_given(view: &FlatView, block: BlockId, key: &Term, known: &BTreeSet<ColumnRef>) -> bool {
    let typed = |a: &Term, b: &Term| match (a, b) {
        (Term::Formula(a), Term::Formula(b)) => a.ty.is_some() && a.ty == b.ty,
        _ => false,
    };
    let outside = |c: &ColumnRef| !view.in_region(view.use_of(*c).block, block);
    let fixed = |t: &Term| t.columns().iter().all(|c| known.contains(c) || outside(c));
    view.comparisons.iter().filter(|c| view.in_region(c.block, block)).any(|c| match &c.kind {
        ComparisonKind::Equal(left, right) => {
            (left == key && typed(left, right) && fixed(right)) || (right == key && typed(left, right) && fixed(left))
        }
        _ => false,
    })
}

/// Whether a column can be NULL in a row of its block.
pub fn nullable_in_row(view: &FlatView, catalog: &Catalog, column: ColumnRef) -> bool {
    let owner = view.use_of(column);
    let declared = catalog.table(&owner.table).columns[column.column].not_null;
    owner.nullable || !(declared || compared(view, column) || view.is_stated(column, Fact::Present))
}

fn closure(view: &FlatView, catalog: &Catalog, block: BlockId, given: &[ColumnRef]) -> BTreeSet<ColumnRef> {
    let in_region = |c: ColumnRef| view.in_region(view.use_of(c).block, block);
    let constant = |s: &&Stated| s.fact == Fact::Constant && view.in_region(s.block, block);
    let own = |s: &&Stated| view.in_region(view.use_of(s.column).block, s.block);
    let fixed = view.stated.iter().filter(constant).filter(own).map(|s| s.column);
    let mut known: BTreeSet<ColumnRef> = given.iter().copied().chain(fixed).collect();
    known.extend(single_rows(view, catalog, block));
    let ty = |c: ColumnRef| &catalog.table(&view.use_of(c).table).columns[c.column].ty;
    let sound = |e: &&Equality| view.in_region(e.block, block) && same_equality(ty(e.left), ty(e.right));
    let equalities: Vec<&Equality> = view.equalities.iter().filter(sound).collect();
    // Columns that equal an expression of the same kind of type.
    let computed: Vec<(&Formula, ColumnRef, &Comparison)> = view
        .comparisons
        .iter()
        .filter(|c| view.in_region(c.block, block))
        .filter_map(|c| match &c.kind {
            ComparisonKind::Equal(Term::Formula(formula), Term::Column(to))
            | ComparisonKind::Equal(Term::Column(to), Term::Formula(formula)) => Some((formula.as_ref(), *to, c)),
            _ => None,
        })
        .filter(|(formula, to, _)| formula.ty.as_ref().is_some_and(|t| same_equality(t, ty(*to))))
        .collect();
    loop {
        let before = known.len();
        for equality in &equalities {
            for (from, to) in [(equality.left, equality.right), (equality.right, equality.left)] {
                let own = in_region(to) && view.in_region(view.use_of(to).block, equality.block);
                if own && (known.contains(&from) || !in_region(from)) && carries(equality.scope, to) {
                    known.insert(to);
                }
            }
        }
        for (formula, to, at) in &computed {
            let own = in_region(*to) && view.in_region(view.use_of(*to).block, at.block);
            let given = formula.columns().iter().all(|c| known.contains(c) || !in_region(*c));
            if own && given && carries(at.scope, *to) {
                known.insert(*to);
            }
        }
        for use_id in (0..view.uses.len()).map(UseId).filter(|u| view.in_region(view.uses[u.0].block, block)) {
            if row_is_known(view, catalog, use_id, &known) {
                known.extend(all_columns(view, catalog, use_id));
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

fn all_columns(view: &FlatView, catalog: &Catalog, use_id: UseId) -> impl Iterator<Item = ColumnRef> {
    let columns = catalog.table(&view.uses[use_id.0].table).columns.len();
    (0..columns).map(move |column| ColumnRef { use_id, column })
}

/// What a relation of at most one row shows is fixed by the row around it.
fn single_rows(view: &FlatView, catalog: &Catalog, block: BlockId) -> Vec<ColumnRef> {
    let single = |at: BlockId| {
        at != block && view.in_region(at, block) && view.derived_by(at).is_some_and(|d| d.rows == Rows::One)
    };
    let uses = (0..view.uses.len()).map(UseId).filter(|u| single(view.uses[u.0].block));
    uses.flat_map(|u| all_columns(view, catalog, u).collect::<Vec<_>>()).collect()
}

/// Whether an equality makes `to` known from its other side: always within an inner join; from the preserved to the
/// nullable side and within the nullable side of an outer one.
fn carries(scope: Scope, to: ColumnRef) -> bool {
    match scope {
        Scope::Always => true,
        Scope::Outer { from: start, to: end } => (start..end).contains(&to.use_id.0),
        Scope::Full(_) => false,
    }
}

fn row_is_known(view: &FlatView, catalog: &Catalog, use_id: UseId, known: &BTreeSet<ColumnRef>) -> bool {
    let declared = catalog.table(&view.uses[use_id.0].table);
    let by_key = declared.keys.iter().any(|key| {
        key.columns.iter().all(|&column| {
            let column = ColumnRef { use_id, column };
            known.contains(&column) && (key.not_null || compared(view, column))
        })
    });
    // An anti-join: where a column that is never NULL is NULL, there is no row.
    let is_absent = |(column, declared): (usize, &Column)| {
        declared.not_null && view.is_stated(ColumnRef { use_id, column }, Fact::Absent)
    };
    by_key || declared.columns.iter().enumerate().any(is_absent)
}

/// A column that a condition on its rows compares with `=` is not NULL in any row that passes it.
fn compared(view: &FlatView, column: ColumnRef) -> bool {
    let in_equality = |e: &Equality| {
        (e.left == column || e.right == column)
            && view.in_region(view.use_of(column).block, e.block)
            && match e.scope {
                Scope::Always => true,
                Scope::Outer { from, to } => (from..to).contains(&column.use_id.0),
                Scope::Full(_) => false,
            }
            && !e.null_safe
    };
    view.equalities.iter().any(in_equality) || view.is_stated(column, Fact::Constant)
}

/// The columns of a key as references.
pub(super) fn key_columns(use_id: UseId, key: &Key) -> Vec<ColumnRef> {
    key.columns.iter().map(|&column| ColumnRef { use_id, column }).collect()
}

/// The columns that equal `column` in every row of the top block, itself first: linked by inner
/// equalities among uses that are not nullable.
pub(super) fn equality_class(view: &FlatView, catalog: &Catalog, column: ColumnRef) -> Vec<ColumnRef> {
    let solid = |c: ColumnRef| {
        let owner = view.use_of(c);
        !owner.nullable && view.is_stable(owner.block, TOP)
    };
    let ty = |c: ColumnRef| &catalog.table(&view.use_of(c).table).columns[c.column].ty;
    let holds =
        |e: &&Equality| e.scope == Scope::Always && view.is_stable(e.block, TOP) && same_type(ty(e.left), ty(e.right));
    let mut class = vec![column];
    let mut at = 0;
    while at < class.len() {
        let current = class[at];
        for equality in view.equalities.iter().filter(holds) {
            let other = match (equality.left == current, equality.right == current) {
                (true, _) => equality.right,
                (_, true) => equality.left,
                _ => continue,
            };
            if solid(other) && solid(current) && !class.contains(&other) {
                class.push(other);
            }
        }
        at += 1;
    }
    class
}
