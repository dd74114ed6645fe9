//! Chains of FULL JOINs.
//!
//! In: a view whose FROM clause begins with three or more relations, each FULL JOINed to those before it by what all of them
//! merge, and whose key is that. Out: the values that are merged, each once, and the relations LEFT JOINed to these. Of
//! `coalesce(coalesce(a, b), c) = key` the planner concludes `c = key`, but not what that means for a and b. What always holds: for each
//! value that is not NULL the rows are the same, whether a relation has one row of it, several or none; equal values are the same
//! value to the eye. Rows without a value are in no document.

use std::ops::Range;

use sqlparser::ast::{SelectItem, SetExpr};
use sqlparser::tokenizer::Token;

use super::Given;
use super::apart::only_joins;
use crate::catalog::View;
use crate::cut::{Edit, Text};
use crate::plan::Tview;
use crate::relate::{ValueLock, Variant, key_lock};
use crate::resolve::{FlatView, OuterJoin, OuterKind};
use crate::source::Span;

/// Names for the values and for one of them.
const KEYS: &str = "tview_keys";
const KEY: &str = "tview_key";

/// How many relations the planner helps itself with.
const SHORT: usize = 2;

/// A relation of the chain: what stands in FROM, and behind it up to the next one.
struct Linked {
    relation: Range<usize>,
    /// FULL JOIN, before it.
    join: Option<Range<usize>>,
    /// USING or ON with what follows, behind it.
    condition: Option<Range<usize>>,
}

/// A FULL JOIN with another one on one of its sides.
pub(super) fn chain_of(flat: &FlatView) -> Option<Span> {
    let full = flat.outer_joins.iter().filter(|j| matches!(j.kind, OuterKind::Full(_)));
    let holds = |side: (usize, usize), inner: &OuterJoin| side.0 <= inner.left.0 && inner.right.1 <= side.1;
    let has_another = |j: &&OuterJoin| full.clone().any(|inner| holds(j.left, inner) || holds(j.right, inner));
    match full.clone().find(has_another)?.kind {
        OuterKind::Full(alternative) => Some(flat.alternatives[alternative].span),
        _ => None,
    }
}

