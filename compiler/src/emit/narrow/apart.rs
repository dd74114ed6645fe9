//! Windows whose partitions have nothing in common.
//!
//! In: a query whose windows are partitioned by different expressions. Out: the query in a form that computes, for a row, its
//! windows over no more rows than are in one of its partitions: the row is found without windows, and the query is run LATERAL
//! to it over the rows that share a partition with it. What always holds: for each window all rows of the row's own partition are among
//! these, so that the row's values are those of the view; it is picked out of them by its key.

use std::collections::BTreeSet;
use std::ops::Range;

use sqlparser::ast::{Query, SelectItem, SetExpr};

use super::windows::same;
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::plan::Tview;
use crate::resolve::{FlatView, TOP, ident, output_name};

/// Names for the row and for the query that is run for it.
const ROW: &str = "tview_row";
const NEAR: &str = "tview_near";

/// What is said of a part of a row: the name that it has there, and its text.
struct Named {
    name: String,
    text: String,
}

impl Text<'_> {
    /// The query in that form, with these changes.
    pub(super) fn apart(
        &self,
        query: &Query,
        tview: &Tview,
        nullable: &dyn Fn(&Range<usize>) -> bool,
        edits: &[Edit],
    ) -> Option<String> {
        let flat = &tview.view;
        let SetExpr::Select(select) = query.body.as_ref() else { return None };
        let key = &tview.relations.key;
        let is_plain = !key.asserted && !key.can_be_null();
        if !only_joins(flat) || !is_plain || [ROW, NEAR].iter().any(|name| self.mentions(name)) {
            return None;
        }
        let outermost = self.outermost()?;
        let clauses = self.clauses(outermost, self.tokens().end)?;
        let items = self.items(clauses.list.clone());
        if items.len() != flat.outputs.len() || items.len() != select.projection.len() {
            return None;
        }
        let mut lists = self.partitions(clauses.list.start..self.tokens().end);
        let mut seen = BTreeSet::new();
        lists.retain(|list| seen.insert(list.iter().map(|item| self.normal(item)).collect::<Vec<_>>()));
        // Of a window over all rows there is no partition that could be read instead.
        let is_partitioned = !lists.is_empty() && self.all_partitioned(clauses.list.start..self.tokens().end);
        if !is_partitioned || self.computes_windows(clauses.list.end..self.tokens().end) {
            return None;
        }
        let key = tview.relations.key.columns.iter().enumerate();
        let key = key.map(|(n, k)| self.shown(&items[k.output], &select.projection[k.output], n + 1));
        let key: Vec<(String, Named)> = key.collect::<Option<_>>()?;
        let changed = |tokens: &Range<usize>| self.changed(self.bytes(tokens), edits);
        let from = changed(&clauses.from);
        let filter = clauses.conditions.as_ref().map(&changed);
        let mut row: Vec<String> = key.iter().map(|(_, k)| format!("{} AS {}", k.text, k.name)).collect();
        let mut near = Vec::new();
        for list in &lists {
            let mut equal = Vec::new();
            for item in list {
                let (text, name) =
                    (self.slice(self.bytes(item)).to_owned(), format!("part_{}", row.len() + 1 - key.len()));
                equal.push(same(&text, &format!("{ROW}.{name}"), nullable(&self.bytes(item))));
                row.push(format!("{text} AS {name}"));
            }
            near.push(equal.join(" AND "));
        }
        let near = near.join("\n               OR ");
        let own_filter = filter.as_ref().map_or_else(String::new, |f| format!(" WHERE {f}"));
        let filter = filter.map_or_else(String::new, |f| format!("({f})\n           AND "));
        let picked: Vec<String> = key.iter().map(|(name, k)| format!("{NEAR}.{name} = {ROW}.{}", k.name)).collect();
        let rest =
            if clauses.rest.is_empty() { String::new() } else { format!("\n         {}", changed(&clauses.rest)) };
        Some(format!(
            "{}SELECT {NEAR}.*\n  FROM (SELECT {}\n          FROM {from}{own_filter}) AS {ROW}\n CROSS JOIN LATERAL (\n        \
             SELECT {}\n          FROM {from}\n         WHERE {filter}({near}){rest}\n        OFFSET 0) AS {NEAR}\n WHERE {}",
            self.changed(self.query.start..self.statement.tokens[outermost].1.start, edits),
            row.join(", "),
            changed(&clauses.list),
            picked.join(" AND ")
        ))
    }

    /// A select item: its name as SQL, and its expression under a name of our own.
    fn shown(&self, item: &Range<usize>, selected: &SelectItem, n: usize) -> Option<(String, Named)> {
        let name = match selected {
            SelectItem::ExprWithAlias { alias, .. } => ident(alias),
            SelectItem::UnnamedExpr(expr) => output_name(expr)?,
            _ => return None,
        };
        let text = self.slice(self.bytes(&self.selected(item, selected)?)).to_owned();
        let named = Named { name: format!("key_{n}"), text };
        Some((Ident::sql(&name), named))
    }

    /// Whether a name occurs anywhere in the query.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.slice(self.query.start..self.query.end).to_lowercase().contains(name)
    }
}

/// Whether the query does nothing but join, filter and number.
pub(super) fn only_joins(flat: &FlatView) -> bool {
    let top = &flat.blocks[TOP.0];
    let changes = top.grouped.is_some() || top.aggregated || top.distinct || top.limited || top.expands || top.picked;
    !changes && flat.alternatives.iter().all(|a| a.block != TOP || a.is_full_join())
}
