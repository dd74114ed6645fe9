//! Parts: which values of a document a changed row can change, where it can change nothing else.
//!
//! In: a tview, and one use of a base table in it. Out: a [`PartUse`] per value, with the columns that have a part in it, and,
//! where the value is an array whose elements are told apart by a field, the way from the row to its elements. What always
//! holds: a row of which nothing but these columns changed (and, of a use in a subquery, a row that came or went) leaves
//! everything in the documents but these values as it was; and, of an array, all elements but those that the way leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{ArrayText, Layout, Value};
use super::occurrences::{ValueId, columns, opened};
use super::patch::{Prover, column as column_of, table};
use super::{ArrayPart, ColumnSet, Strategy, Unmatched, Way, is_collectable, way_to_key, way_to_parts};
use crate::catalog::{Catalog, Column, SqlType, TypeClass};
use crate::document::match_field;
use crate::relate::{BlockRows, nullable_in_row, same_type, variable_type};
use crate::resolve::{
    ArrayAgg, Block, BlockId, ColumnRef, ComparisonKind, Expr, ExprKind, FlatView, JsonType, Scope, TOP, Term, UseId,
};

/// A write that would change more values than this computes the documents again.
const MAX_PARTS: usize = 8;

/// A value that a use has a part in.
#[derive(Clone, Debug)]
pub(super) struct PartUse {
    pub value: ValueId,
    /// Of the use's table.
    pub columns: ColumnSet,
    /// Where single elements of an array change.
    pub element: Result<ElementUse, String>,
}

/// How a changed row concerns elements of an array.
#[derive(Clone, Debug)]
pub(super) struct ElementUse {
    /// Selects the key of the document and the element's match key.
    pub way: Way,
    /// What makes elements appear, disappear or move.
    pub moves: Moves,
}

/// Changes of a row that do more than change what elements show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Moves {
    /// None.
    Never,
    /// Changes of these columns, and rows that come and go.
    Columns(ColumnSet),
    /// All.
    Always,
}

/// All that a use's rows can change.
pub(super) struct Parts {
    pub list: Vec<PartUse>,
    /// Columns for whose changes the documents are computed again.
    pub others: ColumnSet,
    /// From a changed row to the keys.
    pub way: Way,
}

