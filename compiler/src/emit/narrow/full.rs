//! FULL JOINs: those through which the planner passes no condition on what they merge.
//!
//! In: a query. Out: where the sides of an equality have to change places. Of `coalesce(a, b) = constant` the planner concludes, for
//! rows of a FULL JOIN ON `a = b`, that each side has that value, and reads both by it; but only if COALESCE names the two in the
//! order in which ON compares them, as USING does. What always holds: `a = b` and `b = a` are true of the same rows.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use crate::cut::{Edit, Text};

impl Text<'_> {
    /// The equalities of FULL JOINs whose sides stand in the other order than in a COALESCE of the query.
    pub(super) fn turned(&self) -> Vec<Edit> {
        let tokens = self.tokens();
        let merged: Vec<(Vec<String>, Vec<String>)> = tokens.clone().filter_map(|at| self.merged(at)).collect();
        if merged.is_empty() {
            return Vec::new();
        }
        let joins = tokens.clone().filter(|at| self.is_full_join(*at));
        let equalities = joins.filter_map(|join| self.condition(join, tokens.end)).flat_map(|on| self.equalities(on));
        let mut edits = Vec::new();
        for (left, right) in equalities {
            let sides = (self.normal(&left), self.normal(&right));
            let decides =
                |(a, b): &&(Vec<String>, Vec<String>)| (a, b) == (&sides.0, &sides.1) || (a, b) == (&sides.1, &sides.0);
            // The first one decides: the key mostly stands before the document.
            if merged.iter().find(decides).is_some_and(|(a, _)| *a == sides.1) {
                let (left, right) = (self.bytes(&left), self.bytes(&right));
                edits.push(Edit { at: left.clone(), text: self.slice(right.clone()).to_owned() });
                edits.push(Edit { at: right, text: self.slice(left).to_owned() });
            }
        }
        edits
    }

    /// What a COALESCE that begins here merges: its operands, if there are two.
    fn merged(&self, at: usize) -> Option<(Vec<String>, Vec<String>)> {
        let (inside, _) = self.call(&(at..self.tokens().end), "coalesce")?;
        match self.items(inside).as_slice() {
            [one, two] => Some((self.normal(one), self.normal(two))),
            _ => None,
        }
    }

    /// Whether the JOIN of a FULL JOIN stands here.
    fn is_full_join(&self, at: usize) -> bool {
        let is_full = |at: usize| self.is_word(at, "full");
        self.is_word(at, "join") && at > 1 && (is_full(at - 1) || self.is_word(at - 1, "outer") && is_full(at - 2))
    }

    /// What stands behind the ON of a join.
    fn condition(&self, join: usize, end: usize) -> Option<Range<usize>> {
        let level = self.level(join + 1..end);
        let ends = |at: &usize| self.is_join(*at) || self.begins_clause(*at) || *self.token(*at) == Token::Comma;
        let on = level.iter().copied().take_while(|at| !ends(at)).find(|at| self.is_word(*at, "on"))?;
        let mut after = level.iter().copied().filter(|at| *at > on);
        let close = after.clone().find(|at| ends(at) || self.is_word(*at, "on"));
        Some(on + 1..close.or(after.next_back().map(|last| last + 1))?)
    }

    /// The two sides of each equality that a condition is made of by AND.
    pub(super) fn equalities(&self, condition: Range<usize>) -> Vec<(Range<usize>, Range<usize>)> {
        let mut condition = condition;
        while self.is_in_parentheses(&condition) {
            condition = condition.start + 1..condition.end - 1;
        }
        let level = self.level(condition.clone());
        if level.iter().any(|at| ["or", "not", "between", "is"].iter().any(|w| self.is_word(*at, w))) {
            return Vec::new();
        }
        let ands: Vec<usize> = level.iter().copied().filter(|at| self.is_word(*at, "and")).collect();
        if !ands.is_empty() {
            let bounds = ands.iter().copied().chain([condition.end]);
            let starts = std::iter::once(condition.start).chain(ands.iter().map(|at| at + 1));
            return starts.zip(bounds).flat_map(|(from, to)| self.equalities(from..to)).collect();
        }
        let mut equals = level.into_iter().filter(|at| *self.token(*at) == Token::Eq);
        match (equals.next(), equals.next()) {
            (Some(at), None) if at > condition.start && at + 1 < condition.end => {
                vec![(condition.start..at, at + 1..condition.end)]
            }
            _ => Vec::new(),
        }
    }
}
