//! Groups of rows that come from several sides of a set operation.
//!
//! In: a view with a set operation below a query that groups, and output columns that identify rows within each variant. Out: those and
//! what else is needed for the key to tell a row's group, whichever side it comes from. What always holds: nothing is concluded from a
//! side's own tables and conditions, because it is true of that side alone: `name` may follow from `id` on either side, and two
//! rows of different sides have one id and two names.

use std::collections::BTreeSet;

use super::dependencies::{Dependencies, carries};
use super::injective::told_columns;
use super::locks::same_equality;
use crate::catalog::{Catalog, SqlType};
use crate::diagnostics::{Code, Diagnostic};
use crate::resolve::{BlockId, Claim, ColumnRef, ComparisonKind, Conjunct, Expr, ExprKind, FlatView, Rows, TOP, UseId};

/// Adds what is missing for the key to tell into which group rows of the sides fall.
pub(super) fn tell_groups(
    view: &FlatView,
    alternative: usize,
    giving: &[&(Vec<usize>, FlatView)],
    outputs: &mut Vec<usize>,
    catalog: &Catalog,
) -> Result<(), Box<Diagnostic>> {
    let Some(block) = grouping(view, view.alternatives[alternative].block) else { return Ok(()) };
    let sides = Sides::of(view, alternative, catalog);
    let apart: Vec<FlatView> = giving.iter().map(|(_, variant)| sides.left_out(variant)).collect();
    for group in view.blocks[block.0].grouped.iter().flatten().filter(|g| !is_one_constant(g)) {
        let shown = |o: &usize| view.outputs[*o].expr.is_same(group);
        let follows = || apart.iter().all(|variant| sides.tell(variant, group, outputs));
        if outputs.iter().any(shown) || follows() {
            continue;
        }
        match (0..view.outputs.len()).find(|o| shown(o)) {
            Some(output) => outputs.push(output),
            None => return Err(untold(view, alternative, group)),
        }
    }
    Ok(())
}

/// The outermost query that groups rows of a block on their way to the view.
fn grouping(view: &FlatView, block: BlockId) -> Option<BlockId> {
    let (mut at, mut found) = (block, None);
    loop {
        let state = &view.blocks[at.0];
        match &state.grouped {
            Some(_) => found = Some(at),
            // There is one row, whatever it is made of.
            None if state.aggregated => return None,
            None => {}
        }
        if at == TOP {
            return found;
        }
        at = view.derived_by(at)?.block;
    }
}

/// The sides of a set operation, and what is known outside of them.
struct Sides<'v> {
    view: &'v FlatView,
    catalog: &'v Catalog,
    uses: BTreeSet<UseId>,
    /// Equalities of a column outside with what the sides show.
    bridges: Vec<(&'v Conjunct, &'v Expr, &'v Expr)>,
}

impl<'v> Sides<'v> {
    fn of(view: &'v FlatView, alternative: usize, catalog: &'v Catalog) -> Self {
        let is_side = |rows: Rows| matches!(rows, Rows::Branch(n, _) if n == alternative);
        let blocks: Vec<BlockId> = view.derived.iter().filter(|d| is_side(d.rows)).filter_map(|d| d.inner).collect();
        let within = |block: BlockId| blocks.iter().any(|side| view.within(block, *side));
        let uses = view.uses.iter().enumerate().filter(|(_, u)| within(u.block)).map(|(n, _)| UseId(n)).collect();
        let mut sides = Sides { view, catalog, uses, bridges: Vec::new() };
        let outside =
            view.conjuncts.iter().filter(|c| c.part.is_none() && !within(c.block) && view.in_region(c.block, TOP));
        sides.bridges = outside
            .filter_map(|c| match &c.claim {
                Claim::Equal(left, right) if sides.are_equal(left, right) => Some((c, left, right)),
                _ => None,
            })
            .collect();
        sides
    }

    /// A column of another use.
    fn outside(&self, expr: &Expr) -> Option<ColumnRef> {
        expr.as_column().filter(|c| !self.uses.contains(&c.use_id))
    }

