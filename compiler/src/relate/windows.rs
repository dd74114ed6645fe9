//! Windows that no key reaches.
//!
//! In: a variant of a view. Out: the windows below it that are computed for all rows whichever key is asked for: the planner passes a
//! condition through a window only where the window is partitioned by what the condition reads. What always holds: a window that is
//! not named here is partitioned by something that the key, or a row of a query around its own, gives a value; or its query
//! itself reads rows of that kind and no others.

use super::Variant;
use crate::catalog::Catalog;
use crate::resolve::{BlockId, ColumnRef, FlatView, TOP, Windowed};

/// All of them.
pub fn windows_of_all<'v>(variant: &'v Variant, catalog: &Catalog) -> Vec<&'v Windowed> {
    let view = &variant.view;
    if view.windows_below.is_empty() {
        return Vec::new();
    }
    let key = variant.equal_to_key(catalog);
    let is_reached = |w: &Windowed| {
        let mut partition = w.partition.iter().filter_map(|e| e.as_term());
        let by_key = match view.region_of(w.block) {
            TOP => partition.any(|t| key.contains(&t)),
            query => partition.filter_map(|t| t.as_column()).any(|c| is_given(view, query, c)),
        };
        by_key || is_correlated(view, w)
    };
    view.windows_below.iter().filter(|w| !is_reached(w)).collect()
}

/// Whether a column of a subquery equals one of the queries around.
fn is_given(view: &FlatView, query: BlockId, column: ColumnRef) -> bool {
    let is_inside = |c: ColumnRef| view.in_region(view.uses[c.use_id.0].block, query);
    let (mut known, mut at) = (vec![column], 0);
    while at < known.len() {
        for equality in view.equalities.iter().filter(|e| view.in_region(e.block, query)) {
            let other = match (equality.left == known[at], equality.right == known[at]) {
                (true, _) => equality.right,
                (_, true) => equality.left,
                _ => continue,
            };
            if !is_inside(other) {
                return true;
            }
            if !known.contains(&other) {
                known.push(other);
            }
        }
        at += 1;
    }
    false
}

/// Whether the query that a window is in compares its rows with one outside of it.
fn is_correlated(view: &FlatView, window: &Windowed) -> bool {
    let is_inside = |c: ColumnRef| view.in_region(view.uses[c.use_id.0].block, window.copy);
    let is_partition = |c: ColumnRef| window.partition.iter().any(|e| e.as_column() == Some(c));
    let is_outside = |c: ColumnRef| !is_inside(c) && !is_partition(c);
    let equalities = view.equalities.iter().filter(|e| view.in_region(e.block, window.copy));
    let mut sides = equalities.flat_map(|e| [(e.left, e.right), (e.right, e.left)]);
    sides.any(|(own, other)| is_inside(own) && is_outside(other))
}