impl Prover<'_> {
    /// Whether a use's rows are among those that the view's rows are combined of.
    pub fn is_outermost(&self, use_id: UseId) -> bool {
        let view = &self.variant.view;
        view.in_region(view.uses[use_id.0].block, TOP)
    }

    /// The values that a use with these columns has a part in; `None` where that is not all that it has a part in. Of a use in
    /// the outermost query `reads` are the columns that are not patched, of one in a subquery all that are read.
    pub fn parts(&self, use_id: UseId, reads: &ColumnSet, pairing: Option<&[usize]>) -> Option<Parts> {
        let view = &self.variant.view;
        let owner = table(view, self.catalog, use_id);
        let way = way_to_key(self.variant, use_id);
        let found = self.layout.is_some()
            && !self.whole.contains(&owner.name)
            && way_to_parts(self.variant, use_id).is_none()
            && is_collectable(owner, &way.needs());
        // What a relation in FROM picks or groups is not followed into it. A window of all rows is computed once for all keys, and would
        // be computed for each part.
        if !found || view.derived.iter().any(|d| d.block == TOP) || self.is_read_at_once {
            return None;
        }
        let mut of_value: BTreeMap<ValueId, ColumnSet> = BTreeMap::new();
        let mut others = ColumnSet::new();
        let outermost = self.is_outermost(use_id);
        let identifying: BTreeSet<usize> = pairing.into_iter().flatten().copied().collect();
        if outermost {
            pairing?;
        } else {
            let present = self.occurrences.block(view.uses[use_id.0].block);
            if present.elsewhere.is_some() {
                return None;
            }
            of_value.extend(present.values.iter().map(|v| (*v, ColumnSet::new())));
        }
        for column in reads.iter().filter(|c| !outermost || !identifying.contains(c)) {
            match self.occurrences.decided(ColumnRef { use_id, column: *column }) {
                Ok(values) if !values.is_empty() => {
                    for value in values {
                        of_value.entry(value).or_default().insert(*column);
                    }
                }
                // Such a one decides which rows there are.
                _ => others.extend([*column]),
            }
        }
        if of_value.is_empty() || of_value.len() > MAX_PARTS || !outermost && !others.is_empty() {
            return None;
        }
        let part = |(value, columns): (ValueId, ColumnSet)| {
            let element = self.element(use_id, value, reads, &identifying);
            PartUse { value, columns, element }
        };
        Some(Parts { list: of_value.into_iter().map(part).collect(), others, way })
    }

    /// How rows of a use concern the elements of the array that a value is.
    fn element(
        &self,
        use_id: UseId,
        value: ValueId,
        reads: &ColumnSet,
        identifying: &BTreeSet<usize>,
    ) -> Result<ElementUse, String> {
        if self.strategy != Strategy::Auto {
            return Err("elements are not changed by themselves".into());
        }
        let view = &self.variant.view;
        let array = self.arrays.get(&value).ok_or("it is no array that a subquery aggregates")?;
        let array = array.as_ref().map_err(Clone::clone)?;
        if self.is_outermost(use_id) || !view.within(view.uses[use_id.0].block, array.agg.block) {
            return Err("it is not in the array's own query".into());
        }
        let mut way = way_to_key(self.variant, use_id);
        let end = self.match_term(&way, array.column).ok_or("its way to the key does not lead through the elements")?;
        way.select.push(Term::Column(end));
        way.null_safe.push(false);
        if !is_collectable(table(view, self.catalog, use_id), &way.needs()) {
            return Err("its rows are found by arrays or rows".into());
        }
        let block = view.uses[use_id.0].block;
        let moves = if array.descending.is_some() {
            // Each of them tells where it is.
            Moves::Never
        } else if block == array.agg.block {
            let own = |c: &usize| array.deciding.columns.contains(&ColumnRef { use_id, column: *c });
            let compared = |c: &usize| way.needs().contains(c) || identifying.contains(c);
            Moves::Columns(reads.iter().copied().filter(|c| own(c) || compared(c)).collect())
        } else if array.deciding.blocks.contains(&block) {
            Moves::Always
        } else {
            Moves::Never
        };
        Ok(ElementUse { way, moves })
    }

    /// What would let the elements of an array be told apart, where nothing does.
    pub fn unmatched(&self, value: ValueId) -> Option<Unmatched> {
        let view = &self.variant.view;
        let agg = aggregate(value_expr(view, self.layout?.values.get(value)?)?)?;
        let ExprKind::Object(fields) = &agg.element.kind else { return None };
        if match_field(view, self.catalog, agg).is_some() {
            return None;
        }
        let rows = BlockRows::new(view, self.catalog, agg.block);
        let own = (0..view.uses.len()).map(UseId).filter(|u| view.uses[u.0].block == agg.block);
        let single = own.clone().flat_map(|use_id| {
            let keys = table(view, self.catalog, use_id).keys.iter().filter(|k| k.columns.len() == 1);
            keys.map(move |k| ColumnRef { use_id, column: k.columns[0] })
        });
        let mut fitting = single.filter(|c| !nullable_in_row(view, self.catalog, *c) && rows.determined_by(&[*c]));
        let help = if let Some(column) = fitting.next() {
            // By its table: aliases are unique in the whole view here, and need not be those that are written.
            format!(
                "show the column that identifies it: `{}` of {}",
                self.column(column).name,
                view.use_of(column).table
            )
        } else {
            own.clone().find_map(|u| self.wanted_key(u, agg.block, fields)).unwrap_or_else(|| {
                "show a field in it that is unique, and declared so, among the rows that the subquery joins".into()
            })
        };
        Some(Unmatched { span: agg.element.span, help })
    }

    /// The key that a table without any would need: what the subquery finds its rows by, and a column that elements show.
    fn wanted_key(&self, use_id: UseId, block: BlockId, fields: &[(String, Expr)]) -> Option<String> {
        let view = &self.variant.view;
        let owner = table(view, self.catalog, use_id);
        if owner.keys.iter().any(|k| k.not_null) {
            return None;
        }
        let sides =
            view.equalities.iter().filter(|e| e.block == block).flat_map(|e| [(e.left, e.right), (e.right, e.left)]);
        let equal: Vec<(usize, ColumnRef)> =
            sides.filter(|(own, _)| own.use_id == use_id).map(|(own, other)| (own.column, other)).collect();
        let shown = |column: usize| {
            let held = |c: ColumnRef| {
                c == ColumnRef { use_id, column } || equal.iter().any(|(own, other)| *own == column && *other == c)
            };
            fields.iter().any(|(_, value)| value.as_column().is_some_and(held))
        };
        let telling = (0..owner.columns.len()).find(|c| owner.columns[*c].not_null && shown(*c))?;
        let found_by = equal.iter().filter(|(_, other)| view.use_of(*other).block != block).map(|(own, _)| *own);
        let columns: BTreeSet<usize> = found_by.chain([telling]).collect();
        let names: Vec<String> = columns.iter().map(|c| owner.columns[*c].name.sql()).collect();
        let key = names.join(", ");
        Some(format!(
            "if that identifies the row, declare it: ALTER TABLE {} ADD PRIMARY KEY ({key});",
            owner.name.sql()
        ))
    }

    fn column(&self, column: ColumnRef) -> &Column {
        column_of(&self.variant.view, self.catalog, column)
    }

    fn type_of(&self, column: ColumnRef) -> &SqlType {
        &self.column(column).ty
    }

    /// The match key's column, or one that equals it in every row of the array's query, on the way from a changed row to the key.
    fn match_term(&self, way: &Way, column: ColumnRef) -> Option<ColumnRef> {
        let view = &self.variant.view;
        let block = view.use_of(column).block;
        let equal = view.equalities.iter().filter(|e| e.block == block && e.scope == Scope::Always && !e.null_safe);
        let partner = |(left, right): (ColumnRef, ColumnRef)| (left == column).then_some(right);
        let equal = equal.filter_map(|e| partner((e.left, e.right)).or_else(|| partner((e.right, e.left))));
        let known: Vec<ColumnRef> = equal
            .filter(|c| view.use_of(*c).block == block && same_type(self.type_of(*c), self.type_of(column)))
            .chain([column])
            .collect();
        let uses = std::iter::once(way.start).chain(way.joins.iter().map(|j| j.use_id));
        uses.into_iter().find_map(|u| known.iter().find(|c| c.use_id == u).copied())
    }
}

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
    descending: Option<bool>,
    deciding: Deciding,
}

/// The arrays among the values, each if its elements can be told apart.
pub(super) fn arrays<'a>(
    view: &'a FlatView,
    layout: Option<&Layout>,
    catalog: &Catalog,
) -> BTreeMap<ValueId, Result<Array<'a>, String>> {
    let values = layout.iter().flat_map(|l| &l.values).enumerate();
    let array = |(id, value): (ValueId, &Value)| {
        let text = value.array.as_ref()?;
        Some((id, Array::of(view, aggregate(value_expr(view, value)?)?, text, catalog)))
    };
    values.filter_map(array).collect()
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
struct Deciding {
    columns: BTreeSet<ColumnRef>,
    blocks: BTreeSet<BlockId>,
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
    let mut at = &view.outputs.get(value.output)?.expr;
    for step in &value.path {
        let ExprKind::Object(fields) = &at.kind else { return None };
        at = &fields.iter().find(|(name, _)| name == step)?.1;
    }
    Some(at)
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
