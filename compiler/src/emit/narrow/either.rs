//! Conditions of which one part has to hold: `d.owner = u.id OR EXISTS (…)`.
//!
//! In: a query. Out: the same with such a condition as `d.id IN (SELECT d.id FROM d WHERE part UNION ALL …)`: of OR the planner makes a
//! filter for all rows of the table, of these an index lookup each. What always holds: a row of d fulfils the condition where its key is
//! among those of the rows that fulfil a part; the parts are copied nowhere else, and the names in them mean what they meant, since the
//! query around each has the same table under the same name; no part can fail for rows that other conditions leave out.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::Given;
use super::ctes::all_ctes;
use crate::catalog::{Relation, Table, View};
use crate::cut::{Clauses, Edit, Text};
use crate::resolve::Disjunction;
use crate::source::Span;

/// All words that parts may consist of, beside names: nothing that computes, so that nothing can fail.
const WORDS: &[&str] = &[
    "select", "from", "where", "join", "inner", "on", "using", "as", "and", "or", "not", "exists", "in", "any", "is",
    "null", "true", "false", "distinct",
];

/// A table in FROM.
struct Factor<'t> {
    table: &'t Table,
    /// Name and alias.
    tokens: Range<usize>,
    /// The token that the rows are named by.
    name: usize,
}

