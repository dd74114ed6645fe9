//! Functional dependencies within a block.
//!
//! In: a set of columns whose values are given. Out: all columns whose values follow, through
//! equalities, constants and declared unique keys. Used to prove keys, match keys and total orders;
//! a proof is never taken from a name or from the data.

use std::collections::BTreeSet;

use super::locks::same_equality;
use crate::catalog::{Catalog, Key, Relation, Table};
use crate::names::QualName;
use crate::resolve::{BlockId, ColumnRef, Equality, FlatView, Scope, UseId};

/// The table of that name; resolve guarantees that it exists.
pub(super) fn table<'c>(catalog: &'c Catalog, name: &QualName) -> &'c Table {
    match &catalog.relations[name] {
        Relation::Table(table) => table,
        _ => unreachable!("uses are of base tables"),
    }
}

/// The uses that stand in the FROM clause of a block.
pub(super) fn uses_of(view: &FlatView, block: BlockId) -> impl Iterator<Item = UseId> + '_ {
    (0..view.uses.len()).map(UseId).filter(move |u| view.uses[u.0].block == block)
}

/// Whether giving `columns` fixes one row of every table of the block (within one row of the
/// blocks around it).
pub fn determines_rows(view: &FlatView, catalog: &Catalog, block: BlockId, columns: &[ColumnRef]) -> bool {
    let known = closure(view, catalog, block, columns);
    uses_of(view, block).all(|u| row_is_known(view, catalog, u, &known))
}

/// The uses of a block whose row does not follow from `columns`.
pub(super) fn open_uses(view: &FlatView, catalog: &Catalog, block: BlockId, columns: &[ColumnRef]) -> Vec<UseId> {
    let known = closure(view, catalog, block, columns);
    uses_of(view, block).filter(|u| !row_is_known(view, catalog, *u, &known)).collect()
}

/// Whether a column can be NULL in a row of its block.
pub fn nullable_in_row(view: &FlatView, catalog: &Catalog, column: ColumnRef) -> bool {
    let owner = view.use_of(column);
    owner.nullable || !table(catalog, &owner.table).columns[column.column].not_null
}

fn closure(view: &FlatView, catalog: &Catalog, block: BlockId, given: &[ColumnRef]) -> BTreeSet<ColumnRef> {
    let in_block = |c: ColumnRef| view.use_of(c).block == block;
    let fixed = view.fixed.iter().map(|f| f.column).filter(|c| in_block(*c));
    let mut known: BTreeSet<ColumnRef> = given.iter().copied().chain(fixed).collect();
    let ty = |c: ColumnRef| &table(catalog, &view.use_of(c).table).columns[c.column].ty;
    let sound = |e: &&Equality| e.block == block && same_equality(ty(e.left), ty(e.right));
    let equalities: Vec<&Equality> = view.equalities.iter().filter(sound).collect();
    loop {
        let before = known.len();
        for equality in &equalities {
            for (from, to) in [(equality.left, equality.right), (equality.right, equality.left)] {
                if in_block(to) && (known.contains(&from) || !in_block(from)) && carries(equality, to) {
                    known.insert(to);
                }
            }
        }
        for use_id in uses_of(view, block) {
            if row_is_known(view, catalog, use_id, &known) {
                let columns = table(catalog, &view.uses[use_id.0].table).columns.len();
                known.extend((0..columns).map(|column| ColumnRef { use_id, column }));
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

/// Whether an equality makes `to` known from its other side: always within an inner join; from the preserved to the
/// nullable side and within the nullable side of an outer one.
fn carries(equality: &Equality, to: ColumnRef) -> bool {
    match equality.scope {
        Scope::Always => true,
        Scope::Outer { from: start, to: end } => (start..end).contains(&to.use_id.0),
    }
}

fn row_is_known(view: &FlatView, catalog: &Catalog, use_id: UseId, known: &BTreeSet<ColumnRef>) -> bool {
    let keys = &table(catalog, &view.uses[use_id.0].table).keys;
    keys.iter().any(|key| {
        key.columns.iter().all(|&column| {
            let column = ColumnRef { use_id, column };
            known.contains(&column) && (key.not_null || compared(view, column))
        })
    })
}

/// A column that a condition compares with `=` is not NULL in any row that passes it.
fn compared(view: &FlatView, column: ColumnRef) -> bool {
    let in_equality = |e: &Equality| {
        (e.left == column || e.right == column)
            && match e.scope {
                Scope::Always => true,
                Scope::Outer { from, to } => (from..to).contains(&column.use_id.0),
            }
    };
    view.equalities.iter().any(in_equality) || view.fixed.iter().any(|f| f.column == column)
}

/// The columns of a key as references.
pub(super) fn key_columns(use_id: UseId, key: &Key) -> Vec<ColumnRef> {
    key.columns.iter().map(|&column| ColumnRef { use_id, column }).collect()
}

/// The columns that equal `column` in every row of its block, itself first: linked by inner
/// equalities among uses that are not nullable.
pub(super) fn equality_class(view: &FlatView, column: ColumnRef) -> Vec<ColumnRef> {
    let block = view.use_of(column).block;
    let solid = |c: ColumnRef| view.use_of(c).block == block && !view.use_of(c).nullable;
    let mut class = vec![column];
    let mut at = 0;
    while at < class.len() {
        let current = class[at];
        for equality in view.equalities.iter().filter(|e| e.block == block && e.scope == Scope::Always) {
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