impl Text<'_> {
    /// The changes for such a view.
    pub(super) fn chained(&self, given: Given, view: &View, tview: &Tview) -> Option<Vec<Edit>> {
        let SetExpr::Select(select) = view.query.body.as_ref() else { return None };
        let is_windowed = !tview.view.partitions.is_empty() || self.tokens().any(|at| self.is_word(at, "over"));
        if !only_joins(&tview.view) || is_windowed || self.mentions(KEY) || !is_simple(given, tview) {
            return None;
        }
        let clauses = self.clauses(self.outermost()?, self.tokens().end)?;
        let chain = self.chain(&clauses.from)?;
        let items = self.items(clauses.list);
        if chain.len() <= SHORT || [select.projection.len(), tview.view.outputs.len()].iter().any(|n| *n != items.len())
        {
            return None;
        }
        let outputs = tview.relations.key.columns.iter().map(|k| k.output);
        let key =
            outputs.map(|n| self.selected(items.get(n)?, select.projection.get(n)?)).collect::<Option<Vec<_>>>()?;
        let is_using = self.is_word(chain[1].condition.clone()?.start, "using");
        let is_named = |item: &SelectItem, view: &View| match item {
            SelectItem::ExprWithAlias { .. } => true,
            SelectItem::UnnamedExpr(_) => view.column_aliases.len() == items.len(),
            _ => false,
        };
        match (is_using, key.as_slice()) {
            (true, _) => self.merged_by_using(&chain, &key),
            // What has no name of its own is called coalesce.
            (false, [key]) if select.projection.iter().all(|item| is_named(item, view)) => {
                self.merged_by_on(&chain, key)
            }
            _ => None,
        }
    }

    /// The relations that FROM begins with, as long as they are FULL JOINed.
    fn chain(&self, from: &Range<usize>) -> Option<Vec<Linked>> {
        let level = self.level(from.clone());
        let ends = |at: usize| self.is_join(at) || *self.token(at) == Token::Comma;
        let next = |at: usize| level.iter().copied().find(|n| *n >= at && ends(*n)).unwrap_or(from.end);
        let mut chain = vec![Linked { relation: from.start..next(from.start), join: None, condition: None }];
        loop {
            let start = chain.last()?.condition.as_ref().map_or(chain[0].relation.end, |c| c.end);
            if start >= from.end || !self.is_word(start, "full") {
                break;
            }
            let join = if self.is_word(start + 1, "outer") { start + 2 } else { start + 1 };
            let end = next(join + 1);
            let word = |at: &usize| self.is_word(*at, "on") || self.is_word(*at, "using");
            let condition = level.iter().copied().find(|at| *at > join && *at < end && word(at))?;
            chain.push(Linked {
                relation: join + 1..condition,
                join: Some(start..join + 1),
                condition: Some(condition..end),
            });
        }
        // Further full joins are not of the chain.
        let end = chain.last()?.condition.as_ref().map_or(from.start, |c| c.end);
        let is_plain = |l: &Linked| !l.relation.is_empty() && !self.is_word(l.relation.start, "lateral");
        let others = level.iter().any(|at| *at >= end && (self.is_word(*at, "full") || self.is_word(*at, "natural")));
        (!others && chain.iter().all(is_plain)).then_some(chain)
    }

    /// `a FULL JOIN b USING (k) FULL JOIN c USING (k)`.
    fn merged_by_using(&self, chain: &[Linked], key: &[Range<usize>]) -> Option<Vec<Edit>> {
        let mut merged = None;
        for condition in chain.iter().filter_map(|l| l.condition.clone()) {
            let close = self.closing(condition.start + 1)?;
            if !self.is_word(condition.start, "using") || close + 1 != condition.end {
                return None;
            }
            let mut columns: Vec<_> = self.items(condition.start + 2..close).iter().map(|c| self.normal(c)).collect();
            columns.sort_unstable();
            if merged.get_or_insert_with(|| columns.clone()) != &columns {
                return None;
            }
        }
        let mut shown: Vec<_> = key.iter().map(|item| self.normal(item)).collect();
        shown.sort_unstable();
        shown.dedup();
        let using = chain[1].condition.clone()?;
        let columns = self.slice(self.bytes(&(using.start + 2..using.end - 1)));
        let values = chain.iter().map(|l| format!("SELECT {columns} FROM {}", self.slice(self.bytes(&l.relation))));
        let values = values.collect::<Vec<_>>().join("\n        UNION ");
        let first = self.bytes(&chain[0].relation);
        let mut edits = vec![
            Edit { at: first.start..first.start, text: format!("({values}) AS {KEYS}\n  LEFT JOIN ") },
            Edit { at: first.end..first.end, text: format!(" USING ({columns})") },
        ];
        edits.extend(self.left_joins(chain));
        (merged? == shown).then_some(edits)
    }

    /// `a FULL JOIN b ON b.k = a.k FULL JOIN c ON c.k = coalesce(a.k, b.k)`.
    fn merged_by_on(&self, chain: &[Linked], key: &Range<usize>) -> Option<Vec<Edit>> {
        let mut known: Vec<Range<usize>> = Vec::new();
        for (n, linked) in chain.iter().enumerate().skip(1) {
            let condition = linked.condition.clone()?;
            let mut on = condition.start + 1..condition.end;
            while self.is_in_parentheses(&on) {
                on = on.start + 1..on.end - 1;
            }
            let equalities = self.equalities(on.clone());
            let [(left, right)] = equalities.as_slice() else { return None };
            // Of several conditions those that are no equalities would be missing here.
            let is_all = left.start == on.start && right.end == on.end && self.is_word(condition.start, "on");
            let sides = [(left, right), (right, left)];
            let own = |at: &Range<usize>| at.len() == 3 && self.names(&linked.relation, at);
            let (before, at) = sides.into_iter().find(|(_, at)| own(at)).filter(|_| is_all)?;
            if n == 1 {
                known.push(self.operands(before)?.pop().filter(|of| self.names(&chain[0].relation, of))?);
            }
            if self.normals(&self.operands(before)?) != self.normals(&known) {
                return None;
            }
            known.push(at.clone());
        }
        if self.normals(&self.operands(key)?) != self.normals(&known) {
            return None;
        }
        let value = |(linked, at): (&Linked, &Range<usize>)| {
            let name = if linked.join.is_none() { format!(" AS {KEY}") } else { String::new() };
            format!("SELECT {}{name} FROM {}", self.slice(self.bytes(at)), self.slice(self.bytes(&linked.relation)))
        };
        let values = chain.iter().zip(&known).map(value).collect::<Vec<_>>().join("\n        UNION ");
        let on = |at: &Range<usize>| format!("ON {} = {KEYS}.{KEY}", self.slice(self.bytes(at)));
        let first = self.bytes(&chain[0].relation);
        let mut edits = vec![
            Edit { at: first.start..first.start, text: format!("({values}) AS {KEYS}\n  LEFT JOIN ") },
            Edit { at: first.end..first.end, text: format!(" {}", on(&known[0])) },
        ];
        edits.extend(self.left_joins(chain));
        let conditions = chain.iter().zip(&known).filter_map(|(l, at)| Some((l.condition.as_ref()?, at)));
        edits.extend(conditions.map(|(condition, at)| Edit { at: self.bytes(condition), text: on(at) }));
        edits.push(Edit { at: self.bytes(key), text: format!("{KEYS}.{KEY}") });
        Some(edits)
    }

    fn left_joins(&self, chain: &[Linked]) -> Vec<Edit> {
        let joins = chain.iter().filter_map(|l| l.join.as_ref());
        joins.map(|join| Edit { at: self.bytes(join), text: "LEFT JOIN".into() }).collect()
    }

    /// What a COALESCE merges, however deep; of anything else itself.
    fn operands(&self, at: &Range<usize>) -> Option<Vec<Range<usize>>> {
        if self.is_in_parentheses(at) {
            return self.operands(&(at.start + 1..at.end - 1));
        }
        match self.call(at, "coalesce") {
            Some((inside, rest)) if rest.is_empty() => {
                let all = self.items(inside).iter().map(|item| self.operands(item)).collect::<Option<Vec<_>>>()?;
                Some(all.into_iter().flatten().collect())
            }
            _ => (at.len() == 3 && *self.token(at.start + 1) == Token::Period).then(|| vec![at.clone()]),
        }
    }

    fn normals(&self, all: &[Range<usize>]) -> Vec<Vec<String>> {
        let mut all: Vec<_> = all.iter().map(|at| self.normal(at)).collect();
        all.sort_unstable();
        all
    }

    /// Whether a column is named as one of a relation in FROM.
    fn names(&self, relation: &Range<usize>, column: &Range<usize>) -> bool {
        let last = relation.end - 1;
        let is_name = matches!(self.token(last), Token::Word(_));
        is_name && self.normal(&(last..last + 1)) == self.normal(&(column.start..column.start + 1))
    }
}

/// Whether the key is proved, comes from columns of one type, and equal values of it are the same to the eye.
fn is_simple(given: Given, tview: &Tview) -> bool {
    let key = &tview.relations.key;
    let of_column = |v: &Variant| {
        let types = v.key.iter().zip(&key.columns).map(|(term, k)| (term.ty(&v.view, given.catalog), &k.ty));
        let same = types.into_iter().all(|(ty, known)| ty.is_some_and(|ty| ty.base == known.base));
        same && matches!(key_lock(&v.view, given.catalog, key, &v.key), ValueLock::Values(_))
    };
    !key.asserted && key.columns.iter().all(|k| k.ty.is_plain()) && tview.relations.variants.iter().all(of_column)
}