impl Text<'_> {
    /// Writes such conditions so; gives those for which that could be done.
    pub(super) fn disjunctions(
        &self,
        given: Given,
        view: &View,
        wanted: &[&Disjunction],
        edits: &mut Vec<Edit>,
    ) -> Vec<Span> {
        let is_here = |d: &&&Disjunction| {
            d.place.file == self.query.file && self.query.start <= d.place.start && d.place.end <= self.query.end
        };
        let mut done = Vec::new();
        for disjunction in wanted.iter().filter(is_here) {
            if let Some(made) = self.disjunction(given, view, disjunction) {
                edits.extend(made);
                done.push(disjunction.place);
            }
        }
        done
    }

    fn disjunction(&self, given: Given, view: &View, disjunction: &Disjunction) -> Option<Vec<Edit>> {
        let (clauses, parts) = self.tokens().rev().filter(|at| self.is_word(*at, "select")).find_map(|select| {
            let clauses = self.clauses(select, self.tokens().end)?;
            let parts = self.parts_at(clauses.conditions.clone()?, disjunction.place.start)?;
            (parts.len() == disjunction.parts).then_some((clauses, parts))
        })?;
        let factor = self.filtered(given, view, &clauses, parts[0].start..parts[parts.len() - 1].end)?;
        let key = factor.table.keys.iter().filter(|k| k.not_null).max_by_key(|k| k.primary)?;
        let name = self.slice(self.bytes(&(factor.name..factor.name + 1)));
        let column = |c: &usize| format!("{name}.{}", factor.table.columns[*c].name.sql());
        let columns = key.columns.iter().map(column).collect::<Vec<_>>().join(", ");
        let value = if key.columns.len() == 1 { columns.clone() } else { format!("({columns})") };
        let rows = format!("SELECT {columns} FROM {} WHERE (", self.slice(self.bytes(&factor.tokens)));
        let insert = |at: usize, text: String| Edit { at: at..at, text };
        let mut edits = vec![insert(self.bytes(&parts[0]).start, format!("{value} IN ({rows}"))];
        for (part, next) in parts.iter().zip(&parts[1..]) {
            let between = self.bytes(part).end..self.bytes(next).start;
            edits.push(Edit { at: between, text: format!(") UNION ALL {rows}") });
        }
        edits.push(insert(self.bytes(&parts[parts.len() - 1]).end, "))".into()));
        Some(edits)
    }

    /// The parts of the condition that holds a byte: one of a WHERE clause, or all of it.
    fn parts_at(&self, conditions: Range<usize>, byte: usize) -> Option<Vec<Range<usize>>> {
        let split = |tokens: Range<usize>, word: &str| -> Vec<Range<usize>> {
            let level = self.level(tokens.clone());
            let ends = level.into_iter().filter(|at| self.is_word(*at, word)).chain([tokens.end]);
            let mut from = tokens.start;
            ends.map(|end| std::mem::replace(&mut from, end + 1)..end).collect()
        };
        let holds = |tokens: &Range<usize>| !tokens.is_empty() && self.bytes(tokens).contains(&byte);
        let mut conjunct = conditions;
        while holds(&conjunct) {
            let parts = split(conjunct.clone(), "or");
            if parts.len() > 1 {
                return parts.iter().all(|p| !p.is_empty()).then_some(parts);
            }
            let inner = split(conjunct.clone(), "and").into_iter().find(holds)?;
            if !self.is_in_parentheses(&inner) {
                return None;
            }
            conjunct = inner.start + 1..inner.end - 1;
        }
        None
    }

    /// The table of the FROM clause whose rows a condition is said of.
    fn filtered<'g>(
        &self,
        given: Given<'g>,
        view: &View,
        clauses: &Clauses,
        condition: Range<usize>,
    ) -> Option<Factor<'g>> {
        let factors = self.factors(given, view, clauses.from.clone())?;
        let is_known = |at: usize| match self.token(at) {
            Token::Word(word) if word.quote_style.is_none() => {
                let called = *self.token(at + 1) == Token::LParen;
                !called || WORDS.iter().any(|w| word.value.eq_ignore_ascii_case(w))
            }
            Token::Word(_) | Token::Period | Token::Comma | Token::LParen | Token::RParen => true,
            Token::Number(..) | Token::SingleQuotedString(_) => true,
            other => matches!(other, Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq),
        };
        // A query in the place of a value may have several rows.
        let is_asked = |at: usize| ["exists", "in", "any"].iter().any(|w| self.is_word(at - 1, w));
        let is_value = |at: usize| *self.token(at) == Token::LParen && self.is_word(at + 1, "select") && !is_asked(at);
        if !condition.clone().all(|at| is_known(at) && !is_value(at)) {
            return None;
        }
        // Of several tables it has to be said of the first alone, which the others leave as it is.
        let mut factors = factors.into_iter();
        let first = factors.next()?;
        let is_mentioned = |other: Factor| {
            let name = self.name(other.name);
            let of_other = |at: usize| {
                let word = self.name(at);
                let is_bare = *self.token(at - 1) != Token::Period && *self.token(at + 1) != Token::Period;
                word.is_some()
                    && (word == name || is_bare && other.table.columns.iter().any(|c| Some(&c.name) == word.as_ref()))
            };
            condition.clone().any(of_other)
        };
        (!factors.any(is_mentioned)).then_some(first)
    }

    /// The tables of a FROM clause that joins nothing else, the first of which every row has a row of.
    fn factors<'g>(&self, given: Given<'g>, view: &View, from: Range<usize>) -> Option<Vec<Factor<'g>>> {
        let level = self.level(from.clone());
        let is_any = |at: usize, words: &[&str]| words.iter().any(|w| self.is_word(at, w));
        if level.iter().any(|at| is_any(*at, &["right", "full", "natural", "lateral", "only", "tablesample"])) {
            return None;
        }
        let ctes = all_ctes(&view.query);
        let begins =
            |at: &&usize| **at == from.start || *self.token(**at - 1) == Token::Comma || self.is_word(**at - 1, "join");
        let factor = |at: &usize| {
            let (schema, name) = match (self.token(at + 1), self.name(*at)?) {
                (Token::Period, schema) => (Some(schema), self.name(at + 2)?),
                (_, name) => (None, name),
            };
            let named = if schema.is_some() { at + 3 } else { at + 1 };
            let is_cte = schema.is_none() && ctes.contains(&name);
            let relation = given.catalog.lookup(schema.as_ref(), &name, &view.search_path).filter(|_| !is_cte)?;
            let Relation::Table(table) = relation else { return None };
            let alias = if self.is_word(named, "as") { named + 1 } else { named };
            let ends = ["join", "inner", "left", "cross", "on", "using"];
            let has_alias = alias < from.end && self.name(alias).is_some() && !is_any(alias, &ends);
            let end = if has_alias { alias + 1 } else { named };
            // Columns may have other names behind an alias.
            let is_renamed = end < from.end && *self.token(end) == Token::LParen;
            let name = if has_alias { alias } else { named - 1 };
            (!is_renamed).then_some(Factor { table, tokens: *at..end, name })
        };
        level.iter().filter(begins).map(factor).collect()
    }
}
