//! Arrays: those in a view's documents whose elements a field tells apart.
//!
//! In: a view, and the layout of its text. Out: for each array that a subquery aggregates, also within the elements of another one,
//! its match key, or why it has none, and what decides which elements there are, and where. What always holds: the match key is
//! never NULL, and different in all elements of one array, by declared keys; a change of a column, or of rows of a query, that is not
//! among what decides leaves each element where it is.

use std::collections::{BTreeMap, BTreeSet};

use super::ArrayPart;
use super::layout::{ArrayId, ArrayText, Layout, Value};
use super::occurrences::{columns, opened};
use super::patch::{Prover, column as column_of};
use crate::catalog::{Catalog, SqlType, TypeClass};
use crate::document::match_field;
use crate::relate::variable_type;
use crate::resolve::{ArrayAgg, Block, BlockId, ColumnRef, ComparisonKind, Expr, ExprKind, FlatView, JsonType};

/// An array whose elements are told apart by a field.
pub(super) struct Array<'a> {
    pub agg: &'a ArrayAgg,
    /// The match key.
    pub field: &'a str,
    /// What it holds.
    pub column: ColumnRef,
    /// How that is written in the array's query.
    pub written: &'a str,
    /// Of an array that is sorted by it, see [`ArrayPart`].
    pub descending: Option<bool>,
    pub deciding: Deciding,
}

/// The arrays in the documents, each if its elements can be told apart.
pub(super) fn arrays<'a>(
    view: &'a FlatView,
    layout: Option<&Layout>,
    catalog: &Catalog,
) -> BTreeMap<ArrayId, Result<Array<'a>, String>> {
    let array = |layout: &Layout, id: ArrayId| {
        let agg = aggregate_of(view, layout, &id)?;
        let array = Array::of(view, agg, layout.array(&id)?.1, catalog);
        Some((id, array))
    };
    layout.iter().flat_map(|l| l.arrays().into_iter().filter_map(|id| array(l, id))).collect()
}

/// What aggregates an array.
pub(super) fn aggregate_of<'v>(view: &'v FlatView, layout: &Layout, id: &ArrayId) -> Option<&'v ArrayAgg> {
    match id.around() {
        None => aggregate(value_expr(view, layout.values.get(id.value)?)?),
        Some(around) => {
            let (path, _) = layout.array(id)?;
            aggregate(field_at(&aggregate_of(view, layout, &around)?.element, path)?)
        }
    }
}

impl<'a> Array<'a> {
    fn of(view: &'a FlatView, agg: &'a ArrayAgg, text: &ArrayText, catalog: &Catalog) -> Result<Self, String> {
        let Block { grouped, limited, picked, recursive, distinct, expands, .. } = &view.blocks[agg.block.0];
        if grouped.is_some() || *limited || *picked || *recursive || *distinct || *expands || agg.distinct {
            return Err("the array's query groups or picks rows".into());
        }
        let (field, column) =
            match_field(view, catalog, agg).ok_or("no field of its elements is known to identify them")?;
        let named = agg.named.iter().find(|(named, _)| *named == column).map(|(_, text)| text.as_str());
        let named = named.filter(|_| agg.element.json == Some(JsonType::Jsonb));
        let written = named.ok_or("the array's query has no column that is the elements' match key")?;
        let ty = &column_of(view, catalog, column).ty;
        if !tells_apart(ty) {
            return Err(format!("values of type {} that are equal can be shown differently", ty.sql));
        }
        // As jsonb, integers are sorted as they are.
        let is_integer =
            matches!(ty.base.as_str(), "smallint" | "integer" | "bigint") && ty.class == TypeClass::Builtin;
        let by_match = agg.order_by.first().is_some_and(|e| e.as_column() == Some(column)) && is_integer;
        let descending = text.sorts.first().filter(|_| by_match).map(|sort| sort.descending);
        Ok(Array { agg, field, column, written, descending, deciding: Deciding::of(view, agg) })
    }

