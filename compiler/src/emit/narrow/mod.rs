//! Narrowing: a view's query in a form that PostgreSQL's planner pushes keys into.
//!
//! In: a view. Out: where the planner would compute the view as a whole to show one of its rows, the user's own text with
//! five kinds of changes. What always holds: the rows are those of the view.
//!
//! - A CTE that is read twice is a fence to the planner; `NOT MATERIALIZED` takes it away. Queries of views write nothing and
//!   hold no volatile function, so that how often they are run is of no consequence.
//! - A grouped query in a join is computed for all groups; as a LATERAL one it is computed for the rows that it is joined to.
//! - A FULL JOIN is computed as a whole where ON names what it merges in another order than COALESCE does; its sides change places.
//! - EXCEPT is computed as a whole; the distinct rows of its first side without an equal one in the other are not.
//! - A condition on the key does not pass a window function unless the key is part of every PARTITION BY. A condition on what
//!   all windows are partitioned by does. So these expressions are selected as well, and a second query tells, without
//!   computing windows, in which partitions the keys are. Where windows have no part of their partitions in common, the query
//!   is run for each row over the rows that share one of its partitions.

mod apart;
mod ctes;
mod except;
mod full;
mod joins;
mod windows;

use std::ops::Range;

use super::Program;
use crate::catalog::View;
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::plan::Tview;

/// A view's query for reading it by key.
pub struct Narrowed {
    /// Selects what the view selects, then the partition.
    pub query: String,
    /// Where windows are in the way.
    pub partition: Option<Partition>,
}

/// What all windows of a query are partitioned by.
pub struct Partition {
    /// The names of the expressions, and whether each can be NULL.
    pub columns: Vec<(Ident, bool)>,
    /// Selects what the view selects, but NULL for what is computed by windows, then the partition.
    pub rows: String,
}

/// The narrowed form of a view's query; `None` where there is nothing to change.
pub fn narrow(program: &Program, view: &View, tview: &Tview) -> Option<Narrowed> {
    let flat = &tview.view;
    let statement = &program.statements[view.statement];
    let text = Text { sources: program.sources, statement, query: view.query_span };
    let mut edits = edits(program, &text, view, tview);
    let is_plain = windows::has_plain_partitions(program, flat);
    let windows = is_plain.then(|| text.windows(&view.query)).flatten();
    let Some(windows) = windows else {
        let nullable = |at: &Range<usize>| windows::can_be_null(program, flat, at);
        let apart = is_plain.then(|| text.apart(&view.query, tview, &nullable, &edits)).flatten();
        if let Some(query) = apart {
            return Some(Narrowed { query, partition: None });
        }
        return (!edits.is_empty()).then(|| Narrowed { query: text.with(&edits), partition: None });
    };
    let taken = |name: &str| flat.outputs.iter().any(|o| o.name.as_str() == name);
    let prefix =
        ["partition", "tview_partition", "tview_own_partition"].into_iter().find(|p| !taken(&format!("{p}_1")))?;
    let name = |n: usize| Ident::new(format!("{prefix}_{}", n + 1));
    let written = |at: &Range<usize>| text.slice(at.clone()).to_owned();
    let selected = windows.partition.iter().enumerate();
    let selected = selected.map(|(n, at)| format!(",\n    {} AS {}", written(at), name(n).sql()));
    let more = Edit { at: windows.end..windows.end, text: selected.collect() };
    edits.push(more);
    let columns = windows.partition.iter().enumerate();
    let columns = columns.map(|(n, at)| (name(n), windows::can_be_null(program, flat, at))).collect();
    let rows: Vec<Edit> = edits.iter().cloned().chain(windows.blanks).collect();
    let rows = text.with(&rows);
    Some(Narrowed { query: text.with(&edits), partition: Some(Partition { columns, rows }) })
}

/// What lets conditions on the key into CTEs, grouped queries and sides of full joins.
pub fn edits(program: &Program, text: &Text, view: &View, tview: &Tview) -> Vec<Edit> {
    let mut edits = text.unfenced(&view.query);
    edits.extend(text.turned());
    edits.extend(text.excepts(&tview.view, program.catalog));
    // A row of a view has a type of its own, which a user's function may ask for.
    if !tview.view.calls_user_functions {
        edits.extend(text.laterals(view, program.catalog, &left_of_key(tview)));
    }
    edits
}

/// Of each join of the view's own FROM clause, whether all of the key comes from its left side.
fn left_of_key(tview: &Tview) -> Vec<bool> {
    let outputs = tview.relations.key.columns.iter().map(|k| &tview.view.outputs[k.output].expr);
    let terms: Option<Vec<_>> = outputs.map(|e| e.as_term()).collect();
    let uses = terms.map(|terms| terms.iter().flat_map(|t| t.uses()).map(|u| u.0).max());
    tview.view.joins.iter().map(|first| matches!(uses, Some(Some(last)) if last < *first)).collect()
}
