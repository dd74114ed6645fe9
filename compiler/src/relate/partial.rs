//! Unique indexes over some rows, where a query takes only such rows.
//!
//! In: a settled view and one of its uses. Out: the columns of each such index whose condition follows from what the query says of all rows
//! of the use. What always holds: of the rows that the query takes no two are equal in these columns, as they are in a key; of the table
//! that is not so.

use std::collections::BTreeSet;

use crate::catalog::restrictions::{Restriction, Test, of_text};
use crate::catalog::{Catalog, PartialKey, Table, TypeClass};
use crate::resolve::{ColumnRef, Fact, FlatView, Guard, Piece, UseId};

/// The indexes that are keys of the rows of a use, where these conditions hold for all of them and these columns are not NULL in any.
pub(super) fn keys<'t>(
    view: &FlatView,
    (use_id, table): (UseId, &'t Table),
    holds: impl Fn(&Guard) -> bool,
    present: impl Fn(usize) -> bool,
) -> Vec<&'t PartialKey> {
    if table.partial_keys.is_empty() {
        return Vec::new();
    }
    let said = said(view, (use_id, table), holds);
    table.partial_keys.iter().filter(|key| follow(&key.only_where, &said, table, &present)).collect()
}

/// The indexes that proofs may rest on.
pub fn relied_on<'c>(view: &FlatView, catalog: &'c Catalog, use_id: UseId) -> Vec<&'c PartialKey> {
    keys(view, (use_id, catalog.table(&view.uses[use_id.0].table)), |_| true, |_| true)
}

/// Whether the rows of a use are found by an index over the rows that fulfil this, where the view itself looks for them.
pub fn is_said_of_rows(view: &FlatView, table: &Table, use_id: UseId, wanted: &[Restriction]) -> bool {
    let said = said(view, (use_id, table), |guard| view.in_region(view.uses[use_id.0].block, guard.block));
    let is_present = |column| view.is_stated(ColumnRef { use_id, column }, Fact::Present);
    follow(wanted, &said, table, &is_present)
}

/// What is said of the rows of a use by the conditions that hold for them.
fn said(view: &FlatView, (use_id, table): (UseId, &Table), holds: impl Fn(&Guard) -> bool) -> Vec<Restriction> {
    // There may be many.
    let mentions = |g: &&Guard| {
        let is_own = |piece: &Piece| matches!(piece, Piece::Column(c) if c.use_id == use_id);
        g.formula.pieces.iter().any(is_own)
    };
    let of_use = view.guards.iter().filter(mentions);
    let of_use = of_use.filter(|g| g.formula.uses() == BTreeSet::from([use_id]) && holds(g));
    of_use.filter_map(|guard| said_by(guard, table)).flatten().collect()
}

fn said_by(guard: &Guard, table: &Table) -> Option<Vec<Restriction>> {
    let is_plain = guard.formula.calls.is_empty() && guard.formula.any_of.is_none();
    let text = is_plain.then(|| guard.formula.text(&|c| table.columns[c.column].name.sql()))?;
    of_text(&text, &table.columns)
}

/// Whether all of it follows from what is said, or from columns not being NULL.
fn follow(wanted: &[Restriction], said: &[Restriction], table: &Table, present: &impl Fn(usize) -> bool) -> bool {
    // A row of which one field is NULL is there, and not NOT NULL.
    let is_row = |column: usize| {
        matches!(table.columns[column].ty.underlying().class, TypeClass::Composite | TypeClass::Unknown)
    };
    let is_present = |column: usize| (table.columns[column].not_null || present(column)) && !is_row(column);
    wanted.iter().all(|wanted| {
        said.iter().any(|s| s.column == wanted.column && s.test.implies(&wanted.test))
            || wanted.test == Test::Present && table.column(&wanted.column).is_some_and(is_present)
    })
}