    /// Whether one is a column outside, the other is not, and equal values of all their types are one value.
    fn are_equal(&self, left: &Expr, right: &Expr) -> bool {
        let one = self.outside(left).is_some() != self.outside(right).is_some();
        let (left, right) = (self.types(left), self.types(right));
        let pairs = left.iter().flatten().flat_map(|l| right.iter().flatten().map(move |r| (l, r)));
        one && left.is_some() && right.is_some() && pairs.into_iter().all(|(l, r)| same_equality(l, r))
    }

    /// The types of a column, a formula, or the sides' columns; `None` where one is not known.
    fn types(&self, expr: &Expr) -> Option<Vec<SqlType>> {
        match &expr.kind {
            ExprKind::Either(_, list) => {
                Some(list.iter().map(|e| self.types(e)).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
            }
            _ => Some(vec![expr.as_term()?.ty(self.view, self.catalog)?.clone()]),
        }
    }

    /// A variant without what is known of the sides.
    fn left_out(&self, variant: &FlatView) -> FlatView {
        let mut view = variant.clone();
        let outside = |c: &ColumnRef| !self.uses.contains(&c.use_id);
        view.equalities.retain(|e| outside(&e.left) && outside(&e.right));
        view.comparisons.retain(|c| match &c.kind {
            ComparisonKind::Equal(l, r) | ComparisonKind::Same(l, r) => {
                l.columns().iter().chain(&r.columns()).all(outside)
            }
            ComparisonKind::Holds(formula) => formula.columns().iter().all(outside),
        });
        view.stated.retain(|s| outside(&s.column));
        // A query can read a side in more ways than its value shows.
        view.told.clear();
        view.picked.clear();
        view
    }

    /// Whether an expression follows from these outputs.
    fn tell(&self, variant: &FlatView, expr: &Expr, outputs: &[usize]) -> bool {
        let dependencies = Dependencies::outside(variant, self.catalog, TOP, &self.uses);
        let mut given: Vec<&Expr> = outputs.iter().map(|o| &self.view.outputs[*o].expr).collect();
        loop {
            let terms = given.iter().filter_map(|e| e.as_term());
            let columns = terms.flat_map(|t| told_columns(variant, self.catalog, &t));
            let columns: Vec<ColumnRef> = columns.filter(|c| !self.uses.contains(&c.use_id)).collect();
            let known = dependencies.known(&columns);
            let is_known =
                |e: &Expr| given.iter().any(|g| g.is_same(e)) || self.outside(e).is_some_and(|c| known.contains(&c));
            let carried = |from: &Expr, to: &Expr, bridge: &Conjunct| {
                let all = to.uses();
                is_known(from)
                    && !is_known(to)
                    && all.iter().all(|u| carries(bridge.scope, ColumnRef { use_id: *u, column: 0 }))
            };
            let more = self.bridges.iter().find_map(|(bridge, left, right)| match () {
                () if carried(left, right, bridge) => Some(*right),
                () if carried(right, left, bridge) => Some(*left),
                () => None,
            });
            match more {
                Some(expr) => given.push(expr),
                None => {
                    let formula = expr.formula.as_ref().map(|f| f.columns()).filter(|c| !c.is_empty());
                    let of_known = |c: &ColumnRef| !self.uses.contains(&c.use_id) && known.contains(c);
                    return is_known(expr) || formula.is_some_and(|columns| columns.iter().all(of_known));
                }
            }
        }
    }
}

/// Whether an expression is the same constant in all variants.
fn is_one_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Constant => true,
        ExprKind::Either(_, list) => {
            list.iter().all(is_one_constant) && list.iter().all(|e| e.formula.is_some() && e.is_same(&list[0]))
        }
        _ => false,
    }
}

fn untold(view: &FlatView, alternative: usize, group: &Expr) -> Box<Diagnostic> {
    let title = format!("no key of view `{}` can be found", view.name.name);
    Box::new(
        Diagnostic::new(Code::MissingKey, title, view.span)
            .label("its rows must be identified by columns beside the document")
            .also(group.span, "rows are told apart by this, which is not selected")
            .also(view.alternatives[alternative].span, "what follows from it on one side need not on the other")
            .help("select all that rows of these sides are grouped by"),
    )
}
