//! Windows: what all of a query are partitioned by.
//!
//! In: a query with windows in its select list. Out: where the expressions stand that are in every PARTITION BY, and the
//! select items that windows compute. What always holds: operators of PostgreSQL's own compare the partitions.

use std::ops::Range;

use sqlparser::ast::{Distinct, Query, Select, SelectItem, SetExpr};
use sqlparser::tokenizer::Token;

use super::Given;
use crate::cut::{Edit, Text};
use crate::emit::{equal_or_null, is_foreign};
use crate::resolve::{Expr, FlatView, ident, output_name};

/// How many windows may be built on each other.
const MAX_STEPS: usize = 8;

/// The windows of a SELECT.
pub(super) struct Windows {
    /// Where stands what all are partitioned by.
    pub(super) partition: Vec<Range<usize>>,
    /// Where the select list ends, in bytes.
    pub(super) end: usize,
    /// NULL in the place of what they compute.
    pub(super) blanks: Vec<Edit>,
}

/// Whether partitions are compared by operators of PostgreSQL's own.
pub(super) fn has_plain_partitions(given: Given, flat: &FlatView) -> bool {
    let plain =
        |e: &Expr| e.as_term().is_some_and(|t| t.ty(flat, given.catalog).is_some_and(|ty| !is_foreign(&ty.class)));
    !flat.partitions.is_empty() && flat.partitions.iter().all(plain)
}

/// Whether what stands at these bytes of a PARTITION BY can be NULL.
pub(super) fn can_be_null(given: Given, flat: &FlatView, at: &Range<usize>) -> bool {
    let column = flat.partitions.iter().find(|e| at.contains(&e.span.start)).and_then(Expr::as_column);
    column.is_none_or(|c| !flat.is_never_null(given.catalog, c))
}

/// The condition that an expression has another one's value. NULL is a partition of its own.
pub(super) fn same(text: &str, other: &str, can_be_null: bool) -> String {
    let is_name = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"'));
    let text = if is_name { text.to_owned() } else { format!("({text})") };
    match can_be_null {
        true => equal_or_null(&text, other),
        false => format!("{text} = {other}"),
    }
}

impl Text<'_> {
    /// The windows of the query's own select list, where a condition on their partitions can be pushed below them.
    pub(super) fn windows(&self, query: &Query) -> Option<Windows> {
        let SetExpr::Select(select) = query.body.as_ref() else { return None };
        if !matches!(select.distinct, None | Some(Distinct::All)) {
            return None;
        }
        let list = self.clauses(self.outermost()?, self.tokens().end)?.list;
        let (start, end) = (list.start, list.end);
        let items = self.items(list);
        let partition = self.partition(start..self.tokens().end)?;
        // Windows in other places would be computed for the second query as well.
        if items.len() != select.projection.len() || self.computes_windows(end..self.tokens().end) {
            return None;
        }
        let blanks = self.blanks(select, &items)?;
        Some(Windows { partition, end: self.statement.tokens[end - 1].1.end, blanks })
    }

    fn blanks(&self, select: &Select, items: &[Range<usize>]) -> Option<Vec<Edit>> {
        let computed = items.iter().zip(&select.projection).filter(|(item, _)| self.computes_windows((*item).clone()));
        let blank = |(item, selected): (&Range<usize>, &SelectItem)| {
            let name = match selected {
                SelectItem::ExprWithAlias { alias, .. } => ident(alias),
                SelectItem::UnnamedExpr(expr) => output_name(expr)?,
                _ => return None,
            };
            Some(Edit { at: self.bytes(item), text: format!("NULL AS {}", name.sql()) })
        };
        computed.map(blank).collect()
    }

    /// Whether windows compute anything there, outside of subqueries.
    pub fn computes_windows(&self, tokens: Range<usize>) -> bool {
        self.outside_subqueries(tokens).into_iter().any(|at| self.is_word(at, "over"))
    }

    /// What is in every PARTITION BY of the query.
    fn partition(&self, tokens: Range<usize>) -> Option<Vec<Range<usize>>> {
        let mut lists = self.partitions(tokens).into_iter();
        let mut common = lists.next()?;
        for list in lists {
            common.retain(|item| list.iter().any(|other| self.normal(item) == self.normal(other)));
        }
        (!common.is_empty()).then(|| common.iter().map(|item| self.bytes(item)).collect())
    }

    /// Whether each OVER is of a window with a PARTITION BY.
    pub(super) fn all_partitioned(&self, tokens: Range<usize>) -> bool {
        let outside = self.outside_subqueries(tokens.clone());
        let mut overs = outside.into_iter().filter(|at| self.is_word(*at, "over"));
        overs.all(|at| self.is_partitioned(at + 1, &tokens, MAX_STEPS))
    }

    /// Whether the window that is named or specified at a token has a PARTITION BY, its own or that of one it is built on.
    fn is_partitioned(&self, at: usize, tokens: &Range<usize>, steps: usize) -> bool {
        let is_specified = *self.token(at) == Token::LParen;
        let name = if is_specified { at + 1 } else { at };
        if is_specified && self.level(name..tokens.end).iter().any(|at| self.is_word(*at, "partition")) {
            return true;
        }
        let is_it = |at: &usize| {
            self.normal(&(*at..at + 1)) == self.normal(&(name..name + 1))
                && self.is_word(at + 1, "as")
                && *self.token(at + 2) == Token::LParen
        };
        let is_name = steps > 0 && matches!(self.token(name), Token::Word(_));
        let mut defined = (tokens.start..tokens.end.saturating_sub(2)).filter(|_| is_name);
        defined.find(is_it).is_some_and(|at| self.is_partitioned(at + 2, tokens, steps - 1))
    }

    /// What stands in each PARTITION BY.
    pub(super) fn partitions(&self, tokens: Range<usize>) -> Vec<Vec<Range<usize>>> {
        let outside = self.outside_subqueries(tokens.clone());
        let begins = outside.iter().filter(|at| self.is_word(**at, "partition") && self.is_word(*at + 1, "by"));
        begins.map(|at| self.items(at + 2..self.partition_end(at + 2, tokens.end))).collect()
    }

    /// Where a PARTITION BY list ends that begins at a token.
    fn partition_end(&self, start: usize, end: usize) -> usize {
        let follows = |at: &usize| ["order", "rows", "range", "groups"].iter().any(|w| self.is_word(*at, w));
        let level = self.level(start..end);
        let closes = level.last().map_or(start, |last| last + 1);
        level.into_iter().find(follows).unwrap_or(closes)
    }
}
