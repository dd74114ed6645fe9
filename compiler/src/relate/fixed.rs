//! Values that all rows with the same known columns have in common.
//!
//! In: a view, and what follows from given columns ([`Known`]). Out: whether an expression of the top block has one value in all rows of
//! the FROM clause in which these columns have the given values. That is more than that its columns follow: on the nullable side of an outer
//! join a column follows through an equality of ON only where there is a partner, and whether there is one is decided by
//! all that ON reads.

use std::collections::{BTreeMap, BTreeSet};

use super::closure::is_known;
use super::dependencies::Known;
use crate::resolve::{BlockId, ColumnRef, Expr, ExprKind, FlatView, UseId};

/// By use: the outer joins, by index, on whose nullable side it is, each with that side.
pub(super) struct Sides(Vec<Vec<(usize, (usize, usize))>>);

impl Sides {
    /// Those of a settled view.
    pub(super) fn of(view: &FlatView) -> Self {
        let mut sides = vec![Vec::new(); view.uses.len()];
        for (n, join) in view.outer_joins.iter().enumerate() {
            for (from, to) in join.nullable() {
                sides[from..to].iter_mut().for_each(|of_use: &mut Vec<_>| of_use.push((n, (from, to))));
            }
        }
        Sides(sides)
    }
}

/// Answers for one set of known columns.
pub(super) struct Fixed<'k> {
    view: &'k FlatView,
    sides: &'k Sides,
    known: &'k Known<'k>,
    /// By use: whether it is known if it has a row; true while that is being found out.
    decided: BTreeMap<UseId, bool>,
}

impl<'k> Fixed<'k> {
    /// No answers yet.
    pub(super) fn new(view: &'k FlatView, sides: &'k Sides, known: &'k Known<'k>) -> Self {
        Fixed { view, sides, known, decided: BTreeMap::new() }
    }

    /// Whether a column has one value.
    pub(super) fn column(&mut self, column: ColumnRef) -> bool {
        self.known.contains(&column) && self.has_partner_or_not(column.use_id)
    }

    /// Whether known values decide if a use has a row or is NULL.
    pub(super) fn has_partner_or_not(&mut self, use_id: UseId) -> bool {
        if let Some(decided) = self.decided.get(&use_id) {
            return *decided;
        }
        self.decided.insert(use_id, true);
        let view = self.view;
        let decided = self.sides.0[use_id.0].iter().all(|(n, (from, to))| {
            let join = &view.outer_joins[*n];
            let decides = |c: &&ColumnRef| {
                !(*from..*to).contains(&c.use_id.0) && view.in_region(view.use_of(**c).block, join.block)
            };
            join.reads.as_ref().is_some_and(|reads| reads.iter().filter(decides).all(|c| self.column(*c)))
        });
        self.decided.insert(use_id, decided);
        decided
    }

    /// Whether an expression of the top block has one value: all that it reads has, and of a relation in FROM whose value it
    /// is, one row is known.
    pub(super) fn holds(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Column(column) => self.column(*column),
            ExprKind::Constant => true,
            ExprKind::Object(_) | ExprKind::Coalesce(_) | ExprKind::Apply(_) => {
                expr.children().into_iter().all(|child| self.holds(child))
            }
            ExprKind::Subquery(block, _) | ExprKind::Exists(block) => {
                let read = reads_around(self.view, *block, expr);
                read.is_some_and(|all| all.into_iter().all(|c| self.column(c))) && self.has_one_row(*block)
            }
            ExprKind::Made(_)
            | ExprKind::Aggregate(_)
            | ExprKind::Number(..)
            | ExprKind::ArrayAgg(_)
            | ExprKind::Either(..) => false,
        }
    }

    /// Of a block that makes rows of a relation in FROM: whether one of them is known.
    fn has_one_row(&mut self, block: BlockId) -> bool {
        let view = self.view;
        let Some(derived) = view.derived_by(block) else { return true };
        let own = (0..view.uses.len()).map(UseId).find(|u| view.within(view.uses[u.0].block, block));
        let decided = match own {
            Some(use_id) => self.has_partner_or_not(use_id),
            None => view.outer_joins.is_empty(),
        };
        decided && is_known(view, derived, self.known)
    }
}

/// The columns of the queries around a block that it and the blocks in it read; `None` where it may read what a function makes.
pub(super) fn reads_around(view: &FlatView, block: BlockId, value: &Expr) -> Option<BTreeSet<ColumnRef>> {
    let (mut columns, mut makes) = (BTreeSet::new(), false);
    let mut read = |expr: &Expr| {
        expr.visit(&mut |e| {
            makes |= matches!(e.kind, ExprKind::Made(_));
            columns.extend(e.as_column().filter(|c| !view.within(view.use_of(*c).block, block)));
        });
    };
    read(value);
    for inner in (block.0..view.blocks.len()).map(BlockId).filter(|b| view.within(*b, block)) {
        let state = &view.blocks[inner.0];
        state.conditions.iter().chain(&state.order_by).chain(state.grouped.iter().flatten()).for_each(&mut read);
    }
    (!makes).then_some(columns)
}