    /// What the emitter needs of it.
    pub fn part(&self, prover: &Prover) -> ArrayPart {
        ArrayPart {
            field: self.field.to_owned(),
            written: self.written.to_owned(),
            ty: variable_type(prover.type_of(self.column)),
            sorted_by_match: self.agg.order_by.iter().any(|e| e.as_column() == Some(self.column)),
            descending: self.descending,
        }
    }
}

/// What decides which elements there are, and where.
pub(super) struct Deciding {
    pub columns: BTreeSet<ColumnRef>,
    pub blocks: BTreeSet<BlockId>,
}

impl Deciding {
    fn of(view: &FlatView, agg: &ArrayAgg) -> Self {
        let region = |block: BlockId| view.in_region(block, agg.block);
        let mut all = Deciding { columns: BTreeSet::new(), blocks: BTreeSet::new() };
        let own = agg.order_by.iter().chain(&agg.filter);
        let mut open: Vec<BlockId> = (0..view.blocks.len()).map(BlockId).filter(|b| region(*b)).collect();
        own.for_each(|e| all.expr(e, &mut open));
        while let Some(block) = open.pop() {
            if !all.blocks.insert(block) {
                continue;
            }
            let Block { conditions, order_by, grouped, .. } = &view.blocks[block.0];
            conditions.iter().chain(order_by).chain(grouped.iter().flatten()).for_each(|e| all.expr(e, &mut open));
            open.extend(view.derived.iter().filter(|d| d.block == block).filter_map(|d| d.inner));
        }
        for equality in view.equalities.iter().filter(|e| all.blocks.contains(&e.block)) {
            all.columns.extend([equality.left, equality.right]);
        }
        for comparison in view.comparisons.iter().filter(|c| all.blocks.contains(&c.block)) {
            match &comparison.kind {
                ComparisonKind::Equal(left, right) | ComparisonKind::Same(left, right) => {
                    all.columns.extend(left.columns().into_iter().chain(right.columns()));
                }
                ComparisonKind::Holds(formula) => all.columns.extend(formula.columns()),
            }
        }
        all.columns.extend(view.stated.iter().filter(|s| all.blocks.contains(&s.block)).map(|s| s.column));
        let present = view.present.iter().filter(|(_, block)| all.blocks.contains(block));
        all.columns.extend(present.flat_map(|(f, _)| f.columns()));
        all
    }

    fn expr(&mut self, expr: &Expr, open: &mut Vec<BlockId>) {
        self.columns.extend(columns(expr));
        open.extend(opened(expr));
    }
}

/// The expression that a value is.
pub fn value_expr<'v>(view: &'v FlatView, value: &Value) -> Option<&'v Expr> {
    field_at(&view.outputs.get(value.output)?.expr, &value.path)
}

/// What the fields of nested objects lead to.
fn field_at<'e>(expr: &'e Expr, path: &[String]) -> Option<&'e Expr> {
    path.iter().try_fold(expr, |at, step| match &at.kind {
        ExprKind::Object(fields) => fields.iter().find(|(name, _)| name == step).map(|(_, value)| value),
        _ => None,
    })
}

/// The aggregate that an expression is, apart from what stands for no element.
fn aggregate(expr: &Expr) -> Option<&ArrayAgg> {
    match &expr.kind {
        ExprKind::ArrayAgg(agg) => Some(agg),
        ExprKind::Coalesce(list) => list.first().and_then(aggregate),
        ExprKind::Subquery(_, inner) => aggregate(inner),
        _ => None,
    }
}

/// Whether two values are equal exactly where what jsonb shows of them is.
fn tells_apart(ty: &SqlType) -> bool {
    // jsonb shows a numeric's digits, but compares numbers as numbers.
    ty.is_plain() || ty.dimensions == 0 && (ty.class == TypeClass::Enum || ty.base == "numeric")
}
