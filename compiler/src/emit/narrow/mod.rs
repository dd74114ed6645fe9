//! Narrowing: a view's query in a form that PostgreSQL's planner pushes keys into.
//!
//! In: a view. Out: where the planner would compute the view as a whole to show one of its rows, the user's own text with
//! seven kinds of changes. What always holds: the rows are those of the view.
//!
//! - A CTE that is read twice is a fence to the planner; `NOT MATERIALIZED` takes it away. Queries of views write nothing and
//!   hold no volatile function, so that how often they are run is of no consequence.
//! - A grouped query in a join is computed for all groups; as a LATERAL one it is computed for the rows that it is joined to.
//! - A FULL JOIN is computed as a whole where ON names what it merges in another order than COALESCE does; its sides change places.
//!   A chain of them becomes what they merge, LEFT JOINed to each.
//! - EXCEPT is computed as a whole; the distinct rows of its first side without an equal one in the other are not.
//! - A condition on the key does not pass a window function unless the key is part of every PARTITION BY. A condition on what
//!   all windows are partitioned by does. So these expressions are selected as well, and a second query tells, without
//!   computing windows, in which partitions the keys are. Where windows have no part of their partitions in common, the query
//!   is run for each row over the rows that share one of its partitions.
//! - Windows below, which the key does not pass, are computed for the partitions of the rows that it leads to, in the view's own text
//!   and in views of ours that take the place of those that it reads.
//! - The query of a NOT IN is read as a whole into a hash table; with an equality in it an index gives its rows of one value.

mod apart;
mod below;
mod chains;
mod ctes;
mod except;
mod full;
mod joins;
mod leads;
mod memberships;
mod views;
mod windows;

use std::ops::Range;

use super::Program;
use crate::catalog::{Catalog, Relation, View};
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::plan::{Tview, Whole};
use crate::source::Sources;
use crate::syntax::Statement;
pub use views::Below;
use views::Rewriting;

/// What views are read from.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The input.
    pub sources: &'a Sources,
    /// Its statements.
    pub statements: &'a [Statement],
    /// What they declare.
    pub catalog: &'a Catalog,
}

impl<'a> Given<'a> {
    /// What a program is made of.
    pub fn of(program: &Program<'a>) -> Self {
        Given { sources: program.sources, statements: program.statements, catalog: program.catalog }
    }

    /// The text of a view's query.
    pub(crate) fn text(&self, view: &View) -> Text<'a> {
        Text { sources: self.sources, statement: &self.statements[view.statement], query: view.query_span }
    }
}

/// Changes of a view's text.
pub struct Changes<'a> {
    /// Those of its own text.
    pub edits: Vec<Edit>,
    /// What takes the place of views that it reads, in the order in which they can be created.
    pub below: Vec<Below<'a>>,
    /// What is computed for all rows all the same.
    pub whole: Whole,
}

/// A view's query for reading it by key.
pub struct Narrowed<'a> {
    /// What it reads in the place of other views.
    pub below: Vec<Below<'a>>,
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
pub fn narrow<'a>(program: &Program<'a>, view: &'a View, tview: &'a Tview) -> Option<Narrowed<'a>> {
    let flat = &tview.view;
    let given = Given::of(program);
    let text = given.text(view);
    let Changes { mut edits, below, .. } = changes(given, program.name, view, tview);
    let is_plain = windows::has_plain_partitions(given, flat);
    let windows = is_plain.then(|| text.windows(&view.query)).flatten();
    let Some(windows) = windows else {
        let nullable = |at: &Range<usize>| windows::can_be_null(given, flat, at);
        let apart = is_plain.then(|| text.apart(&view.query, tview, &nullable, &edits)).flatten();
        if let Some(query) = apart {
            return Some(Narrowed { below, query, partition: None });
        }
        return (!edits.is_empty()).then(|| Narrowed { below, query: text.with(&edits), partition: None });
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
    let columns = columns.map(|(n, at)| (name(n), windows::can_be_null(given, flat, at))).collect();
    let rows: Vec<Edit> = edits.iter().cloned().chain(windows.blanks).collect();
    let rows = text.with(&rows);
    Some(Narrowed { below, query: text.with(&edits), partition: Some(Partition { columns, rows }) })
}

/// What of a tview is computed for all rows whichever key is asked for.
pub fn computed_whole(given: Given, tview: &Tview) -> Whole {
    match given.catalog.relations.get(&tview.view.name) {
        Some(Relation::View(view)) => changes(given, "", view, tview).whole,
        _ => Whole::default(),
    }
}

/// What lets conditions on the key into CTEs, grouped queries, sides of full joins and windows below.
pub fn changes<'a>(given: Given<'a>, program: &'a str, view: &'a View, tview: &'a Tview) -> Changes<'a> {
    let text = &given.text(view);
    let mut edits = text.unfenced(&view.query);
    let chained = text.chained(given, view, tview);
    let chain = if chained.is_some() { None } else { chains::chain_of(&tview.view) };
    edits.extend(chained.unwrap_or_else(|| text.turned()));
    edits.extend(text.excepts(&tview.view, given.catalog));
    let mut rewriting = Rewriting::new(given, program, tview);
    rewriting.own(text, view, &mut edits);
    Changes { edits, whole: rewriting.left(chain), below: rewriting.below }
}
