//! Memberships: `x NOT IN (SELECT y …)`, and IN where it is no join to the planner.
//!
//! In: a query. Out: the same with a condition on y around the inner query, so that it is looked up for one x. The planner would read all
//! of it into a hash table otherwise, at every write. What always holds: rows with another y make no difference (see [`Membership`]); an
//! index finds the others, as a query that is read as a whole once is better than one that is read as a whole for each row; the names of
//! the condition mean what they meant, since all that is in scope beside it has names of ours.

use sqlparser::tokenizer::Token;

use super::Given;
use crate::cut::{Edit, Text};
use crate::resolve::{ColumnRef, FlatView, Membership};
use crate::source::Span;

/// Stands for the inner query.
const NAME: &str = "tview_among";

impl Text<'_> {
    /// Writes around the queries of IN and NOT IN, outside of what else is written there.
    pub(super) fn memberships(&self, given: Given, flat: &FlatView, edits: &mut Vec<Edit>) {
        let is_here = |m: &&Membership| m.query.file == self.query.file && self.is_within(m.query);
        let mut here: Vec<&Membership> = flat.memberships.iter().filter(is_here).collect();
        here.sort_by_key(|m| m.query.start);
        here.dedup_by_key(|m| m.query.start);
        if here.is_empty() || self.slice(self.query.start..self.query.end).contains(NAME) {
            return;
        }
        let (before, behind): (Vec<Edit>, Vec<Edit>) =
            here.into_iter().filter_map(|m| self.membership(given, flat, m)).unzip();
        edits.splice(0..0, before);
        edits.extend(behind);
    }

    fn is_within(&self, span: Span) -> bool {
        self.query.start <= span.start && span.end <= self.query.end
    }

    fn membership(&self, given: Given, flat: &FlatView, membership: &Membership) -> Option<(Edit, Edit)> {
        let is_indexed = |c: &ColumnRef| given.catalog.table(&flat.use_of(*c).table).is_indexed_by(&[c.column]);
        if !membership.pairs.iter().any(|(_, _, columns)| columns.iter().all(is_indexed)) {
            return None;
        }
        let start = self.tokens().find(|at| self.statement.tokens[*at].1.start == membership.query.start)?;
        let open = start.checked_sub(1).filter(|at| *self.token(*at) == Token::LParen)?;
        let bytes = self.bytes(&(start..self.closing(open)?));
        let name = |n: usize| format!("{NAME}_{}", n + 1);
        let equal = |(value, n, _): &(Span, usize, Vec<ColumnRef>)| {
            format!("{} = {}", self.slice(value.start..value.end), name(*n))
        };
        let conditions = membership.pairs.iter().map(equal).collect::<Vec<_>>().join(" AND ");
        let columns = (0..membership.columns).map(name).collect::<Vec<_>>().join(", ");
        let before = Edit { at: bytes.start..bytes.start, text: "SELECT * FROM (".into() };
        Some((before, Edit { at: bytes.end..bytes.end, text: format!(") AS {NAME} ({columns}) WHERE {conditions}") }))
    }
}
