//! Parts: which values of a document a changed row can change, where it can change nothing else.
//!
//! In: a tview, and one use of a base table in it. Out: a [`PartUse`] per value, with the columns that have a part in it, and,
//! where the value is an array whose elements are told apart by a field, the way from the row to its elements. What always
//! holds: a row of which nothing but these columns changed (and, of a use in a subquery, a row that came or went) leaves
//! everything in the documents but these values as it was; and, of an array, all elements but those that the way leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::arrays::{Array, aggregate_of};
use super::layout::ArrayId;
use super::occurrences::ValueId;
use super::patch::{Prover, column as column_of, table};
use super::{ColumnSet, Strategy, Unmatched, Way, is_collectable, way_to_key, way_to_parts};
use crate::catalog::{Column, SqlType};
use crate::document::match_field;
use crate::relate::{BlockRows, nullable_in_row, same_type};
use crate::resolve::{BlockId, ColumnRef, Expr, ExprKind, Scope, TOP, Term, UseId};

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
    /// The array.
    pub array: ArrayId,
    /// Selects the key of the document, the match keys of the elements around the array, the outermost first, and that of the element.
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

    /// How rows of a use concern the elements of the array that a value is, or of the innermost one that has them in its query.
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
        let block = view.uses[use_id.0].block;
        let outermost =
            self.arrays.get(&ArrayId::outermost(value)).ok_or("it is no array that a subquery aggregates")?;
        let outermost = outermost.as_ref().map_err(Clone::clone)?;
        if self.is_outermost(use_id) || !view.within(block, outermost.agg.block) {
            return Err("it is not in the array's own query".into());
        }
        let within = |array: &Result<Array, String>| array.as_ref().is_ok_and(|a| view.within(block, a.agg.block));
        let around = self.arrays.iter().filter(|(id, array)| id.value == value && within(array));
        let mut around: Vec<&ArrayId> = around.map(|(id, _)| id).collect();
        around.sort_by_key(|id| std::cmp::Reverse(id.inner.len()));
        let mut found = around.into_iter().map(|id| self.element_of(use_id, id, reads, identifying));
        found
            .find(Result::is_ok)
            .unwrap_or_else(|| self.element_of(use_id, &ArrayId::outermost(value), reads, identifying))
    }

    /// The same of one array.
    fn element_of(
        &self,
        use_id: UseId,
        id: &ArrayId,
        reads: &ColumnSet,
        identifying: &BTreeSet<usize>,
    ) -> Result<ElementUse, String> {
        let view = &self.variant.view;
        let block = view.uses[use_id.0].block;
        let chain: Vec<&Array> = id.chain().filter_map(|id| self.arrays.get(&id)?.as_ref().ok()).collect();
        let Some(array) = chain.last().filter(|_| chain.len() == id.inner.len() + 1) else {
            return Err("nothing tells the elements around it apart".into());
        };
        let mut way = way_to_key(self.variant, use_id);
        for array in &chain {
            let end =
                self.match_term(&way, array.column).ok_or("its way to the key does not lead through the elements")?;
            way.select.push(Term::Column(end));
            way.null_safe.push(false);
        }
        if !is_collectable(table(view, self.catalog, use_id), &way.needs()) {
            return Err("its rows are found by arrays or rows".into());
        }
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
        Ok(ElementUse { array: id.clone(), way, moves })
    }

    /// Whether nothing tells the elements of an array apart, though those around it are, and rows of one of the uses are in its query.
    pub fn is_unmatched(&self, id: &ArrayId, uses: &BTreeSet<UseId>) -> bool {
        let (view, around) = (&self.variant.view, id.around());
        let is_told = around.as_ref().is_none_or(|around| matches!(self.arrays.get(around), Some(Ok(_))));
        let Some(agg) = self.layout.and_then(|layout| aggregate_of(view, layout, id)) else { return false };
        let is_read = || uses.iter().any(|u| view.within(view.uses[u.0].block, agg.block));
        is_told && matches!(self.arrays.get(id), Some(Err(_))) && (around.is_none() || is_read())
    }

    /// What would let the elements of an array be told apart, where nothing does.
    pub fn unmatched(&self, id: &ArrayId) -> Option<Unmatched> {
        let view = &self.variant.view;
        let agg = aggregate_of(view, self.layout?, id)?;
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

    pub fn type_of(&self, column: ColumnRef) -> &SqlType {
        &self.column(column).ty
    }

    /// A match key's column, or one that equals it in every row of the array's query, or of one in its elements that the way begins in,
    /// on the way from a changed row to the key.
    fn match_term(&self, way: &Way, column: ColumnRef) -> Option<ColumnRef> {
        let view = &self.variant.view;
        let (array, start) = (view.use_of(column).block, view.uses[way.start.0].block);
        let between = |block: BlockId| view.within(start, block) && view.within(block, array);
        let equal = view.equalities.iter().filter(|e| between(e.block) && e.scope == Scope::Always && !e.null_safe);
        let equal = equal.filter_map(|e| {
            let sides = [(e.left, e.right), (e.right, e.left)];
            let (_, partner) = sides.into_iter().find(|(own, _)| *own == column)?;
            // What a relation in FROM shows may be of other rows than those that a change concerns.
            (view.use_of(partner).block == e.block).then_some(partner)
        });
        let known: Vec<ColumnRef> =
            equal.filter(|c| same_type(self.type_of(*c), self.type_of(column))).chain([column]).collect();
        let uses = std::iter::once(way.start).chain(way.joins.iter().map(|j| j.use_id));
        uses.into_iter().find_map(|u| known.iter().find(|c| c.use_id == u).copied())
    }
}
