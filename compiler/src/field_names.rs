//! Fields whose name can be NULL.
//!
//! In: a variant of a view. Out: a warning for each aggregate that makes an object of rows and fails where a row has no name for its field. A
//! view that fails is noticed when it is read; its tview computes it when somebody writes, and then the write fails.

use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::relate::nullable_in_row;
use crate::resolve::{FlatView, OrderKind, Ordered};

/// Reports columns that name fields and can be NULL. Nothing is said of what is computed.
pub fn check(view: &FlatView, catalog: &Catalog, diagnostics: &mut Diagnostics) {
    let live = view.live_blocks();
    for Ordered { kind, values, span, .. } in view.orders.iter().filter(|o| live.contains(&o.block) && !o.is_filtered) {
        let (OrderKind::Aggregate(aggregate), Some(column)) = (kind, values.first().and_then(|v| v.as_column())) else {
            continue;
        };
        if !aggregate.ends_with("object_agg") || !nullable_in_row(view, catalog, column) {
            continue;
        }
        let owner = view.use_of(column);
        let name = format!("{}.{}", owner.alias.sql(), catalog.table(&owner.table).columns[column.column].name.sql());
        let condition = format!("WHERE {name} IS NOT NULL");
        let title = format!("`{aggregate}` fails where `{name}` is NULL");
        let why = match owner.nullable {
            true => "where the outer join finds no row it is NULL",
            false => "the column is not declared NOT NULL",
        };
        diagnostics.push(
            Diagnostic::new(Code::NullFieldName, title, *span)
                .note(format!("{why}; then the write that brings such a row fails"))
                .help(format!(
                    "leave such rows out: `{aggregate}(…) FILTER ({condition})`, or `{condition}` in the query"
                )),
        );
    }
}
